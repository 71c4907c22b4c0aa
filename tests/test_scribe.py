"""Live captions: what is said, while it is said and once it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant import sound
from assistant.cli import main
from assistant.config import Settings
from assistant.ears import Ears
from assistant.kit import Kit
from assistant.scribe import LONG, LONGEST, Caption, Scribe
from assistant.stages import Recognition
from assistant.types import AudioChunk, Samples, Utterance

from .conversation import ToneRecognizer
from .fakes import FakeActivity, FakeMicrophone, FakeRecognizer, silence, tone

WORDS = {440: "what is this", 880: "a dog"}


class Sure(ToneRecognizer):
    """Is as sure as it is told to be."""

    def __init__(self, confidence: float = 1.0) -> None:
        super().__init__(WORDS)
        self.confidence, self.wishes = confidence, list[Recognition | None]()

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        self.wishes.append(options)
        return replace(super().transcribe(audio, options), confidence=self.confidence)


def written(
    *parts: Samples, careful: Any = None, quick: Any = None, settings: Settings | None = None
) -> Sequence[Caption]:
    async def write() -> list[Caption]:
        ears = Ears(FakeMicrophone(*parts), FakeActivity())
        scribe = Scribe(ears, careful or Sure(), quick or FakeRecognizer("what"), settings or Settings())
        async with aclosing(scribe.captions()) as captions:
            return [caption async for caption in captions]

    return asyncio.run(write())


def whole(captions: Sequence[Caption]) -> list[str]:
    return [caption.text for caption in captions if caption.whole]


def test_what_is_said_is_written_down_as_it_is_said_and_when_it_was() -> None:
    captions = written(silence(1.0), tone(1.5), silence(1.0), tone(0.8, hertz=880.0), silence(1.0))
    assert whole(captions) == ["what is this", "a dog"]
    first, second = (caption for caption in captions if caption.whole)
    assert (first.start, first.end) == pytest.approx((0.8, 2.5), abs=0.1)
    assert (second.start, second.end) == pytest.approx((3.3, 4.3), abs=0.1)
    drafts = [caption for caption in captions if not caption.whole]
    assert len(drafts) >= 2 and {caption.text for caption in drafts} == {"what"}
    assert all(0.7 <= caption.start < caption.end <= 4.4 for caption in drafts)


def test_a_click_is_no_caption_nor_what_holds_no_words() -> None:
    assert not written(silence(1.0), tone(0.03), silence(1.5))
    assert not whole(written(silence(0.5), tone(1.0), silence(1.0), careful=FakeRecognizer("")))


def test_who_is_cut_off_by_the_end_is_written_down() -> None:
    assert whole(written(silence(0.5), tone(1.0))) == ["what is this"]


def test_who_speaks_for_long_is_not_waited_for() -> None:
    long = [part for _ in range(5) for part in (tone(3.0), silence(0.3))]
    captions = written(*long, tone(1.0, hertz=880.0), silence(1.0))
    assert whole(captions) == ["what is this", "a dog"]
    assert next(caption.end for caption in captions if caption.whole) == pytest.approx(LONG + 0.9, abs=0.5)
    endless = [caption for caption in written(tone(LONGEST + 2.0), silence(1.0)) if caption.whole]
    assert [round(caption.end - caption.start) for caption in endless] == [25, 2]


def test_a_guess_is_marked_as_one() -> None:
    assert whole(written(tone(1.0), silence(1.0), careful=Sure(0.3))) == ["what is this (?)"]


def test_language_and_translation_are_those_of_the_settings() -> None:
    careful, asr = Sure(), replace(Settings().asr, language="de", translate=True)
    careful.language = "de"
    written(tone(1.0), silence(1.0), tone(1.0), silence(1.0), careful=careful, settings=replace(Settings(), asr=asr))
    assert [(wish.language, wish.translate, wish.likely) for wish in careful.wishes if wish] == [
        ("de", True, ""),
        ("de", True, "de"),
    ]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Options that make the command hear a recording with fake engines."""
    path = tmp_path / "said.wav"
    sound.write(path, [AudioChunk(tone(1.0), 16_000), AudioChunk(silence(1.0), 16_000)])
    monkeypatch.setattr(Kit, "recognizer", Sure(0.9))
    monkeypatch.setattr(Kit, "live_recognizer", FakeRecognizer("what"))
    monkeypatch.setattr(Kit, "activity", FakeActivity())
    return ["listen", "--set", f"audio.input={path}"]


def test_the_command_prints_lines_or_objects(heard: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*heard, "--plain"]) == 0
    assert capsys.readouterr().out == "what is this\n"
    assert main([*heard, "--json"]) == 0
    *drafts, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert last["text"] == "what is this" and last["whole"] and last["confidence"] == 0.9
    assert all(not draft["whole"] and draft["text"] == "what" for draft in drafts)


def test_a_terminal_shows_what_is_being_said(
    heard: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(heard) == 0
    assert "what is this\n" in capsys.readouterr().out
