"""With the models in the store, a spoken question about a picture is answered aloud without any network."""

import json
import subprocess
import sys

import pytest

BLOCKED = """
import socket, sys

def refuse(*args, **kwargs):
    raise AssertionError(f"the network was used: {args}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
from assistant.cli import main
sys.exit(main(sys.argv[1:]))
"""

SMALL = ("--set", "brain.model=smollm2-135m-instruct-q4_1", "--set", "asr.model=faster-whisper-tiny.en")
"""The same engines as in the embedded profile with smaller models, so that the test is quick."""


@pytest.fixture(scope="module")
def assistant(store):
    for model in (
        "smollm2-135m-instruct-q4_1",
        "faster-whisper-tiny.en",
        "piper-en_US-joe-medium",
        "efficientnet-lite2-onnx",
        "silero-vad",
        "sample-photo",
    ):
        store.require(model)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", BLOCKED, *arguments, "--set", "store.offline=true", *SMALL]
        return subprocess.run(command, capture_output=True, text=True, timeout=240)

    return run


@pytest.fixture(scope="module")
def sample(assistant, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    done = assistant("talk", "--sample", "--json", "--say", str(folder / "answer.wav"))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), folder / "answer.wav"


def test_the_sample_question_is_heard_seen_and_answered(sample):
    answer, spoken = sample
    assert "see" in answer["heard"].lower() and "picture" in answer["heard"].lower()
    assert answer["saw"]["verdict"] == "ok" and answer["saw"]["labels"]
    assert answer["reply"] and spoken.stat().st_size > 10_000


def test_what_it_says_is_what_it_answered(assistant, sample):
    answer, spoken = sample
    done = assistant("transcribe", str(spoken), "--json")
    assert done.returncode == 0, done.stderr
    heard = {word.strip(".,!?'").lower() for word in json.loads(done.stdout)["text"].split()}
    said = {word.strip(".,!?'").lower() for word in answer["reply"].split()}
    assert len(heard & said) >= 0.6 * len(said)


def test_looking_and_reading_need_no_network(assistant, store):
    photo = next(iter(store.require("sample-photo").glob("*.png")))
    done = assistant("look", str(photo), "--text", "--codes", "--json")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["labels"] and isinstance(seen["text"], str) and seen["codes"] == []
