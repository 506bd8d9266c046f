"""Results that count: the gradebook's points and the teacher's words above what was automatic."""

from collections.abc import Mapping
from dataclasses import dataclass

from grading.records.grades import Grades
from grading.records.record import GRADED, PERSON, Record


@dataclass(frozen=True)
class QuestionResult:
    """Result of one graded cell; `reason` is the automatic one, also where a person has graded since (`by_hand`)."""

    name: str
    points: float
    max_points: float
    reason: str
    by_hand: bool = False
    comment: str = ""
    """Written by a person."""
    decided: str = ""
    """Where the automatic points were decided."""
    waits: bool = False
    """Whether a person has still to grade it, or to grade it again."""


@dataclass(frozen=True)
class Result:
    """Results of a submission's questions, in the master's order."""

    questions: tuple[QuestionResult, ...]
    comments: Mapping[str, str]
    """Written by a person about other cells: by grade id, with the notebook before it where there are several."""
    penalty: float = 0.0
    """Points taken off because it was late."""

    @property
    def points(self) -> float:
        """Return the total after the penalty, never below zero."""
        return max(0.0, sum(question.points for question in self.questions) - self.penalty)

    @property
    def waiting(self) -> list[str]:
        """Return the questions that wait for a person."""
        return [question.name for question in self.questions if question.waits]


def result_of(record: Record, grades: Grades | None) -> Result:
    """Return the result that counts: the gradebook's `grades` where it has any, else what was automatic."""
    given = grades or Grades({})
    questions = []
    for name, question in record.questions.items():
        cell = record.cell_of(name)
        known = cell in given.questions
        by_person = record.status == GRADED and question.decided == PERSON
        questions.append(
            QuestionResult(
                name,
                given.questions.get(cell, question.points),
                question.max_points,
                question.reason,
                cell in given.by_hand,
                given.comments.get(cell, ""),
                question.decided,
                by_person and (cell in given.waiting if known else question.waits),
            )
        )
    graded = {record.cell_of(name) for name in record.questions}
    several = len({notebook for notebook, _ in given.questions}) > 1
    others = {
        f"{notebook}/{grade_id}" if several else grade_id: comment
        for (notebook, grade_id), comment in given.comments.items()
        if (notebook, grade_id) not in graded
    }
    return Result(tuple(questions), others, given.penalty)
