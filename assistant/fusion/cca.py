"""A common space of pictures and sentences in closed form: canonical correlation analysis. Numpy only, seconds.

Hotelling, Biometrika 28, 1936, with a ridge on both sides; directions weigh by their correlation as in Gong et al.,
"A Multi-View Embedding Space", IJCV 106, 2014. Sentences are bags of words weighed by how rare they are (tf-idf).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Arrays
from .layers import Floats, units

NAMES = ("centre", "picture", "rarity", "usual", "text")


@dataclass(frozen=True, eq=False)
class LinearSpace:
    """Two linear maps into one space."""

    centre: Floats
    """(features,): mean of the training pictures' mean features."""
    picture: Floats
    """(dim, features)."""
    rarity: Floats
    """(words,): weight of each word of the vocabulary; 0 for those that are not read."""
    usual: Floats
    """(words,): mean bag of the training pictures."""
    text: Floats
    """(words, dim)."""

    @classmethod
    def of(cls, arrays: Arrays) -> LinearSpace:
        """Take the maps out of a checkpoint's arrays (``space.*``)."""
        return cls(*(np.asarray(arrays[f"space.{name}"], np.float32) for name in NAMES))

    def arrays(self) -> Arrays:
        """Return the arrays that :meth:`of` reads."""
        return {f"space.{name}": getattr(self, name) for name in NAMES}

    def pictures(self, means_NF: Floats) -> Floats:
        """Return unit vectors, (pictures, dim), of mean features."""
        projected: Floats = np.matmul(means_NF - self.centre, self.picture.T)
        return units(projected)

    def texts(self, numbers: Sequence[NDArray[np.int64]]) -> Floats:
        """Return unit vectors, (sentences, dim), of the word numbers of each sentence."""
        base = self.usual @ self.text
        vectors = np.zeros((len(numbers), self.text.shape[1]), np.float32)
        for row, chosen in enumerate(numbers):
            words = np.unique(chosen)
            weights = self.rarity[words]
            length = float(np.linalg.norm(weights))
            if length:
                vectors[row] = weights / length @ self.text[words] - base
        return units(vectors)


def fit(
    means_NF: Floats, bags_NW: Floats, rarity: Floats, *, ridge: tuple[float, float], topics: int, dim: int
) -> LinearSpace:
    """Return the space in which pictures lie closest to the words of their captions.

    ``bags_NW`` counts each picture's words; they are weighed by ``rarity``, (words,), brought to length one and reduced
    to ``topics`` by latent semantic analysis. ``ridge`` is that of standardised features and of topics.
    """
    centre, deviation = means_NF.mean(0), means_NF.std(0) + 1e-6
    bags = units(bags_NW * rarity)
    usual = bags.mean(0)
    bags -= usual
    words = _topics(bags, min(topics, *bags.shape))
    x, z = (means_NF - centre) / deviation, bags @ words
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    whiten = vectors / np.sqrt(np.maximum(values, 0) + ridge[0]) @ vectors.T
    scale = 1 / np.sqrt((z**2).mean(0) + ridge[1])
    left, strength, right = np.linalg.svd(whiten @ (x.T @ z / len(x)) * scale, full_matrices=False)
    left, strength, right = left[:, :dim], strength[:dim], right[:dim]
    picture = (whiten @ (left * strength)).T / deviation
    text = words @ (scale[:, None] * right.T * strength)
    return LinearSpace(*(np.asarray(part, np.float32) for part in (centre, picture, rarity, usual, text)))


def _topics(bags: Floats, count: int) -> Floats:
    """Return the strongest right singular vectors, (words, count) (Halko et al., SIAM Review 2011)."""
    spare = min(count + 20, *bags.shape)
    span = np.random.default_rng(0).standard_normal((bags.shape[0], spare)).astype(np.float32)
    for _ in range(2):
        span = np.linalg.qr(bags @ (bags.T @ span))[0]
    result: Floats = np.linalg.svd(span.T @ bags, full_matrices=False)[2][:count].T
    return result
