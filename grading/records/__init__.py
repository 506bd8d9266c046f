"""Records of what was graded and why: record.json, the executed notebook, the gradebook.

In: records. Out: files and rows, each whole or not at all.
Called by `pipeline`, `pages` and `cli`; only `gradebook` talks to nbgrader's tables.
"""

__all__ = ["executed_notebook", "gradebook", "record", "results"]
