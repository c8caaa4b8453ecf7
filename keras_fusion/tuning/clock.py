"""How much of a search's minutes is spent, over all calls that it took."""

import math
import time

MARGIN = 0.02  # of the minutes, kept for writing the results


class Clock:
    """Counts all time from when a search begins: loading, compiling, validating too.

    Args:
        minutes: What the search may take in all; None is without end.
        used: Seconds that earlier calls took.
    """

    def __init__(self, minutes: float | None, used: float = 0.0):
        self._began = time.monotonic() - used
        self._seconds = math.inf if minutes is None else 60 * minutes * (1 - MARGIN)

    def elapsed(self) -> float:
        """Seconds since the search began."""
        return time.monotonic() - self._began

    def left(self) -> float:
        """Seconds that trials may still take."""
        return self._seconds - self.elapsed()

    def until(self) -> float | None:
        """When all trials have to be over, by `time.time()`; None is never."""
        return None if self._seconds == math.inf else time.time() + self.left()
