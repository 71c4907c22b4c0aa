"""``assistant say``."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from assistant.cli import main, say
from assistant.store import Store

from .conftest import hear_interrupts


@pytest.fixture(autouse=True)
def _voice(store: Store) -> None:
    store.require("piper-en_US-joe-medium")


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_a_file_is_written_and_told(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / f"said.{ending}"
    assert main(["say", "It is 3 pm. Hello!", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    facts = soundfile.info(out)
    assert told["say"] == str(out) and told["rate"] == facts.samplerate
    assert told["seconds"] == pytest.approx(facts.duration, abs=0.01)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_text_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Good morning.".encode("utf-8-sig"))))
    assert main(["say", "-", "--out", str(tmp_path / "a.wav")]) == 0
    captured = capsys.readouterr()
    assert captured.out == "" and "wrote" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["say", ""], "nothing to say"),
        (["say", " … 🙂"], "nothing to say"),
        (["say", "a", "--out", "a.mp3"], "must end in .wav or .flac"),
        (["say", "a", "--out", "no/such/folder/a.wav"], "there is no folder"),
        (["say", "a", "--out", "a.wav", "--speed", "0"], "voice.speed must be"),
        (["say", "--out", "a.wav"], "need a text"),
        (["say", "--json"], "need a text"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and message in captured.err and captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_text_that_is_not_utf_8(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9")))
    assert main(["say", "-"]) == 2
    assert "not UTF-8 (byte 3)" in capsys.readouterr().err


def test_lines_that_are_not_utf_8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9\n"), "utf-8"))
    assert main(["say", "--set", f"audio.output={tmp_path / 'said.wav'}"]) == 2
    assert "what is typed is not UTF-8" in capsys.readouterr().err
    assert main(["say", "--language", "xx", "--set", f"audio.output={tmp_path / 'said.wav'}"]) != 0
    assert "Type what to say" not in capsys.readouterr().err, "a language that nobody speaks is told before"


def test_an_unknown_voice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "a", "--voice", "piper-en_US-jo-medium", "--out", str(tmp_path / "a.wav")]) == 1
    assert "did you mean 'piper-en_US-joe-medium'" in capsys.readouterr().err


def test_it_plays_into_the_file_that_is_the_loudspeaker(tmp_path: Path) -> None:
    out = tmp_path / "loudspeaker.wav"
    assert main(["say", "Hello there.", "--set", f"audio.output={out}"]) == 0
    assert soundfile.info(out).duration > 0.3


def test_without_a_text_each_line_is_said_as_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    languages, seconds = list[str](), list[float]()
    play, speak = say._play, say._spoken
    monkeypatch.setattr(say, "_play", lambda speaker, chunks: seconds.append(play(speaker, chunks)))
    monkeypatch.setattr(say, "_spoken", lambda text, voice: languages.append(voice.language) or speak(text, voice))
    monkeypatch.setattr(sys, "stdin", io.StringIO("Hello there.\n\n ...\nGuten Morgen, wie geht es dir heute?\n"))
    out = tmp_path / "loudspeaker.wav"
    assert main(["say", "--set", f"audio.output={out}"]) == 0
    assert languages == ["en", "de"]
    assert len(seconds) == 2 and soundfile.info(out).duration == pytest.approx(sum(seconds), abs=0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_an_interrupt_leaves_no_half_file(tmp_path: Path) -> None:
    out = tmp_path / "book.wav"
    book = "This is a rather long sentence about nothing in particular. " * 400
    said = subprocess.Popen(
        [sys.executable, "-m", "assistant", "say", "-", "--out", str(out)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hear_interrupts,
    )
    assert said.stdin is not None
    said.stdin.write(book.encode())
    said.stdin.close()
    while not list(tmp_path.iterdir()) and said.poll() is None:
        time.sleep(0.05)
    said.send_signal(signal.SIGINT)
    assert said.wait(30) == 130
    assert said.stderr is not None
    assert b"Traceback" not in said.stderr.read()
    said.stderr.close()
    assert list(tmp_path.iterdir()) == []
