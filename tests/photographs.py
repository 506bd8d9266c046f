"""The real photographs that a few tests look at, with their representations."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


def photographs() -> Path:
    """Return a data folder of the real photographs, whose representations the project extracts once; else skip."""
    root, weights = SHARED / "data/VOCdevkit", SHARED / "weights/resnet50_notop_approx.weights.h5"
    if not (root.is_dir() and weights.is_file()):
        pytest.skip("the real photographs and weights (../shared) are not here")
    from grading.cli.authoring import voc_folder

    return voc_folder(ROOT, root, str(weights))
