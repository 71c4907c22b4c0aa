"""One contract for every voice activity detector: speech is speech, silence and noise are not."""

from __future__ import annotations

import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from assistant import sound
from assistant.backends import assistant_backends
from assistant.config import Settings
from assistant.errors import InputError
from assistant.plugins import Plugins
from assistant.speech import speech_spans
from assistant.stages import VoiceActivity
from assistant.store import Store
from assistant.types import AudioChunk

ENGINES = {backend.name: backend for backend in assistant_backends() if backend.kind == "vad"}


@pytest.fixture(scope="module", params=sorted(ENGINES))
def activity(request: pytest.FixtureRequest, settings: Settings, store: Store) -> VoiceActivity:
    absent = [name for name in ENGINES[request.param].libraries if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    made: VoiceActivity = Plugins(settings).make("vad", request.param, store)
    return made


@pytest.fixture(scope="module")
def clip(settings: Settings, store: Store) -> AudioChunk:
    from assistant.backends.piper import PiperVoice

    parts = list(PiperVoice(settings, store).speak("Good morning, how are you today?"))
    return sound.resample(AudioChunk(np.concatenate([part.samples for part in parts]), parts[0].rate), 16_000)


def probabilities(activity: VoiceActivity, audio: AudioChunk) -> list[float]:
    step = activity.chunk
    ends = range(step, len(audio.samples) + 1, step)
    return [activity.probability(AudioChunk(audio.samples[end - step : end], activity.rate)) for end in ends]


def test_satisfies_the_protocol(activity: VoiceActivity) -> None:
    assert isinstance(activity, VoiceActivity)


def test_tells_speech_from_silence_and_noise(activity: VoiceActivity, clip: AudioChunk) -> None:
    noise = AudioChunk(np.random.default_rng(0).normal(0, 0.05, 32_000).astype(np.float32), 16_000)
    silence = AudioChunk(np.zeros(32_000, np.float32), 16_000)
    for sounds, speaks in ((clip, True), (noise, False), (silence, False)):
        activity.reset()
        found = probabilities(activity, sounds)
        assert all(0 <= value <= 1 for value in found)
        assert (max(found) > 0.5) is speaks


def test_reset_forgets_the_stream(activity: VoiceActivity, clip: AudioChunk) -> None:
    activity.reset()
    first = probabilities(activity, clip)
    activity.reset()
    assert probabilities(activity, clip) == first


def test_refuses_another_size(activity: VoiceActivity) -> None:
    with pytest.raises(InputError, match="samples"):
        activity.probability(AudioChunk(np.zeros(activity.chunk + 1, np.float32), activity.rate))


def test_one_broken_sample_does_not_poison_the_stream(activity: VoiceActivity, clip: AudioChunk) -> None:
    activity.reset()
    activity.probability(AudioChunk(np.full(activity.chunk, np.nan, np.float32), activity.rate))
    assert max(probabilities(activity, clip)) > 0.5


def test_spans_lie_around_the_speech(activity: VoiceActivity, settings: Settings, clip: AudioChunk) -> None:
    quiet = np.zeros(16_000, np.float32)
    audio = AudioChunk(np.concatenate([quiet, clip.samples, quiet, quiet, clip.samples, quiet]), 16_000)
    spans = speech_spans(audio, activity, settings.vad)
    assert len(spans) >= 2
    assert abs(spans[0][0] / 16_000 - 1) < 0.4
    assert spans[-1][1] / 16_000 < audio.seconds - 0.3
    assert all(start < end for start, end in spans)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))
    doubled = speech_spans(sound.resample(audio, 48_000), activity, settings.vad)
    assert len(doubled) == len(spans)
    assert abs(doubled[0][0] / 48_000 - spans[0][0] / 16_000) < 0.1


def test_no_single_word_is_missed(activity: VoiceActivity, settings: Settings, shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "wake" / "index.jsonl").read_text("utf-8").splitlines()]
    spoken = [row["audio"] for row in rows[::5]]
    silent = [
        name for name in spoken if not speech_spans(sound.read(shared_data / "wake" / name), activity, settings.vad)
    ]
    assert silent == []
