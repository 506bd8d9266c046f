"""Rules of hand-ins: when, how often, how late, what it costs, and which one counts.

In: settings as plain data, and times.
Out: an answer in words, how late something is and what that takes off, which attempt counts.
Called by `config`, `records`, `pages` and `service`. Nothing here reads a clock, a file or a database.
"""

__all__ = ["attempts", "lateness", "reading", "rules"]
