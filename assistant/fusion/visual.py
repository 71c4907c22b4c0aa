"""Visual words: which words people would use for a picture, with their probability and their place. Numpy only.

A linear layer on the mean of the grid, so that each place's share of a word's score is known exactly
(class activation map: Zhou et al., CVPR 2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Arrays
from .quantised import unpack

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class VisualWords:
    """A word list with a linear layer over standardised mean features."""

    words: tuple[str, ...]
    mean: Floats
    """(dim,) of the mean features of the training pictures."""
    deviation: Floats
    weight: Floats
    """(words, dim)."""
    bias: Floats

    @classmethod
    def of(cls, arrays: Arrays, words: list[str]) -> VisualWords:
        """Take the head out of a checkpoint's arrays (``visual_head.*``), in eight bits or plain."""
        plain = unpack({name: array for name, array in arrays.items() if name.startswith("visual_head.")})
        names = ("mean", "deviation", "weight", "bias")
        return cls(tuple(words), *(plain[f"visual_head.{name}"] for name in names))

    def arrays(self) -> Arrays:
        """Return the arrays that :meth:`of` reads."""
        names = ("mean", "deviation", "weight", "bias")
        return {f"visual_head.{name}": getattr(self, name) for name in names}

    def standardise(self, pooled: Floats) -> Floats:
        """Return mean features, (…, dim), with mean 0 and deviation 1 on the training pictures."""
        result: Floats = (pooled[..., : len(self.mean)] - self.mean) / self.deviation
        return result

    def probabilities(self, features_PD: Floats) -> Floats:
        """Return the share of describers who would use each word, (words,), from (places, dim)."""
        scores = self.weight @ self.standardise(features_PD.mean(0)) + self.bias
        result: Floats = 1 / (1 + np.exp(-scores))
        return result

    def places(self, features_PD: Floats, word: str) -> Floats:
        """Return each place's share of a word's score, (places,); they sum to the score without its bias."""
        weight = self.weight[self.words.index(word)]
        result: Floats = self.standardise(features_PD) @ weight / len(features_PD)
        return result

    def seen(self, features_PD: Floats, least: float = 0.2, most: int = 12) -> tuple[tuple[str, float], ...]:
        """Return the words of at least probability ``least``, most probable first."""
        chances = self.probabilities(features_PD)
        order = np.argsort(-chances)[:most]
        return tuple((self.words[i], round(float(chances[i]), 3)) for i in order if chances[i] >= least)
