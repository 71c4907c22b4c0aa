"""BLEU and CIDEr-D over tokenised captions, fast enough to be a reward; equal to pycocoevalcap's figures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

ORDER = 4
SIGMA = 6.0
"""Width of CIDEr-D's penalty for another length, in words."""

Gram = tuple[str, ...]
Words = Sequence[str]


def grams(words: Words) -> Counter[Gram]:
    """Return how often each run of one to four words occurs."""
    return Counter(tuple(words[i : i + n]) for n in range(1, ORDER + 1) for i in range(len(words) - n + 1))


def bleu_counts(caption: Words, references: Sequence[Words]) -> NDArray[np.float64]:
    """Return what BLEU needs of one caption: its length, the closest reference's, then right and all n-grams.

    Shape (2 + 2 * 4,); the sum over captions goes into :func:`bleu`.
    """
    most: Counter[Gram] = Counter()
    for reference in references:
        most |= grams(reference)
    right = [0] * ORDER
    for gram, count in grams(caption).items():
        right[len(gram) - 1] += min(count, most[gram])
    closest = min((abs(len(reference) - len(caption)), len(reference)) for reference in references)[1]
    every = [max(0, len(caption) - n) for n in range(ORDER)]
    return np.array([len(caption), closest, *right, *every], np.float64)


def bleu(counts: NDArray[np.float64]) -> list[float]:
    """Return BLEU-1 to BLEU-4 of a corpus (Papineni et al., ACL 2002) from summed :func:`bleu_counts`."""
    length, closest = counts[0] + 1e-15, counts[1] + 1e-9
    product, found = 1.0, []
    brevity = math.exp(min(0.0, 1 - closest / length))
    for n in range(ORDER):
        product *= (counts[2 + n] + 1e-15) / (counts[2 + ORDER + n] + 1e-9)
        found.append(product ** (1 / (n + 1)) * brevity)
    return found


@dataclass(eq=False)
class _Vector:
    """The weighted n-grams of a caption."""

    weights: list[dict[Gram, float]]
    norms: list[float]
    length: int


@dataclass(eq=False)
class Cider:
    """CIDEr-D (Vedantam et al., CVPR 2015), ten times the mean similarity, over a corpus of references.

    ``references`` holds the tokenised captions of each picture; rare n-grams weigh more.
    """

    references: Sequence[Sequence[Words]]
    _frequency: Counter[Gram] = field(init=False)
    _vectors: dict[int, list[_Vector]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._frequency = Counter()
        for captions in self.references:
            self._frequency.update(set().union(*(grams(caption) for caption in captions)))
        self._log = math.log(len(self.references))

    def score(self, caption: Words, picture: int) -> float:
        """Return the score of a caption against the references of picture number ``picture``."""
        if picture not in self._vectors:
            self._vectors[picture] = [self._vector(reference) for reference in self.references[picture]]
        return self._mean(self._vector(caption), self._vectors[picture])

    def consensus(self, captions: Sequence[Words], weights: Sequence[float]) -> list[float]:
        """Return how much each caption agrees with all of them, each weighing as ``weights`` says."""
        vectors = [self._vector(caption) for caption in captions]
        return [sum(w * _similar(v, other) for w, other in zip(weights, vectors, strict=True)) for v in vectors]

    def _mean(self, vector: _Vector, references: list[_Vector]) -> float:
        return 10 * sum(_similar(vector, reference) for reference in references) / len(references)

    def _vector(self, words: Words) -> _Vector:
        weights: list[dict[Gram, float]] = [{} for _ in range(ORDER)]
        for gram, count in grams(words).items():
            weights[len(gram) - 1][gram] = count * (self._log - math.log(max(1, self._frequency[gram])))
        norms = [math.sqrt(sum(weight * weight for weight in table.values())) for table in weights]
        return _Vector(weights, norms, max(0, len(words) - 1))


def _similar(one: _Vector, other: _Vector) -> float:
    total = 0.0
    for mine, theirs, norm, norm_other in zip(one.weights, other.weights, one.norms, other.norms, strict=True):
        if norm and norm_other:
            shared = sum(min(mine[gram], theirs[gram]) * theirs[gram] for gram in mine.keys() & theirs.keys())
            total += shared / (norm * norm_other)
    return total / ORDER * math.exp(-((one.length - other.length) ** 2) / (2 * SIGMA**2))
