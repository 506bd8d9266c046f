"""One student in the service's database and folder: all that is there, as plain data, and its removal."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, delete, inspect, select

from grading.lti.tables import answers, scores
from grading.service.audit import at_the_terminal, audit, note_forgotten
from grading.service.content import path_of
from grading.service.database import Database, hand_ins, metadata, standstills
from grading.service.foresight import foresights
from grading.service.grader import page_path
from grading.service.lms import lms_people
from grading.service.packages import is_package

_SECRET = frozenset({"token_hash"})


def in_service(database: Database, student: str) -> dict[str, list[dict[str, Any]]]:
    """Return what each table has about a student, without what stands for a secret; empty if there is nothing."""
    with database.reading() as connection:
        found = {table.name: _rows(connection, table, student) for table in _about_students(connection)}
        if found.get(lms_people.name) and inspect(connection).has_table(scores.name):
            sent = connection.execute(select(scores).where(scores.c.id.in_(_sent(student)))).mappings()
            found[scores.name] = [dict(row) for row in sent]
        if inspect(connection).has_table(audit.name):
            noted = connection.execute(select(audit).where(audit.c.about == student)).mappings()
            found[audit.name] = [{name: value for name, value in row.items() if name != "who"} for row in noted]
    return {name: rows for name, rows in found.items() if rows}


def files_of(folder: Path, tables: Mapping[str, list[dict[str, Any]]]) -> dict[str, Path]:
    """Return the files of a student's hand-ins, by the names that an archive gives them."""
    found = {}
    for row in tables.get(hand_ins.name, ()):
        name = f"service/{row['assignment']}/{row['id']}"
        content = path_of(folder, row["sha256"])
        found[f"{name}.{_ending(content)}"] = content
        found[f"{name}.html"] = page_path(folder, row["id"])
    return {name: path for name, path in found.items() if path.is_file()}


def _ending(path: Path) -> str:
    """Return the ending of a stored hand-in's name."""
    if not path.is_file():
        return "ipynb"
    with path.open("rb") as file:
        return "zip" if is_package(file.read(4)) else "ipynb"


def forget_in_service(database: Database, folder: Path, student: str) -> list[str]:
    """Remove a student from every table, with the files that nobody else handed in; return what, in words.

    The audit log keeps that somebody was forgotten.
    """
    tables = in_service(database, student)
    with database.writing() as connection:
        if scores.name in tables:
            mine_sent = list(connection.scalars(_sent(student)))
            connection.execute(delete(answers).where(answers.c.score.in_(mine_sent)))
            connection.execute(delete(scores).where(scores.c.id.in_(mine_sent)))
        for table in _about_students(connection):
            connection.execute(delete(table).where(_student(table) == student))
        if inspect(connection).has_table(foresights.name):
            connection.execute(delete(foresights))  # they name students, and can be worked out anew
        connection.execute(delete(standstills))  # so may they, in a path say, and the next try notes them anew
        noted = note_forgotten(connection, at_the_terminal(), student, time.time())
        left = set(connection.scalars(select(hand_ins.c.sha256)))
    database.overwrite_removed()
    mine = tables.get(hand_ins.name, ())
    for row in mine:
        page_path(folder, row["id"]).unlink(missing_ok=True)
        if row["sha256"] not in left:
            path_of(folder, row["sha256"]).unlink(missing_ok=True)
    removed = [f"the service: {len(rows)} of {name}" for name, rows in tables.items() if name != audit.name]
    return [*removed, f"the service: the name, from {noted} lines of the audit log"] if noted else removed


def _sent(student: str) -> Select[Any]:
    """Select the ids of scores that were sent, or are to be, to where a student came from."""
    theirs = (lms_people.c.platform == scores.c.platform) & (lms_people.c.user == scores.c.user_id)
    return select(scores.c.id).join(lms_people, theirs).where(lms_people.c.student == student)


def _about_students(connection: Connection) -> list[Table]:
    """Return the tables that are there and have a column for a student."""
    there = set(inspect(connection).get_table_names())
    return [table for table in metadata.sorted_tables if table.name in there and "student" in table.c]


def _student(table: Table) -> Column[Any]:
    return table.c["student"]


def _rows(connection: Connection, table: Table, student: str) -> list[dict[str, Any]]:
    rows = connection.execute(select(table).where(_student(table) == student)).mappings()
    return [{name: value for name, value in row.items() if name not in _SECRET} for row in rows]
