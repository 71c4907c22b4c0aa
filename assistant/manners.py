"""How the assistant speaks: how loud, how fast, and what it said last. Voice commands change it at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from .orders import Order
from .playback import Playback
from .stages import Stages
from .streams import Lane, Urgency
from .types import Message

LOUDER = 1.4
"""Step of "louder" and "quieter"."""
LOUDNESS = (0.1, 2.0)
SLOWER = 0.85
"""Step of "slower" and "faster"."""
SPEEDS = (0.5, 2.0)
SAID: Mapping[str, tuple[str, str, str, str]] = {
    "en": (
        "Like this?",
        "I have not said anything yet.",
        "There is nothing to go on with.",
        "I have forgotten what we said, and nothing of it is kept.",
    ),
    "de": (
        "Ist es so gut?",
        "Ich habe noch nichts gesagt.",
        "Da ist nichts, was noch zu sagen wäre.",
        "Ich habe vergessen, was wir gesagt haben, und nichts davon wird aufgehoben.",
    ),
    "fr": (
        "Comme ça ?",
        "Je n'ai encore rien dit.",
        "Il n'y a rien à continuer.",
        "J'ai oublié ce que nous avons dit, et rien n'en est gardé.",
    ),
    "es": (
        "¿Así?",
        "Todavía no he dicho nada.",
        "No hay nada que continuar.",
        "He olvidado lo que hemos dicho, y no se guarda nada.",
    ),
    "it": (
        "Così va bene?",
        "Non ho ancora detto niente.",
        "Non c'è niente da continuare.",
        "Ho dimenticato quello che abbiamo detto, e niente viene conservato.",
    ),
}
"""What is said after a change of the voice, where nothing was said, where nothing is left and when all is forgotten,
by language; English where the person's language is none of these."""


class Manners:
    """Carries out what is said to the assistant itself; belongs to the event loop.

    ``forget`` forgets the conversation.
    """

    def __init__(
        self,
        stages: Stages,
        playback: Playback,
        lane: Lane,
        forget: Callable[[], None],
    ) -> None:
        self._playback, self._lane, self._forget = playback, lane, forget
        self._speed = stages.settings.voice.speed
        self.voices = stages.voices
        """Those who speak, at the speed that was asked for."""
        self.last = ""
        """The last reply, whole."""
        self.cut = False
        """Whether what was said last was cut by what is said now."""

    def rest(self, heard: str) -> str:
        """Return the words of the last reply that come after those that were ``heard``."""
        return " ".join(self.last.split()[len(heard.split()) :])

    async def obey(self, order: Order, rest: str, language: str) -> str:
        """Do it, and return what is to be said, if anything; ``rest`` is what was not heard of the last reply."""
        like_this, silent, over, forgotten = SAID.get(language, SAID["en"])
        sample = (rest if self.cut else "") or like_this
        match order:
            case Order.LOUDER | Order.QUIETER:
                factor = LOUDER if order is Order.LOUDER else 1 / LOUDER
                self._playback.volume = _within(LOUDNESS, self._playback.volume * factor)
                return sample
            case Order.SLOWER | Order.FASTER:
                await self._change_speed(SLOWER if order is Order.SLOWER else 1 / SLOWER)
                return sample
            case Order.REPEAT:
                return self.last or silent
            case Order.RESUME:
                return rest or over
            case Order.FORGET:
                self._forget()
                return forgotten
            case Order.STOP | Order.PAUSE:
                return ""

    async def _change_speed(self, factor: float) -> None:
        speed = _within(SPEEDS, self._speed * factor)
        self.voices = await self._lane.run(Urgency.VOICE, lambda: self.voices.at(speed))
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
