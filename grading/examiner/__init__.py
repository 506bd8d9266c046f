"""Test cells that decide points: they run beside student code, in a process that it never ran in.

In: a master, a conversation with the student's kernel.
Out: which names are whose, results of test cells.
Called by `execution`, `pipeline` and `authoring`; it knows `sandbox`, and nothing of jobs, stores or gradebooks.
Way: 7 test cells ask the student's objects
"""

__all__ = [
    "advice",
    "cell_text",
    "conversation",
    "divided",
    "division",
    "examination",
    "examine",
    "ledger",
    "methods",
    "random_draws",
    "reading",
    "reading_tests",
    "server",
    "statements",
]
