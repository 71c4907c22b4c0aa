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
    """How a caption is chosen: a weighted sum."""

    beam: int = 8
    length: float = 0.7
    """Log probabilities are divided by length to this power; 0: as they are."""
    visual: float = 0.1
    """Weight of the visual words that a caption holds."""
    judge: float = 1.0
    """Weight of the similarity of picture and sentence."""
    agreement: float = 1.0
    """Weight of what a caption shares with the others of the beam."""
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
    for words, score, like, agrees in zip(candidates, scores, likeness, agreement(candidates, scores), strict=True):
        evidence = sum(
            np.log((seen[word] + 0.02) / (choice.doubt + 0.02)) for word in dict.fromkeys(words) if word in seen
        )
        likely = score / (len(words) + 1) ** choice.length
        values.append(likely + choice.visual * evidence + choice.judge * like + choice.agreement * agrees)
    return int(np.argmax(values))


def agreement(candidates: Sequence[Sequence[str]], scores: Sequence[float]) -> list[float]:
    """Return the share of runs of one to four words that each candidate has in common with the others, 0 to 1.

    A caption that says what most of the likely ones say risks least (minimum Bayes risk: Kumar & Byrne, NAACL 2004);
    the others weigh by their probability a word.
    """
    runs = [[{tuple(words[i : i + n]) for i in range(len(words) - n + 1)} for n in range(1, 5)] for words in candidates]
    chances = np.exp([score / (len(words) + 1) for words, score in zip(candidates, scores, strict=True)])
    found = []
    for number, own in enumerate(runs):
        shared = [np.mean([_overlap(a, b) for a, b in zip(own, other, strict=True)]) for other in runs]
        weights = np.where(np.arange(len(runs)) == number, 0, chances)
        found.append(float(weights @ shared / max(weights.sum(), 1e-9)))
    return found


def _overlap(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    return 2 * len(one & other) / max(1, len(one) + len(other))
