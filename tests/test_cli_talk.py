"""What ``assistant talk`` makes of its options and devices; the conversation itself is a fake."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assistant import sound, talking
from assistant.backends.files import FileMicrophone
from assistant.cli import main, talk
from assistant.config import Settings
from assistant.errors import DeviceError, InputError, SettingError
from assistant.kit import Kit
from assistant.pacing import HurriedSpeaker, StillMicrophone
from assistant.types import AudioChunk

from .fakes import tone

Talk = Callable[..., int]


class Held:
    """The conversation that was begun, in the place of a real one."""

    def __init__(self) -> None:
        self.given: tuple[Any, ...] = ()
        self.options: dict[str, Any] = {}
        self.fault: BaseException | None = None

    def __call__(self, *given: Any, **options: Any) -> Any:
        self.given, self.options = given, options
        return SimpleNamespace(run=self.run, observers=[], quit=lambda: None)

    async def run(self) -> None:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held()
    monkeypatch.setattr(talking, "converse", made)
    return made


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The microphone and loudspeaker of this machine by kind; one that is absent cannot be opened."""
    there: dict[str, Any] = {}
    make = Kit.make

    def made(kit: Kit, kind: str, name: str, settings: Settings | None = None) -> Any:
        if name != "sounddevice":
            return make(kit, kind, name, settings)
        if kind not in there:
            raise DeviceError(f"there is no {kind}")
        return there[kind]

    monkeypatch.setattr(Kit, "make", made)
    return there


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Call ``assistant talk`` without camera and record, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(talk, "sample", lambda app, say, as_json: 77)
    quiet = ("--plain", "--set", "history.enabled=false", "--set", "camera.source=off")
    return lambda *arguments: main(["talk", *quiet, *map(str, arguments)])


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / "question.wav"
    sound.write(path, [AudioChunk(tone(0.2), 16_000)])
    return path


@pytest.mark.parametrize("name", ["", "USB Audio", "3"])
def test_echo_is_cancelled_on_every_loudspeaker(name: str, run: Talk, held: Held, devices: dict[str, Any]) -> None:
    devices |= {"microphone": object(), "speaker": object()}
    assert run("--set", f"audio.output={name}") == 0
    assert held.options["echo"] and held.given[2] is devices["speaker"]


def test_a_file_is_no_loudspeaker(run: Talk, held: Held, devices: dict[str, Any], question: Path) -> None:
    devices |= {"microphone": object(), "speaker": object()}
    for arguments in (["--set", "audio.output=a.wav"], ["--say", "a.wav"], ["--input", question]):
        assert run(*arguments) == 0
        assert not held.options["echo"]


def test_a_file_is_a_file_whatever_its_ending(run: Talk, held: Held, devices: dict[str, Any], question: Path) -> None:
    devices |= {"microphone": object(), "speaker": object()}
    odd = question.rename(question.with_suffix(".recording"))
    assert run("--input", odd) == 0
    assert isinstance(held.given[1], FileMicrophone)


@pytest.mark.parametrize("name", ["pictures/b.jpg", "note.txt", "absent", "absent.wav", "."])
def test_an_input_that_is_no_sound_is_told(
    name: str, run: Talk, held: Held, devices: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note.txt").write_text("no sound")
    assert run("--input", name) == InputError.exit_code
    assert capsys.readouterr().err.count("\n") == 1 and not held.given


def test_the_sample_replaces_nothing_that_was_asked_for(
    run: Talk, devices: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == run("--once") == 77
    for asked in (["--image", "absent.jpg"], ["--continue"], ["--push-to-talk"]):
        capsys.readouterr()
        assert run(*asked) == DeviceError.exit_code
        assert capsys.readouterr().err == "assistant: there is no microphone\n"


def test_a_picture_that_is_named_is_needed(run: Talk, held: Held, question: Path, tmp_path: Path) -> None:
    assert run("--input", question, "--image", tmp_path / "absent.jpg") == InputError.exit_code
    assert run("--input", question, "--image", tmp_path / "absent") == DeviceError.exit_code
    assert not held.given


def test_what_goes_wrong_inside_is_one_line(
    run: Talk, held: Held, question: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*errors: Exception) -> int:
        held.fault = ExceptionGroup("", [ExceptionGroup("", [*errors])])
        return run("--input", question)

    assert fail(InputError("b.jpg is no picture"), KeyError(1)) == InputError.exit_code
    assert fail(OSError(28, "No space left on device")) == 1
    told = capsys.readouterr().err.replace("Loading the models ...\n", "")
    assert told == "assistant: b.jpg is no picture\nassistant: No space left on device\n"
    with pytest.raises(ExceptionGroup):  # a fault of the program is not hidden
        fail(KeyError(1))


def test_a_closed_pipe_ends_it_quietly(question: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from types import SimpleNamespace; from assistant import talking; from assistant.cli import main\n"
        "async def run(): raise ExceptionGroup('', [BrokenPipeError(32, 'Broken pipe')])\n"
        "talking.converse = lambda *given, **options: SimpleNamespace(run=run, observers=[])\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    options = ("--json", "--set", "history.enabled=false", "--input", str(question))
    command = [sys.executable, "-c", script, "talk", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (141, "Loading the models ...\n")


@pytest.mark.parametrize("number", ["²", "9" * 20, "two"])
def test_a_conversation_that_is_not_recorded_cannot_go_on(number: str, run: Talk, held: Held, question: Path) -> None:
    assert run("--input", question, "--continue", number) == InputError.exit_code
    assert not held.given


def test_with_push_to_talk_only_the_key_opens_the_ears(
    run: Talk, held: Held, question: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for options, hands_free in ((["--push-to-talk"], False), ([], True)):
        assert run("--input", question, *options) == 0
        assert held.options["hands_free"] is hands_free


def test_who_types_needs_no_microphone(run: Talk, held: Held, devices: dict[str, Any]) -> None:
    assert run("--type", "--mute", "--set", "wake.enabled=true") == 0
    _, microphone, speaker, *_ = held.given
    assert isinstance(microphone, StillMicrophone) and isinstance(speaker, HurriedSpeaker)
    settings = held.given[0].settings
    assert (settings.talk.echo, settings.wake.enabled) == ("off", False)
    assert held.options == {"echo": True, "hands_free": True}, "a person is there, who is told what was missed"
    assert run("--type", "--mute", "--input", "question.wav") == SettingError.exit_code
    for options in (("--type", "--push-to-talk"), ("--mute", "--say", "answer.wav")):
        with pytest.raises(SystemExit):
            run(*options)


def test_without_a_microphone_it_is_said_how_to_type(
    run: Talk, devices: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "sample", lambda *given: 0)
    assert run() == 0
    assert capsys.readouterr().err.endswith("To type instead: assistant talk --type\n")


def test_the_language_is_that_of_the_command_line(run: Talk, held: Held, question: Path) -> None:
    assert run("--input", question, "--language", "de") == 0
    assert held.given[0].settings.asr.language == "de"
