"""A scale of points from evidence: what planted submissions of known worth reach over many seeds and images.

Planted submissions say in `expected.json` what their total has to be: `"calibration": {"at_least": 16}` (honest good
work), `{"at_most": 5}` (what must not earn points), or `{}` (measured only). Each is executed with many seeds, as
grading does it. A draw is one run at random, with its images drawn at random, with replacement (Efron and Tibshirani,
An Introduction to the Bootstrap, 1993): what the same work could have reached on another seed and other images.

An assignment that can be calibrated defines in its `scoring.py`::

    def outcomes(answers, context) -> dict[str, Array]       # by name: one row for each image
    def measured(drawn) -> dict[str, float]                  # the measures of some of these rows
    def worth(found, minimum, most) -> dict[str, float]      # measures, thresholds, points of the cells -> points
    GRADUAL = (...)                                          # measures with points on the way: `<name>_start`, `<name>`
    def thresholds_key(context) -> str                       # the entry of thresholds.json for these data

`thresholds.json` holds, by such key, numbers by name, and `measured`: what they rest on. Cells that `worth` does not
name have the points that `expected.json` says. The rules that a scale has to keep are in `rules`.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined

from grading.authoring.classroom import Classroom
from grading.authoring.planted import Bound, Planted, hand_in_all, planted_folder, read_planted
from grading.common.files import write_atomically
from grading.errors import GradingError
from grading.execution.job import Job
from grading.execution.workers import run_all
from grading.options import Options
from grading.pipeline.grade import answers_of, keep
from grading.pipeline.plan import Plan, plan
from grading.pipeline.run import GradingRun, open_course
from helpers.checks import thresholds_for

Array = npt.NDArray[np.float64]
FILE = "thresholds.json"
START = "_start"
STEP = 0.005
"""Thresholds are multiples of this."""
SURE = 0.95
"""Share of the draws in which a total has to be within its bound."""
SEED_SPREAD = 1.0
"""Standard deviation in points that the seed alone may give good work."""
DRAWS = 1000
_SEED = 0
_PARTS = tuple(part / 10 for part in range(1, 11))
"""How far up from the start to what the best work reaches the scales that are tried give all points."""
_FURTHER = tuple(part / 10 for part in range(11, 16))
"""The same beyond that, for scales whose points start late."""
_NEEDED = ("outcomes", "measured", "worth", "thresholds_key")


@dataclass(frozen=True)
class Meter:
    """From outcomes to measures, and from measures to points: what `scoring.py` defines."""

    measured: Callable[[Mapping[str, Array]], Mapping[str, float]]
    worth: Callable[[Mapping[str, float], Mapping[str, float], Mapping[str, float]], Mapping[str, float]]
    most: Mapping[str, float]
    """Points of each cell."""
    gradual: Sequence[str] = ()

    def points(self, found: Mapping[str, float], minimum: Mapping[str, float]) -> float:
        """Return the points that measures are worth on the scale of these thresholds."""
        return float(sum(self.worth(found, minimum, self.most).values()))


@dataclass(frozen=True)
class Runs:
    """What a planted submission reached: on the images as they are with each seed, and in each draw."""

    name: str
    bound: Bound
    images: int
    by_seed: Sequence[Mapping[str, float]]
    draws: Sequence[Mapping[str, float]]
    other_points: float = 0.0
    """Points of the cells that do not depend on measures."""

    @classmethod
    def of(cls, name: str, bound: Bound, outcomes: Sequence[Mapping[str, Array]], meter: Meter, other: float) -> "Runs":
        """Measure the outcomes of each seed, and draws of seed and images."""
        random = np.random.default_rng(_SEED)  # the same images in a draw, whatever the submission
        images = len(next(iter(outcomes[0].values())))
        draws = []
        for _ in range(DRAWS):
            drawn = random.integers(images, size=images)
            chosen = outcomes[int(random.integers(len(outcomes)))]
            draws.append(meter.measured({key: values[drawn] for key, values in chosen.items()}))
        return cls(name, bound, images, [meter.measured(found) for found in outcomes], draws, other)

    def mean(self, measure: str) -> float:
        """Return the mean of a measure over the seeds."""
        return float(np.mean([found[measure] for found in self.by_seed]))

    def quantile(self, measure: str, share: float) -> float:
        """Return a quantile of a measure over the draws."""
        return float(np.quantile([found[measure] for found in self.draws], share))

    def totals(self, meter: Meter, minimum: Mapping[str, float], drawn: bool = True) -> Array:
        """Return the total points of each draw, or of each seed."""
        found = self.draws if drawn else self.by_seed
        return np.array([meter.points(one, minimum) + self.other_points for one in found])


@dataclass(frozen=True)
class Rule:
    """A rule of the scale, the figure that was found, and whether it is kept."""

    says: str
    figure: str
    kept: bool


@dataclass(frozen=True)
class Proposal:
    """A scale for one key of `thresholds.json`, what speaks for it, and how the one in use does."""

    key: str
    meter: Meter
    runs: Sequence[Runs]
    now: Mapping[str, float]
    proposed: Mapping[str, float]
    rules_now: Sequence[Rule] = field(default=())
    rules_proposed: Sequence[Rule] = field(default=())

    @property
    def seeds(self) -> int:
        """Number of seeds that each submission was run with."""
        return len(self.runs[0].by_seed)

    @property
    def in_use(self) -> Mapping[str, float]:
        """The scale that points depend on now; the proposed one where there is none yet."""
        return self.now or self.proposed

    @property
    def broken(self) -> list[Rule]:
        """Rules that the scale in use breaks."""
        return [rule for rule in (self.rules_now or self.rules_proposed) if not rule.kept]


def measure(
    repository: Path,
    assignment: str,
    folder: Path,
    options: Options,
    progress: Callable[[str, str], None] = lambda event, name: None,
) -> tuple[GradingRun, list[Runs]]:
    """Execute the planted submissions that have a role, with `options.repeats` seeds, in a class at `folder`.

    Calls `progress` with ("missing", key) for each execution that is not stored yet, and with ("executed", key) after
    it.

    Raises GradingError if the assignment cannot be calibrated, or a planted one could not be measured.
    """
    planted = [item for item in read_planted(planted_folder(repository, assignment)) if item.calibration is not None]
    bounds = [item.calibration for item in planted if item.calibration is not None]
    if not (any(bound.at_least is not None for bound in bounds) and any(bound.at_most is not None for bound in bounds)):
        raise GradingError(
            f'no planted submission of {assignment} has "calibration": {{"at_least": …}}, or none {{"at_most": …}}'
        )
    classroom = Classroom.create(repository, folder, assignment)
    classroom.share_results(repository)
    hand_in_all(classroom, planted)
    course = open_course(classroom.folder, assignment, options)
    if missing := [name for name in _NEEDED if not hasattr(course.assignment.scoring, name)]:
        raise GradingError(f"{assignment} cannot be calibrated: its scoring.py defines no {' and no '.join(missing)}")
    course.assignment.scoring.thresholds_key(course.context)  # data that is missing is said before hours of executing
    planned = plan(course)
    _execute(course, planned, progress)
    keys = {
        submission.student: [{name: run.key for name, run in runs.items()} for runs in submission.by_seed()]
        for submission in planned.submissions
    }
    return course, [_runs(course, item, keys[item.name]) for item in planted]


def _execute(course: GradingRun, planned: Plan, progress: Callable[[str, str], None]) -> None:
    """Execute what is not stored yet, seed by seed, since kernels stay warm for one seed.

    The tests are left out: what is measured are answers, and tests take as long again.
    """
    runs = {run.key: run for submission in planned.submissions for run in submission.runs}
    missing = [key for key in planned.jobs if not course.store.holds(key, course.options.limits)]
    jobs = {key: _without_tests(planned.jobs[key]) for key in sorted(missing, key=lambda key: runs[key].seed)}
    for key in jobs:
        progress("missing", key)
    failures: dict[str, str] = {}
    for outcome in run_all(jobs, course.options.workers):
        keep(course, jobs[outcome.key], runs[outcome.key], outcome, failures)
        for why in failures.values():
            raise GradingError(f"a planted submission could not be executed: {why}")
        progress("executed", outcome.key)


def _without_tests(job: Job) -> Job:
    return replace(job, cells=tuple(cell for cell in job.cells if not cell.test), examining=None, recorded=None)


def _runs(course: GradingRun, planted: Planted, keys: Sequence[Mapping[str, str]]) -> Runs:
    """Read the outcomes of each seed; `keys` of the stored results are by notebook."""
    found = []
    scoring = course.assignment.scoring
    for of_seed in keys:
        stored = {notebook: course.store.get(key) for notebook, key in of_seed.items()}
        executed = {notebook: result for notebook, result in stored.items() if result is not None}
        if len(executed) < len(stored):
            raise GradingError(f"{planted.name} could not be executed; `course verify` says why")
        outcomes = scoring.outcomes(answers_of(course, executed), course.context)
        if not outcomes:
            raise GradingError(f"{planted.name} gave no usable answers, so nothing can be learnt from it")
        found.append(outcomes)
    meter = meter_of(course)
    decided = set(meter.worth(meter.measured(found[0]), _Anything(), meter.most))
    other = sum(
        max(points) if isinstance(points, tuple) else points
        for name, points in planted.points.items()
        if name not in decided
    )
    return Runs.of(planted.name, planted.calibration or Bound(), found, meter, other)


class _Anything(dict[str, float]):
    """Thresholds of any name, to see which cells they decide."""

    def __missing__(self, name: str) -> float:
        return 0.0 if name.endswith(START) else 1.0


def meter_of(course: GradingRun) -> Meter:
    """Return how an assignment measures and what that is worth."""
    scoring = course.assignment.scoring
    return Meter(scoring.measured, scoring.worth, course.assignment.max_points, tuple(getattr(scoring, "GRADUAL", ())))


def rules(runs: Sequence[Runs], meter: Meter, minimum: Mapping[str, float]) -> list[Rule]:
    """Return the rules that a scale has to keep, each with what was found for these thresholds."""
    return [
        *(_bound_rule(run, meter, minimum) for run in runs if str(run.bound)),
        *(_seed_rule(run, meter, minimum) for run in runs if run.bound.at_least is not None),
        _order_rule(runs, meter, minimum),
        *(_curve_rule(name, runs, meter, minimum) for name in meter.gradual),
    ]


def _bound_rule(run: Runs, meter: Meter, minimum: Mapping[str, float]) -> Rule:
    totals = run.totals(meter, minimum)
    share = float(np.mean([run.bound.holds(points) for points in totals]))
    figure = f"in {share:.1%} of the draws (mean {totals.mean():.1f})"
    return Rule(f"{run.name} earns {run.bound} in {SURE:.0%} of the draws", figure, share >= SURE)


def _seed_rule(run: Runs, meter: Meter, minimum: Mapping[str, float]) -> Rule:
    spread = float(run.totals(meter, minimum, drawn=False).std())
    says = f"the seed alone moves {run.name} by at most {SEED_SPREAD:g} (standard deviation)"
    return Rule(says, f"{spread:.2f}", spread <= SEED_SPREAD)


def _order_rule(runs: Sequence[Runs], meter: Meter, minimum: Mapping[str, float]) -> Rule:
    """Ask that what has the higher bound has the higher mean."""
    means: dict[float, list[float]] = {}
    for run in runs:
        bounds = [value for value in (run.bound.at_least, run.bound.at_most) if value is not None]
        if bounds:
            means.setdefault(bounds[0], []).append(float(run.totals(meter, minimum).mean()))
    steps = [means[bound] for bound in sorted(means)]
    rises = all(max(low) <= min(high) for low, high in pairwise(steps))
    figure = " < ".join("/".join(f"{mean:.1f}" for mean in sorted(step)) for step in steps)
    return Rule("mean points rise with what the submissions are worth", figure, rises)


def _curve_rule(name: str, runs: Sequence[Runs], meter: Meter, minimum: Mapping[str, float]) -> Rule:
    curve = _curve(name, runs, meter, minimum)[1]
    return Rule(
        f"points never fall where {name} rises", f"{curve[0]:g} to {curve[-1]:g}", bool((np.diff(curve) >= 0).all())
    )


def _curve(name: str, runs: Sequence[Runs], meter: Meter, minimum: Mapping[str, float]) -> tuple[Array, Array]:
    """Return values of a measure, and the total of the best submission if it had them."""
    means = [run.mean(name) for run in runs]
    values = np.linspace(min(*means, 0.0), max(*means, minimum[name]) * 1.1, 200)
    best = max(runs, key=lambda run: run.totals(meter, minimum, drawn=False).mean())
    others = {key: best.mean(key) for key in best.by_seed[0]}
    return values, np.array([meter.points({**others, name: value}, minimum) for value in values]) + best.other_points


def propose(key: str, now: Mapping[str, float], runs: Sequence[Runs], meter: Meter) -> Proposal:
    """Propose a scale that keeps the rules, with as much room to stricter ones as to more lenient ones.

    Points start above what the submissions with the lowest bound reach in all but a fortieth of their draws. All of
    them are given on some part of the way from there to what those with the highest bound reach in all but a
    twentieth; of the parts that keep the rules the middle one. Where none does, points start on the way, too, as early
    as the rules allow, and all are given there or somewhat above it. Where no scale keeps the rules, the most lenient
    is proposed, and its broken rules say why.
    """
    worst = min((run.bound.at_most for run in runs if run.bound.at_most is not None), default=None)
    best = max((run.bound.at_least for run in runs if run.bound.at_least is not None), default=None)
    low = [run for run in runs if run.bound.at_most is not None and run.bound.at_most == worst]
    high = [run for run in runs if run.bound.at_least is not None]
    if not low or not high:
        raise GradingError('no planted submission has "calibration": {"at_least": …}, or none {"at_most": …}')
    top = [run for run in high if run.bound.at_least == best]
    names = {name.removesuffix(START) for name in now} or set(runs[0].draws[0])
    once = {name: min(_down(run.quantile(name, 0.01)) for run in high) for name in sorted(names - set(meter.gradual))}
    start = {name: max(_up(run.quantile(name, 0.975)) for run in low) for name in meter.gradual}
    reached = {name: min(run.quantile(name, 0.05) for run in top) for name in meter.gradual}
    sound: list[dict[str, float]] = []
    for rise in (0.0, *_PARTS):
        scales = [{**once, **scale} for scale in _scales(start, reached, rise)]
        sound = [scale for scale in scales if all(rule.kept for rule in rules(runs, meter, scale))]
        if sound:
            break
    chosen = sound[len(sound) // 2] if sound else {**once, **next(_scales(start, reached, 0.0))}
    proposed = _in_order(chosen, now)
    return Proposal(
        key, meter, runs, now, proposed, rules(runs, meter, now) if now else (), rules(runs, meter, proposed)
    )


def _scales(start: Mapping[str, float], reached: Mapping[str, float], rise: float) -> Iterator[dict[str, float]]:
    """Yield scales whose points start on a part of the way from `start` to `reached`, and are all given further on."""

    def on_the_way(name: str, part: float) -> float:
        return start[name] + part * (reached[name] - start[name])

    risen = {name: _up(on_the_way(name, rise)) for name in start}
    for part in (*_PARTS, *_FURTHER) if rise else _PARTS:
        if part > rise:
            full = {name: max(_down(on_the_way(name, part)), round(risen[name] + STEP, 6)) for name in start}
            yield {**{f"{name}{START}": value for name, value in risen.items()}, **full}


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
    """Put a proposal into `thresholds.json`; the other keys stay. Raises GradingError for one that breaks a rule."""
    if broken := [rule for rule in proposal.rules_proposed if not rule.kept]:
        raise GradingError(f"nothing was written: {'; '.join(f'{rule.says}: {rule.figure}' for rule in broken)}")
    path = source / FILE
    every = json.loads(path.read_text(encoding="utf-8"))
    measured = f"course calibrate: {proposal.seeds} seeds, {proposal.runs[0].images} images, all rules kept"
    every[proposal.key] = {**proposal.proposed, "measured": measured}
    write_atomically(path, json.dumps(every, indent=2) + "\n")
    return path


def write_report(proposal: Proposal, folder: Path, command: str, name: str = "calibration") -> Path:
    """Write `calibration.md` and its plot into a folder, or files of another name; return the page's path."""
    import matplotlib  # slow to load

    with matplotlib.rc_context({"svg.hashsalt": "course"}):
        _plot(proposal).savefig(folder / f"{name}.svg", metadata={"Date": None})
    template = _templates().get_template("calibration.md.j2")
    path = folder / f"{name}.md"
    names = list(proposal.runs[0].by_seed[0])
    write_atomically(path, template.render(proposal=proposal, names=names, command=command, name=name))
    return path


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("grading.authoring"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # Markdown of our own numbers and names: nothing is to be escaped
    environment.filters["spread"] = lambda totals: "{:g} to {:g}".format(*np.quantile(totals, [0.05, 0.95]))
    return environment


def _plot(proposal: Proposal) -> Any:
    """Draw, for each gradual measure, the curve to the total points with every submission on it."""
    from matplotlib.figure import Figure  # slow to load

    runs, meter, scale = proposal.runs, proposal.meter, proposal.in_use
    ordered = sorted(runs, key=lambda run: float(run.totals(meter, scale).mean()))
    figure = Figure(figsize=(4.4 * (len(meter.gradual) + 1), 0.33 * len(runs) + 2.6), layout="constrained")
    *curves, totals = figure.subplots(1, len(meter.gradual) + 1, squeeze=False)[0]
    for axes, name in zip(curves, meter.gradual, strict=True):
        axes.plot(
            *_curve(name, runs, meter, scale), color="#777777", linewidth=1.2, label="points of the best, had it this"
        )
        for number, run in enumerate(ordered, start=1):
            total = float(run.totals(meter, scale).mean())
            axes.plot(
                [run.quantile(name, 0.05), run.quantile(name, 0.95)],
                [total, total],
                color=_color(run),
                linewidth=2,
                alpha=0.4,
            )
            axes.annotate(str(number), (run.mean(name), total), color=_color(run), fontsize=8, ha="center", va="bottom")
        axes.set(xlabel=name.replace("_", " "), ylabel="points", ylim=(-0.5, 21))
        axes.legend(fontsize=7, frameon=False, loc="lower right")
    for number, run in enumerate(ordered, start=1):
        drawn = run.totals(meter, scale)
        totals.plot(np.quantile(drawn, [0.05, 0.95]), [number, number], color=_color(run), linewidth=6, alpha=0.3)
        totals.plot(drawn.mean(), number, "o", color=_color(run), markersize=4)
        for value in (run.bound.at_least, run.bound.at_most):
            if value is not None:
                totals.plot(value, number, "|", color="#222222", markersize=10)
    totals.set(
        xlabel="points (bars: 90 % of the draws, |: bound)", yticks=range(1, len(ordered) + 1), xlim=(-0.5, 20.5)
    )
    totals.set_yticklabels([f"{run.name}  {number}" for number, run in enumerate(ordered, start=1)], fontsize=7)
    for axes in (*curves, totals):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _color(run: Runs) -> str:
    if run.bound.at_least is not None:
        return "#0060A8"
    return "#C44601" if run.bound.at_most is not None else "#555555"
