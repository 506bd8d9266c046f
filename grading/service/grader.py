"""The process that grades what waits, through the same engine as `course grade`; the web process never does.

Several of them execute hand-ins of one assignment side by side; what came of it each writes down alone, while it holds
the assignment's lane. Kernels stay warm from hand-in to hand-in.
"""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from grading.common.files import hash_of, tree_hash, write_atomically
from grading.common.names import REPORTS, ROSTER
from grading.config import CONFIG_FILE, Grading, hand_in_rules, load_config
from grading.errors import CourseError, GradingError, RefusedError, UnavailableError, is_excused
from grading.execution.execute import Pools
from grading.execution.workers import GPU_VARIABLE, WorkerPool
from grading.pages.feedback import FOLDER, write_feedback
from grading.pages.names import names_of
from grading.pipeline.grade import execute, grade
from grading.pipeline.lock import GradedElsewhereError, alone
from grading.pipeline.plan import Plan, plan
from grading.pipeline.reference import with_reference
from grading.pipeline.run import GradingRun, open_course, options_from
from grading.records.gradebook import read_grades
from grading.records.record import FAILED, Record
from grading.records.results import result_of
from grading.rules.attempts import Attempt, counting
from grading.rules.rules import Rules
from grading.service import queue
from grading.service.catalogue import Catalogue
from grading.service.database import Database
from grading.service.lanes import Signs, lane
from grading.service.placing import place
from grading.service.queue import HandIn, Result, utc
from grading.service.settings import Settings
from grading.service.standstill import Pauses

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.2
"""Between two looks into an empty queue."""
BATCH_SECONDS = 2.0
"""Hand-ins are taken together as long as nobody waits longer than this for it."""
MOST_AT_ONCE = 16
LEAST_AT_ONCE = 4
"""Of what takes less than `QUICK_SECONDS`, where so many wait: the gradebook is opened once for all of them."""
QUICK_SECONDS = 5.0
LONG_SECONDS = 20.0
"""What takes longer is not taken by the grader that is kept for what is short."""
NICENESS = 5
"""Pages come before grading where both want a core."""
TELL_EVERY = 0.3
"""Seconds between two notes about how far a hand-in is."""


def page_path(folder: Path, hand_in_id: str) -> Path:
    """Return where the feedback page of a hand-in is kept."""
    return folder / "pages" / f"{hand_in_id}.html"


@dataclass
class _Opened:
    stamp: str
    course: GradingRun


@dataclass(frozen=True)
class _Work:
    """Hand-ins that were taken, and what is to be done with those that could be placed."""

    batch: Sequence[HandIn]
    course: GradingRun
    planned: Plan
    by_student: dict[str, HandIn]


class Grader:
    """Grades what waits. For the `with` statement: kernels end with it.

    One that is kept for what is `short` leaves assignments to others whose hand-ins take long.
    """

    def __init__(self, settings: Settings, database: Database, short: bool = False) -> None:
        self._settings, self._database, self._short = settings, database, short
        self._cache = Grading(config=load_config(settings.course)).cache_folder(settings.course)
        self._opened: dict[str, _Opened] = {}
        self._pauses = Pauses(database)
        self._signs = Signs(settings.folder)
        self._stack = contextlib.ExitStack()
        self._watched: _Watched | None = None

    def __enter__(self) -> "Grader":
        workers = options_from(self._settings.course).workers
        self._name = self._stack.enter_context(self._signs.given())
        self._pool = self._stack.enter_context(WorkerPool(replace(workers, count=1)))
        if not workers.scheduler:
            self._pool.keep_here(Pools(told=self._tell))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def step(self) -> bool:
        """Grade what comes next, if anything waits that may be taken; return whether something was taken."""
        due = [one for one in queue.pending(self._database) if not self._pauses.is_on(one)]
        if not self._has_workers(due):
            return False
        for assignment in due:
            each = queue.takes(self._database, assignment)
            if self._short and (each or 0) > LONG_SECONDS:
                continue
            with lane(self._settings.folder, assignment) as mine:
                if not mine or self._is_graded_elsewhere(assignment):  # only who holds the lane tries that lock
                    continue
                queue.recover(self._database, assignment, self._is_gone)
                batch = queue.claim(self._database, assignment, _most(each), self._name)
                work = self._made_ready(assignment, batch) if batch else None
            if work is not None:
                with self._giving_back(batch):
                    self._do(work)
            if batch:
                return True
        return False

    def get_ready(self, assignment: str) -> bool:
        """Open an assignment before somebody hands it in; return whether that was tried.

        What is wrong with it is said when somebody hands it in.
        """
        with contextlib.suppress(Exception):
            self._pool.check()
            with lane(self._settings.folder, assignment) as mine:
                if not mine or self._is_graded_elsewhere(assignment):
                    return False
                self._course(assignment)
        return True

    def _has_workers(self, due: Sequence[str]) -> bool:
        """Return whether hand-ins could run, if any are due; where they could not, nothing is taken for a while."""
        try:
            if due:
                self._pool.check()
        except UnavailableError as error:
            log.warning("nothing can be graded: %s", error)
            for assignment in due:
                self._pauses.because(assignment, str(error))
            return False
        return True

    def _is_gone(self, grader: str) -> bool:
        """Return whether a grader has ended; what is this one's own was left, since it looks for work."""
        return grader == self._name or self._signs.is_gone(grader)

    def _made_ready(self, assignment: str, batch: Sequence[HandIn]) -> _Work | None:
        try:
            course = self._course(assignment)
        except Exception as error:  # whatever it is: no hand-in was looked at
            log.warning("%s cannot be graded: %s", assignment, error, exc_info=not isinstance(error, CourseError))
            self._pauses.because(assignment, _in_words(error))
            for one in batch:
                queue.leave(self._database, one)
            return None
        with self._giving_back(batch):
            by_student = {one.student: one for one in batch if self._placed(course, one)}
            if by_student:
                course = _only(course, by_student)
                return _Work(batch, course, plan(course), by_student)
        return None

    @contextlib.contextmanager
    def _giving_back(self, batch: Sequence[HandIn]) -> Iterator[None]:
        """Let hand-ins wait again where what is done with them goes wrong."""
        try:
            yield
        except Exception as error:
            log.warning("%s could not be graded: %s", batch[0].assignment, error, exc_info=not _is_excused(error))
            self._give_back(batch, error)

    def _placed(self, course: GradingRun, one: HandIn) -> bool:
        try:
            names = [notebook.file_name for notebook in course.assignment.notebooks]
            place(self._settings.folder, course.submitted, one, names)
        except CourseError as error:
            log.warning("%s", error)
            queue.put_back(self._database, one, str(error))
            return False
        return True

    def _do(self, work: _Work) -> None:
        """Execute what was made ready, beside other graders, and then write down what came of it, alone."""
        began = time.monotonic()
        self._watched = _Watched(self._database, work.planned, work.by_student)
        try:
            planned, failures, excused = execute(work.course, work.planned, self._watched.note)
        finally:
            self._watched = None
        each = (time.monotonic() - began) / len(work.by_student) if work.planned.jobs and not excused else None
        hindered = {
            one.student: failures[run.key] for one in planned.submissions for run in one.runs if run.key in excused
        }
        left = replace(planned, submissions=tuple(one for one in planned.submissions if one.student not in hindered))
        with lane(self._settings.folder, work.batch[0].assignment, wait=True):
            records = self._recorded(work.course, left, failures, hindered)
            done = self._settle(work, [one for one in records if one.student not in hindered], each)
        self._excuse(work, hindered, done)

    def _excuse(self, work: _Work, hindered: Mapping[str, str], done: int) -> None:
        """Let those wait again that could not be graded through no fault of their own; pause if none was graded."""
        for student, why in hindered.items():
            log.warning("%s of %s could not be graded now: %s", student, work.course.assignment.name, why)
            queue.excuse(self._database, work.by_student[student], why)
        if done:
            self._pauses.over(work.course.assignment.name)
        elif hindered:
            self._pauses.because(work.course.assignment.name, next(iter(hindered.values())))

    def _settle(self, work: _Work, records: Sequence[Record], each: float | None) -> int:
        """Keep the pages, and note what was graded; return how many."""
        course, by_student = work.course, work.by_student
        grades = read_grades(course.db_url, course.course_id, course.assignment.name)
        done: list[tuple[HandIn, Result]] = []
        for record in records:
            one = by_student[record.student]
            if record.status == FAILED:
                queue.put_back(self._database, one, record.why)
                continue
            page = (_reports(course) / f"{record.student}.html").read_bytes()
            write_atomically(page_path(self._settings.folder, one.id), page)
            result = result_of(record, grades.get(record.student))
            done.append((one, _result(record, result.points, len(result.waiting), each)))
        self._keep_best(course, done)
        for one, given in done:
            queue.finish(self._database, one, given)
        return len(done)

    def _recorded(
        self, course: GradingRun, planned: Plan, failures: Mapping[str, str], hindered: dict[str, str]
    ) -> list[Record]:
        """Record what was executed and write the pages, as the commands do; while they are at it, wait.

        `hindered` gets those, with the reason, that could not be recorded through no fault of their own.
        """
        noted: set[str] = set()

        def note(event: str, name: str) -> None:
            if event == "hindered":
                noted.add(name)

        while planned.submissions:
            try:
                records = grade(course, planned, note, failed=failures)
            except GradedElsewhereError:
                time.sleep(IDLE_SECONDS)
                continue
            hindered |= {one.student: one.why for one in records if one.student in noted}
            write_feedback(course, records, _reports(course), names=names_of(course.folder))
            return records
        return []

    def _keep_best(self, course: GradingRun, done: Sequence[tuple[HandIn, Result]]) -> None:
        """Where the best attempt counts, put back those that are better than what was graded just now.

        This comes before the hand-ins are noted as graded, so that it is repeated if it is interrupted.
        """
        rules = hand_in_rules(course.folder).of(course.assignment.name)
        better = [found for one, result in done if (found := self._better(rules, one, result)) is not None]
        placed = [one for one in better if self._placed(course, one)]
        if placed:
            course = _only(course, {one.student: one for one in placed})
            again = self._recorded(course, plan(course), {}, {})
            lost = next((record for record in again if record.status == FAILED), None)
            if lost is not None:
                raise GradingError(f"the best attempt of {lost.student} could not be put back: {lost.why}")

    def _better(self, rules: Rules, one: HandIn, result: Result) -> HandIn | None:
        """Return the earlier attempt that counts in the place of one; None if that one does."""
        known = queue.of_student(self._database, one.student, one.assignment)
        earlier = [each for each in known if each.id != one.id and each.times_graded and each.received < one.received]
        attempts = [Attempt(utc(each.received), each.points) for each in earlier]
        index = counting(rules, [*attempts, Attempt(utc(one.received), result.points)])
        return earlier[index] if index is not None and index < len(earlier) else None

    def _give_back(self, batch: Sequence[HandIn], error: Exception) -> None:
        """Let those wait again that were taken and are not settled; it costs them a try if they may be at fault."""
        excused, why = _is_excused(error), _in_words(error)
        if excused:
            self._pauses.because(batch[0].assignment, why)
        else:
            self._pauses.once(batch[0].assignment)
        for one in batch:
            now = queue.find(self._database, one.id)
            if now is not None and now.state is queue.State.running:
                (queue.excuse if excused else queue.put_back)(self._database, now, why)

    def _is_graded_elsewhere(self, assignment: str) -> bool:
        """Return whether `course grade` is at it: who waits goes on waiting."""
        try:
            with alone(self._cache, assignment):
                return False
        except GradedElsewhereError:
            return True

    def _course(self, assignment: str) -> GradingRun:
        """Return the course as it is now; it is opened again when something of it has changed."""
        folder = self._settings.course
        files = [folder / name for name in (CONFIG_FILE, ROSTER)]
        stamp = hash_of(
            [tree_hash(folder / "source" / assignment), *(path.stat().st_mtime_ns for path in files if path.is_file())]
        )
        known = self._opened.get(assignment)
        if known is None or known.stamp != stamp:
            course = replace(open_course(folder, assignment, options_from(folder)), pool=self._pool)
            known = self._opened[assignment] = _Opened(stamp, with_reference(course))
        return known.course

    def _tell(self, done: int, cells: int) -> None:
        if self._watched is not None:
            self._watched.tell(done, cells)


class _Watched:
    """How far the hand-ins of a batch are, told to the database now and then."""

    def __init__(self, database: Database, planned: Plan, by_student: dict[str, HandIn]) -> None:
        self._database = database
        self._of_key = {
            run.key: by_student[submission.student] for submission in planned.submissions for run in submission.runs
        }
        self._runs: HandIn | None = None
        self._told = 0.0

    def note(self, event: str, name: str) -> None:
        if event == "started":
            self._runs = self._of_key.get(name)

    def tell(self, done: int, cells: int) -> None:
        if self._runs is not None and time.monotonic() > self._told + TELL_EVERY:
            self._told = time.monotonic()
            with contextlib.suppress(SQLAlchemyError):  # the run must not fail for want of a note
                queue.progress(self._database, self._runs, done, cells)


def _most(each: float | None) -> int:
    """Return how many hand-ins to take together, if so many wait and `each` takes so many seconds."""
    if each is None:
        return 1
    fitting = int(BATCH_SECONDS / max(each, 0.01))
    return min(MOST_AT_ONCE, max(fitting, LEAST_AT_ONCE if each < QUICK_SECONDS else 1))


def _is_excused(error: Exception) -> bool:
    """Return whether what stopped a whole batch is the course's or the machine's; a hand-in's own stops no others."""
    of_course = isinstance(error, CourseError) and not isinstance(error, RefusedError)
    return of_course or is_excused(error) or isinstance(error, OperationalError)


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"


def _only(course: GradingRun, by_student: Mapping[str, HandIn]) -> GradingRun:
    return replace(course, options=replace(course.options, students=tuple(by_student)))


def _reports(course: GradingRun) -> Path:
    return course.folder / REPORTS / course.assignment.name / FOLDER


def _result(record: Record, points: float, waiting: int, seconds: float | None) -> Result:
    return Result(points, record.max_points, waiting, record.flags, record.why, seconds=seconds)


def run_grader(settings: Settings, parent: int, number: int, sleep: Callable[[float], None] = time.sleep) -> None:
    """Grade until SIGTERM, or until the process that started this one is gone; what runs is finished first.

    `number` tells the graders of a service apart: with GPUs each has the one of its number; else the last of several is
    kept for what is short.
    """
    ended: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        ended.append(number)

    signal.signal(signal.SIGTERM, end)
    # Ctrl-C is for who started us, which tells us. Kernels would inherit SIG_IGN, and could not be interrupted.
    signal.signal(signal.SIGINT, lambda *_: None)
    os.nice(NICENESS)
    workers = options_from(settings.course).workers
    gpu = workers.gpu and not workers.scheduler  # else it is the cluster's
    if gpu:
        os.environ.setdefault(GPU_VARIABLE, str(number))
    short = not gpu and 0 < number == settings.graders - 1
    with Database.open(settings.database) as database, Grader(settings, database, short=short) as grader:
        unopened = Catalogue(settings).names
        while not ended and os.getppid() == parent:
            if grader.step():
                continue
            unopened = [name for name in unopened[:1] if not grader.get_ready(name)] + unopened[1:]
            sleep(0 if unopened else IDLE_SECONDS)
