"""From a folder of hand-ins to grades: `plan` says what is there and what has to run, `grade` runs, scores and records.

In: a `GradingRun` (`run.open_course`): folders, the assignment, options.
Out: records, written beside the executed notebooks and entered into the gradebook.
Called by `pages`, `authoring`, `service`, `cli` and nbgrader's plug-ins. `unchanged` asks first whether anything is to
be done; `clean` lists what nothing refers to any more.
Way: 3 it is planned what has to run, 8 what came of it is scored
"""

__all__ = [
    "assignment",
    "clean",
    "foreseen",
    "grade",
    "limits",
    "lock",
    "notebook",
    "one",
    "people",
    "personal",
    "plan",
    "reference",
    "run",
    "seen",
    "tested",
    "unchanged",
]
