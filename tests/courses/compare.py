"""Our points for each variant of each master, beside those of stock nbgrader, and a table of the differences.

`PYTHONPATH=tests python -m courses.compare` (or `make courses`) grades all of them as `course grade` does; with names
only those masters. Stock's points come from `stock.json`, see `courses.stock`. Where stock is fooled or crashes, the
master says so at the mistake (`deserves` and `because`, see `courses.masters`); any other difference is a failure.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from courses.masters import Master, Variant, masters
from courses.ours import our_points
from courses.stock import Points, outdated, read_stored

Grader = Callable[[Master, Sequence[Variant]], Mapping[str, Points]]
"""Grades variants of a master; points by variant's name."""


@dataclass(frozen=True)
class Difference:
    """A cell for which stock gives other points. `because` is empty if nobody has said why."""

    variant: str
    cell: str
    stock: float | None
    ours: float | None
    because: str = ""

    def __str__(self) -> str:
        why = self.because or "nobody has said why"
        return f"{self.variant}, {self.cell}: stock {_shown(self.stock)}, ours {_shown(self.ours)} ({why})"


@dataclass(frozen=True)
class Comparison:
    """A master, graded by both."""

    master: str
    notebooks: int
    variants: int
    cells: int
    """Points that were compared."""
    differences: tuple[Difference, ...]

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """Those that nobody has explained."""
        return tuple(difference for difference in self.differences if not difference.because)


def compare(master: Master, stock: Mapping[str, Points | None], ours: Mapping[str, Points]) -> Comparison:
    """Compare two graders' points of those of a master's variants that we have graded.

    A difference is explained where the variant says that just our points are deserved, and why stock's are not. Where
    stock gave up, its points are none at all.
    """
    found = []
    cells = 0
    graded = [variant for variant in master.variants() if variant.name in ours]
    for variant in graded:
        theirs = stock[variant.name]
        for cell in master.points:
            cells += 1
            given, other = ours[variant.name].get(cell), theirs.get(cell) if theirs is not None else None
            explained = cell in variant.deserves and variant.deserves[cell] == given
            if given != other or theirs is None:
                because = variant.because if explained else ""
                found.append(Difference(variant.name, master.label(cell), other, given, because))
    return Comparison(master.name, len(master.notebooks), len(graded), cells, tuple(found))


def explained_in_vain(master: Master, stock: Mapping[str, Points | None]) -> list[str]:
    """Name the explanations of differences where stock gives what is deserved."""
    return [
        f"{master.name}, {variant.name}, {cell[1]}"
        for variant in master.variants()
        for cell, points in variant.deserves.items()
        if (theirs := stock[variant.name]) is not None and theirs.get(cell) == points
    ]


def table(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Write the table, line by line, and every difference below it."""
    width = max(len(comparison.master) for comparison in comparisons)
    yield f"{'master':{width}}  notebooks  variants  cells  differences  of these unexplained"
    for one in comparisons:
        numbers = one.notebooks, one.variants, one.cells, len(one.differences), len(one.unexplained)
        yield _row(one.master, width, numbers)
    sums = [sum(numbers) for numbers in zip(*map(_numbers, comparisons), strict=True)]
    yield _row(f"{len(comparisons)} masters", width, sums)
    for one in comparisons:
        yield from (f"{one.master}: {difference}" for difference in one.differences)


def _numbers(one: Comparison) -> tuple[int, ...]:
    return one.notebooks, one.variants, one.cells, len(one.differences), len(one.unexplained)


def _row(name: str, width: int, numbers: Sequence[int]) -> str:
    notebooks, variants, cells, differences, unexplained = numbers
    return f"{name:{width}}  {notebooks:9}  {variants:8}  {cells:5}  {differences:11}  {unexplained:20}"


def _shown(points: float | None) -> str:
    return "none" if points is None else f"{points:g}"


def compare_all(names: Sequence[str] = (), grader: Grader = our_points) -> Iterator[Comparison]:
    """Grade masters, all if none are named, and compare them with what is stored of stock; see `not_comparable`."""
    stored = read_stored()
    left_out = not_comparable(names)
    for name in names or masters():
        if name not in left_out:
            master = masters()[name]
            yield compare(master, stored[name], grader(master, master.variants()))


def not_comparable(names: Sequence[str] = ()) -> list[str]:
    """Name the masters, of all if none are named, of which stock has not graded every variant as it is."""
    lacking = {one.partition(":")[0] for one in outdated()}
    return [name for name in names or masters() if name in lacking]


def main() -> None:
    """Print the table; the exit status is 1 if something differs and nobody has said why, or could not be compared."""
    parser = argparse.ArgumentParser(description="Compare our points with stock nbgrader's.")
    parser.add_argument("names", nargs="*", help="masters; all, if none are named")
    names = parser.parse_args().names
    comparisons = []
    for one in compare_all(names):
        print(f"{one.master}: {one.cells} cells, {len(one.differences)} differences", file=sys.stderr, flush=True)
        comparisons.append(one)
    for line in table(comparisons) if comparisons else ():
        print(line)
    if left_out := not_comparable(names):
        print(f"`PYTHONPATH=tests python -m courses.stock` has to let stock grade {', '.join(left_out)}")
    sys.exit(1 if left_out or any(one.unexplained for one in comparisons) else 0)


if __name__ == "__main__":
    main()
