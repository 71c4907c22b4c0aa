"""Files in the place of devices: a recording as microphone, a file as loudspeaker, pictures as camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import output, pictures, sound
from ..clock import Clock, WallClock
from ..errors import InputError
from ..types import AudioChunk, Frame, Samples

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

RATE = 16_000
"""Samples per second of a microphone."""

CHUNK = RATE // 50  # 20 ms

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm")
"""Endings of pictures in a folder."""

SHOWN = 1.0
"""Seconds that a picture of a folder stays before the camera."""


class FileMicrophone:
    """Hears the sound file ``audio.input``; ends where it ends."""

    def __init__(self, settings: Settings, store: Store | None = None, clock: Clock | None = None) -> None:
        if not settings.audio.input:
            raise InputError("no recording is named; set audio.input to a sound file")
        self.rate = RATE
        self._path = Path(settings.audio.input).expanduser()
        self._blocks = sound.blocks(self._path, RATE)
        self._clock: Clock = clock or WallClock()
        """Real time unless a clock is given; a clock that does not sleep makes it as fast as can be."""
        self._first = next(self._blocks)  # what is wrong with the file is said here, not in a thread
        self._closed = False

    def chunks(self) -> Iterator[AudioChunk]:
        """Yield chunks of 20 ms at 16 kHz, each when its last sample would have been heard; the last is padded."""
        begun = self._clock.now()
        for chunk in self._pieces():
            self._clock.sleep(begun + (chunk.start + CHUNK) / RATE - self._clock.now())
            if self._closed:
                return
            yield chunk

    def close(self) -> None:
        """End the stream."""
        self._closed = True

    def _pieces(self) -> Iterator[AudioChunk]:
        waiting: Samples = self._first.samples
        start = 0
        while True:
            whole = len(waiting) - len(waiting) % CHUNK
            for at in range(0, whole, CHUNK):
                yield AudioChunk(waiting[at : at + CHUNK], RATE, start + at)
            start += whole
            waiting = waiting[whole:]
            block = next(self._blocks, None)
            if block is None:
                break
            waiting = np.concatenate([waiting, block.samples])
        if len(waiting):
            yield AudioChunk(np.pad(waiting, (0, CHUNK - len(waiting))), RATE, start)


class FileSpeaker:
    """Writes what it plays into ``audio.output`` (``.wav`` or ``.flac``) when it is closed."""

    def __init__(self, settings: Settings, store: Store | None = None) -> None:
        if not settings.audio.output:
            raise InputError("no file is named; set audio.output to a .wav or .flac file")
        self._path = Path(settings.audio.output).expanduser()
        output.check(self._path, sound.WRITTEN)
        self._chunks: list[AudioChunk] = []
        self._played = 0

    def play(self, chunk: AudioChunk) -> None:
        """Keep a chunk; a rate other than the first one's is converted."""
        rate = self._chunks[0].rate if self._chunks else chunk.rate
        self._chunks.append(sound.resample(chunk, rate))
        self._played += len(chunk.samples)

    def stop(self) -> int:
        """Return how many samples were kept since the last stop; a file plays at once, so nothing is dropped."""
        played, self._played = self._played, 0
        return played

    def drain(self) -> int:
        """Return how many samples were kept since the last stop."""
        return self._played

    @property
    def played(self) -> int:
        """Samples kept since the last stop."""
        return self._played

    def close(self) -> None:
        """Write the file, whole or not at all; nothing where nothing was played."""
        chunks, self._chunks = self._chunks, []
        if chunks:
            sound.write(self._path, chunks)


class FileCamera:
    """Sees the picture ``camera.source``, or those of a folder one after the other, round and round."""

    def __init__(self, settings: Settings, store: Store | None = None, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or WallClock()
        self._begun = self._clock.now()
        source = Path(settings.camera.source).expanduser()
        self._paths = _pictures(source)
        self._at = -1
        self._seen: Frame | None = None
        self.frame()  # what is wrong with the first picture is said here, not in a thread

    def frame(self) -> Frame | None:
        """Return the picture that is before the camera now, or ``None`` where it was taken away."""
        now = self._clock.now()
        at = int((now - self._begun) / SHOWN) % len(self._paths)
        if at != self._at:
            if self._seen is not None and not self._paths[at].exists():
                return None
            self._seen, self._at = pictures.read(self._paths[at]), at
        return None if self._seen is None else Frame(self._seen.pixels, now, self._seen.source)

    def close(self) -> None:
        """Let go of the picture."""
        self._seen = None


def _pictures(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    found = sorted(path for path in source.iterdir() if path.suffix.lower() in PICTURES)
    if not found:
        raise InputError(f"the folder {source} holds no picture (JPEG, PNG, WebP, BMP, GIF, TIFF)")
    return found
