"""Puts one question to the student's objects and publishes the answer. Runs inside, where nothing is trusted."""

import base64
import io
import json
from pathlib import Path

ANSWER = "application/x-course-answer"


def ask(folder, index, namespace):
    """Evaluate question `index` of `folder` for each of its cases; the answer leaves as a display message."""
    import numpy as np
    from IPython.display import publish_display_data

    question = json.loads((Path(folder) / f"{index}.json").read_text(encoding="utf-8"))
    code = compile(question["code"], f"<question {question['name']}>", "eval")
    parts = {}
    with np.load(Path(folder) / f"{index}.npz", allow_pickle=False) as inputs:
        for case, names in enumerate(question["cases"]):
            values = {name: inputs[f"{case}/{name}"] for name in names}
            try:
                value = eval(code, {**namespace, **values})
                parts.update(_parts(np, case, value, question["several"]))
            except KeyboardInterrupt:
                parts[f"{case}/error"] = np.array("It took too long and was interrupted.")
                break
            except BaseException as error:  # SystemExit too: the other cases are asked all the same
                parts[f"{case}/error"] = np.array(f"{type(error).__name__}: {error}"[:500])
    packed = io.BytesIO()
    np.savez_compressed(packed, **parts)
    publish_display_data({ANSWER: base64.b64encode(packed.getvalue()).decode("ascii")})


def _parts(np, case, value, several):
    if several and isinstance(value, dict):
        value = list(value.values())
    if several and isinstance(value, (list, tuple)):
        return {f"{case}/item/{index}": _plain(np, item) for index, item in enumerate(value)}
    return {f"{case}/value": _plain(np, value)}


def _plain(np, value):
    if value is None:
        raise TypeError("None came back: is a `return` missing?")
    array = np.asarray(value)
    if array.dtype.kind not in "biufU":
        raise TypeError(f"a {type(value).__name__} came back, which is not an array of numbers")
    return array
