"""Devices that exist only as clocks: a loudspeaker in front of a file or of nobody, a microphone that hears nothing."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from .stages import Speaker
from .types import AudioChunk, Samples

FULL = 1.5
"""Seconds that may wait."""
RATE = 16_000
CHUNK = RATE // 50
HURRY = 100.0
"""Times real time at which what nobody hears is played."""


class StillMicrophone:
    """Hears nothing, in real time: the clock of a conversation that is typed."""

    rate = RATE

    def __init__(self) -> None:
        self._closed = threading.Event()

    def chunks(self) -> Iterator[AudioChunk]:
        """Yield chunks of 20 ms without a sound."""
        begun, start = time.monotonic(), 0
        while not self._closed.wait(max(0.0, begun + (start + CHUNK) / RATE - time.monotonic())):
            yield AudioChunk(np.zeros(CHUNK, np.float32), RATE, start)
            start += CHUNK

    def close(self) -> None:
        """End the stream."""
        self._closed.set()


class PacedSpeaker:
    """Plays in real time; what was played goes on to ``into``, which may play at once (a file)."""

    def __init__(self, into: Speaker | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._into, self._now = into, now
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Samples, int]] = deque()
        self._clock = 0.0  # time up to which everything is accounted for
        self._played = 0
        self._stops = 0

    def play(self, chunk: AudioChunk) -> None:
        """Queue a chunk; blocks while more than 1.5 s wait."""
        with self._changed:
            self._advance()
            stops = self._stops
            while self._seconds() > FULL and stops == self._stops:
                self._changed.wait(0.02)
                self._advance()
            if stops != self._stops:
                return
            if not self._waiting:
                self._clock = self._now()
            self._waiting.append((chunk.samples, chunk.rate))

    def stop(self) -> int:
        """Drop what waits; return how many samples were played since the last stop."""
        with self._changed:
            self._advance()
            played, self._played = self._played, 0
            self._waiting.clear()
            self._stops += 1
            self._changed.notify_all()
        return played

    def drain(self) -> int:
        """Wait until all is played; return how many samples were played since the last stop."""
        with self._changed:
            stops = self._stops
            self._advance()
            while self._waiting and stops == self._stops:
                self._changed.wait(max(0.001, min(0.02, self._seconds())))
                self._advance()
            return self._played

    @property
    def played(self) -> int:
        """Samples played since the last stop."""
        with self._changed:
            self._advance()
            return self._played

    def close(self) -> None:
        """Drop what waits and close what it plays into."""
        self.stop()
        if self._into is not None:
            self._into.close()

    def heard(self, samples: Samples, rate: int, at: float) -> None:
        """Told what was played, and when its first sample was."""
        if self._into is not None:
            self._into.play(AudioChunk(samples, rate))

    def _seconds(self) -> float:
        return sum(len(samples) / rate for samples, rate in self._waiting)

    def _advance(self) -> None:
        """Account for the time that has passed."""
        now = self._now()
        while self._waiting:
            samples, rate = self._waiting[0]
            count = min(len(samples), int((now - self._clock) * rate))
            if count <= 0:
                return
            self.heard(samples[:count], rate, self._clock)
            self._clock += count / rate
            self._played += count
            if count == len(samples):
                self._waiting.popleft()
            else:
                self._waiting[0] = samples[count:], rate


class HurriedSpeaker(PacedSpeaker):
    """Plays to nobody, as quickly as anybody reads: the answers are only shown."""

    def __init__(self) -> None:
        super().__init__(now=lambda: time.monotonic() * HURRY)
