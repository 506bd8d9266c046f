"""The page of who changed what. Only instructors read it: it says what assistants did, too."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from grading.service import audit
from grading.service.identity import Role
from grading.service.rendering import page
from grading.service.site import Visit
from grading.service.student_pages import about, name_of


def audit_log(found: Visit) -> Response:
    """Show changes, the newest first, of all or about one student."""
    if found.who.role is not Role.instructor:
        raise HTTPException(403, "Who changed what is for the instructor.")
    database, student, before = found.site.database, found.text("student"), found.text("before")
    asked_before = int(before) if before.isascii() and before.isdecimal() and len(before) < 16 else 0
    shown = audit.entries(database, student, before=asked_before)
    return page(
        "audit",
        **about(found),
        entries=[(one, name_of(found, one.who), name_of(found, one.about)) for one in shown],
        students=[(one, name_of(found, one)) for one in audit.students_named(database)],
        student=student,
        asked_before=asked_before,
        before=shown[-1].number if len(shown) == audit.MOST_SHOWN else 0,
    )
