"""Answers from remembered questions: a kernel ridge regression over question and picture at once. Numpy only.

Two examples are as alike as their questions, times how alike their pictures are:
exp(s (q·q' - 1)) (c + (1 - c) exp(t (p·p' - 1))) with unit vectors q and p (Schölkopf & Smola, "Learning with Kernels",
2002, ch. 13 for products of kernels). Without a picture the second factor is its mean over all remembered pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .layers import Floats

SHARP, VAGUE = 2.0, 1.0
"""s and t: how fast likeness falls with the angle between two questions, and between two pictures."""
COMMON = 0.2
"""c: likeness of two equal questions about pictures that have nothing in common."""
RIDGE = 0.5
FEWEST = 1e-3
"""Least share of an answer: what was never answered to such a question is not impossible."""


@dataclass(frozen=True, eq=False)
class Memory:
    """Questions, their pictures and what each of them speaks for."""

    grams: NDArray[np.integer]
    """Numbers of each question's grams with repeats, (questions, most), filled up with the number after the last."""
    weights: Floats
    """Inverse document frequency of each gram."""
    pictures: Floats
    """Unit vectors, (pictures, components)."""
    picture: NDArray[np.integer]
    """Row of each question's picture."""
    votes: Floats
    """(questions, answers)."""
    usual: Floats
    """Share of each answer among all."""

    def __post_init__(self) -> None:
        weights = np.append(self.weights, np.float32(0))[self.grams]
        repeats = (self.grams[:, :, None] == self.grams[:, None, :]).sum(-1)
        lengths = np.sqrt((weights**2 * repeats).sum(1))
        object.__setattr__(self, "_rows", weights / np.maximum(lengths, 1e-6)[:, None])
        object.__setattr__(self, "_often", _near(self.pictures, self.pictures).mean(0))

    @classmethod
    def of(cls, layer: Mapping[str, NDArray[np.generic]]) -> Memory:
        """Take the arrays of a checkpoint, ``memory.*``."""
        names = ("pictures", "votes", "usual")
        return cls(
            np.asarray(layer["memory.grams"], _numbers(len(layer["questions.weights"]))),
            np.asarray(layer["questions.weights"], np.float32),
            picture=np.asarray(layer["memory.picture"], _numbers(len(layer["memory.pictures"]))),
            **{name: np.asarray(layer[f"memory.{name}"], np.float32) for name in names},
        )

    @classmethod
    def fit(
        cls,
        grams: Sequence[Sequence[int]],
        weights: Floats,
        pictures: Floats,
        picture: Sequence[int],
        answers: Floats,
    ) -> Memory:
        """Learn from numbered grams, unit vectors of pictures, each question's picture and shares of answers.

        ``answers`` is (questions, answers). Takes the cube of the questions: 5,000 in some ten seconds of one core.
        """
        most = max(map(len, grams))
        table = np.full((len(grams), most), len(weights), _numbers(len(weights)))
        for row, numbers in zip(table, grams, strict=True):
            row[: len(numbers)] = numbers
        usual = answers.mean(0)
        empty = cls(table, weights, pictures, np.asarray(picture, _numbers(len(pictures))), answers, usual)
        dense = np.zeros((len(table), len(weights) + 1), np.float32)
        rows: Floats = empty._rows  # type: ignore[attr-defined]
        np.add.at(dense, (np.arange(len(table))[:, None], table), rows)
        likeness = np.exp(SHARP * (dense @ dense.T - 1)) * _shared(_near(pictures, pictures))[picture][:, picture]
        likeness[np.diag_indices(len(table))] += RIDGE
        votes = np.linalg.solve(likeness, answers - usual).astype(np.float32)
        return cls(table, weights, pictures, empty.picture, votes, usual)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what a checkpoint keeps beside the grams' weights."""
        names = ("grams", "pictures", "picture", "votes", "usual")
        return {f"memory.{name}": getattr(self, name) for name in names}

    def recall(self, asked: Floats, seen: Floats | None) -> Floats:
        """Return the logarithm of each answer's share, (answers,).

        ``asked`` is a question's vector in the space of the grams, of any length; ``seen`` a picture's unit vector.
        """
        rows: Floats = self._rows  # type: ignore[attr-defined]
        often: Floats = self._often  # type: ignore[attr-defined]
        unit = np.append(asked / max(float(np.linalg.norm(asked)), 1e-6), np.float32(0))
        alike = np.exp(SHARP * ((unit[self.grams] * rows).sum(1) - 1))
        near = often if seen is None else _near(seen[None], self.pictures)[0]
        share = (alike * _shared(near)[self.picture]) @ self.votes + self.usual
        result: Floats = np.log(np.clip(share, FEWEST, 1)).astype(np.float32)
        return result


def _numbers(largest: int) -> type[np.integer]:
    return np.int16 if largest <= np.iinfo(np.int16).max else np.int32


def _near(some: Floats, others: Floats) -> Floats:
    result: Floats = np.exp(VAGUE * (some @ others.T - 1)).astype(np.float32)
    return result


def _shared(near: Floats) -> Floats:
    result: Floats = COMMON + (1 - COMMON) * near
    return result
