"""The examples in the students' library give what they print."""

import doctest
import importlib
from pathlib import Path

import pytest

HELPERS = Path(__file__).parents[2] / "helpers"
WITH_EXAMPLES = sorted(
    ".".join(["helpers", *path.relative_to(HELPERS).with_suffix("").parts])
    for path in HELPERS.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_give_what_they_print(module: str) -> None:
    found = doctest.testmod(importlib.import_module(module))
    assert found.failed == 0, "see the output above: what was expected and what came"


def test_box_functions_have_examples() -> None:
    assert {"helpers.boxes", "helpers.checks", "helpers.data", "helpers.targets"} <= set(WITH_EXAMPLES)
