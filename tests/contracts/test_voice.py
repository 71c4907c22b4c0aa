"""One contract for every voice."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from assistant.backends import assistant_backends
from assistant.config import Settings
from assistant.errors import AssistantError, DeviceError, ModelError, SettingError
from assistant.plugins import Plugins
from assistant.stages import Voice
from assistant.store import Store
from assistant.types import AudioChunk

ENGINES = [backend.name for backend in assistant_backends() if backend.kind == "voice"]

Make = Callable[..., Voice]


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest, settings: Settings, store: Store) -> Make:
    """Return a maker of one engine's voice; the test is skipped where the engine is not installed."""
    engine = request.param
    if engine == "espeak" and shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed (Debian: apt install espeak-ng)")
    if engine == "coqui":
        if importlib.util.find_spec("TTS") is None:
            pytest.skip('coqui-tts is not installed; run: pip install "local-assistant[coqui]"')
        pytest.skip("no Coqui voice has a registry mirror; put one into the store to try it")
    plugins = Plugins(settings)

    def made(volume: float = 1.0, **wishes: object) -> Voice:
        voice = replace(settings.voice, engine=engine, **wishes)
        wanted = replace(settings, voice=voice, audio=replace(settings.audio, volume=volume))
        plugins.settings = wanted
        result: Voice = plugins.make("voice", engine, store)
        return result

    return made


def joined(chunks: list[AudioChunk]) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks])


def test_a_voice_speaks_in_short_pieces(make: Make) -> None:
    voice = make()
    assert isinstance(voice, Voice)
    chunks = list(voice.speak("It is 3.5 metres away, on the left."))
    sound = joined(chunks)
    assert sound.dtype == np.float32
    assert np.abs(sound).max() <= 1.0
    assert 1.0 < len(sound) / voice.rate < 8.0
    assert np.sqrt(np.mean(sound**2)) > 0.01
    assert max(chunk.seconds for chunk in chunks) <= 0.1
    assert [chunk.start for chunk in chunks] == list(np.cumsum([0, *(len(c.samples) for c in chunks[:-1])]))
    assert {chunk.rate for chunk in chunks} == {voice.rate}
    # Every sample of quiet before the first word delays the reply.
    assert np.flatnonzero(np.abs(sound) > 0.02)[0] / voice.rate < 0.05


@pytest.mark.parametrize("nothing", ["", "   ", "…", "🙂", "**"])
def test_nothing_to_say_is_no_sound(make: Make, nothing: str) -> None:
    assert list(make().speak(nothing)) == []


def test_speed_and_volume(make: Make) -> None:
    text = "The quick brown fox jumps over the lazy dog."
    usual, fast = joined(list(make().speak(text))), joined(list(make(speed=2.0).speak(text)))
    assert len(fast) < 0.75 * len(usual)
    assert np.abs(joined(list(make(volume=0.25).speak(text)))).max() < 0.5 * np.abs(usual).max()
    loud = joined(list(make(volume=2.0).speak(text)))
    assert np.abs(loud).max() <= 1.0
    assert np.sqrt(np.mean(loud**2)) > 1.1 * np.sqrt(np.mean(usual**2))


def test_speech_can_be_stopped_between_pieces(make: Make) -> None:
    speech = make().speak("One, two, three, four, five, six, seven.")
    assert next(speech).seconds <= 0.1
    speech.close()  # type: ignore[attr-defined]
    assert list(speech) == []


def test_numbers_times_and_addresses_can_be_understood(settings: Settings, store: Store) -> None:
    """What the default voice says of numbers is what a recogniser hears."""
    from assistant.sound import resample

    plugins = Plugins(settings)
    voice = plugins.make("voice", "piper", store)
    plugins.settings = replace(settings, asr=replace(settings.asr, model="faster-whisper-tiny.en", language="en"))
    recognizer = plugins.make("asr", "faster-whisper", store)
    for text, heard in {
        "The train to platform 12 leaves at 14:30.": ("14", "30", "12"),
        "Write to john@example.com, please.": ("john", "example", "com"),
        "It weighs 2.5 kg and costs $3.50.": ("2.5", "3.50"),
    }.items():
        sound = joined(list(voice.speak(text)))
        transcript = recognizer.transcribe(resample(AudioChunk(sound, voice.rate), 16_000)).text.lower()
        assert all(part in transcript for part in heard), transcript


SENTENCES = {
    "de": ("Ich erinnere dich um 8 Uhr an deine Tabletten.", ("erinnere", "acht", "tabletten")),
    "es": ("La capital de Australia es Canberra, y hace frío.", ("capital", "australia", "hace", "frío")),
    "fr": ("Je vois un chien qui joue dans la neige.", ("vois", "chien", "joue", "neige")),
    "it": ("Vedo un cane che gioca nella neve.", ("vedo", "cane", "gioca", "neve")),
}


@pytest.mark.parametrize("language", SENTENCES)
def test_what_is_said_in_other_languages_is_understood(settings: Settings, store: Store, language: str) -> None:
    from assistant.kit import Kit
    from assistant.sound import resample

    text, heard = SENTENCES[language]
    kit = Kit(replace(settings, asr=replace(settings.asr, language=language)), Plugins(settings), store)
    kit.plugins.settings = kit.settings
    sound = joined(list(kit.voices.speak(text, language)))
    transcript = kit.recognizer.transcribe(resample(AudioChunk(sound, kit.voices.usual.rate), 16_000)).text.lower()
    assert all(word in transcript.replace("8", "acht") for word in heard), transcript


def test_pico_speaks_five_languages_and_no_tags(settings: Settings) -> None:
    from assistant.backends.pico import PicoVoice

    german = PicoVoice(replace(settings, voice=replace(settings.voice, language="de")))
    assert (german.language, german.name) == ("de", "pico de-DE")
    loud = joined(list(german.speak('Ein <volume level="0">Hund</volume> bellt.')))
    assert len(loud) / german.rate > 1.5 and np.abs(loud[len(loud) // 3 : 2 * len(loud) // 3]).max() > 0.1
    with pytest.raises(SettingError, match="Pico does not speak 'pl'; known: de, en, es, fr, it"):
        PicoVoice(replace(settings, voice=replace(settings.voice, language="pl")))
    with pytest.raises(SettingError, match=r"voice\.speed"):
        PicoVoice(replace(settings, voice=replace(settings.voice, speed=9.0)))


def test_an_unknown_voice_is_answered_with_the_nearest(settings: Settings, store: Store) -> None:
    wrong = replace(settings, voice=replace(settings.voice, model="piper-en_US-jo-medium"))
    with pytest.raises(ModelError, match="did you mean 'piper-en_US-joe-medium'"):
        Plugins(wrong).make("voice", "piper", store)


def test_a_model_that_is_no_voice(settings: Settings, store: Store) -> None:
    wrong = replace(settings, voice=replace(settings.voice, model="silero-vad"))
    with pytest.raises(ModelError, match="is not a Piper voice"):
        Plugins(wrong).make("voice", "piper", store)


def test_a_speed_out_of_range(settings: Settings, store: Store) -> None:
    with pytest.raises(SettingError, match=r"voice\.speed"):
        Plugins(replace(settings, voice=replace(settings.voice, speed=0.0))).make("voice", "piper", store)


def test_a_damaged_voice(settings: Settings, tmp_path: object) -> None:
    from pathlib import Path

    from assistant.backends.piper import PiperVoice

    folder = Path(str(tmp_path))
    (folder / "v.onnx").write_bytes(b"not a network")

    class Shelf:
        root = folder

        def require(self, model: str) -> Path:
            return folder

    for description in ("{}", "[]", "not JSON"):
        (folder / "v.onnx.json").write_text(description)
        with pytest.raises(ModelError, match="damaged; run: assistant models verify"):
            PiperVoice(settings, Shelf())  # type: ignore[arg-type]


def test_espeak_without_espeak(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.backends.espeak import EspeakVoice

    monkeypatch.setenv("PATH", "")
    with pytest.raises(DeviceError, match="apt install espeak-ng"):
        EspeakVoice(settings)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_espeak_speaks_other_languages(settings: Settings) -> None:
    from assistant.backends.espeak import EspeakVoice

    german = EspeakVoice(replace(settings, voice=replace(settings.voice, language="de")))
    assert german.language == "de"
    assert joined(list(german.speak("Es sind 3,5 Grad."))).size > german.rate
    with pytest.raises(AssistantError, match="espeak-ng does not speak 'klingon'"):
        EspeakVoice(replace(settings, voice=replace(settings.voice, language="klingon")))
