"""Thresholds from evidence: what honest solutions reach over many seeds, and what needs no solution at all.

Planted submissions say in `expected.json` what they stand for: `"calibration": "good"` (an honest good solution,
which must pass) or `"bad"` (which must not). Each is executed with many seeds, as grading does it. A bootstrap sample
is one run drawn at random, with its images drawn at random, with replacement (Efron and Tibshirani, An Introduction to
the Bootstrap, 1993): it says what the same work could have reached on another seed and other images of the kind.

An assignment that can be calibrated defines in its `scoring.py`::

    def outcomes(answers, context) -> dict[str, Array]   # by threshold: one value for each image; the mean counts
    def baseline(context) -> dict[str, Array]            # the same of what needs no solution, by name of the threshold
    def thresholds_key(context) -> str                   # the entry of thresholds.json for these data

`thresholds.json` holds, by such key, numbers by name, and `measured`: what they rest on. A threshold `<name>_start`
is where points begin for `<name>`.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined

from grading.authoring.classroom import Classroom
from grading.authoring.planted import Planted, hand_in_all, planted_folder, read_planted
from grading.common.files import write_atomically
from grading.errors import GradingError
from grading.options import Options
from grading.pipeline.grade import answers_of, grade
from grading.pipeline.plan import plan
from grading.pipeline.reference import with_reference
from grading.pipeline.run import GradingRun, open_course
from helpers.checks import thresholds_for

Array = npt.NDArray[np.float64]
GOOD, BAD = "good", "bad"
FILE = "thresholds.json"
START = "_start"
STEP = 0.005
"""Thresholds are multiples of this."""
PASSING = 0.97
"""Share of the bootstrap samples of each good solution that must pass every threshold."""
SAMPLES = 2000
_SEED = 0
_RESAMPLED = 200


@dataclass(frozen=True)
class Runs:
    """Outcomes of one planted submission: by threshold, an array (seeds, images)."""

    name: str
    role: str
    outcomes: Mapping[str, Array]

    def means(self, threshold: str) -> Array:
        """Return the mean that each seed reached, shape (seeds,)."""
        return np.asarray(self.outcomes[threshold].mean(axis=1))

    def spread(self, threshold: str) -> str:
        """Return the least, mean and greatest of what the seeds reached, in words."""
        means = self.means(threshold)
        return f"{means.min():.3f} / {means.mean():.3f} / {means.max():.3f}"


@dataclass(frozen=True)
class Failing:
    """Share of honest good work that would miss a threshold, with a 95 % interval."""

    submission: str
    threshold: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Proposal:
    """Thresholds for one key of `thresholds.json`, and what speaks for them."""

    key: str
    now: Mapping[str, float]
    proposed: Mapping[str, float]
    failing: Sequence[Failing]
    passing: Mapping[str, float]
    """By planted submission: share of the bootstrap samples that pass every threshold."""
    runs: Sequence[Runs]
    baseline: Mapping[str, float]
    problems: Sequence[str] = ()

    @property
    def seeds(self) -> int:
        """Number of seeds that each submission was run with."""
        return len(next(iter(self.runs[0].outcomes.values())))

    @property
    def images(self) -> int:
        """Number of images that each submission was measured on."""
        return int(next(iter(self.runs[0].outcomes.values())).shape[1])


def measure(
    repository: Path,
    assignment: str,
    folder: Path,
    options: Options,
    progress: Callable[[str, str], None] = lambda event, name: None,
) -> tuple[GradingRun, list[Runs]]:
    """Execute the planted submissions that have a role, with `options.repeats` seeds, in a class at `folder`.

    Calls `progress` with ("missing", key) for each execution that is not stored yet, then as `grade` does.

    Raises GradingError if the assignment cannot be calibrated, or a planted one could not be measured.
    """
    planted = [item for item in read_planted(planted_folder(repository, assignment)) if item.calibration]
    roles = {item.calibration for item in planted}
    if not roles >= {GOOD, BAD}:
        raise GradingError(f'no planted submission of {assignment} has "calibration": "good", or none "bad"')
    classroom = Classroom.create(repository, folder, assignment)
    classroom.share_results(repository)
    hand_in_all(classroom, planted)
    course = with_reference(open_course(classroom.folder, assignment, options))
    if missing := [name for name in ("outcomes", "thresholds_key") if not hasattr(course.assignment.scoring, name)]:
        raise GradingError(f"{assignment} cannot be calibrated: its scoring.py defines no {' and no '.join(missing)}")
    planned = plan(course)
    for key in planned.jobs:
        progress("missing", key)
    grade(course, planned, progress)
    keys = {
        submission.student: [{name: run.key for name, run in runs.items()} for runs in submission.by_seed()]
        for submission in planned.submissions
    }
    return course, [_runs(course, item, keys[item.name]) for item in planted]


def _runs(course: GradingRun, planted: Planted, keys: Sequence[Mapping[str, str]]) -> Runs:
    """Read the outcomes of each seed; `keys` of the stored results are by notebook."""
    found = []
    for of_seed in keys:
        stored = {notebook: course.store.get(key) for notebook, key in of_seed.items()}
        executed = {notebook: result for notebook, result in stored.items() if result is not None}
        if len(executed) < len(stored):
            raise GradingError(f"{planted.name} could not be executed; `course verify` says why")
        outcomes = course.assignment.scoring.outcomes(answers_of(course, executed), course.context)
        if not outcomes:
            raise GradingError(f"{planted.name} gave no usable answers, so nothing can be learnt from it")
        found.append(outcomes)
    return Runs(
        planted.name,
        planted.calibration,
        {name: np.array([outcome[name] for outcome in found], dtype=float) for name in found[0]},
    )


def propose(key: str, now: Mapping[str, float], runs: Sequence[Runs], baseline: Mapping[str, Array]) -> Proposal:
    """Propose the highest thresholds that honest good work passes in `PASSING` of its bootstrap samples.

    A start of points is put at what needs no solution at all. Where a threshold would not be above its start, or a
    bad one passes, `problems` says so.
    """
    random = np.random.default_rng(_SEED)
    samples = {run.name: _bootstrap(run, random) for run in runs}
    good = [run for run in runs if run.role == GOOD]
    names = list(good[0].outcomes)
    share = 1 - PASSING
    while True:
        proposed = {name: min(_down(np.quantile(samples[run.name][name], share)) for run in good) for name in names}
        passing = {name: float(_passes(found, proposed).mean()) for name, found in samples.items()}
        if share < 1e-4 or all(passing[run.name] >= PASSING for run in good):
            break
        share /= 1.5  # each alone may fail so often; together they fail oftener
    problems = [
        f"{run.name}, which is bad, passes in {passing[run.name]:.1%} of its bootstrap samples"
        for run in runs
        if run.role == BAD and passing[run.name] > 0
    ]
    for name, values in baseline.items():
        start = _up(values.mean())  # the images that decide are these very ones: no error of sampling
        proposed[f"{name}{START}"] = start
        if start >= proposed[name]:
            problems.append(f"{name}: what needs no solution reaches {start}, the threshold would be {proposed[name]}")
    failing = [_failing(run, name, proposed[name], samples[run.name][name], random) for run in good for name in names]
    means = {name: float(values.mean()) for name, values in baseline.items()}
    return Proposal(key, now, _in_order(proposed, now), failing, passing, runs, means, problems)


def _bootstrap(run: Runs, random: np.random.Generator) -> dict[str, Array]:
    """Return means (SAMPLES,) by threshold; a sample is the same run and the same images for all of them."""
    shapes = {values.shape for values in run.outcomes.values()}
    (seeds, images) = shapes.pop()
    runs = random.integers(seeds, size=SAMPLES)
    drawn = random.integers(images, size=(SAMPLES, images))
    return {name: values[runs[:, None], drawn].mean(axis=1) for name, values in run.outcomes.items()}


def _passes(samples: Mapping[str, Array], thresholds: Mapping[str, float]) -> npt.NDArray[np.bool_]:
    return np.all([samples[name] >= value for name, value in thresholds.items() if name in samples], axis=0)


def _failing(run: Runs, name: str, threshold: float, samples: Array, random: np.random.Generator) -> Failing:
    """Return the share that would fail; its interval is over the seeds: another twenty of them could have come."""
    values = run.outcomes[name]
    seeds, images = values.shape
    shares = []
    for _ in range(_RESAMPLED):
        runs = values[random.integers(seeds, size=seeds)]
        drawn = runs[
            random.integers(seeds, size=_RESAMPLED)[:, None], random.integers(images, size=(_RESAMPLED, images))
        ]
        shares.append(float((drawn.mean(axis=1) < threshold).mean()))
    low, high = np.quantile(shares, [0.025, 0.975])
    return Failing(run.name, name, float((samples < threshold).mean()), float(low), float(high))


def _down(value: float) -> float:
    return round(math.floor(round(float(value) / STEP, 6)) * STEP, 6)


def _up(value: float) -> float:
    return round(math.ceil(round(float(value) / STEP, 6)) * STEP, 6)


def _in_order(proposed: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Order names as the file has them, new ones last."""
    return {name: proposed[name] for name in [*now, *proposed] if name in proposed}


def read_thresholds(source: Path, key: str) -> dict[str, float]:
    """Read the thresholds that hold for a key now, its own or those that stand in for it; empty if there are none."""
    try:
        return thresholds_for(json.loads((source / FILE).read_text(encoding="utf-8")), key)
    except KeyError:
        return {}


def write_thresholds(source: Path, proposal: Proposal) -> Path:
    """Put a proposal into `thresholds.json`; the other keys stay. Raises GradingError for one with problems."""
    if proposal.problems:
        raise GradingError(f"nothing was written: {'; '.join(proposal.problems)}")
    path = source / FILE
    every = json.loads(path.read_text(encoding="utf-8"))
    good = " and ".join(run.name for run in proposal.runs if run.role == GOOD)
    measured = (
        f"course calibrate: {proposal.seeds} seeds, {proposal.images} images; {good} pass in at least {PASSING:.0%} "
        "of bootstrap samples, what is bad in none"
    )
    every[proposal.key] = {**proposal.proposed, "measured": measured}
    write_atomically(path, json.dumps(every, indent=2) + "\n")
    return path


def write_report(proposal: Proposal, folder: Path, command: str) -> Path:
    """Write `calibration.md` and its plot into a folder; return the page's path."""
    import matplotlib  # slow to load

    with matplotlib.rc_context({"svg.hashsalt": "course"}):
        _plot(proposal).savefig(folder / "calibration.svg", metadata={"Date": None})
    template = _templates().get_template("calibration.md.j2")
    path = folder / "calibration.md"
    write_atomically(path, template.render(proposal=proposal, names=list(proposal.runs[0].outcomes), command=command))
    return path


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("grading.authoring"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # Markdown of our own numbers and names: nothing is to be escaped
    environment.filters["percent"] = lambda value: f"{value:.1%}"
    return environment


def _plot(proposal: Proposal) -> Any:
    from matplotlib.figure import Figure  # slow to load

    names = list(proposal.runs[0].outcomes)
    figure = Figure(figsize=(4.2 * len(names), 0.7 * len(proposal.runs) + 1.6), layout="constrained")
    random = np.random.default_rng(_SEED)
    for axes, name in zip(figure.subplots(1, len(names), sharey=True, squeeze=False)[0], names, strict=True):
        for place, run in enumerate(proposal.runs):
            color = "#0060A8" if run.role == GOOD else "#C44601"
            low, high = np.quantile(_bootstrap(run, random)[name], [0.025, 0.975])
            axes.plot([low, high], [place, place], color=color, linewidth=6, alpha=0.25, solid_capstyle="butt")
            means = run.means(name)
            axes.scatter(means, place + np.linspace(-0.15, 0.15, len(means)), s=12, color=color)
        for label, value, style in (
            ("proposed", proposal.proposed.get(name), "-"),
            ("now", proposal.now.get(name), "--"),
            ("without a solution", proposal.baseline.get(name), ":"),
        ):
            if value is not None:
                axes.axvline(value, color="#222222", linestyle=style, linewidth=1.2, label=f"{label} {value:.3g}")
        axes.set(xlabel=name.replace("_", " "), yticks=range(len(proposal.runs)), ylim=(-0.6, len(proposal.runs) - 0.4))
        axes.set_yticklabels([run.name for run in proposal.runs])
        axes.legend(fontsize=7, frameon=False, loc="lower left")
        axes.spines[["top", "right"]].set_visible(False)
    return figure
