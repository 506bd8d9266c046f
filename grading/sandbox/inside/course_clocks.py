"""Clocks for tests that measure the student's code: what the crossing between two processes costs is taken off.

Of a request counts the wait between its last byte and the answer's first, as the examiner measures it; packing,
sending, receiving and reading do not, nor does a part of the wait that is as long as they are here, since the student's
side has the same to do.
"""

import contextlib
import importlib
import sys
import time

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
        return own + min(own, self._arrived - self._sent)
