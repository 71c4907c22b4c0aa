"""Several turn detectors, one judgement."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .orders import is_order
from .stages import TurnDetector
from .types import AudioChunk

WEIGHTS = (0.35, 1.0)
"""Of sound and of words: read aloud, a half sentence often sounds finished, but seldom reads so."""
SUREST = 0.99
FORESEEN = (1.2, 0.6, 1.4)
"""Bias, and weights of sound and of the language model that lacks no word. Logistic regressions on halves and wholes
of spoken orders give (-0.9, 0.76, 1.82) to (-0.3, 0.44, 0.83) (``python -m benchmarks.turn_ends``); with so low a bias
short questions ("What time is it?"), which the model would make longer, would be waited for like halves."""


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
        if is_order(text):
            return SUREST
        sounds = iter(listened)
        return combined(
            [next(sounds) if detector.listens else detector.finished(audio, text) for detector in self._detectors]
        )

    def foreseen(self, finished: float, listened: Sequence[float], complete: float | None) -> float:
        """Return a judgement after a language model was asked whether the words are ``complete``; it can only lower it.

        A story's sentences are complete one by one, so what sounds or reads unfinished stays so.
        """
        return finished if complete is None else min(finished, _certain(listened, complete))


def _certain(listened: Sequence[float], complete: float) -> float:
    bias, sound, words = FORESEEN
    heard = _log_odds(listened[0]) if listened else 0.0
    return 1 / (1 + math.exp(-bias - sound * heard - words * _log_odds(complete, 0.999)))


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


def _log_odds(probability: float, surest: float = SUREST) -> float:
    bounded = min(surest, max(1 - surest, probability))
    return math.log(bounded / (1 - bounded))
