"""Asleep until the wake word: ears that hear silence while nobody called."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .ears import Ears, Sound
from .turns import RATE

if TYPE_CHECKING:
    from .config import WakeSettings
    from .happening import Happening
    from .stages import EchoCanceller, Microphone, VoiceActivity, WakeWord

SPEECH = 0.35
"""Probability from which a chunk may belong to something said."""
WITHHELD = RATE * 5 // 2
"""Samples that are withheld at most while the engine makes up its mind about them."""
QUIET = RATE * 6 // 10
"""Quiet after which it has."""
ECHOES = RATE // 25  # 40 ms
"""End of the wake word that is not taken for a question.

The engines are sure when the word is all but over (0.1 s at most sound on); the rest is too short to begin a turn.
"""


class DrowsyEars(Ears):
    """Ears of a conversation that sleeps until it is called, and again after ``wake.sleep_after`` seconds.

    While it sleeps every chunk is passed on, for the clock, but as if nobody spoke. Where the engine
    knows what was said after the word in the same breath (its ``rest``), that breath is passed on as
    it was said.
    """

    def __init__(
        self,
        microphone: Microphone,
        activity: VoiceActivity,
        echo: EchoCanceller | None,
        wake: WakeWord,
        settings: WakeSettings,
    ) -> None:
        super().__init__(microphone, activity, echo)
        self._wake, self._patience = wake, round(settings.sleep_after * RATE)
        self.awake = False
        self.told: Callable[[str, str], None] = lambda state, word: None
        """Told in the microphone's thread: ``("awake", word)`` and ``("asleep", "")``."""
        self._idle = True
        self._last = 0  # last sample at which something went on
        self._breath: deque[Sound] = deque()
        self._spoken = 0  # end of the last speech in it
        self._echoes = 0  # up to this sample the wake word itself may still sound

    def observe(self, happening: Happening) -> None:
        """Learn, as an observer of the conversation, whether it rests."""
        if happening.name == "state":
            self._idle = happening.details["state"] == "idle"

    def sounds(self) -> Iterator[Sound]:
        """Yield what the conversation is to hear."""
        self.told("asleep", "")
        for sound in super().sounds():
            if self.awake:
                yield self._attentive(sound)
            else:
                yield from self._asleep(sound)
        yield from map(_unheard, self._breath)

    def _attentive(self, sound: Sound) -> Sound:
        """Pass on what is heard; fall asleep where nothing has gone on for long."""
        now = _end(sound)
        if now <= self._echoes:
            if sound.probability >= SPEECH:
                return _unheard(sound)
            self._echoes = 0
        if sound.probability >= SPEECH or not self._idle:
            self._last = now
        elif now - self._last > self._patience:
            self.awake = False
            reset = getattr(self._wake, "reset", None)
            if reset is not None:
                reset()
            self.told("asleep", "")
        return sound

    def _asleep(self, sound: Sound) -> Iterator[Sound]:
        """Withhold each breath until the engine has judged it."""
        self._breath.append(sound)
        if sound.probability >= SPEECH:
            self._spoken = _end(sound)
        word = self._wake.heard(sound.chunk)
        if word is not None:
            yield from self._woken(word, sound)
            return
        # Of a breath that goes on all is kept that fits; of quiet only what may belong to its beginning.
        room = WITHHELD if _end(sound) - self._spoken < QUIET else QUIET
        while self._breath and _end(sound) - self._breath[0].chunk.start > room:
            yield _unheard(self._breath.popleft())

    def _woken(self, word: str, sound: Sound) -> Iterator[Sound]:
        self.awake, self._last = True, _end(sound)
        self.told("awake", word)
        in_one_breath = bool(getattr(self._wake, "rest", ""))
        self._echoes = 0 if in_one_breath else self._last + ECHOES
        while self._breath:
            held = self._breath.popleft()
            yield held if in_one_breath else _unheard(held)


def _unheard(sound: Sound) -> Sound:
    return dataclasses.replace(sound, probability=0.0)


def _end(sound: Sound) -> int:
    return sound.chunk.start + len(sound.chunk.samples)
