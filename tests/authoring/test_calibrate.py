"""Proposed thresholds let honest good work pass, and nothing that is bad."""

import json
from pathlib import Path

import numpy as np
import pytest
from classes import tiny_course
from notebooks import ASSIGNMENT, ROOT

from grading.authoring.calibrate import (
    BAD,
    GOOD,
    PASSING,
    STEP,
    Proposal,
    Runs,
    propose,
    write_report,
    write_thresholds,
)
from grading.errors import GradingError

KEY = "data/representation"


def runs(name: str, role: str, mean: float, spread: float = 0.2, seeds: int = 10, images: int = 100) -> Runs:
    """A submission whose seeds reach about `mean`, each image varying around it."""
    random = np.random.default_rng(int(mean * 1000))
    seed_means = mean + random.normal(0, 0.01, (seeds, 1))
    return Runs(name, role, {"mean_iou": np.clip(seed_means + random.normal(0, spread, (seeds, images)), 0, 1)})


def proposal(bad: float = 0.1, start: float = 0.3, now: float = 0.6) -> Proposal:
    known = [runs("better", GOOD, 0.5), runs("best", GOOD, 0.7), runs("bad", BAD, bad)]
    return propose(KEY, {"mean_iou": now}, known, {"mean_iou": np.full(100, start)})


def test_good_work_passes_and_bad_work_never() -> None:
    found = proposal()
    assert found.passing["better"] >= PASSING
    assert found.passing["best"] >= PASSING
    assert found.passing["bad"] == 0
    assert found.problems == []


def test_threshold_is_as_high_as_the_weakest_good_work_allows() -> None:
    """For one threshold: about three in a hundred samples of the weaker one fail, and with one step more, more do."""
    found = proposal()
    assert 0.42 < found.proposed["mean_iou"] < 0.48
    assert found.proposed["mean_iou"] / STEP == pytest.approx(round(found.proposed["mean_iou"] / STEP))


def test_share_that_would_fail_is_given_with_an_interval() -> None:
    found = {item.submission: item for item in proposal().failing}
    assert 0 < found["better"].share <= 1 - PASSING
    assert found["better"].low <= found["better"].share <= found["better"].high
    assert found["best"].share == 0


def test_points_start_at_what_needs_no_solution() -> None:
    assert proposal(start=0.301).proposed["mean_iou_start"] == 0.305


def test_bad_work_that_passes_is_a_problem() -> None:
    assert any("bad, which is bad, passes" in problem for problem in proposal(bad=0.49).problems)


def test_start_above_the_threshold_is_a_problem() -> None:
    assert any("needs no solution reaches" in problem for problem in proposal(start=0.6).problems)


def test_proposal_is_the_same_each_time() -> None:
    assert proposal().proposed == proposal().proposed
    assert proposal().failing == proposal().failing


def test_writing_thresholds_keeps_other_entries(tmp_path: Path) -> None:
    (tmp_path / "thresholds.json").write_text(json.dumps({"other/x": {"mean_iou": 0.1}, KEY: {"mean_iou": 0.6}}))
    write_thresholds(tmp_path, proposal())
    written = json.loads((tmp_path / "thresholds.json").read_text())
    assert written["other/x"] == {"mean_iou": 0.1}
    assert written[KEY]["mean_iou"] == proposal().proposed["mean_iou"]
    assert "10 seeds, 100 images" in written[KEY]["measured"]


def test_nothing_is_written_where_there_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "thresholds.json").write_text("{}")
    with pytest.raises(GradingError, match="nothing was written"):
        write_thresholds(tmp_path, proposal(bad=0.49))
    assert (tmp_path / "thresholds.json").read_text() == "{}"


def test_report_says_what_was_proposed_and_why(tmp_path: Path) -> None:
    page = write_report(proposal(), tmp_path, "course calibrate x").read_text()
    assert "| mean_iou | 0.6 |" in page
    assert "| better | mean_iou |" in page
    assert (tmp_path / "calibration.svg").read_text().count("<svg") == 1


def planted(course: Path, name: str, role: str, source: str) -> None:
    folder = course / "source" / ASSIGNMENT / "planted" / name
    folder.mkdir(parents=True)
    (folder / "expected.json").write_text(json.dumps({"why": "", "points": {}, "calibration": role}))
    (folder / "area.py").write_text(source)


def test_planted_submissions_are_executed_with_each_seed(tmp_path: Path, bubblewrap: None) -> None:
    from classes import quick

    from grading.authoring.calibrate import measure

    course = tiny_course(tmp_path / "repository")
    scoring = course / "source" / ASSIGNMENT / "scoring.py"
    scoring.write_text(
        scoring.read_text() + "\n\ndef outcomes(answers, context):\n"
        "    import numpy as np\n"
        "    return {'minimum': np.array([float(r.value) / 100 for r in answers['area'].results])}\n\n\n"
        "def thresholds_key(context):\n    return 'minimum'\n"
    )
    seeded = "import random\ndef area(box):\n    return 50 + random.random()"
    planted(course, "good", GOOD, seeded)
    planted(course, "bad", BAD, "def area(box):\n    return 1")
    _, found = measure(course, ASSIGNMENT, tmp_path / "class", quick(repeats=3))
    good = {run.name: run for run in found}["good"].outcomes["minimum"]
    assert good.shape == (3, 4)
    assert len(np.unique(good[:, 0])) == 3


def test_assignment_without_roles_is_refused(tmp_path: Path, bubblewrap: None) -> None:
    from classes import quick

    from grading.authoring.calibrate import measure

    course = tiny_course(tmp_path / "repository")
    planted(course, "good", GOOD, "")
    with pytest.raises(GradingError, match='or none "bad"'):
        measure(course, ASSIGNMENT, tmp_path / "class", quick())


def test_own_planted_submissions_have_their_roles() -> None:
    from grading.authoring.planted import read_planted

    roles = {item.name: item.calibration for item in read_planted(ROOT / "source" / "object_detection" / "planted")}
    assert {name for name, role in roles.items() if role == GOOD} == {"solution", "published_better_model"}
    assert {name for name, role in roles.items() if role == BAD} >= {"bad_model"}
