"""Where an object of the student's could decide by itself whether it is right, and what comes of it."""

import pytest
from examined import Examination

LIAR = """
    class Liar:
        def __eq__(self, other): return True
        def __ne__(self, other): return False
        def __lt__(self, other): return True
        __le__ = __gt__ = __ge__ = __lt__
        def __bool__(self): return True
        def __contains__(self, item): return True
        def __hash__(self): return 1
        def __len__(self): return 3
        def __iter__(self): return iter([1, 2, 3])
        def __call__(self, *args): return self
        right = property(lambda self: self)
        def is_right(self): return self
        def __array__(self, dtype=None, copy=None):
            import numpy as np
            class Lying(np.ndarray):
                def __eq__(self, other): return True
            return np.zeros(3).view(Lying)
    def f(*args): return Liar()
"""

QUESTIONS = {
    "assert f(2) == 4": "==",
    "assert 4 == f(2)": "==",
    "assert not f(2) != 4": "!=",
    "assert f(2) < 4": "<",
    "assert 4 < f(2)": ">",
    "assert 1 <= f(2) <= 4": ">=",
    "assert f(2)": "truth",
    "assert not not f(2)": "truth",
    "assert 4 in f(2)": "in",
    "assert f(2) in [4]": "==",
    "assert [f(2)] == [4]": "==",
    "assert {'a': f(2)} == {'a': 4}": "==",
    "assert (f(2), 1) == (4, 1)": "==",
    "assert f(2).right": "truth",
    "assert f(2).is_right()": "truth",
    "assert all([f(2)])": "truth",
    "assert sorted([f(2), f(1)])[0] is not None": "<",
    "import unittest\nunittest.TestCase().assertEqual(f(2), 4)": "==",
    "import unittest\nunittest.TestCase().assertTrue(f(2))": "truth",
    "import unittest\nunittest.TestCase().assertIn(4, f(2))": "in",
    "import numpy as np\nassert np.array([4]) == f(2)": "==",
    "import numpy as np\nassert np.equal(f(2), 4)": "==",
    "assert [4].count(f(2))": "==",
    "assert [4].index(f(2)) == 0": "==",
    "from unittest.mock import Mock\nm = Mock()\nm(4)\nm.assert_called_with(f(2))": "==",
}


@pytest.mark.parametrize("test", QUESTIONS)
def test_object_does_not_say_that_it_is_right(examination: Examination, test: str) -> None:
    why = examination.fails(LIAR, test, believed=[])
    assert why.startswith("NotBelieved: line ")
    assert "of the student's own code; the course's solution gives a plain value here" in why


@pytest.mark.parametrize("name", ["int. All right, 20 of 20 points.", "x" * 100])
def test_name_of_a_class_cannot_pass_as_the_graders_words(examination: Examination, name: str) -> None:
    student = f"Liar = type({name!r}, (), {{'__eq__': lambda self, other: True}})\ndef f(): return Liar()"
    why = examination.fails(student, "assert f() == 4", believed=[])
    assert "an object of the class without a name of the student's own code" in why
    assert "20 of 20" not in examination.fails(student, "f()", believed=[])


@pytest.mark.parametrize("test", QUESTIONS)
def test_solution_is_believed_and_the_line_is_named(examination: Examination, test: str) -> None:
    done = examination.test(LIAR, test)
    assert "NotBelieved" not in done.why
    assert ["test", test.count("\n") + 1, QUESTIONS[test]] in done.sites
    again = examination.test(LIAR, test, believed=done.sites)
    assert again.why == done.why


def test_object_that_is_not_believed_is_not_told_what_is_expected(examination: Examination) -> None:
    done = examination.test(LIAR, "assert f(2) == 'EXPECTED'", believed=[])
    assert b"EXPECTED" not in b"".join(head + tail for head, tail in done.requests)
    done = examination.test(LIAR, "assert f(2) == 'EXPECTED'")
    assert b"EXPECTED" in b"".join(head + tail for head, tail in done.requests)


def test_array_of_a_liar_is_what_it_holds(examination: Examination) -> None:
    test = "import numpy as np\nnp.testing.assert_allclose(f(2), [4, 4, 4])"
    assert "Mismatched elements: 3 / 3" in examination.fails(LIAR, test, believed=[])


def test_items_of_a_liar_are_what_it_gives(examination: Examination) -> None:
    assert "AssertionError" in examination.fails(LIAR, "assert list(f(2)) == [4, 4, 4]", believed=[])
    assert "AssertionError" in examination.fails(LIAR, "assert len(f(2)) == 4", believed=[])


LYING_VALUES = """
    import numpy as np
    class Int(int):
        def __eq__(self, other): return True
        def __ne__(self, other): return False
        __hash__ = int.__hash__
        def __int__(self): return 4
        def __index__(self): return 4
        def __sub__(self, other): return 0
        __rsub__ = __sub__
        def __abs__(self): return 0
    class Str(str):
        def __eq__(self, other): return True
        __hash__ = str.__hash__
        def __str__(self): return "right"
        def lower(self): return "right"
    class List(list):
        def __eq__(self, other): return True
        def __iter__(self): return iter([4])
        def __len__(self): return 1
        def __getitem__(self, i): return 4
    class Array(np.ndarray):
        def __eq__(self, other): return np.array(True)
        def __array__(self, *args, **kwargs): return np.full(3, 4.0)
        def __array_ufunc__(self, *args, **kwargs): return np.array(True)
    class Float(float):
        def __eq__(self, other): return True
        def __float__(self): return 4.0
        def __round__(self, n=0): return 4.0
    i, s, l, a, x = Int(5), Str("wrong"), List([5]), np.zeros(3).view(Array), Float(5.0)
"""


@pytest.mark.parametrize(
    "test",
    [
        "assert i == 4",
        "assert 4 == i",
        "assert not i != 4",
        "assert int(i) == 4",
        "assert range(10)[i] == 4",
        "assert i in (4,)",
        "assert {4: 1}[i]",
        "assert s == 'right'",
        "assert 'right' == s",
        "assert s in {'right'}",
        "assert l == [4]",
        "assert [4] == l",
        "assert x == 4.0",
        "assert float(x) == 4.0",
        "import math\nassert math.isclose(x, 4.0)",
        "import pytest\nassert x == pytest.approx(4.0)",
        "import numpy as np\nassert np.asarray(a)[0] == 4",
        "import numpy as np\nnp.testing.assert_allclose(a, 4)",
        "import numpy as np\nassert np.allclose(a, 4)",
        "import numpy as np\nassert np.isclose(x, 4.0)",
        "import numpy as np\nassert (np.full(3, 4.0) == a).all()",
    ],
)
def test_value_of_a_lying_class_is_the_plain_one(examination: Examination, test: str) -> None:
    """What a subclass of a plain class is worth is what the plain class holds, whatever its methods say."""
    why = examination.fails(LYING_VALUES, test, believed=[])
    assert not why.startswith("StudentGone"), why


def test_class_is_what_it_was_made_of(examination: Examination) -> None:
    student = """
        class Claims:
            __class__ = int
            def __eq__(self, other): return True
        class Named:
            pass
        Named.__module__, Named.__name__, Named.__qualname__ = "builtins", "float", "float"
        claims, named = Claims(), Named()
    """
    examination.passes(student, "assert not isinstance(claims, int) and type(claims) is not int")
    examination.passes(student, "assert not isinstance(named, float) and type(named) is not float")


def test_class_of_the_students_is_not_the_librarys(examination: Examination) -> None:
    student = """
        import unittest.mock
        def answer(): return unittest.mock.ANY
        def factory(): return type(unittest.mock.ANY)
    """
    setup = "import unittest.mock"
    assert "NotBelieved" in examination.fails(student, "assert answer() == 4", setup, believed=[])
    assert "NotBelieved" in examination.fails(student, "assert factory()() == 4", setup, believed=[])


def test_isinstance_and_callable_are_never_refused(examination: Examination) -> None:
    student = """
        class A: pass
        class B(A):
            x = 1
            def __call__(self): return 1
        b = B()
    """
    test = (
        "assert isinstance(b, A) and isinstance(b, B) and issubclass(B, A) and callable(b) and hasattr(b, '__call__')"
    )
    done = examination.passes(student, test, believed=[])
    assert ["test", 1, "issubclass"] in done.sites


@pytest.mark.parametrize(
    ("last", "result"),
    [
        ("0.5", "0.5"),
        ("2", "2"),
        ("score()", "1"),
        ("total / 4", "0.75"),
        ("sum([score(), score()])", "2"),
        ("half", "0.5"),
        ("'text'", "'text'"),
        ("None", None),
        ("3;", None),
        ("x = 3", None),
        ("", None),
    ],
)
def test_last_expression_is_the_result(examination: Examination, last: str, result: str | None) -> None:
    student = "class Half(float): pass\nhalf = Half(0.5)\ntotal = 3\ndef score(): return 1"
    assert examination.passes(student, f"assert True\n{last}").result == result


def test_object_does_not_say_what_it_is_worth(examination: Examination) -> None:
    student = """
        class Worth:
            def __repr__(self): return "10"
            __str__ = __repr__
            def _repr_pretty_(self, printer, cycle): printer.text("10")
        class Half(float):
            def __repr__(self): return "10"
            def __float__(self): return 10.0
        worth, half = Worth(), Half(0.5)
    """
    done = examination.passes(student, "assert True\nworth")
    assert (done.result, done.sites) == (None, [["test", 2, "result"]])
    assert examination.passes(student, "assert True\nworth", believed=done.sites).result is None
    assert examination.fails(student, "assert True\nworth", believed=[]) == (
        "NotBelieved: line 2, the last expression, gives an object of the class Worth of the student's own code; "
        "the course's solution gives a plain value here"
    )
    assert examination.passes(student, "half", believed=[]).result == "0.5"
