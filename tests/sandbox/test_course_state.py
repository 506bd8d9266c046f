"""What a test changes beside its questions: seeds, names, files, and shapes of arrays, and when the student sees it."""

from pathlib import Path

import pytest
from examined import Examination

DICE = """
    import random
    import numpy as np
    def throw(): return [random.randint(1, 6) for _ in range(10)]
    def draw(): return np.random.rand(10).tolist()
"""


def test_seed_that_is_set_again_reaches_the_students_code(examination: Examination) -> None:
    test = """
        import random
        random.seed(5)
        first = throw()
        random.seed(5)
        assert throw() == first
        state = random.getstate()
        assert state == random.getstate()
        np.random.seed(7)
        numbers = draw()
        np.random.seed(7)
        assert draw() == numbers
        assert draw() != numbers
    """
    examination.passes(DICE, test, "import numpy as np")


def test_seed_by_a_name_of_its_own_reaches_the_students_code(examination: Examination) -> None:
    setup = """
        from random import seed
        from numpy.random import seed as set_seed
    """
    test = """
        seed(5)
        first = throw()
        seed(5)
        assert throw() == first
        set_seed(7)
        numbers = draw()
        set_seed(7)
        assert draw() == numbers
    """
    examination.passes(DICE, test, setup)


def test_seed_taken_by_name_from_a_numpy_that_comes_late_reaches_the_students_code(tmp_path: Path) -> None:
    server = Examination(tmp_path, imports=[])
    test = "set_seed(7)\nnumbers = draw()\nset_seed(7)\nassert draw() == numbers"
    try:
        server.passes(DICE, test, "from numpy.random import seed as set_seed")
    finally:
        server.close()


def test_seed_at_the_end_of_a_test_stays_for_the_next(examination: Examination) -> None:
    with examination.submission(DICE.replace("\n    ", "\n"), "import numpy as np") as talk:
        assert talk.test("import random\nrandom.seed(3)\nfirst = throw()\nrandom.seed(3)", cell="one").error is None
        assert talk.test("assert throw() == first", cell="two").error is None


LAST = {
    "name": ("squares = [9]", "squares", "[9]"),
    "deleted": ("del unit", "'unit' in globals()", "False"),
    "file": ("open('last.txt', 'w').write('written')", "open('last.txt').read()", "written"),
    "variable": ("os.environ['LAST'] = 'yes'", "os.environ['LAST']", "yes"),
    "seed": ("random.seed(4)", "random.randint(1, 10**6) == random.Random(4).randint(1, 10**6)", "True"),
}


@pytest.mark.parametrize("ending", ["", "assert False", "raise SystemExit"])
@pytest.mark.parametrize("what", LAST)
def test_last_act_of_a_test_is_seen_by_the_student_however_it_ends(
    examination: Examination, what: str, ending: str
) -> None:
    last, looks, expected = LAST[what]
    student = f"import os, random\nsquares = [1, 4]\nunit = 'cm'\ndef look(): return {looks}"
    with examination.submission(student, "import os, random") as talk:
        talk.test(f"look if True else (squares, unit)\n{last}\n{ending}", cell="one")
        assert talk.test("print(look())", cell="two").said == f"{expected}\n"


def test_nothing_is_asked_at_the_end_where_nothing_has_changed(examination: Examination) -> None:
    assert examination.passes("def f(): return 1", "assert f() == 1").asked == 2


def test_name_that_a_test_has_bound_anew_is_the_students_in_the_next(examination: Examination) -> None:
    student = """
total = 0
def add(amount):
    global total
    total += amount
"""
    with examination.submission(student) as talk:
        first = talk.test("total = 100\nadd(1)\nassert total == 101, total", cell="one")
        assert first.error is None, first.why
        second = talk.test("before = total\nadd(-1)\nassert total == before - 1, (before, total)", cell="two")
        assert second.error is None, second.why


def test_array_is_given_another_shape_in_place(examination: Examination) -> None:
    student = """
        def flatten(matrix):
            matrix.shape = (-1,)
            matrix[0] = 7
        def turn(matrix):
            matrix.shape = (3, 2)
    """
    test = """
        matrix = np.zeros((2, 3))
        view = matrix
        flatten(matrix)
        assert matrix.shape == (6,) and view[0] == 7 and view is matrix
        turn(matrix)
        assert matrix.shape == (3, 2) and matrix[0, 0] == 7
    """
    examination.passes(student, test, "import numpy as np")


def test_array_is_never_given_another_size_while_it_is_seen_through_others(examination: Examination) -> None:
    student = """
        def grow(matrix):
            try:
                matrix.resize(2_000_000, refcheck=False)
            finally:
                pass
    """
    test = """
        matrix = np.zeros((2, 3))
        view = matrix.T
        grow(matrix)
    """
    assert "a value is changed in a way that it cannot change" in examination.fails(student, test, "import numpy as np")
