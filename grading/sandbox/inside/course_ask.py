"""Puts one question to the student's objects and publishes the answer. Runs inside, where nothing is trusted."""

import base64
import io
import json
from pathlib import Path

ANSWER = "application/x-course-answer"


def ask(folder, index, namespace):
    """Evaluate question `index` of `folder` for each of its cases; the answer leaves as a display message."""
    import numpy as np  # slow to load, and seeded when the student's code first imports it
    from IPython.display import publish_display_data

    question = json.loads((Path(folder) / f"{index}.json").read_text(encoding="utf-8"))
    code = compile(question["code"], f"<question {question['name']}>", "eval")
    parts, results = {}, {}
    with np.load(Path(folder) / f"{index}.npz", allow_pickle=False) as inputs:
        arrays = dict(inputs)
    for case, names in enumerate(question["cases"]):
        values = {name: _input(arrays, case, name) for name in names}
        try:
            value = eval(code, {**namespace, **values})
            if question["several"]:
                parts.update(_items(np, case, value))
            else:
                results[case] = _numbers(np, value)
        except KeyboardInterrupt:
            parts[f"{case}/error"] = np.array("It took too long and was interrupted.")
            break
        except BaseException as error:  # SystemExit too: the other cases are asked all the same
            parts[f"{case}/error"] = np.array(f"{type(error).__name__}: {error}"[:500])
    packed = io.BytesIO()
    np.savez_compressed(packed, **parts, **_stacked(np, results))
    publish_display_data({ANSWER: base64.b64encode(packed.getvalue()).decode("ascii")})


def _input(arrays, case, name):
    """Return an input of a case, of its own or out of a stack of all cases."""
    return arrays[name][case, ...].copy() if name in arrays else arrays[f"{case}/{name}"]


def _items(np, case, value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return {f"{case}/item/{index}": _numbers(np, item) for index, item in enumerate(value)}
    return {f"{case}/value": _numbers(np, value)}


def _stacked(np, results):
    """Stack neighbouring results of one shape and dtype: fewer arrays to pack, and to read outside."""
    runs = []
    for case, array in results.items():
        last = runs[-1] if runs else None
        if last and last[-1] == case - 1 and _alike(results[last[-1]], array):
            last.append(case)
        else:
            runs.append([case])
    return {f"{run[0]}-{run[-1]}/value": np.stack([results[case] for case in run]) for run in runs}


def _alike(one, other):
    return one.dtype == other.dtype and one.shape == other.shape


def _numbers(np, value):
    if value is None:
        raise TypeError("None came back: is a `return` missing?")
    array = np.asarray(value)
    if array.dtype.kind not in "biufU":
        raise TypeError(f"a {type(value).__name__} came back, which is not an array of numbers")
    return array
