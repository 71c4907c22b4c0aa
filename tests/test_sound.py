from __future__ import annotations

import io
import logging
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from assistant import sound
from assistant.errors import InputError
from assistant.types import AudioChunk


def tone(rate: int, seconds: float = 1.0, pitch: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


def noisy(rate: int, seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, int(rate * seconds)).astype(np.float32)


@pytest.mark.parametrize(
    ("ending", "rate", "options", "louder"),
    [
        ("wav", 8_000, {}, 0.0),
        ("wav", 44_100, {"subtype": "FLOAT"}, 0.0),
        ("wav", 96_000, {"subtype": "PCM_24"}, 0.0),
        ("flac", 22_050, {}, 0.0),
        ("ogg", 44_100, {}, 0.03),
        ("opus", 48_000, {"format": "OGG", "subtype": "OPUS"}, 0.15),
        ("mp3", 32_000, {}, 0.03),
    ],
)
def test_reads_every_kind_and_rate(
    tmp_path: Path, ending: str, rate: int, options: dict[str, str], louder: float
) -> None:
    """``louder``: what a lossy codec adds where a tone sets in."""
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, tone(rate), rate, **options)
    chunk = sound.read(path)
    assert chunk.rate == rate
    assert chunk.samples.dtype == np.float32
    assert abs(chunk.seconds - 1) < 0.005
    spectrum = np.abs(np.fft.rfft(chunk.samples))
    assert abs(np.argmax(spectrum) / chunk.seconds - 440) < 0.5
    assert abs(np.abs(chunk.samples).max() - 0.5) <= louder + 1e-4
    if not louder:
        assert np.abs(chunk.samples - tone(rate)).max() < 1e-4


def test_reads_aac_in_m4a(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(44_100)[None], format="fltp", layout="mono")
        frame.sample_rate = 44_100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    chunk = sound.read(path, 16_000)
    assert chunk.rate == 16_000
    assert abs(chunk.seconds - 1) < 0.1


def test_stereo_is_the_mean_of_its_channels(tmp_path: Path) -> None:
    left, right = tone(16_000), tone(16_000, pitch=660)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], 1), 16_000, subtype="FLOAT")
    assert np.allclose(sound.read(tmp_path / "a.wav").samples, (left + right) / 2, atol=1e-6)


def test_reads_a_stream(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16_000), 16_000)
    assert sound.read(io.BytesIO((tmp_path / "a.wav").read_bytes())).seconds == 1


def test_blocks_join_to_the_whole(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noisy(44_100, 3.3), 44_100)
    parts = list(sound.blocks(tmp_path / "a.wav", 16_000, seconds=1))
    assert [part.start for part in parts] == [0, 16_000, 32_000, 48_000]
    assert [len(part.samples) for part in parts[:3]] == [16_000] * 3
    whole = sound.read(tmp_path / "a.wav", 16_000)
    assert np.array_equal(np.concatenate([part.samples for part in parts]), whole.samples)


def test_resampling_keeps_what_fits_and_drops_the_rest() -> None:
    kept = sound.resample(AudioChunk(tone(44_100, pitch=1_000), 44_100, start=44_100), 16_000)
    assert (kept.rate, kept.start, len(kept.samples)) == (16_000, 16_000, 16_000)
    wanted = tone(16_000, pitch=1_000)
    error = (kept.samples - wanted)[500:-500]
    assert 10 * np.log10(np.mean(wanted**2) / np.mean(error**2)) > 60  # dB
    gone = sound.resample(AudioChunk(tone(44_100, pitch=12_000), 44_100), 16_000)
    assert np.abs(gone.samples[500:-500]).max() < 0.001


def test_resampling_piecewise_equals_resampling_at_once() -> None:
    samples = noisy(48_000, 1)
    resampler = sound.Resampler(48_000, 16_000)
    parts = [resampler.push(samples[at : at + 960]) for at in range(0, 48_000, 960)]
    joined = np.concatenate([*parts, resampler.flush()])
    at_once = sound.resample(AudioChunk(samples, 48_000), 16_000).samples
    assert np.allclose(joined[:16_000], at_once, atol=1e-6)


@pytest.mark.parametrize("length", [0, 1, 7])
def test_resampling_next_to_nothing(length: int) -> None:
    assert len(sound.resample(AudioChunk(np.ones(length, np.float32), 44_100), 16_000).samples) == round(
        length * 16_000 / 44_100
    )


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_a_file_that_is_cut_off_gives_what_is_there(
    tmp_path: Path, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    soundfile.write(tmp_path / f"a.{ending}", noisy(16_000, 4), 16_000)
    whole = (tmp_path / f"a.{ending}").read_bytes()
    (tmp_path / f"cut.{ending}").write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        chunk = sound.read(tmp_path / f"cut.{ending}")
    assert 0.5 < chunk.seconds < 3  # an Ogg page is lost whole
    if ending in ("flac", "mp3"):
        assert "cut off" in caplog.text


def test_bad_files_are_told_apart(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16_000), 16_000)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "header.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:44])
    (tmp_path / "text.mp3").write_text("not sound " * 500)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\na.wav\n#EXT-X-ENDLIST\n")
    broken = tone(16_000)
    broken[7] = np.inf
    soundfile.write(tmp_path / "nan.wav", broken, 16_000, subtype="FLOAT")
    for name, problem in {
        "none.wav": "there is no file",
        "": "is a folder",
        "empty.wav": "is empty",
        "header.wav": "holds no sound",
        "text.mp3": "is not a sound file",
        "list.m3u8": "is not a sound file",
        "nan.wav": "not numbers",
    }.items():
        with pytest.raises(InputError, match=problem) as caught:
            sound.read(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_writes_whole_files(tmp_path: Path, ending: str) -> None:
    samples = tone(22_050)
    halves = [AudioChunk(samples[:9_000], 22_050), AudioChunk(samples[9_000:], 22_050)]
    assert sound.write(tmp_path / f"a.{ending}", halves) == 1
    again = sound.read(tmp_path / f"a.{ending}")
    assert again.rate == 22_050
    assert np.allclose(again.samples, samples, atol=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == [f"a.{ending}"]


def test_a_failure_leaves_no_half_file(tmp_path: Path) -> None:
    def failing() -> object:
        yield AudioChunk(tone(16_000), 16_000)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sound.write(tmp_path / "a.wav", failing())
    with pytest.raises(InputError, match="changes from"):
        sound.write(tmp_path / "a.wav", [AudioChunk(tone(16_000), 16_000), AudioChunk(tone(8_000), 8_000)])
    with pytest.raises(InputError, match="no sound to write"):
        sound.write(tmp_path / "a.wav", [])
    with pytest.raises(InputError, match=r"\.wav or \.flac"):
        sound.write(tmp_path / "a.xyz", [AudioChunk(tone(16_000), 16_000)])
    with pytest.raises(InputError, match="no folder"):
        sound.write(tmp_path / "no" / "a.wav", [AudioChunk(tone(16_000), 16_000)])
    assert list(tmp_path.iterdir()) == []


def test_long_files_are_read_in_bounded_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        for _ in range(10):
            file.write(np.zeros(8_000 * 60, np.float32))
    tracemalloc.start()
    try:
        seconds = sum(block.seconds for block in sound.blocks(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds == 600
    assert peak < 8_000_000  # all of it would be 19 MB


@pytest.mark.parametrize(
    ("free", "reason"), [(0, "the disk is full; free some space"), (10**12, "cannot be written to")]
)
def test_a_disk_that_takes_nothing_is_said_in_one_line_and_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, reason: str
) -> None:
    path = tmp_path / "a.wav"
    sound.write(path, [AudioChunk(np.ones(100, np.float32), 16_000)])
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise soundfile.LibsndfileError(2)  # "System error."

    monkeypatch.setattr(soundfile.SoundFile, "write", refuse)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(InputError, match=reason):
        sound.write(path, [AudioChunk(np.zeros(100, np.float32), 16_000)])
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.wav"]
