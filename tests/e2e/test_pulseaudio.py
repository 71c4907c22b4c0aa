"""The real devices: PortAudio plays into a null sink of PulseAudio and records a monitor; a person talks to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np
import platformdirs
import pytest
from rapidfuzz import fuzz
from scipy.signal import correlate

from assistant.config import Settings
from assistant.errors import DeviceError
from assistant.store import Store
from assistant.types import AudioChunk, Samples

from ..conftest import hear_interrupts

RATE = 16_000
VOICE_RATE = 22_050
CHUNK = VOICE_RATE // 10


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PulseAudio of its own with null sinks; the monitor of one is the microphone. Yields the device's name."""
    if shutil.which("pulseaudio") is None:
        pytest.skip("pulseaudio is not installed (Debian: apt install pulseaudio libasound2-plugins)")
    from assistant.backends import sounddevice

    try:
        sounddevice.library()
    except DeviceError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("pulse")
    with pytest.MonkeyPatch.context() as patch:
        # The assistant's own models and prompts, or each conversation would fetch and read them anew.
        patch.setenv("XDG_DATA_HOME", platformdirs.user_data_dir())
        patch.setenv("XDG_CACHE_HOME", platformdirs.user_cache_dir())
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"):
            patch.setenv(name, str(folder))
        socket = folder / "socket"
        patch.setenv("PULSE_SERVER", f"unix:{socket}")
        patch.setenv("PULSE_SINK", "room")
        patch.setenv("PULSE_SOURCE", "room.monitor")
        options = ["-n", "--daemonize=no", "--system=false", "--exit-idle-time=-1", "--use-pid-file=no"]
        protocol = f"module-native-protocol-unix auth-anonymous=1 socket={socket}"
        sinks = [f"module-null-sink sink_name={name} rate=48000 channels=1" for name in ("room", "mouth")]
        server = subprocess.Popen(
            ["pulseaudio", *options, "-L", protocol, *(part for sink in sinks for part in ("-L", sink))],
            env=dict(os.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if not _listens(socket, server):
                pytest.skip("pulseaudio does not start here")
            sounddevice._rescan()
            if "pulse" not in [name for _, name in sounddevice.list_speakers()]:
                pytest.skip("PortAudio does not know PulseAudio (Debian: apt install libasound2-plugins)")
            yield "pulse"
        finally:
            server.terminate()
            server.wait(10)


def _listens(socket: Path, server: subprocess.Popen[bytes]) -> bool:
    for _ in range(100):
        if socket.exists():
            return True
        if server.poll() is not None:
            return False
        time.sleep(0.1)
    return False


P = ParamSpec("P")


def patient(test: Callable[P, None]) -> Callable[P, None]:
    """Try three times: on a busy machine PulseAudio's ALSA bridge gives no sound for seconds, or drops some."""

    @wraps(test)
    def again(*arguments: P.args, **options: P.kwargs) -> None:
        for _ in range(2):
            try:
                return test(*arguments, **options)
            except (AssertionError, ValueError, IndexError):
                time.sleep(1)
        return test(*arguments, **options)

    return again


class Recorder:
    """Keeps all that the microphone hears until it is left."""

    def __init__(self, settings: Settings) -> None:
        from assistant.backends.sounddevice import DeviceMicrophone

        self.chunks: list[AudioChunk] = []
        self._microphone = DeviceMicrophone(settings)
        self._thread = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        for _ in range(5):  # a server that has just started may give no sound at first: as talk does, ask again
            try:
                for chunk in self._microphone.chunks():
                    self.chunks.append(chunk)
                return
            except DeviceError:
                continue

    def __enter__(self) -> Recorder:
        self._thread.start()
        self.hear(0.2)  # it hears before anything is played
        return self

    def hear(self, seconds: float) -> None:
        """Return when so much more was heard."""
        wanted = len(self.chunks) + round(seconds * 50)
        while len(self.chunks) < wanted and self._thread.is_alive():
            time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self._microphone.close()
        self._thread.join(10)

    @property
    def samples(self) -> Samples:
        return np.concatenate([chunk.samples for chunk in self.chunks])


@pytest.fixture
def here(settings: Settings, room: str) -> Settings:
    return replace(settings, audio=replace(settings.audio, input=room, output=room))


def noise(seconds: float) -> Samples:
    """Return noise between 300 and 3,000 Hz that is equal to itself at no other place."""
    from scipy.signal import butter, sosfilt

    rng = np.random.default_rng(0)
    band = butter(4, [300, 3000], "bandpass", fs=VOICE_RATE, output="sos")
    return (0.2 * sosfilt(band, rng.standard_normal(round(seconds * VOICE_RATE)))).astype(np.float32)


@patient
def test_what_is_played_is_what_is_recorded(here: Settings) -> None:
    from assistant.backends.sounddevice import DeviceSpeaker
    from assistant.sound import resample

    sound = noise(2.0)
    speaker = DeviceSpeaker(here)
    with Recorder(here) as recorder:
        for at in range(0, len(sound), CHUNK):
            speaker.play(AudioChunk(sound[at : at + CHUNK], VOICE_RATE, at))
        assert speaker.drain() == pytest.approx(len(sound), abs=64)
        recorder.hear(0.5)
    speaker.close()
    assert [chunk.start for chunk in recorder.chunks] == [320 * at for at in range(len(recorder.chunks))]
    assert {len(chunk.samples) for chunk in recorder.chunks} == {320}
    wanted = resample(AudioChunk(sound, VOICE_RATE), RATE).samples
    heard = recorder.samples
    match = correlate(heard, wanted, "valid")
    at = int(np.argmax(np.abs(match)))
    piece = heard[at : at + len(wanted)]
    likeness = float(match[at] / np.sqrt(np.sum(piece**2) * np.sum(wanted**2)))
    assert likeness > 0.9


@patient
def test_stop_is_silent_within_a_tenth_of_a_second(here: Settings) -> None:
    """Counted in recorded samples: what is heard after the stop is bounded, whatever the machine's load."""
    from assistant.backends.sounddevice import DeviceSpeaker

    speaker = DeviceSpeaker(here)
    sound = noise(6.0)
    with Recorder(here) as recorder:
        # One chunk that alone is more than may wait, and one that has to wait for it.
        speaker.play(AudioChunk(sound, VOICE_RATE))
        waits = threading.Thread(target=speaker.play, args=(AudioChunk(sound, VOICE_RATE),))
        waits.start()
        while speaker.played < VOICE_RATE:
            time.sleep(0.01)
        played = speaker.stop()
        waits.join(10)
        assert not waits.is_alive(), "play must return when it is stopped"
        recorder.hear(1.0)
    speaker.close()
    loud = np.flatnonzero(np.abs(recorder.samples) > 0.01)
    heard = (loud[-1] - loud[0] + 1) / RATE
    said = played / VOICE_RATE
    assert 0.5 < said < 3.0
    assert heard <= said + 0.1, "it went on after the stop"
    assert heard >= said - 0.3, "the count is more than was heard"


@patient
def test_a_rate_that_changes_is_converted(here: Settings) -> None:
    from assistant.backends.sounddevice import DeviceSpeaker

    speaker = DeviceSpeaker(here)
    with Recorder(here) as recorder:
        for rate in (VOICE_RATE, 48_000):
            tone = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
            speaker.play(AudioChunk(tone.astype(np.float32), rate))
        speaker.drain()
        recorder.hear(0.5)
    speaker.close()
    loud = recorder.samples[np.abs(recorder.samples) > 0.01]
    assert len(loud) / RATE == pytest.approx(2.0, abs=0.3)
    spectrum = np.abs(np.fft.rfft(recorder.samples))
    assert np.argmax(spectrum) * RATE / len(recorder.samples) == pytest.approx(1000, abs=10)


def test_an_unknown_device_is_answered_with_the_nearest_name(here: Settings) -> None:
    from assistant.backends.sounddevice import DeviceMicrophone

    with pytest.raises(DeviceError, match="did you mean 'pulse'"):
        DeviceMicrophone(replace(here, audio=replace(here.audio, input="pulze")))


# -- a whole conversation: espeak-ng is the person, a second null sink their mouth ----------------------


MODEL = "qwen2.5-coder-1.5b-instruct-q4_k_m"
"""The one that ships: the 135 M model answers with scraps, which are over before anybody can interrupt them."""
SMALL = ("asr.model=faster-whisper-tiny.en", "history.enabled=false")


class Talk:
    """``assistant talk`` as a process that hears the sink ``mouth`` and is recorded from the sink ``room``."""

    def __init__(self, room: str, folder: Path, longest: int = 24) -> None:
        environment = {**os.environ, "PULSE_SOURCE": "mouth.monitor"}
        settings = (
            f"audio.input={room}",
            f"audio.output={room}",
            f"brain.max_tokens={longest}",
            f"brain.model={MODEL}",
            "history.enabled=false",
        )
        options = [part for setting in (*SMALL, *settings) for part in ("--set", setting)]
        self._folder, self._tape = folder, (folder / "heard.raw").open("wb")
        record = ["parec", "--device=room.monitor", "--rate=16000", "--channels=1", "--format=s16le", "--raw"]
        self._recorder = subprocess.Popen(record, stdout=self._tape)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "assistant", "talk", "--json", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=hear_interrupts,
        )
        self.events: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.events.append(json.loads(line))

    def __enter__(self) -> Talk:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._recorder.terminate()
        self._recorder.wait(10)
        self._tape.close()
        self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def until(self, name: str, after: int = 0, seconds: float = 60.0) -> dict[str, Any]:
        """Return the first event of a name after so many events."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._process.poll() is None:
            found = [event for event in self.events[after:] if event["event"] == name]
            if found:
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"no {name!r} within {seconds} s: {[event['event'] for event in self.events]}")

    def say(self, text: str) -> None:
        """Speak as a person, into the microphone; return when all was said."""
        path = self._folder / "said.wav"
        subprocess.run(["espeak-ng", "-s", "140", "-w", str(path), text], check=True)
        subprocess.run(["paplay", "--device=mouth", str(path)], check=True)

    def recording(self) -> Samples:
        """Return all that was heard from the loudspeaker; after the conversation."""
        return np.frombuffer((self._folder / "heard.raw").read_bytes(), "<i2").astype(np.float32) / 32768


@pytest.fixture
def voices(store: Store) -> None:
    for program in ("espeak-ng", "paplay", "parec"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: apt install espeak-ng pulseaudio-utils)")
    for model in (MODEL, "faster-whisper-tiny.en", "smart-turn-v3.2-cpu"):
        store.require(model)


@patient
def test_a_person_asks_aloud_and_hears_the_answer(room: str, voices: None, settings: Settings, store: Store) -> None:
    from assistant.backends.faster_whisper import FasterWhisper

    with tempfile.TemporaryDirectory() as folder:
        with Talk(room, Path(folder)) as talk:
            talk.until("ready", seconds=120)
            talk.say("What is the capital of France?")
            reply = talk.until("reply")
            talk.until("turn")
            time.sleep(0.5)
        spoken = talk.recording()
    assert "france" in reply["question"].lower()
    assert reply["heard"] and reply["heard"] == reply["text"]
    heard = FasterWhisper(settings, store, "faster-whisper-tiny.en").transcribe(AudioChunk(spoken, RATE)).text
    assert fuzz.token_set_ratio(reply["heard"].lower(), heard.lower()) > 80, (reply["heard"], heard)


@patient
def test_a_person_interrupts_and_it_is_silent(room: str, voices: None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with Talk(room, Path(folder), longest=200) as talk:
            talk.until("ready", seconds=120)
            talk.say("Please tell me a long story about a dog.")
            talk.until("speaking")
            before = len(talk.events)
            talk.say("No, wait, I have another question for you.")
            talk.until("interrupted", before, 10)
            reply = talk.until("reply", before)
            talk.until("turn", before)  # the new question is answered, too
    assert reply["interrupted"] and len(reply["heard"]) < len(reply["text"])
