"""Which of a beam's captions to say: the one that the others agree with most.

Minimum Bayes risk decoding (Kumar & Byrne, NAACL 2004) with shared n-grams as the gain, as in the
consensus caption of Devlin et al., "Exploring Nearest Neighbor Approaches for Image Captioning", 2015.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .ngrams import ORDER, Gram, grams


@dataclass(frozen=True, slots=True)
class Choice:
    """How a caption is chosen."""

    beam: int = 3
    length: float = 0.0
    """Log probabilities are divided by length to this power; 0: as they are."""
    agreement: float = 0.0
    """Weight of the agreement with the other candidates against the log probability; 0: the most probable."""


def choose(candidates: Sequence[Sequence[int]], scores: Sequence[float], choice: Choice) -> int:
    """Return the number of the candidate to say; ``scores`` are log probabilities."""
    lengths = np.array([max(1, len(candidate)) for candidate in candidates], np.float64)
    scaled = np.asarray(scores, np.float64) / lengths**choice.length
    if choice.agreement == 0 or len(candidates) == 1:
        return int(scaled.argmax())
    weights = np.exp(scaled - scaled.max())
    weights /= weights.sum()
    counted = [grams([str(word) for word in candidate]) for candidate in candidates]
    gains = [sum(w * _shared(mine, other) for w, other in zip(weights, counted, strict=True)) for mine in counted]
    return int(np.argmax(np.log(weights) + choice.agreement * np.array(gains)))


def _shared(one: Counter[Gram], other: Counter[Gram]) -> float:
    """Return the mean over n of the share of n-grams that two captions have in common (Dice)."""
    total = 0.0
    for n in range(1, ORDER + 1):
        mine = sum(count for gram, count in one.items() if len(gram) == n)
        theirs = sum(count for gram, count in other.items() if len(gram) == n)
        both = sum(min(count, other[gram]) for gram, count in one.items() if len(gram) == n)
        total += 2 * both / (mine + theirs) if mine + theirs else 0.0
    return total / ORDER
