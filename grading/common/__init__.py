"""Parts that several rooms share: files, names, text, versions, cells.

In: plain values.
Out: plain values.
Called by all; knows no other room.
"""

__all__ = ["files", "names", "notebooks", "text", "versions"]
