"""First grading of the warm-up: our engine in its sandbox, stock nbgrader and `otter run` without one."""

import json
from pathlib import Path

import classes_of
import harness
from harness import Cost, Goal, LeftOutError, Section, Settings

COUNT = 48
OTTER_COUNT = 6
BEFORE = {"nbgrader's": 9.31, "`otter run`'s": 20.7}
"""Times whose throughput ours was on 24 November 2026, when the tests ran in the student's own process."""
KEPT = 0.8
"""Part of that which is to be left now that they run in a second one."""


def run(settings: Settings) -> list[Section]:
    """A class graded for the first time, anew in each round."""
    count = settings.part(COUNT)
    classroom = classes_of.our_class(settings.scratch / "ours", classes_of.WARM_UP, count)
    stock = classes_of.stock_course(settings.scratch / "stock", classroom)
    (stock / "fresh.db").write_bytes((stock / "gradebook.db").read_bytes())

    def ours() -> Cost:
        classes_of.forget(classroom)
        return classes_of.grade_ours(classroom)

    def nbgrader() -> Cost:
        classes_of.forget_stock(stock, classes_of.WARM_UP)
        return classes_of.nbgrader(stock, "autograde", classes_of.WARM_UP)

    ways = {"course grade": ours, "nbgrader autograde": nbgrader}
    remarks = []
    try:
        packages = ["otter-grader", "ipykernel", "numpy", "matplotlib"]
        programs = harness.environment(harness.ROOT / ".cache" / "bench" / "otter", packages)
        exercise = settings.scratch / "otter"
        some = classes_of.submissions(classroom, min(OTTER_COUNT, count))
        papers = classes_of.otter_exercise(exercise, classroom, some)
        zipped = exercise / "autograder.zip"
        harness.run_command(
            [programs / "otter", "generate", "-t", exercise / "tests", "-o", zipped, "--no-environment"], exercise
        )
        ways["otter run"] = lambda: _otter(programs, zipped, papers).scaled(count / len(papers))
        remarks.append(f"`otter run` grades one notebook a call: {len(papers)} calls, scaled to {count}.")
    except LeftOutError as why:
        remarks.append(f"`otter run` was left out: {why}")
    costs = harness.alternate(ways, settings.rounds)
    assert len(classes_of.points(classroom)) == count
    own = costs["course grade"]
    remarks.append(
        "CPU seconds, ours over nbgrader's: "
        + harness.spread(harness.ratios(own, costs["nbgrader autograde"], "cpu"))
        + "."
    )
    goals = [_goal("nbgrader's", costs["nbgrader autograde"], own)]
    if "otter run" in costs:
        goals.append(_goal("`otter run`'s", costs["otter run"], own))
    return [
        Section(
            name="warm_up",
            title=f"First grading of {count} warm-up submissions",
            how="Each way as a command of its own, from start to end: ours in the sandbox, the others without one. "
            "The notebooks are the planted submissions in turn, no two alike; store, gradebook and autograded folder "
            "are new in each round. Stock nbgrader has its default configuration and its own preprocessors.",
            columns=harness.COST_COLUMNS,
            rows=harness.cost_rows(costs, count, "course grade"),
            goals=goals,
            remarks=remarks,
            raw=harness.raw(costs),
        )
    ]


def _goal(whose: str, other: list[Cost], own: list[Cost]) -> Goal:
    reach = KEPT * BEFORE[whose]
    return Goal(f"warm-up, first grading: times {whose} throughput", reach, harness.middle_ratio(other, own))


def _otter(programs: Path, zipped: Path, papers: list[Path]) -> Cost:
    total = Cost(0.0, 0.0, 0)
    for paper in papers:
        argv = [programs / "otter", "run", "--no-logo", "-a", zipped, "-o", paper.parent, paper]
        total += harness.run_command(argv, paper.parent)
        scores = json.loads((paper.parent / "results.json").read_text(encoding="utf-8"))
        assert scores["tests"], f"otter has not graded {paper}"
    return total
