"""Where in a recording somebody speaks, and where it may be cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from .sound import resample
from .types import AudioChunk, Samples

if TYPE_CHECKING:
    from .config import VadSettings
    from .stages import VoiceActivity

Span = tuple[int, int]
"""First sample and the one after the last."""

HYSTERESIS = 0.15
"""Speech that has begun goes on while its probability is at most this far below the threshold."""

PAUSE = 0.3
"""Seconds of quiet that part two spans."""

SHORTEST = 0.064
"""Seconds; shorter bursts are clicks."""


def speech_spans(audio: AudioChunk, activity: VoiceActivity, vad: VadSettings) -> list[Span]:
    """Return where somebody speaks, in samples of ``audio`` and in order, padded by ``vad.padding``.

    Spans neither overlap nor touch. No span means that nobody spoke.
    """
    heard = resample(audio, activity.rate)
    step = activity.chunk
    activity.reset()
    probabilities = [
        activity.probability(AudioChunk(_piece(heard.samples, at, step), activity.rate))
        for at in range(0, len(heard.samples), step)
    ]
    activity.reset()
    scale = audio.rate / activity.rate
    padding = round(vad.padding * audio.rate)
    spans: list[Span] = []
    for first, last in _runs(probabilities, vad.threshold, round(PAUSE * activity.rate / step)):
        if (last - first) * step < SHORTEST * activity.rate:
            continue
        start = max(0, round(first * step * scale) - padding)
        end = min(len(audio.samples), round(last * step * scale) + padding)
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def windows(spans: list[Span], longest: int) -> list[Span]:
    """Join spans into as few windows as needed, none longer than ``longest`` samples.

    Windows end at pauses; speech without a pause is cut at ``longest``.
    """
    made: list[Span] = []
    for start, end in spans:
        if made and end - made[-1][0] <= longest:
            made[-1] = made[-1][0], end
            continue
        while end - start > longest:
            made.append((start, start + longest))
            start += longest
        made.append((start, end))
    return made


def stretches(chunks: Iterable[AudioChunk], seconds: float = 120.0) -> Iterator[AudioChunk]:
    """Yield a long stream in stretches of at most ``seconds``, each cut at the quietest moment of its last sixth."""
    held: list[AudioChunk] = []
    length = 0
    for chunk in chunks:
        held.append(chunk)
        length += len(chunk.samples)
        while length > seconds * chunk.rate:
            joined = np.concatenate([part.samples for part in held])
            start = held[0].start
            cut = _quietest(joined[: int(seconds * chunk.rate)], chunk.rate)
            yield AudioChunk(joined[:cut], chunk.rate, start)
            held, length = [AudioChunk(joined[cut:], chunk.rate, start + cut)], len(joined) - cut
    if length:
        yield AudioChunk(np.concatenate([part.samples for part in held]), held[0].rate, held[0].start)


def _runs(probabilities: list[float], threshold: float, pause: int) -> Iterator[Span]:
    """Yield runs of chunks with speech; at least ``pause`` quiet chunks part two runs."""
    first = last = -1
    for number, probability in enumerate(probabilities):
        if probability >= threshold or (last == number - 1 and first >= 0 and probability >= threshold - HYSTERESIS):
            first = number if first < 0 else first
            last = number
        elif first >= 0 and number - last > pause:
            yield first, last + 1
            first = -1
    if first >= 0:
        yield first, last + 1


def _piece(samples: Samples, at: int, size: int) -> Samples:
    piece = samples[at : at + size]
    return piece if len(piece) == size else np.pad(piece, (0, size - len(piece)))


def _quietest(samples: Samples, rate: int) -> int:
    """Return the middle of the quietest 0.3 s in the last sixth of ``samples``."""
    window = max(1, int(0.3 * rate))
    begin = max(0, len(samples) - len(samples) // 6 - window)
    energy = np.cumsum(np.square(samples[begin:], dtype=np.float64))
    if len(energy) <= window:
        return len(samples)
    return begin + int(np.argmin(energy[window:] - energy[:-window])) + window // 2
