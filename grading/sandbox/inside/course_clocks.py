"""Clocks for tests that measure the student's code: what the crossing between two processes costs is taken off.

Of a request counts the wait between its last byte and the answer's first, as the examiner measures it; packing,
sending, receiving and reading do not. The student's side, and who passes messages on, have the same to do in the
meantime, so as much is taken off the wait, too: the processor time that it takes here, or where that is much, as for a
large array, a multiple of all the time that it takes here, which grows as the machine is busy. Nothing is claimed by
the student's side.
"""

import contextlib
import importlib
import sys
import time

_MUCH = 10_000_000
_THEIRS = 2.5
_NAMES = ("perf_counter", "time", "monotonic", "process_time")


class Clock:
    """Time without the crossing."""

    def __init__(self):
        self._now = time.perf_counter_ns
        self._off = 0
        self._crossing = None

    @contextlib.contextmanager
    def crossing(self):
        """Take off what the block takes, but for the wait that it tells of."""
        crossing = _Crossing(self._now)
        outer, self._crossing = self._crossing, crossing
        try:
            yield crossing
        finally:
            self._crossing = outer
            self._off += crossing.cost()
            if outer is not None:
                outer.within += crossing.duration()

    def install(self):
        """Replace the clocks of `time`, for all that is imported from now on."""
        for name in _NAMES:
            setattr(time, name, self._clock(getattr(time, name), 1e-9))
            setattr(time, f"{name}_ns", self._clock(getattr(time, f"{name}_ns"), 1))
        start = self._now()
        for name, unit in (("process_time", 1e-9), ("process_time_ns", 1)):  # the other process works, too
            setattr(time, name, self._clock(lambda unit=unit: (self._now() - start) * unit, unit))
        if "timeit" in sys.modules:
            importlib.reload(sys.modules["timeit"])

    def _clock(self, real, unit):
        def clock():
            return real() - self._off * unit

        clock.__name__ = clock.__qualname__ = getattr(real, "__name__", "clock")
        clock.__doc__ = real.__doc__
        return clock


class _Crossing:
    def __init__(self, now):
        self._now = now
        self._start = self._sent = self._arrived = now()
        self._cpu = time.thread_time_ns()
        self.is_sent = False
        self.within = 0
        """Nanoseconds of other crossings while the answer was read, which have been counted."""

    def sent(self):
        self.is_sent = True
        self._sent = self._arrived = self._now()

    def arrived(self):
        self._arrived = self._now()

    def duration(self):
        """Give the nanoseconds since the beginning."""
        return self._now() - self._start

    def cost(self):
        """Give the nanoseconds to take off."""
        own = (self._sent - self._start) + (self._now() - self._arrived) - self.within
        work = time.thread_time_ns() - self._cpu
        theirs = int(own * _THEIRS) if work >= _MUCH else min(own, work)
        return own + min(theirs, self._arrived - self._sent)
