"""The grades of a class for an LMS: points from the gradebook, and a comment in words for each student."""

from collections.abc import Iterator

from grading.lms.export import Grade
from grading.lms.roster import Roster
from grading.pages.feedback import read_records
from grading.pipeline.run import GradingRun
from grading.records.gradebook import read_grades
from grading.records.results import QuestionResult, Result, result_of


def grades_of(course: GradingRun, roster: Roster | None = None) -> list[Grade]:
    """Return the grade of each record, named as in the roster; `points` is None where the gradebook has none.

    Raises:
        GradingError: Nothing has been graded yet.
    """
    grades = read_grades(course.db_url, course.course_id, course.assignment.name)
    names = {student.id: student.full_name for student in roster.students} if roster else {}
    found = []
    for record in read_records(course):
        given = grades.get(record.student)
        points = given.points if given else None  # also where grading again has failed: what was given stands
        comment = "\n".join(comment_lines(result_of(record, given)))
        found.append(Grade(record.student, points, course.assignment.total, names.get(record.student, ""), comment))
    return found


def comment_lines(result: Result) -> Iterator[str]:
    """Yield why points were lost and what a person wrote; a person's points stand without the automatic reason."""
    for question in result.questions:
        if question.points < question.max_points or question.by_hand or question.comment or question.waits:
            yield _in_words(question)
    for name, comment in result.comments.items():
        yield f"{name}: {comment}"
    if result.penalty:
        yield f"{result.penalty:g} points were taken off because it was late."


def _in_words(question: QuestionResult) -> str:
    lost = question.points < question.max_points
    reason = "Graded by hand." if question.by_hand else question.reason if lost else ""
    points = f"{question.name}: {question.points:g} of {question.max_points:g}."
    if question.waits:
        points = f"{question.name}: waits for a person." if not question.by_hand else f"{points} It is looked at again."
        reason = ""
    return " ".join(part for part in (points, reason, question.comment) if part)
