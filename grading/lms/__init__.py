"""Learning management systems: only this room knows their formats.

In: a download, a class list, grades.
Out: `submitted/` in order, a file to import.
Called by `pages`, `pipeline`, `service` and `cli`.
Way: 2 a download becomes hand-ins, 11 grades become a file for the LMS
"""

__all__ = ["collect", "downloads", "export", "give_back", "roster"]
