"""Due times of an assignment and its students: those of the rules, which nbgrader's gradebook is told, else its own."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import Gradebook, SubmittedAssignment
from nbgrader.plugins import BasePlugin
from sqlalchemy import select

from grading.config import CourseRules
from grading.rules.lateness import lateness, penalty, settle
from grading.rules.rules import Rules


@dataclass(frozen=True)
class Due:
    """Due times of a class, in UTC."""

    for_all: datetime | None = None
    own: dict[str, datetime] = field(default_factory=dict)
    """By student, of those who have an extension."""

    def of(self, student: str) -> datetime | None:
        """Return when it is due for a student."""
        return self.own.get(student, self.for_all)


@dataclass(frozen=True)
class _HandedIn:
    """Row of a student's submission: its times as nbgrader keeps them, without a zone and in UTC."""

    assignment: str
    due: datetime | None
    timestamp: datetime | None
    extension: timedelta | None


class Deadlines:
    """Due times of one assignment, and how late each submission is.

    Where the rules say a due time, it and the extensions of the rules are entered into the gradebook, in place of what
    stands there. Where they do not, the gradebook's due time counts, and so do its extensions.
    """

    def __init__(self, gradebook: Gradebook, assignment: str, rules: CourseRules | None) -> None:
        """Enter the due time of the rules of an assignment that the gradebook knows."""
        self._db, self._course = gradebook.db, rules
        entered = gradebook.find_assignment(assignment)
        own = rules.of(assignment) if rules else Rules(assignment)
        self._by_rules = own.due is not None
        if own.due is not None and aware(entered.duedate) != own.due:
            entered.duedate = own.due.astimezone(UTC).replace(tzinfo=None)
            self._db.commit()
        self.rules = replace(own, due=own.due or aware(entered.duedate))

    def extension(self, student: str, known: timedelta | None) -> timedelta | None:
        """Return what a student's row should say, where it says `known` now."""
        due, own = self.rules.due, self.rules.due_for(student)
        if due is None or own is None:
            return known
        if own != due:
            return own - due
        return None if self._by_rules else known

    def counted(self, student: str, timestamp: datetime | None, extension: timedelta | None) -> timedelta:
        """Return how late a submission is, after grace and late days of the student's bank."""
        handed_in = aware(timestamp)
        if handed_in is None or self.rules.due is None:
            return timedelta(0)
        own = _for_one(self.rules, student, self.rules.due, extension)
        late = lateness(own, student, handed_in)
        if not late.late or self._course is None or not self._course.late_days:
            return late.counted
        every, times = [own], {own.assignment: handed_in}
        for row in self._others.get(student, ()):
            if (when := aware(row.timestamp)) is not None:
                rules = self._course.of(row.assignment)
                every.append(_for_one(rules, student, rules.due or aware(row.due), row.extension))
                times[row.assignment] = when
        return settle(every, self._course.late_days, student, times)[own.assignment].counted

    def penalty(self, student: str, points: float, late: timedelta, plugin: BasePlugin) -> float | None:
        """Return what the rules, or else nbgrader's plug-in, take off points for lateness, never more than these."""
        if not late:
            return None
        if self.rules.late_percent:
            return penalty(self.rules, points, late)
        taken = plugin.late_submission_penalty(student, points, late.total_seconds())
        return None if taken is None else min(max(float(taken), 0.0), points)

    @cached_property
    def _others(self) -> dict[str, list[_HandedIn]]:
        """By student, what was handed in for other assignments: it may have used days of the bank."""
        rows = select(
            SubmittedAssignment.student_id,
            AssignmentRow.name,
            AssignmentRow.duedate,
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
        ).join(AssignmentRow, AssignmentRow.id == SubmittedAssignment.assignment_id)
        found = defaultdict(list)
        for student, *values in self._db.execute(rows.where(AssignmentRow.name != self.rules.assignment)):
            found[student].append(_HandedIn(*values))
        return found


def _for_one(rules: Rules, student: str, due: datetime | None, extension: timedelta | None) -> Rules:
    """Return rules with the due time that a student has: an extension of the rules stands above the gradebook's."""
    until = rules.due_for(student)
    if until is None or until == rules.due:
        until = due + extension if due and extension else None
    return replace(rules, due=due, groups={}, extensions={student: until} if until else {})


def enter_penalty(
    gradebook: Gradebook, assignment: str, student: str, notebook: str, rules: CourseRules, plugin: BasePlugin
) -> None:
    """Enter what lateness takes off one notebook that nbgrader itself has graded."""
    deadlines = Deadlines(gradebook, assignment, rules)
    submission = gradebook.find_submission(assignment, student)
    submission.extension = deadlines.extension(student, submission.extension)
    late = deadlines.counted(student, submission.timestamp, submission.extension)
    row = gradebook.find_submission_notebook(notebook, assignment, student)
    row.late_submission_penalty = deadlines.penalty(student, row.score, late, plugin)
    gradebook.db.commit()


def read_due(db_url: str, course_id: str, assignment: str) -> Due:
    """Return when an assignment is due for whom, as the gradebook says."""
    extended = (
        select(SubmittedAssignment.student_id, SubmittedAssignment.extension)
        .join(AssignmentRow, AssignmentRow.id == SubmittedAssignment.assignment_id)
        .where(AssignmentRow.name == assignment, SubmittedAssignment.extension.is_not(None))
    )
    with Gradebook(db_url, course_id or "default_course") as gradebook:
        due = aware(gradebook.db.scalar(select(AssignmentRow.duedate).where(AssignmentRow.name == assignment)))
        if due is None:
            return Due()
        return Due(due, {student: due + longer for student, longer in gradebook.db.execute(extended)})


def aware(when: datetime | None) -> datetime | None:
    """Return a time of nbgrader's, which is in UTC without saying so, with its zone."""
    return when.replace(tzinfo=UTC) if when is not None else None
