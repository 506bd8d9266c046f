"""Results in the terminal: a table that fits its width with the total first, and reasons that hang below their name."""

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from statistics import fmean

from rich.cells import cell_len, set_cell_size
from rich.markup import escape

from grading.cli import terminal
from grading.cli.terminal import console
from grading.common.text import short_list
from grading.pages.causes import causes, without_arrays
from grading.records.record import GRADED, PERSON, QuestionRecord, Record
from grading.records.results import result_of

_MOST_OF_A_NAME = 24
_USUAL = "test_"
_NARROW = 40
"""Columns below which nothing is fitted any more."""


def print_table(title: str, records: Sequence[Record], names: Mapping[str, str] | None = None) -> None:
    """Print points by submission and question, total first, and what the class reached.

    Plain lines, since classes are large and lines can be searched; `names` are by student's id.
    """
    lines = table_lines(records, names or {}, max(console.width, _NARROW))
    console.out(f"\n{title}\n{lines[0]}", style="bold", highlight=False)
    console.out("\n".join(lines[1:]), highlight=False)
    for line in (*legend(records, names or {}, max(console.width, _NARROW)), *in_sum(records)):
        console.out(line, highlight=False)


def table_lines(records: Sequence[Record], names: Mapping[str, str], width: int) -> list[str]:
    """Return the lines of the table, the first with the heads: questions have numbers where their names do not fit."""
    short = _table(records, names, [str(number) for number, _ in enumerate(_questions(records), start=1)])
    full = _table(records, names, _heads(_questions(records)))
    fits = max(map(cell_len, full), default=0) <= width
    return full if fits else [line.rstrip() if cell_len(line) > width else line for line in short]


def legend(records: Sequence[Record], names: Mapping[str, str], width: int) -> list[str]:
    """Return the lines that say what the numbers in the heads stand for; none where names stand there."""
    questions = _questions(records)
    lines = table_lines(records, names, width)
    if not questions or lines == _table(records, names, _heads(questions)):
        return []
    words = ", ".join(f"{number} {name}" for number, name in enumerate(questions, start=1))
    return textwrap.wrap(words, width, subsequent_indent="  ", break_on_hyphens=False)


def _table(records: Sequence[Record], names: Mapping[str, str], heads: Sequence[str]) -> list[str]:
    questions = _questions(records)
    rows = [["submission", *(["name"] if names else []), "points", *heads]]
    for record in records:
        total = f"{record.points:g}/{record.max_points:g}" if record.status == GRADED else record.status
        total += f", {len(record.waiting)} wait" if record.waiting else ""
        known = [_cut(names.get(record.student, "–"))] if names else []
        rows.append([record.student, *known, total, *(_points(record.questions.get(name)) for name in questions)])
    return terminal.plain_table(rows, to_the_left=2 if names else 1)


def _questions(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record.questions))


def _heads(questions: Sequence[str]) -> list[str]:
    """Return the names of the questions, without the word that usually all begin with."""
    same = len(questions) > 1 and all(name.startswith(_USUAL) for name in questions)
    return [(name.removeprefix(_USUAL) if same else name).replace("_", " ") for name in questions]


def _cut(name: str) -> str:
    """Cut a name; one that is written from right to left is set apart, or it would carry the figures with it."""
    short = name if cell_len(name) <= _MOST_OF_A_NAME else set_cell_size(name, _MOST_OF_A_NAME - 1).rstrip() + "…"
    from_right = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    return f"\u2068{short}\u2069" if from_right else short


def _points(question: QuestionRecord | None) -> str:
    if question is None:
        return "-"
    return "waits" if question.waits else f"{question.points:g}"


def in_sum(records: Sequence[Record]) -> list[str]:
    """Say in a line what the class reached: mean and share, who has all and who has nothing."""
    graded = [record for record in records if record.status == GRADED and record.max_points]
    if not graded:
        return []
    mean, most = fmean(record.points for record in graded), graded[0].max_points
    everything = sum(record.points >= record.max_points for record in graded)
    nothing = sum(record.points <= 0 for record in graded)
    return [
        f"mean {mean:.1f} of {most:g} ({mean / most:.0%}); all points: {everything} of {len(graded)}, none: {nothing}"
    ]


def print_reasons(records: Sequence[Record], names: Mapping[str, str] | None = None) -> None:
    """Print why points were lost: a line with who it is, and below it the reasons, indented."""
    for record in records:
        lost = [record.why] if record.why else reasons_lost(record.questions)
        if not lost:
            continue
        name = (names or {}).get(record.student, record.student)
        console.print(f"[bold]{escape(who(record.student, name))}[/bold]", highlight=False, soft_wrap=True)
        for reason in lost:
            for line in hanging(reason, max(console.width, _NARROW)):
                console.out(line, highlight=False)


def print_causes(records: Sequence[Record], most: int = 8) -> None:
    """Print why the class lost points, by question and cause, the costliest first."""
    found = causes(records, {record.student: result_of(record, None) for record in records})
    every = {name for record in records for name in record.questions}
    for cause in found[:most]:
        where = "all questions" if len(cause.questions) == len(every) > 1 else ", ".join(cause.questions)
        words = f"{cause.lost:g} points, {where}: {cause.what} ({short_list(cause.students)})"
        for line in hanging(words, max(console.width, _NARROW)):
            console.out(line, highlight=False)
    if len(found) > most:
        console.out(f"  and {len(found) - most} more causes, in the report", highlight=False)


def who(student: str, name: str) -> str:
    """Return a student's name with the id, or the id alone."""
    return student if name in ("", student) else f"{name} ({student})"


def hanging(text: str, width: int) -> list[str]:
    """Return a text as indented lines of which the second and later ones stand further in."""
    return textwrap.wrap(
        text, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False, break_long_words=True
    )


def reasons_lost(questions: Mapping[str, QuestionRecord]) -> list[str]:
    """Return the reasons, each once with the questions that it was the reason at."""
    seen: dict[str, list[str]] = {}
    for name, question in questions.items():
        if question.points < question.max_points and question.decided != PERSON:
            seen.setdefault(without_arrays(question.reason) or "no reason was given", []).append(name)
    return [f"{', '.join(names)}: {reason}" for reason, names in seen.items()]
