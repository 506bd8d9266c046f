"""Sandboxes that start before it is known what will run in them: those that the last job of this kind needed.

`course grade-one` spends a second on loading what reads masters and hand-ins, and as long on starting its sandboxes. So
these start first, as they are noted from the last time. A pool gives a sandbox only to a job that needs exactly this
one: a note that does not hold any more costs time and changes nothing else.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from grading.common.files import read_json, write_atomically
from grading.examiner.examination import Examination, Setup, TestCell
from grading.execution.execute import Pools, get_ready
from grading.execution.job import Examining, Job
from grading.options import Isolation, Limits
from grading.sandbox.kernel import Environment

log = logging.getLogger(__name__)

_MOST = 4
"""Kinds of jobs that are noted: so many servers are kept at one time."""


def note_of(cache: Path, assignment: str) -> Path:
    """Return where it is noted, in a course's cache, what the jobs of an assignment need."""
    return cache / "ahead" / f"{assignment}.json"


@contextmanager
def started_ahead(note: Path) -> Iterator[Callable[[], Pools]]:
    """Start what is noted, beside the caller; the function that is given waits for that and returns the pools.

    They end with the block. Without a note, or with one that makes no sense, they are empty.
    """
    with Pools() as kept, ThreadPoolExecutor(1) as beside:
        starting = beside.submit(_start, note, kept)

        def pools() -> Pools:
            wait([starting])
            if error := starting.exception():
                log.debug("what is noted in %s did not start: %r", note, error)
            return kept

        yield pools


def note_for_next_time(note: Path, jobs: Iterable[Job]) -> None:
    """Note what jobs needed, for `started_ahead`; nothing where sandboxes are not shared by jobs."""
    kinds = dict.fromkeys(_to_text(job) for job in jobs if _is_common(job))
    text = f"[{','.join(list(kinds)[:_MOST])}]"
    if kinds and (not note.is_file() or note.read_text(encoding="utf-8") != text):
        write_atomically(note, text, durable=False)


def _start(note: Path, kept: Pools) -> None:
    for kind in read_json(note) if note.is_file() else []:
        get_ready(_from_json(kind), kept)


def _is_common(job: Job) -> bool:
    return job.isolation is Isolation.bwrap and not job.environment.extras and job.environment.gpu is None


def _to_text(job: Job) -> str:
    environment = _lasting(job.environment)
    data = {name: path.resolve() for name, path in environment.data.items()}
    kind: dict[str, Any] = {"environment": asdict(replace(environment, data=data)), "limits": asdict(job.limits)}
    if job.examining is not None:
        around = asdict(_lasting(job.examining.environment))
        kind["examining"] = {"environment": around, "steps": asdict(job.examining.examination)["steps"]}
    return json.dumps(kind, default=str)  # paths


def _lasting(environment: Environment) -> Environment:
    """Return the same with its questions where they lie: the folder of a single hand-in has a link to them."""
    return replace(environment, questions=environment.questions.resolve())


def _from_json(kind: Mapping[str, Any]) -> Job:
    examining = kind.get("examining")
    return Job(
        cells=(),
        questions=(),
        cases=(),
        environment=_environment(kind["environment"]),
        limits=Limits(**kind["limits"]),
        examining=Examining(_examination(examining["steps"]), _environment(examining["environment"]))
        if examining
        else None,
    )


def _environment(noted: Mapping[str, Any]) -> Environment:
    places = {group: {name: Path(path) for name, path in noted[group].items()} for group in ("data", "extras", "files")}
    single = {name: Path(noted[name]) for name in ("questions", "helpers")}
    return Environment(**{**noted, **places, **single, "imports": tuple(noted["imports"])})


def _examination(steps: Iterable[Any]) -> Examination:
    return Examination(tuple((tuple(Setup(**setup) for setup in setups), TestCell(**test)) for setups, test in steps))
