"""Earcons: short sounds that tell the state of the assistant to whoever does not look at a screen.

Each is a few notes of a soft bell, made when it is asked for. They differ by contour, which is
remembered better than pitch or timbre (Brewster, Wright and Edwards, "Guidelines for the creation of
earcons", 1995): listening rises, sleeping falls, thinking stays, news rise and come back, an error falls
in a low register.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from .types import AudioChunk, Samples

if TYPE_CHECKING:
    from .happening import Happening

LOUDNESS = 0.2
"""Peak at a volume of 1: well below the voice."""
RAMP = 0.008
"""Seconds in which a note rises; shorter ones click."""
FALL = 0.02
"""Seconds in which the end of a note fades away."""
OVERTONE = 0.25
"""Share of the octave above, which small loudspeakers play where they swallow the note itself."""

UNHEARD = 1.5
"""Seconds after a question from which a sound says that the assistant still thinks."""


class Earcon(StrEnum):
    """What a sound says."""

    LISTENING = "listening"
    THINKING = "thinking"
    ERROR = "error"
    SLEEPING = "sleeping"
    NEWS = "news"


@dataclass(frozen=True, slots=True)
class Note:
    """One stroke of the bell."""

    hertz: float
    seconds: float
    loudness: float = 1.0
    """Relative to the other notes."""


NOTES = {
    Earcon.LISTENING: (Note(587.3, 0.07), Note(880.0, 0.13)),  # D5, A5: a fifth up
    Earcon.THINKING: (Note(659.3, 0.06, 0.6), Note(659.3, 0.09, 0.4)),  # E5 twice, softer
    Earcon.ERROR: (Note(311.1, 0.11), Note(220.0, 0.13)),  # E♭4, A3: a tritone down
    Earcon.SLEEPING: (Note(880.0, 0.07), Note(587.3, 0.13, 0.8)),  # A5, D5: a fifth down
    Earcon.NEWS: (Note(659.3, 0.06), Note(987.8, 0.06), Note(659.3, 0.12, 0.8)),  # E5, B5, E5: a fifth up and back
}
"""At most 0.25 s each."""


def earcon(which: Earcon, rate: int, volume: float = 1.0) -> AudioChunk:
    """Return a sound at ``rate`` samples per second; ``volume`` is that of ``audio.volume``, 0 to 2."""
    samples = np.concatenate([_struck(note, rate) for note in NOTES[which]])
    return AudioChunk((samples * LOUDNESS * min(2.0, max(0.0, volume))).astype(np.float32), rate)


class Chimes:
    """An observer of a :class:`~assistant.dialogue.Dialogue` that tells its states by earcons.

    ``play`` is called in the event loop and must return at once. A wake-up, and with push-to-talk the key, says that
    it listens; with ``greets`` so does the beginning, from which the ears also learn, before anybody speaks, how the
    loudspeaker sounds in the room. A reply that keeps one waiting or needs a tool says that it thinks, trouble is an
    error. News wait until nobody speaks and no reply is made.
    """

    def __init__(
        self,
        play: Callable[[AudioChunk], None],
        rate: int,
        volume: float = 1.0,
        hands_free: bool = True,
        greets: bool = False,
    ) -> None:
        self._play, self._rate, self._volume = play, rate, volume
        self._hands_free, self._greets = hands_free, greets
        self._waiting: asyncio.TimerHandle | None = None
        self._idle = True
        self._news: Earcon | None = None

    def __call__(self, happening: Happening) -> None:
        """Sound, or wait for the moment to sound."""
        match happening.name:
            case "awake":
                self._sound(Earcon.LISTENING)
            case "ready" if self._greets:
                self._sound(Earcon.LISTENING)
            case "listening" if not self._hands_free:
                self._sound(Earcon.LISTENING)
            case "asleep":
                self._sound(Earcon.SLEEPING)
            case "trouble":
                self._sound(Earcon.ERROR)
            case "tool":
                self._hush()
                self._sound(Earcon.THINKING)
            case "news":
                self._news = Earcon.ERROR if happening.details["failed"] else Earcon.NEWS
                self._tell_news()
            case "state":
                self._hush()
                self._idle = happening.details["state"] == "idle"
                self._tell_news()
                if happening.details["state"] == "thinking":
                    loop = asyncio.get_running_loop()
                    self._waiting = loop.call_later(UNHEARD, self._sound, Earcon.THINKING)

    def _tell_news(self) -> None:
        if self._idle and self._news is not None:
            self._sound(self._news)
            self._news = None

    def _hush(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _sound(self, which: Earcon) -> None:
        self._play(earcon(which, self._rate, self._volume))


def _struck(note: Note, rate: int) -> Samples:
    """Return one note, (samples,), that begins and ends at zero; its peak is at most its loudness."""
    time = np.arange(round(note.seconds * rate)) / rate
    tone = np.sin(2 * np.pi * note.hertz * time)
    if 2 * note.hertz < rate / 2:
        tone = tone + OVERTONE * np.sin(4 * np.pi * note.hertz * time)
    rise = np.minimum(1.0, time / RAMP)
    fall = np.minimum(1.0, (time[-1] - time) / FALL)
    # sin² is flat at both its ends, so nothing clicks
    shape = np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2 * np.exp(-2 * time / note.seconds)
    struck: Samples = (note.loudness / (1 + OVERTONE) * tone * shape).astype(np.float32)
    return struck
