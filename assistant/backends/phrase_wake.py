"""Any words as wake words: what begins an utterance is read by a small recogniser and compared by its sound."""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, SettingError
from ..stages import Recognition
from ..types import AudioChunk, Samples
from .silero import CHUNK, RATE, SileroActivity

if TYPE_CHECKING:
    from ..config import Settings
    from ..stages import Recognizer
    from ..store import Store

SMALL = "faster-whisper-tiny.en"
"""Reads English wake words; others are read by the configured recogniser."""

ALIKE = 0.75
"""Likeness from which words count as the wake word, where ``wake.threshold`` does not say otherwise."""

BEFORE = 10  # chunks before the first speech that are read too: 0.32 s
PAUSE = 8  # chunks of quiet that end an utterance: 0.26 s
ENOUGH = 60  # chunks after which a wake word would have been said: 1.9 s
HYSTERESIS = 0.15  # speech goes on while its probability is at most this far below the threshold

GREETING = re.compile(r"(?:(?:hey|hi|hello|okay|ok|oh|um|uh|er|so|well|yes|please)\b\W*)+", re.IGNORECASE)
"""What may be said before a wake word."""


class PhraseWake:
    """Listens for words at the beginning of an utterance; while nobody speaks it only looks for speech."""

    def __init__(self, settings: Settings, store: Store, recognizer: Recognizer | None = None) -> None:
        self._words = settings.wake.words
        if not self._words or not all(map(_letters, self._words)):
            raise SettingError("wake.words must be words that can be said, for example: computer")
        self._alike = settings.wake.threshold or ALIKE
        self._speech = settings.vad.threshold
        self._activity = SileroActivity(settings, store)
        self._recognizer = recognizer or _recognizer(settings, store)
        self._hint = " ".join(f"{word.replace('_', ' ').capitalize()}." for word in self._words)
        self.rest = ""
        """What was said after the wake word in the same breath; empty where only the word was said."""
        self._waiting: Samples = np.zeros(0, np.float32)
        self._before: deque[Samples] = deque(maxlen=BEFORE)
        self._utterance: list[Samples] = []
        self._quiet = 0
        self._over = False  # this utterance was read: nothing more of it matters

    def heard(self, chunk: AudioChunk) -> str | None:
        """Return the word that was read up to ``chunk``, of any length at 16 kHz, as ``wake.words`` spells it.

        Raises :class:`~assistant.errors.InputError` for another rate.
        """
        if chunk.rate != RATE:
            raise InputError(f"the wake word wants {RATE} Hz, not {chunk.rate}")
        found = None
        self._waiting = np.concatenate([self._waiting, np.nan_to_num(chunk.samples)])
        while len(self._waiting) >= CHUNK:
            found = self._take(self._waiting[:CHUNK]) or found
            self._waiting = self._waiting[CHUNK:]
        return found

    def reset(self) -> None:
        """Forget the stream so far."""
        self._activity.reset()
        self._waiting = np.zeros(0, np.float32)
        self._end()

    def _take(self, samples: Samples) -> str | None:
        """Follow the utterance by one chunk; read it at a pause, or when it is long enough."""
        probability = self._activity.probability(AudioChunk(samples, RATE))
        if not self._utterance:
            self._before.append(samples)
            if probability >= self._speech:
                self._utterance = list(self._before)
            return None
        self._utterance.append(samples)
        self._quiet = 0 if probability >= self._speech - HYSTERESIS else self._quiet + 1
        found = None
        if not self._over and (self._quiet == PAUSE or len(self._utterance) == ENOUGH):
            found, self._over = self._read(np.concatenate(self._utterance)), True
        if self._quiet == PAUSE:
            self._end()
        return found

    def _read(self, samples: Samples) -> str | None:
        wish = Recognition(live=True, hint=self._hint, expected=self._wakes)
        words = self._recognizer.transcribe(AudioChunk(samples, RATE), wish).text.split()
        found, self.rest = find(self._words, words, self._alike)
        return found

    def _wakes(self, text: str) -> bool:
        return find(self._words, text.split(), self._alike)[0] is not None

    def _end(self) -> None:
        self._before.clear()
        self._utterance, self._quiet, self._over = [], 0, False


def find(wanted: tuple[str, ...], words: list[str], alike: float = ALIKE) -> tuple[str | None, str]:
    """Return the wanted phrase with which ``words`` begin, perhaps after a greeting, and the words after it.

    Of several the most alike is returned; ``None`` and nothing where none is at least ``alike``. The
    greeting of a wanted phrase may be left out.
    """
    best, found, rest = 0.0, None, ""
    for phrase in wanted:
        for form in _with_and_without_greeting(phrase.replace("_", " ").split()):
            for said in _with_and_without_greeting(words):
                # A recogniser that does not know a name writes it as one word more or less.
                for size in range(max(1, len(form) - 1), min(len(said), len(form) + 1) + 1):
                    score = likeness(" ".join(form), " ".join(said[:size]))
                    needed = alike if size == len(form) else (1 + alike) / 2
                    if score >= needed and score > best:
                        best, found, rest = score, phrase, " ".join(said[size:])
    return found, "" if found is not None and find((found,), rest.split(), alike)[0] else rest


def _with_and_without_greeting(words: list[str]) -> list[list[str]]:
    greeted = GREETING.match(text := " ".join(words))
    return [words, text[greeted.end() :].split()] if greeted and text[greeted.end() :] else [words]


def likeness(one: str, other: str) -> float:
    """Return how alike two phrases are written, 0 to 1.

    Consonants count twice: a small recogniser mistakes the vowels of a name it does not know first.
    """
    from rapidfuzz.fuzz import ratio

    letters = _letters(one), _letters(other)
    consonants = _consonants(letters[0]), _consonants(letters[1])
    if not all(letters):
        return 0.0
    if not all(consonants):
        return float(ratio(*letters)) / 100
    return float(ratio(*letters) + ratio(*consonants)) / 200


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _consonants(letters: str) -> str:
    return re.sub(r"(.)\1+", r"\1", re.sub("[aeiouyäöüàáâèéêìíîòóôùúû]", "", letters))


def _recognizer(settings: Settings, store: Store) -> Recognizer:
    """Return the small English recogniser, or the configured one for words of another language."""
    from .faster_whisper import FasterWhisper

    asr = dataclasses.replace(settings.asr, threads=1, short_context=True, translate=False)
    if settings.asr.language in ("", "auto", "en") and all(word.isascii() for word in settings.wake.words):
        asr = dataclasses.replace(asr, model=SMALL, language="en")
    recognizer: Recognizer = FasterWhisper(dataclasses.replace(settings, asr=asr), store)
    return recognizer
