"""Findings of reading a master: which cells and names are whose, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from grading.examiner.ledger import Entry, Owner

__all__ = ["DividedCell", "DividedTest", "Division", "Kind", "OwnedName", "Owner", "Skipped", "first_few", "owned"]

_MANY = 5


class Kind(StrEnum):
    """Kinds of code cells. An answer that is graded by hand is a solution."""

    instructor = "instructor"
    solution = "solution"
    test = "test"
    demo = "demo"


@dataclass(frozen=True)
class Skipped:
    """A statement that the examiner leaves out; `line` counts from 1 within the cell."""

    line: int
    reason: str


@dataclass(frozen=True)
class OwnedName:
    """Whose a name is at one place, and which statement decided."""

    name: str
    owner: Owner
    cell: str
    line: int
    why: str


@dataclass(frozen=True)
class DividedCell:
    """A code cell of the master, and what of it the examiner runs."""

    id: str
    name: str
    """As a person would look for it: `cell 4 'test_iou'`."""
    kind: Kind
    e_source: str
    """For the examiner, as plain Python: every statement on its own line of the cell; empty if nothing is to run."""
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class DividedTest:
    """A test cell, and what it may need of the student's."""

    id: str
    name: str
    names: tuple[str, ...]
    """The student's names that it may read, itself or in a function that it can reach."""
    libraries: tuple[str, ...] = ()
    """Of these, what a solution cell imports: whole libraries (`import numpy as np`), and members of libraries that are
    not what is tested. The examiner has its own, and uses that: the student's kernel is only believed that there is
    none."""
    borrowed: tuple[str, ...] = ()
    """The examiner's own names of which it asks what the student's kernel holds: whether the student has kept them as
    they were. They are asked for like `names`, and the examiner's own values are put back after the test."""
    beside: bool = False
    """It runs in the student's kernel."""
    rebinds: tuple[str, ...] = ()
    """The student's names that it binds or deletes."""
    demos: tuple[str, ...] = ()
    """Ids of the demonstrations that the student's kernel has to run for it."""
    imports: str = ""
    """Its imports that students see: the student's kernel may run them in its place, as later cells may need them."""
    reads: tuple[OwnedName, ...] = ()
    """All of the notebook's names that it may read."""

    @property
    def fetched(self) -> tuple[str, ...]:
        """Return all names that are asked of the student's kernel."""
        return (*self.names, *self.borrowed)


@dataclass(frozen=True)
class Division:
    """Division of a master: who runs which of its code cells, in their order."""

    cells: tuple[DividedCell, ...]
    tests: tuple[DividedTest, ...]
    names: tuple[OwnedName, ...]
    """All names after the last cell, in the order of the statements that decided."""
    notes: tuple[str, ...]
    """What the author should know, in words."""

    def cell(self, cell_id: str) -> DividedCell:
        """Return a code cell by its id."""
        return next(cell for cell in self.cells if cell.id == cell_id)

    def test(self, cell_id: str) -> DividedTest:
        """Return a test cell by its id."""
        return next(test for test in self.tests if test.id == cell_id)


def owned(name: str, entry: Entry) -> OwnedName:
    """Say whose a name is, of which this is known."""
    return OwnedName(name, entry.owner, entry.place.name, entry.line, entry.why)


def first_few(names: Sequence[str]) -> str:
    """List the first of many names."""
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more
