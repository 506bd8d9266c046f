"""The course's configuration, for nbgrader's own commands and for ours (grading.config.load_config)."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
if find_spec("grading") is None:  # so that `nbgrader` finds it where the course is not installed
    sys.path.insert(0, str(ROOT))

# nbgrader starts `alembic` by its bare name, which is only found where the environment is activated.
SCRIPTS = str(Path(sys.executable).parent)
if SCRIPTS not in os.environ["PATH"].split(os.pathsep):
    os.environ["PATH"] = SCRIPTS + os.pathsep + os.environ["PATH"]

from grading.config import instructor_names  # noqa: E402
from grading.release.steps import RELEASE_STEPS  # noqa: E402

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# ---- The course -----------------------------------------------------------------------------------------
c.Course.url = "https://github.com/OWNER/REPO"  # a placeholder: where students find the course
c.Course.branch = "main"
c.CourseDirectory.course_id = "detection"
c.CourseDirectory.root = str(ROOT)

# What is beside a master and never for students; of other files `course release` takes those that notebooks need.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    *instructor_names(ROOT),
]

# ---- The release (grading.release.steps) ------------------------------------------------------------------
c.GenerateAssignment.preprocessors = list(RELEASE_STEPS)
c.NoLeaks.strict = True  # a hidden line stops the release even where another cell shows it on purpose
c.ClearSolutions.code_stub = {
    "python": '# YOUR CODE HERE\nraise NotImplementedError("Replace this line with your code")'
}

# ---- Running notebooks ------------------------------------------------------------------------------------
c.ExecutePreprocessor.timeout = 600  # seconds a cell
c.ExecutePreprocessor.iopub_timeout = 30

# ---- Grading (grading.nbgrader_plugins) -------------------------------------------------------------------
c.Autograde.autograde_preprocessors = [
    "grading.nbgrader_plugins.ExecuteSandboxed",
    "grading.nbgrader_plugins.StderrIsNotFailure",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "grading.nbgrader_plugins.LatePenaltiesByRules",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.OverwriteCells.add_missing_cells = True

# How submissions are run, by `course grade` and by `nbgrader autograde` (grading.config.Grading)
# `course grade --help` and `grading/config.py` list all of them; what is not set here has its default from
# `grading/options.py`.
c.Grading.data = ""  # folder with the course data; COURSE_DATA and --data come first
c.Grading.withheld = ""  # folder with data that student code never sees, for assignments that want some
c.Grading.isolation = "bwrap"  # "none" runs student code with your rights
c.Grading.workers = 0  # submissions at a time; 0: one for each core

# ---- Hand-ins (docs/rules.md) -----------------------------------------------------------------------------
c.HandIns.time_zone = "UTC"  # what times below are in
c.HandIns.every = {}  # for all assignments, such as {"grace": "15 minutes", "late_percent": 10}
c.HandIns.rules = {}  # by assignment, such as {"lab1": {"due": "2026-11-30 23:59"}}; without, nothing is ever late
c.HandIns.late_days = 0  # days of lateness that cost nothing, for each student in the course

# ---- Feedback by nbgrader ---------------------------------------------------------------------------------
# Hidden tests stay hidden in the feedback, their traceback too.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "grading.nbgrader_plugins.HideHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.HTMLExporter.sanitize_html = True  # a submission's markdown and outputs may hold scripts
