"""The course's own modules, which lie beside its notebooks, can be imported in the examiner; nobody else's can."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Importer = Callable[[str], Any]
INSIDE = Path(__file__).parents[2] / "grading" / "sandbox" / "inside"


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Importer:
    """Imports a module by name as the examiner does, after its file and its neighbours were overwritten."""
    monkeypatch.syspath_prepend(str(INSIDE))
    from course_examine import CourseModules

    (tmp_path / "tools").mkdir()
    files = {"helper.py": "WHO = 'course'", "tools/sums.py": "WHO = 'course'", "data.csv": "1,2"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    finder = CourseModules(tmp_path, [(tmp_path / name, text.encode()) for name, text in files.items()])
    for name in ("helper.py", "tools/sums.py", "tools/__init__.py", "own.py"):
        (tmp_path / name).write_text("raise SystemExit('student')")

    def by_name(name: str) -> ModuleType | None:
        spec = finder.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return by_name


def test_a_module_is_what_it_was_before_the_submission(imported: Importer) -> None:
    assert imported("helper").WHO == "course"
    assert imported("tools").__path__ == []
    assert imported("tools.sums").WHO == "course"


def test_modules_that_a_student_has_written_are_not_found(imported: Importer) -> None:
    assert imported("own") is None
    assert imported("data") is None
    assert "helper" not in sys.modules
