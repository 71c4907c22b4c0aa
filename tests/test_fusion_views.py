"""Random parts of a grid, stretched to the whole."""

import numpy as np
import pytest

from assistant.fusion.layers import pooling
from assistant.fusion.views import View, Views

GRID = (9, 9)


def test_the_whole_is_the_pooled_grid():
    assert np.array_equal(View.whole(GRID).pooling(5), pooling(GRID, 5))
    assert np.allclose(View.whole(GRID).pooling(1), 1 / 81)


def test_a_part_sees_nothing_outside_of_it():
    weights = View(GRID, top=2, left=3, height=5, width=6, mirrored=False).pooling(5).reshape(25, 9, 9)
    assert np.allclose(weights.sum((1, 2)), 1)
    seen = weights.any(0)
    assert seen[2:7, 3:9].all() and seen.sum() == 30
    assert weights[0, 2, 3] and not weights[0, 6, 8] and weights[24, 6, 8], "first window top left, last bottom right"


def test_a_mirrored_part_is_the_part_of_the_mirrored_grid():
    grid = np.random.default_rng(0).normal(size=(9, 9, 4))
    plain = View(GRID, 1, 2, 7, 6, mirrored=True).pooling(5) @ grid.reshape(81, 4)
    mirrored = View(GRID, 1, 1, 7, 6, mirrored=False).pooling(5) @ grid[:, ::-1].reshape(81, 4)
    assert np.allclose(plain, mirrored)


def test_draws_keep_to_their_bounds_and_repeat_with_the_seed():
    draws = [
        [Views(crop=0.5, least_side=0.6, mirror=0.5).draw(generator, GRID) for _ in range(400)]
        for generator in map(np.random.default_rng, (7, 7))
    ]
    assert draws[0] == draws[1]
    assert all(6 <= view.height <= 9 and 6 <= view.width <= 9 for view in draws[0])
    assert all(view.top + view.height <= 9 and view.left + view.width <= 9 for view in draws[0])
    assert np.mean([view.mirrored for view in draws[0]]) == pytest.approx(0.5, abs=0.1)
    assert np.mean([(view.height, view.width) == GRID for view in draws[0]]) == pytest.approx(0.53, abs=0.1)


def test_no_part_and_no_mirror_is_the_whole():
    views = Views(crop=0.0, mirror=0.0)
    assert views.draw(np.random.default_rng(0), GRID) == View.whole(GRID)
