"""Does a test find in the examiner all that it found in one process?

Two name spaces take the place of the two processes, and a test sees the student's objects themselves: what is asked
here is whether each statement runs where it can, and whether each name is looked up where it is.
"""

import ast
from typing import Any

import pytest
from percent import master

from grading.examiner.division import Division, divide


class Examiners(dict[str, Any]):
    """The examiner's names; those that a test needs of the student's are the student's own."""

    def __init__(self, student: dict[str, Any]) -> None:
        super().__init__(__name__="__main__")
        self.student = student
        self.live: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        return self.student[name] if name in self.live else super().__getitem__(name)

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        if name in self.live:
            self.student[name] = value

    def __delitem__(self, name: str) -> None:
        if name in self.live:
            del self.student[name]
        self.pop(name, None)


def run_together(text: str) -> dict[str, str]:
    """What each test raises where all cells run in one name space."""
    space: dict[str, Any] = {"__name__": "__main__"}
    return {cell.id: found for cell in master(text).cells if (found := _run(cell.source, space)) or _is_test(cell)}


def run_apart(text: str) -> dict[str, str]:
    """What each test raises where the student's code runs in one name space, and the test in another."""
    notebook = master(text)
    division = divide(notebook)
    student: dict[str, Any] = {"__name__": "__main__"}
    examiner = Examiners(student)
    found = {}
    for cell in notebook.cells:
        if _is_test(cell):
            test = division.test(cell.id)
            examiner.live = set(test.fetched)
            found[cell.id] = _run(cell.source, student if test.beside else examiner)
            examiner.live = set()
            _run(test.imports, student)
        else:
            problem = _run(cell.source, student) or _run(division.cell(cell.id).e_source, examiner)
            _share_classes(division, student, examiner)
            if problem:
                found[cell.id] = problem
    return found


def _run(source: str, space: dict[str, Any]) -> str:
    try:
        exec(compile(ast.parse(source), "cell", "exec"), space)  # the tests' own notebooks
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _is_test(cell: Any) -> bool:
    nbgrader = cell.metadata.get("nbgrader", {})
    return bool(nbgrader.get("grade") and not nbgrader.get("solution"))


def _share_classes(division: Division, student: dict[str, Any], examiner: dict[str, Any]) -> None:
    """Instances of the instructor's classes cross by copy: both sides have these classes."""
    for name, value in student.items():
        if isinstance(value, type) and isinstance(dict.get(examiner, name), type):
            dict.__setitem__(examiner, name, value)


NOTEBOOKS = {
    "a helper that calls the exercise": """# %%
import math
def close(a, b):
    return math.isclose(a, b, rel_tol=1e-9)
def check(n):
    assert close(root(n) ** 2, n)
# %% solution
def root(n):
    return n ** 0.5
# %%
check(2)
print(root(2))
# %% test
check(3)
assert close(root(16), 4)
""",
    "a class below the student's": """# %%
class Shape:
    def area(self):
        return 0
# %% solution
class Square(Shape):
    def __init__(self, side):
        self.side = side
    def area(self):
        return self.side ** 2
# %%
class Big(Square):
    def area(self):
        return 2 * super().area()
shapes = [Square(1), Big(2)]
total = sum(shape.area() for shape in shapes)
# %% test
assert total == 9 and issubclass(Square, Shape)
assert [shape.area() for shape in shapes] == [1, 8]
""",
    "lists that are filled on the way": """# %%
results, log = [], []
def note(x):
    log.append(x)
    return x
# %% solution
def double(x):
    return 2 * x
# %%
for n in range(3):
    results.append(note(double(n)))
n = 10
# %% test
assert results == [0, 2, 4] == log
assert double(n) == 20
""",
    "sorting in place": """# %%
numbers, others = [3, 1, 2], [2, 1]
# %% solution
def swap(items, i, j):
    items[i], items[j] = items[j], items[i]
def sort(items):
    for end in range(len(items), 1, -1):
        for i in range(end - 1):
            if items[i] > items[i + 1]:
                swap(items, i, i + 1)
# %%
sort(numbers)
# %% test
assert numbers == [1, 2, 3] and others == [2, 1]
sort(others)
assert others == [1, 2]
""",
    "a counter that is global": """# %%
counter = 0
history = {}
# %% solution
def count(name):
    global counter
    counter += 1
    history[name] = counter
    return counter
# %% test
assert count("a") == 1 and counter == 1
counter = 10
assert count("b") == 11 and history == {"a": 1, "b": 11}
# %% test
assert counter == 11 and count("c") == 12
""",
    "names that are used twice": """# %% solution
x = 1
result = x + 1
for i in range(3):
    pass
# %% test
assert result == 2 and i == 2
# %%
x = [10]
for i in range(5):
    x.append(i)
# %% solution
result = sum(x)
# %% test
assert result == 20 and x[-1] == 4 and i == 4
""",
    "an exercise that is taken away": """# %% solution
def square(n):
    return n * n
# %% solution
def sum_of_squares(n):
    return sum(square(i) for i in range(n))
# %% test
kept = square
del square
try:
    sum_of_squares(3)
except NameError:
    pass
else:
    raise AssertionError("it does not use square")
finally:
    square = kept
# %% test
assert sum_of_squares(3) == 5 and square(2) == 4
""",
    "imports in a solution": """# %% solution
import math
from collections import Counter
# %%
truth = math.pi
counts = Counter("aab")
# %% solution
def circumference(r):
    return 2 * math.pi * r
# %% test
assert circumference(1) == 2 * truth
assert counts == Counter(a=2, b=1)
""",
    "imports in a test": """# %% solution
def f(x):
    return x
# %% test
import math
assert f(1) == 1
# %% solution
y = f(math.pi)
# %% test
assert y == math.pi
""",
    "data that are only checked": """# %%
given = [3, 1, 2]
# %% solution
largest = max(given)
# %% test
assert given == [3, 1, 2]
# %% test
assert largest == max(given)
""",
    "demonstrations that are needed": """# %% demo
base = [1, 2]
base.append(3)
unused = 1 / 1
# %% solution
def total(items):
    return sum(items)
# %% demo
shown = total(base)
# %% test
assert total(base) == 6 and shown == 6
""",
    "objects made before the exercise": """# %%
class Tester:
    def __init__(self, cases):
        self.cases = cases
    def run(self):
        return [f(case) for case in self.cases]
tester = Tester([1, 2])
checks = [tester.run, lambda: [f(5)]]
# %% solution
def f(x):
    return x + 1
# %%
first = tester.run()
# %% test
assert tester.run() == first == [2, 3]
assert [check() for check in checks] == [[2, 3], [6]]
""",
    "several statements on a line": """# %% solution
def f(x): return x + 1
# %%
a = 1; b = f(a); c = 3
d = [a,
     c]; e = f(c); g = 7
# %% test
assert (a, b, c, d, e, g) == (1, 2, 3, [1, 3], 4, 7)
""",
    "a branch that may not run": """# %%
ready = False
# %% solution
mode = "student"
# %%
if ready:
    mode = "course"
# %% test
assert mode == "student"
""",
    "generators and closures": """# %%
def times(n):
    def multiply(x):
        return n * apply(x)
    return multiply
triple = times(3)
# %% solution
def apply(x):
    return x + 1
def count():
    n = 0
    while True:
        yield n
        n += 1
# %%
numbers = count()
next(numbers)
# %% test
assert triple(1) == 6
assert next(numbers) == 1
""",
}


@pytest.mark.parametrize("text", NOTEBOOKS.values(), ids=NOTEBOOKS.keys())
def test_tests_pass_apart_as_they_do_together(text: str) -> None:
    together = run_together(text)
    assert set(together.values()) == {""}, "the notebook itself is wrong"
    assert run_apart(text) == together


@pytest.mark.parametrize("text", NOTEBOOKS.values(), ids=NOTEBOOKS.keys())
def test_tests_fail_apart_without_the_solution_as_they_do_together(text: str) -> None:
    cells = text.split("# %%")
    without = "# %%".join(" solution\npass\n" if cell.startswith(" solution") else cell for cell in cells)
    together = {name for name, problem in run_together(without).items() if problem}
    apart = {name for name, problem in run_apart(without).items() if problem}
    tests = {test.id for test in divide(master(text)).tests}
    assert apart & tests == together & tests
