"""Names of files and folders that several rooms share, and how long a student's may be."""

MAX_NAME = 200
"""Longest id of a student, in characters."""
TIMESTAMP = "timestamp.txt"
"""Beside a hand-in: when it was handed in."""
