"""Which of a beam's captions to say: probable for its length, and made of words that the picture shows.

The visual-word head has seen each word on its own, the decoder writes what usually goes together; a caption
that both believe is rarely wrong. The division by length is that of Wu et al., 2016, without its offset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Choice:
    """How a caption is chosen."""

    beam: int = 8
    length: float = 0.7
    """Log probabilities are divided by length to this power; 0: as they are."""
    visual: float = 0.1
    """Weight of the visual words that a caption holds."""
    judge: float = 1.0
    """Weight of the similarity of picture and sentence."""
    doubt: float = 0.1
    """A visual word above this probability speaks for a caption, one below it against."""


def choose(
    candidates: Sequence[Sequence[str]],
    scores: Sequence[float],
    seen: Mapping[str, float],
    likeness: Sequence[float],
    choice: Choice,
) -> int:
    """Return the number of the caption to say.

    ``scores`` are log probabilities; ``seen`` gives each visual word's probability, ``likeness`` the similarity of
    each candidate to the picture by another judge.
    """
    values = []
    for words, score, like in zip(candidates, scores, likeness, strict=True):
        evidence = sum(np.log((seen[word] + 0.02) / (choice.doubt + 0.02)) for word in set(words) & seen.keys())
        values.append(score / (len(words) + 1) ** choice.length + choice.visual * evidence + choice.judge * like)
    return int(np.argmax(values))
