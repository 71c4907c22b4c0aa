"""The ears: microphone → echo canceller → voice activity, all in the microphone's thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .errors import DeviceError
from .sound import Resampler
from .stages import EchoCanceller, Microphone, VoiceActivity
from .turns import RATE
from .types import AudioChunk, Samples

log = logging.getLogger(__name__)

FRAME = RATE // 100  # 10 ms, what echo cancellers take
ECHO_TAIL = 2 * RATE
"""Samples after the last reply for which the canceller still works; then it sleeps."""
MOST_AHEAD = 50
"""Frames of 10 ms by which the loudspeaker's sound may be ahead of the microphone's; two clocks drift apart."""
CALM = 2 * RATE
"""Samples without voice or reply after which the ears doze: they then listen to several chunks at once."""
DOZING = 4
"""Chunks that dozing ears let gather: waking up costs more than listening, and a sentence may be noticed late."""
VOICE_LIKE = 0.2
"""Probability of speech that keeps the ears awake."""
RETRY = 1.0
"""Seconds between two tries to hear a microphone that was unplugged."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One chunk of what the ears hear, at 16 kHz."""

    chunk: AudioChunk
    probability: float
    """That somebody speaks in it."""


class Ears:
    """Turns a microphone into a stream of :class:`Sound` and takes the assistant's own voice out of it."""

    def __init__(
        self,
        microphone: Microphone,
        activity: VoiceActivity,
        echo: EchoCanceller | None = None,
        trouble: Callable[[str], None] = log.warning,
    ) -> None:
        self._microphone, self._activity, self._echo = microphone, activity, echo
        self.trouble = trouble
        """Told in the microphone's thread when the microphone is lost and when it is back."""
        self.timed = False
        """Whether :meth:`played` is called by the device itself, at the moment of playing."""
        self._closed = threading.Event()
        self._reference: deque[Samples] = deque()  # 10 ms frames that the loudspeaker plays next
        self._rest: Samples = np.zeros(0, np.float32)
        self._resampler: Resampler | None = None
        self._quiet = ECHO_TAIL  # samples since the last frame of a reply
        self._calm = 0  # samples since the last voice or reply

    def played(self, block: AudioChunk) -> None:
        """Tell what goes to the loudspeaker now (any rate)."""
        if block.samples.any():
            self._calm = 0
        if self._echo is None:
            return
        if self._resampler is None or self._resampler.source != block.rate:
            self._resampler = Resampler(block.rate, RATE)
        samples = np.concatenate([self._rest, self._resampler.push(block.samples)])
        whole = len(samples) // FRAME * FRAME
        self._reference.extend(samples[:whole].reshape(-1, FRAME))
        self._rest = samples[whole:]
        while len(self._reference) > MOST_AHEAD:
            self._reference.popleft()

    def sounds(self) -> Iterator[Sound]:
        """Yield what is heard, chunk by chunk, until the source ends or :meth:`close` is called.

        Where the microphone is unplugged it says so, waits, and goes on when it returns.
        """
        start = 0
        waiting: Samples = np.zeros(0, np.float32)
        size = self._activity.chunk
        for frames in self._frames():
            waiting = np.concatenate([waiting, frames])
            if self._calm >= CALM and len(waiting) < DOZING * size:
                continue
            while len(waiting) >= size:
                chunk = AudioChunk(waiting[:size], RATE, start)
                waiting = waiting[size:]
                start += size
                probability = self._activity.probability(chunk)
                self._calm = 0 if probability >= VOICE_LIKE else self._calm + size
                yield Sound(chunk, probability)

    def close(self) -> None:
        """End the stream and give the microphone back."""
        self._closed.set()
        self._microphone.close()

    def _frames(self) -> Iterator[Samples]:
        """Yield sound at 16 kHz without the echo."""
        rest: Samples = np.zeros(0, np.float32)
        for samples in self._samples():
            if self._echo is None:
                yield samples
                continue
            rest = np.concatenate([rest, samples])
            whole = len(rest) // FRAME * FRAME
            if whole:
                yield np.concatenate([self._clean(frame) for frame in rest[:whole].reshape(-1, FRAME)])
                rest = rest[whole:]

    def _clean(self, frame: Samples) -> Samples:
        assert self._echo is not None
        playing = self._reference.popleft() if self._reference else np.zeros(FRAME, np.float32)
        self._quiet = 0 if playing.any() else self._quiet + FRAME
        if self._quiet >= ECHO_TAIL:
            return frame
        self._echo.played(AudioChunk(playing, RATE))
        return self._echo.clean(AudioChunk(frame, RATE)).samples

    def _samples(self) -> Iterator[Samples]:
        """Yield what the microphone hears at 16 kHz, over all its disappearances."""
        lost = False
        while not self._closed.is_set():
            resampler = Resampler(self._microphone.rate, RATE)
            try:
                for chunk in self._microphone.chunks():
                    if lost:
                        lost = False
                        self.trouble("the microphone is back")
                    yield resampler.push(chunk.samples)
                return
            except DeviceError as error:
                if not lost:
                    lost = True
                    self.trouble(str(error))
            self._closed.wait(RETRY)
