"""The command `course`, as a person runs it, but for the seconds in which it imports what it needs."""

import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

SERVER = Path(__file__).with_name("command_server.py")


def course(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, in a folder."""
    with tempfile.TemporaryDirectory() as kept:
        outputs = {name: str(Path(kept) / name) for name in ("stdout", "stderr")}
        environment = {"PATH": "/usr/bin:/bin"}
        asked = {"folder": str(folder), "arguments": arguments, "environment": environment, **outputs}
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        stdout, stderr = (Path(path).read_text(encoding="utf-8") for path in outputs.values())
    return subprocess.CompletedProcess(["course", *arguments], status, stdout, stderr)


@cache
def _server() -> subprocess.Popen[str]:
    """Start what commands are forked from; it ends with the tests, when its stdin does."""
    return subprocess.Popen([sys.executable, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
