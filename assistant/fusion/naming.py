"""Names that the eyes' thousand classes lack, and names of sounds: a linear head on features, with "none of these".

Numpy only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..types import Label, Percept
from . import checkpoint
from .checkpoint import Checkpoint
from .config import FusionConfig
from .layers import Floats, softmax

LEAST = 0.05
"""Names below this probability are left out."""
LABELS = 5
"""Labels that a percept carries."""


def pooled(features_PD: Floats, modality: str) -> Floats:
    """Return what the head reads: the mean over the places of a picture, (dim,).

    Of a sound, whose features are those of moments, the mean and the standard deviation over time, (2 * dim,).
    """
    mean: Floats = features_PD.mean(0)
    return np.concatenate([mean, features_PD.std(0)]) if modality == "sound" else mean


def width(config: FusionConfig) -> int:
    """Return the length of what :func:`pooled` gives."""
    return config.encoder_dim * (2 if config.modality == "sound" else 1)


class Namer:
    """The head of a ``naming`` checkpoint. The last class is "none of these"."""

    def __init__(self, saved: Checkpoint) -> None:
        self.modality = saved.config.modality
        self.names: tuple[str, ...] = tuple(saved.extras["names"])
        self.temperature, self.sure = float(saved.extras["temperature"]), float(saved.extras["sure"])
        w = {name: np.asarray(array, np.float32) for name, array in saved.arrays.items()}
        self.mean, self.deviation = w["standard.mean"], w["standard.deviation"]
        self.weight, self.bias = w["linear.weight"], w["linear.bias"]

    @classmethod
    def load(cls, path: Path) -> Namer:
        """Load a checkpoint. Raises :class:`ModelError` where it is damaged."""
        return cls(checkpoint.load(path))

    def probabilities(self, features_PD: Floats) -> Floats:
        """Return the calibrated probability of each name and, last, of none of them, (names + 1,)."""
        scores = (self.weight @ self._standard(pooled(features_PD, self.modality)) + self.bias) / self.temperature
        return softmax(scores)

    def heard(self, features_TD: Floats) -> tuple[Label, ...]:
        """Return the names of a sound, most probable first; none where it is not surely of their kind."""
        chances = self.probabilities(features_TD)
        if 1 - float(chances[-1]) < self.sure:
            return ()
        return tuple(Label(name, chance) for name, chance in self._likely(chances))

    def places(self, features_PD: Floats, name: str) -> Floats:
        """Return each place's share of a name's score, (places,)."""
        result: Floats = self._standard(features_PD) @ self.weight[self.names.index(name)] / len(features_PD)
        return result

    def name(self, percept: Percept) -> Percept:
        """Return ``percept`` with the names among its labels, where the picture is surely of their kind.

        The other labels' probabilities are then those of "none of these", shared as before.
        """
        chances = self.probabilities(percept.features)
        other = float(chances[-1])
        if 1 - other < self.sure:
            return percept
        from ..backends.efficientnet import locate

        labels = [dataclasses.replace(label, probability=label.probability * other) for label in percept.labels]
        for name, chance in self._likely(chances):
            box = locate(self.places(percept.features, name).reshape(percept.grid))
            labels.append(Label(name, chance, box.place, box))
        labels = [label for label in labels if label.probability >= LEAST]
        return dataclasses.replace(percept, labels=tuple(sorted(labels, key=lambda label: -label.probability)[:LABELS]))

    def _likely(self, chances: Floats) -> Iterator[tuple[str, float]]:
        """Yield the names that are worth telling with their probabilities, most probable first."""
        for number in np.argsort(-chances[:-1])[:LABELS]:
            if chances[number] >= LEAST:
                yield self.names[number], float(chances[number])

    def _standard(self, features: Floats) -> Floats:
        result: Floats = (features[..., : len(self.mean)] - self.mean) / self.deviation
        return result
