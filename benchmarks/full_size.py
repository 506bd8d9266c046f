"""First grading of full-size object detection on real representations, and what it costs beyond a bare script."""

from dataclasses import replace
from pathlib import Path

import classes_of
import harness
from harness import Cost, Goal, LeftOutError, Section, Settings

from grading.authoring.classroom import Classroom
from grading.execution.job import Job
from grading.pipeline.plan import plan
from grading.pipeline.run import open_course, options_from
from grading.records.record import Record, read_record
from helpers.data import COURSE_DATA_READ_ONLY

COUNT = 12
MODELS = ("published_better_model",)
TEN_EPOCHS = (r"epochs = \d+", "epochs = 10")
"""As the lab is printed; the planted submissions train longer, which would hide what grading costs."""
ASK = """
import json as _json
import numpy as _np
for _index in range({count}):
    _question = _json.loads(open({folder!r} + f"/{{_index}}.json").read())
    with _np.load({folder!r} + f"/{{_index}}.npz") as _inputs:
        for _case, _names in enumerate(_question["cases"]):
            eval(_question["code"], {{**globals(), **{{_name: _inputs[f"{{_case}}/{{_name}}"] for _name in _names}}}})
"""


MEMORY = """
def _note(cell):
    lines = dict(line.split(":") for line in open("/proc/self/status") if line.count(":") == 1)
    figures = [int(lines[name].split()[0]) // 1024 for name in ("VmHWM", "RssAnon", "RssFile")]
    print("MEMORY", cell, *figures, flush=True)
"""
WORTH_TELLING = 50
"""MiB by which a cell must raise the peak to be listed."""


def run(settings: Settings) -> list[Section]:
    """A class graded anew in each round, and each of its models as a bare script."""
    if settings.data is None:
        raise LeftOutError("there is no data folder: `make demo DATASET=voc` makes .cache/voc, or say --data")
    data, count = settings.data.resolve(), settings.part(COUNT)
    classroom = classes_of.our_class(settings.scratch / "ours", classes_of.FULL_SIZE, count, MODELS, TEN_EPOCHS)
    stock = classes_of.stock_course(settings.scratch / "stock", classroom)
    (stock / "fresh.db").write_bytes((stock / "gradebook.db").read_bytes())
    scripts = bare_scripts(classroom, data, settings.scratch / "bare")

    def ours() -> Cost:
        classes_of.forget(classroom)
        return classes_of.grade_ours(classroom, data)

    def nbgrader() -> Cost:
        classes_of.forget_stock(stock, classes_of.FULL_SIZE)
        return classes_of.nbgrader(stock, "autograde", classes_of.FULL_SIZE, data=data)

    def bare() -> Cost:
        total = Cost(0.0, 0.0, 0)
        for script, variables in scripts:
            total += harness.run_command([harness.BIN / "python", script], script.parent, variables)
        return total.scaled(count / len(scripts))

    costs = harness.alternate(
        {"course grade": ours, "nbgrader autograde": nbgrader, "bare script": bare}, settings.rounds
    )
    assert len(classes_of.points(classroom)) == count
    peaks = sorted(record.execution["peak_memory_bytes"] / 2**20 for record in _records(classroom))
    own, other, script = (harness.middle(costs[name]).cpu / count for name in costs)
    ratio = harness.middle_ratio(costs["nbgrader autograde"], costs["course grade"])
    return [
        Section(
            name="full_size",
            title=f"First grading of {count} full-size object detection submissions",
            how="Each way as a command of its own, from start to end: ours in the sandbox, the others without one; "
            f"store, gradebook and autograded folder new in each round. The models: {', '.join(MODELS)}, ten epochs. "
            "The bare script has the student's cells without the demonstrations, and asks the model what grading asks, "
            f"with the same numbers of threads; one after the other, each model once, scaled to {count}.",
            columns=harness.COST_COLUMNS,
            rows=harness.cost_rows(costs, count, "course grade"),
            goals=[
                Goal("full size, first grading: times nbgrader's throughput", 4, ratio),
                Goal("full size: CPU seconds beyond the bare script, each", 1.5, own - script, at_most=True),
            ],
            remarks=[f"CPU seconds beyond the bare script, stock nbgrader: {other - script:.3g} each."],
            raw=harness.raw(costs),
        ),
        memory(settings, classroom, data, peaks),
    ]


def _records(classroom: Classroom) -> list[Record]:
    folders = sorted(classroom.folder.glob(f"autograded/*/{classroom.assignment}"))
    return [record for folder in folders if (record := read_record(folder)) is not None]


def memory(settings: Settings, classroom: Classroom, data: Path, peaks: list[float]) -> Section:
    """What the peak of a submission is made of: its cells as a bare script that notes its memory after each."""
    course = open_course(classroom.folder, classroom.assignment, options_from(classroom.folder, data=data))
    job = next(iter(plan(replace(course, options=replace(course.options, force=True))).jobs.values()))
    cells = [f"{cell.source}\n_note({cell.id!r})" for cell in job.cells if not cell.demo]
    folder = settings.scratch / "memory"
    folder.mkdir()
    ask = ASK.format(count=len(job.questions), folder=str(job.environment.questions))
    (folder / "cells.py").write_text("\n\n".join([MEMORY, *cells, ask, "_note('the questions')"]), encoding="utf-8")
    view = folder / "data"
    for name, path in job.environment.data.items():
        (view / name).parent.mkdir(parents=True, exist_ok=True)
        (view / name).symlink_to(path)
    said = harness.output_of(
        [harness.BIN / "python", folder / "cells.py"], folder, {**variables(job, view), COURSE_DATA_READ_ONLY: "1"}
    )
    rows, before = [], 0
    for line in said.splitlines():
        if not line.startswith("MEMORY "):
            continue
        cell, *figures = line.removeprefix("MEMORY ").rsplit(" ", 3)
        peak = int(figures[0])
        if peak - before >= WORTH_TELLING:
            own = [f"{figure} MiB" for figure in figures[1:]]
            rows.append([f"`{cell}`", f"{peak} MiB", f"+{peak - before} MiB", *own])
        before = peak
    graded = f"{peaks[0]:.0f} to {peaks[-1]:.0f} MiB" if peaks else "unknown"
    return Section(
        name="memory",
        title="Peak memory of a running object detection submission",
        how="The cells of one submission as a bare script with the data as students' code sees it; what the process "
        f"had at most by the end of each cell, where that grew by {WORTH_TELLING} MiB or more, what of its memory is "
        "its own then, and what is pages of files, which all submissions on a machine share.",
        columns=("after the cell", "peak", "grown by", "its own", "of files, shared"),
        rows=rows,
        remarks=[f"Peaks that grading recorded, kernel and sandbox included: {graded}, {len(peaks)} submissions."],
        raw={"graded": peaks, "rows": rows},
    )


def bare_scripts(classroom: Classroom, data: Path, folder: Path) -> list[tuple[Path, dict[str, str]]]:
    """One script for each model, with the variables to run it with."""
    folder.mkdir()
    options = options_from(classroom.folder, data=data)
    course = open_course(classroom.folder, classroom.assignment, options)
    found = []
    jobs: list[Job] = list(plan(course).jobs.values())[: len(MODELS)]
    for number, job in enumerate(jobs):
        path = folder / f"{number}.py"
        cells = [cell.source for cell in job.cells if not cell.demo]
        ask = ASK.format(count=len(job.questions), folder=str(job.environment.questions))
        path.write_text("\n\n".join([*cells, ask]), encoding="utf-8")
        found.append((path, variables(job, data)))
    return found


def variables(job: Job, data: Path) -> dict[str, str]:
    """The environment of a job, outside a sandbox."""
    seed = {"COURSE_SEED": str(job.environment.seed), "PYTHONHASHSEED": str(job.environment.seed)}
    return {**job.environment.variables, **seed, "COURSE_DATA": str(data)}
