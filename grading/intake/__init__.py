"""Reading what was handed in. In: a student's folder. Out: the notebook's bytes, then the notebook that is graded.

Nothing is believed, followed or run; `pipeline` and later rooms may call it.
"""

__all__ = ["hand_in", "rebuild"]
