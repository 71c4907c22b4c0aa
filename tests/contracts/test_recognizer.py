"""One contract for every recogniser: words from speech, none from silence, honest errors."""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein
from whisper_normalizer.english import EnglishTextNormalizer

from assistant import sound
from assistant.backends import assistant_backends
from assistant.config import Settings
from assistant.errors import InputError, ModelError, SettingError
from assistant.plugins import Plugins
from assistant.stages import Ears, Recognition, Recognizer
from assistant.store import Store
from assistant.types import AudioChunk

ENGINES = {backend.name: backend for backend in assistant_backends() if backend.kind == "asr"}
MODEL = "faster-whisper-tiny.en"
PASSAGE = (
    "The quick brown fox jumps over the lazy dog, and then it runs away into the forest.",
    "On Monday morning my sister bought some fresh bread, a bottle of milk, and seven apples.",
    "Nobody in the village could remember when the old bridge across the river had been built.",
    "Please turn off the light in the kitchen before you leave the house tonight.",
    "The train to the mountains was late again, so we waited on the platform and talked about music.",
    "A small boat with a white sail came slowly around the island and into the harbour.",
    "If the weather stays dry, the children will play football in the garden after school.",
    "He opened the letter with a knife, read the first page twice, and put it back on the table.",
)
"""More than half a minute when it is spoken, and nothing twice: Whisper takes repetition for a fault."""

# openai-whisper leaves the file of its vocabulary to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


def made(name: str, settings: Settings, store: Store, **wishes: object) -> Recognizer:
    """Return a greedy recogniser with the small English model on one thread; skip where its library is missing."""
    absent = [library for library in ENGINES[name].libraries if importlib.util.find_spec(library) is None]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    asr = dataclasses.replace(settings.asr, **{"model": MODEL, "threads": 1, "beam": 1, **wishes})  # type: ignore[arg-type]
    recognizer: Recognizer = Plugins(settings := dataclasses.replace(settings, asr=asr)).make("asr", name, store)
    return recognizer


@pytest.fixture(scope="module", params=sorted(ENGINES))
def recognizer(request: pytest.FixtureRequest, settings: Settings, store: Store) -> Recognizer:
    return made(request.param, settings, store)


@pytest.fixture(scope="module")
def clip(settings: Settings, store: Store) -> AudioChunk:
    """A sentence spoken by Piper, whose noise is the same in every run."""
    import onnxruntime

    from assistant.backends.piper import PiperVoice

    onnxruntime.set_seed(0)
    parts = list(PiperVoice(settings, store).speak("The quick brown fox jumps over the lazy dog."))
    return AudioChunk(np.concatenate([part.samples for part in parts]), parts[0].rate)


def plain(text: str) -> str:
    return str(EnglishTextNormalizer()(text))


def test_satisfies_the_protocol(recognizer: Recognizer) -> None:
    assert isinstance(recognizer, Recognizer)


def test_writes_what_was_said(recognizer: Recognizer, clip: AudioChunk) -> None:
    heard = recognizer.transcribe(clip)
    assert plain(heard.text) == "the quick brown fox jumps over the lazy dog"
    assert heard.language == "en"
    assert 0.5 < heard.confidence <= 1
    assert heard.words == ()


def test_a_hint_tells_how_words_are_written(recognizer: Recognizer, clip: AudioChunk) -> None:
    hint = "THE QUICK BROWN FOX JUMPS. HE RAN AWAY."
    assert not recognizer.transcribe(clip).text.isupper()
    assert recognizer.transcribe(clip, Recognition(hint=hint)).text.startswith("THE QUICK BROWN FOX JUMPS OVER")


def test_of_likely_texts_the_one_that_is_expected_is_written(recognizer: Recognizer, clip: AudioChunk) -> None:
    """What is less likely than 1 in e², or was not heard at all, is not written however much it is expected."""
    usual = recognizer.transcribe(clip, Recognition("en", live=True)).text
    others: list[str] = []

    def none_of_them(text: str) -> bool:
        others.append(text)
        return False

    assert recognizer.transcribe(clip, Recognition("en", live=True, expected=none_of_them)).text == usual
    for other in others:
        wish = Recognition("en", live=True, expected=lambda text, other=other: text == other)  # type: ignore[misc]
        assert recognizer.transcribe(clip, wish).text in {usual, other}
    never_said = Recognition("en", live=True, expected=lambda text: text == "Stop.")
    assert recognizer.transcribe(clip, never_said).text == usual


def test_gives_the_encoder_states_of_the_sound(recognizer: Recognizer, clip: AudioChunk) -> None:
    features = recognizer.transcribe(clip).features
    assert features is not None
    time, dim = features.shape
    assert dim == 384
    assert 0.5 * clip.seconds < time * 0.02 <= clip.seconds + 0.1
    assert np.isfinite(features).all()


@pytest.mark.parametrize("seconds", [0.005, 1.0, 40.0])
def test_any_sound_has_states(recognizer: Recognizer, seconds: float) -> None:
    """One for 20 ms, of the first half minute at most, and none of the silence behind it."""
    assert isinstance(recognizer, Ears) and recognizer.name == MODEL
    noise = np.random.default_rng(0).normal(0, 0.1, round(seconds * 22_050)).astype(np.float32)
    states = recognizer.states(AudioChunk(noise, 22_050))
    assert states.dtype == np.float32 and np.isfinite(states).all()
    assert states.shape == (max(1, round(min(seconds, 30.0) / 0.02)), 384)


def test_no_sound_has_no_states(recognizer: Recognizer) -> None:
    assert isinstance(recognizer, Ears)
    with pytest.raises(InputError, match="without a single sample"):
        recognizer.states(AudioChunk(np.zeros(0, np.float32), 16_000))


def test_the_states_do_not_depend_on_the_engine(settings: Settings, store: Store, clip: AudioChunk) -> None:
    engines = [made(name, settings, store) for name in sorted(ENGINES)]
    assert all(isinstance(engine, Ears) for engine in engines)
    first, *others = [engine.states(clip) for engine in engines if isinstance(engine, Ears)]
    for other in others:
        assert np.sum(first * other) / np.linalg.norm(first) / np.linalg.norm(other) > 0.98


def test_words_have_times_in_order_and_join_to_the_text(recognizer: Recognizer, clip: AudioChunk) -> None:
    quiet = np.zeros(clip.rate, np.float32)
    shifted = AudioChunk(np.concatenate([quiet, clip.samples, quiet]), clip.rate)
    heard = recognizer.transcribe(shifted, Recognition(words=True))
    assert " ".join(word.text for word in heard.words) == heard.text
    times = [time for word in heard.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0.9
    assert times[-1] <= shifted.seconds
    assert all(0 <= word.probability <= 1 for word in heard.words)


def test_rate_and_level_make_no_difference(recognizer: Recognizer, clip: AudioChunk) -> None:
    quiet = sound.resample(AudioChunk(clip.samples * np.float32(0.1), clip.rate), 44_100)
    assert plain(recognizer.transcribe(quiet).text) == plain(recognizer.transcribe(clip).text)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0])
def test_writes_nothing_on_silence(recognizer: Recognizer, seconds: float) -> None:
    heard = recognizer.transcribe(AudioChunk(np.zeros(int(seconds * 16_000), np.float32), 16_000))
    assert heard.text == ""
    assert heard.words == ()
    assert heard.no_speech == 1


def test_writes_nothing_on_noise(recognizer: Recognizer) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * 16_000).astype(np.float32)
    assert recognizer.transcribe(AudioChunk(noise, 16_000)).text == ""


@pytest.mark.parametrize("live", [False, True])
def test_writes_nothing_on_the_silence_data(recognizer: Recognizer, shared_data: Path, live: bool) -> None:
    index = (shared_data / "silence" / "index.jsonl").read_text("utf-8").splitlines()
    for row in map(json.loads, index):
        heard = recognizer.transcribe(sound.read(shared_data / "silence" / row["audio"]), Recognition(live=live))
        assert heard.text == "", row["kind"]


def test_refuses_samples_that_are_not_numbers(recognizer: Recognizer) -> None:
    broken = np.zeros(16_000, np.float32)
    broken[5] = np.nan
    with pytest.raises(InputError, match="not numbers"):
        recognizer.transcribe(AudioChunk(broken, 16_000))


def test_refuses_more_than_one_channel(recognizer: Recognizer) -> None:
    with pytest.raises(InputError, match="mono"):
        recognizer.transcribe(AudioChunk(np.zeros((2, 16_000), np.float32), 16_000))


def test_refuses_what_the_model_does_not_know(recognizer: Recognizer) -> None:
    silence = AudioChunk(np.zeros(16_000, np.float32), 16_000)
    with pytest.raises(SettingError, match="knows English only"):
        recognizer.transcribe(silence, Recognition(language="de"))
    with pytest.raises(SettingError, match="cannot translate"):
        recognizer.transcribe(silence, Recognition(translate=True))


def test_a_recording_longer_than_a_window_keeps_all_its_words(
    recognizer: Recognizer, settings: Settings, store: Store
) -> None:
    from assistant.backends.piper import PiperVoice

    voice = PiperVoice(settings, store)
    pause = np.zeros(voice.rate // 2, np.float32)
    spoken = [part for line in PASSAGE for part in (*(c.samples for c in voice.speak(line)), pause)]
    long = AudioChunk(np.concatenate(spoken), voice.rate)
    assert long.seconds > 31
    wanted, heard = plain(" ".join(PASSAGE)).split(), recognizer.transcribe(long)
    assert Levenshtein.distance(wanted, plain(heard.text).split()) <= len(wanted) / 20
    assert heard.features is None


def test_both_engines_write_the_same_greedy_text(settings: Settings, store: Store, shared_data: Path) -> None:
    theirs = made("openai-whisper", settings, store, beam=1)
    ours = made("faster-whisper", settings, store, beam=1, precision="float32")
    index = (shared_data / "speech" / "index.jsonl").read_text("utf-8").splitlines()
    rows = sorted(map(json.loads, index), key=lambda row: float(row["seconds"]))[:20]
    same = 0
    for row in rows:
        audio = sound.read(shared_data / "speech" / row["audio"])
        same += plain(ours.transcribe(audio).text) == plain(theirs.transcribe(audio).text)
    assert len(rows) == 20
    assert same >= 19


def test_a_shortened_context_costs_few_words(settings: Settings, store: Store, shared_data: Path) -> None:
    engine = made("faster-whisper", settings, store, beam=1)
    index = (shared_data / "speech" / "index.jsonl").read_text("utf-8").splitlines()
    changed = words = 0
    for row in itertools.islice(map(json.loads, index), 0, None, 37):
        audio = sound.read(shared_data / "speech" / row["audio"])
        one, other = (plain(engine.transcribe(audio, Recognition(live=live)).text).split() for live in (True, False))
        changed += Levenshtein.distance(one, other)
        words += len(other)
    assert words > 30
    assert changed / words < 0.15


def test_a_recording_is_read_as_the_library_reads_it(recognizer: Recognizer, shared_data: Path) -> None:
    index = (shared_data / "speech" / "index.jsonl").read_text("utf-8").splitlines()
    ours = theirs = words = 0
    for row in sorted(map(json.loads, index), key=lambda row: float(row["seconds"]))[:6]:
        audio, wanted = sound.read(shared_data / "speech" / row["audio"]), plain(row["text"]).split()
        ours += Levenshtein.distance(wanted, plain(recognizer.transcribe(audio).text).split())
        theirs += Levenshtein.distance(wanted, plain(recognizer.direct(audio)).split())  # type: ignore[attr-defined]
        words += len(wanted)
    assert words > 30
    assert ours <= theirs + 2


def test_an_unknown_precision_names_the_known_ones(settings: Settings, store: Store) -> None:
    with pytest.raises(SettingError, match="int8"):
        made("faster-whisper", settings, store, precision="int7")


def test_a_damaged_model_is_refused_in_one_line(settings: Settings, store: Store, tmp_path: Path) -> None:
    from assistant.backends.openai_whisper import convert

    pytest.importorskip("torch")
    (tmp_path / "model.bin").write_bytes((store.require(MODEL) / "model.bin").read_bytes()[:100_000])
    with pytest.raises(ModelError, match="damaged"):
        convert(tmp_path, tmp_path)
    assert not list(tmp_path.glob("*.pt"))
