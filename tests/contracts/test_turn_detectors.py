"""Every turn detector: a probability for anything, and a finished question above a half one."""

import numpy as np
import pytest

from assistant.plugins import Plugins
from assistant.sound import resample
from assistant.stages import TurnDetector
from assistant.types import AudioChunk

RATE = 16_000


@pytest.fixture(params=["smart-turn", "words"], scope="module")
def detector(request, settings, store):
    return Plugins(settings).make("turn", request.param, store)


@pytest.fixture(scope="module")
def question(settings, store):
    """A spoken question at 16 kHz."""
    voice = Plugins(settings).make("voice", "piper", store)
    chunks = list(voice.speak("What is the capital city of France?"))
    samples = np.concatenate([chunk.samples for chunk in chunks])
    return resample(AudioChunk(samples, voice.rate), RATE)


def test_it_satisfies_the_protocol(detector):
    assert isinstance(detector, TurnDetector)


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1.0, 20.0])
def test_it_gives_a_probability_for_any_length(detector, seconds):
    samples = np.random.default_rng(0).normal(0, 0.01, round(seconds * RATE)).astype(np.float32)
    assert 0.0 <= detector.finished(AudioChunk(samples, RATE), "hello there") <= 1.0


def test_a_whole_question_is_more_finished_than_half_of_it(detector, question):
    half = AudioChunk(question.samples[: len(question.samples) // 2], RATE)
    whole = detector.finished(question, "What is the capital city of France?")
    assert whole > 0.5 and whole > detector.finished(half, "What is the")


def test_any_rate_will_do(detector, question):
    other = resample(question, 48_000)
    text = "What is the capital city of France?"
    assert detector.finished(other, text) == pytest.approx(detector.finished(question, text), abs=0.1)
