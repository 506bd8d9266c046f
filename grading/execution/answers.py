"""Answers that came out of a sandbox. Everything here is hostile: sizes are checked before memory is taken.

The format is `.npz`: for case i either `i/error` (text), or `i/value` (one array), or `i/item/0`, `i/item/1`...
(several arrays), or for cases i to j `i-j/value` (their arrays, stacked). Pickle is refused, so are objects, dates and
structured types.
"""

import ast
import base64
import io
import logging
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib import format as npy

from grading.common.text import clean
from grading.scoring.questions import Answer, Array, Result

log = logging.getLogger(__name__)

MAX_BYTES = 4 * 2**20
"""Largest answer to one question, packed or not."""
MAX_ARRAYS = 20_000
MAX_DIMENSIONS = 9
"""Of an array, or a stack of them."""
_NAME = re.compile(r"(\d{1,5})/(?:(error)|(value)|item/(\d{1,3}))\.npy")
_STACK = re.compile(r"(\d{1,5})-(\d{1,5})/value\.npy")
_PLAIN = re.compile(r"[<>|=]?(?:[biuf]\d+|\?|U\d+)")


class BadAnswerError(ValueError):
    """Bytes that are not an answer; the message is for the student."""


def read_answer(packed: bytes, cases: int) -> Answer:
    """Read the answer in an `.npz`; one that breaks a rule is an answer that was lost, with the reason."""
    try:
        return Answer(_results(_arrays(packed), cases))
    except BadAnswerError as error:
        return Answer(lost=f"The answer could not be read: {error}.")
    except Exception as error:  # this is a border: whatever was made to hurt has hurt nobody but its sender
        log.warning("an answer made its reader stumble: %s: %s", type(error).__name__, error)
        return Answer(lost="The answer could not be read: it is not what the question sends.")


def decode(text: str) -> bytes:
    """Decode base64 to bytes. Raises BadAnswerError for what is too long or something else."""
    if len(text) > 2 * MAX_BYTES:
        raise BadAnswerError(f"it is larger than {MAX_BYTES} bytes")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadAnswerError("it is not what the question sends") from error


def _arrays(packed: bytes) -> dict[str, Array]:
    if len(packed) > MAX_BYTES:
        raise BadAnswerError(f"it is larger than {MAX_BYTES} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = archive.infolist()
            if len(members) > MAX_ARRAYS:
                raise BadAnswerError(f"it has more than {MAX_ARRAYS} arrays")
            if sum(member.file_size for member in members) > MAX_BYTES:
                raise BadAnswerError(f"it unpacks to more than {MAX_BYTES} bytes")
            return {member.filename: _array(archive.read(member)) for member in members}
    except BadAnswerError:
        raise
    except Exception as error:  # zipfile and zlib have many ways to stumble over a file that was made to hurt
        raise BadAnswerError("it is not an .npz file, or a damaged one") from error


def _array(content: bytes) -> Array:
    """Read an array from the bytes of a `.npy`; its header is not believed before it agrees with its length."""
    stream = io.BytesIO(content)
    try:
        version = npy.read_magic(stream)
        size = int.from_bytes(stream.read(2 if version == (1, 0) else 4), "little")
        header = _header(stream.read(min(size, 1000)))
        descr, shape, fortran = header["descr"], header["shape"], header["fortran_order"]
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as error:
        raise BadAnswerError("an array in it has no proper header") from error
    if not isinstance(descr, str) or not _PLAIN.fullmatch(descr):
        raise BadAnswerError("an array in it holds something other than numbers")
    if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)):
        raise BadAnswerError("an array in it has an impossible shape")
    if len(shape) > MAX_DIMENSIONS:
        raise BadAnswerError(f"an array in it has more than {MAX_DIMENSIONS} dimensions")
    data = content[stream.tell() :]
    try:
        dtype = np.dtype(descr)
    except TypeError as error:
        raise BadAnswerError("an array in it holds something other than numbers") from error
    count = 1
    for n in shape:
        count *= n
    if count * dtype.itemsize != len(data):
        raise BadAnswerError("an array in it is not as long as it says")
    if not len(data):
        return np.zeros(shape, dtype)
    if dtype.kind == "U" and not _is_text(data, dtype):
        raise BadAnswerError("an array in it holds characters that do not exist")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _is_text(data: bytes, dtype: np.dtype[Any]) -> bool:
    """Return whether UTF-32 data holds code points only: NumPy believes it, and `str` of anything else fails."""
    return bool((np.frombuffer(data, f"{dtype.byteorder}u4") <= sys.maxunicode).all())


@lru_cache(maxsize=1000)
def _header(content: bytes) -> Mapping[str, Any]:
    """Read the header of a `.npy`; kept, since the few kinds of headers come again and again."""
    header: Mapping[str, Any] = ast.literal_eval(content.decode("latin1").strip())
    return header


def _results(arrays: Mapping[str, Array], cases: int) -> tuple[Result, ...]:
    found: dict[int, dict[str, Array]] = {}
    for name, array in arrays.items():
        if stack := _STACK.fullmatch(name):
            for case, part in _unstacked(array, int(stack[1]), int(stack[2]), cases):
                if "value" in found.setdefault(case, {}):
                    raise BadAnswerError("it answers a case twice")
                found[case]["value"] = part
            continue
        match = _NAME.fullmatch(name)
        if match is None or int(match[1]) >= cases:
            raise BadAnswerError("it holds something that was not asked for")
        found.setdefault(int(match[1]), {})[match[2] or match[3] or match[4]] = array
    return tuple(_result(found.get(index, {})) for index in range(cases))


def _unstacked(array: Array, first: int, last: int, cases: int) -> Iterator[tuple[int, Array]]:
    if not first <= last < cases or not array.ndim or len(array) != last - first + 1:
        raise BadAnswerError("it holds something that was not asked for")
    return ((first + index, array[index, ...]) for index in range(len(array)))


def _result(parts: Mapping[str, Array]) -> Result:
    if "error" in parts:
        words = "".join(str(word) for word in parts["error"].ravel()[:1])
        return Result(error=clean(words) or "an error without words")
    if any(array.dtype.kind == "U" for array in parts.values()):
        return Result(error="Text came back where numbers were asked for.")
    if "value" in parts:
        return Result((parts["value"],))
    items = [parts[key] for key in sorted(parts, key=int)]
    return Result(tuple(items), several=True) if items else Result(error="No answer came back.")
