"""Which grades would change if all were graded again: worked out in a process of its own, and kept to be looked at.

The web server starts the process (`python -m grading.service.foresight`) and goes on; pages hear of the result.
"""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Float, String, Table, Text, delete, select, update

from grading.errors import CourseError
from grading.pipeline.foreseen import Foreseen, foresee
from grading.pipeline.run import open_course, options_from
from grading.service.database import Database, changes, metadata

log = logging.getLogger(__name__)

LONGEST_SECONDS = 900.0
"""What takes longer is ended: nobody waits for it any more."""
NICENESS = 10
"""Hand-ins come first."""

foresights = Table(
    "foresights",
    metadata,
    Column("assignment", String, primary_key=True),
    Column("asked", Float, nullable=False),
    Column("finished", Float),
    Column("found", Text, nullable=False, default="[]"),
    Column("error", Text, nullable=False, default=""),
)


@dataclass(frozen=True)
class Foresight:
    """An answer, or that it is being worked out."""

    asked: float
    finished: float | None
    found: Sequence[Foreseen]
    error: str = ""

    @property
    def running(self) -> bool:
        """Return whether it is being worked out; what has taken too long was left by a server that ended."""
        return self.finished is None and time.time() < self.asked + LONGEST_SECONDS

    @property
    def changed(self) -> list[Foreseen]:
        """Return those whose grade would change, the largest change first."""
        return sorted((one for one in self.found if one.changes), key=lambda one: (-abs(one.change), one.student))


class Foresights:
    """Works out what would change, one assignment at a time."""

    def __init__(self, database: Database, course: Path) -> None:
        self._database, self._course = database, course
        self._one = threading.Lock()

    def last(self, assignment: str) -> Foresight | None:
        """Return the last answer about an assignment; None if nobody has asked."""
        with self._database.reading() as connection:
            row = connection.execute(select(foresights).where(foresights.c.assignment == assignment)).one_or_none()
        if row is None:
            return None
        return Foresight(row.asked, row.finished, [Foreseen(**one) for one in json.loads(row.found)], row.error)

    def ask(self, assignment: str) -> None:
        """Begin to work it out, unless that is under way."""
        known, now = self.last(assignment), time.time()
        if known is not None and known.running:
            return
        with self._database.writing() as connection:
            connection.execute(delete(foresights).where(foresights.c.assignment == assignment))
            connection.execute(foresights.insert().values(assignment=assignment, asked=now, found="[]", error=""))
        threading.Thread(target=self._work, args=(assignment, now), daemon=True).start()

    def _work(self, assignment: str, asked: float) -> None:
        command = [sys.executable, "-m", "grading.service.foresight", str(self._course), assignment]
        with self._one:
            try:
                ran = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
                found, error = (ran.stdout, "") if ran.returncode == 0 else ("[]", ran.stderr.strip()[-2000:])
            except (OSError, subprocess.TimeoutExpired) as problem:
                found, error = "[]", f"It took too long, or could not be begun: {type(problem).__name__}."
        if error:
            log.warning("what would change of %s could not be told: %s", assignment, error)
        mine = (foresights.c.assignment == assignment) & (foresights.c.asked == asked)
        told = {"finished": time.time(), "found": found or "[]", "error": error}
        with self._database.writing() as connection:
            connection.execute(update(foresights).where(mine).values(**told))
            connection.execute(changes.insert().values(hand_in="", student="", assignment=assignment, at=time.time()))


def forget_foresights(database: Database, assignment: str) -> None:
    """Forget an answer: what it was about has been done."""
    with database.writing() as connection:
        connection.execute(delete(foresights).where(foresights.c.assignment == assignment))


def main(course: Path, assignment: str) -> int:
    """Print what would change, as JSON; return the exit status."""
    os.nice(NICENESS)
    try:
        found = foresee(open_course(course, assignment, options_from(course)))
    except CourseError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps([one.to_json() for one in found]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2]))
