"""``assistant talk`` as a process, with real small models and files in the place of devices."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from assistant import sound
from assistant.types import AudioChunk

from ..conftest import hear_interrupts

SMALL = (
    "--set", "brain.model=smollm2-135m-instruct-q4_1", "--set", "brain.max_tokens=16", "--set", "brain.threads=1",
    "--set", "asr.model=faster-whisper-tiny.en", "--set", "asr.threads=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def question(tmp_path_factory, settings, store):
    """A spoken question by another voice than the assistant's."""
    from assistant.backends.piper import PiperVoice

    for model in ("smollm2-135m-instruct-q4_1", "faster-whisper-tiny.en", "smart-turn-v3.2-cpu"):
        store.require(model)
    voice = PiperVoice(settings, store)
    said = np.concatenate([chunk.samples for chunk in voice.speak("What is the name of this city?")])
    quiet = np.zeros(voice.rate // 2, np.float32)
    path = tmp_path_factory.mktemp("talk") / "question.wav"
    sound.write(path, [AudioChunk(np.concatenate([quiet, said, quiet]), round(voice.rate * 1.1))])
    return path


def command(*arguments):
    return [sys.executable, "-m", "assistant", "talk", *map(str, arguments), *SMALL]


@pytest.mark.timeout(300)
def test_a_recorded_question_is_answered_into_a_file(question, tmp_path):
    answer = tmp_path / "answer.wav"
    done = subprocess.run(
        command("--input", question, "--say", answer, "--json"), capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    names = [event["event"] for event in events]
    assert names[0] == "ready"
    for earlier, later in (("listening", "judged"), ("judged", "clause"), ("clause", "reply"), ("reply", "turn")):
        assert names.index(earlier) < names.index(later)
    reply = next(event for event in events if event["event"] == "reply")
    assert "city" in reply["question"].lower() and reply["heard"] == reply["text"]
    turn = next(event for event in events if event["event"] == "turn")
    assert turn["first_token_s"] <= turn["first_clause_s"] <= turn["first_audio_s"]
    assert sound.read(answer).seconds > 0.3


@pytest.mark.timeout(300)
def test_control_c_ends_it_and_leaves_no_half_file(question, tmp_path):
    long = tmp_path / "long.wav"
    sound.write(long, [AudioChunk(np.zeros(60 * 16_000, np.float32), 16_000)])
    talk = subprocess.Popen(
        command("--input", long, "--say", tmp_path / "answer.wav", "--plain"),
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=hear_interrupts,
    )  # fmt: skip
    assert talk.stderr is not None
    for line in talk.stderr:
        if line.startswith("Ready"):
            break
    talk.send_signal(signal.SIGINT)
    _, errors = talk.communicate(timeout=60)
    assert talk.returncode == 130 and "Traceback" not in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.wav"]


def test_a_missing_recording_is_told_in_one_line(tmp_path):
    done = subprocess.run(command("--input", tmp_path / "none.wav"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "none.wav" in done.stderr


@pytest.mark.timeout(300)
def test_typed_questions_are_answered_one_by_one_without_a_sound(store, settings):
    for model in ("smollm2-135m-instruct-q4_1", "faster-whisper-tiny.en", "smart-turn-v3.2-cpu"):
        store.require(model)
    done = subprocess.run(
        [*command("--type", "--mute", "--plain"), "--set", "camera.source=off", "--set", "history.enabled=false"],
        input="What is 12 times 12?\nWie viel ist sieben mal acht?\nSpell it",
        capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    asked = [line for line in done.stdout.splitlines() if line.startswith("You: ")]
    told = [line for line in done.stdout.splitlines() if line.startswith("Assistant: ")]
    assert asked == ["You: What is 12 times 12?", "You: Wie viel ist sieben mal acht?", "You: Spell it"]
    assert "144" in told[0] and "56" in told[1] and len(told) == 3


def test_what_is_said_is_captioned(question):
    done = subprocess.run(
        [sys.executable, "-m", "assistant", "listen", "--json", "--set", f"audio.input={question}", *SMALL],
        capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    captions = [json.loads(line) for line in done.stdout.splitlines()]
    (whole,) = (caption for caption in captions if caption["whole"])
    assert "name of this city" in whole["text"].lower() and whole["language"] == "en"
    assert 0 <= whole["start"] < 0.6 and whole["end"] - whole["start"] > 1.0
