"""Who says what: the usual voice, and for a clause in another language one that speaks it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator

from .config import Settings
from .errors import AssistantError, SettingError
from .fusion.content import language_spoken
from .sound import Resampler
from .stages import Voice
from .types import AudioChunk

log = logging.getLogger(__name__)


class Voices:
    """Every clause is spoken by a voice of its language, and all sound has the rate of the usual voice.

    ``make`` returns the voice that settings describe. Those for other languages are made when they are first needed,
    by the first engine of ``voice.others`` that speaks the language.
    """

    def __init__(self, settings: Settings, make: Callable[[Settings], Voice]) -> None:
        self._settings, self._make = settings, make
        self.usual = make(settings)
        """The voice of the settings."""
        self.language = str(getattr(self.usual, "language", "en"))
        """ISO 639-1 code of what the usual voice speaks."""
        self._others: dict[str, Voice] = {}
        language_spoken("", self.language)  # the lists are read now, not before the first reply

    def speak(self, clause: str, language: str = "", reply: str = "") -> Iterator[AudioChunk]:
        """Yield a clause as sound, (samples,) at ``usual.rate``.

        ``language`` is the person's, ISO 639-1, which the clause is in unless its words, or those of the ``reply``
        that it belongs to, plainly are of another one: a sign that is read aloud, news about an earlier request, a
        reply in English after all.
        """
        spoken = language_spoken(clause, language_spoken(reply, language or self.language))
        yield from _at(self.usual.rate, self.of(spoken).speak(clause))

    def at(self, speed: float) -> Voices:
        """Return these voices at another speed, 1 as they are made."""
        voice = dataclasses.replace(self._settings.voice, speed=speed)
        return Voices(dataclasses.replace(self._settings, voice=voice), self._make)

    def of(self, language: str) -> Voice:
        """Return a voice that speaks a language, or the usual voice where there is none."""
        if language not in self._others:
            try:
                self._others[language] = self.find(language)
            except SettingError as error:
                log.warning("%s; the usual one speaks it", error)
                self._others[language] = self.usual
        return self._others[language]

    def find(self, language: str) -> Voice:
        """Return a voice that speaks a language, or raise :class:`SettingError` where there is none."""
        if language == self.language:
            return self.usual
        return voice_of(language, self._settings, self._make)


def voice_of(language: str, settings: Settings, make: Callable[[Settings], Voice]) -> Voice:
    """Return a voice that the first engine of ``voice.others`` that speaks a language makes.

    Raises :class:`SettingError` with what the engines say of it where none does.
    """
    problems = []
    for engine in settings.voice.others:
        voice = dataclasses.replace(settings.voice, engine=engine, language=language)
        try:
            made = make(dataclasses.replace(settings, voice=voice))
        except AssistantError as error:
            problems.append(str(error))
            continue
        if getattr(made, "language", language) == language:
            return made
        problems.append(f"{engine} does not")
    raise SettingError(f"no voice speaks {language!r}: {'; '.join(problems) or 'voice.others names none'}")


def _at(rate: int, chunks: Iterator[AudioChunk]) -> Iterator[AudioChunk]:
    """Yield chunks of one rate at another."""
    resampler, start = None, 0
    for chunk in chunks:
        resampler = resampler or Resampler(chunk.rate, rate)
        samples = resampler.push(chunk.samples)
        if len(samples):
            yield AudioChunk(samples, rate, start)
        start += len(samples)
    if resampler is not None and len(rest := resampler.flush()):
        yield AudioChunk(rest, rate, start)
