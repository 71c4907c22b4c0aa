"""How the assistant speaks: how loud, how fast, and what it said last. Voice commands change it at once."""

from __future__ import annotations

from collections.abc import Callable

from .orders import Order
from .playback import Playback
from .stages import Stages, Voice
from .streams import Lane, Urgency

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

    @property
    def voice(self) -> Voice:
        """The voice at the speed that was asked for."""
        return self._voice or self._stages.voice

    async def obey(self, order: Order, heard: str) -> str:
        """Do it, and return what is to be said, if anything; ``heard`` is what was heard of the last reply."""
        match order:
            case Order.LOUDER | Order.QUIETER:
                factor = LOUDER if order is Order.LOUDER else 1 / LOUDER
                self._playback.volume = _within(LOUDNESS, self._playback.volume * factor)
                return "Like this?"
            case Order.SLOWER | Order.FASTER:
                await self._change_speed(SLOWER if order is Order.SLOWER else 1 / SLOWER)
                return "Like this?"
            case Order.REPEAT:
                return self.last or "I have not said anything yet."
            case Order.RESUME:
                return " ".join(self.last.split()[len(heard.split()) :]) or "There is nothing to go on with."
            case Order.STOP | Order.PAUSE:
                return ""

    async def _change_speed(self, factor: float) -> None:
        if self._make_voice is None:
            return
        make, speed = self._make_voice, _within(SPEEDS, self._speed * factor)
        self._voice = await self._lane.run(Urgency.VOICE, lambda: make(speed))
        self._speed = speed


def _within(bounds: tuple[float, float], value: float) -> float:
    return min(bounds[1], max(bounds[0], value))
