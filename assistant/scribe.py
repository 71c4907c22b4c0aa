"""Live captions: what is said in the room, written down while it is said, for those who cannot hear it.

No language model takes part. What is said is read again and again while it goes on, by the quick recogniser, and once
more by the careful one after a pause.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from .config import Settings
from .ears import Ears
from .listening import Listener, native
from .speech import HYSTERESIS
from .stages import Recognition, Recognizer
from .streams import Lane, Urgency, flow
from .turns import ONSET, RATE
from .types import Utterance

WAITING = 2000
"""Chunks of sound that may wait while the recogniser works: a minute."""
LONG, LONGEST = 12.0, 25.0
"""Seconds after which a short pause ends a caption, and after which nothing is waited for."""
BREATH = 0.2
"""Seconds of such a short pause."""
UNSURE = 0.5
"""Confidence below which words are shown as a guess."""


@dataclass(frozen=True, slots=True)
class Caption:
    """What somebody said, or has said so far."""

    start: float
    """Seconds since the ears opened."""
    end: float
    utterance: Utterance
    whole: bool
    """Whether that was all; otherwise the next caption takes its place."""

    @property
    def text(self) -> str:
        """The words; a question mark in brackets follows where they are a guess."""
        return self.utterance.text + (" (?)" if self.whole and self.utterance.confidence < UNSURE else "")


class Scribe:
    """Writes down what the ears hear; ``quick`` reads what is still being said, ``careful`` what was."""

    def __init__(self, ears: Ears, careful: Recognizer, quick: Recognizer, settings: Settings) -> None:
        self._ears, self._careful = ears, careful
        self._vad, self._every = settings.vad, settings.talk.partials
        self._lane = Lane("scribe")
        self._asr = settings.asr
        self._listener = Listener(quick, self._lane, settings.asr.language, settings.asr.translate)
        self._spoken = native()

    async def captions(self) -> AsyncGenerator[Caption]:
        """Yield what is said until the microphone ends; nothing for what are no words."""
        first = last = -1  # of the open caption, in samples; of its last speech
        burst = spoken = 0  # where the last speech began; samples of it
        until, cost = 0, 0.0  # where the last draft ended; seconds it took
        now, silence = 0, int(self._vad.silence * RATE)
        try:
            async with aclosing(flow(self._ears.sounds(), self._ears.close, WAITING)) as sounds:
                async for sound in sounds:
                    self._listener.take(sound.chunk)
                    now = sound.chunk.start + len(sound.chunk.samples)
                    if sound.probability >= self._vad.threshold - (HYSTERESIS if spoken else 0.0):
                        burst = burst if spoken else sound.chunk.start
                        spoken += len(sound.chunk.samples)
                        if first < 0 and spoken >= ONSET:
                            first = until = max(0, burst - int(self._vad.padding * RATE))
                        last = now
                    else:
                        spoken = 0
                    if first < 0:
                        continue
                    seconds = (now - first) / RATE
                    if now - last >= (BREATH * RATE if seconds >= LONG else silence) or seconds >= LONGEST:
                        if (caption := await self._read(first, last, now)).utterance.text:
                            yield caption
                        first, spoken = -1, 0
                    elif spoken and now - until >= max(self._every, 2 * cost) * RATE:
                        began, until = time.monotonic(), now
                        utterance = await self._listener.read(first, now, draft=True)
                        cost = time.monotonic() - began
                        if utterance.text:
                            yield Caption(first / RATE, now / RATE, utterance, whole=False)
                if first >= 0 and (caption := await self._read(first, last, now)).utterance.text:
                    yield caption
        finally:
            self._lane.close()

    async def _read(self, first: int, last: int, now: int) -> Caption:
        """Return what was said from one sample to another, with the quiet around it."""
        audio = self._listener.between(first, min(now, last + int(self._vad.padding * RATE)))
        fixed = None if self._asr.language in ("", "auto") else self._asr.language
        wish = Recognition(fixed, self._asr.translate, voiced=True, likely=self._spoken)
        utterance = await self._lane.run(Urgency.EAR, partial(self._careful.transcribe, audio, wish))
        if utterance.text and utterance.confidence >= UNSURE:
            self._spoken = utterance.language
        return Caption(first / RATE, last / RATE, utterance, whole=True)
