"""Reader of hand-ins: nothing is believed, followed or run.

In: a student's folder.
Out: the notebooks' bytes, then the notebooks that are graded, with every repair said.
Called by `pipeline`, `service`, `cli` and nbgrader's plug-ins.
Way: 4 a hand-in is read, once, and rebuilt
"""

__all__ = ["archives", "class_folder", "files", "hand_in", "matching", "rebuild"]
