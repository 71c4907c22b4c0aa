"""A microphone and a loudspeaker that exist only as clocks: sound passes through them in real time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..pacing import PacedSpeaker
from ..types import AudioChunk, Frame, Pixels, Samples

RATE = 16_000
CHUNK = RATE // 50  # 20 ms
ROOM = 10 ** (-66 / 20)
"""Loudness of the quiet room that is heard between utterances (-66 dB)."""
AUDIBLE = 0.01
"""Amplitude from which a sample of the reply counts as heard."""


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


class VirtualSpeaker(PacedSpeaker):
    """Plays in real time to nobody, and knows when each sample was heard."""

    def __init__(self) -> None:
        super().__init__()
        self.first: float | None = None
        """When the first audible sample since :meth:`listen` was played."""
        self.last: float | None = None
        """When the last audible sample was played."""

    def listen(self) -> None:
        """Forget what was heard so far."""
        self.first = self.last = None

    def heard(self, samples: Samples, rate: int, at: float) -> None:
        """Note when something audible was played."""
        audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
        if len(audible):
            if self.first is None:
                self.first = at + audible[0] / rate
            self.last = at + audible[-1] / rate


class VirtualCamera:
    """Shows one picture until it is given another."""

    def __init__(self, pixels: Pixels | None = None) -> None:
        self.pixels = pixels

    def frame(self) -> Frame | None:
        """Return the picture, or ``None`` where there is none."""
        return None if self.pixels is None else Frame(self.pixels, time.monotonic(), "virtual camera")

    def close(self) -> None:
        """Nothing is held."""
