"""Who says what, in which language."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest

from assistant.config import Settings
from assistant.errors import SettingError
from assistant.stages import Voice
from assistant.voices import Voices

from .fakes import RATE, FakeVoice


class Choir:
    """Makes a voice for the languages of ``speaks`` and refuses others; the usual one is English."""

    def __init__(self, **speaks: tuple[str, ...]) -> None:
        self.speaks = speaks
        self.made: list[tuple[str, str, float]] = []
        self.voices: dict[str, FakeVoice] = {}

    def __call__(self, settings: Settings) -> Voice:
        wanted = settings.voice
        if wanted.engine in self.speaks and wanted.language not in self.speaks[wanted.engine]:
            raise SettingError(f"{wanted.engine} does not speak {wanted.language!r}")
        self.made.append((wanted.engine, wanted.language, wanted.speed))
        language = wanted.language or "en"
        voice = FakeVoice(language=language, rate=RATE if language == "en" else RATE // 2)
        self.voices[language] = voice
        return voice


def said(voices: Voices, clause: str, language: str = "", reply: str = "") -> int:
    """Let a clause be spoken and return the number of samples."""
    chunks = list(voices.speak(clause, language, reply))
    assert {chunk.rate for chunk in chunks} == {RATE}
    assert [chunk.start for chunk in chunks] == [sum(len(c.samples) for c in chunks[:n]) for n in range(len(chunks))]
    return sum(len(chunk.samples) for chunk in chunks)


@pytest.fixture
def choir() -> Choir:
    return Choir(pico=("de", "fr"), espeak=("de", "pl"))


def test_each_language_has_a_voice_that_is_made_once(settings: Settings, choir: Choir) -> None:
    voices = Voices(settings, choir)
    assert choir.made == [("piper", "", 1.0)]
    for clause, language in (("Das ist ein Hund.", "de"), ("Er spielt.", "de"), ("To jest pies.", "pl")):
        said(voices, clause, language)
    assert choir.made[1:] == [("pico", "de", 1.0), ("espeak", "pl", 1.0)]
    assert choir.voices["de"].spoken == ["Das ist ein Hund.", "Er spielt."]


def test_another_rate_becomes_that_of_the_usual_voice(settings: Settings, choir: Choir) -> None:
    voices = Voices(settings, choir)
    german, clause = said(voices, "Das ist ein Hund.", "de"), "Das ist ein Hund."
    voice = choir.voices["de"]
    assert german == pytest.approx(2 * len(clause) * voice.samples_per_character, rel=0.02)
    sound = np.concatenate([chunk.samples for chunk in voices.speak(clause, "de")])
    assert np.abs(sound).max() == pytest.approx(np.abs(next(voice.speak(clause)).samples).max(), rel=0.2)


@pytest.mark.parametrize(
    ("clause", "language", "reply", "spoken"),
    [
        ("It is a dog.", "en", "", "en"),
        ("It is the capital of Australia.", "de", "", "en"),  # the language model did not do as it was told
        ("Canberra.", "de", "", "de"),
        ("Canberra.", "en", "", "en"),
        ("Es ist Zeit, die Tabletten zu nehmen.", "", "", "de"),  # news of a timer that was set in German
        ("Vorsicht, frisch gestrichen.", "en", "Vorsicht, frisch gestrichen. Das ist nicht für dich.", "de"),
        ("Milk and eggs.", "en", "There are two things on your list. Milk and eggs.", "en"),
        ("Il fait froid et je suis là.", "en", "", "fr"),
        ("Je suis là, et il dit:", "de", "Je suis là, et il dit: ich bin auch da.", "fr"),
    ],
)
def test_a_clause_is_spoken_in_its_own_language(
    settings: Settings, choir: Choir, clause: str, language: str, reply: str, spoken: str
) -> None:
    voices = Voices(settings, choir)
    said(voices, clause, language, reply)
    assert [code for code, voice in choir.voices.items() if voice.spoken] == [spoken]


def test_a_language_that_nobody_speaks_is_told_once_and_spoken_all_the_same(
    settings: Settings, choir: Choir, caplog: pytest.LogCaptureFixture
) -> None:
    voices = Voices(settings, choir)
    with caplog.at_level(logging.WARNING):
        said(voices, "Kala on hyvää.", "fi")
        said(voices, "Niin on.", "fi")
    assert choir.voices["en"].spoken == ["Kala on hyvää.", "Niin on."]
    assert [record.message for record in caplog.records] == [
        "no voice speaks 'fi': pico does not speak 'fi'; espeak does not speak 'fi'; the usual one speaks it"
    ]
    with pytest.raises(SettingError, match="no voice speaks 'fi': pico does not speak 'fi'"):
        voices.find("fi")


def test_an_engine_of_one_language_is_not_taken_for_another(settings: Settings, choir: Choir) -> None:
    class OnlyEnglish(Choir):
        def __call__(self, settings: Settings) -> Voice:
            voice = dataclasses.replace(settings.voice, language="")
            return super().__call__(dataclasses.replace(settings, voice=voice))

    alone = dataclasses.replace(settings, voice=dataclasses.replace(settings.voice, others=("piper",)))
    with pytest.raises(SettingError, match="no voice speaks 'de': piper does not"):
        Voices(alone, OnlyEnglish()).find("de")
    without = dataclasses.replace(settings, voice=dataclasses.replace(settings.voice, others=()))
    with pytest.raises(SettingError, match=r"voice\.others names none"):
        Voices(without, choir).find("de")


def test_another_speed_is_kept_by_every_voice(settings: Settings, choir: Choir) -> None:
    voices = Voices(settings, choir).at(1.5)
    said(voices, "Das ist ein Hund.", "de")
    assert choir.made[1:] == [("piper", "", 1.5), ("pico", "de", 1.5)]
