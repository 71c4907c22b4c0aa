"""Parts of a picture's grid in place of the whole: more pictures to learn from, and nothing to encode.

Random resized crops and mirror images (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015), but of the
features of a picture that was encoded once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layers import Floats, windows


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of a grid, perhaps mirrored."""

    grid: tuple[int, int]
    top: int
    left: int
    height: int
    width: int
    mirrored: bool

    @classmethod
    def whole(cls, grid: tuple[int, int]) -> View:
        """Return all of a grid, as it is."""
        return cls(grid, 0, 0, *grid, False)

    def mean(self, grid_PD: NDArray[np.floating[Any]]) -> Floats:
        """Return the mean over its places, (dim,), of a grid's features, (rows * columns, dim)."""
        rows, columns = self.grid
        part = grid_PD.reshape(rows, columns, -1)[self.top : self.top + self.height, self.left : self.left + self.width]
        result: Floats = part.reshape(self.height * self.width, -1).mean(0, dtype=np.float32)
        return result

    def pooling(self, side: int) -> Floats:
        """Return the weights that stretch it over ``side`` windows each way, (side * side, rows * columns)."""
        down = _placed(windows(self.height, side), self.top, self.grid[0])
        across = _placed(windows(self.width, side), self.left, self.grid[1])
        weights: Floats = np.kron(down, across[::-1] if self.mirrored else across)
        return weights


@dataclass(frozen=True)
class Views:
    """How a task looks at its training pictures; its options extend these."""

    crop: float = 1.0
    """Share of pictures of which only a random part of the grid is seen."""
    least_side: float = 0.6
    """The smallest part of the grid's rows, and of its columns."""
    mirror: float = 0.5
    """Share of pictures whose grid is mirrored."""

    def draw(self, generator: np.random.Generator, grid: tuple[int, int]) -> View:
        """Return a random part of a grid of (rows, columns)."""
        height, width = rows, columns = grid
        if generator.random() < self.crop:
            height, width = (int(generator.integers(math.ceil(self.least_side * all), all + 1)) for all in grid)
        top, left = int(generator.integers(rows - height + 1)), int(generator.integers(columns - width + 1))
        return View(grid, top, left, height, width, bool(generator.random() < self.mirror))


def _placed(part: Floats, start: int, length: int) -> Floats:
    """Return weights over a part of a side as weights over the whole side, (windows, length)."""
    whole = np.zeros((len(part), length), np.float32)
    whole[:, start : start + part.shape[1]] = part
    return whole
