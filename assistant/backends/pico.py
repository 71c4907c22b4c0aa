"""SVOX Pico by ``py-nanotts``: quick, plain voices for German, English, French, Italian and Spanish.

The library carries its voices; nothing is downloaded. A sentence takes 0.02 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DeviceError, SettingError, nearest
from ..text import speakable
from ..types import AudioChunk
from .voicing import pieces, wished, within

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

VOICES = {"de": "de-DE", "en": "en-GB", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}
"""Names of the voices by ISO 639-1 code."""

SPEEDS = (0.2, 5.0)
"""Slowest and fastest speech."""

LEVEL = 0.35
"""Loudness at which Pico is as loud as the voice of Piper; at 1 its peaks are cut off."""


class PicoVoice:
    """Speaks ``voice.language``, or the language of ``asr.language``, or English."""

    rate = 16_000
    """Samples per second of its output."""

    def __init__(self, settings: Settings, store: Store | None = None) -> None:
        try:
            from py_nanotts import NanoTTS
        except ImportError as error:
            raise DeviceError('py-nanotts is not installed; run: pip install "py-nanotts>=0.1.1"') from error
        self.language = wished(settings)
        """ISO 639-1 code of the language it speaks."""
        if self.language not in VOICES:
            raise SettingError(f"Pico does not speak {self.language!r}{nearest(self.language, sorted(VOICES))}")
        self.name = f"pico {VOICES[self.language]}"
        self._engine, self._speed, self._volume = NanoTTS(), within(SPEEDS, settings), settings.audio.volume

    def speak(self, clause: str) -> Iterator[AudioChunk]:
        """Yield the clause as sound in pieces of 0.1 s; nothing where it holds no word."""
        said = speakable(clause, self.language)
        if not any(character.isalnum() for character in said):
            return
        # What looks like a tag is a command to the engine.
        text = said.translate({ord("<"): " ", ord(">"): " "})
        sound = self._engine.speak(text, VOICES[self.language], self._speed, volume=LEVEL)
        samples = np.divide(np.frombuffer(sound, "<i2"), 32768, dtype=np.float32)
        yield from pieces(samples, self.rate, said, self._volume)
