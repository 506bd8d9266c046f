"""Settings of the service, from `nbgrader_config.py`; what is secret comes from the environment or a file."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from traitlets import Float, Integer, List, Unicode
from traitlets.config import Configurable

from grading.config import Grading, load_config
from grading.errors import GradingError
from grading.execution.workers import gpus
from grading.options import MIB, Workers

DATABASE_VARIABLE = "COURSE_SERVICE_DATABASE"
"""In the environment: the database's address, with its password; `..._FILE` names a file that holds it."""
_LOCAL = "http://127.0.0.1:8000"


class Service(Configurable):
    """Configuration of `course serve`, in `nbgrader_config.py`."""

    url = Unicode(_LOCAL, help="Address at which people reach the service, without a path.").tag(config=True)
    folder = Unicode("service", help="Folder of hand-ins, pages and the database, below the course's.").tag(config=True)
    assignments = List(Unicode(), help="Assignments that are open; all that were released by default.").tag(config=True)
    upload_mib = Float(10, help="Largest notebook that is taken.").tag(config=True)
    hand_ins_an_hour = Integer(30, help="Hand-ins that are taken of one student in an hour.").tag(config=True)
    messages_an_hour = Integer(20, help="Requests that are taken of one student in an hour.").tag(config=True)
    link_days = Float(200, help="Days after which a personal link ends.").tag(config=True)
    session_hours = Float(12, help="Hours after which a browser must open the link again.").tag(config=True)
    graders = Integer(
        0, help="Processes that grade; 0: one for each of c.Grading.workers, and one for what is short."
    ).tag(config=True)
    framed_by = List(Unicode(), help="Origins, such as https://lms.example.org, that may show the pages.").tag(
        config=True
    )


@dataclass(frozen=True)
class Settings:
    """Settings of a service, as plain data."""

    course: Path
    """The course's folder."""
    folder: Path
    """Where hand-ins, pages and the database are kept."""
    database: str
    url: str = _LOCAL
    assignments: tuple[str, ...] = ()
    upload_bytes: int = 10 * MIB
    hand_ins_an_hour: int = 30
    messages_an_hour: int = 20
    link_seconds: float = 200 * 86_400
    session_seconds: float = 12 * 3600
    graders: int = 2
    framed_by: tuple[str, ...] = ()

    @property
    def secure(self) -> bool:
        """Return whether people reach the service by https, so that cookies never travel without it."""
        return self.url.startswith("https://")

    @property
    def origin(self) -> str:
        """Return scheme, host and port, as browsers send them in `Origin`."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def read_settings(course: Path) -> Settings:
    """Read the settings of a course. Raises GradingError for an address that is none."""
    course = course.resolve()
    config = load_config(course)
    given = Service(config=config)
    url = str(given.url).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
        raise GradingError(f"c.Service.url is {url!r}: give the address as https://course.example.org, without a path")
    folder = course / str(given.folder)
    return Settings(
        course=course,
        folder=folder,
        database=_database() or f"sqlite:///{folder / 'service.db'}",
        url=url,
        assignments=tuple(given.assignments),
        upload_bytes=round(given.upload_mib * MIB),
        hand_ins_an_hour=given.hand_ins_an_hour,
        messages_an_hour=given.messages_an_hour,
        link_seconds=given.link_days * 86_400,
        session_seconds=given.session_hours * 3600,
        graders=max(0, given.graders) or graders_for(Grading(config=config).options()["workers"]),
        framed_by=tuple(given.framed_by),
    )


def graders_for(workers: Workers) -> int:
    """Return how many processes grade by default: a GPU here is shared with nobody, a core is with what is short."""
    own_gpus = workers.gpu and not workers.scheduler
    return max(1, min(workers.count, len(gpus()))) if own_gpus else workers.count + 1


def _database() -> str:
    if path := os.environ.get(f"{DATABASE_VARIABLE}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            why = f"{path}, which {DATABASE_VARIABLE}_FILE names, cannot be read: {error.strerror}"
            raise GradingError(why) from error
    return os.environ.get(DATABASE_VARIABLE, "")
