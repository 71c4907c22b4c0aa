"""Which of a beam's captions to say: probable for its length, and made of words that the picture shows.

The visual-word head has seen each word on its own, the decoder writes what usually goes together; a caption
that both believe is rarely wrong. The division by length is that of Wu et al., 2016, without its offset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

WEIGHTS = ("likely", "visual", "judge", "agreement", "words")
"""The weights of a :class:`Choice`, in the order of :func:`describe`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How a caption is chosen: a weighted sum of what :func:`describe` finds."""

    beam: int = 8
    length: float = 0.7
    """Log probabilities are divided by length to this power; 0: as they are."""
    likely: float = 1.0
    """Weight of that quotient."""
    visual: float = 0.1
    """Weight of the visual words that a caption holds."""
    judge: float = 1.0
    """Weight of the similarity of picture and sentence."""
    agreement: float = 0.0
    """Weight of what a caption shares with the others of the beam."""
    words: float = 0.0
    """Weight of each word."""
    doubt: float = 0.1
    """A visual word above this probability speaks for a caption, one below it against."""

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights in the order of :func:`describe`, (5,)."""
        return np.array([getattr(self, name) for name in WEIGHTS])

    def weighing(self, weights: Sequence[float]) -> Choice:
        """Return the same with other weights, in the order of :func:`describe`."""
        likely, visual, judge, agreement, words = weights
        return replace(self, likely=likely, visual=visual, judge=judge, agreement=agreement, words=words)


def describe(
    candidates: Sequence[Sequence[str]],
    scores: Sequence[float],
    seen: Mapping[str, float],
    likeness: Sequence[float],
    choice: Choice,
) -> NDArray[np.float64]:
    """Return what speaks for each candidate, (candidates, 5).

    ``scores`` are log probabilities; ``seen`` gives each visual word's probability, ``likeness`` the similarity of
    each candidate to the picture by another judge.
    """
    rows = []
    for words, score, like, agrees in zip(candidates, scores, likeness, agreement(candidates, scores), strict=True):
        evidence = sum(np.log((seen[word] + 0.02) / (choice.doubt + 0.02)) for word in set(words) & seen.keys())
        rows.append((score / (len(words) + 1) ** choice.length, evidence, like, agrees, len(words)))
    return np.array(rows)


def choose(
    candidates: Sequence[Sequence[str]],
    scores: Sequence[float],
    seen: Mapping[str, float],
    likeness: Sequence[float],
    choice: Choice,
) -> int:
    """Return the number of the caption to say; see :func:`describe`."""
    return int(np.argmax(describe(candidates, scores, seen, likeness, choice) @ choice.weights))


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
