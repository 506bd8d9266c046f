"""The right notebook is found in whatever was handed in, and nothing else is opened, followed or unpacked."""

import gzip
import io
import os
import socket
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grading.intake.class_folder import find_hand_ins
from grading.intake.hand_in import HandedNotebook, HandIn, read_hand_in
from grading.options import IntakeLimits

NAME = "ps.ipynb"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A student's folder for the assignment, empty."""
    folder = tmp_path / "submitted" / "alice" / "ps"
    folder.mkdir(parents=True)
    return folder


def read(folder: Path, **limits: int) -> HandIn:
    return read_hand_in(folder, "alice", NAME, IntakeLimits(**limits))


def write(path: Path, content: bytes = b"nb", time: int = 1_000_000_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time, time))


def write_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def write_tar(path: Path, *members: tuple[tarfile.TarInfo, bytes], tar_format: int = tarfile.GNU_FORMAT) -> None:
    with tarfile.open(path, "w:gz", format=tar_format) as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def assert_refused(hand_in: HandIn, *fragments: str) -> None:
    assert hand_in.notebook is None
    assert hand_in.refusal.isprintable()
    assert all(fragment in hand_in.refusal for fragment in fragments), hand_in.refusal


class TestChoiceOfNotebook:
    def test_only_notebook_is_taken_without_a_word(self, folder: Path) -> None:
        write(folder / NAME)
        assert read(folder) == HandIn("alice", {"ps": HandedNotebook(b"nb", NAME)})

    def test_newest_is_taken_whatever_its_name(self, folder: Path) -> None:
        write(folder / NAME, b"old")
        write(folder / "b.ipynb", b"new", 1_000_000_001)
        found = read(folder)
        assert (found.notebook, found.name) == (b"new", "b.ipynb")
        assert any("'b.ipynb' is the newest" in line and "'ps.ipynb' left aside" in line for line in found.repairs)

    def test_right_name_is_taken_among_the_same_age(self, folder: Path) -> None:
        write(folder / "z.ipynb", b"other")
        write(folder / NAME, b"right")
        assert read(folder).notebook == b"right"

    def test_last_by_name_is_taken_otherwise(self, folder: Path) -> None:
        write(folder / "y.ipynb", b"y")
        write(folder / "z.ipynb", b"z")
        assert read(folder).notebook == b"z"

    def test_notebook_at_the_top_is_taken_before_one_in_a_folder(self, folder: Path) -> None:
        write(folder / NAME, b"top")
        write(folder / "old" / NAME, b"deep", 1_000_000_001)
        assert read(folder).notebook == b"top"

    def test_checkpoints_and_old_feedback_are_never_taken(self, folder: Path) -> None:
        for hidden in (".ipynb_checkpoints", "feedback", "__pycache__", ".git"):
            write(folder / hidden / NAME)
        assert_refused(read(folder), "no notebook")

    def test_notebook_of_exactly_the_largest_size_is_taken(self, folder: Path) -> None:
        write(folder / NAME, b"12345")
        assert read(folder, notebook_bytes=5).notebook == b"12345"
        assert_refused(read(folder, notebook_bytes=4), "larger than 4 bytes", "'ps.ipynb'")


class TestOtherFiles:
    def test_other_files_are_listed_by_their_path(self, folder: Path) -> None:
        for name in (NAME, "timestamp.txt", "b/c.py", "a.csv", ".hidden", "__pycache__/c.pyc", "other.ipynb"):
            write(folder / name)
        assert read(folder).extras == {"a.csv": folder / "a.csv", "b/c.py": folder / "b" / "c.py"}

    def test_too_many_are_left_aside_and_so_are_too_large_ones(self, folder: Path) -> None:
        write(folder / NAME)
        for number in range(5):
            write(folder / f"{number}.txt", b"x" * 10 * (number + 1))
        few = read(folder, extras_bytes=60)
        assert list(few.extras) == ["0.txt", "1.txt", "2.txt"]
        assert "'3.txt', '4.txt' left aside" in few.repairs[0]
        none = read(folder, files=4)
        assert none.notebook == b"nb"
        assert not none.extras
        assert "More than 4 files" in none.repairs[0]

    def test_far_too_many_are_refused(self, folder: Path) -> None:
        for number in range(12):
            write(folder / f"{number}.txt")
        assert_refused(read(folder, files=1), "more than 10 files")

    def test_links_and_pipes_are_left_aside(self, folder: Path) -> None:
        write(folder / NAME)
        (folder / "secret.txt").symlink_to("/etc/passwd")
        (folder / "all").symlink_to("/")
        (folder / "timestamp.txt").symlink_to("/etc/passwd")
        os.mkfifo(folder / "pipe")
        found = read(folder)
        assert (found.notebook, dict(found.extras), found.timestamp) == (b"nb", {}, None)
        assert "'all', 'secret.txt', 'timestamp.txt' left aside" in found.repairs[0]
        assert "'pipe' left aside" in found.repairs[1]

    def test_names_that_cannot_be_written_are_left_aside(self, folder: Path) -> None:
        write(folder / NAME)
        write(folder / "a\nb\x1b[31m.txt")
        (Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt"))).write_bytes(b"")
        found = read(folder)
        assert not found.extras
        assert all(line.isprintable() for line in found.repairs)

    def test_the_timestamp_is_one_short_clean_line(self, folder: Path) -> None:
        write(folder / NAME)
        for content, expected in {
            b"2026-08-01 12:00:00 UTC\nmore": "2026-08-01 12:00:00 UTC",
            b"\xef\xbb\xbf\x1b[31m\xff" + b"x" * 500: "\ufffd" + "x" * 99,
            b"": None,
        }.items():
            write(folder / "timestamp.txt", content)
            assert read(folder).timestamp == expected


class TestRefusedFiles:
    def test_link_in_place_of_the_notebook_is_not_opened(self, folder: Path) -> None:
        write(folder / "real.ipynb")
        (folder / NAME).symlink_to("real.ipynb")
        assert_refused(read(folder), "'ps.ipynb' is a link")

    def test_link_under_another_name_is_not_opened(self, folder: Path) -> None:
        (folder / "x.ipynb").symlink_to("/etc/passwd")
        assert_refused(read(folder), "'x.ipynb' is a link")

    def test_linked_folder_of_a_student_is_not_opened(self, tmp_path: Path, folder: Path) -> None:
        write(folder / NAME)
        (tmp_path / "submitted" / "bob").symlink_to(folder.parent)
        found = read_hand_in(tmp_path / "submitted" / "bob" / "ps", "bob", NAME)
        assert_refused(found, "'bob' is a link")

    def test_socket_is_not_opened(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(NAME)
            assert_refused(read(folder), "'ps.ipynb' is not a regular file")

    def test_file_that_turns_into_a_link_or_pipe_is_not_opened(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(folder / NAME)
        real = os.open

        def late(replaced: Callable[[Path], None]) -> Callable[[Path, int], int]:
            def opened(path: Path, flags: int) -> int:
                path.unlink()
                replaced(path)
                return real(path, flags)

            return opened

        for replaced in (os.mkfifo, lambda path: path.symlink_to("/etc/passwd")):
            with monkeypatch.context() as patched:
                patched.setattr("grading.intake.hand_in.os.open", late(replaced))
                assert_refused(read(folder), "'ps.ipynb'")
            (folder / NAME).unlink()
            write(folder / NAME)

    def test_notebook_that_may_not_be_read_is_refused(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(folder / NAME)

        def forbidden(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("grading.intake.hand_in.os.open", forbidden)
        assert_refused(read(folder), "could not be read (Permission denied)")

    def test_file_in_place_of_the_folder_or_nothing_is_refused(self, folder: Path) -> None:
        assert_refused(read_hand_in(folder.parent / "other", "alice", NAME), "could not be read")
        write(folder.parent / "file")
        assert_refused(read_hand_in(folder.parent / "file", "alice", NAME), "not a folder")


class TestArchives:
    def test_notebook_beside_the_archive_comes_first(self, folder: Path) -> None:
        write(folder / NAME, b"beside")
        write_zip(folder / "work.zip", {NAME: b"inside"})
        found = read(folder)
        assert found.notebook == b"beside"
        assert list(found.extras) == ["work.zip"]

    @pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
    def test_tars_of_all_formats_are_read(self, folder: Path, tar_format: int) -> None:
        name = "/".join(["d" * 45] * 3) + "/" + NAME
        data = (member("data.csv"), b"1")
        write_tar(folder / "w.tgz", data, (member(name), b"nb" * 999), tar_format=tar_format)
        found = read(folder)
        assert (found.notebook, found.name) == (b"nb" * 999, f"w.tgz: {name}")
        assert not found.extras
        assert any("'data.csv' left aside" in line for line in found.repairs)

    def test_links_and_ways_out_of_the_archive_are_ignored(self, folder: Path) -> None:
        write_tar(
            folder / "w.tgz",
            (member("../a.ipynb"), b"x"),
            (member("/b.ipynb"), b"x"),
            (member("c.ipynb", tarfile.SYMTYPE, "/etc/passwd"), b""),
            (member("d.ipynb", tarfile.LNKTYPE, "../a.ipynb"), b""),
            (member("e.ipynb", tarfile.FIFOTYPE), b""),
            (member(NAME), b"nb"),
        )
        found = read(folder)
        assert found.notebook == b"nb"
        assert any("'../a.ipynb', '/b.ipynb', 'c.ipynb' and 2 more" in line for line in found.repairs)
        assert sorted(path.name for path in folder.parent.rglob("*")) == ["ps", "w.tgz"]

    def test_a_link_in_a_zip_is_ignored(self, folder: Path) -> None:
        info = zipfile.ZipInfo(NAME)
        info.external_attr = 0o120777 << 16
        with zipfile.ZipFile(folder / "w.zip", "w") as archive:
            archive.writestr(info, "/etc/passwd")
            archive.writestr("C:\\x.ipynb", b"x")
        assert_refused(read(folder), "no notebook in 'w.zip'")

    def test_too_much_in_the_archive_is_refused(self, folder: Path) -> None:
        write_zip(folder / "w.zip", {NAME: b"0" * 2000, "a": b"", "b": b""})
        assert_refused(read(folder, archive_bytes=1999), "unpacks to more than 1999 bytes")
        assert_refused(read(folder, files=2), "more than 2 files")
        assert_refused(read(folder, notebook_bytes=1999), "larger than 1999 bytes")
        (folder / "w.zip").unlink()
        write_tar(folder / "w.tgz", (member(NAME), b"0" * 2000), (member("a"), b""), (member("b"), b""))
        assert_refused(read(folder, archive_bytes=1999), "unpacks to more than 1999 bytes")
        assert_refused(read(folder, files=2), "more than 2 files")
        assert_refused(read(folder, notebook_bytes=1999), "larger than 1999 bytes")

    def test_a_tar_whose_header_lies_is_refused(self, folder: Path) -> None:
        header = member("L", tarfile.GNUTYPE_LONGNAME)
        header.size = 2**62
        (folder / "w.tgz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT)))
        assert_refused(read(folder), "unpacks to more than 200 MiB")
        header.size = 4096
        (folder / "w.tgz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT)))
        assert_refused(read(folder), "damaged")

    def test_a_zip_with_an_endless_table_of_contents_is_refused(self, folder: Path) -> None:
        write_zip(folder / "w.zip", {NAME: b"nb"})
        content = bytearray((folder / "w.zip").read_bytes())
        end = content.rindex(b"PK\x05\x06")
        content[end + 12 : end + 16] = (3 * 2**20).to_bytes(4, "little")
        (folder / "w.zip").write_bytes(b"\0" * 4 * 2**20 + content)
        assert_refused(read(folder), "table of contents")

    def test_archive_with_a_password_or_rare_packing_is_refused(self, folder: Path) -> None:
        write_zip(folder / "w.zip", {NAME: b"nb"})
        content = bytearray((folder / "w.zip").read_bytes())
        content[content.rindex(b"PK\x01\x02") + 8] |= 1
        (folder / "w.zip").write_bytes(content)
        assert_refused(read(folder), "encrypted")
        write_zip(folder / "w.zip", {NAME: b"nb"}, zipfile.ZIP_BZIP2)
        assert_refused(read(folder), "unusual")

    @pytest.mark.parametrize("name", ["w.zip", "w.tgz"])
    def test_damage_anywhere_raises_nothing(self, folder: Path, name: str) -> None:
        path = folder / name
        write_zip(path, {NAME: b"nb" * 50}) if name == "w.zip" else write_tar(path, (member(NAME), b"nb" * 50))
        content = path.read_bytes()
        for position in range(0, len(content), 3):
            path.write_bytes(content[:position] + b"\xff" + content[position + 1 :])
            assert bool(read(folder).refusal) == (read(folder).notebook is None)
            path.write_bytes(content[:position])
            assert read(folder).notebook in (None, b"nb" * 50)


class TestStudents:
    def test_students_with_a_folder_for_the_assignment_come_in_name_order(self, tmp_path: Path) -> None:
        for student in ("zoe", "bob", "a\x1bb", " eve", "x" * 201):
            (tmp_path / student / "ps").mkdir(parents=True)
        (tmp_path / "tom" / "other").mkdir(parents=True)
        (tmp_path / "file").write_text("")
        (tmp_path / "link").symlink_to("zoe")
        found = find_hand_ins(tmp_path, "ps")
        assert [student for student, _ in found] == [" eve", "a\x1bb", "bob", "link", "x" * 201, "zoe"]
        assert found[2][1] == tmp_path / "bob" / "ps"
        refused = {
            student for student, folder in found if "no notebook" not in read_hand_in(folder, student, NAME).refusal
        }
        assert refused == {" eve", "a\x1bb", "link", "x" * 201}

    @pytest.mark.parametrize("student", ["", "..", "a/b", "a ", "a\u202eb", "a\udcff", "a\0"])
    def test_names_that_no_student_has_are_refused(self, folder: Path, student: str) -> None:
        assert_refused(read_hand_in(folder, student, NAME), "impossible name")

    def test_nobody_is_found_before_anything_was_handed_in(self, tmp_path: Path) -> None:
        assert find_hand_ins(tmp_path / "submitted", "ps") == []
