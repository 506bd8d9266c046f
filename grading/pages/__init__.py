"""Pages for people: one for each student, one for the class.

In: records, the gradebook's points, what `scoring.py` explains.
Out: HTML files that open offline and run nothing of a student's.
Called by `service` and `cli`.
Way: 10 each student, and the class, gets a page
"""

__all__ = ["causes", "feedback", "grades", "names", "page", "report"]
