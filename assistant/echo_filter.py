"""The echo's way through the room, learned while it is heard and taken out before WebRTC hears the sound.

A partitioned-block Kalman filter in the frequency domain (Enzner & Vary, Signal Processing 86, 2006; Kuech, Mabande
& Enzner, ICASSP 2014). It knows how sure it is of each partition of the room's response and how loud all else is, so
that somebody who speaks over the echo neither spoils what was learned nor is taken out with it. What is left of the
echo, by the filter's own doubt and because loudspeakers bend what they play, is dampened by a Wiener gain for each
frequency (decision-directed: Ephraim & Malah, IEEE Trans. ASSP 32, 1984). WebRTC's own filter is short, and where a
room reverberates longer it silences the person with the echo; it stays behind this one for noise and drifting clocks.
Where nothing of the reply is heard, with headphones, it would silence the person for some ten seconds, until it knows
that there is no echo; what is heard is then left as it is.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from .ears import FRAME
from .stages import EchoCanceller
from .types import AudioChunk, Samples

Power = NDArray[np.float32]
"""Power at each frequency, (161,)."""

PARTITIONS = 64
"""Frames that the learned response is long: 0.64 s, of which the sound card's delay takes a part."""
KEPT = 0.9995**2
"""Share of the response's power that is expected to be the same a frame later."""
SMOOTH = 0.8
"""Weight of the past where the power of all that is no echo is followed."""
UNSURE = 0.02
"""Variance of the response before anything was heard; higher learns sooner, and wilder."""
TURNS = 8
"""The partitions are kept causal in turns, each once in so many frames."""
LOST = 30
"""Frames for which what is left may be louder than what was heard; then the room is learned anew."""
BENT = 0.2
"""Share of the echo's power that the filter may miss: what loudspeakers bend, and a tenth where two clocks drift apart.
With a quarter of it WebRTC lost such an echo in every fifth conversation, for up to half a minute."""
FADES = 0.8
"""Share of that which is still there a frame later."""
INERTIA = 0.6
"""Weight of the last frame in the ratio of speech to what is left of the echo."""
LEAST = 0.03
"""Nothing is dampened further, so that the silence between words sounds like the room."""
SILENT = 10**-2.5
"""Share of what was played below which all that was heard since then is no echo of it."""
STAYS_SILENT = 300
"""Frames with a reply for which such a room is taken to be still the same while somebody speaks."""
WINDOW = np.sin(np.pi * (np.arange(2 * FRAME) + 0.5) / (2 * FRAME)).astype(np.float32)
"""Its square and the next frame's add up to one."""


class EchoFilter:
    """An echo canceller for long rooms, with another behind it (or none). What it returns is at most 10 ms late."""

    def __init__(self, behind: EchoCanceller | None = None) -> None:
        self._behind = behind
        self._playing: Samples = np.zeros(2 * FRAME, np.float32)
        self._spectra = np.zeros((PARTITIONS, FRAME + 1), np.complex64)  # of what was played, the newest first
        self._other: Power = np.zeros(FRAME + 1, np.float32)  # what is no echo
        self._heard = self._left = 0.0  # smoothed powers
        self._turn = self._worse = 0
        self._pair: NDArray[np.float32] = np.zeros((2, 2 * FRAME), np.float32)  # two frames without the echo, and of it
        self._ringing: Power = np.zeros(FRAME + 1, np.float32)  # the echo, fading
        self._speech: Power = np.zeros(FRAME + 1, np.float32)  # what was let through last
        self._overlap: Samples = np.zeros(FRAME, np.float32)
        self._recent: deque[float] = deque(maxlen=PARTITIONS)  # energy of what was heard, frame by frame
        self._silent = 0  # frames for which the room is still taken to be without echo
        self._forget()

    def _forget(self) -> None:
        """Know nothing of the room."""
        self._response: NDArray[np.complex64] = np.zeros((PARTITIONS, FRAME + 1), np.complex64)
        self._variance: NDArray[np.float32] = np.full((PARTITIONS, FRAME + 1), UNSURE, np.float32)

    def played(self, chunk: AudioChunk) -> None:
        """Take 10 ms, (160,) at 16 kHz, that the loudspeaker plays about now."""
        self._playing = np.concatenate([self._playing[FRAME:], chunk.samples])
        self._spectra = np.roll(self._spectra, 1, 0)
        self._spectra[0] = np.fft.rfft(self._playing)
        if self._behind is not None:
            self._behind.played(chunk)

    def clean(self, chunk: AudioChunk) -> AudioChunk:
        """Return 10 ms of the microphone, (160,) at 16 kHz, without the echo; :meth:`played` comes before."""
        echo = np.fft.irfft((self._spectra * self._response).sum(0))[FRAME:].astype(np.float32)
        left = chunk.samples - echo
        played = _power(self._spectra)
        self._learn(left, played)
        if not self._better(chunk.samples, left):
            left = chunk.samples
        cleaned = AudioChunk(self._dampen(left, echo, played), chunk.rate, chunk.start)
        if self._behind is not None:
            cleaned = self._behind.clean(cleaned)
        return chunk if self._no_echo(chunk.samples, played) else cleaned

    def _no_echo(self, heard: Samples, played: NDArray[np.float32]) -> bool:
        """Return whether nothing of what is played is heard, as with headphones."""
        self._recent.append(float(heard @ heard))
        once = float(played[-1].sum()) / (2 * FRAME)  # energy of the oldest frame, whose echo has come by now
        if max(self._recent) < SILENT * once:
            self._silent = STAYS_SILENT
        elif self._silent and self._playing.any():
            self._silent -= 1
        return self._silent > 0

    def _learn(self, left: Samples, played: NDArray[np.float32]) -> None:
        """Move the response by what was not foreseen, the more the less it is known."""
        error = np.fft.rfft(np.concatenate([np.zeros(FRAME, np.float32), left])).astype(np.complex64)
        self._other = SMOOTH * self._other + (1 - SMOOTH) * _power(error)
        variance = KEPT * self._variance + (1 - KEPT) * _power(self._response)
        gain = variance / ((played * variance).sum(0) / 2 + self._other + np.float32(1e-6))
        self._response += gain * self._spectra.conj() * error
        self._variance = variance * (1 - gain * played / 2)
        turn = slice(self._turn, None, TURNS)
        causal = np.fft.irfft(self._response[turn], axis=1)
        causal[:, FRAME:] = 0
        self._response[turn] = np.fft.rfft(causal, axis=1)
        self._turn = (self._turn + 1) % TURNS

    def _better(self, heard: Samples, left: Samples) -> bool:
        """Return whether the filter takes anything out; forget the room where it has long been wrong."""
        self._heard = 0.9 * self._heard + 0.1 * float(heard @ heard)
        self._left = 0.9 * self._left + 0.1 * float(left @ left)
        better = self._left <= self._heard
        self._worse = 0 if better else self._worse + 1
        if self._worse > LOST:
            self._forget()
            self._worse = 0
        return better

    def _dampen(self, left: Samples, echo: Samples, played: NDArray[np.float32]) -> Samples:
        """Return the frame before, with what the filter left of the echo dampened."""
        self._pair = np.concatenate([self._pair[:, FRAME:], np.stack([left, echo])], 1)
        both = np.fft.rfft(self._pair * WINDOW, axis=1).astype(np.complex64)
        power, of_echo = _power(both)
        self._ringing = np.maximum(of_echo, FADES * self._ringing)
        doubt = (played * self._variance).sum(0)
        rest = BENT * self._ringing + doubt + np.float32(1e-7)
        ratio = INERTIA * self._speech / rest + (1 - INERTIA) * np.maximum(power / rest - 1, 0)
        gain = np.maximum(ratio / (1 + ratio), LEAST)
        self._speech = gain**2 * power
        shaped = np.fft.irfft(both[0] * gain).astype(np.float32) * WINDOW
        frame: Samples = shaped[:FRAME] + self._overlap
        self._overlap = shaped[FRAME:]
        return frame


def _power(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    power: NDArray[np.float32] = spectrum.real**2 + spectrum.imag**2
    return power
