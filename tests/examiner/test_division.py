"""Is each name whose a teacher would say it is?

A notebook is written as text: `# %% solution` begins a cell, and says what it is.
"""

from nbformat import NotebookNode
from notebooks import code, notebook

from grading.examiner.division import Division, Owner, divide

KINDS = {
    "": {},
    "solution": {"solution": True},
    "test": {"grade": True, "points": 1},
    "manual": {"grade": True, "solution": True, "points": 1},
}


def master(text: str) -> NotebookNode:
    """A notebook of these cells: `# %% test beside-student` is one with a tag; ids are `c1`, `c2`."""
    cells = []
    for number, part in enumerate(text.split("# %%")[1:], start=1):
        head, _, source = part.partition("\n")
        words = head.split()
        kind = words.pop(0) if words and words[0] in KINDS else ""
        marks = {"grade_id": f"c{number}", **KINDS[kind]} if kind else {}
        cells.append(code(f"c{number}", source.strip("\n"), tags=words, **marks))
    return notebook(*cells)


def of(text: str) -> Division:
    """The division of a notebook in text."""
    return divide(master(text))


def owners(text: str) -> dict[str, str]:
    """Whose each name is in the end: `examiner` or `student`."""
    return {name.name: name.owner.value for name in of(text).names}


def test_function_of_a_solution_cell_is_the_students() -> None:
    division = of("# %% solution\ndef f(x):\n    return x\n# %% test\nassert f(1) == 1\n")
    assert division.test("c2").names == ("f",)
    assert division.cell("c1").e_source == ""
    assert division.cell("c2").e_source == "assert f(1) == 1"


def test_instructors_data_is_the_examiners() -> None:
    text = (
        "# %%\nimport numpy as np\nx = np.arange(3)\n# %% solution\ny = x + 1\n# %% test\nassert (y == x + 1).all()\n"
    )
    assert owners(text) == {"np": Owner.examiner, "x": Owner.examiner, "y": Owner.student}
    assert of(text).test("c3").names == ("y",)


def test_dependent_statement_is_left_out_and_the_lines_stay() -> None:
    text = "# %% solution\ndef f(x):\n    return x\n# %%\na = 1\nb = f(a)\nc = 3\n"
    division = of(text)
    assert division.cell("c2").e_source == "a = 1\n\nc = 3\n"
    assert [skipped.line for skipped in division.cell("c2").skipped] == [2]
    assert owners(text)["b"] == "student"
