"""Where the course lives, and the one configuration file that nbgrader's commands and ours share."""

import glob
import io
import logging
import re
from pathlib import Path
from typing import Any

from traitlets import TraitError, Unicode, validate
from traitlets.config import Config, Configurable
from traitlets.config.loader import PyFileConfigLoader

from grading.errors import ReleaseError

CONFIG_FILE = "nbgrader_config.py"
PUBLIC = "public"
GITHUB = re.compile(r"https://github\.com/(?P<path>[\w.-]+/[\w.-]+?)(?:\.git)?/?")


PLACEHOLDER = "https://github.com/OWNER/REPO"


class Course(Configurable):
    """The course's public home, from which its links are made."""

    url = Unicode(
        PLACEHOLDER,
        help="The course's GitHub repository. OWNER/REPO is a placeholder: set it in nbgrader_config.py.",
    ).tag(config=True)
    branch = Unicode("main", help="The branch that students' links point to.").tag(config=True)

    @validate("url")
    def _valid_url(self, proposal: dict[str, Any]) -> str:
        match = GITHUB.fullmatch(proposal["value"])
        if match is None:
            raise TraitError(f"Course.url must look like https://github.com/OWNER/REPO, not {proposal['value']!r}")
        return f"https://github.com/{match['path']}"

    @property
    def is_placeholder(self) -> bool:
        """Whether nobody has said yet where the course is."""
        return str(self.url) == PLACEHOLDER

    @property
    def repository(self) -> str:
        """`OWNER/REPO`."""
        return str(self.url).removeprefix("https://github.com/")

    def colab_url(self, assignment: str, notebook: str) -> str:
        """Return the address that opens a released notebook on Colab."""
        return (
            f"https://colab.research.google.com/github/{self.repository}/blob/{self.branch}"
            f"/release/{assignment}/{notebook}.ipynb"
        )

    def raw_url(self, path: str) -> str:
        """Return the address of a file's bytes; `path` is relative to the repository."""
        return f"https://raw.githubusercontent.com/{self.repository}/{self.branch}/{path}"


def load_config(course_dir: Path) -> Config:
    """Read the course's nbgrader_config.py, as nbgrader's own commands do."""
    course_dir = Path(course_dir).resolve()
    if not (course_dir / CONFIG_FILE).is_file():
        raise ReleaseError(f"{course_dir} holds no {CONFIG_FILE}, so it is not a course folder")
    return PyFileConfigLoader(CONFIG_FILE, path=str(course_dir)).load_config()


def instructor_names(course_dir: Path) -> list[str]:
    """List what lies beside the masters and is not for students, as globs for `CourseDirectory.ignore`.

    That is everything but notebooks and the folder `public/`: a new file is private until it is moved there.
    """
    entries = (course_dir / "source").glob("*/*")
    return sorted({glob.escape(e.name) for e in entries if e.name != PUBLIC and e.suffix != ".ipynb"})


def quiet_logger() -> tuple[logging.Logger, io.StringIO]:
    """A logger for nbgrader, which says much at all times, and the text it has logged, to show when it fails."""
    lines = io.StringIO()
    logger = logging.Logger("nbgrader", logging.INFO)
    logger.addHandler(logging.StreamHandler(lines))
    return logger, lines
