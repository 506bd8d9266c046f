"""Questions to a submission and what they are worth: the words in which an assignment's `scoring.py` speaks.

In: answers, as plain arrays. Out: points with reasons, and what a page shows beside them, as data.
Called by `source/<assignment>/scoring.py`, and by every room that reads answers or explains points.
"""

__all__ = ["explanation", "questions"]
