"""Control groups of version 2: which part of them this process may divide, and how it comes to one.

The kernel's rules are played on plain files; where version 2 is mounted and may be divided, the kernel itself is asked.
"""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grading.sandbox.cgroup import ROOT
from grading.sandbox.delegation import LEAF, divide, divisible, is_delegated, own_group, scope_request

MIB = 2**20


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plain files with the two rules: a process is in one group only, and a group that holds any is not divided."""
    root = tmp_path / "cgroup"
    real_write, real_mkdir = Path.write_text, Path.mkdir

    def mkdir(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        real_mkdir(self, mode, parents, exist_ok)
        if self.is_relative_to(root):
            for name in ("cgroup.procs", "cgroup.subtree_control"):
                if not (self / name).exists():
                    real_write(self / name, "")

    def write(self: Path, text: str, **given: str) -> int:
        if not self.is_relative_to(root):
            return real_write(self, text, **given)
        if self.name == "cgroup.procs":
            for file in root.rglob("cgroup.procs"):
                real_write(file, "\n".join(pid for pid in file.read_text().split() if pid != text))
            return real_write(self, f"{self.read_text()}\n{text}")
        if self.name == "cgroup.subtree_control":
            if (self.parent / "cgroup.procs").read_text().split() and self.parent != root:
                raise OSError(errno.EBUSY, "Device or resource busy")
            return real_write(self, text.replace("+", ""))
        return real_write(self, text, **given)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "write_text", write)
    root.mkdir()
    return root


def membership(folder: Path, group: str) -> Path:
    path = folder / "self"
    path.write_text(f"9:name=systemd:/elsewhere\n0::{group}\n")
    return path


def mark_delegated(group: Path) -> None:
    try:
        os.setxattr(group, "user.delegate", b"1")
    except OSError:
        pytest.skip("files here have no extended attributes")


def test_own_group_is_that_of_version_2_beside_groups_of_version_1(root: Path, tmp_path: Path) -> None:
    assert own_group(root, membership(tmp_path, "/a/b")) == root / "a" / "b"
    assert own_group(root, tmp_path / "nothing") == root


def test_a_delegated_group_is_emptied_and_its_children_may_have_limits(root: Path, tmp_path: Path) -> None:
    scope = root / "course.scope"
    scope.mkdir()
    (scope / "cgroup.procs").write_text("17")
    (scope / "cgroup.procs").write_text("18")
    mark_delegated(scope)
    assert divisible(root, membership(tmp_path, "/course.scope")) == scope
    assert (scope / "cgroup.procs").read_text().split() == []
    assert (scope / LEAF / "cgroup.procs").read_text().split() == ["17", "18"]
    assert (scope / "cgroup.subtree_control").read_text() == "memory pids"


def test_whoever_is_started_in_the_leaf_makes_groups_beside_it(root: Path, tmp_path: Path) -> None:
    assert divisible(root, membership(tmp_path, f"/course.scope/{LEAF}")) == root / "course.scope"


def test_the_group_of_an_ordinary_login_is_left_alone(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = root / "session-2.scope"
    session.mkdir()
    (session / "cgroup.procs").write_text("17")
    monkeypatch.setenv("PATH", str(tmp_path))  # no systemd to ask
    assert divisible(root, membership(tmp_path, "/session-2.scope")) is None
    assert (session / "cgroup.procs").read_text().split() == ["17"]
    assert not (session / LEAF).exists()


def test_after_an_ordinary_login_systemd_is_asked_for_a_scope(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "session-2.scope").mkdir()
    (root / "mine.scope").mkdir()
    (root / "mine.scope" / "cgroup.procs").write_text(str(os.getpid()))
    mark_delegated(root / "mine.scope")
    known = membership(tmp_path, "/session-2.scope")
    busctl = tmp_path / "busctl"
    busctl.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho 0::/mine.scope > {known}\n')
    busctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert divisible(root, known) == root / "mine.scope"
    asked = " ".join(scope_request(str(busctl), os.geteuid(), os.getpid())[1:])
    assert (tmp_path / "asked").read_text() == f"{asked}\n"


def test_a_scope_that_systemd_refuses_leaves_the_watcher(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "session-2.scope").mkdir()
    busctl = tmp_path / "busctl"
    busctl.write_text("#!/bin/sh\necho no bus >&2\nexit 1\n")
    busctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert divisible(root, membership(tmp_path, "/session-2.scope")) is None


def test_a_group_that_cannot_be_divided_is_none(root: Path, tmp_path: Path) -> None:
    assert not divide(root / "not-there")


def test_users_ask_their_own_systemd_and_root_the_systems() -> None:
    assert scope_request("busctl", 1000, 7)[1] == "--user"
    assert scope_request("busctl", 0, 7)[1] == "--system"


def test_the_kernel_holds_to_the_limits_of_a_group_of_version_2() -> None:
    """In a process of its own: it is moved."""
    if not (ROOT / "cgroup.controllers").is_file():
        pytest.skip("control groups here are those of version 1")
    program = f"""
import subprocess, sys
from grading.sandbox.cgroup import Cgroup
with Cgroup.create({64 * MIB}, 20) as group:
    if group is None:
        sys.exit("no group")
    eats = "x = bytearray(); [x.extend(bytes({8 * MIB})) for _ in range(40)]"
    ended = subprocess.run(group.enter([sys.executable, "-c", eats])).returncode
    forks = "import os, time; [os.fork() or time.sleep(1) for _ in range(6)]"
    forked = subprocess.run(group.enter([sys.executable, "-c", forks]), capture_output=True, text=True)
    print(ended, group.out_of_memory(), "Resource temporarily unavailable" in forked.stderr, *group.folders)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if done.stderr.strip() == "no group":
        pytest.skip("this user may not divide control groups here, and systemd gives none")
    assert done.stdout.split()[:3] == ["-9", "True", "True"], done.stdout + done.stderr


def test_delegation_is_systemds_mark_or_a_containers_own_root(root: Path) -> None:
    group = root / "some.scope"
    group.mkdir()
    assert not is_delegated(group, root)
    assert is_delegated(group, group)
