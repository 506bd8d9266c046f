"""Downloads of a class of 30 as the LMSs make them (sources: `grading.lms.downloads`), and their gradebooks."""

import csv
import io
import os
import re
import time
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TITLE = "Problem set_1"
"""The assignment's name in the LMS, with the `_` that Blackboard puts between its parts."""
NOON = 1_795_176_000
"""2026-11-20 12:00:00 UTC."""
STAMP = "2026-11-20-14-03-55"


@dataclass(frozen=True)
class Person:
    """A student as the LMSs know them."""

    first: str
    last: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()

    @property
    def sortable(self) -> str:
        return f"{self.last}, {self.first}" if self.first else self.last

    @property
    def id(self) -> str:
        return f"s{self.number:03}"

    @property
    def username(self) -> str:
        return f"u_{self.number:03}"

    @property
    def email(self) -> str:
        return f"student{self.number}@example.edu"

    @property
    def moodle(self) -> str:
        return str(123_400 + self.number)

    @property
    def canvas(self) -> str:
        return str(4_700 + self.number)

    @property
    def notebook(self) -> bytes:
        return f'{{"of": "{self.id}"}}'.encode()


_NAMES = """Ada|Lovelace;Jean, Jr.|Dupont;Anna "Ann"|Schmidt;José|Núñez;Zoë|Brontë;Łukasz|Żółć;Søren|Kierkegård
محمد|الخوارزمي;דוד|בן־גוריון;Sinéad|O'Connor;=SUM(A1)|Equals;Mary-Jane|Smith-Jones;|Suharto;Wei|Chen;Wei|Chen
Иван|Петров;小明|王;अनिल|कुमार;Ångström|Müller;van der|Berg;Grace|Hopper;Alan|Turing;Emmy|Noether;Kurt|Gödel
Sofia|Kovalevskaya;Srinivasa|Ramanujan;Hypatia|of Alexandria;Nguyễn|Thị Minh;D'Arcy|Thompson;Ida|Rhodes"""
CLASS = tuple(
    Person(*pair.split("|"), number) for number, pair in enumerate(re.split(r"[;\n]", _NAMES), start=1)
)  # fmt: skip
NAMESAKES = tuple(person for person in CLASS if person.name == "Wei Chen")
assert len(CLASS) == 30
assert len(NAMESAKES) == 2


def write_zip(path: Path, files: Mapping[str, bytes], when: float = NOON) -> Path:
    """A zip with members of one age."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, time.localtime(when)[:6]), content)
    return path


def write_folder(path: Path, files: Mapping[str, bytes], when: float = NOON) -> Path:
    """The same, unpacked."""
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (when, when))
    return path


def moodle_name(person: Person) -> str:
    """As `clean_filename` leaves it."""
    return re.sub(r"[\x00-\x1f&<>\"`|':\\/]", "", person.name.replace("_", " ")) + f"_{person.moodle}"


def moodle(flat: bool = False, old: bool = False, people: Iterable[Person] = CLASS) -> dict[str, bytes]:
    """Moodle's "Download all submissions", in folders or flat; `old` with the `_` of older releases."""
    mark = "_assignsubmission_file" + ("_" if old or flat else "")
    return {f"{moodle_name(person)}{mark}{'' if flat else '/'}work.ipynb": person.notebook for person in people}


def canvas_name(person: Person, late: bool = False) -> str:
    """As Canvas's `get_filename` leaves it."""
    name = "_".join([person.sortable.lower(), *(["LATE"] if late else []), person.canvas])
    kept = [c for c in name if c.isalnum() or c == "_" or re.match(r"[\u0300-\u036f\u0900-\u0963]", c)]
    return "".join(kept)


def canvas(people: Iterable[Person] = CLASS) -> dict[str, bytes]:
    """Canvas's "Download Submissions"; every seventh is late, every fifth handed in again."""
    files = {}
    for person in people:
        version = "-1" if person.number % 5 == 0 else ""
        name = f"{canvas_name(person, person.number % 7 == 0)}_{900_000 + person.number}_work{version}.ipynb"
        files[name] = person.notebook
    return files


def receipt(person: Person, stamp: str = STAMP, text: str = "There is no student submission text.") -> bytes:
    """Blackboard's receipt."""
    written = f"""Name: {person.name} ({person.username})
Assignment: {TITLE}
Date Submitted: Friday, 20 November 2026 14:03:55 o'clock GMT
Current Mark: Needs Marking

Submission Field:
{text}

Comments:
There are no student comments for this assignment.

Files:
\tOriginal filename: work.ipynb
\tFilename: {TITLE}_{person.username}_attempt_{stamp}_work.ipynb
"""
    return written.encode()


def blackboard(people: Iterable[Person] = CLASS, receipts: bool = True, stamp: str = STAMP) -> dict[str, bytes]:
    """Blackboard's "Assignment File Download"."""
    files = {}
    for person in people:
        head = f"{TITLE}_{person.username}_attempt_{stamp}"
        files[f"{head}_work.ipynb"] = person.notebook
        if receipts:
            files[f"{head}.txt"] = receipt(person, stamp)
    return files


def google(people: Iterable[Person] = CLASS) -> dict[str, bytes]:
    """A Classroom folder in Drive: the namesakes' files are told apart by ` (1)` only."""
    files: dict[str, bytes] = {}
    for person in people:
        name = f"{person.name} - Problem set 1"
        files[f"{name} (1).ipynb" if f"{name}.ipynb" in files else f"{name}.ipynb"] = person.notebook
    return {f"Problem set 1/{name}": content for name, content in files.items()}


def plain(people: Iterable[Person] = CLASS) -> dict[str, bytes]:
    """Folders named by the student's id."""
    return {f"{person.id}/work.ipynb": person.notebook for person in people}


def _csv(rows: list[list[str]], bom: bool = False) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return (("\ufeff" if bom else "") + out.getvalue()).encode()


def roster_csv(people: Iterable[Person] = CLASS) -> bytes:
    """A class list of one's own, with all that is known."""
    rows = [["Student ID", "First name", "Surname", "E-mail", "Login", "LMS id"]]
    return _csv([*rows, *([p.id, p.first, p.last, p.email, p.username, ""] for p in people)])


WORKSHEET = [
    "Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade", "Grade can be changed",
    "Last modified (submission)", "Last modified (grade)", "Feedback comments",
]  # fmt: skip


def moodle_worksheet(people: Iterable[Person] = CLASS) -> bytes:
    """Moodle's grading worksheet, with a byte order mark."""
    rows = [WORKSHEET]
    for person in people:
        submitted = "Friday, 20 November 2026, 2:03 PM"
        start = [f"Participant {person.moodle}", person.name, person.email, "Submitted for grading"]
        rows.append([*start, "", "10.00", "Yes", submitted, "-", ""])
    return _csv(rows, bom=True)


GRADEBOOK = [
    "Student",
    "ID",
    "SIS User ID",
    "SIS Login ID",
    "Section",
    "Warm up (88)",
    "Problem set 1 (89)",
    "Final Score",
]


def canvas_gradebook(people: Iterable[Person] = CLASS) -> bytes:
    """Canvas's gradebook export; a name with a leading `=` is wrapped as Canvas does."""
    rows = [
        GRADEBOOK,
        ["", "", "", "", "", "Manual Posting", "", ""],
        ["    Points Possible", "", "", "", "", "5.00", "10.00", "(read only)"],
    ]
    for person in people:
        name = f'="{person.sortable}"' if person.sortable.startswith("=") else person.sortable
        rows.append([name, person.canvas, f"sis{person.number}", person.username, "Lab, A", "4.00", "", "80.00"])
    return _csv(rows)
