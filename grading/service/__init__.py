"""The course as a service: students hand in while they work and see their pages at once.

In: notebooks that were handed in.
Out: a queue that survives whatever dies; grades and pages as the commands make them.
Called by `cli`.
"""

__all__ = ["content", "database", "grader", "identity", "placing", "queue", "settings"]
