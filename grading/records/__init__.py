"""Records of what was graded and why; only `gradebook`, `deadlines` and `personal` talk to nbgrader's tables.

In: records.
Out: record.json, the executed notebook and rows of the gradebook, each whole or not at all.
Called by `execution`, `pipeline`, `pages`, `authoring`, `hosts`, `service`, `cli` and nbgrader's plug-ins.
Way: 9 points and reasons are written down
"""

__all__ = ["deadlines", "executed_notebook", "gradebook", "grades", "personal", "record", "results"]
