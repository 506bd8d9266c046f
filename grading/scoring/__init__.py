"""What is asked of a submission and what it is worth: the words in which an assignment's `scoring.py` speaks.

In: answers, as plain arrays. Out: points with reasons, and what a page shows beside them, as data.
Called by `source/<assignment>/scoring.py`, and by every room that reads answers or explains points.
"""

__all__ = ["explanation", "questions"]
