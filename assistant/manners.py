"""How the assistant speaks: how loud, how fast, and what it said last. Voice commands change it at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from .orders import Order
from .playback import Playback
from .stages import Stages, Voice
from .streams import Lane, Urgency
from .types import Message

LOUDER = 1.4
"""Step of "louder" and "quieter"."""
LOUDNESS = (0.1, 2.0)
SLOWER = 0.85
"""Step of "slower" and "faster"."""
SPEEDS = (0.5, 2.0)


class Manners:
    """Carries out what is said to the assistant itself; belongs to the event loop.

    ``make_voice`` returns the voice at another speed; without it the speed stays as it is.
    """

    def __init__(
        self, stages: Stages, playback: Playback, lane: Lane, make_voice: Callable[[float], Voice] | None
    ) -> None:
        self._stages, self._playback, self._lane, self._make_voice = stages, playback, lane, make_voice
        self._speed = stages.settings.voice.speed
        self._voice: Voice | None = None
        self.last = ""
        """The last reply, whole."""
        self.cut = False
        """Whether what was said last was cut by what is said now."""

    @property
    def voice(self) -> Voice:
        """The voice at the speed that was asked for."""
        return self._voice or self._stages.voice

    def rest(self, heard: str) -> str:
        """Return the words of the last reply that come after those that were ``heard``."""
        return " ".join(self.last.split()[len(heard.split()) :])

    async def obey(self, order: Order, rest: str) -> str:
        """Do it, and return what is to be said, if anything; ``rest`` is what was not heard of the last reply."""
        sample = (rest if self.cut else "") or "Like this?"
        match order:
            case Order.LOUDER | Order.QUIETER:
                factor = LOUDER if order is Order.LOUDER else 1 / LOUDER
                self._playback.volume = _within(LOUDNESS, self._playback.volume * factor)
                return sample
            case Order.SLOWER | Order.FASTER:
                await self._change_speed(SLOWER if order is Order.SLOWER else 1 / SLOWER)
                return sample
            case Order.REPEAT:
                return self.last or "I have not said anything yet."
            case Order.RESUME:
                return rest or "There is nothing to go on with."
            case Order.STOP | Order.PAUSE:
                return ""

    async def _change_speed(self, factor: float) -> None:
        if self._make_voice is None:
            return
        make, speed = self._make_voice, _within(SPEEDS, self._speed * factor)
        self._voice = await self._lane.run(Urgency.VOICE, lambda: make(speed))
        self._speed = speed


def lengthened(history: tuple[Message, ...], heard: str) -> tuple[Message, ...]:
    """Return a history whose last reply goes on with what more was heard of it."""
    if not heard:
        return history
    if not history or history[-1].role != "assistant":
        return (*history, Message("assistant", heard))
    cut = history[-1]
    return (*history[:-1], dataclasses.replace(cut, text=f"{cut.text} {heard}".strip()))


def _within(bounds: tuple[float, float], value: float) -> float:
    return min(bounds[1], max(bounds[0], value))
