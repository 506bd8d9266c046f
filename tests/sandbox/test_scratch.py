"""Nothing is left in the temporary folder: not by a run, nor, after the next one, by a run that was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grading.sandbox import scratch
from grading.sandbox.scratch import LOCK, Scratch

ROOT = Path(__file__).parents[2]
RUN = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {tests!r})
from classes import RIGHT, hand_in, quick, tiny_classroom

if __name__ == "__main__":
    classroom = tiny_classroom(Path({folder!r}))
    for number in range(3):
        hand_in(classroom, f"student{{number}}", f"{{RIGHT}}\\n# {{number}}")
    records = classroom.grade(quick(workers={workers}))
    assert [record.status for record in records] == ["graded"] * 3
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_leaves_nothing_in_the_temporary_folder(workers: int, tmp_path: Path, bubblewrap: None) -> None:
    left = tmp_path / "t"
    left.mkdir()
    program = tmp_path / "run.py"
    program.write_text(RUN.format(tests=str(ROOT / "tests"), folder=str(tmp_path / "course"), workers=workers))
    environment = {**os.environ, "TMPDIR": str(left)}
    subprocess.run([sys.executable, str(program)], env=environment, cwd=ROOT, check=True, timeout=300)
    assert [path.name for path in left.iterdir() if path.name.startswith(scratch.PREFIXES)] == []


def test_leftovers_of_a_killed_process_are_removed_by_the_next_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "short_tmp", lambda: str(tmp_path))
    hold = (
        "import sys, time, pathlib\n"
        "from grading.sandbox import scratch\n"
        f"scratch.short_tmp = lambda: {str(tmp_path)!r}\n"
        "print(scratch.Scratch('w-').path, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        (tmp_path / "w-of-somebody-else").mkdir()
        scratch.remove_left.cache_clear()
        own = Scratch("k-")
        in_use = path.is_dir()
        process.send_signal(signal.SIGKILL)
    assert in_use
    scratch.remove_left.cache_clear()
    again = Scratch("k-")
    assert not path.exists()
    assert own.path.is_dir()
    for made in (own, again):
        assert (made.path / LOCK).is_file()
        made.remove()
    assert [found.name for found in tmp_path.iterdir()] == ["w-of-somebody-else"]
