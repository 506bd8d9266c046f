"""Results that count: the gradebook's points and the teacher's words above what was automatic."""

from collections.abc import Mapping
from dataclasses import dataclass

from grading.records.gradebook import Grades
from grading.records.record import Record


@dataclass(frozen=True)
class QuestionResult:
    """Result of one grade cell; `reason` is the automatic one, also where a person has graded since (`by_hand`)."""

    name: str
    points: float
    max_points: float
    reason: str
    by_hand: bool = False
    comment: str = ""
    """Written by a person."""


@dataclass(frozen=True)
class Result:
    """Results of a submission's questions, in the master's order."""

    questions: tuple[QuestionResult, ...]
    comments: Mapping[str, str]
    """Written by a person about other cells, by grade id."""
    penalty: float = 0.0
    """Points taken off because it was late."""

    @property
    def points(self) -> float:
        """Return the total after the penalty, never below zero."""
        return max(0.0, sum(question.points for question in self.questions) - self.penalty)


def result_of(record: Record, grades: Grades | None) -> Result:
    """Return the result that counts: the gradebook's `grades` where it has any, else what was automatic."""
    given = grades or Grades({})
    questions = tuple(
        QuestionResult(
            name,
            given.questions.get(name, question.points),
            question.max_points,
            question.reason,
            name in given.by_hand,
            given.comments.get(name, ""),
        )
        for name, question in record.questions.items()
    )
    others = {name: comment for name, comment in given.comments.items() if name not in record.questions}
    return Result(questions, others, given.penalty)
