"""What every Whisper does around its network."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from assistant.backends.faster_whisper import _expected
from assistant.config import VadSettings
from assistant.recognition import (
    RATE,
    TEMPERATURES,
    WINDOW,
    Piece,
    language_heard,
    looping,
    recognize,
    repetitive,
    settled,
    unlooped,
)
from assistant.stages import Recognition
from assistant.types import AudioChunk, Samples

LOOP = "and so on " * 40


def piece(text: str, log_probability: float = -0.3, no_speech: float = 0.0) -> Piece:
    return Piece(text, "en", 5, log_probability, no_speech)


def tried(pieces: dict[float, Piece]) -> tuple[Piece, list[float]]:
    asked: list[float] = []

    def attempt(temperature: float) -> Piece:
        asked.append(temperature)
        return pieces[temperature]

    return settled(attempt), asked


@pytest.mark.parametrize("sure", [piece("A cup of tea."), piece(""), piece("Thank you.", -1.5, 0.9)])
def test_a_sure_text_or_silence_is_taken_at_once(sure: Piece) -> None:
    assert tried({0.0: sure}) == (sure, [0.0])


@pytest.mark.parametrize("bad", [piece("Arctic tea", -1.4), piece(LOOP)])
def test_a_guess_or_a_loop_is_read_again_at_a_higher_temperature(bad: Piece) -> None:
    good = piece("A cup of tea.")
    assert tried({0.0: bad, 0.2: bad, 0.4: good}) == (good, [0.0, 0.2, 0.4])


def test_where_nothing_is_sure_the_most_probable_text_that_is_no_loop_is_taken() -> None:
    pieces = {temperature: piece(LOOP, -0.1) for temperature in TEMPERATURES}
    pieces |= {0.2: piece("a tea", -1.8), 0.6: piece("a cup", -1.2)}
    assert tried(pieces) == (pieces[0.6], list(TEMPERATURES))


def test_of_several_texts_the_likely_one_that_is_expected_is_taken() -> None:
    result = SimpleNamespace(scores=[-0.5, -0.6, -0.9, -2.5], sequences_ids=[[1, 2], [1, 2, 3], [1, 2], [1, 2]])
    texts = ["Boss.", "Of course.", "Pause.", "Stop."]
    assert _expected(texts, result, lambda text: text == "Pause.") == 2
    assert _expected(texts, result, lambda text: text in ("Stop.", "Wait.")) == 0


def test_loops() -> None:
    assert repetitive(LOOP)
    assert looping("I saw a dog there and then I saw a dog there")
    assert not repetitive("I saw a dog there and then I saw a dog there")
    assert not looping("A cup of tea.")


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("What is this? What is this? What is", "What is this?"),
        ("Please come here. Please come here.", "Please come here."),
        ("no no no no", "no no no no"),
        ("Please describe what you can describe what you can describe what", "Please describe what you can"),
        ("Describe what you can see in it. Describe what you can.", "Describe what you can see in it."),
        ("What is this in here? What is this", "What is this in here? What is this"),
        ("I like what you say about what you say", "I like what you say about what you say"),
        ("My number is 1 2 3 1 2 3", "My number is 1 2 3 1 2 3"),
        ("A cup of tea.", "A cup of tea."),
        ("What is this? What is that? What is", "What is this? What is that? What is"),
        ("", ""),
    ],
)
def test_what_is_said_over_and_over_is_said_once(text: str, once: str) -> None:
    assert unlooped(text) == once


class Deaf:
    """Voice activity that finds nobody speaking."""

    rate, chunk = RATE, 512

    def probability(self, chunk: AudioChunk) -> float:
        return 0.0

    def reset(self) -> None:
        pass


@pytest.mark.parametrize(
    ("seconds", "voiced", "shown"),
    [(2.0, True, [2.0]), (WINDOW, True, [WINDOW]), (2.0, False, []), (WINDOW + 1, True, []), (0.0, True, [])],
)
def test_speech_is_not_looked_for_where_somebody_is_known_to_speak(
    seconds: float, voiced: bool, shown: list[float]
) -> None:
    heard: list[float] = []

    def hear(samples: Samples, wish: Recognition) -> Piece:
        heard.append(len(samples) / RATE)
        return piece("A cup of tea.")

    audio = AudioChunk(np.zeros(round(seconds * RATE), np.float32), RATE)
    text = recognize(audio, Recognition(voiced=voiced), Deaf(), VadSettings(), hear).text
    assert heard == shown
    assert text == ("A cup of tea." if shown else "")


@pytest.mark.parametrize(
    ("probabilities", "likely", "language"),
    [
        ({"es": 0.5, "it": 0.3}, "it", "it"),
        ({"es": 0.95, "it": 0.02}, "it", "es"),
        ({"es": 0.95, "it": 0.04}, "it", "it"),
        ({"es": 0.6, "it": 0.3}, "", "es"),
        ({"es": 0.4, "it": 0.3}, "", "en"),
        ({"es": 0.4, "it": 0.3}, "xx", "en"),
    ],
)
def test_what_was_spoken_before_is_likely_to_be_spoken_again(
    probabilities: dict[str, float], likely: str, language: str
) -> None:
    assert language_heard(probabilities, likely) == language
