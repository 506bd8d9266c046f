"""Grades as plain data, so that who only prints them need not load nbgrader."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grading.records.record import GradedCell


@dataclass(frozen=True)
class Grades:
    """Points of one submission in the gradebook: what was given by hand stands above what was automatic."""

    questions: Mapping[GradedCell, float]
    by_hand: frozenset[GradedCell] = frozenset()
    comments: Mapping[GradedCell, str] = field(default_factory=dict)
    """Written by a person."""
    penalty: float = 0.0
    """Points taken off because it was late."""
    waiting: frozenset[GradedCell] = frozenset()
    """What nbgrader says needs a manual grade."""

    @property
    def points(self) -> float:
        """Total after the penalty."""
        return max(0.0, sum(self.questions.values()) - self.penalty)
