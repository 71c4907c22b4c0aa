"""One contract for every wake word engine: its word wakes, other words, silence and noise do not."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable

import numpy as np
import pytest

from assistant import sound
from assistant.backends import assistant_backends
from assistant.config import Settings
from assistant.errors import InputError, SettingError
from assistant.plugins import Plugins
from assistant.stages import WakeWord
from assistant.store import Store
from assistant.types import AudioChunk, Samples

ENGINES = {backend.name: backend for backend in assistant_backends() if backend.kind == "wake"}
RATE = 16_000

Make = Callable[..., WakeWord]


@pytest.fixture(scope="module", params=sorted(ENGINES))
def make(request: pytest.FixtureRequest, settings: Settings, store: Store) -> Make:
    absent = [name for name in ENGINES[request.param].libraries if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f'not installed: {", ".join(absent)}; run: pip install "local-assistant[wake]"')

    def made(*words: str, threshold: float = 0.0) -> WakeWord:
        wake = dataclasses.replace(settings.wake, engine=request.param, words=words, threshold=threshold)
        result: WakeWord = Plugins(dataclasses.replace(settings, wake=wake)).make("wake", request.param, store)
        return result

    return made


@pytest.fixture(scope="module")
def wake(make: Make) -> WakeWord:
    return make("hey_jarvis")


@pytest.fixture(scope="module")
def say(settings: Settings, store: Store) -> Callable[[str], Samples]:
    from assistant.backends.piper import PiperVoice

    voice = PiperVoice(settings, store)

    def said(text: str) -> Samples:
        """Return a sentence between two seconds of silence, at 16 kHz."""
        parts = [chunk.samples for chunk in voice.speak(text)]
        speech = sound.resample(AudioChunk(np.concatenate(parts), voice.rate), RATE).samples
        quiet = np.zeros(RATE, np.float32)
        return np.concatenate([quiet, speech, quiet])

    return said


def heard(wake: WakeWord, samples: Samples, step: int = 512) -> list[tuple[str, float]]:
    """Return the words that were heard and when, in seconds."""
    wake.reset()  # type: ignore[attr-defined]
    found = []
    for start in range(0, len(samples), step):
        word = wake.heard(AudioChunk(samples[start : start + step], RATE, start))
        if word is not None:
            found.append((word, start / RATE))
    return found


def test_satisfies_the_protocol(wake: WakeWord) -> None:
    assert isinstance(wake, WakeWord)


def test_its_word_wakes_it_and_soon(wake: WakeWord, say: Callable[[str], Samples]) -> None:
    samples = say("Hey Jarvis!")
    [(word, at)] = heard(wake, samples)
    assert word == "hey_jarvis"
    assert 1.0 < at < len(samples) / RATE - 0.4
    assert heard(wake, samples, 160) and heard(wake, samples, 777)  # however the stream is cut


def test_other_words_silence_and_noise_do_not(wake: WakeWord, say: Callable[[str], Samples]) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 3 * RATE).astype(np.float32)
    for samples in (say("What is the weather like today?"), noise, np.zeros(RATE, np.float32)):
        assert heard(wake, samples) == []


def test_one_broken_sample_does_not_deafen_it(wake: WakeWord, say: Callable[[str], Samples]) -> None:
    samples = say("Hey Jarvis!")
    samples[: RATE // 2 : 100] = np.nan
    assert [word for word, _ in heard(wake, samples)] == ["hey_jarvis"]


def test_another_rate_is_refused(wake: WakeWord) -> None:
    with pytest.raises(InputError, match="16000 Hz"):
        wake.heard(AudioChunk(np.zeros(480, np.float32), 48_000))


def test_no_word_is_refused(make: Make) -> None:
    with pytest.raises(SettingError, match=r"wake\.words"):
        make()
