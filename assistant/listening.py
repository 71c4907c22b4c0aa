"""What the microphone heard last, and its words."""

from __future__ import annotations

import dataclasses
import locale
import re
from collections import deque
from functools import partial

import numpy as np

from .orders import is_order
from .stages import Recognition, Recognizer
from .streams import Lane, Urgency
from .turns import RATE, is_backchannel
from .types import AudioChunk, Utterance

KEPT = 90 * RATE
"""Samples that are kept: more than the longest turn."""
SHORT = 3 * RATE // 2
"""Longest samples of a turn in which a voice command is expected."""
INTERJECTIONS = "Mm-hmm. Uh-huh. Hmm. Yeah. Oh, I see."
"""What people say while they listen, as a hint to a recogniser that writes "Mama" or "10" for it otherwise."""
COMMANDS = "Stop. Wait. Slower. Faster. Louder. Softer. Yeah."
"""What a short turn that was read as a guess may be; a recogniser writes "Floor" or "Buster" for it otherwise."""
GUESSED, COMMANDED = 0.5, 0.45
"""Confidence of a short turn's words below which they may be a command after all, and from which they are one then."""
SURE_ENOUGH, SURE_ORDER, SURE_AFTER_ALL = 0.55, 0.3, 0.65
"""Confidence from which words over a reply count as words, orders among them, and others than "mm-hmm" after it."""


class Listener:
    """Keeps the newest sound and has parts of it read; belongs to the event loop.

    Once somebody has spoken English the recogniser is told so, until it hears another language. Another language is
    likely to be spoken again, and that of the computer's settings to be spoken first.
    """

    def __init__(self, recognizer: Recognizer, lane: Lane, language: str, translate: bool) -> None:
        self._recognizer, self._lane, self._translate = recognizer, lane, translate
        self._english = language == "en"
        self._spoken = self._before = native()
        self._start = -1
        self._sound: deque[AudioChunk] = deque()

    def take(self, chunk: AudioChunk) -> None:
        """Keep a chunk, which follows the last one."""
        self._sound.append(chunk)
        while self._sound[0].start < chunk.start - KEPT:
            self._sound.popleft()

    def between(self, start: int, end: int) -> AudioChunk:
        """Return the sound from sample ``start`` to ``end``, as far as it is kept."""
        parts = [chunk for chunk in self._sound if chunk.start + len(chunk.samples) > start and chunk.start < end]
        if not parts:
            return AudioChunk(np.zeros(0, np.float32), RATE, start)
        samples = np.concatenate([chunk.samples for chunk in parts])
        first = parts[0].start
        return AudioChunk(samples[max(0, start - first) : max(0, end - first)], RATE, max(start, first))

    async def read(self, start: int, end: int, draft: bool = False, voiced: bool = False) -> Utterance:
        """Return what was said between two samples; a ``draft`` will be read again soon.

        Where words were read of it before, it is ``voiced``: speech need not be looked for again.
        """
        short = not draft and end - start <= SHORT
        if start != self._start:  # what an utterance is taken for at first is not to hold for the rest of it
            self._start, self._before = start, self._spoken
        wish = Recognition(
            self._language(),
            self._translate,
            live=True,
            draft=draft,
            voiced=voiced,
            expected=is_order if short else None,
            likely=self._before,
        )
        utterance = await self._transcribe(start, end, wish)
        guessed = short and utterance.text and utterance.confidence < GUESSED and not is_order(utterance.text)
        if guessed and self._english:
            utterance = await self._command(start, end, wish) or utterance
        if utterance.text:
            self._english = utterance.language == "en"
            if utterance.confidence >= GUESSED:
                self._spoken = "" if self._english else utterance.language
        return utterance

    async def _command(self, start: int, end: int, wish: Recognition) -> Utterance | None:
        """Return the voice command that a guess turns out to be when commands are hinted at, if it is one."""
        again = await self._transcribe(start, end, dataclasses.replace(wish, hint=COMMANDS))
        return again if is_order(again.text) and again.confidence >= COMMANDED else None

    async def words_over_reply(self, start: int, end: int, before: str = "") -> str:
        """Return what was said over a reply between two samples, as :func:`words_over_reply`."""
        wish = wish_over_reply(self._language(), self._translate, self._spoken)
        utterance = await self._transcribe(start, end, wish)
        return words_over_reply(utterance, before)

    def _language(self) -> str | None:
        return "en" if self._english else None

    async def _transcribe(self, start: int, end: int, wish: Recognition) -> Utterance:
        audio = self.between(start, end)
        return await self._lane.run(Urgency.EAR, partial(self._recognizer.transcribe, audio, wish))


def native() -> str:
    """Return the language of the computer's settings, ISO 639-1; nothing for English, which is guessed anyway."""
    code, _, country = (locale.getlocale()[0] or "").partition("_")
    return code if country and len(code) == 2 and code != "en" else ""


def wish_over_reply(language: str | None, translate: bool = False, likely: str = "") -> Recognition:
    """Return how a burst over a reply is to be read; the hint is in English."""
    hint = INTERJECTIONS if language == "en" else ""
    return Recognition(language, translate, live=True, hint=hint, expected=is_order, likely=likely)


def words_over_reply(utterance: Utterance, before: str = "") -> str:
    """Return the words of a burst over a reply; nothing where the recogniser guessed, as it does at a cough.

    ``before`` are the words that were read of its beginning: "mm-hmm" that becomes "in a month" is seldom a month.
    """
    text, sure = utterance.text, SURE_ENOUGH
    if is_order(text):
        sure = SURE_ORDER
    elif before and is_backchannel(before) and _first(text) != _first(before):
        sure = SURE_AFTER_ALL
    return text if utterance.confidence >= sure else ""


def _first(text: str) -> list[str]:
    return re.findall(r"[\w'-]+", text.lower())[:1]
