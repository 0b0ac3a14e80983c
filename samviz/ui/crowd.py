"""How often those who watch a comparison may ask: each second while they are few, and less often as the crowd grows."""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

SHORTEST, LONGEST = 1.0, 4.5
"""Seconds between two refreshes of one viewer; uvicorn closes a connection after five in which nothing was asked."""
PER_SECOND = 40
"""Refreshes a second that all viewers together are asked to keep to, as far as LONGEST lets them."""
WINDOW = 10.0
"""Seconds over which they are counted."""


class Crowd:
    """Counts the viewers by their requests, since each keeps to the interval that it was told. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seen: deque[tuple[float, float]] = deque()
        """(when, seconds that this viewer was told to wait), the oldest first."""

    def interval(self) -> float:
        """Count a request; the seconds after which this viewer may ask again."""
        with self._lock:
            now = self._clock()
            while self._seen and self._seen[0][0] <= now - WINDOW:
                self._seen.popleft()
            # Whoever waits so long is seen so often in the window.
            people = 1 + sum(wait for _, wait in self._seen) / WINDOW
            wait = min(LONGEST, max(SHORTEST, people / PER_SECOND))
            self._seen.append((now, wait))
            return wait
