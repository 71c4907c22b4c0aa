"""The mouth: plays a reply in small blocks, knows what was really heard, can duck, hold and stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .errors import DeviceError
from .stages import Speaker
from .streams import Lane, Urgency
from .types import AudioChunk, Samples

log = logging.getLogger(__name__)

BLOCK = 0.02
"""Seconds handed to the loudspeaker at once."""
AHEAD = 0.3
"""Seconds handed to the loudspeaker before they are heard; a stop takes them back."""
SLACK = 0.05
"""Seconds at the end of a word without which it is understood all the same."""
DUCKED = 0.15
"""Loudness while somebody makes sounds over the reply (-16 dB)."""
RETRY = 1.0
"""Seconds between two tries to play on a loudspeaker that was unplugged."""


@dataclass(slots=True)
class Clause:
    """A piece of the reply and where its sound lies, in samples of the reply."""

    text: str
    start: int
    end: int


class Playback:
    """One reply at a time. All methods belong to the event loop; only the device has a thread."""

    def __init__(
        self,
        speaker: Speaker,
        played: Callable[[AudioChunk], None] = lambda block: None,
        trouble: Callable[[str], None] = log.warning,
    ) -> None:
        self._speaker, self._played, self._trouble = speaker, played, trouble
        self._device = Lane("loudspeaker")
        self._clauses: list[Clause] = []
        self._room: Samples = np.zeros(0, np.float32)  # grows by doubling
        self._length = 0  # samples of the reply in it
        self._rate = 0
        self._base = 0  # position at the last stop of the device
        self._sent = 0  # position of the next sample for the device
        self._held = False
        self._gain = self._target = 1.0
        self._lost = False
        self._era = 0  # counts stops: a block of an earlier era must not be heard
        self._changed = asyncio.Event()
        self._ringing = asyncio.Lock()
        self.volume = 1.0
        """Loudness as wished by voice, 1 is as synthesised."""
        self.began = asyncio.Event()
        """The first block of this reply went to the loudspeaker."""

    @property
    def position(self) -> int:
        """Samples of this reply that were really played."""
        return min(self._base + self._speaker.played, self._sent)

    @property
    def active(self) -> bool:
        """Whether something is being played, or held."""
        return bool(self._clauses) and self.position < self._length

    def add(self, clause: Clause | None, text: str, chunk: AudioChunk) -> Clause:
        """Queue a chunk of a clause; ``clause`` is what the chunk before it returned, ``None`` for the first."""
        if clause is None:
            clause = Clause(text, self._length, self._length)
            self._clauses.append(clause)
        self._rate = chunk.rate
        end = self._length + len(chunk.samples)
        if end > len(self._room):
            self._room = np.concatenate([self._room[: self._length], np.zeros(end, np.float32)])
        self._room[self._length : end] = chunk.samples
        self._length = clause.end = end
        self._changed.set()
        return clause

    def duck(self) -> None:
        """Lower the voice at once: what waits in the device is taken back and played again, lower."""
        self._halt()
        self._target = DUCKED
        self._changed.set()

    def hold(self) -> None:
        """Fall silent at once, but keep the place."""
        if not self._held:
            self._halt()
            self._held = True

    def resume(self) -> None:
        """Go on where it stopped, at full volume."""
        self._held, self._target = False, 1.0
        self._changed.set()

    def stop(self) -> str:
        """Drop the reply at once; return what was heard of it."""
        self._halt()
        heard = self.heard()
        self._clauses, self._length = [], 0
        self._base = self._sent = 0
        self._held, self._gain, self._target = False, 1.0, 1.0
        self.began.clear()
        self._changed.set()
        return heard

    def heard(self) -> str:
        """Return the text whose sound was really played; a word counts when its end was."""
        position = self.position + int(SLACK * self._rate)
        return " ".join(part for clause in self._clauses if (part := _part(clause, position)))

    def recent(self, seconds: float) -> str:
        """Return the text that was played in the last ``seconds`` or is being played now."""
        earliest = self.position - int(seconds * self._rate)
        return " ".join(
            clause.text for clause in self._clauses if clause.end > earliest and clause.start <= self.position
        )

    async def finished(self) -> None:
        """Wait until all that was queued has been played."""
        while self.active:
            if self._sent < self._length or self._held:
                await asyncio.sleep(BLOCK)
                continue
            era = self._era
            with contextlib.suppress(DeviceError):  # unplugged in the last moment: that was it
                await self._device.run(Urgency.VOICE, self._speaker.drain)
            if era == self._era:
                return

    async def run(self) -> None:
        """Feed the loudspeaker; ends by cancellation only."""
        while True:
            if self._held or self._ringing.locked() or self._sent >= self._length:
                self._changed.clear()
                await self._changed.wait()
            elif self._sent - self.position >= AHEAD * self._rate:
                await asyncio.sleep(BLOCK)
            else:
                await self._feed(self._next())

    async def _feed(self, block: AudioChunk) -> None:
        """Hand one block to the device; where that is unplugged, keep the place until it returns."""
        era = self._era
        self._played(block)
        self.began.set()
        try:
            await self._device.run(Urgency.VOICE, lambda: self._speaker.play(block))
        except DeviceError as error:
            if not self._lost:
                self._lost = True
                self._trouble(str(error))
            self._halt()
            await asyncio.sleep(RETRY)
            return
        if self._lost:
            self._lost = False
            self._trouble("the loudspeaker is back")
        if era != self._era:
            # A stop overtook this block on its way to the device.
            self._speaker.stop()

    async def chime(self, sound: AudioChunk) -> None:
        """Play a short sound that is no part of a reply, unless the voice speaks or there is no device."""

        def ring() -> None:
            self._speaker.play(sound)
            self._speaker.drain()
            self._speaker.stop()  # these samples are none of the reply's

        async with self._ringing:
            if self.active:
                return
            self._halt()
            self._played(sound)
            with contextlib.suppress(DeviceError):
                await self._device.run(Urgency.VOICE, ring)
        self._changed.set()

    def close(self) -> None:
        """Give the loudspeaker back."""
        self._halt()
        self._device.close()
        self._speaker.close()

    def _halt(self) -> None:
        """Take back what the device has not played."""
        self._era += 1
        self._base = self._sent = min(self._base + self._speaker.stop(), self._sent)

    def _next(self) -> AudioChunk:
        """Return the next block for the device, at the loudness of the moment."""
        end = min(self._length, self._sent + max(1, int(BLOCK * self._rate)))
        samples = self._room[self._sent : end]
        gain = np.linspace(self._gain, self._target, len(samples), dtype=np.float32) * self.volume
        self._gain = self._target
        block = AudioChunk(np.clip(samples * gain, -1, 1), self._rate, self._sent)
        self._sent += len(samples)
        return block


def _part(clause: Clause, position: int) -> str:
    """Return the words of a clause that were played before ``position``."""
    if position >= clause.end:
        return clause.text
    if position <= clause.start:
        return ""
    share = (position - clause.start) / (clause.end - clause.start)
    letters, heard = 0, []
    for word in clause.text.split():
        letters += len(word) + 1
        if letters / (len(clause.text) + 1) > share:
            break
        heard.append(word)
    return " ".join(heard)
