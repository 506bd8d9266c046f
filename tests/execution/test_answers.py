"""An answer from a sandbox does no harm where it is read."""

import io
import pickle
import resource
import zipfile
from typing import Any

import numpy as np
import pytest

from grading.common.text import clean
from grading.execution.answers import MAX_BYTES, BadAnswerError, decode, read_answer


def npz(**arrays: Any) -> bytes:
    packed = io.BytesIO()
    np.savez_compressed(packed, **{name.replace("_", "/"): array for name, array in arrays.items()})
    return packed.getvalue()


def npy(header: str, data: bytes = b"") -> bytes:
    """An .npy of version 1.0 with any header."""
    padded = header.encode("latin1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + data


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.array(1),
        np.array([True]),
        np.float16(2),
        np.zeros((0, 4)),
        np.asfortranarray(np.eye(3)),
    ],
)
def test_honest_answer_comes_through(array: np.ndarray) -> None:
    got = read_answer(npz(**{"0_value": array}), 1).results[0].value
    np.testing.assert_array_equal(got, array)
    assert got.dtype == np.asarray(array).dtype


def test_errors_and_gaps_are_told_from_values() -> None:
    answer = read_answer(npz(**{"0_value": 1.0, "1_error": np.array("ValueError: no")}), 3)
    assert [result.error for result in answer.results] == ["", "ValueError: no", "No answer came back."]
    assert answer.failure == "ValueError: no"


def test_stacked_cases_are_told_apart() -> None:
    values = np.arange(6.0).reshape(3, 2)
    answer = read_answer(npz(**{"0-2_value": values, "3_error": np.array("no"), "4-4_value": np.array([7])}), 5)
    assert [result.error for result in answer.results] == ["", "", "", "no", ""]
    np.testing.assert_array_equal([result.value for result in answer.results[:3]], values)
    assert answer.results[4].value.shape == ()


def test_several_arrays_keep_their_order() -> None:
    answer = read_answer(npz(**{f"0_item_{n}": float(n) for n in reversed(range(12))}), 1)
    assert [float(array) for array in answer.results[0].arrays] == list(range(12))


def one(header: str, data: bytes = b"") -> bytes:
    """An answer of one array with any header."""
    return zipped({"0/value.npy": npy(header, data)})


def described(descr: str, shape: str, data: bytes = b"") -> bytes:
    return one(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}", data)


def encrypted(packed: bytes) -> bytes:
    flags = packed.index(b"PK\x01\x02") + 8
    return packed[:flags] + bytes([packed[flags] | 1]) + packed[flags + 1 :]


HOSTILE = {
    "pickle": zipped({"0/value.npy": pickle.dumps([1])}),
    "object array": npz(**{"0_value": np.array([{}], dtype=object)}),
    "structured": npz(**{"0_value": np.zeros(2, dtype=[("a", "f8")])}),
    "dates": npz(**{"0_value": np.zeros(2, dtype="M8[s]")}),
    "complex": npz(**{"0_value": np.zeros(2, dtype=complex)}),
    "not a zip": b"PK\x03\x04 nothing",
    "empty": b"",
    "unknown member": zipped({"../../etc/passwd": b"x"}),
    "case that was not asked": npz(**{"7_value": 1.0}),
    "stack of cases that were not asked": npz(**{"0-1_value": np.zeros(2)}),
    "stack of too few": npz(**{"0-0_value": np.zeros(2)}),
    "stack of nothing": npz(**{"0-0_value": np.zeros(())}),
    "stack backwards": npz(**{"1-0_value": np.zeros(0)}),
    "stacks that overlap": npz(**{"0-0_value": np.zeros(1), "00-00_value": np.zeros(1)}),
    "huge shape": described("'<f8'", "(10000000000000,)"),
    "negative shape": described("'<f8'", "(-1,)"),
    "shape of true": described("'<f8'", "(True,)", bytes(8)),
    "many dimensions": described("'<f8'", str((1,) * 40), bytes(8)),
    "code as header": one("__import__('os').system('true')"),
    "deep header": one("(" * 900),
    "header of a list": one("[1]"),
    "header that is not hashable": described("['<f8']", "3"),
    "object in words": described("'|O'", "(1,)", bytes(8)),
    "impossible dtype": described("'<f99'", "(1,)", bytes(99)),
    "text of a size that overflows": described("'<U99999999999'", "()"),
    "zero-size items": described("'<U0'", "(1000000000,)"),
    "bomb": zipped({"0/value.npy": bytes(200 * 2**20)}),
    "many members": zipped({f"0/item/{n}.npy": b"" for n in range(25_000)}, zipfile.ZIP_STORED),
    "truncated": npz(**{"0_value": np.arange(1000.0)})[:-60],
    "encrypted": encrypted(npz(**{"0_value": 1.0})),
    "text": npz(**{"0_value": np.array(["1.0"])}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answer_is_lost_and_nothing_else(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = read_answer(HOSTILE[name], 1)
    assert answer.failure, name
    assert answer.lost or answer.results[0].error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_random_damage_never_raises() -> None:
    honest = npz(**{"0_value": np.arange(20.0), "1_error": np.array("no"), "2_item_0": np.eye(2)})
    random = np.random.default_rng(0)
    for _ in range(3000):
        damaged = bytearray(honest)
        for _ in range(random.integers(1, 6)):
            damaged[random.integers(len(damaged))] = random.integers(256)
        read_answer(bytes(damaged), 3)


def test_long_or_strange_text_is_not_decoded() -> None:
    with pytest.raises(BadAnswerError, match="larger"):
        decode("A" * (2 * MAX_BYTES + 1))
    with pytest.raises(BadAnswerError):
        decode("é")
    assert decode("YQ==") == b"a"


def test_message_is_one_short_printable_line() -> None:
    assert clean("a\n\x1b[31mb\x00\u202e c") == "a b?? c"
    assert len(clean("x" * 10_000)) == 500


@pytest.mark.parametrize("code_point", [0x7FFFFFFF, 0x110000])
@pytest.mark.parametrize("name", ["0_error", "0_value", "0-1_value"])
def test_text_of_impossible_characters_is_an_answer_that_was_lost(name: str, code_point: int) -> None:
    text = np.array([code_point] * 2, np.uint32).view("<U1")
    answer = read_answer(npz(**{name: text}), 2)
    assert answer.lost == "The answer could not be read: an array in it holds characters that do not exist."
