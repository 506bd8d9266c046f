"""Runs `course` in processes forked from this one, which has imported what they need: that takes seconds each time.

Reads from stdin a line of JSON for each command, {"folder", "arguments", "environment", "stdout", "stderr"}; writes its
exit status. Each command is a process of its own, with its own folder, environment and files.
"""

import importlib
import json
import os
import sys
from typing import Any

from grading.cli import main

NEEDED = (
    *("grading.authoring.classroom", "grading.authoring.planted", "grading.pages.feedback", "grading.pages.grades"),
    *("grading.pages.report", "grading.pipeline.reference", "grading.release.build", "grading.release.twin"),
    "grading.service.invitations",
)
"""What commands import when they need it."""


def serve() -> None:
    """Run one command after the other; return in the process of a command, and here at the end of stdin."""
    for name in NEEDED:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(json.loads(line))
            main()
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def become(asked: dict[str, Any]) -> None:
    """Make this process what it would be if it had been started for a command."""
    for number, path in enumerate((os.devnull, asked["stdout"], asked["stderr"])):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["course", *asked["arguments"]]


if __name__ == "__main__":
    serve()
