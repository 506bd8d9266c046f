"""One grading run: the course's folders, the assignment, and how it is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from grading.config import Grading, course_directory, load_config
from grading.errors import GradingError
from grading.examiner.examination import Site
from grading.execution.store import Store
from grading.execution.workers import WorkerPool
from grading.options import Options
from grading.pipeline.assignment import Assignment, load_assignment
from grading.pipeline.limits import within
from grading.sandbox.bubblewrap import check
from grading.scoring.questions import Context, Question


@dataclass(frozen=True)
class GradingRun:
    """Folders and settings of a grading run."""

    folder: Path
    db_url: str
    course_id: str
    assignment: Assignment
    context: Context
    questions: Sequence[Question]
    options: Options
    """As asked for; its limits are those of the assignment where these are smaller."""
    store: Store
    submitted: Path
    """Where hand-ins lie: nbgrader's `submitted/`."""
    records: Path
    """nbgrader's `autograded/`."""
    believed: Mapping[str, tuple[Site, ...]] | None = field(default_factory=dict)
    """By notebook, the sites at which a test believes an object of the student's (`pipeline.reference`).

    By default there are none. None believes everything and notes where that was needed.
    """

    pool: WorkerPool | None = None
    """Workers that are kept for all jobs of the run; None starts some for each lot of jobs."""

    def questions_of(self, notebook: str) -> list[Question]:
        """Return what is asked in the kernel of a notebook."""
        return [question for question in self.questions if question.notebook == notebook]

    @property
    def cache(self) -> Path:
        """Return the folder of all that can be made again: stored results, views, what is known of hand-ins."""
        return self.store.folder.parent


def options_from(config_folder: Path, **asked: object) -> Options:
    """Return the options of nbgrader_config.py, with those that were asked for laid over."""
    settings = Grading(config=load_config(config_folder))
    given = {name: value for name, value in asked.items() if value is not None}
    return Options(**{**settings.options(), **given})


def open_course(folder: Path, name: str, options: Options, asking: bool = True) -> GradingRun:
    """Load everything that a run needs. Raises GradingError or SandboxError before anything is touched.

    Who only reads what was graded needs neither the questions nor a sandbox: `asking` is False then.
    """
    if asking:
        check(options.isolation)
    folder = folder.resolve()
    assignment = load_assignment(folder, name)
    config = load_config(folder)
    config.CourseDirectory.root = str(folder)
    coursedir = CourseDirectory(config=config)
    context = Context(assignment.source, _existing(options.data), _existing(options.withheld), assignment.max_points)
    return GradingRun(
        folder=folder,
        db_url=str(coursedir.db_url),
        course_id=str(coursedir.course_id),
        assignment=assignment,
        context=context,
        questions=assignment.questions(context) if asking else (),
        options=within(options, assignment.source),
        store=Store(Grading(config=config).cache_folder(folder) / "executed"),
        submitted=(options.submitted or folder / course_directory(config, "submitted")).resolve(),
        records=folder / course_directory(config, "autograded"),
    )


def _existing(folder: Path | None) -> Path | None:
    if folder is not None and not folder.is_dir():
        raise GradingError(f"{folder} is not a folder")
    return folder.resolve() if folder else None
