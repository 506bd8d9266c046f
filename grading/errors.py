"""Errors that people see, all of one base: the message says what is wrong, where, and what to do.

CourseError
  GradingError      grading cannot go on, or an assignment cannot be graded
  ReleaseError      something in a master stops its release
  SandboxError      the sandbox cannot be had on this machine
  RefusedError      one hand-in cannot be graded
"""


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


class SandboxError(CourseError):
    """The sandbox cannot be had on this machine; the message says what to install or change."""


class RefusedError(CourseError):
    """A hand-in cannot be graded; the message is for the student."""
