"""Every hand-in of a download reaches the right folder, once, newest and whole, and nothing else is written."""

import errno
import os
import stat
import zipfile
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import lms_downloads as lms
import pytest
from lms_downloads import CLASS, NAMESAKES, NOON, Person, write_folder, write_zip

from grading.common.names import is_student_id
from grading.errors import GradingError
from grading.intake.class_folder import find_hand_ins
from grading.intake.hand_in import read_hand_in
from grading.lms import collect as collecting
from grading.lms.collect import Collected, CollectLimits, Unplaced, collect
from grading.lms.roster import Roster, name_key, read_roster

PS = "ps1"
ADA, GRACE = CLASS[0], CLASS[20]
ALONE = tuple(person for person in CLASS if person not in NAMESAKES)


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    return tmp_path / "submitted"


def roster_from(tmp_path: Path, content: bytes) -> Roster:
    path = tmp_path / "roster.csv"
    path.write_bytes(content)
    return read_roster(path)


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    return roster_from(tmp_path, lms.roster_csv())


def run(tmp_path: Path, files: Mapping[str, bytes], roster: Roster | None = None, **options: object) -> Collected:
    """Collect files packed as a zip; `when` is their age."""
    when = options.pop("when", NOON)
    path = write_zip(tmp_path / "download.zip", files, when)  # type: ignore[arg-type]
    return collect(path, PS, tmp_path / "submitted", roster, **options)  # type: ignore[arg-type]


def placed_files(submitted: Path) -> dict[str, bytes]:
    """Everything below `submitted/`, by path."""
    return {str(path.relative_to(submitted)): path.read_bytes() for path in submitted.rglob("*") if path.is_file()}


def notebooks(submitted: Path) -> dict[str, bytes]:
    found = {name: read_hand_in(folder, name, f"{PS}.ipynb").notebook for name, folder in find_hand_ins(submitted, PS)}
    return {name: content for name, content in found.items() if content is not None}


def expected(people: tuple[Person, ...] = CLASS) -> dict[str, bytes]:
    return {person.id: person.notebook for person in people}


def reasons(left: list[Unplaced]) -> str:
    return "\n".join(f"{item.name}: {item.reason}" for item in left)


# ---------------------------------------------------------------- a class of 30, from every LMS


DOWNLOADS = {
    "moodle": lms.moodle(),
    "moodle, flat": lms.moodle(flat=True),
    "moodle, old": lms.moodle(old=True),
    "canvas": lms.canvas(),
    "blackboard": lms.blackboard(),
    "blackboard, no receipts": lms.blackboard(receipts=False),
    "google": lms.google(),
    "plain": lms.plain(),
}
LOGINS = ("blackboard", "plain")


@pytest.mark.parametrize("download", DOWNLOADS)
@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_class_is_placed_by_names_or_logins_and_namesakes_never_guessed(
    tmp_path: Path, submitted: Path, roster: Roster, download: str, packed: bool
) -> None:
    write = write_zip if packed else write_folder
    collected = collect(write(tmp_path / "download", DOWNLOADS[download]), PS, submitted, roster)
    assert collected.kind == download.partition(",")[0]
    people = CLASS if collected.kind in LOGINS else ALONE
    assert notebooks(submitted) == expected(people)
    assert len(collected.placed) == len(people)
    assert len(collected.unplaced) == 30 - len(people)
    assert all("2 students (s014, s015)" in left.reason for left in collected.unplaced)


@pytest.mark.parametrize("flat", [True, False])
def test_moodles_worksheet_tells_namesakes_apart_by_number(tmp_path: Path, submitted: Path, flat: bool) -> None:
    roster = roster_from(tmp_path, lms.moodle_worksheet())
    collected = run(tmp_path, lms.moodle(flat), roster, timezone=ZoneInfo("Europe/Rome"))
    assert notebooks(submitted) == {person.email: person.notebook for person in CLASS}
    assert {placed.time for placed in collected.placed} == {"2026-11-20 13:03:00 UTC"}
    assert (submitted / ADA.email / PS / "timestamp.txt").read_text() == "2026-11-20 13:03:00 UTC\n"
    assert "Europe/Rome" in " ".join(collected.notes)


def test_canvass_gradebook_tells_namesakes_apart_by_id(tmp_path: Path, submitted: Path) -> None:
    collected = run(tmp_path, lms.canvas(), roster_from(tmp_path, lms.canvas_gradebook()))
    assert notebooks(submitted) == {person.username: person.notebook for person in CLASS}
    assert not list(submitted.rglob("timestamp.txt"))
    assert "LATE" in " ".join(collected.notes)
    assert "no timestamp.txt" in " ".join(collected.notes)


@pytest.mark.parametrize("download", ["moodle", "moodle, flat", "canvas", "blackboard", "google", "plain"])
def test_without_a_roster_every_student_gets_an_id_that_can_be_a_folder(
    tmp_path: Path, submitted: Path, download: str
) -> None:
    collected = run(tmp_path, DOWNLOADS[download])
    people = ALONE if download == "google" else CLASS
    assert len(collected.placed) >= len(people)
    assert {*expected(people).values()} <= {*notebooks(submitted).values()}
    assert all(is_student_id(placed.student) for placed in collected.placed)


def test_ids_without_a_roster_come_from_the_names_of_files(tmp_path: Path, submitted: Path) -> None:
    run(tmp_path, lms.moodle(people=(ADA, CLASS[9])))
    assert sorted(notebooks(submitted)) == ["Ada-Lovelace-123401", "Sinéad-OConnor-123410"]
    run(tmp_path, lms.canvas((ADA,)))
    assert "lovelaceada-4701" in notebooks(submitted)
    run(tmp_path, lms.blackboard((ADA, GRACE)))
    assert {"u_001", "u_021"} <= notebooks(submitted).keys()


def test_contradicting_id_is_stronger_than_a_name(tmp_path: Path, submitted: Path) -> None:
    roster = roster_from(tmp_path, lms.canvas_gradebook())
    name = next(iter(lms.canvas((ADA,)))).replace(ADA.canvas, "9999")
    collected = run(tmp_path, {name: b"another Ada"}, roster)
    assert not collected.placed
    assert "another id" in reasons(collected.unplaced)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Núñez, José", "jose NUNEZ"),
        ("Łukasz Żółć", "zolc lukasz"),
        ("Zoe\u0308 Bronte\u0308", "Zoë Brontë"),
        ("Sinéad O'Connor", "sinead oconnor"),
        ("Sinéad O’Connor", "Sinéad O'Connor"),
        ("Straße", "strasse"),
        ("بْن", "بن"),
    ],
)
def test_names_in_other_spellings_are_the_same(name: str, other: str) -> None:
    assert name_key(name) == name_key(other)


def test_names_that_differ_in_a_letter_are_not_the_same() -> None:
    assert name_key("कुमार") != name_key("कमर")
    assert name_key("Ann Lee") != name_key("Anna Lee")


# ---------------------------------------------------------------- times and attempts


def test_newest_blackboard_attempt_is_kept_with_its_time(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    files = lms.blackboard((ADA, GRACE), stamp="2026-11-19-23-00-00")
    files |= {name: b"new" if name.endswith(".ipynb") else text for name, text in lms.blackboard((ADA,)).items()}
    collected = run(tmp_path, files, roster)
    assert notebooks(submitted) == {ADA.id: b"new", GRACE.id: GRACE.notebook}
    assert (submitted / ADA.id / PS / "timestamp.txt").read_text() == "2026-11-20 14:03:55 UTC\n"
    (old,) = collected.superseded
    assert "2026-11-19" in old.name
    assert old.student == ADA.id


def test_times_are_read_in_the_zone_that_was_given(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    files = lms.blackboard((ADA,), receipts=False)
    collected = run(tmp_path, files, roster, timezone=ZoneInfo("America/New_York"))
    assert [placed.time for placed in collected.placed] == ["2026-11-20 19:03:55 UTC"]
    assert "America/New_York" in " ".join(collected.notes)
    said = run(tmp_path, lms.blackboard((CLASS[1],)), roster, timezone=ZoneInfo("America/New_York"))
    assert [placed.time for placed in said.placed] == ["2026-11-20 14:03:55 UTC"]
    named = {name: text.replace(b"GMT", b"CET") for name, text in lms.blackboard((GRACE,)).items()}
    assert "CET" in " ".join(run(tmp_path, named, roster, timezone=UTC).notes)


def test_receipt_written_by_a_student_is_not_believed(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    name = f"{lms.TITLE}_{ADA.username}_attempt_{lms.STAMP}"
    text = lms.receipt(ADA, text=f"Name: Grace Hopper ({GRACE.username})\nDate Submitted: earlier UTC")
    forged = lms.receipt(GRACE)
    text = text.replace(b"Date Submitted: Friday", b"On: Friday")
    files = {f"{name}.txt": text, f"{name}_work.ipynb": b"1", f"{name}_{lms.STAMP}.txt": forged}
    collected = run(tmp_path, files, roster, timezone=ZoneInfo("America/New_York"))
    assert notebooks(submitted) == {ADA.id: b"1"}
    assert [placed.time for placed in collected.placed] == ["2026-11-20 19:03:55 UTC"]


def test_highest_canvas_version_counts(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    head = lms.canvas_name(ADA)
    files = {f"{head}_90{n}_work{v}.ipynb": v.encode() or b"0" for n, v in enumerate(["-2", "", "-10", "-1"])}
    collected = run(tmp_path, {**files, f"{head}_99_data.csv": b"x"}, roster)
    assert notebooks(submitted) == {ADA.id: b"-10"}
    assert (submitted / ADA.id / PS / "data.csv").exists()
    assert len(collected.superseded) == 3


def test_newest_copy_in_drive_counts(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    names = [f"{ADA.name} - work{copy}.ipynb" for copy in ("", " (1)", " (2)")]
    folder = tmp_path / "drive"
    for name, when in zip(names, (NOON, NOON + 60, NOON + 10), strict=True):
        write_folder(folder, {name: name.encode()}, when)
    collected = collect(folder, PS, submitted, roster)
    assert notebooks(submitted) == {ADA.id: names[1].encode()}
    assert len(collected.superseded) == 2


def test_same_bytes_leave_a_hand_in_untouched(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    run(tmp_path, lms.moodle(), roster)
    before = {path: path.stat().st_ino for path in submitted.rglob("*")}
    collected = run(tmp_path, lms.moodle(), roster, when=NOON + 3600)
    assert not collected.placed
    assert len(collected.unchanged) == 28
    assert {path: path.stat().st_ino for path in submitted.rglob("*")} == before


def test_earlier_hand_in_is_replaced_by_a_newer_one_only(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    name = next(iter(lms.moodle(people=(ADA,))))
    run(tmp_path, {name: b"old", name.replace("work", "extra"): b"old"}, roster)
    assert run(tmp_path, {name: b"new"}, roster, when=NOON + 60).placed
    assert placed_files(submitted) == {f"{ADA.id}/{PS}/work.ipynb": b"new"}
    collected = run(tmp_path, {name: b"old"}, roster)
    assert not collected.placed
    assert "not older" in reasons(collected.superseded)
    assert placed_files(submitted) == {f"{ADA.id}/{PS}/work.ipynb": b"new"}


def test_lms_time_decides_before_the_time_of_a_file(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    newer = dict.fromkeys(lms.blackboard((ADA,), receipts=False), b"newer")
    run(tmp_path, newer, roster)
    os.utime(submitted / ADA.id / PS / "work.ipynb", (0, 0))
    older = {name.replace("11-20", "11-18"): b"older" for name in newer}
    assert not run(tmp_path, older, roster, when=NOON + 9999).placed
    assert notebooks(submitted) == {ADA.id: b"newer"}


def test_time_is_added_when_it_becomes_known(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    worksheet = roster_from(tmp_path, lms.moodle_worksheet())
    run(tmp_path, {f"{ADA.email}/work.ipynb": ADA.notebook}, worksheet)
    stamp = submitted / ADA.email / PS / "timestamp.txt"
    assert not stamp.exists()
    assert len(run(tmp_path, lms.moodle(people=(ADA,)), worksheet).unchanged) == 1
    assert stamp.exists()


def test_time_stamp_handed_in_by_a_student_is_ignored(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    name = next(iter(lms.moodle(people=(ADA,))))
    early = {name: b"1", name.replace("work.ipynb", "timestamp.txt"): b"2000-01-01 00:00:00 UTC"}
    collected = run(tmp_path, early, roster)
    assert placed_files(submitted) == {f"{ADA.id}/{PS}/work.ipynb": b"1"}
    assert "does not say the time" in reasons(collected.unplaced)
    collected = run(tmp_path, {f"{GRACE.id}/work.ipynb": b"1", f"{GRACE.id}/timestamp.txt": b"2000-01-01"}, roster)
    assert not (submitted / GRACE.id / PS / "timestamp.txt").exists()


# ---------------------------------------------------------------- shapes


def test_folder_around_all_is_seen_through(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    wrapped = {f"Submissions (1)/{name}": content for name, content in lms.plain().items()}
    assert len(run(tmp_path, wrapped, roster).placed) == 30
    one = {f"Submissions/{name}": content for name, content in lms.plain((ADA,)).items()}
    assert len(run(tmp_path, one, roster).unchanged) == 1


def test_download_of_one_student_is_a_student(tmp_path: Path, submitted: Path) -> None:
    run(tmp_path, {"alice/work.ipynb": b"1", "alice/data/x.csv": b"2"})
    assert placed_files(submitted) == {f"alice/{PS}/work.ipynb": b"1", f"alice/{PS}/data/x.csv": b"2"}


def test_nbgraders_own_layout_is_understood(tmp_path: Path, submitted: Path) -> None:
    files = {
        f"alice/{PS}/work.ipynb": b"1",
        f"alice/{PS}/timestamp.txt": b"2026-11-20 15:00:00.5 Europe/Rome\n",
        "alice/ps2/other.ipynb": b"2",
        "bob.ipynb": b"3",
    }
    collected = run(tmp_path, files)
    assert notebooks(submitted) == {"alice": b"1", "bob": b"3"}
    assert (submitted / "alice" / PS / "timestamp.txt").read_text() == "2026-11-20 14:00:00 UTC\n"
    assert "ps2/other.ipynb: It lies beside" in reasons(collected.unplaced)


def test_files_that_do_not_name_their_owner_are_left(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    files = {f"{PS}.ipynb": b"1", f"{PS} (1).ipynb": b"2", f"{PS}(2).ipynb": b"3", "alice (1).ipynb": b"4"}
    assert len(run(tmp_path, files).unplaced) == 4
    assert len(run(tmp_path, {**files, **lms.plain()}, roster).unplaced) == 4
    assert len(notebooks(submitted)) == 30


def test_strange_names_are_listed_with_the_reason(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    extra = {"grades.xlsx": b"", "Tom Stranger_77_assignsubmission_file/work.ipynb": b"1", ".DS_Store": b""}
    collected = run(tmp_path, lms.moodle(people=ALONE) | extra, roster)
    said = reasons(collected.unplaced)
    assert "grades.xlsx: This is not a name that Moodle gives" in said
    assert "Nobody in roster.csv is called Tom Stranger / number 77" in said
    assert len(collected.unplaced) == 2
    assert "1 hidden files" in " ".join(collected.notes)


def test_attempt_without_files_is_listed(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    files = {name: text for name, text in lms.blackboard((ADA, GRACE)).items() if "u_021" not in name or "txt" in name}
    collected = run(tmp_path, files, roster)
    assert "without files" in reasons(collected.unplaced)
    assert notebooks(submitted) == {ADA.id: ADA.notebook}


def test_archives_and_folders_are_placed_as_handed_in(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    top = next(iter(lms.moodle(people=(ADA,)))).partition("/")[0]
    run(tmp_path, {f"{top}/a/b.zip": b"PK", f"{top}/a/data/x.csv": b"1"}, roster)
    assert placed_files(submitted) == {f"{ADA.id}/{PS}/a/b.zip": b"PK", f"{ADA.id}/{PS}/a/data/x.csv": b"1"}


def test_utf8_names_are_read_where_the_zip_does_not_say_utf8(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    path = write_zip(tmp_path / "x.zip", lms.moodle(people=ALONE))
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        start = -1
        while (start := content.find(mark, start + 1)) >= 0:
            content[start + at] &= 0xF7
    path.write_bytes(content)
    assert len(collect(path, PS, submitted, roster).placed) == 28


# ---------------------------------------------------------------- hostile downloads


def add(archive: zipfile.ZipFile, name: str, content: bytes = b"x", mode: int = 0) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    archive.writestr(info, content)


@pytest.mark.parametrize(
    "name", ["../evil.ipynb", "/evil.ipynb", "C:/evil.ipynb", "s001/../../evil.ipynb", "s001\\..\\..\\evil.ipynb"]
)
def test_nothing_leaves_the_target(tmp_path: Path, submitted: Path, roster: Roster, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        add(archive, name)
        add(archive, "s002/work.ipynb")
        add(archive, "s003/link.ipynb", b"/etc/passwd", stat.S_IFLNK | 0o777)
    collected = collect(tmp_path / "x.zip", PS, submitted, roster)
    assert placed_files(submitted) == {f"s002/{PS}/work.ipynb": b"x"}
    assert "leads out" in reasons(collected.unplaced)
    assert "a link" in reasons(collected.unplaced)
    assert not list(tmp_path.rglob("evil*"))


def test_links_in_a_folder_are_never_followed(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    folder = write_folder(tmp_path / "in", lms.plain((ADA,)))
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.ipynb").write_text("secret")
    (folder / "s002").symlink_to(tmp_path / "secret")
    (folder / "s003.ipynb").symlink_to(tmp_path / "secret" / "key.ipynb")
    os.mkfifo(folder / "s004.ipynb")
    collected = collect(folder, PS, submitted, roster)
    assert placed_files(submitted) == {f"{ADA.id}/{PS}/work.ipynb": ADA.notebook}
    assert len(collected.unplaced) == 3
    assert reasons(collected.unplaced).count("It is a link, which is never followed.") == 2


def test_link_under_submitted_is_never_written_through(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    submitted.mkdir()
    (submitted / ADA.id).symlink_to(outside)
    assert "holds a link" in reasons(run(tmp_path, lms.plain((ADA,)), roster).unplaced)
    assert not list(outside.iterdir())


def test_bomb_is_listed_and_the_others_are_placed(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    files = {"s001/work.ipynb": b"0" * 5_000_000, "s002/work.ipynb": b"1"} | {f"s003/{n}.ipynb": b"" for n in range(20)}
    collected = run(tmp_path, files, roster, limits=CollectLimits(submission_bytes=1_000_000, submission_files=10))
    assert notebooks(submitted) == {"s002": b"1"}
    assert "larger than" in reasons(collected.unplaced)
    assert "more than 10 files" in reasons(collected.unplaced)
    collected = run(tmp_path, {f"s0{n}/work.ipynb": b"0" * 400 for n in range(10, 20)}, roster,
                    limits=CollectLimits(total_bytes=1000))  # fmt: skip
    assert len(collected.placed) == 2
    assert len(collected.unplaced) == 8
    with pytest.raises(GradingError, match="more than 5 files"):
        run(tmp_path, files, roster, limits=CollectLimits(total_files=5))


def test_control_characters_and_overrides_are_renamed(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    top = next(iter(lms.moodle(people=(ADA,)))).partition("/")[0]
    collected = run(tmp_path, {f"{top}/wor\u202ek\x1b[2J\n.ipynb": b"1"}, roster)
    assert notebooks(submitted) == {ADA.id: b"1"}
    assert (submitted / ADA.id / PS / "wor_k_[2J_.ipynb").exists()
    assert all(note.isprintable() for note in collected.notes)
    evil = run(tmp_path, {f"{top}/work.ipynb": b"2", "ev\x1bil\u202e.txt": b""}, roster, when=NOON + 9)
    assert all(left.name.isprintable() for left in evil.unplaced)


@pytest.mark.parametrize("student", [".hidden", "..", " alice", "a" * 300, "a\nb", "a\u202eb"])
def test_impossible_id_is_never_a_folder(tmp_path: Path, submitted: Path, student: str) -> None:
    assert not is_student_id(student)
    run(tmp_path, {f"{student}/work.ipynb": b"1", "bob/work.ipynb": b"2", "eve/work.ipynb": b"3"})
    assert student not in [path.name for path in submitted.iterdir()]
    assert all(not read_hand_in(folder, name, "x").refusal for name, folder in find_hand_ins(submitted, PS))


def test_damaged_member_costs_only_itself(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    path = write_zip(tmp_path / "x.zip", {"s001/work.ipynb": b"1" * 900, "s002/work.ipynb": os.urandom(900)})
    content = bytearray(path.read_bytes())
    at = content.find(b"s002/work.ipynb") + 200
    content[at] ^= 0xFF
    path.write_bytes(content)
    collected = collect(path, PS, submitted, roster)
    assert [placed.student for placed in collected.placed] == ["s001"]
    assert [left.student for left in collected.unplaced] == ["s002"]
    assert not (submitted / "s002" / PS).exists()


def test_broken_or_missing_download_is_explained(tmp_path: Path, submitted: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 half")
    with pytest.raises(GradingError, match=r"broken\.zip is neither a folder nor a whole zip"):
        collect(tmp_path / "broken.zip", PS, submitted)
    with pytest.raises(GradingError, match="is not there"):
        collect(tmp_path / "none.zip", PS, submitted)
    with pytest.raises(GradingError, match="no kind of download"):
        collect(tmp_path, PS, submitted, kind="ilias")


# ---------------------------------------------------------------- interruptions


@pytest.mark.parametrize("calls", range(4))
def test_interruption_leaves_nothing_half_written_or_lost(
    tmp_path: Path, submitted: Path, roster: Roster, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """Killed before each step that changes a name: the old hand-in or the new one, whole, after the next run."""
    top = next(iter(lms.moodle(people=(ADA,)))).partition("/")[0]
    old = {f"{top}/work.ipynb": b"old", f"{top}/x.csv": b"old"}
    new = {f"{top}/work.ipynb": b"new", f"{top}/x.csv": b"new"}
    run(tmp_path, old, roster)
    left = calls

    def killed(*_: object, **__: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    real_rename, real_fsync = Path.rename, os.fsync
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda path, to: (killed(), real_rename(path, to))[1])
        patch.setattr(os, "fsync", lambda number: (killed(), real_fsync(number))[1])
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, new, roster, when=NOON + 60)
    there = {name: content for name, content in placed_files(submitted).items() if collecting.STAGING not in name}
    assert there in ({}, {f"{ADA.id}/{PS}/work.ipynb": b"old", f"{ADA.id}/{PS}/x.csv": b"old"})
    run(tmp_path, {}, roster)
    assert placed_files(submitted) == {f"{ADA.id}/{PS}/work.ipynb": b"old", f"{ADA.id}/{PS}/x.csv": b"old"}
    run(tmp_path, new, roster, when=NOON + 60)
    assert placed_files(submitted) == {f"{ADA.id}/{PS}/work.ipynb": b"new", f"{ADA.id}/{PS}/x.csv": b"new"}


def test_an_earlier_hand_in_survives_a_failed_rename(
    tmp_path: Path, submitted: Path, roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{ADA.id}/ps1.ipynb"
    run(tmp_path, {name: b"earlier"}, roster)
    rename = Path.rename

    def full_disk(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", full_disk)
        collected = run(tmp_path, {name: b"later"}, roster, when=NOON + 60)
    assert placed_files(submitted) == {f"{ADA.id}/{PS}/ps1.ipynb": b"earlier"}
    assert "No space left on device" in reasons(collected.unplaced)
    assert "the earlier hand-in stayed" in reasons(collected.unplaced)
    assert not collected.placed


def test_earlier_hand_in_that_cannot_be_put_back_is_kept(
    tmp_path: Path, submitted: Path, roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{ADA.id}/ps1.ipynb"
    run(tmp_path, {name: b"earlier"}, roster)
    rename = Path.rename

    def only_away(path: Path, target: Path) -> Path:
        if collecting.STAGING in path.parts:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", only_away)
        with pytest.raises(GradingError, match="collect again"):
            run(tmp_path, {name: b"later"}, roster, when=NOON + 60)
    run(tmp_path, {}, roster)
    assert placed_files(submitted) == {f"{ADA.id}/{PS}/ps1.ipynb": b"earlier"}


def test_second_run_at_the_same_time_is_refused(tmp_path: Path, submitted: Path, roster: Roster) -> None:
    with (
        collecting._staging(submitted),
        pytest.raises(GradingError, match="Another run"),
    ):
        run(tmp_path, lms.plain(), roster)


# ---------------------------------------------------------------- rosters


def read(tmp_path: Path, text: str | bytes) -> Roster:
    return roster_from(tmp_path, text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_and_encodings_are_understood(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = [["STUDENT_ID", "last name", " Given Name ", "E-Mail"], ["s1", '"D;u,p\tont"', "José", "j@x.org"]]
    (student,) = read(tmp_path, "\r\n".join(delimiter.join(row) for row in rows).encode(encoding)).students
    assert (student.id, student.last, student.first, student.email) == ("s1", "D;u,p\tont", "José", "j@x.org")


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("Surname,Colour\nx,red\n", ["roster.csv, line 1", "Surname, Colour", "student id", "username"]),
        ("id,name\na,x\nb,y\na,z\n", ["lines 2 and 4", "'a' is given twice"]),
        ("id,name\na,x\n,y\n", ["line 3", "nothing in the column 'id'"]),
        ("id,name\n../a,x\n", ["line 2", "'../a' cannot be a folder's name"]),
        ("id,name\n.git,x\n", ["line 2", "cannot be a folder's name"]),
        ('id,name\na,"x\n', ["line 2", "not a CSV"]),
        ("", ["is empty"]),
        ("id,name\n", ["no students"]),
        ("id,name\na,José\n".encode("latin-1"), ["line 2", "not UTF-8"]),
    ],
)
def test_mistakes_in_a_roster_are_said_with_file_and_line(
    tmp_path: Path, text: str | bytes, fragments: list[str]
) -> None:
    with pytest.raises(GradingError) as caught:
        read(tmp_path, text)
    assert all(fragment in str(caught.value) for fragment in fragments), caught.value


def test_exports_of_the_lms_are_rosters(tmp_path: Path) -> None:
    worksheet = read(tmp_path, lms.moodle_worksheet())
    assert worksheet.lms == "moodle"
    assert [student.lms_id for student in worksheet.students] == [person.moodle for person in CLASS]
    gradebook = read(tmp_path, lms.canvas_gradebook())
    assert gradebook.lms == "canvas"
    assert [student.name for student in gradebook.students] == [person.sortable for person in CLASS]
    text = '"Last Name","First Name","Username","Student ID","Availability"\n"Lovelace","Ada","u1","","Yes"\n'
    (student,) = read(tmp_path, text).students
    assert (student.id, student.full_name) == ("u1", "Ada Lovelace")
