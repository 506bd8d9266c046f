"""A simulated class of any size through every step, answers supplied: time and memory of the coordinator.

    python benchmarks/scale.py --coordinator COURSE ASSIGNMENT

does the steps for one class in a process of its own, and prints what each took as JSON: nothing of the benchmark's
own is in its memory.
"""

import argparse
import json
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES = (100, 1000, 10_000)
MEMORY = 1024**3


def run(settings: Any) -> list[Any]:
    """Classes of each size, each in a coordinator of its own, once: what is compared is one size with another."""
    import classes_of
    import harness
    from harness import Goal, Section

    sizes = sorted({settings.part(size) for size in SIZES})
    found: dict[int, dict[str, Any]] = {}
    for size in sizes:
        classroom = classes_of.our_class(settings.scratch / f"class-{size}", classes_of.WARM_UP, size)
        classes_of.supply_answers(classroom)
        out = settings.scratch / f"steps-{size}.json"
        argv = [sys.executable, Path(__file__).resolve(), "--out", out, "--coordinator", classroom.folder]
        harness.run_command([*argv, classroom.assignment], classroom.folder)
        found[size] = json.loads(out.read_text(encoding="utf-8"))
        harness.say(f"  {size}: {found[size]}")
    steps = list(found[sizes[0]]["steps"])
    rows = []
    for size in sizes:
        seconds = found[size]["steps"]
        each = [f"{seconds[step]['cpu'] / size * 1000:.2f} ms" for step in steps]
        total = sum(step["wall"] for step in seconds.values())
        rows.append([f"{size}", f"{total:.1f} s", *each, f"{found[size]['peak'] / 2**20:.0f} MiB"])
    small, large = sizes[0], sizes[-1]
    per = {size: sum(step["cpu"] for step in found[size]["steps"].values()) / size for size in sizes}
    growth = (found[large]["peak"] - found[small]["peak"]) / (large - small)
    return [
        Section(
            name="scale",
            title="Simulated classes of the warm-up, answers supplied",
            how="A coordinator of its own for each class; CPU milliseconds for each submission, by step. Each "
            "submission has the stored answers of the planted submission that it is a copy of, which were really run.",
            columns=("submissions", "in all", *(f"{step}, each" for step in steps), "peak memory"),
            rows=rows,
            goals=[
                Goal(f"scale: CPU for each at {large} over at {small}", 1.2, per[large] / per[small], True),
                Goal(
                    f"scale: peak memory of the coordinator at {large}, GiB", 1.0, found[large]["peak"] / MEMORY, True
                ),
            ],
            remarks=[f"Memory grows by {growth / 1024:.1f} KiB for each submission."],
            raw={str(size): values for size, values in found.items()},
        )
    ]


def coordinate(folder: Path, assignment: str) -> dict[str, Any]:
    """All steps, in the order of a submission's way."""
    from grading.pipeline.grade import grade
    from grading.pipeline.plan import plan
    from grading.pipeline.reference import with_reference
    from grading.pipeline.run import open_course, options_from

    course = with_reference(open_course(folder, assignment, options_from(folder)))
    taken: dict[str, dict[str, float]] = {}

    def timed(step: str, function: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        value = function()
        taken[step] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        return value

    shutil.rmtree(course.store.folder.parent / "seen", ignore_errors=True)  # so that hand-ins are read
    collected = timed("collect", lambda: collect_again(folder, assignment))
    planned = timed("read and rebuild", lambda: plan(course))
    assert len(collected.placed) == len(planned.submissions)
    assert not planned.jobs, f"{len(planned.jobs)} submissions have no answers"
    records = timed("score and record", lambda: grade(course, planned))
    assert len(records) == len(planned.submissions)
    for step, function in later_steps(course).items():
        timed(step, function)
    return {"steps": taken, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def later_steps(course: Any) -> dict[str, Callable[[], Any]]:
    """Steps after grading, by name."""
    from grading.lms.export import export
    from grading.pages.feedback import read_records
    from grading.pages.grades import grades_of
    from grading.pages.report import write_report

    reports = course.folder / "reports"
    return {
        "report": lambda: write_report(course, read_records(course), reports),
        "export": lambda: export(grades_of(course), "csv", course.folder / "grades.csv"),
    }


def collect_again(folder: Path, assignment: str) -> Any:
    """The class's hand-ins as a download of a plain folder, placed into a folder of their own."""
    from grading.lms.collect import collect

    return collect(folder / "submitted", assignment, folder / "collected")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coordinator", nargs=2, metavar=("COURSE", "ASSIGNMENT"), required=True)
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    options = parser.parse_args()
    folder, assignment = options.coordinator
    options.out.write_text(json.dumps(coordinate(Path(folder), assignment)), encoding="utf-8")


if __name__ == "__main__":
    main()
