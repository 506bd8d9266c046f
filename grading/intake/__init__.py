"""Reading what was handed in. In: a student's folder. Out: the notebooks' bytes, then the notebooks that are graded.

Nothing is believed, followed or run; `pipeline` and later rooms may call it.
"""

__all__ = ["archives", "files", "hand_in", "matching", "rebuild"]
