"""Sound files to mono float32 and back, and one sample rate to another.

PyAV (FFmpeg) reads WAV, FLAC, OGG, Opus, MP3, M4A and what else it knows, at any
rate and with any number of channels; soundfile writes WAV and FLAC.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from . import output
from .errors import InputError
from .types import AudioChunk, Samples

if TYPE_CHECKING:
    import av

logger = logging.getLogger(__name__)

CONTAINERS = "aac,ac3,aiff,amr,asf,au,caf,flac,matroska,mov,mp3,ogg,w64,wav"
"""FFmpeg formats that may be opened. Playlists are left out: they can name other files and addresses."""

ALMOST_FULL = 1_000_000
"""Bytes below which a disk is called full where writing fails."""

BLOCK = 10.0
"""Seconds a block of :func:`blocks`."""


def read(source: Path | BinaryIO, rate: int | None = None) -> AudioChunk:
    """Return a whole sound file, mixed to mono, at ``rate`` or at its own rate.

    A file that is cut off gives what can be decoded, with a warning in the log. Raises
    :class:`InputError` where it is missing, a folder, empty, not sound, or holds samples that
    are not numbers. Meant for minutes; hours are better read by :func:`blocks`.
    """
    parts = list(blocks(source, rate))
    return AudioChunk(np.concatenate([part.samples for part in parts]), parts[0].rate)


def blocks(source: Path | BinaryIO, rate: int | None = None, seconds: float = BLOCK) -> Generator[AudioChunk]:
    """Yield a sound file in blocks of ``seconds``, the last one shorter; otherwise like :func:`read`."""
    name = _name(source)
    with _opened(source) as container:
        stream = container.streams.audio[0]
        resampler = Resampler(stream.codec_context.sample_rate, rate or stream.codec_context.sample_rate)
        size = max(1, round(seconds * resampler.target))
        waiting: list[Samples] = []
        start = held = 0
        for samples in _resampled(_decoded(container, name), resampler):
            if not np.isfinite(samples).all():
                raise InputError(f"{name} holds samples that are not numbers; export it again")
            waiting.append(samples)
            held += len(samples)
            while held >= size:
                joined = np.concatenate(waiting)
                yield AudioChunk(joined[:size], resampler.target, start)
                start += size
                waiting, held = [joined[size:]], held - size
        if held:
            yield AudioChunk(np.concatenate(waiting), resampler.target, start)
        if start + held == 0:
            raise InputError(f"{name} holds no sound that can be decoded")
        _warn_if_cut(container, name, (start + held) / resampler.target)


def length(path: Path) -> float | None:
    """Return the seconds that the header of a sound file promises, or ``None`` where it says nothing."""
    with _opened(path) as container:
        return _promised(container)


def resample(chunk: AudioChunk, rate: int) -> AudioChunk:
    """Return the sound at another rate, band-limited; ``start`` moves with it."""
    if chunk.rate == rate:
        return chunk
    resampler = Resampler(chunk.rate, rate)
    samples = np.concatenate([resampler.push(chunk.samples), resampler.flush()])
    wanted = round(len(chunk.samples) * rate / chunk.rate)
    samples = np.pad(samples[:wanted], (0, max(0, wanted - len(samples))))
    return AudioChunk(samples, rate, round(chunk.start * rate / chunk.rate))


def checked(chunk: AudioChunk) -> AudioChunk:
    """Return ``chunk``, or raise :class:`InputError` where it is not finite mono sound."""
    if chunk.samples.ndim != 1:
        raise InputError(f"mono sound of shape (samples,) is wanted, not {chunk.samples.shape}")
    if not np.isfinite(chunk.samples).all():
        raise InputError("the sound holds samples that are not numbers")
    return chunk


WRITTEN = (".wav", ".flac")
"""Endings of files that are written."""


def write(path: Path, chunks: Iterable[AudioChunk]) -> float:
    """Write chunks of one rate as a 16-bit WAV or FLAC file, by its ending; return the seconds written.

    The file appears when it is whole. Raises :class:`InputError` where the ending is another one,
    the folder is missing, the rate changes or there is no sound at all.
    """
    import soundfile

    output.check(path, WRITTEN)
    kind = path.suffix[1:].upper()
    samples = rate = 0
    try:
        with output.whole(path) as partial, ExitStack() as opened:
            file = None
            for chunk in chunks:
                if file is None:
                    rate = chunk.rate
                    file = opened.enter_context(soundfile.SoundFile(partial, "w", rate, 1, "PCM_16", format=kind))
                elif chunk.rate != rate:
                    raise InputError(f"cannot write {path}: its sound changes from {rate} to {chunk.rate} Hz")
                file.write(np.clip(chunk.samples, -1, 1))
                samples += len(chunk.samples)
            if file is None:
                raise InputError(f"cannot write {path}: there is no sound to write")
    except soundfile.LibsndfileError as error:
        full = shutil.disk_usage(path.absolute().parent).free < ALMOST_FULL
        reason = "the disk is full; free some space" if full else f"{path.parent} cannot be written to"
        raise InputError(f"cannot write {path}: {reason}") from error
    return samples / rate


class Resampler:
    """Changes the rate of a stream of mono sound piece by piece (libswresample, windowed sinc)."""

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target
        self._resampler: Any = None

    def push(self, samples: Samples) -> Samples:
        """Take a piece, (samples,), at the source rate; return what is ready at the target rate."""
        if self.source == self.target:
            return samples
        import av

        if self._resampler is None:
            self._resampler = av.AudioResampler(format="flt", layout="mono", rate=self.target)
        if len(samples) == 0:
            return samples
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32)[None], format="flt", layout="mono")
        frame.sample_rate = self.source
        return self._take(frame)

    def flush(self) -> Samples:
        """Return the rest; the next piece begins a new stream."""
        if self._resampler is None:
            return np.zeros(0, np.float32)
        rest = self._take(None)
        self._resampler = None
        return rest

    def _take(self, frame: Any) -> Samples:
        made = [out.to_ndarray()[0] for out in self._resampler.resample(frame)]
        return np.concatenate(made) if made else np.zeros(0, np.float32)


def _name(source: Path | BinaryIO) -> str:
    return str(source) if isinstance(source, Path) else "the input"


def _opened(source: Path | BinaryIO) -> av.container.InputContainer:
    import av

    name = _name(source)
    if isinstance(source, Path):
        if source.is_dir():
            raise InputError(f"{name} is a folder; name a sound file")
        try:
            if source.stat().st_size == 0:
                raise InputError(f"{name} is empty")
        except FileNotFoundError:
            raise InputError(f"there is no file {name}") from None
    try:
        opened = av.open(
            str(source) if isinstance(source, Path) else source,
            options={"format_whitelist": CONTAINERS, "protocol_whitelist": "file,pipe"},
            metadata_errors="replace",
        )
    except PermissionError as error:
        raise InputError(f"{name} may not be read: permission denied") from error
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{name} is not a sound file that can be read") from error
    if not opened.streams.audio or not opened.streams.audio[0].codec_context.sample_rate:
        opened.close()
        raise InputError(f"{name} holds no sound")
    return opened


def _decoded(container: Any, name: str) -> Iterator[Samples]:
    """Yield what can be decoded, mixed to mono; a fault in the middle ends the stream with a warning."""
    import av

    planar = None
    try:
        for frame in container.decode(audio=0):
            if planar is None:
                planar = av.AudioResampler(format="fltp")
            for part in planar.resample(frame):
                yield part.to_ndarray().mean(axis=0, dtype=np.float32)
    except av.FFmpegError as error:
        logger.warning("%s is damaged; what comes before the fault is used (%s)", name, error.strerror)


def _resampled(pieces: Iterable[Samples], resampler: Resampler) -> Iterator[Samples]:
    for piece in pieces:
        yield resampler.push(piece)
    yield resampler.flush()


def _promised(container: Any) -> float | None:
    stream = container.streams.audio[0]
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else None


def _warn_if_cut(container: Any, name: str, seconds: float) -> None:
    promised = _promised(container)
    if promised and seconds < 0.95 * promised - 0.1:
        logger.warning("%s is cut off: %.1f of %.1f seconds are there", name, seconds, promised)
