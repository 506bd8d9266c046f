"""The points that stock nbgrader gives to each variant of each master, without this repository's configuration.

They are kept in `stock.json`, each under a hash of what it was made from, since stock takes more than a second for each
hand-in. `PYTHONPATH=tests python -m courses.stock` grades what has changed, with `--all` everything, with names only
those masters.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import nbformat
from courses.masters import Cell, Master, Variant, fill_in, masters
from nbgrader.api import Gradebook

FILE = Path(__file__).with_name("stock.json")
CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'stock'\n"
_PACKAGES = ("nbgrader", "numpy", "pandas", "scipy", "keras", "matplotlib")
_SCRIPTS = Path(sys.executable).parent

Points = Mapping[Cell, float | None]
"""Points by cell; None waits for a person."""


def stock_points(master: Master, variants: Sequence[Variant]) -> dict[str, Points | None]:
    """Let stock nbgrader release a master and grade its variants; None where it gave up.

    Raises RuntimeError, with nbgrader's words, if it cannot release the master.
    """
    with tempfile.TemporaryDirectory(prefix="stock-") as name:
        course = Path(name)
        (course / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
        write_source(master, course / "source" / master.name)
        released = _nbgrader(course, "generate_assignment", master.name)
        if released.returncode:
            raise RuntimeError(f"stock nbgrader does not release {master.name}:\n{released.stderr}")
        students = {f"v{number:03}": variant for number, variant in enumerate(variants)}
        for student, variant in students.items():
            folder = course / "submitted" / student / master.name
            hand_in(course / "release" / master.name, master, variant, folder)
        _nbgrader(course, "autograde", master.name)
        with contextlib.redirect_stderr(io.StringIO()), Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
            return {
                variant.name: _read(gradebook, master, student) if _is_graded(course, master, student) else None
                for student, variant in students.items()
            }


def write_source(master: Master, folder: Path) -> None:
    """Write a master's notebooks and files into its source folder."""
    folder.mkdir(parents=True)
    for name, notebook in master.notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    for path, content in master.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def hand_in(release: Path, master: Master, variant: Variant, folder: Path) -> None:
    """Write a variant as the hand-in of a student who has the release of this folder."""
    folder.mkdir(parents=True)
    for name in master.notebooks:
        if name not in variant.missing:
            released = nbformat.read(release / f"{name}.ipynb", as_version=4)
            nbformat.write(fill_in(released, name, variant), folder / f"{name}.ipynb")
    for path in master.files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes((release / path).read_bytes())


def read_stored() -> dict[str, dict[str, Points | None]]:
    """Read the stored points by master and variant; those that were made from something else are left out."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))["points"] if FILE.is_file() else {}
    found: dict[str, dict[str, Points | None]] = {}
    for name, master in masters().items():
        rows = stored.get(name, {})
        for variant in master.variants():
            key, points = rows.get(variant.name, ("", None))
            if key == master.key(variant):
                found.setdefault(name, {})[variant.name] = _from_json(master, points)
    return found


def outdated() -> list[str]:
    """Name the variants whose stored points are missing, or were made from something else."""
    stored = read_stored()
    return [
        f"{name}: {variant.name}"
        for name, master in masters().items()
        for variant in master.variants()
        if variant.name not in stored.get(name, {})
    ]


def write_stored(points: Mapping[str, Mapping[str, Points | None]]) -> None:
    """Write all points, a variant a line, so that a change can be read."""
    versions = {
        package: version(package) for package in ("nbgrader", "numpy", "pandas", "scipy", "keras", "matplotlib")
    }
    lines = []
    for name, master in masters().items():
        rows = []
        for variant in master.variants():
            if variant.name in points.get(name, {}):
                kept = [master.key(variant), _to_json(master, points[name][variant.name])]
                rows.append(f"    {json.dumps(variant.name)}: {json.dumps(kept)}")
        if rows:
            lines.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(rows) + "\n  }")
    text = f'{{"versions": {json.dumps(versions)}, "points": {{\n' + ",\n".join(lines) + "\n}}\n"
    json.loads(text)
    FILE.write_text(text, encoding="utf-8")


def _nbgrader(course: Path, command: str, assignment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER_", "NBGRADER"))}
    variables = {
        **kept,
        "PATH": f"{_SCRIPTS}{os.pathsep}{os.environ['PATH']}",
        "JUPYTER_CONFIG_DIR": str(course / "no-config"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    argv = [_SCRIPTS / "nbgrader", command, f"--assignment={assignment}"]
    return subprocess.run(argv, cwd=course, env=variables, capture_output=True, text=True, check=False)


def _is_graded(course: Path, master: Master, student: str) -> bool:
    return (course / "autograded" / student / master.name).is_dir()


def _read(gradebook: Gradebook, master: Master, student: str) -> Points:
    submission = gradebook.find_submission(master.name, student)
    return {
        (notebook.name, grade.name): None if grade.auto_score is None else float(grade.auto_score)
        for notebook in submission.notebooks
        for grade in notebook.grades
    }


def _to_json(master: Master, points: Points | None) -> dict[str, float | None] | None:
    if points is None:
        return None
    whole = {cell: int(value) if value is not None and value == int(value) else value for cell, value in points.items()}
    return {master.label(cell): whole[cell] for cell in master.points if cell in whole}


def _from_json(master: Master, points: Mapping[str, float | None] | None) -> Points | None:
    if points is None:
        return None
    return {cell: points[master.label(cell)] for cell in master.points if master.label(cell) in points}


def grade_all(only: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, dict[str, Points | None]]]:
    """Grade these variants of these masters by stock, two masters at a time."""

    def graded(name: str) -> tuple[str, dict[str, Points | None]]:
        master = masters()[name]
        return name, stock_points(master, [v for v in master.variants() if v.name in only[name]])

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(graded, only)


def main() -> None:
    """Grade what has changed."""
    parser = argparse.ArgumentParser(description="Let stock nbgrader grade the masters and keep its points.")
    parser.add_argument("names", nargs="*", help="masters; all, if none are named")
    parser.add_argument("--all", action="store_true", help="also what has not changed")
    options = parser.parse_args()
    points = read_stored()
    wanted = {
        name: [v.name for v in master.variants() if options.all or v.name not in points.get(name, {})]
        for name, master in masters().items()
        if not options.names or name in options.names
    }
    for name, found in grade_all({name: variants for name, variants in wanted.items() if variants}):
        points[name] = {**points.get(name, {}), **found}
        write_stored(points)
        print(f"{name}: {len(found)} variants", flush=True)


if __name__ == "__main__":
    main()
