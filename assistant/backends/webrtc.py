"""Echo cancelling and noise suppression by WebRTC, from ``livekit.rtc``.

Only its audio processing is used: no server, no network. Gain control is off, so that loudness
stays what it was. The canceller (AEC3) is told once a delay between loudspeaker and microphone,
that of an ordinary sound card, and from there on estimates it by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..config import Settings
from ..errors import InputError
from ..store import Store
from ..types import AudioChunk, Samples

RATE = 16_000
FRAME = RATE // 100  # 10 ms, the only size WebRTC takes


class WebRtcEcho:
    """Takes what the loudspeaker plays out of what the microphone hears, 10 ms at a time."""

    rate = RATE
    frame = FRAME

    def __init__(self, settings: Settings, store: Store) -> None:
        from livekit import rtc

        self._frame: Any = rtc.AudioFrame
        self._module: Any = rtc.AudioProcessingModule(
            echo_cancellation=True, noise_suppression=True, high_pass_filter=True, auto_gain_control=False
        )
        self._module.set_stream_delay_ms(60)

    def played(self, chunk: AudioChunk) -> None:
        """Take 10 ms, (160,) at 16 kHz, that the loudspeaker plays about now. Raises :class:`InputError`."""
        self._module.process_reverse_stream(self._pack(chunk))

    def clean(self, chunk: AudioChunk) -> AudioChunk:
        """Return 10 ms of the microphone, (160,) at 16 kHz, without the echo. Raises :class:`InputError`."""
        frame = self._pack(chunk)
        self._module.process_stream(frame)
        samples: Samples = np.frombuffer(frame.data, np.int16).astype(np.float32) / np.float32(32768)
        return AudioChunk(samples, RATE, chunk.start)

    def _pack(self, chunk: AudioChunk) -> Any:
        if chunk.rate != RATE or len(chunk.samples) != FRAME:
            raise InputError(f"WebRTC wants {FRAME} samples at {RATE} Hz, not {len(chunk.samples)} at {chunk.rate}")
        pcm = (np.clip(chunk.samples, -1, 1) * 32767).astype(np.int16)
        return self._frame(bytearray(pcm.tobytes()), RATE, 1, FRAME)
