"""For those who write assignments: planted submissions, calibration, data of photographs, work that looks alike.

In: a course folder.
Out: verdicts, proposals, hints; the instructor's gradebook is never touched.
Called by `cli`.
"""

__all__ = ["advised", "both_ways", "calibrate", "classroom", "first_model", "photographs", "planted", "similar"]
