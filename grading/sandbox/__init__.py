"""The place where student code runs.

In: an environment, limits, source of cells. Out: outputs and answers, as hostile as the code that made them.
Called by `execution` alone; only this room knows bubblewrap, control groups and system call filters.
"""

__all__ = ["bubblewrap", "cgroup", "delegation", "forkserver", "kernel", "scratch", "system_calls"]
