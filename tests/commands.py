"""The command `course`, as a person runs it."""

import subprocess
import sys
from pathlib import Path


def course(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("course")), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
