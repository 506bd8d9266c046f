"""What the thresholds rest on: the solution and the bad model, over seeds, on scenes and photographs."""

import pytest
import seeds
from photographs import photographs

from helpers.sample import make_sample


@pytest.mark.slow
@pytest.mark.voc
def test_solution_beats_bad_model_over_five_seeds_on_real_photographs(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():  # a figure that is asserted is shown, too
        scores = seeds.measure(photographs(), ["solution", "bad_model"], seeds=5)
    assert scores["solution"][:, 1].mean() >= 0.50
    assert scores["bad_model"][:, 1].mean() <= 0.25


@pytest.mark.slow
def test_model_learns_to_name_and_find_objects_in_the_sample() -> None:
    scores = seeds.measure(make_sample(), ["solution", "bad_model"], seeds=3)
    assert scores["solution"][:, 0].min() >= 0.85
    assert scores["solution"][:, 1].min() >= 0.5
    assert scores["bad_model"][:, 1].max() <= 0.3
