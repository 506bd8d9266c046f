"""A class that was graded already: after a test has changed, and with nothing to do."""

import re
import shutil
from pathlib import Path

import classes_of
import harness
from harness import Cost, Goal, Section, Settings

from grading.authoring.classroom import Classroom

COUNT = 1000
STOCK_COUNT = 48
UNLIKE = "course grade, no two alike"


def run(settings: Settings) -> list[Section]:
    """Both, with ours at 1,000 and 500, and stock nbgrader's regrading extrapolated from 48."""
    count, half, few = settings.part(COUNT), settings.part(COUNT // 2), settings.part(STOCK_COUNT)
    whole, part = (graded_class(settings.scratch / f"ours-{number}", number) for number in (count, half))
    unlike = graded_class(settings.scratch / "unlike", count, alike=False)
    small = classes_of.our_class(settings.scratch / "small", classes_of.WARM_UP, few)
    stock = classes_of.stock_course(settings.scratch / "stock", small)
    classes_of.nbgrader(stock, "autograde", classes_of.WARM_UP)
    idle = {number: idle_stock(settings.scratch / f"idle-{number}", stock, number) for number in (count, half)}

    def rescore(classroom: Classroom) -> Cost:
        change_threshold(classroom)
        return classes_of.grade_ours(classroom)

    def regrade() -> Cost:
        found = classes_of.nbgrader(stock, "autograde", classes_of.WARM_UP, "--force")
        return found.scaled(count / few)

    rescoring = harness.alternate(
        {
            "course grade": lambda: rescore(whole),
            UNLIKE: lambda: rescore(unlike),
            f"nbgrader autograde --force, from {few}": regrade,
        },
        settings.rounds,
    )
    classes_of.grade_ours(whole)
    classes_of.grade_ours(part)
    nothing = harness.alternate(
        {
            "course grade": lambda: classes_of.grade_ours(whole),
            "nbgrader autograde": lambda: classes_of.nbgrader(idle[count], "autograde", classes_of.WARM_UP),
            f"course grade, {half}": lambda: classes_of.grade_ours(part),
            f"nbgrader autograde, {half}": lambda: classes_of.nbgrader(idle[half], "autograde", classes_of.WARM_UP),
        },
        settings.rounds,
    )
    ours, unlike_ours, stocks = rescoring.values()
    flat = harness.middle_ratio(nothing["course grade"], nothing[f"course grade, {half}"])
    how = "Each way as a command of its own, from start to end. Our stored answers are those of planted submissions, "
    how += "which were really run, put under the keys of their copies, all different by a comment."
    return [
        Section(
            name="rescoring",
            title=f"Re-scoring {count:,} warm-up submissions after a test has changed",
            how=f"{how} A threshold in the tests changes: the examiner runs them again, answered from the stored "
            "conversations, once for all submissions that answered alike. In the second row no two did, and each is "
            f"examined on its own. Stock nbgrader has to run its notebooks again: {few} of them, scaled.",
            columns=harness.COST_COLUMNS,
            rows=harness.cost_rows(rescoring, count, "course grade"),
            goals=[
                Goal(f"{what}: times nbgrader's throughput", 150, harness.middle_ratio(stocks, costs))
                for what, costs in (("re-scoring", ours), ("re-scoring, no two alike", unlike_ours))
            ],
            raw=harness.raw(rescoring),
        ),
        Section(
            name="nothing",
            title=f"A run with nothing to do, {count:,} submissions",
            how=f"{how} Stock nbgrader finds {count} graded submissions, most of them copies of {few}.",
            columns=harness.COST_COLUMNS,
            rows=harness.cost_rows(nothing, count, "course grade"),
            goals=[
                Goal(
                    "nothing to do: times nbgrader's speed",
                    5,
                    harness.middle_ratio(nothing["nbgrader autograde"], nothing["course grade"]),
                ),
                Goal(f"nothing to do: time of {count} over time of {half}", 2.2, flat, at_most=True),
            ],
            remarks=[f"The rows of {half} are for the ratio; their seconds each are for {count}."],
            raw=harness.raw(nothing),
        ),
    ]


def graded_class(folder: Path, count: int, alike: bool = True) -> Classroom:
    """A class whose answers are stored and whose grades are written."""
    classroom = classes_of.our_class(folder, classes_of.WARM_UP, count)
    classes_of.supply_answers(classroom, alike)
    classes_of.grade_ours(classroom)
    return classroom


def idle_stock(folder: Path, graded: Path, count: int) -> Path:
    """A stock course in which so many submissions are graded: copies of those that were."""
    shutil.copytree(graded, folder)
    for kind in ("submitted", "autograded"):
        there = sorted((folder / kind).iterdir())
        for number in range(len(there), count):
            shutil.copytree(there[number % len(there)], folder / kind / f"student-{number:05}")
    return folder


def change_threshold(classroom: Classroom) -> None:
    """A threshold that changes points, and that the tests never had before: the examiner has to run them again."""
    path = classroom.folder / "source" / classroom.assignment / f"{classroom.assignment}.ipynb"

    def other(match: re.Match[str]) -> str:
        bar = float(match[1])
        return f"ORDINARY_MINIMUM = {bar + 0.601 if bar < 1 else bar - 0.6:.3f}"

    master, count = re.subn(r"ORDINARY_MINIMUM = ([0-9.]+)", other, path.read_text(encoding="utf-8"))
    assert count == 1, f"{path} has {count} thresholds"
    path.write_text(master, encoding="utf-8")
