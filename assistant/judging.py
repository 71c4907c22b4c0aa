"""Several turn detectors, one judgement."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .orders import order_in
from .stages import TurnDetector
from .types import AudioChunk

WEIGHTS = (0.35, 1.0)
"""Of sound and of words: read aloud, a half sentence often sounds finished, but seldom reads so."""
SUREST = 0.99


class Judges:
    """Turn detectors; those that only listen can be asked while the words are still being read."""

    def __init__(self, detectors: Sequence[TurnDetector]) -> None:
        self._detectors = tuple(detectors)
        self._listening = [detector for detector in detectors if detector.listens]

    def __bool__(self) -> bool:
        return bool(self._detectors)

    def listen(self, audio: AudioChunk) -> list[float]:
        """Return the judgements of the detectors that need no words."""
        return [detector.finished(audio, "") for detector in self._listening]

    def judge(self, listened: Sequence[float], audio: AudioChunk, text: str) -> float:
        """Return one probability that the turn is over, given what :meth:`listen` returned and the words.

        An order to the assistant itself, however short or sharp, is whole.
        """
        if order_in(text) is not None:
            return SUREST
        sounds = iter(listened)
        return combined(
            [next(sounds) if detector.listens else detector.finished(audio, text) for detector in self._detectors]
        )


def combined(judgements: Sequence[float]) -> float:
    """Return one probability that the turn is over, from those of sound and of words in this order.

    Log-odds add up, each with its weight; a single detector is taken as it is.
    """
    if not judgements:
        return 1.0
    if len(judgements) == 1:
        return judgements[0]
    weights = WEIGHTS + (1.0,) * (len(judgements) - len(WEIGHTS))
    odds = sum(weight * _log_odds(judgement) for weight, judgement in zip(weights, judgements, strict=False))
    return 1 / (1 + math.exp(-odds))


def _log_odds(probability: float) -> float:
    bounded = min(SUREST, max(1 - SUREST, probability))
    return math.log(bounded / (1 - bounded))
