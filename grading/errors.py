"""Errors that people see, all of one base: the message says what is wrong, where, and what to do.

CourseError
  GradingError      grading cannot go on, or an assignment cannot be graded
  ReleaseError      something in a master stops its release
  UnavailableError  something that grading needs is not there just now; no hand-in is at fault
    SandboxError    the sandbox cannot be had on this machine
  RefusedError      one hand-in cannot be graded
"""

import errno

SHORTAGES = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN))
"""Errors of a machine that has run out of something: disk, files, memory, processes."""


class CourseError(Exception):
    """Something that a person can mend; the message is for them."""


class GradingError(CourseError):
    """Grading cannot go on, in words for the instructor."""


class ReleaseError(CourseError):
    """Something in the master stops the release. Each argument is one problem, in words for the author."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class UnavailableError(CourseError):
    """Something that grading needs is not there just now, through no fault of a hand-in: later it may be."""


class SandboxError(UnavailableError):
    """The sandbox cannot be had on this machine; the message says what to install or change."""


class RefusedError(CourseError):
    """A hand-in cannot be graded; the message is for the student."""


def is_excused(error: BaseException) -> bool:
    """Return whether what went wrong is the machine's: nothing that was handed in need have caused it."""
    return isinstance(error, UnavailableError) or (isinstance(error, OSError) and error.errno in SHORTAGES)
