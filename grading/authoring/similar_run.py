"""Run compare50 on a folder; a process of its own, since its hashes must not change from run to run.

    PYTHONHASHSEED=0 python -m grading.authoring.similar_run FOLDER TOP

FOLDER holds `own/*.py` (the class), `published/*.py` and `released/*.py` (what everybody was given). Prints JSON:
a list of [name, name, share of the first's own tokens found in the second, the reverse, matched tokens].
"""

import json
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

TOKENS, WINDOW = 25, 35
"""compare50's own: stretches of 35 equal tokens are always found, shorter ones than 25 never."""


def main(folder: Path, top: int) -> None:
    """Print the most similar pairs, compared token by token."""
    # optional, and slow to load
    from compare50 import Submission, _api, comparators, preprocessors
    from compare50._data import Preprocessor

    _api.Executor = _api.FauxExecutor  # one process: the class is small, and the order of results is fixed
    removed = [preprocessors.strip_whitespace, preprocessors.strip_comments]
    normalised = Preprocessor([*removed, preprocessors.normalize_numeric_literals, own_names])

    def read(kind: str) -> list[Submission]:
        paths = sorted((folder / kind).glob("*.py"))
        return [
            Submission(folder / kind, [path.name], preprocessor=normalised, is_archive=kind != "own") for path in paths
        ]

    own, published, released = read("own"), read("published"), read("released")
    given = {file for submission in released for file in submission.files}
    comparator = comparators.Winnowing(k=TOKENS, t=WINDOW)
    scores = comparator.score(own, published, given)
    scores.sort(key=lambda score: (-score.score, _name(score.sub_a), _name(score.sub_b)))
    found = []
    for compared in comparator.compare(scores[:top], given):
        matches = compared.span_matches
        a = _share(compared.sub_a.files[0], [pair[0] for pair in matches], compared.ignored_spans)
        b = _share(compared.sub_b.files[0], [pair[1] for pair in matches], compared.ignored_spans)
        found.append([_name(compared.sub_a), _name(compared.sub_b), a[0], b[0], max(a[1], b[1])])
    json.dump(found, sys.stdout)


def _name(submission: Any) -> str:
    return f"{submission.path.name}/{submission.files[0].name.stem}"


def own_names(tokens: Iterable[Any]) -> Iterator[Any]:
    """Make tokens in which the names that this code binds are all alike, and those of libraries are not.

    With every name alike, as in compare50's `structure`, one Keras model looks like any other.
    """
    from pygments.token import Name  # comes with compare50

    found = list(tokens)
    bound, depth, parameters = set(), 0, False
    for before, token, after in zip([None, *found], found, [*found[1:], None], strict=False):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.val, 0)
        if before is not None and before.val in ("def", "class", "for", "as"):
            bound.add(token.val)
            parameters = before.val == "def"
        elif token.type in Name and ((after is not None and after.val == "=" and depth == 0) or parameters):
            bound.add(token.val)
        parameters = parameters and token.val != ":"
    for token in found:
        if token.type in Name and token.val in bound:
            token.val = "v"
        yield token


def _share(file: Any, matches: Sequence[Any], ignored: Sequence[Any]) -> tuple[float, int]:
    """Return the share of a file's own tokens that lie in matching stretches, and how many do."""
    given, matching = _Stretches(file, ignored), _Stretches(file, matches)
    own = [token for token in file.tokens() if not given.hold(token)]
    matched = sum(matching.hold(token) for token in own)
    return (matched / len(own) if own else 0.0), matched


class _Stretches:
    """Stretches of a file, joined where they overlap."""

    def __init__(self, file: Any, spans: Sequence[Any]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted((span.start, span.end) for span in spans if span.file == file):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def hold(self, token: Any) -> bool:
        place = bisect_right(self._starts, token.start) - 1
        return place >= 0 and token.end <= self._ends[place]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
