"""The scale of points is judged by what planted submissions reach, and a proposed one keeps every rule."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classes import tiny_course
from notebooks import ASSIGNMENT, ROOT

from grading.authoring.calibrate import (
    STEP,
    Meter,
    Proposal,
    Runs,
    propose,
    rules,
    write_report,
    write_thresholds,
)
from grading.authoring.planted import Bound, read_planted
from grading.errors import GradingError, ReleaseError
from helpers.checks import partial_credit

KEY = "data/representation"
MOST = {"test": 15.0}
GOOD, BETTER, BAD = Bound(at_least=16), Bound(at_least=18), Bound(at_most=5)


def measured(drawn: Mapping[str, Any]) -> dict[str, float]:
    return {"gain": float(drawn["gain"].mean())}


def worth(found: Mapping[str, float], minimum: Mapping[str, float], most: Mapping[str, float]) -> dict[str, float]:
    return {"test": partial_credit(found["gain"], minimum["gain_start"], minimum["gain"], int(most["test"]))}


METER = Meter(measured, worth, MOST, ("gain",))


def runs(name: str, bound: Bound, mean: float, spread: float = 0.2, seeds: int = 10, seed_spread: float = 0.01) -> Runs:
    """A submission whose seeds gain about `mean`, each of 100 images varying around it."""
    random = np.random.default_rng(int(mean * 1000) + 1)
    of_seed = mean + random.normal(0, seed_spread, seeds)
    images = random.normal(0, spread, 100)  # hard and easy for each seed alike
    images -= images.mean()
    return Runs.of(name, bound, [{"gain": one + images} for one in of_seed], METER, other=5)


def planted(bad: float = 0.0, good: float = 0.5, better: float = 0.7) -> list[Runs]:
    return [runs("bad", BAD, bad), runs("good", GOOD, good), runs("better", BETTER, better)]


def broken(known: Sequence[Runs], start: float = 0.1, full: float = 0.4) -> list[str]:
    return [rule.says for rule in rules(known, METER, {"gain_start": start, "gain": full}) if not rule.kept]


def proposal(**means: float) -> Proposal:
    return propose(KEY, {"gain_start": 0.1, "gain": 0.4}, planted(**means), METER)


class TestRules:
    def test_a_scale_with_room_on_both_sides_keeps_all(self) -> None:
        assert broken(planted()) == []

    def test_no_localising_with_more_points_breaks_one(self) -> None:
        assert broken(planted(bad=0.15)) == ["bad earns at most 5 in 95% of the draws"]

    def test_good_work_that_earns_less_breaks_one(self) -> None:
        assert broken(planted(good=0.3)) == ["good earns at least 16 in 95% of the draws"]

    def test_images_count_in_the_draws_and_not_the_mean_alone(self) -> None:
        """A mean gain of 0.34 is worth 17 points; on every fifth set of images it is fewer than 16."""
        known = [runs("bad", BAD, 0.0), runs("good", GOOD, 0.34, spread=0.4), runs("better", BETTER, 0.7)]
        assert known[1].totals(METER, {"gain_start": 0.1, "gain": 0.4}).mean() > 16
        assert broken(known) == ["good earns at least 16 in 95% of the draws"]

    def test_seed_that_moves_points_breaks_one(self) -> None:
        known = [runs("bad", BAD, 0.0), runs("good", Bound(at_least=10), 0.3, 0.01, seed_spread=0.05)]
        assert broken(known) == ["the seed alone moves good by at most 1 (standard deviation)"]

    def test_better_work_with_fewer_points_breaks_one(self) -> None:
        known = [*planted(bad=0.12), runs("between", Bound(at_most=12), 0.0)]
        assert "mean points rise with what the submissions are worth" in broken(known)

    def test_scale_that_falls_breaks_one(self) -> None:
        falling = Meter(measured, lambda found, *_: {"test": 15 if found["gain"] < 0.8 else 0}, MOST, ("gain",))
        scale = {"gain_start": 0.1, "gain": 0.9}
        found = {rule.says: rule.kept for rule in rules(planted(), falling, scale)}
        assert not found["points never fall where gain rises"]


class TestProposal:
    def test_proposed_scale_keeps_every_rule(self) -> None:
        found = proposal()
        assert all(rule.kept for rule in found.rules_proposed)
        assert found.proposed["gain_start"] / STEP == pytest.approx(round(found.proposed["gain_start"] / STEP))

    def test_points_start_above_what_does_not_localise(self) -> None:
        bad = planted()[0]
        assert proposal().proposed["gain_start"] >= bad.quantile("gain", 0.975) > bad.mean("gain")

    def test_scale_has_room_on_both_sides(self) -> None:
        """A tenth stricter or more lenient keeps the rules, too."""
        found = proposal()
        start, full = found.proposed["gain_start"], found.proposed["gain"]
        for factor in (0.9, 1.1):
            assert broken(planted(), start, start + (full - start) * factor) == []

    def test_weaker_good_work_makes_it_more_lenient(self) -> None:
        assert proposal(good=0.35).proposed["gain"] < proposal(good=0.6).proposed["gain"]

    def test_broken_rules_of_the_scale_in_use_are_found(self) -> None:
        assert [rule.says for rule in proposal(bad=0.15).broken] == ["bad earns at most 5 in 95% of the draws"]
        assert proposal().broken == []

    def test_points_start_later_where_what_lies_between_would_have_too_many(self) -> None:
        """Nothing but a late start keeps the one between, which gains nearly as much as good work, at its bound."""
        between = runs("between", Bound(at_most=8), 0.45)
        known = [runs("bad", BAD, 0.0), between, runs("good", GOOD, 0.6), runs("better", BETTER, 0.7)]
        found = propose(KEY, {"gain_start": 0.1, "gain": 0.4}, known, METER)
        assert all(rule.kept for rule in found.rules_proposed)
        assert found.proposed["gain_start"] > proposal().proposed["gain_start"]

    def test_submissions_that_cannot_be_told_apart_leave_rules_broken(self) -> None:
        assert not all(rule.kept for rule in proposal(bad=0.45, good=0.5, better=0.5).rules_proposed)

    def test_proposal_is_the_same_each_time(self) -> None:
        assert proposal().proposed == proposal().proposed
        assert proposal().rules_proposed == proposal().rules_proposed


class TestFiles:
    def test_writing_thresholds_keeps_other_entries(self, tmp_path: Path) -> None:
        (tmp_path / "thresholds.json").write_text(json.dumps({"other/x": {"gain": 0.1}, KEY: {"gain": 0.6}}))
        write_thresholds(tmp_path, proposal())
        written = json.loads((tmp_path / "thresholds.json").read_text())
        assert written["other/x"] == {"gain": 0.1}
        assert written[KEY]["gain"] == proposal().proposed["gain"]
        assert "10 seeds, 100 images" in written[KEY]["measured"]

    def test_nothing_is_written_that_breaks_a_rule(self, tmp_path: Path) -> None:
        (tmp_path / "thresholds.json").write_text("{}")
        with pytest.raises(GradingError, match="nothing was written"):
            write_thresholds(tmp_path, proposal(bad=0.45, good=0.5, better=0.5))
        assert (tmp_path / "thresholds.json").read_text() == "{}"

    def test_report_has_each_rule_with_its_figure_and_each_submission(self, tmp_path: Path) -> None:
        page = write_report(proposal(bad=0.15), tmp_path, "course calibrate x").read_text()
        assert "| bad earns at most 5 in 95% of the draws | in " in page
        assert "| **broken** |" in page
        assert page.count("| kept |") == len(proposal().rules_now) - 1
        for name in ("bad", "good", "better"):
            assert f"| {name} | 10 | at " in page
        picture = (tmp_path / "calibration.svg").read_text()
        assert picture.count("<svg") == 1


def test_bounds_are_read_from_the_file(tmp_path: Path) -> None:
    def planted_with(calibration: Any, points: Any) -> Any:
        folder = tmp_path / "one"
        folder.mkdir(exist_ok=True)
        (folder / "expected.json").write_text(
            json.dumps({"why": "", "points": {"a": points}, "calibration": calibration})
        )
        (one,) = read_planted(tmp_path)
        return one

    one = planted_with({"at_most": 5}, [1, 3])
    assert one.calibration == Bound(at_most=5)
    assert (one.calibration.holds(5), one.calibration.holds(6)) == (True, False)
    assert one.points == {"a": (1, 3)}
    with pytest.raises(ReleaseError, match="at_least"):
        planted_with("good", 1)


def hand_in(course: Path, name: str, calibration: Mapping[str, float], source: str) -> None:
    folder = course / "source" / ASSIGNMENT / "planted" / name
    folder.mkdir(parents=True)
    (folder / "expected.json").write_text(json.dumps({"why": "", "points": {}, "calibration": calibration}))
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
        "def measured(drawn):\n    return {'minimum': float(drawn['minimum'].mean())}\n\n\n"
        "def worth(found, minimum, most):\n    return {}\n\n\n"
        "def thresholds_key(context):\n    return 'minimum'\n"
    )
    hand_in(course, "good", {"at_least": 1}, "import random\ndef area(box):\n    return 50 + random.random()")
    hand_in(course, "bad", {"at_most": 1}, "def area(box):\n    return 1")
    _, found = measure(course, ASSIGNMENT, tmp_path / "class", quick(repeats=3))
    good = {run.name: run for run in found}["good"]
    assert len({one["minimum"] for one in good.by_seed}) == 3
    assert good.images == 4


def test_assignment_without_bounds_is_refused(tmp_path: Path, bubblewrap: None) -> None:
    from classes import quick

    from grading.authoring.calibrate import measure

    course = tiny_course(tmp_path / "repository")
    hand_in(course, "good", {"at_least": 1}, "")
    with pytest.raises(GradingError, match="or none"):
        measure(course, ASSIGNMENT, tmp_path / "class", quick())


def test_own_planted_submissions_have_the_bounds_that_a_teacher_would_sign() -> None:
    found = {item.name: item.calibration for item in read_planted(ROOT / "source" / "object_detection" / "planted")}
    most = {name: bound.at_most for name, bound in found.items() if bound and bound.at_most is not None}
    least = {name: bound.at_least for name, bound in found.items() if bound and bound.at_least is not None}
    assert least == {"solution": 18, "published_better_model": 16}
    assert most.pop("tuned_pooled_head") == 12
    assert set(most.values()) == {5}
    assert most.keys() >= {"best_constant_box", "best_box_per_class", "box_from_class", "bad_model", "never_trained"}
