"""One contract for every microphone, loudspeaker and camera that can run here, and for their loss."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile

from assistant.backends import sounddevice as devices
from assistant.backends.files import FileCamera, FileMicrophone, FileSpeaker
from assistant.backends.opencv import OpenCVCamera
from assistant.config import Settings
from assistant.devices import camera_engine, sound_engine
from assistant.errors import AssistantError, DeviceError, InputError
from assistant.stages import Camera, Microphone, Speaker
from assistant.types import AudioChunk
from tests.fakes import FakeCamera, FakeMicrophone, FakeSpeaker, VirtualClock, tone


class Instant(VirtualClock):
    """A clock on which nothing ever has to be waited for."""

    def sleep(self, seconds: float) -> None:
        return


class PortAudioError(Exception):
    pass


class FakeLibrary:
    """A stand-in for the module ``sounddevice``: two devices, whose callbacks the test calls."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.devices = [
            {
                "name": "USB Microphone",
                "max_input_channels": 2,
                "max_output_channels": 0,
                "default_samplerate": 48000.0,
            },
            {"name": "Speakers", "max_input_channels": 0, "max_output_channels": 2, "default_samplerate": 48000.0},
        ]
        self.default = SimpleNamespace(device=[0, 1])
        self.streams: list[Any] = []
        self.scans = 0

    def query_devices(self, number: int | None = None) -> Any:
        return self.devices if number is None else self.devices[number]

    def _check(self, **wishes: Any) -> None:
        if wishes["samplerate"] != 48_000:
            raise PortAudioError("Invalid sample rate")

    check_input_settings = check_output_settings = _check

    def _stream(self, **wishes: Any) -> Any:
        stream = SimpleNamespace(**wishes, start=lambda: None, abort=lambda: None, close=lambda: None)
        self.streams.append(stream)
        return stream

    InputStream = OutputStream = _stream

    def _terminate(self) -> None:
        self.scans += 1

    def _initialize(self) -> None:
        pass


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    fake = FakeLibrary()
    monkeypatch.setattr(devices, "library", lambda: fake)
    return fake


def with_audio(settings: Settings, **wishes: str) -> Settings:
    return replace(settings, audio=replace(settings.audio, **wishes))


def with_camera(settings: Settings, source: object) -> Settings:
    return replace(settings, camera=replace(settings.camera, source=str(source)))


def picture(path: Path, value: int) -> Path:
    assert cv2.imwrite(str(path), np.full((48, 64, 3), value, np.uint8))
    return path


def video(path: Path) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    for value in range(10, 250, 20):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("kind", ["file", "fake"])
def test_every_microphone_gives_20_ms_at_16_khz(kind: str, settings: Settings, tmp_path: Path) -> None:
    sound = tone(0.51, 44_100)
    soundfile.write(tmp_path / "a.wav", np.stack([sound, sound], axis=1), 44_100)
    clock = VirtualClock()
    microphone: Microphone = (
        FileMicrophone(with_audio(settings, input=str(tmp_path / "a.wav")), clock=clock)
        if kind == "file"
        else FakeMicrophone(tone(0.51), clock=clock)
    )
    assert isinstance(microphone, Microphone)
    chunks = list(microphone.chunks())
    assert [len(chunk.samples) for chunk in chunks] == [320] * 26
    assert [chunk.start for chunk in chunks] == list(range(0, 26 * 320, 320))
    assert clock.now() == pytest.approx(0.52)
    assert np.abs(np.concatenate([chunk.samples for chunk in chunks])).max() == pytest.approx(0.5, abs=0.05)


def test_a_closed_file_microphone_ends(settings: Settings, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(5.0), 16_000)
    microphone = FileMicrophone(with_audio(settings, input=str(tmp_path / "a.wav")), clock=Instant())
    heard = microphone.chunks()
    next(heard)
    microphone.close()
    assert list(heard) == []


def test_the_first_block_may_be_taken_before_the_stream_has_started(settings: Settings, library: FakeLibrary) -> None:
    told: list[int] = []

    def eager(**wishes: Any) -> Any:
        stream = FakeLibrary._stream(library, latency=0.0, **{k: v for k, v in wishes.items() if k != "latency"})
        stream.start = lambda: stream.callback(np.zeros((960, 1), np.float32), 960, None, None)
        return stream

    library.OutputStream = eager
    speaker = devices.DeviceSpeaker(settings)
    speaker.on_played = lambda block: told.append(block.rate)
    speaker.play(AudioChunk(tone(0.1, 48_000), 48_000))
    speaker.close()
    assert told == [48_000]


@pytest.mark.parametrize("kind", ["file", "fake"])
def test_every_loudspeaker_counts_what_it_played(kind: str, settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    speaker: Speaker = FileSpeaker(with_audio(settings, output=str(out))) if kind == "file" else FakeSpeaker()
    assert isinstance(speaker, Speaker)
    speaker.play(AudioChunk(tone(0.1), 16_000))
    speaker.play(AudioChunk(tone(0.1), 16_000))
    assert speaker.played == speaker.drain() == 3200
    assert speaker.stop() == 3200 and speaker.played == 0
    speaker.play(AudioChunk(tone(0.1), 16_000))
    assert speaker.drain() == 1600
    assert not out.exists()
    speaker.close()
    assert kind == "fake" or soundfile.info(out).frames == 4800


def test_a_picture_a_folder_and_a_fake_are_cameras(settings: Settings, tmp_path: Path) -> None:
    clock = VirtualClock()
    for value in (50, 200):
        picture(tmp_path / f"{value}.png", value)
    cameras: list[Camera] = [
        FileCamera(with_camera(settings, tmp_path / "200.png"), clock=clock),
        FileCamera(with_camera(settings, tmp_path), clock=clock),
        FakeCamera(clock=clock),
    ]
    for camera in cameras:
        frame = camera.frame()
        assert isinstance(camera, Camera) and frame is not None
        assert frame.pixels.shape == (48, 64, 3) and frame.pixels.dtype == np.uint8
    shown = []
    for _ in range(3):
        frame = cameras[1].frame()
        assert frame is not None and frame.time == clock.now()
        shown.append(int(frame.pixels[0, 0, 0]))
        clock.advance(1.0)
    assert shown == [200, 50, 200]
    cameras[0].close()
    assert cameras[0].frame() is None


def test_a_video_is_a_camera(settings: Settings, tmp_path: Path) -> None:
    camera = OpenCVCamera(with_camera(settings, video(tmp_path / "v.avi")))
    frame = camera.frame()
    assert frame is not None and frame.pixels.shape == (48, 64, 3)
    camera.close()
    assert camera.frame() is None


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[str]:
    """An HTTP server that sends Motion JPEG, as network cameras do."""
    image = picture(tmp_path / "p.jpg", 120).read_bytes()
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(image)
            try:
                while not ended.wait(0.04):
                    self.wfile.write(head + image + b"\r\n")
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/video.mjpg"
    ended.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_network_stream_is_a_camera(settings: Settings, stream: str, capfd: pytest.CaptureFixture[str]) -> None:
    camera = OpenCVCamera(with_camera(settings, stream))
    frame = camera.frame()
    camera.close()
    assert frame is not None and abs(int(frame.pixels.mean()) - 120) < 5


@pytest.mark.parametrize(
    ("source", "wanted"),
    [("no-such.mp4", InputError), ("http://127.0.0.1:1/x.mjpg", DeviceError), ("No Such Camera", DeviceError)],
)
def test_a_camera_that_is_not_there(source: str, wanted: type[AssistantError], settings: Settings) -> None:
    with pytest.raises(wanted) as raised:
        OpenCVCamera(with_camera(settings, source))
    assert source in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_that_is_no_video_and_a_folder_without_pictures(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "v.avi").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a video"):
        OpenCVCamera(with_camera(settings, tmp_path / "v.avi"))
    with pytest.raises(InputError, match="holds no picture"):
        FileCamera(with_camera(settings, tmp_path))


def test_the_engine_follows_from_the_name(tmp_path: Path) -> None:
    assert [sound_engine(name) for name in ("", "3", "USB", "a.WAV")] == ["sounddevice"] * 3 + ["file"]
    assert [camera_engine(name) for name in ("auto", "0", "v.mp4", "http://a/b.jpg")] == ["opencv"] * 4
    assert [camera_engine(name) for name in ("a.jpg", str(tmp_path))] == ["file", "file"]


def test_a_missing_portaudio_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        devices.list_microphones()


def test_devices_by_number_name_and_part(library: FakeLibrary) -> None:
    assert devices.list_microphones() == [(0, "USB Microphone")]
    assert devices.list_speakers() == [(1, "Speakers")]
    assert [devices.find(name, "input") for name in ("", "0", "usb microphone", "usb")] == [0, 0, 0, 0]
    with pytest.raises(DeviceError, match="did you mean 'Speakers'"):
        devices.find("Speekers", "output")
    library.devices = []
    with pytest.raises(DeviceError, match="there is no microphone; plug one in"):
        devices.find("", "input")


def test_an_unplugged_microphone_is_told_and_taken_up_again(settings: Settings, library: FakeLibrary) -> None:
    clock = VirtualClock()
    microphone = devices.DeviceMicrophone(settings, clock=clock)
    block = np.zeros((960, 1), np.float32)
    for _ in range(10):
        library.streams[0].callback(block, 960, None, None)
    library.streams[0].finished_callback()
    heard: list[AudioChunk] = []
    with pytest.raises(DeviceError, match="'USB Microphone' was unplugged"):
        heard.extend(microphone.chunks())
        pytest.fail("the loss was not told")
    plugged, library.devices = library.devices, []
    with pytest.raises(DeviceError, match="there is no microphone"):
        next(microphone.chunks())
    library.devices = plugged
    clock.advance(2.0)
    again = microphone.chunks()
    taken: list[AudioChunk] = []
    thread = threading.Thread(target=lambda: taken.append(next(again)))
    thread.start()
    while len(library.streams) < 2:
        thread.join(0.01)
    for _ in range(5):
        library.streams[1].callback(block, 960, None, None)
    thread.join(10)
    microphone.close()
    assert library.scans == 2
    assert taken[0].start >= 2 * 16_000 and taken[0].start % 320 == 0
    assert taken[0].rate == 16_000 and len(taken[0].samples) == 320


def test_a_loudspeaker_stops_within_one_block_and_counts(settings: Settings, library: FakeLibrary) -> None:
    clock = VirtualClock()
    speaker = devices.DeviceSpeaker(settings, clock=clock)
    heard: list[AudioChunk] = []
    speaker.on_played = heard.append
    speaker.play(AudioChunk(tone(1.0, 48_000), 48_000))
    stream = library.streams[0]
    stream.latency = 0.02

    def play() -> np.ndarray:
        out = np.full((480, 1), 9.0, np.float32)
        stream.callback(out, 480, None, None)
        clock.advance(0.01)
        return out[:, 0]

    sound = np.concatenate([play() for _ in range(10)])
    assert np.array_equal(sound, tone(1.0, 48_000)[:4800])
    assert speaker.played == 4800 - 960, "what is in the device's buffer has not been heard"
    assert speaker.stop() == 4800 + 240
    fading = play()
    assert np.abs(fading[200:240]).max() < 0.1 and not fading[240:].any()
    assert not play().any()
    assert speaker.played == 0 and speaker.drain() == 0
    assert [chunk.start for chunk in heard] == list(range(0, 12 * 480, 480))
    speaker.close()


def test_an_unplugged_loudspeaker_is_told_and_taken_up_again(settings: Settings, library: FakeLibrary) -> None:
    speaker = devices.DeviceSpeaker(settings, clock=VirtualClock())
    speaker.play(AudioChunk(tone(3.0, 48_000), 48_000))
    library.streams[0].latency = 0.02
    library.streams[0].callback(np.zeros((480, 1), np.float32), 480, None, None)
    library.streams[0].finished_callback()
    with pytest.raises(DeviceError, match="'Speakers' was unplugged"):
        speaker.play(AudioChunk(tone(0.1, 48_000), 48_000))
    speaker.play(AudioChunk(tone(0.1, 48_000), 48_000))
    assert len(library.streams) == 2 and library.scans == 1
    speaker.close()
