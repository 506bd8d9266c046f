"""Planted submissions, and whether each gets exactly the points that it deserves."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.common.text import short_list
from grading.errors import ReleaseError
from grading.options import Options
from grading.pipeline.assignment import load_assignment
from grading.pipeline.plan import Plan
from grading.pipeline.run import GradingRun
from grading.records.record import GRADED, Record

EXPECTED = "expected.json"
PLANTED = "planted"
"""Folder of an assignment; what lies in it is never released."""


Expected = float | tuple[float, float]
"""Points that a question is worth, or the least and the most: a trained model is not the same on all data."""


@dataclass(frozen=True)
class Bound:
    """What `course calibrate` demands of a planted submission's total; without either, it is measured only."""

    at_least: float | None = None
    at_most: float | None = None

    def holds(self, points: float) -> bool:
        """Return whether a total is within the bound."""
        low = self.at_least is None or points >= self.at_least
        return low and (self.at_most is None or points <= self.at_most)

    def __str__(self) -> str:
        said = {"at least": self.at_least, "at most": self.at_most}
        return " and ".join(f"{words} {value:g}" for words, value in said.items() if value is not None)


@dataclass(frozen=True)
class Planted:
    """A submission whose points are known: `source/<assignment>/planted/<name>/`.

    `expected.json` holds `why`, `points` by grade id (a number, or `[least, most]`) and, for the two that need no cells
    of their own, `from`: "master" or "release". `calibration`, `{"at_least": 16}`, `{"at_most": 5}` or `{}`, gives it a
    part in `course calibrate`; `"demo": false` keeps it out of `course demo`. `cause` are words that the first
    advice on its page has to hold (`course advice`).
    Every other file `<grade_id>.py` is the source of a solution cell. Where two notebooks have the same grade id, it is
    `<notebook>/<grade_id>.py`.
    """

    name: str
    why: str
    points: Mapping[str, Expected]
    origin: str
    cells: Mapping[str, str]
    calibration: Bound | None = None
    demo: bool = True
    cause: str | None = None


@dataclass(frozen=True)
class Verdict:
    """Points that a planted submission got, beside those that it should have got."""

    planted: Planted
    record: Record

    @property
    def differences(self) -> list[str]:
        """One line for each question whose points are not as expected."""
        got = {name: question.points for name, question in self.record.questions.items()}
        lines = [] if self.record.status == GRADED else [f"{self.record.status}: {self.record.why}"]
        for name in sorted(set(self.planted.points) | set(got)):
            expected, points = self.planted.points.get(name), got.get(name)
            if not _as_expected(expected, points):
                question = self.record.questions.get(name)
                lines.append(f"{name}: expected {expected}, got {points} ({question.reason if question else ''})")
        return lines


def _as_expected(expected: Expected | None, points: float | None) -> bool:
    if isinstance(expected, tuple):
        return points is not None and expected[0] <= points <= expected[1]
    return expected == points


def planted_folder(repository: Path, assignment: str) -> Path:
    """Return the folder of an assignment's planted submissions."""
    return repository / "source" / assignment / PLANTED


def read_planted(folder: Path) -> list[Planted]:
    """Read the planted submissions in a folder, by name. Raises ReleaseError for a folder without any."""
    paths = sorted(folder.glob(f"*/{EXPECTED}"))
    if not paths:
        raise ReleaseError(f"{folder} holds no planted submissions (<name>/{EXPECTED})")
    return [_read_one(path) for path in paths]


def _read_one(path: Path) -> Planted:
    expected = json.loads(path.read_text(encoding="utf-8"))
    files = sorted(path.parent.rglob("*.py"))
    cells = {
        file.relative_to(path.parent).with_suffix("").as_posix(): file.read_text(encoding="utf-8") for file in files
    }
    origin = expected.get("from", "release")
    if origin not in ("master", "release"):
        raise ReleaseError(f'{path}: "from" must be "master" or "release", not {origin!r}')
    role = expected.get("calibration")
    if role is not None and not (isinstance(role, dict) and set(role) <= {"at_least", "at_most"}):
        raise ReleaseError(f'{path}: "calibration" must be like {{"at_least": 16}} or {{"at_most": 5}}, not {role!r}')
    points = {name: tuple(value) if isinstance(value, list) else value for name, value in expected["points"].items()}
    bound = None if role is None else Bound(**role)
    return Planted(
        path.parent.name,
        expected["why"],
        points,
        origin,
        cells,
        bound,
        expected.get("demo", True),
        expected.get("cause"),
    )


def to_verify(repository: Path, assignment: str) -> list[Planted]:
    """Return an assignment's planted submissions, by name; without any its own solution, which deserves all points.

    What a person grades gives none.
    """
    folder = planted_folder(repository, assignment)
    if any(folder.glob(f"*/{EXPECTED}")):
        return read_planted(folder)
    loaded = load_assignment(repository, assignment)
    by_hand = {(notebook.name, grade_id) for notebook in loaded.notebooks for grade_id in notebook.by_hand}
    points = {name: 0.0 if loaded.cells[name] in by_hand else most for name, most in loaded.max_points.items()}
    return [Planted("solution", "The master's own solution.", points, "master", {})]


def hand_in_all(classroom: Classroom, planted: Sequence[Planted]) -> None:
    """Make each planted submission from the release and hand it in under its name.

    Raises:
        ReleaseError: A file of a planted submission is named like no solution cell, or like one in two notebooks.
    """
    released = {name: classroom.released(name) for name in classroom.notebooks}
    solutions = {name: solution_cells(classroom.master(name)) for name in classroom.notebooks}
    for submission in planted:
        cells = _by_notebook(submission, {name: set(solution_cells(nb)) for name, nb in released.items()})
        for name, notebook in released.items():
            given = solutions[name] if submission.origin == "master" else {}
            classroom.hand_in(submission.name, fill_in(notebook, {**given, **cells[name]}), name)


def _by_notebook(submission: Planted, known: Mapping[str, set[str]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {name: {} for name in known}
    for key, source in submission.cells.items():
        place, _, grade_id = key.rpartition("/")
        places = [name for name, grade_ids in known.items() if grade_id in grade_ids and place in ("", name)]
        if len(places) != 1:
            notebooks = (
                f"cells of {short_list(places)}: name it NOTEBOOK/{grade_id}.py" if places else "no solution cell"
            )
            raise ReleaseError(f"{PLANTED}/{submission.name}/{key}.py is named like {notebooks}")
        found[places[0]][grade_id] = source
    return found


def choose(planted: Sequence[Planted], names: Sequence[str]) -> list[Planted]:
    """Return the planted submissions with these names, all without any. Raises ReleaseError for a name of none."""
    if unknown := sorted(set(names) - {one.name for one in planted}):
        raise ReleaseError(f"no planted submission is called {short_list(unknown)}")
    return [one for one in planted if not names or one.name in names]


def verify(
    repository: Path,
    assignment: str,
    folder: Path,
    options: Options,
    on_event: Callable[[str, str], None] = lambda *_: None,
    on_plan: Callable[[GradingRun, Plan], None] = lambda *_: None,
    planted: Sequence[Planted] = (),
) -> list[Verdict]:
    """Grade planted submissions, by default all there is `to_verify`, in a classroom of its own at `folder`.

    `on_plan` is called with what is planned before anything runs, `on_event` as by `grade`.
    """
    planted = planted or to_verify(repository, assignment)
    classroom = Classroom.create(repository, folder, assignment)
    classroom.share_results(repository)
    hand_in_all(classroom, planted)
    records = {record.student: record for record in classroom.grade(options, on_event=on_event, on_plan=on_plan)}
    return [Verdict(submission, records[submission.name]) for submission in planted]
