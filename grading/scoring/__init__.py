"""Questions to a submission and what they are worth: the words in which an assignment's `scoring.py` speaks.

In: answers, as plain arrays.
Out: points with reasons, and what a page shows beside them, as data.
Called by `source/<assignment>/scoring.py`, which imports this and `helpers` and nothing else of the course, and by
every room that reads answers or explains points. Names are looked up when they are first used: NumPy is slow to load,
and a run with nothing to do needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_QUESTIONS = ("Answer", "Array", "Context", "Question", "Result", "Score", "call", "predict", "share_right")
_ROOMS = {
    "grading.scoring.questions": _QUESTIONS,
    "grading.scoring.explanation": ("DrawnBox", "Explanation", "Gallery", "Measure", "Picture", "Table"),
    "grading.common.files": ("built_once",),
    "grading.errors": ("GradingError",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [*_ROOM_OF, "explanation", "questions"]

if TYPE_CHECKING:
    from grading.common.files import built_once as built_once
    from grading.errors import GradingError as GradingError
    from grading.scoring.explanation import DrawnBox as DrawnBox
    from grading.scoring.explanation import Explanation as Explanation
    from grading.scoring.explanation import Gallery as Gallery
    from grading.scoring.explanation import Measure as Measure
    from grading.scoring.explanation import Picture as Picture
    from grading.scoring.explanation import Table as Table
    from grading.scoring.questions import Answer as Answer
    from grading.scoring.questions import Array as Array
    from grading.scoring.questions import Context as Context
    from grading.scoring.questions import Question as Question
    from grading.scoring.questions import Result as Result
    from grading.scoring.questions import Score as Score
    from grading.scoring.questions import call as call
    from grading.scoring.questions import predict as predict
    from grading.scoring.questions import share_right as share_right


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module 'grading.scoring' has no attribute {name!r}")
    return getattr(import_module(room), name)
