"""Learning management systems. In: a download, a class list, grades. Out: `submitted/` in order, a file to import.

Only this room knows their formats; `pages` and the command line may call it.
"""

__all__ = ["collect", "downloads", "export", "roster"]
