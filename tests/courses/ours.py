"""The points that `course grade` gives to variants of a master, in a course of its own."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from courses.masters import Master, Variant
from courses.stock import CONFIG, Points, hand_in, write_source

from grading.options import Limits, Workers
from grading.pipeline.grade import grade
from grading.pipeline.plan import plan
from grading.pipeline.reference import with_reference
from grading.pipeline.run import open_course, options_from
from grading.records.record import GRADED, Record
from grading.release.build import build_release

LIMITS = Limits(cell_seconds=30, notebook_seconds=300)
"""Stock nbgrader interrupts a cell after 30 seconds, too."""


def our_points(master: Master, variants: Sequence[Variant]) -> Mapping[str, Points]:
    """Release a master as a course does that is set up like stock's, and grade its variants; points by variant."""
    return {name: points_of(master, record) for name, record in our_records(master, variants).items()}


def our_records(master: Master, variants: Sequence[Variant]) -> dict[str, Record]:
    """Return the records, by variant. Raises AssertionError if one could not be graded."""
    with tempfile.TemporaryDirectory(prefix="ours-") as name:
        course = Path(name)
        (course / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
        write_source(master, course / "source" / master.name)
        build_release(course, master.name)
        students = {f"v{number:03}": variant for number, variant in enumerate(variants)}
        for student, variant in students.items():
            folder = course / "submitted" / student / master.name
            hand_in(course / "release" / master.name, master, variant, folder)
        options = replace(options_from(course), limits=LIMITS, workers=Workers())
        run = with_reference(open_course(course, master.name, options))
        records = grade(run, plan(run))
    refused = [f"{students[record.student].name}: {record.why}" for record in records if record.status != GRADED]
    assert not refused, refused
    return {students[record.student].name: record for record in records}


def points_of(master: Master, record: Record) -> Points:
    """Return the points by cell; None waits for a person."""
    found = {record.cell_of(name): question for name, question in record.questions.items()}
    return {cell: None if found[cell].waits else found[cell].points for cell in master.points}
