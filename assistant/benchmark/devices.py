"""A microphone and a loudspeaker that exist only as clocks: sound passes through them in real time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..types import AudioChunk, Frame, Pixels, Samples

RATE = 16_000
CHUNK = RATE // 50  # 20 ms
ROOM = 10 ** (-66 / 20)
"""Loudness of the quiet room that is heard between utterances (-66 dB)."""
AUDIBLE = 0.01
"""Amplitude from which a sample of the reply counts as heard."""
FULL = 1.5
"""Seconds that may wait in the loudspeaker."""


@dataclass(frozen=True, slots=True)
class Said:
    """When an utterance was said, on the wall clock."""

    begin: float
    end: float


class VirtualMicrophone:
    """Hears what :meth:`say` puts before it, chunk by chunk, each when it is over; a quiet room otherwise."""

    rate = RATE

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Samples] = deque()
        self._queued = 0
        self._next = 0.0  # wall time at which the next chunk begins
        self._closed = threading.Event()
        self._noise = np.random.default_rng(0).normal(0, ROOM, 10 * RATE).astype(np.float32)

    def say(self, samples: Samples) -> Said:
        """Say something at 16 kHz, after all that is still being said."""
        with self._lock:
            begin = self._next + self._queued / RATE
            padded = np.pad(samples, (0, -len(samples) % CHUNK))
            self._waiting.extend(padded.reshape(-1, CHUNK))
            self._queued += len(padded)
        return Said(begin, begin + len(samples) / RATE)

    def chunks(self) -> Iterator[AudioChunk]:
        """Yield chunks of 20 ms in real time."""
        begun, start = time.monotonic(), 0
        self._next = begun
        while not self._closed.wait(max(0.0, begun + (start + CHUNK) / RATE - time.monotonic())):
            with self._lock:
                at = start % (len(self._noise) - CHUNK)
                heard = self._noise[at : at + CHUNK]
                if self._waiting:
                    heard = heard + self._waiting.popleft()
                    self._queued -= CHUNK
                start += CHUNK
                self._next = begun + start / RATE
            yield AudioChunk(heard, RATE, start - CHUNK)

    def close(self) -> None:
        """End the stream."""
        self._closed.set()


class VirtualSpeaker:
    """Plays in real time to nobody, and knows when each sample was heard."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Samples, int]] = deque()
        self._clock = 0.0  # wall time up to which everything is accounted for
        self._played = 0
        self._stops = 0
        self.first: float | None = None
        """When the first audible sample since :meth:`listen` was played."""
        self.last: float | None = None
        """When the last audible sample was played."""

    def listen(self) -> None:
        """Forget what was heard so far."""
        with self._changed:
            self._advance()
            self.first = self.last = None

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
                self._clock = time.monotonic()
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
        """Wait until all is played."""
        with self._changed:
            stops = self._stops
            self._advance()
            while self._waiting and stops == self._stops:
                self._changed.wait(min(0.02, self._seconds()))
                self._advance()
            return self._played

    @property
    def played(self) -> int:
        """Samples played since the last stop."""
        with self._changed:
            self._advance()
            return self._played

    def close(self) -> None:
        """Nothing is held."""

    def _seconds(self) -> float:
        return sum(len(samples) / rate for samples, rate in self._waiting)

    def _advance(self) -> None:
        """Account for the time that has passed."""
        now = time.monotonic()
        while self._waiting:
            samples, rate = self._waiting[0]
            count = min(len(samples), int((now - self._clock) * rate))
            if count <= 0:
                return
            audible = np.flatnonzero(np.abs(samples[:count]) > AUDIBLE)
            if len(audible):
                if self.first is None:
                    self.first = self._clock + audible[0] / rate
                self.last = self._clock + audible[-1] / rate
            self._clock += count / rate
            self._played += count
            if count == len(samples):
                self._waiting.popleft()
            else:
                self._waiting[0] = samples[count:], rate


class VirtualCamera:
    """Shows one picture until it is given another."""

    def __init__(self, pixels: Pixels | None = None) -> None:
        self.pixels = pixels

    def frame(self) -> Frame | None:
        """Return the picture, or ``None`` where there is none."""
        return None if self.pixels is None else Frame(self.pixels, time.monotonic(), "virtual camera")

    def close(self) -> None:
        """Nothing is held."""
