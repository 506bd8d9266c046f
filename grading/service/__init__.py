"""The course as a service: students hand in while they work and see their pages at once, the instructor watches.

In: notebooks that are handed in, personal links, requests and answers.
Out: a queue that survives whatever dies; grades and pages as the commands make them.
Called by `cli`.
"""

__all__ = [
    "access",
    "audit",
    "database",
    "identity",
    "invitations",
    "lms",
    "lms_roster",
    "personal",
    "serve",
    "settings",
    "site",
]
