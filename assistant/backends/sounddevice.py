"""Microphone and loudspeaker through PortAudio.

PortAudio calls back from a thread of its own, which must never wait: the callbacks only
move samples between the device and a buffer. Rates are converted here and nowhere else.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import queue
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..clock import Clock, WallClock
from ..errors import DeviceError, nearest
from ..sound import Resampler
from ..types import AudioChunk, Samples
from .quiet import quiet_stderr

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

log = logging.getLogger(__name__)

RATE = 16_000
"""Samples per second that leave the microphone."""

CHUNK = RATE // 50  # 20 ms

BLOCK = 0.01
"""Seconds a callback of the loudspeaker: what was handed over cannot be taken back."""

LATENCIES = {"input": 0.3, "output": 0.04}
"""Seconds of the device's own buffer. Short ones overflow or run empty on a busy machine; a long one of the
loudspeaker delays a stop, a long one of the microphone delays nothing, as it is emptied block by block."""

AHEAD = 1.5
"""Seconds that may wait for the loudspeaker; enough to bridge the synthesis of the next clause."""

FADE = 0.005
"""Seconds over which speech dies away when it is stopped, so that it does not click."""

KEPT = 500
"""Chunks of 20 ms that a slow listener may leave waiting; older ones are dropped."""

LOST = 2.0
"""Seconds without a callback after which a device counts as unplugged."""

Kind = Literal["input", "output"]
_NAMES = {"input": "microphone", "output": "loudspeaker"}
_SETTINGS = {"input": "audio.input", "output": "audio.output"}

_open_devices: weakref.WeakSet[_Device] = weakref.WeakSet()


def list_microphones() -> list[tuple[int, str]]:
    """Return number and name of every microphone. Raises :class:`DeviceError` where PortAudio is missing."""
    return _list("input")


def list_speakers() -> list[tuple[int, str]]:
    """Return number and name of every loudspeaker. Raises :class:`DeviceError` where PortAudio is missing."""
    return _list("output")


def library() -> Any:
    """Return the module ``sounddevice``, or raise :class:`DeviceError` that names the package to install."""
    try:
        with quiet_stderr():  # ALSA reports every card that is not there
            import sounddevice

            _silence_alsa()
    except OSError as error:
        raise DeviceError(
            "PortAudio is missing; run: sudo apt install libportaudio2 "
            "(Fedora: sudo dnf install portaudio; macOS: brew install portaudio)"
        ) from error
    return sounddevice


@cache
def _silence_alsa() -> object:
    """Keep ALSA from writing every underrun on the terminal; return the handler, which must live on."""
    signature = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
    handler = signature(lambda *_: None)
    with contextlib.suppress(OSError, AttributeError):  # not Linux, or no ALSA
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(handler)
    return handler


def _list(kind: Kind) -> list[tuple[int, str]]:
    devices = library().query_devices()
    return [(at, device["name"]) for at, device in enumerate(devices) if device[f"max_{kind}_channels"] > 0]


def find(wanted: str, kind: Kind) -> int:
    """Return the number of a device by number, name or part of a name; empty is the system's default."""
    known = dict(_list(kind))
    if not wanted:
        default = int(library().default.device[0 if kind == "input" else 1])
        if default in known:
            return default
        if not known:
            raise DeviceError(f"there is no {_NAMES[kind]}; plug one in, or set {_SETTINGS[kind]} to a sound file")
        return min(known)
    if wanted.isdecimal() and int(wanted) in known:
        return int(wanted)
    exact = [at for at, name in known.items() if name.lower() == wanted.lower()]
    partly = [at for at, name in known.items() if wanted.lower() in name.lower()]
    if exact or partly:
        return (exact or partly)[0]
    raise DeviceError(f"there is no {_NAMES[kind]} {wanted!r}{nearest(wanted, list(known.values()))}")


def _rescan() -> None:
    """Make PortAudio look for devices again, which it does only at its start; all streams are closed for it."""
    for device in list(_open_devices):
        device.shut()
    sounddevice = library()
    with quiet_stderr():
        sounddevice._terminate()
        sounddevice._initialize()


class _Device:
    """A PortAudio stream that can be lost and found again."""

    kind: Kind

    def __init__(self, wanted: str, clock: Clock | None) -> None:
        self._wanted, self._clock = wanted, clock or WallClock()
        self._library = library()
        self._stream: Any = None
        self._ended = threading.Event()
        self._rate = 0
        """Samples per second of the device."""
        self.name = _NAMES[self.kind]

    def shut(self) -> None:
        """Close the stream; it is opened again when it is next needed."""
        stream, self._stream = self._stream, None
        _open_devices.discard(self)
        if stream is not None:
            try:
                stream.abort()
                stream.close()
            except self._library.PortAudioError as error:
                log.debug("closing the %s: %s", self.name, error)

    def _start(self, rates: tuple[int, ...], block: float, callback: Callable[..., None]) -> None:
        """Open the stream at the first of ``rates`` that the device knows, else at its own rate."""
        sounddevice = self._library
        number = find(self._wanted, self.kind)
        facts = sounddevice.query_devices(number)
        check = getattr(sounddevice, f"check_{self.kind}_settings")
        most = int(facts[f"max_{self.kind}_channels"])
        fault: Exception | None = None
        for rate in (*rates, int(facts["default_samplerate"])):
            for channels in dict.fromkeys((1, min(2, most))):
                try:
                    with quiet_stderr():
                        check(device=number, channels=channels, dtype="float32", samplerate=rate)
                        stream = (sounddevice.InputStream if self.kind == "input" else sounddevice.OutputStream)(
                            device=number,
                            channels=channels,
                            dtype="float32",
                            samplerate=rate,
                            blocksize=round(rate * block),
                            latency=LATENCIES[self.kind],
                            callback=callback,
                            finished_callback=self._ended.set,
                        )
                        self._ended.clear()
                        self._rate = rate  # a first callback may come before start returns
                        stream.start()
                except sounddevice.PortAudioError as error:
                    fault = error
                    continue
                self._stream, self.name = stream, str(facts["name"])
                _open_devices.add(self)
                return
        raise DeviceError(
            f"the {_NAMES[self.kind]} {facts['name']!r} cannot be opened ({fault}); close the program that uses it, "
            f"or choose another with {_SETTINGS[self.kind]}"
        )

    def _lost(self) -> DeviceError:
        self.shut()
        return DeviceError(f"the {_NAMES[self.kind]} {self.name!r} was unplugged or stopped; plug it in again")


class DeviceMicrophone(_Device):
    """The microphone ``audio.input``."""

    kind: Kind = "input"

    def __init__(self, settings: Settings, store: Store | None = None, clock: Clock | None = None) -> None:
        super().__init__(settings.audio.input, clock)
        self.rate = RATE
        self._heard: queue.Queue[Samples] = queue.Queue(KEPT)
        self._next = 0
        """Position of the next sample at 16 kHz."""
        self._left: float | None = None
        """When the device was lost."""
        self._closed = False
        self._start((RATE,), 0.02, self._callback)

    def chunks(self) -> Iterator[AudioChunk]:
        """Yield chunks of 20 ms at 16 kHz.

        Raises :class:`DeviceError` where the microphone is unplugged; call it again to take
        it up when it is back. The time it was away counts in ``start``.
        """
        if self._stream is None and not self._closed:
            _rescan()
            self._start((RATE,), 0.02, self._callback)
            if self._left is not None:
                self._next += round((self._clock.now() - self._left) * RATE) // CHUNK * CHUNK
                self._left = None
        resampler = Resampler(self._rate, RATE)
        waiting: Samples = np.zeros(0, np.float32)
        quiet = 0.0
        while not self._closed:
            try:
                samples = self._heard.get(timeout=0.25)
            except queue.Empty:
                quiet += 0.25
                if quiet >= LOST or self._ended.is_set() or self._stream is None:
                    if self._closed:
                        return
                    self._left = self._clock.now()
                    raise self._lost() from None
                continue
            quiet = 0.0
            waiting = np.concatenate([waiting, resampler.push(samples)])
            while len(waiting) >= CHUNK:
                chunk, waiting = AudioChunk(waiting[:CHUNK], RATE, self._next), waiting[CHUNK:]
                self._next += CHUNK
                yield chunk

    def close(self) -> None:
        """Give the device back."""
        self._closed = True
        self.shut()

    def _callback(self, incoming: Any, frames: int, time: Any, status: Any) -> None:
        samples = incoming.mean(axis=1, dtype=np.float32)  # a copy: PortAudio uses its buffer again
        while True:
            try:
                self._heard.put_nowait(samples)
                return
            except queue.Full:
                try:
                    self._heard.get_nowait()
                except queue.Empty:
                    continue


class DeviceSpeaker(_Device):
    """The loudspeaker ``audio.output``. Opened at the rate of the first chunk, where it knows that rate."""

    kind: Kind = "output"

    def __init__(self, settings: Settings, store: Store | None = None, clock: Clock | None = None) -> None:
        super().__init__(settings.audio.output, clock)
        find(self._wanted, self.kind)  # a loudspeaker that is not there is reported now
        self.on_played: Callable[[AudioChunk], None] | None = None
        """Told every block that goes to the device, silence included, at the device's rate; it must return at once."""
        self._changed = threading.Condition()
        self._waiting: deque[Samples] = deque()
        self._queued = 0
        """Samples in ``_waiting``."""
        self._fade: Samples = np.zeros(0, np.float32)
        self._consumed = 0
        """Samples that the device took since the last stop."""
        self._recent: deque[tuple[float, int]] = deque(maxlen=64)
        """When a callback took how many samples; what is younger than the latency is not heard yet."""
        self._stops = 0
        self._position = 0
        self._given_rate = RATE
        self._resampler: Resampler | None = None

    def play(self, chunk: AudioChunk) -> None:
        """Queue a chunk; blocks while more than 1.5 s wait. What a :meth:`stop` overtakes is dropped.

        Raises :class:`DeviceError` where the loudspeaker is unplugged; the next call looks for it again.
        """
        stops = self._stops
        self._ready(chunk.rate)
        assert self._resampler is not None
        samples = self._resampler.push(chunk.samples)
        with self._changed:
            alive = self._wait(lambda: self._queued <= AHEAD * self._rate or self._stops != stops)
            if alive and self._stops == stops:
                self._append(samples)
        if not alive:
            raise self._lost()

    def stop(self) -> int:
        """Drop what waits; return how many samples were played since the last stop, at the rate of the chunks."""
        with self._changed:
            rest = np.concatenate(self._waiting) if self._waiting else np.zeros(0, np.float32)
            fade = rest[: round(FADE * self._rate)]
            self._fade = fade * np.linspace(1, 0, len(fade), dtype=np.float32)
            played = self._consumed + len(fade)
            self._waiting.clear()
            self._recent.clear()
            self._queued = self._consumed = 0
            self._stops += 1
            if self._resampler is not None:
                self._resampler = Resampler(self._resampler.source, self._resampler.target)
            self._changed.notify_all()
        return self._scaled(played)

    def drain(self) -> int:
        """Wait until all is heard; return how many samples were played since the last stop."""
        stops = self._stops
        with self._changed:
            if self._resampler is not None:
                self._append(self._resampler.flush())
            alive = self._wait(lambda: (not self._queued and not self._unheard()) or self._stops != stops)
        if not alive:
            raise self._lost()
        return self._scaled(self._consumed)

    @property
    def played(self) -> int:
        """Samples heard since the last stop, at the rate of the chunks given."""
        with self._changed:
            return self._scaled(self._consumed - min(self._consumed, self._unheard()))

    def close(self) -> None:
        """Give the device back; what waits is dropped."""
        self.stop()
        self.shut()

    def _ready(self, rate: int) -> None:
        if self._stream is None:
            if self._position:
                _rescan()
            self._start((rate,), BLOCK, self._callback)
            self._resampler = None
        if self._resampler is None or self._resampler.source != rate:
            if self._resampler is not None:
                with self._changed:
                    self._append(self._resampler.flush())
            self._resampler = Resampler(rate, self._rate)
        self._given_rate = rate

    def _append(self, samples: Samples) -> None:
        if len(samples):
            self._waiting.append(samples)
            self._queued += len(samples)

    def _wait(self, done: Callable[[], bool]) -> bool:
        """Wait, holding the condition, for the callback to make ``done`` true; return whether the device still lives.

        The caller lets go of the condition before it closes a device that does not: the closing waits for a
        callback, and a callback waits for the condition.
        """
        while self._stream is not None and not done():
            position = self._position
            if self._ended.is_set() or (not self._changed.wait(LOST) and self._position == position):
                self._waiting.clear()
                self._queued = 0
                return False
        return True

    def _unheard(self) -> int:
        """Samples that the device took but that have not left it yet."""
        if self._stream is None:
            return 0
        since = self._clock.now() - float(self._stream.latency)
        return sum(count for taken, count in self._recent if taken > since)

    def _scaled(self, samples: int) -> int:
        return round(samples * self._given_rate / self._rate) if self._rate else 0

    def _callback(self, outgoing: Any, frames: int, time: Any, status: Any) -> None:
        with self._changed:
            block = self._take(frames)
            self._position += frames
            self._changed.notify_all()
        outgoing[:] = block[:, None]
        if self.on_played is not None:
            self.on_played(AudioChunk(block, self._rate, self._position - frames))

    def _take(self, frames: int) -> Samples:
        block = np.zeros(frames, np.float32)
        filled = min(frames, len(self._fade))
        block[:filled], self._fade = self._fade[:filled], self._fade[filled:]
        faded = filled
        while filled < frames and self._waiting:
            piece = self._waiting.popleft()
            count = min(len(piece), frames - filled)
            block[filled : filled + count] = piece[:count]
            filled += count
            if count < len(piece):
                self._waiting.appendleft(piece[count:])
        taken = filled - faded
        if taken:
            self._queued -= taken
            self._consumed += taken
            self._recent.append((self._clock.now(), taken))
        return block
