"""The wake word around the conversation: what is withheld, what is passed on, and when it sleeps again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant import sound
from assistant.backends.phrase_wake import PhraseWake, find, likeness
from assistant.cli import App
from assistant.config import Settings, WakeSettings
from assistant.dialogue import Happening
from assistant.errors import SettingError
from assistant.evaluation import load, wake
from assistant.store import Store
from assistant.types import AudioChunk, Samples, Utterance
from assistant.wake import DrowsyEars

from .fakes import FakeActivity, FakeRecognizer, FakeWakeWord, silence, tone

RATE = 16_000
CHUNK = 512


class Room:
    """A microphone over a recording."""

    rate = RATE

    def __init__(self, *parts: Samples) -> None:
        self.samples = np.concatenate(parts)

    def chunks(self) -> Iterator[AudioChunk]:
        for start in range(0, len(self.samples), 320):
            yield AudioChunk(self.samples[start : start + 320], RATE, start)

    def close(self) -> None:
        pass


class Ear(FakeWakeWord):
    """A wake word that knows what was said after it."""

    def __init__(self, at: int, rest: str = "") -> None:
        super().__init__({at // CHUNK * CHUNK: "computer"})
        self.rest, self.resets = rest, 0

    def reset(self) -> None:
        self.resets += 1


def speech_in(ears: DrowsyEars) -> tuple[list[tuple[float, float]], list[tuple[str, str]]]:
    """Return the stretches of speech that came through, in seconds, and what was told."""
    told: list[tuple[str, str]] = []
    ears.told = lambda state, word: told.append((state, word))
    spans: list[tuple[float, float]] = []
    expected = 0
    for heard in ears.sounds():
        assert heard.chunk.start == expected  # the clock never jumps
        expected += len(heard.chunk.samples)
        if heard.probability:
            start, end = heard.chunk.start / RATE, expected / RATE
            if spans and abs(spans[-1][1] - start) < 1e-6:
                spans[-1] = spans[-1][0], end
            else:
                spans.append((start, end))
    return spans, told


def drowsy(room: Room, word: FakeWakeWord, sleep_after: float = 5.0) -> DrowsyEars:
    return DrowsyEars(room, FakeActivity(), None, word, WakeSettings(sleep_after=sleep_after))


def test_asleep_nothing_is_heard_and_the_clock_goes_on() -> None:
    room = Room(silence(1), tone(4), silence(1), tone(1), silence(2))
    assert speech_in(drowsy(room, FakeWakeWord())) == ([], [("asleep", "")])


def test_after_the_word_everything_is_heard_but_not_the_word_itself() -> None:
    room = Room(silence(1), tone(1), silence(1), tone(2), silence(1))
    ears = drowsy(room, Ear(int(1.96 * RATE)))  # the engine is sure before the word is over
    [(start, end)], told = speech_in(ears)
    assert told == [("asleep", ""), ("awake", "computer")] and ears.awake
    assert start == pytest.approx(3.0, abs=0.04) and end == pytest.approx(5.0, abs=0.04)


def test_a_question_in_the_same_breath_is_heard_from_its_beginning() -> None:
    room = Room(silence(1), tone(2), silence(2))
    [(start, end)], _ = speech_in(drowsy(room, Ear(int(2.5 * RATE), rest="what time is it")))
    assert start == pytest.approx(1.0, abs=0.04) and end == pytest.approx(3.0, abs=0.04)


def test_it_sleeps_again_and_not_while_the_assistant_speaks() -> None:
    def room() -> Room:
        return Room(tone(0.5), silence(2), tone(0.5), silence(6), tone(1), silence(1))

    word = Ear(RATE // 2)
    spans, told = speech_in(drowsy(room(), word))
    assert told == [("asleep", ""), ("awake", "computer"), ("asleep", "")] and word.resets == 1
    assert len(spans) == 1
    talking = drowsy(room(), Ear(RATE // 2))
    talking.observe(Happening("state", 0.0, {"state": "speaking"}))
    spans, told = speech_in(talking)
    assert told == [("asleep", ""), ("awake", "computer")] and len(spans) == 2


@pytest.mark.parametrize(
    ("said", "rest"),
    (
        ("Computer.", ""),
        ("Hey, computer!", ""),
        ("Compuder", ""),
        ("Okay computer, what time is it?", "what time is it?"),
        ("com puter what's that", "what's that"),
        ("Computer, computer!", ""),
    ),
)
def test_the_phrase_is_found_at_the_beginning(said: str, rest: str) -> None:
    assert find(("jarvis", "computer"), said.split()) == ("computer", rest)


@pytest.mark.parametrize(
    "said", ("", "...", "The computer is slow.", "What time is it?", "Hey there", "service", "com")
)
def test_other_words_are_no_phrase(said: str) -> None:
    assert find(("jarvis", "computer"), said.split()) == (None, "")


def test_a_phrase_of_two_words() -> None:
    assert find(("hey_computer",), ["Hey", "computer,", "stop"]) == ("hey_computer", "stop")
    assert find(("good morning", "good evening"), ["Good", "evening."]) == ("good evening", "")
    assert find(("hey computer",), ["Computer!"]) == ("hey computer", "")
    assert likeness("hey computer", "Hey, Computer!") == 1.0
    assert likeness("aeio", "aeio") == 1.0 and likeness("x", "") == 0.0


def test_the_recogniser_works_only_where_somebody_speaks(settings: Settings, store: Store, spoken: Samples) -> None:
    recognizer = FakeRecognizer()
    recognizer.enqueue(Utterance("Nothing at all."), Utterance("Computer, go on."))
    words = dataclasses.replace(settings, wake=WakeSettings(words=("computer",)))
    engine = PhraseWake(words, store, recognizer)

    def listen(samples: Samples) -> list[str]:
        chunks = (AudioChunk(samples[at : at + 700], RATE, at) for at in range(0, len(samples), 700))
        return [word for chunk in chunks if (word := engine.heard(chunk))]

    assert listen(silence(3)) == [] and recognizer.heard == []
    assert listen(np.concatenate([spoken, silence(1)])) == [] and len(recognizer.heard) == 1
    assert recognizer.heard[0].seconds > 0.5
    wish = recognizer.options[0]
    assert wish and wish.expected and wish.expected("Computer, stop.") and not wish.expected("A commuter train.")
    assert listen(np.concatenate([spoken, silence(1)])) == ["computer"] and engine.rest == "go on."
    listen(np.concatenate([spoken] * 8))  # a radio: one reading for each breath at most
    assert len(recognizer.heard) <= 2 + 8


@pytest.fixture(scope="module")
def spoken(settings: Settings, store: Store) -> Samples:
    from assistant.backends.piper import PiperVoice

    voice = PiperVoice(settings, store)
    parts = [chunk.samples for chunk in voice.speak("Computer!")]
    return sound.resample(AudioChunk(np.concatenate(parts), voice.rate), RATE).samples


def test_an_unknown_word_of_the_small_networks_names_the_other_engine(settings: Settings, store: Store) -> None:
    pytest.importorskip("pymicro_wakeword")
    from assistant.backends.micro_wakeword import MicroWake

    for word, wanted in (("hey_jarves", "hey_jarvis.*wake.engine=phrase"), ("no-such.json", "no microWakeWord model")):
        with pytest.raises(SettingError, match=wanted):
            MicroWake(dataclasses.replace(settings, wake=WakeSettings(words=(word,))), store)


def test_the_small_network_lets_a_question_in_one_breath_through_but_not_its_word(
    settings: Settings, store: Store
) -> None:
    pytest.importorskip("pymicro_wakeword")
    from assistant.backends.micro_wakeword import MicroWake
    from assistant.backends.piper import PiperVoice
    from assistant.backends.silero import SileroActivity

    voice = PiperVoice(settings, store)
    wanted = WakeSettings(words=("hey_jarvis",))

    def said(text: str) -> Samples:
        """Return a sentence without the quiet around it."""
        parts = np.concatenate([chunk.samples for chunk in voice.speak(text)])
        speech = sound.resample(AudioChunk(parts, voice.rate), RATE).samples
        loud = np.flatnonzero(np.abs(speech) > 0.02)
        return speech[loud[0] : loud[-1]]

    def heard(*parts: Samples) -> tuple[float, list[float]]:
        """Return when it woke and when it heard speech after that, in seconds."""
        engine = MicroWake(dataclasses.replace(settings, wake=wanted), store)
        room = Room(silence(1), *parts, silence(1))
        ears = DrowsyEars(room, SileroActivity(settings, store), None, engine, wanted)
        woken: list[float] = []

        def told(state: str, word: str) -> None:
            if state == "awake":
                woken.append(ears._last / RATE)

        ears.told = told
        speech = [heard for heard in ears.sounds() if heard.probability >= settings.vad.threshold]
        return woken[0], [heard.chunk.start / RATE for heard in speech]

    word = said("Hey Jarvis!")
    assert heard(word)[1] == []
    woken, speech = heard(word, said("How many legs does a spider have?"))
    assert speech[0] - woken < 0.15


def test_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clips with a word of which one is heard, two without of which one is taken for it."""
    loud = {"a": 0.5, "b": 0.05, "c": 0.5, "d": 0.05}
    for name, loudness in loud.items():
        sound.write(tmp_path / f"{name}.wav", [AudioChunk(tone(0.5, loudness=loudness), RATE)])
    rows = [{"audio": f"{name}.wav", "keyword": "computer" if name in "ab" else None} for name in loud]
    (tmp_path / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")

    class Loud:
        """Wakes once a clip, where it is loud."""

        done = False

        def heard(self, chunk: AudioChunk) -> str | None:
            if self.done or np.abs(chunk.samples).max(initial=0.0) < 0.3:
                return None
            self.done = True
            return "computer"

        def reset(self) -> None:
            self.done = False

    app = App()
    monkeypatch.setattr(app, "make", lambda kind, name: Loud())
    reported: list[dict[str, object]] = []
    metrics = wake.run(app, load(tmp_path, wake.FIELDS), reported.append)
    assert metrics["recall"] == 0.5 and metrics["recall_by_keyword"] == {"computer": 0.5}
    assert metrics["false_accept_rate"] == 0.5 and metrics["false_accepts"] == 1 and metrics["without_keyword"] == 2
    assert [row["heard"] for row in reported] == [["computer"], [], ["computer"], []]
    assert 0 < metrics["cpu_idle"] < 1
