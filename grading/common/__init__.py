"""Parts that several rooms share: files, names, text, versions, cells.

In and out: plain values. Knows no other room; called by all.
"""

__all__ = ["files", "names", "notebooks", "text", "versions"]
