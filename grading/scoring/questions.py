"""Questions to a submission, its answers, and what they are worth: the words of every `scoring.py`.

An assignment whose notebooks do not say all has a `source/<assignment>/scoring.py`, which may define::

    def questions(context: Context) -> list[Question]: ...
    def score(answers: Mapping[str, Answer], context: Context) -> dict[str, Score]: ...   # by question

`score` gives points for some of the graded cells, or all: by grade id, or `<notebook>/<grade id>` where two notebooks
have the same one. Where it gives some only, `scored(context)` must name them, and for the others the tests of the
notebook decide. And, if the course data would give answers away,
`student_view`: what of it student code may see::

    def student_view(context: Context, folder: Path) -> dict[str, Path]: ...

Questions go into the sandbox, expected values never do. `score` runs outside, in a process that has never run
student code; it gets plain arrays of numbers and must expect any shape, dtype, NaN, or no answer at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Context:
    """Data that an assignment's scoring may read."""

    source: Path
    """The assignment's folder: thresholds and the like lie there."""
    data: Path | None = None
    """The course data, whole, with every label."""
    withheld: Path | None = None
    """Data that no student's code sees anything of, but as inputs to questions: what it is, the assignment says."""
    max_points: Mapping[str, float] = field(default_factory=dict)
    """Points that can be had, by question."""


@dataclass(frozen=True)
class Question:
    """An expression to evaluate in the student's kernel, once for each case.

    A case gives values to names; `code` is a Python expression over these and the student's own names.
    If `several`, a list, tuple or dict that comes out is an answer of several arrays (a model's heads);
    otherwise whatever comes out must be one array of numbers (or something `numpy.asarray` makes one of).
    """

    name: str
    code: str
    cases: Sequence[Mapping[str, Array]] = ({},)
    several: bool = False
    notebook: str = ""
    """Name of the notebook whose kernel is asked; needed where the assignment has several."""


@dataclass(frozen=True)
class Result:
    """Outcome of one case: arrays, or the exception in words."""

    arrays: tuple[Array, ...] = ()
    error: str = ""
    several: bool = False
    """Whether the student's object gave a list, tuple or dict of arrays rather than one array."""

    @property
    def value(self) -> Any:
        """The value as the student's code gave it: an array, or a list of arrays; None after an exception."""
        if self.error:
            return None
        return list(self.arrays) if self.several else self.arrays[0]


@dataclass(frozen=True)
class Answer:
    """Answer to one question: a result for each case, or why there is none."""

    results: tuple[Result, ...] = ()
    lost: str = ""
    """Why the whole question has no answer (the kernel died, time was over...), in words for the student."""

    @property
    def failure(self) -> str:
        """The first thing that went wrong, or an empty string."""
        return self.lost or next((result.error for result in self.results if result.error), "")


@dataclass(frozen=True)
class Score:
    """Points for one grade cell, and why, in words for the student."""

    points: float
    reason: str
    facts: Mapping[str, float] = field(default_factory=dict)
    """Figures worth keeping in the record: mean IoU, class accuracy..."""


def predict(name: str, model: str, inputs: Array) -> Question:
    """Ask what a model predicts for `inputs`; `model` is an expression, such as `better_model`."""
    return Question(name, f"({model}).predict(inputs, verbose=0)", ({"inputs": inputs},), several=True)


def call(name: str, function: str, cases: Iterable[Sequence[Any]]) -> Question:
    """Ask what a function returns for each tuple of positional arguments, which arrive as arrays."""
    arrays = [[np.asarray(argument) for argument in case] for case in cases]
    width = {len(case) for case in arrays}
    if len(width) != 1:
        raise ValueError(f"question {name!r}: every case must have the same number of arguments, not {width}")
    names = [f"argument_{index}" for index in range(width.pop())]
    return Question(
        name, f"{function}({', '.join(names)})", tuple(dict(zip(names, case, strict=True)) for case in arrays)
    )


def share_right(answer: Answer, expected: Sequence[Any], tolerance: float = 1e-6) -> tuple[float, str]:
    """Return the share of the cases answered as expected, and the first thing that was not, in words.

    A result is right if it has the expected shape and every number is within `tolerance` of the expected one,
    absolutely and relatively. NaN is never right.
    """
    if answer.lost:
        return 0.0, answer.lost
    if len(answer.results) != len(expected):
        return 0.0, f"{len(answer.results)} of {len(expected)} cases were answered"
    problems = [
        (index, problem)
        for index, (result, wanted) in enumerate(zip(answer.results, expected, strict=True))
        if (problem := _difference(result, np.asarray(wanted), tolerance))
    ]
    right = len(expected) - len(problems)
    if not problems:
        return 1.0, ""
    index, problem = problems[0]
    return right / len(expected), f"{right} of {len(expected)} cases are right; case {index + 1}: {problem}"


def _difference(result: Result, wanted: Array, tolerance: float) -> str:
    if result.error:
        return result.error
    if result.several or len(result.arrays) != 1:
        return "several arrays came back where one was asked for"
    got = result.arrays[0]
    if got.dtype.kind not in "biuf":
        return f"what came back is not numbers but {got.dtype}"
    if got.shape != wanted.shape:
        return f"the shape is {got.shape}, it should be {wanted.shape}"
    if not _all_close(got.astype(float), wanted.astype(float), tolerance):
        return "the value is not right" if wanted.size == 1 else "not every value is right"
    return ""


def _all_close(got: Array, wanted: Array, tolerance: float) -> bool:
    """Compare as `numpy.allclose` for finite expected values, without its price for thousands of small arrays."""
    with np.errstate(invalid="ignore", over="ignore"):
        return bool((np.abs(got - wanted) <= tolerance + tolerance * np.abs(wanted)).all())
