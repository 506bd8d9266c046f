"""What a test can do with the student's objects, as if they were its own."""

from examined import Examination


def test_function_is_called(examination: Examination) -> None:
    squares = "def squares(n):\n    return [i ** 2 for i in range(n)]"
    done = examination.passes(squares, "assert squares(3) == [0, 1, 4]")
    assert done.asked == 2
    assert done.sites == []
