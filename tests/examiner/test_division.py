"""Is each name whose a teacher would say it is?

Notebooks are written as text, see `percent.master`.
"""

import ast
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from needed import missing
from notebooks import markdown, notebook
from percent import master

from grading.config import load_config
from grading.examiner.division import Division, Kind, describe, divide
from grading.release.released import expanded

ROOT = Path(__file__).resolve().parents[2]
USER_GUIDE = ROOT.parent / "shared/courses/nbgrader-user-guide/source"


def of(text: str) -> Division:
    """Divide a notebook in text."""
    return divide(master(text))


def students(text: str) -> set[str]:
    """Names that are the student's in the end."""
    return {name.name for name in of(text).names if name.owner == "student"}


def examiners(text: str) -> set[str]:
    """Names that are the examiner's in the end."""
    return {name.name for name in of(text).names if name.owner == "examiner"}


def needed(text: str) -> tuple[str, ...]:
    """The student's names that the last test may need."""
    return of(text).tests[-1].names


def runs(text: str, cell_id: str) -> str:
    """What the examiner runs of a cell."""
    return of(text).cell(cell_id).e_source


F = "# %% solution\ndef f(x):\n    return x + 1\n"


def expanded_master(path: Path) -> NotebookNode:
    """A master of this repository as submissions are tested by it."""
    return expanded(nbformat.read(path, 4), path.parent, load_config(ROOT))


# Solution cells


def test_function_of_a_solution_cell_is_the_students() -> None:
    division = of(F + "# %% test\nassert f(1) == 2\n")
    assert division.test("c2").names == ("f",)
    assert division.cell("c1").e_source == ""
    assert division.cell("c2").e_source == "assert f(1) == 2"


def test_each_way_of_binding_in_a_solution_cell_binds_for_the_student() -> None:
    text = """# %% solution
import math as m
a = 1
b += 1
c: int = 3
d, (e, *g) = 1, (2, 3)
class H: pass
for i in range(3): pass
with open("x") as j: pass
if (k := 3): pass
async def n(): pass
match a:
    case [o, *p]: pass
    case {"x": q, **r}: pass
    case s: pass
"""
    assert students(text) == set("mabcdegHijknopqrs")


def test_variables_of_comprehensions_and_functions_are_nobodys() -> None:
    text = """# %% solution
a = [x for x in range(3)]
def f(y):
    z = y
    return z
"""
    assert students(text) == {"a", "f"}


def test_name_of_a_caught_exception_is_nobodys_afterwards() -> None:
    assert students("# %% solution\ntry:\n    a = 1\nexcept ValueError as error:\n    a = 2\n") == {"a"}


def test_answer_that_is_graded_by_hand_is_a_solution() -> None:
    division = of("# %% manual\ndef essay():\n    return 1\n# %% test\nassert essay()\n")
    assert division.cell("c1").kind is Kind.solution
    assert division.test("c2").names == ("essay",)


def test_item_or_attribute_that_a_solution_assigns_makes_its_root_the_students() -> None:
    text = """# %%
a = {}
b = []
class C: pass
c = C()
d = 4
# %% solution
a['x'] = 1
b[0:1] = [2]
c.x = 3
"""
    assert students(text) == {"a", "b", "c"}


def test_list_that_a_solution_appends_to_is_the_students() -> None:
    assert students("# %%\nitems = []\nothers = []\n# %% solution\nitems.append(len(others))\n") == {"items"}


def test_frame_that_a_solution_only_looks_at_stays_the_examiners() -> None:
    text = """# %%
import pandas as pd
df = pd.read_csv('x.csv')
# %% solution
mean = df.groupby('a').mean()
df.head()
"""
    assert students(text) == {"mean"}


def test_frame_that_a_solution_changes_in_place_is_the_students() -> None:
    text = """# %%
import pandas as pd
df = pd.read_csv('x.csv')
# %% solution
df.drop(columns='a', inplace=True)
"""
    assert students(text) == {"df"}


def test_global_that_a_students_function_binds_is_the_students() -> None:
    text = """# %%
counter = 0
# %% solution
def count():
    global counter
    counter += 1
# %% test
assert counter == 0
"""
    assert needed(text) == ("counter",)


def test_dictionary_that_a_students_function_fills_is_the_students() -> None:
    text = """# %%
cache = {}
# %% solution
def fib(n):
    cache[n] = n
    return n
# %% test
fib(3)
assert 3 in cache
"""
    assert needed(text) == ("cache", "fib")


def test_reset_of_what_a_students_function_fills_leaves_it_the_students() -> None:
    text = """# %% solution
def fib(n):
    cache[n] = n
    return n
# %%
cache = {}
# %% test
fib(3)
assert 3 in cache
"""
    assert needed(text) == ("cache", "fib")


def test_local_list_of_a_students_function_is_no_global() -> None:
    text = """# %%
items = [1]
# %% solution
def f():
    items = []
    items.append(1)
    return items
"""
    assert "items" in examiners(text)


def test_library_that_a_solution_imports_is_the_students() -> None:
    text = "# %% solution\nimport numpy as np\n# %% test\nassert np.sqrt(4) == 2\n"
    assert needed(text) == ("np",)


def test_examiner_has_its_own_of_a_library_that_a_solution_imports() -> None:
    text = """# %% solution
import numpy as np
import matplotlib.pyplot as plt
from math import sqrt
# %% test
assert np.allclose(sqrt(4), 2)
"""
    test = of(text).tests[0]
    assert (test.names, test.libraries) == (("np", "sqrt"), ("np",))
    assert runs(text, "c1") == "import numpy as np\n\nfrom math import sqrt\n"


def test_name_that_the_students_function_changes_stays_the_students_when_a_test_binds_it() -> None:
    text = """# %% solution
total = 0
items = []
def add(amount):
    global total
    total += amount
    items.append(amount)
# %% test
total, items = 100, []
add(1)
assert total == 101
# %% test
before = total
add(-1)
assert total == before - 1 and len(items) == 2
"""
    assert needed(text) == ("add", "items", "total")


IMPORTS = """# %% solution
from math import sqrt
def norm(x, y):
    return sqrt(x * x + y * y)
# %% test
"""


@pytest.mark.parametrize(
    "test",
    [
        "assert norm(3, 4) == sqrt(25)",
        "expected = sqrt(25)\nassert norm(3, 4) == expected",
        "found = norm(3, 4)\nassert found == sqrt(25)",
        "for x in (1, 2):\n    assert norm(x, x) == x * sqrt(2)",
        "def right(x):\n    return norm(x, x) == x * sqrt(2)\nassert right(3)",
        "import unittest\nclass Test(unittest.TestCase):\n    def test(self):\n        assert norm(0, 1) == sqrt(1)",
        "found = norm(3, 4)\n# %% test\nassert found == sqrt(25)",
    ],
)
def test_examiner_has_its_own_of_what_a_solution_imports_and_a_test_works_with(test: str) -> None:
    assert of(IMPORTS + test).tests[-1].libraries == ("sqrt",)
    assert "from math import sqrt" in runs(IMPORTS + test, "c1")


@pytest.mark.parametrize(
    "test",
    [
        "assert sqrt(4) == 2",
        "found = sqrt(4)\nassert found == 2",
        "for n in (1, 2):\n    assert sqrt(n * n) == n",
        "def right(n):\n    return sqrt(n * n) == n\nassert right(2)",
        "import pytest\nwith pytest.raises(ValueError):\n    sqrt(-1)",
        "assert norm(3, 4) == sqrt(25)\nassert sqrt(9) == 3",
        "sqrt(4)",
    ],
)
def test_name_that_a_solution_imports_and_a_test_tests_is_the_students(test: str) -> None:
    """The student may have written it instead."""
    assert of(IMPORTS + test).tests[-1].names == tuple(sorted({"sqrt"} | ({"norm"} if "norm" in test else set())))
    assert of(IMPORTS + test).tests[-1].libraries == ()


def test_library_that_a_solution_imports_once_more_stays_the_examiners() -> None:
    text = """# %%
import numpy as np
# %% solution
import numpy as np
x = np.ones(3)
# %%
y = np.ones(3)
"""
    assert students(text) == {"x"}
    assert runs(text, "c3") == "y = np.ones(3)"


def test_examiner_imports_what_a_solution_imports_if_its_own_data_need_it() -> None:
    text = """# %% solution
import numpy as np
import math
# %%
truth = np.arange(3)
# %% test
assert np.sum(truth) == 3
"""
    assert needed(text) == ("np",)
    assert "truth" in examiners(text)
    assert runs(text, "c1") == "import numpy as np\n"


def test_import_of_a_solution_that_nobody_needs_is_not_repeated() -> None:
    assert (
        runs(
            """# %% solution
import tensorflow as tf
model = tf.x()
# %% test
assert model
""",
            "c1",
        )
        == ""
    )


def test_module_that_a_solution_writes_is_the_students() -> None:
    text = """# %% solution
%%writefile mine.py
def f(): pass
# %%
import mine
# %% test
assert mine.f() is None
"""
    assert needed(text) == ("mine",)
    assert runs(text, "c2") == ""


def test_file_that_a_solution_writes_is_not_read_by_the_examiner() -> None:
    text = """# %% solution
with open('out.txt', 'w') as file:
    file.write('x')
# %%
text = open('out.txt').read()
"""
    assert "text" in students(text)


# Instructor's statements


def test_instructors_data_are_the_examiners() -> None:
    text = """# %%
import numpy as np
x = np.arange(3)
# %% solution
y = x + 1
# %% test
assert (y == x + 1).all()
"""
    assert students(text) == {"y"}
    assert needed(text) == ("y",)


def test_dependent_statement_is_left_out_and_the_lines_stay() -> None:
    division = of(F + "# %%\na = 1\nb = f(a)\n\nc = 3  # kept\n")
    cell = division.cell("c2")
    assert cell.e_source == "a = 1\n\n\nc = 3  # kept\n"
    assert [skipped.line for skipped in cell.skipped] == [2]
    assert "it uses f, which is the student's (cell 1 'c1')" in cell.skipped[0].reason


def test_all_that_depends_on_the_students_is_the_students_however_far() -> None:
    assert students(F + "# %%\na = f(1)\nb = a\nc = [b]\nd = 1\n") == {"f", "a", "b", "c"}


def test_compound_statement_is_one_unit() -> None:
    text = F + "# %%\nfor x in range(3):\n    y = x\n    z = f(y)\nw = 1\n"
    assert runs(text, "c2") == "\n\n\nw = 1\n"
    assert students(text) == {"f", "x", "y", "z"}


def test_name_bound_anew_without_the_student_is_the_examiners_again() -> None:
    text = "# %% solution\nx = 1\n# %%\nx = 2\n# %% test\nassert x == 2\n"
    assert needed(text) == ()


def test_loop_variable_that_the_student_used_too_is_the_examiners_again() -> None:
    text = """# %% solution
for i in range(3):
    pass
# %%
squares = []
for i in range(3):
    squares.append(i**2)
"""
    assert examiners(text) == {"squares", "i"}


def test_name_that_may_not_be_bound_anew_stays_the_students_and_is_said() -> None:
    division = of("""# %%
flag = True
# %% solution
x = 1
# %%
if flag:
    x = 2
# %% test
assert x
""")
    assert division.test("c4").names == ("x",)
    assert any("cell 3 'c3', line 2: x is the student's before" in note for note in division.notes)


def test_name_bound_in_both_branches_is_bound() -> None:
    text = """# %%
flag = True
# %% solution
x = 1
# %%
if flag:
    x = 2
else:
    x = 3
"""
    assert "x" in examiners(text)


def test_conditional_import_is_the_examiners() -> None:
    text = """# %%
try:
    import quick as lib
except ImportError:
    import slow as lib
# %% test
assert lib
"""
    assert needed(text) == ()
    assert examiners(text) == {"lib"}


def test_deleted_name_is_nobodys() -> None:
    assert examiners("# %%\na = 1\nb = 2\ndel a\n") == {"b"}


def test_deleted_name_of_the_students_is_deleted_in_its_kernel_only() -> None:
    assert runs("# %% solution\na = 1\n# %%\ndel a\n", "c2") == ""


def test_decorators_defaults_bases_and_annotations_are_used_at_once() -> None:
    for source in (
        "@f\ndef g(): pass",
        "def g(x=f(1)): pass",
        "def g(*, x=f(1)): pass",
        "def g(x: f): pass",
        "def g() -> f: pass",
        "class g:\n    x = f(1)",
        "@f\nclass g: pass",
        "class g(metaclass=f): pass",
        "g = [f(x) for x in range(3)]",
        "g: f = 3",
        "g = sorted([1], key=lambda x: f(x))",
    ):
        assert "g" in students(f"{F}# %%\n{source}\n"), source


def test_annotations_are_not_used_where_they_are_put_off() -> None:
    text = F + "# %%\nfrom __future__ import annotations\ndef g(x: f) -> f: pass\n"
    assert "g" in examiners(text)


def test_function_that_calls_the_students_is_made_by_the_examiner() -> None:
    text = F + "# %%\ndef check(n):\n    assert f(n) == n + 1\n# %% test\ncheck(3)\n"
    assert "check" in examiners(text)
    assert runs(text, "c2").startswith("def check")
    assert needed(text) == ("f",)


def test_use_at_once_of_a_function_that_calls_the_students_depends_on_it() -> None:
    text = (
        F
        + """# %%
def twice(n):
    return f(f(n))
def more(n):
    return twice(n)
x = more(3)
"""
    )
    division = of(text)
    assert division.cell("c2").skipped[0].line == 5
    assert "it uses more, which calls for f, the student's" in division.cell("c2").skipped[0].reason
    assert students(text) == {"f", "x"}


def test_function_kept_under_another_name_is_made_by_the_examiner() -> None:
    text = (
        F
        + """# %%
from functools import partial
def check(n):
    return f(n)
checks = [check, lambda: f(3)]
same = check
later = partial(check, 3)
# %% test
for each in checks:
    each()
"""
    )
    assert {"checks", "same", "later"} <= examiners(text)
    assert needed(text) == ("f",)


def test_helper_made_before_the_exercise_calls_for_it_all_the_same() -> None:
    text = "# %%\ndef check(n):\n    return f(n)\n" + F.replace("%% solution", "%% solution") + "# %% test\ncheck(1)\n"
    assert needed(text) == ("f",)


def test_object_made_before_the_exercise_calls_for_it_all_the_same() -> None:
    text = (
        """# %%
class Tester:
    def run(self):
        return f(1)
tester = Tester()
"""
        + F
        + "# %% test\nassert tester.run() == 2\n"
    )
    assert "tester" in examiners(text)
    assert needed(text) == ("f",)


def test_object_whose_making_asks_nothing_of_the_student_is_the_examiners() -> None:
    text = (
        F
        + """# %%
class Tester:
    def __init__(self, n):
        self.n = n
    def run(self):
        return f(self.n)
tester = Tester(3)
result = tester.run()
# %% test
assert tester.run() == 4
"""
    )
    assert "tester" in examiners(text)
    assert "result" in students(text)
    assert needed(text) == ("f",)


def test_object_whose_making_asks_the_student_is_the_students() -> None:
    text = (
        F
        + """# %%
class Tester:
    def __init__(self):
        self.setup()
    def setup(self):
        self.x = f(1)
tester = Tester()
"""
    )
    assert "tester" in students(text)


def test_name_that_only_a_function_has_is_not_the_students() -> None:
    text = """# %% solution
n = 3
# %%
def double(n):
    return 2 * n
x = double(2)
"""
    assert "x" in examiners(text)


def test_instructors_class_below_the_students_is_the_students() -> None:
    text = """# %% solution
class Shape:
    pass
# %%
class Square(Shape):
    pass
square = Square()
# %% test
assert isinstance(square, Shape)
"""
    assert students(text) == {"Shape", "Square", "square"}


def test_students_class_below_the_instructors_leaves_that_one_alone() -> None:
    text = """# %%
class Shape:
    def area(self): ...
# %% solution
class Square(Shape):
    def area(self):
        return 1
# %% test
assert issubclass(Square, Shape)
"""
    assert examiners(text) == {"Shape"}
    assert needed(text) == ("Square",)


def test_instructors_class_below_another_that_calls_the_students_is_the_examiners() -> None:
    text = (
        F
        + """# %%
class Base:
    def go(self):
        return f(1)
class Child(Base):
    pass
child = Child()
# %% test
assert child.go() == 2
"""
    )
    assert examiners(text) == {"Base", "Child", "child"}
    assert needed(text) == ("f",)


def test_test_case_of_unittest_is_the_examiners() -> None:
    text = (
        F
        + """# %%
import unittest
class TestF(unittest.TestCase):
    def test_it(self):
        self.assertEqual(f(1), 2)
# %% test
unittest.main(argv=[''], exit=False)
TestF()
"""
    )
    assert "TestF" in examiners(text)
    assert needed(text) == ("f",)


def test_global_that_an_instructors_function_binds_is_the_examiners() -> None:
    text = """# %%
def setup():
    global data
    data = [1]
setup()
# %% test
assert data
"""
    assert {"setup", "data"} <= examiners(text)


# What a dependent statement changes


def test_list_that_gets_the_students_answers_is_the_students() -> None:
    text = (
        F
        + """# %%
results = []
for n in range(3):
    results.append(f(n))
# %% test
assert results == [1, 2, 3]
"""
    )
    assert needed(text) == ("results",)
    assert runs(text, "c2") == "results = []\n"


def test_module_that_draws_the_students_answers_stays_the_examiners() -> None:
    text = (
        F
        + """# %%
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
plt.plot([f(1)])
ax.plot([f(2)])
"""
    )
    assert "plt" in examiners(text)
    assert {"ax", "fig"} <= students(text)


def test_axes_and_figure_are_one_thing() -> None:
    text = (
        F
        + """# %%
import matplotlib.pyplot as plt
fig = plt.figure()
ax = fig.add_subplot()
other = plt.figure()
ax.plot([f(2)])
"""
    )
    assert students(text) == {"f", "ax", "fig"}


def test_list_that_is_only_read_beside_the_students_answers_stays_the_examiners() -> None:
    text = (
        F
        + """# %%
xs = [1, 2]
name = 'a'
print(name.upper(), xs.index(1), f(xs[0]))
"""
    )
    assert {"xs", "name"} <= examiners(text)


def test_list_that_a_students_function_sorts_in_place_is_the_students() -> None:
    text = """# %%
arr = [3, 1]
# %% solution
def sort(items):
    for i in range(1):
        items[i], items[i + 1] = items[i + 1], items[i]
# %%
sort(arr)
# %% test
assert arr == [1, 3]
"""
    assert needed(text) == ("arr",)


def test_list_that_a_students_function_sorts_by_another_is_the_students() -> None:
    text = """# %%
arr = [3, 1]
low = 0
# %% solution
def swap(a, i):
    a[i], a[i + 1] = a[i + 1], a[i]
def sort(items, at):
    mine = items
    swap(mine, at)
# %%
result = sort(items=arr, at=low)
"""
    assert students(text) == {"swap", "sort", "arr", "result"}


def test_list_of_which_a_students_function_sorts_a_copy_stays_the_examiners() -> None:
    text = """# %%
arr = [3, 1]
# %% solution
def sort(items):
    items = list(items)
    items.sort()
    return items
# %%
sort(arr)
"""
    assert "arr" in examiners(text)


def test_view_of_an_array_goes_with_the_array() -> None:
    text = """# %%
import numpy as np
a = np.zeros(3)
view = a[1:]
same = a
first = a[0]
# %% solution
a[0] = 1
"""
    assert students(text) == {"a", "view", "same"}


def test_training_data_stay_the_examiners_when_a_model_is_fitted() -> None:
    text = """# %%
import data
x, y = data.load()
# %% solution
model = make()
# %%
model.fit(x, y)
# %% test
assert model.score(x, y) > 0.9
"""
    assert examiners(text) == {"data", "x", "y"}
    assert needed(text) == ("model",)


def test_object_that_a_method_of_the_notebooks_class_changes_is_the_students() -> None:
    text = """# %%
class Account:
    def __init__(self):
        self.money = 0
    def deposit(self, n):
        self.money += n
    def report(self):
        return self.money
mine = Account()
yours = Account()
# %% solution
def save(n):
    mine.deposit(n)
    yours.report()
"""
    assert students(text) == {"save", "mine"}


def test_heap_is_changed_by_the_function_that_it_is_given_to() -> None:
    text = F + "# %%\nimport heapq\nheap = []\nheapq.heappush(heap, f(1))\n"
    assert "heap" in students(text)


def test_buffer_that_gets_the_students_output_is_the_students() -> None:
    text = (
        F
        + """# %%
import io
from contextlib import redirect_stdout
buffer = io.StringIO()
with redirect_stdout(buffer):
    f(1)
# %% test
assert buffer.getvalue() == ''
"""
    )
    assert needed(text) == ("buffer",)


def test_list_that_an_instructors_function_fills_with_answers_is_the_students() -> None:
    text = (
        F
        + """# %%
log = []
def note(x):
    log.append(x)
note(f(1))
# %% test
assert log == [2]
"""
    )
    assert needed(text) == ("log",)


def test_generator_that_the_student_drew_from_is_the_students() -> None:
    text = """# %%
import numpy as np
rng = np.random.default_rng(0)
# %% solution
def draw(n):
    return rng.normal(size=n)
# %%
x = rng.normal()
"""
    assert {"rng", "x"} <= students(text)


# Test cells


def test_test_needs_only_what_it_reads() -> None:
    text = "# %% solution\na = 1\nb = 2\nc = 3\n# %% test\nb = 4\nassert a + b\n"
    division = of(text)
    assert division.tests[0].names == ("a",)
    assert division.tests[0].rebinds == ("b",)


def test_test_that_takes_a_function_away_and_puts_it_back_leaves_it_the_students() -> None:
    text = (
        F
        + """# %% test
old = f
del f
try:
    g(1)
finally:
    f = old
# %% test
f(1)
"""
    )
    division = of(text)
    assert division.tests[0].rebinds == ("f",)
    assert division.tests[1].names == ("f",)


def test_name_that_a_test_binds_is_the_examiners_afterwards() -> None:
    text = "# %% solution\nx = 1\n# %% test\nx = 3\n# %% test\nassert x == 3\n"
    assert needed(text) == ()


def test_function_of_an_earlier_test_calls_for_the_students() -> None:
    text = F + "# %% test\ndef check(n):\n    return f(n)\n# %% test\ncheck(1)\n"
    assert needed(text) == ("f",)


def test_test_beside_the_student_is_not_the_examiners() -> None:
    division = of(F + "# %% test beside-student\nx = f(1)\n# %% test\nassert x == 2\n")
    assert division.test("c2").beside
    assert division.cell("c2").e_source == ""
    assert division.test("c3").names == ("x",)


def test_text_that_is_looked_up_as_a_name_is_needed() -> None:
    assert needed(F + "# %% test\nassert 'f' in globals()\n") == ("f",)
    assert needed(F + "# %% test\nassert eval('f(1)') == 2\n") == ("f",)
    assert needed(F + "# %% test\nassert 'f' in ['f']\n") == ()


def test_automatic_test_calls_for_what_it_names() -> None:
    assert needed(F + "# %% test\n### AUTOTEST f(1); f(2)\n") == ("f",)
    assert needed(F + "# %% test\n    ### HASHED AUTOTEST [f(1)]\n") == ("f",)


def test_imports_that_students_see_are_said() -> None:
    text = """# %% test
import math
assert math
### BEGIN HIDDEN TESTS
import secret
### END HIDDEN TESTS
from os import path as p
"""
    assert of(text).tests[0].imports == "import math\nfrom os import path as p\n"


def test_expected_labels_are_the_examiners_while_predictions_are_the_students() -> None:
    text = """# %%
from course import load
images, labels = load('test')
# %% solution
def classify(image):
    return 0
# %%
predicted = [classify(image) for image in images]
# %% test
assert sum(p == q for p, q in zip(predicted, labels)) > 10
"""
    division = of(text)
    assert division.tests[0].names == ("predicted",)
    assert any("reads predicted, which the course's own code works out" in note for note in division.notes)


def test_students_own_answer_is_read_without_a_note() -> None:
    division = of(F + "# %%\ny = f(3)\nz = [f(1), f(2)]\n# %% test\nassert y == 4 and z\n")
    assert division.notes == ()


def test_verdict_of_the_courses_own_code_is_noted() -> None:
    division = of(
        F
        + """# %%
def good(g):
    return g(1) == 2
ok = good(f)
# %% test
assert ok
"""
    )
    assert division.tests[0].names == ("ok",)
    assert len(division.notes) == 1
    assert "cell 2 'c2', line 3" in division.notes[0]


def test_newtons_method_is_asked_with_the_tests_own_functions() -> None:
    text = """# %%
import math
def close(a, b):
    return math.isclose(a, b, rel_tol=1e-6)
# %% solution
def newton(g, dg, x):
    for _ in range(50):
        x -= g(x) / dg(x)
    return x
# %% test
assert close(newton(lambda x: x**2 - 2, lambda x: 2 * x, 1.0), math.sqrt(2))
"""
    assert needed(text) == ("newton",)
    assert examiners(text) == {"math", "close"}


def test_same_name_in_two_exercises_is_whose_it_was_last() -> None:
    text = (
        F
        + """# %% solution
result = f(1)
# %% test
assert result == 2
# %%
result = 10
# %% test
assert f(result) == 11
"""
    )
    division = of(text)
    assert division.tests[0].names == ("result",)
    assert division.tests[1].names == ("f",)
    assert [row[1] for row in describe(division) if row[0] == "result"] == ["student", "examiner"]


def test_data_that_a_test_only_checks_are_looked_at_in_the_students_kernel() -> None:
    text = """# %%
import numpy as np
given = [1, 2]
other = [1, 2]
def expected():
    return other
# %% solution
doubled = [2 * x for x in given]
# %% test
np.testing.assert_array_equal(given, [1, 2])
assert doubled == [2 * x for x in other]
assert len(other) == 2
"""
    test = of(text).tests[0]
    assert test.borrowed == ("given",)
    assert test.names == ("doubled",)
    assert of(text).notes == ()


def test_data_that_the_test_hands_to_the_student_are_its_own() -> None:
    test = of(
        F + "# %%\ndata = [1]\n# %% test\nmine = f(data)\nassert mine and data == [1]\nassert data == [1]\n"
    ).tests[0]
    assert test.borrowed == ()


def test_test_that_asks_nothing_of_the_student_is_said() -> None:
    division = of(F + "# %%\ndef g(): return 1\n# %% test\nassert g() == 1\n")
    assert ["asks nothing of the student" in note for note in division.notes] == [True]


def test_variable_that_a_students_function_binds_stays_the_students_in_every_test() -> None:
    text = """# %% solution
total = 0
def add(n):
    global total
    total += n
# %% test
total = 100
add(1)
assert total == 101
# %% test
add(1)
assert total == 102
"""
    assert needed(text) == ("add", "total")


# Demonstrations


def test_demonstration_is_not_run() -> None:
    text = F + "# %% demo\nx = 1\ny = f(x)\n# %% test\nassert f(1) == 2\n"
    assert runs(text, "c2") == ""
    assert needed(text) == ("f",)


def test_demonstration_is_run_as_far_as_a_test_needs_it() -> None:
    text = """# %% demo
import slow
limit = 3
slow.plot(limit)
top = limit + 1
other = 2
# %% test
assert top == 4
"""
    division = of(text)
    assert division.cell("c1").e_source == "\nlimit = 3\n\ntop = limit + 1\n"
    assert division.tests[0].names == ()
    assert division.tests[0].demos == ()


def test_demonstration_that_depends_on_the_student_is_said_to_be_needed() -> None:
    division = of(F + "# %% demo\ny = f(1)\n# %% test\nassert y == 2\n")
    assert division.tests[0].names == ("y",)
    assert division.tests[0].demos == ("c2",)


def test_list_that_a_demonstration_made_longer_is_made_longer() -> None:
    text = "# %% demo\na = []\na.append(1)\nb = 1\n# %% test\nassert a == [1]\n"
    assert runs(text, "c1") == "a = []\na.append(1)\n"


# Tags


def test_tag_makes_a_cell_the_examiners() -> None:
    text = F + "# %% examiners\nx = f\n# %% test\nassert x\n"
    assert runs(text, "c2") == "x = f"
    assert needed(text) == ()


def test_tag_makes_a_cell_the_students() -> None:
    text = "# %% students\nx = 1\n# %% test\nassert x\n"
    assert runs(text, "c1") == ""
    assert needed(text) == ("x",)


def test_tag_where_it_does_nothing_is_said() -> None:
    division = of("# %% solution examiners\nx = 1\n# %% beside-student\ny = 1\n")
    assert ["tagged examiners" in division.notes[0], "tagged beside-student" in division.notes[1]] == [True, True]


# Magics and what is no Python


def test_line_magic_is_run_by_both() -> None:
    text = "# %%\n%matplotlib inline\nx = 1\n"
    assert runs(text, "c1") == "get_ipython().run_line_magic('matplotlib', 'inline')\nx = 1"


def test_shell_command_is_the_students_kernels_only() -> None:
    text = "# %%\n!pip install nothing\nfiles = !ls\nx = 1\n"
    assert runs(text, "c1") == "\n\nx = 1\n"
    assert students(text) == {"files"}


def test_code_behind_a_magic_is_read() -> None:
    assert "y" in students(F + "# %%\n%time y = f(3)\n")
    assert runs(F + "# %%\n%timeit -n 10 f(3)\nx = 1\n", "c2") == "\nx = 1\n"
    assert "z" in examiners(F + "# %%\n%time z = 3\n")


def test_timed_cell_is_read_line_by_line() -> None:
    text = F + "# %%\n%%time\nx = 1\ny = f(x)\n"
    assert runs(text, "c2") == "\nx = 1\n"
    assert students(text) == {"f", "y"}


def test_captured_cell_is_one_unit() -> None:
    text = F + "# %%\n%%capture out\nx = 1\nprint(f(x))\n"
    assert {"x", "out"} <= students(text)
    assert runs(text, "c2") == ""
    text = "# %%\n%%capture out\nprint(1)\n"
    assert examiners(text) == {"out"}
    assert runs(text, "c1") == "%%capture out\nprint(1)"


def test_measured_cell_binds_nothing() -> None:
    text = "# %%\n%%timeit\nx = 1\n"
    assert (runs(text, "c1"), of(text).names) == ("", ())


def test_shell_cell_binds_nothing() -> None:
    text = "# %%\n%%bash\nx=1\n"
    assert (runs(text, "c1"), of(text).names) == ("", ())
    assert "%%bash" in of(text).cell("c1").skipped[0].reason


def test_file_that_the_instructor_writes_is_written_in_both() -> None:
    text = "# %%\n%%writefile words.txt\na b\n"
    assert runs(text, "c1") == "%%writefile words.txt\na b"


def test_cell_that_is_no_python_is_the_students_kernels_only_and_said() -> None:
    division = of("# %%\nx = = 1\n# %% test\nassert (\n")
    assert division.cell("c1").e_source == ""
    assert "cell 1 'c1' cannot be read as Python (invalid syntax, line 1)" in division.notes[0]
    assert "its test will fail" in division.notes[1]


def test_cell_nested_too_deeply_is_the_students_kernels_only_and_said() -> None:
    division = of("# %%\nx = " + "-" * 100_000 + "1\ny = " + "+".join("1" * 5_000) + "\n")
    assert division.cell("c1").e_source == ""
    assert len(division.notes) == 1


def test_everything_of_a_known_library_is_the_examiners() -> None:
    text = """# %% solution
def sqrt(x):
    return x
# %%
from math import *
# %% test
assert sqrt(4) == 2
"""
    assert needed(text) == ()


def test_everything_of_an_unknown_module_is_said_to_be_unknown() -> None:
    division = of("# %%\nfrom elsewhere import *\n# %% test\nassert something\n")
    assert division.cell("c1").e_source == "from elsewhere import *"
    assert len(division.notes) == 1
    assert "which names `from elsewhere import *` binds cannot be read" in division.notes[0]


# Notes


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("np.linalg.solve = None", "it changes np.linalg.solve"),
        ("del np.linalg.solve", "it changes np.linalg.solve"),
        ("from unittest.mock import patch\nwith patch('numpy.linalg.solve'): f(1)", "it patches 'numpy.linalg.solve'"),
        ("from unittest import mock\nmock.patch.object(np.linalg, 'inv')", "it patches np.linalg.inv"),
        ("setattr(np, 'sum', None)", "it patches np.sum"),
        ("import matplotlib.pyplot as plt\nassert plt.gcf()", "figure that pyplot holds"),
        ("import sys\nsys.setrecursionlimit(50)", "recursion limit"),
        ("import tracemalloc\ntracemalloc.start()", "memory of the student's code"),
        ("!ls", "command to the shell"),
        ("assert nothing_there", "nothing_there is bound by no cell before it"),
    ],
)
def test_test_that_only_works_beside_the_student_is_said(source: str, words: str) -> None:
    division = of(f"# %%\nimport numpy as np\n{F}# %% test\n{source}\nassert f(1) == 2\n")
    assert [words in note for note in division.notes] == [True]


@pytest.mark.parametrize(
    "source",
    [
        "import io, sys\nsys.stdout = io.StringIO()\nf(1)\nsys.stdout = sys.__stdout__",
        "import io, sys\nsys.stdin = io.StringIO('1')",
        "from unittest.mock import patch\nwith patch('builtins.input', lambda *_: '3'): f(1)",
        "from unittest.mock import patch\nwith patch('sys.stdout'): f(1)",
        "import builtins\nbuiltins.input = lambda *_: '3'",
        "import random\nsetattr(random, 'random', lambda: 0.5)",
        "np.random.rand = lambda: 0.5",
        "import os\nos.environ['A'] = 'b'",
        "import warnings\nwith warnings.catch_warnings(record=True): f(1)",
        "patch = f(1)\npatch.height = 3",
        "import matplotlib.pyplot as plt\nplt.rcParams['a'] = 1",
    ],
)
def test_patch_that_reaches_the_student_is_nothing_to_be_said(source: str) -> None:
    assert of(f"# %%\nimport numpy as np\n{F}# %% test\n{source}\nassert f(1) == 2\n").notes == ()


def test_name_that_only_a_test_binds_is_missing_in_the_students_kernel() -> None:
    division = of(
        F
        + """# %% test
data = [f(1)]
import math
# %% solution
y = f(data) + math.pi
"""
    )
    assert len(division.notes) == 1
    assert "data is bound by the test cell 2 'c2' only" in division.notes[0]


def test_object_kept_from_an_earlier_test_is_said() -> None:
    division = of(
        F
        + """# %% test
thing = f(1)
n = f(2)
# %% test
assert thing.run() and n == 3
"""
    )
    assert len(division.notes) == 1
    assert "thing was made by the test cell 2 'c2'" in division.notes[0]


def test_random_numbers_drawn_after_the_students_are_said() -> None:
    text = """# %%
import numpy as np
np.random.seed(0)
# %% solution
a = np.random.rand()
# %%
noise = np.random.rand(3)
# %% solution
b = noise + 1
"""
    division = of(text)
    assert len(division.notes) == 1
    assert "noise (cell 3 'c3', line 1) is drawn at random" in division.notes[0]


def test_random_numbers_after_a_seed_are_the_same() -> None:
    text = """# %%
import numpy as np
# %% solution
a = np.random.rand()
# %%
np.random.seed(1)
noise = np.random.rand(3)
rng = np.random.default_rng(3)
# %% solution
b = noise + rng.integers(3)
"""
    assert of(text).notes == ()


def test_generator_without_a_seed_is_said() -> None:
    text = """# %%
from numpy.random import default_rng
rng = default_rng()
x = rng.normal()
# %% solution
b = x + 1
"""
    assert len(of(text).notes) == 1


# Courses


def test_markdown_cells_are_no_code() -> None:
    assert divide(notebook(markdown("m", "# Hello", grade_id="m", grade=True, solution=True))).cells == ()


def test_every_cell_and_test_is_there_in_order() -> None:
    division = of(F + "# %%\nx = 1\n# %% test\nf(x)\n# %% test\nf(1)\n")
    assert [cell.id for cell in division.cells] == ["c1", "c2", "c3", "c4"]
    assert [test.id for test in division.tests] == ["c3", "c4"]


@pytest.mark.parametrize("name", ["ps1", "ps1_autotest"])
def test_functions_of_nbgraders_user_guide_are_the_students(name: str) -> None:
    path = USER_GUIDE / name / "problem1.ipynb"
    if not path.is_file():
        missing("nbgrader's user guide (../shared/courses) is not here")
    division = divide(nbformat.read(path, 4))
    names = {test.name.partition("'")[2].rstrip("'"): test.names for test in division.tests}
    assert names["correct_squares"] == ("squares",)
    assert names["squares_invalid_input"] == ("squares",)
    assert names["correct_sum_of_squares"] == ("sum_of_squares",)
    assert names["sum_of_squares_uses_squares"] == ("squares", "sum_of_squares")
    assert division.notes == ()


def test_only_functions_and_model_of_the_object_detection_are_the_students() -> None:
    division = divide(expanded_master(ROOT / "source/object_detection/object_detection.ipynb"))
    functions = {"tensorize_ground_truth", "interpret_output", "kinds_of_error"}
    solutions = {"better_model", "classif_and_loc", *functions}
    assert {name for test in division.tests for name in test.names} <= solutions
    assert all(test.names and not test.borrowed and not test.demos for test in division.tests)
    assert not any(cell.kind is Kind.solution and cell.e_source for cell in division.cells)


@pytest.mark.parametrize("path", sorted(ROOT.glob("source/*/*.ipynb")), ids=lambda path: path.stem)
def test_examiner_runs_nothing_but_python_of_our_assignments(path: Path) -> None:
    division = divide(expanded_master(path))
    for cell in division.cells:
        ast.parse(cell.e_source)
    assert division.tests
    assert division.notes == ()
