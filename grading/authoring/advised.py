"""What the feedback page advises, beside the cause of each planted submission's fault: does it name the real one first?

A planted submission may say in `expected.json` what is wrong with it: `cause`, words that the first advice has to hold,
or `""` where nothing needs to be said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grading.authoring.classroom import Classroom
from grading.authoring.planted import Planted, hand_in_all
from grading.errors import GradingError
from grading.options import Options
from grading.pipeline.grade import answers_of, grade
from grading.pipeline.plan import plan
from grading.pipeline.reference import with_reference
from grading.pipeline.run import open_course
from grading.records.record import Record


@dataclass(frozen=True)
class Advised:
    """A planted submission, its total and what its page advises."""

    planted: Planted
    points: float
    advice: Sequence[str]

    @property
    def first(self) -> str:
        """The first advice; empty if there is none."""
        return self.advice[0] if self.advice else ""

    @property
    def names_the_cause(self) -> bool:
        """Whether the first advice holds the words of the cause, or nothing is said where nothing is wrong."""
        return self.planted.cause in self.first if self.planted.cause else not self.first


def advised(
    repository: Path, assignment: str, folder: Path, options: Options, planted: Sequence[Planted]
) -> list[Advised]:
    """Grade planted submissions and return what their pages advise; what was executed before is not executed again.

    Raises GradingError for an assignment whose scoring.py explains nothing.
    """
    classroom = Classroom.create(repository, folder, assignment)
    classroom.share_results(repository)
    hand_in_all(classroom, planted)
    course = with_reference(open_course(classroom.folder, assignment, options))
    if not hasattr(course.assignment.scoring, "explain"):
        raise GradingError(f"{assignment} gives no advice: its scoring.py defines no explain")
    planned = plan(course)
    records: dict[str, Record] = {record.student: record for record in grade(course, planned)}
    keys = {one.student: {name: run.key for name, run in one.by_seed()[0].items()} for one in planned.submissions}
    found = []
    for one in planted:
        stored = {notebook: course.store.get(key) for notebook, key in keys[one.name].items()}
        executed = {notebook: result for notebook, result in stored.items() if result is not None}
        explanation = course.assignment.explain(answers_of(course, executed), course.context)
        found.append(Advised(one, records[one.name].points, tuple(explanation.advice)))
    return found


def as_markdown(found: Sequence[Advised], command: str) -> str:
    """Write the table: points, what is wrong, and what is advised first."""
    lines = [
        "# Advice against cause",
        "",
        f"`{command}`: what the feedback page of each planted submission advises first, beside what is wrong with it.",
        "",
        "| submission | points | what is wrong | first advice | names the cause |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in found:
        said = one.first or "–"
        named = "yes" if one.names_the_cause else "**no**"
        lines.append(f"| {one.planted.name} | {one.points:g} | {one.planted.why} | {said} | {named} |")
    return "\n".join(lines) + "\n"
