"""The state of a run while it goes on, from the events of `grading.pipeline.grade.grade`."""

import time
from collections.abc import Callable, Collection, Mapping

from grading.common.text import clean


class Running:
    """Executions that run and since when; where no event says that one has started, only how many can be running."""

    def __init__(
        self,
        jobs: Collection[str],
        students: Mapping[str, str],
        workers: int,
        limit: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the keys to execute, whose they are, how many run at a time, and the seconds that each may run."""
        self._waiting = len(jobs)
        self._students = students
        self._workers = workers
        self._limit = limit
        self._clock = clock
        self._since: dict[str, float] = {}
        self._failed = 0

    def note(self, event: str, name: str) -> None:
        """Take in an event: started, executed or failed with a key; any other changes nothing."""
        if event == "started":
            self._since.setdefault(name, self._clock())
        elif event in ("executed", "failed"):
            self._since.pop(name, None)
            self._waiting -= 1
            self._failed += event == "failed"

    def in_words(self) -> str:
        """Return how many run, how many have failed, and who runs longest."""
        since = dict(self._since)  # the bar is drawn in a thread of its own
        known = len(since) or min(self._waiting, self._workers)
        parts = [f"{known} running", f"{self._failed} failed"]
        if since:
            key = min(since, key=lambda name: since[name])
            student = clean(self._students.get(key, key))
            gone = _minutes(self._clock() - since[key])
            parts.append(f"{student} for {gone} of at most {_minutes(self._limit)}")
        return ", ".join(parts)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
