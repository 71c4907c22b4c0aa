"""Several turn detectors, one judgement."""

from __future__ import annotations

import math
from collections.abc import Sequence

WEIGHTS = (0.35, 1.0)
"""Of sound and of words: read aloud, a half sentence often sounds finished, but seldom reads so."""
SUREST = 0.99


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
