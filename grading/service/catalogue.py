"""The assignments that are open, and what a student is told about each."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from grading.common.files import hash_of, tree_hash
from grading.common.names import ROSTER
from grading.common.text import clean
from grading.config import CONFIG_FILE, Course, course_directory, hand_in_rules, load_config
from grading.errors import CourseError
from grading.intake.matching import Expected
from grading.pages.names import names_of
from grading.pipeline.assignment import Assignment, load_assignment
from grading.records.deadlines import Due, read_due
from grading.rules.rules import Rules
from grading.service.settings import Settings

_MOST_SAID = 400
_FRESH_SECONDS = 10.0
"""How old rules and due times may be."""


@dataclass(frozen=True)
class Card:
    """Facts about an assignment. `colab` is empty where the course has no public address."""

    name: str
    title: str
    file_name: str
    about: str
    points: float
    colab: str = ""
    notebooks: tuple[Expected, ...] = ()
    """What is handed in."""
    rules: Rules = field(default_factory=Rules)
    dated: Due = field(default_factory=Due)
    """What the gradebook says."""

    @property
    def several(self) -> bool:
        """Return whether it has several notebooks."""
        return len(self.notebooks) > 1

    @property
    def due(self) -> datetime | None:
        """Return when it is due for who has no extension."""
        return self.rules.due or self.dated.for_all

    def due_for(self, student: str) -> datetime | None:
        """Return when it is due for a student: by the rules, else as the gradebook says."""
        return self.rules.due_for(student) or self.dated.of(student)


@dataclass(frozen=True)
class People:
    """A class: names by id, as they are shown, and all ids of the roster in its order."""

    names: Mapping[str, str] = field(default_factory=dict)
    students: tuple[str, ...] = ()

    def name(self, one: str) -> str:
        """Return the name of somebody, or the id where there is none."""
        return self.names.get(one, one)


class Catalogue:
    """The open assignments and the class, read anew when their files change."""

    def __init__(self, settings: Settings, told: Callable[[Rules], None] | None = None) -> None:
        """`told` hears of rules of an assignment that are read for the first time, and when they have changed."""
        self._settings, self._told = settings, told
        self._known: dict[str, tuple[str, Card]] = {}
        self._times: dict[str, tuple[float, Rules, Due]] = {}
        self._rules: dict[str, Rules] = {}
        self._people = "", People()
        self._lock = threading.Lock()
        config = load_config(settings.course)
        self._source = settings.course / course_directory(config, "source")
        self._release = settings.course / course_directory(config, "release")
        self._course = Course(config=config)
        config.CourseDirectory.root = str(settings.course)
        directory = CourseDirectory(config=config)
        self._db_url, self._course_id = str(directory.db_url), str(directory.course_id)

    @property
    def names(self) -> list[str]:
        """Return the names of the assignments that are open: those of the configuration, else all that are released."""
        there = sorted(path.name for path in self._source.iterdir() if path.is_dir())
        chosen = self._settings.assignments
        return [name for name in there if (name in chosen if chosen else (self._release / name).is_dir())]

    def cards(self) -> list[Card]:
        """Return a card for each open assignment."""
        return [card for card in map(self.card, self.names) if card is not None]

    def card(self, name: str) -> Card | None:
        """Return an assignment's card; None if it is not open or cannot be read."""
        if name not in self.names:  # never a path of somebody's making
            return None
        stamp = hash_of(tree_hash(self._source / name))
        with self._lock:
            if self._known.get(name, ("", None))[0] != stamp:
                try:
                    self._known[name] = stamp, self._made(load_assignment(self._settings.course, name))
                except CourseError:
                    return None
            card = self._known[name][1]
            _, rules, dated = self._times_of(name)
            return replace(card, rules=rules, dated=dated)

    def people(self) -> People:
        """Return the class."""
        files = [self._settings.course / name for name in (ROSTER, CONFIG_FILE)]
        stamp = hash_of([[path.stat().st_mtime_ns, path.stat().st_size] for path in files if path.is_file()])
        with self._lock:
            if self._people[0] != stamp:
                shown = names_of(self._settings.course)
                self._people = stamp, People(shown, tuple(names_of(self._settings.course, True)))
            return self._people[1]

    def _made(self, assignment: Assignment) -> Card:
        first = assignment.notebooks[0]
        texts = [str(cell.source) for cell in first.released.cells if cell.cell_type == "markdown"]
        colab = "" if self._course.is_placeholder else self._course.colab_url(assignment.name, first.name)
        notebooks = tuple(Expected(one.name, one.marks) for one in assignment.notebooks)
        about = said_first(texts)
        return Card(assignment.name, assignment.title, first.file_name, about, assignment.total, colab, notebooks)

    def _times_of(self, name: str) -> tuple[float, Rules, Due]:
        """Return the rules of an assignment and when it is due, read just now or shortly ago."""
        known = self._times.get(name)
        if known is None or known[0] < time.monotonic() - _FRESH_SECONDS:
            rules = hand_in_rules(self._settings.course).of(name)
            dated = read_due(self._db_url, self._course_id, name) if self._is_there() else Due()
            if self._told is not None and self._rules.get(name) != rules:
                self._told(rules)
                self._rules[name] = rules
            known = self._times[name] = time.monotonic(), rules, dated
        return known

    def forget_times(self, name: str) -> None:
        """Read rules and due times anew the next time: they were changed just now."""
        self._times.pop(name, None)

    def _is_there(self) -> bool:
        """Return whether there is a gradebook; looking into one makes it."""
        path = self._db_url.removeprefix("sqlite:///")
        return path == self._db_url or Path(path).is_file()


def said_first(texts: list[str]) -> str:
    """Return the first paragraph that is no heading, without markup, for people."""
    for paragraph in re.split(r"\n\s*\n", "\n\n".join(texts)):
        lines = [line for line in paragraph.splitlines() if not re.match(r"\s*(#|!\[|\[!\[|<|\||```)", line)]
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(lines))
        text = clean(re.sub(r"[*_`$]", "", text)).strip()
        if text:
            return text if len(text) <= _MOST_SAID else text[: _MOST_SAID - 1].rsplit(" ", 1)[0] + "…"
    return ""
