"""What a test can do with the student's objects, as if they were its own."""

from examined import Examination, examination  # noqa: F401


def test_function_is_called(examination: Examination) -> None:  # noqa: F811
    done = examination.passes(
        "def squares(n):\n    return [i ** 2 for i in range(n)]", "assert squares(3) == [0, 1, 4]"
    )
    assert done.asked == 2
    assert done.sites == []
