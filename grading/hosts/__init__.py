"""Hosts that run an autograder for one hand-in at a time: what they want to read, and what they hand out.

In: a record.
Out: the JSON that Gradescope, PrairieLearn or GitHub Classroom reads, and the archive that Gradescope is given.
Called by `cli`.
"""

__all__ = ["archive", "results"]
