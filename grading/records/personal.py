"""One student in nbgrader's gradebook: all that is there, as plain data, and its removal."""

from collections.abc import Mapping
from typing import Any

from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment

from grading.records.deadlines import aware


def in_gradebook(db_url: str, course_id: str, student: str) -> dict[str, Any] | None:
    """Return what the gradebook knows of a student; None if it does not know the student."""
    with Gradebook(db_url, course_id or "default_course") as gradebook:
        try:
            found = gradebook.find_student(student)
        except MissingEntry:
            return None
        about = {name: getattr(found, name) for name in ("id", "first_name", "last_name", "email")}
        return about | {"submissions": [_submission(one) for one in found.submissions]}


def _submission(submission: SubmittedAssignment) -> Mapping[str, Any]:
    handed_in = aware(submission.timestamp)
    return {
        "assignment": submission.assignment.name,
        "handed_in": handed_in.isoformat() if handed_in else None,
        "extension_seconds": submission.extension.total_seconds() if submission.extension else None,
        "points": submission.score,
        "notebooks": [
            {
                "name": notebook.name,
                "points": notebook.score,
                "late_penalty": notebook.late_submission_penalty,
                "grades": [
                    {"cell": grade.name, "automatic": grade.auto_score, "by_hand": grade.manual_score}
                    | {"extra": grade.extra_credit, "maximum": grade.max_score}
                    for grade in notebook.grades
                ],
                "comments": [
                    {"cell": comment.name, "comment": comment.comment}
                    for comment in notebook.comments
                    if comment.comment
                ],
            }
            for notebook in submission.notebooks
        ],
    }


def forget_in_gradebook(db_url: str, course_id: str, student: str) -> None:
    """Remove a student with all submissions, grades and comments."""
    with Gradebook(db_url, course_id or "default_course") as gradebook:
        gradebook.remove_student(student)
