"""Weights of another network are read from a file that somebody else has written."""

import os
import pickle
from pathlib import Path

import pytest
from other_network import read_weights


class Command:
    """What runs a command as soon as it is unpickled in the ordinary way."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("exit 1",)


def test_nothing_that_a_file_of_weights_names_is_run(tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    file.write_bytes(pickle.dumps(Command()))
    with pytest.raises(pickle.UnpicklingError, match="system is not expected in a file of weights"):
        read_weights(file)
