"""Whose is a name? Read from the master: what the examiner runs itself, and which names are the student's.

The student's kernel runs every cell but the tests. The examiner runs the tests, and of the instructor's statements
those that depend on nothing of the student's; so both hold the same values, and the student cannot reach the
examiner's. A statement that depends on the student runs in the student's kernel only, and the tests ask for what it
binds. Demonstrations, and imports of solution cells, are run by the examiner only where something needs them.
"""

from collections.abc import Collection

from nbformat import NotebookNode

from grading.examiner.divided import DividedCell, DividedTest, Division, Kind, OwnedName, Owner, Skipped, first_few
from grading.examiner.reading import Reading

__all__ = [
    "DividedCell",
    "DividedTest",
    "Division",
    "Kind",
    "OwnedName",
    "Owner",
    "Skipped",
    "describe",
    "divide",
]

STAR_MODULES = frozenset({"cmath", "collections", "functools", "itertools", "math", "random", "statistics", "typing"})
"""Modules that may be imported here to see which names `from math import *` binds."""


def divide(master: NotebookNode, star_modules: Collection[str] = STAR_MODULES) -> Division:
    """Read a master, with its solutions, from top to bottom.

    Of `star_modules`, installed libraries, everything may be imported here to see what `from module import *` binds.
    """
    reading = Reading(star_modules)
    for index, cell in enumerate(master.cells):
        if cell.cell_type == "code":
            reading.read(cell, index)
    return reading.division()


def describe(division: Division) -> list[tuple[str, str, str, str]]:
    """Return a table of the names that decide points: the name, whose it is, why, and the tests that read it.

    The student's come first; a name that is bound twice has two rows if tests read both.
    """
    rows: dict[OwnedName, list[str]] = {}
    for test in division.tests:
        for name in test.reads:
            rows.setdefault(name, []).append(test.id)
    order = sorted(rows, key=lambda name: name.owner is not Owner.student)
    return [
        (row.name, row.owner.value, f"{row.cell}, line {row.line}: {row.why}", first_few(rows[row])) for row in order
    ]
