from __future__ import annotations

import io
import itertools
import json
import types
from pathlib import Path

import numpy as np
import pytest

from assistant.cli import main
from assistant.errors import SettingError
from assistant.kit import Kit
from assistant.sound import write
from assistant.stages import Recognition
from assistant.subtitles import cues, srt, vtt
from assistant.types import AudioChunk, Utterance, Word


class Clock:
    """A recogniser that says at which second of the stream it was asked, and remembers the wishes."""

    def __init__(self) -> None:
        self.asked: list[Recognition] = []

    def transcribe(self, audio: AudioChunk, options: Recognition) -> Utterance:
        if options.language == "xx":
            raise SettingError("there is no language 'xx'")
        self.asked.append(options)
        if not audio.samples.any():
            return Utterance("", no_speech=1)
        word = Word("tick.", 0.5, 1.0, 0.9)
        return Utterance("tick.", "de", (word,) if options.words else (), confidence=0.9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(Kit, "make", lambda self, kind, name: made)
    return made


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    samples = np.random.default_rng(0).normal(0, 0.1, 8_000 * 2).astype(np.float32)
    write(tmp_path / "noise.wav", [AudioChunk(samples, 8_000)])
    return tmp_path / "noise.wav"


def test_json_is_one_line_a_file(clock: Clock, noise: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(noise.with_name("none.wav"))
    assert main(["transcribe", missing, str(noise), "--json"]) == 1
    captured = capsys.readouterr()
    bad, good = map(json.loads, captured.out.splitlines())
    assert bad == {"file": missing, "error": f"there is no file {missing}"}
    assert (good["file"], good["text"], good["language"]) == (str(noise), "tick.", "de")
    assert good["words"] == [{"text": "tick.", "start": 0.5, "end": 1.0, "probability": 0.9}]
    assert good["duration"] == 2
    assert captured.err == ""


def test_plain_text(clock: Clock, noise: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcribe", str(noise)]) == 0
    assert capsys.readouterr().out == "tick.\n"
    assert clock.asked[-1].words is False
    assert main(["transcribe", str(noise), "--words", "--translate", "--language", "fr"]) == 0
    assert capsys.readouterr().out.split() == ["0.50", "1.00", "tick."]
    assert clock.asked[-1] == Recognition("fr", True, True)


def test_long_files_go_in_stretches_and_keep_their_language(
    clock: Clock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    minutes = (AudioChunk(generator.normal(0, 0.1, 8_000 * 60).astype(np.float32), 8_000) for _ in range(5))
    write(tmp_path / "long.wav", minutes)
    assert main(["transcribe", str(tmp_path / "long.wav"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    starts = [word["start"] for word in result["words"]]
    assert result["duration"] == 300
    assert len(starts) == 3
    assert starts[0] == 0.5
    assert all(100 <= later - earlier <= 120 for earlier, later in itertools.pairwise(starts))
    assert [wish.language for wish in clock.asked] == [None, "de", "de"]


def test_silence_is_said_to_be_silent(clock: Clock, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "quiet.wav", [AudioChunk(np.zeros(8_000, np.float32), 8_000)])
    assert main(["transcribe", str(tmp_path / "quiet.wav")]) == 0
    captured = capsys.readouterr()
    assert captured.out == "\n"
    assert "nobody speaks" in captured.err


def test_reads_stdin(
    clock: Clock, noise: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(noise.read_bytes())))
    assert main(["transcribe", "-", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["file"], result["text"]) == ("-", "tick.")


def test_an_unknown_language_is_one_line_and_code_2(
    clock: Clock, noise: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", str(noise), "--language", "xx"]) == 2
    assert capsys.readouterr().err == "assistant: there is no language 'xx'\n"


def test_subtitles(clock: Clock, noise: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcribe", str(noise), "--srt"]) == 0
    assert capsys.readouterr().out == "1\n00:00:00,500 --> 00:00:01,000\ntick.\n\n"
    assert main(["transcribe", str(noise), "--vtt"]) == 0
    assert capsys.readouterr().out == "WEBVTT\n\n00:00:00.500 --> 00:00:01.000\ntick.\n\n"


def test_cues_end_with_sentences_at_pauses_and_before_they_get_long() -> None:
    words = [Word("Hi", 0, 1), Word("there.", 1, 2), Word("So", 2, 2.5), Word("later", 5, 5.5)]
    assert [cue.text for cue in cues(words)] == ["Hi there.", "So", "later"]
    steady = [Word("a" * 19, at, at + 1) for at in range(20)]
    lines = list(cues(steady))
    assert all(len(cue.text) <= 80 and cue.end - cue.start <= 6 for cue in lines)
    assert " ".join(cue.text for cue in lines) == " ".join(word.text for word in steady)
    assert "".join(srt(cues([Word("x", 3_661.5, 3_662)]))).startswith("1\n01:01:01,500 --> 01:01:02,000\n")
    assert "a &lt;b&gt; &amp; c" in "".join(vtt(cues([Word("a <b> & c", 0, 1)])))
