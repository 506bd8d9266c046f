"""Files of this repository that must agree do agree."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

from grading.release.twin import check_in_step

ROOT = Path(__file__).parents[1]
ASSIGNMENTS = sorted(path.name for path in (ROOT / "source").iterdir() if path.is_dir())


def bounds(requirements: list[str]) -> dict[str, str]:
    """Bounds by package, without the first sign: {"numpy": "2.1", "nbgrader": "0.9.6,<0.10"}."""
    matches = [re.fullmatch(r"([\w-]+)>=([\d.]+(?:,<[\d.]+)?)", requirement) for requirement in requirements]
    return {match[1]: match[2] for match in matches if match}


PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_conda_gets_the_same_packages_as_pip() -> None:
    lines = (ROOT / "environment.yml").read_text().splitlines()
    conda = bounds([line.strip().removeprefix("- ") for line in lines])
    assert conda.pop("python") == PYPROJECT["requires-python"].removeprefix(">=")
    assert conda == bounds(PYPROJECT["dependencies"] + PYPROJECT["optional-dependencies"]["dev"])


def test_lock_satisfies_every_lower_bound() -> None:
    locked: dict[str, list[str]] = {}
    for line in (ROOT / "requirements/lock.txt").read_text().splitlines():
        if match := re.match(r"([\w.-]+)==([\w.]+)", line):
            locked.setdefault(match[1], []).append(match[2])
    for name, bound in bounds(PYPROJECT["dependencies"] + PYPROJECT["optional-dependencies"]["dev"]).items():
        assert name in locked, f"{name} is not in the lock"
        for version in locked[name]:
            assert version_tuple(version) >= version_tuple(bound.partition(",")[0]), name


def version_tuple(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def test_colab_has_the_versions_that_helpers_ask_for() -> None:
    constraints = ROOT.parent / "shared/constraints/colab-2026-08.txt"
    if not constraints.is_file():
        pytest.skip("Colab's versions (../shared/constraints) are not here")
    colab = dict(line.split("==") for line in constraints.read_text().splitlines() if "==" in line and line[0] != "#")
    helpers = tomllib.loads((ROOT / "helpers/pyproject.toml").read_text())["project"]["dependencies"]
    for name, bound in bounds(helpers).items():
        if name in colab:
            assert version_tuple(colab[name]) >= version_tuple(bound), name


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_notebook_is_what_its_text_twin_makes(assignment: str) -> None:
    folder = ROOT / "source" / assignment
    check_in_step(folder / f"{assignment}.py", folder / f"{assignment}.ipynb")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_tool_knows_an_assignment_by_name(assignment: str) -> None:
    files = [*ROOT.glob("grading/**/*.py"), *ROOT.glob("helpers/**/*.py"), ROOT / "nbgrader_config.py"]
    assert [path.name for path in files if assignment in path.read_text()] == []


def test_importing_helpers_is_light() -> None:
    code = (
        "import sys, helpers; print([m for m in ('tensorflow', 'keras', 'matplotlib', 'skimage') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"


def test_helpers_are_kept_apart_from_grading() -> None:
    for path in (ROOT / "helpers").glob("*.py"):
        assert not re.search(r"^\s*(from|import) (grading|nbgrader|IPython)", path.read_text(), re.MULTILINE), path


def test_every_public_name_is_there_and_documented() -> None:
    import helpers

    for name in helpers.__all__:
        value = getattr(helpers, name)
        assert not callable(value) or value.__doc__, f"{name} has no docstring"
    with pytest.raises(AttributeError, match="no_such_name"):
        helpers.no_such_name  # noqa: B018


def test_nothing_here_belongs_to_one_machine() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    for name in tracked.stdout.splitlines():
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        assert str(ROOT).encode() not in content, name


def test_notebooks_have_no_outputs() -> None:
    for path in [*ROOT.glob("source/*/*.ipynb"), *ROOT.glob("release/*/*.ipynb")]:
        for cell in nbformat.read(path, as_version=4).cells:
            assert not cell.get("outputs"), f"{path.name}: {cell.id}"


def test_thresholds_leave_room_for_partial_credit() -> None:
    for assignment in ASSIGNMENTS:
        path = ROOT / "source" / assignment / "thresholds.json"
        for key, values in (json.loads(path.read_text()) if path.exists() else {}).items():
            for name in [name for name in values if name.endswith("_start")] if isinstance(values, dict) else []:
                assert values[name] < values[name.removesuffix("_start")], (key, name)
                assert values["measured"], f"{key} must say on what it was measured"


QUESTION = re.compile(
    "test_(is|are|do|does|did|can|could|has|have|had|was|were|will|would|should|may|must"
    "|what|which|how|who|whose|when|where|why|whether|whatever)_"
    "|Test(Is|Are|Do|Does|Can|Has|Have|Was|Were|Will|What|Which|How|Who|When|Where|Why|Whether)[A-Z]"
)


def test_tests_are_named_as_facts() -> None:
    """A failed test then says what is wrong; a question does not tell whether yes or no is good."""
    found = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and QUESTION.match(node.name)
    ]
    assert found == []


def test_container_holds_nothing_of_a_class_that_git_leaves_out() -> None:
    """`COPY . .` takes what .containerignore does not name: a roster, a gradebook, hand-ins would be in the image."""
    left_out = {line.strip("/") for line in (ROOT / ".containerignore").read_text().splitlines()}
    ignored = [line for line in (ROOT / ".gitignore").read_text().splitlines() if line and line[0] not in "#!"]
    missing = [line for line in ignored if {line.strip("/"), f"**/{line.strip('/')}"}.isdisjoint(left_out)]
    assert [name for name in missing if not (name.startswith(".") and name.endswith("_cache/"))] == []
