"""Time for devices and their twins; a test puts a virtual clock in its place."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and lets it pass."""

    def now(self) -> float:
        """Seconds since some moment that does not change."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return when ``seconds`` have passed; at once where they are not positive."""
        ...


class WallClock:
    """Real time."""

    def now(self) -> float:
        """Seconds since some moment that does not change."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return when ``seconds`` have passed; at once where they are not positive."""
        if seconds > 0:
            time.sleep(seconds)
