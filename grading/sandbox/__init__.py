"""The place where student code runs: only this room knows bubblewrap, control groups and system call filters.

In: an environment, limits, source of cells.
Out: outputs and answers, as hostile as the code that made them.
Called by `execution`, `examiner` and `authoring`; `pipeline`, `service`, nbgrader's plug-ins ask whether it can be had.
Way: 6 cells run, where nothing is in reach
"""

__all__ = ["bubblewrap", "cgroup", "delegation", "forkserver", "kernel", "scratch", "system_calls"]
