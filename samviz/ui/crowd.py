"""How often those who watch a comparison may ask: each second while they are few, and less often as the crowd grows.

All ask at the same moments. A server that answers now and then takes a core from the training again and again, each
time for longer than an answer needs; two hundred answers in one go disturb it once (measured in docs/load.md).
"""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

PERIODS = (1.0, 2.0, 4.0)
"""Seconds between the moments at which everybody asks; each divides the next, so that who is told another one is still
in step. Uvicorn closes a connection after five seconds in which nothing was asked."""
PER_SECOND = 40
"""Refreshes a second that all viewers together are asked to keep to, as far as the longest period lets them."""
SOON = 0.5
"""Whoever asks so shortly before such a moment waits for the one after it."""
WINDOW = 8.0
"""Seconds over which viewers are counted: whole periods."""


class Crowd:
    """Counts the viewers by their requests, since each keeps to the wait that it was told. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seen: deque[tuple[float, float]] = deque()
        """(when, seconds that this viewer was told to wait), the oldest first."""

    def turn(self) -> tuple[float, float]:
        """Count a request; the seconds after which this viewer may ask again, and how old its page may be."""
        with self._lock:
            now = self._clock()
            while self._seen and self._seen[0][0] <= now - WINDOW:
                self._seen.popleft()
            # Whoever waits so long is seen so often in the window.
            people = 1 + sum(wait for _, wait in self._seen) / WINDOW
            period = next((period for period in PERIODS if people <= PER_SECOND * period), PERIODS[-1])
            wait = period - now % period
            wait += period * (wait < SOON)
            self._seen.append((now, wait))
            return wait, 0.0 if period == PERIODS[0] else period / 2
