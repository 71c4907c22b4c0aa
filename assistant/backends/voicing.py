"""What all voices do to the sound they made: pauses as in speech, loudness, pieces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..config import Settings
from ..errors import SettingError
from ..types import AudioChunk, Samples

PIECE = 0.1
"""Seconds a piece: speech can be stopped between two."""

AUDIBLE = 0.02
"""Amplitude from which a sample counts as sound; voices breathe below it."""

LEAD = 0.01
"""Seconds of quiet kept before the first sound: every one of them delays the reply."""

PAUSES = {",": 0.06, ";": 0.1, ":": 0.12, "": 0.04}
"""Seconds of quiet after a clause, by the sign it ends with; ``""`` is none."""

SENTENCE_PAUSE = 0.22
"""Seconds of quiet after a sentence."""


def wished(settings: Settings) -> str:
    """Return the language (ISO 639-1) of a voice that has several: its setting, what is heard, or English."""
    heard = settings.asr.language
    return settings.voice.language or ("en" if heard == "auto" else heard)


def within(speeds: tuple[float, float], settings: Settings) -> float:
    """Return ``voice.speed``, or raise :class:`SettingError` where it is not from the slowest to the fastest."""
    (slowest, fastest), speed = speeds, settings.voice.speed
    if not slowest <= speed <= fastest:
        raise SettingError(f"voice.speed must be from {slowest} to {fastest}, not {speed:g}")
    return speed


def pieces(samples: Samples, rate: int, clause: str, volume: float) -> Iterator[AudioChunk]:
    """Yield a spoken clause in pieces, its quiet ends cut to what its punctuation asks for."""
    samples = louder(paused(samples, rate, clause), volume)
    size = round(PIECE * rate)
    for start in range(0, len(samples), size):
        yield AudioChunk(samples[start : start + size], rate, start)


def paused(samples: Samples, rate: int, clause: str) -> Samples:
    """Return ``samples`` with a short lead and the pause that the end of ``clause`` asks for."""
    audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
    if len(audible) == 0:
        return samples
    first = max(0, int(audible[0]) - round(LEAD * rate))
    sign = clause.rstrip("\"'”’)] ")[-1:]
    pause = PAUSES.get("" if sign.isalnum() else sign, SENTENCE_PAUSE)
    last = int(audible[-1]) + 1
    tail = samples[last : last + round(pause * rate)]
    quiet = np.zeros(max(0, round(pause * rate) - len(tail)), np.float32)
    shaped: Samples = np.concatenate([samples[first:last], tail, quiet]).astype(np.float32, copy=False)
    return shaped


def louder(samples: Samples, volume: float) -> Samples:
    """Return ``samples`` at a loudness of 0 to 2; above 1 peaks are bent, not cut."""
    if volume <= 1.0:
        return (samples * max(0.0, volume)).astype(np.float32, copy=False)
    bent: Samples = np.tanh(samples * min(volume, 2.0)).astype(np.float32, copy=False)
    return bent
