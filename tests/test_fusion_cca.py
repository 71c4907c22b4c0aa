"""The closed-form space: pictures lie near the words that go with them."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.fusion.cca import LinearSpace, fit

WORDS, FEATURES = 6, 8


@pytest.fixture(scope="module")
def space() -> LinearSpace:
    """Of pictures whose features are a noisy linear map of their words."""
    generator = np.random.default_rng(0)
    bags = (generator.random((400, WORDS)) < 0.4).astype(np.float32)
    mixing = generator.standard_normal((WORDS, FEATURES))
    means = (bags @ mixing + 0.05 * generator.standard_normal((400, FEATURES))).astype(np.float32)
    made = fit(means, bags, np.ones(WORDS, np.float32), ridge=(0.1, 1e-3), topics=WORDS, dim=4)
    object.__setattr__(made, "mixing", mixing)
    return made


def test_a_picture_is_nearest_to_its_own_words(space: LinearSpace) -> None:
    generator = np.random.default_rng(1)
    bags = np.unique((generator.random((40, WORDS)) < 0.4).astype(np.float32), axis=0)
    bags = bags[bags.sum(1) > 0]
    seen = space.pictures((bags @ space.mixing).astype(np.float32))  # type: ignore[attr-defined]
    read = space.texts([np.flatnonzero(bag) for bag in bags])
    assert seen.shape == read.shape == (len(bags), 4)
    assert np.allclose(np.linalg.norm(read, axis=1), 1, atol=1e-5)
    ranks = (seen @ read.T > (seen * read).sum(1, keepdims=True)).sum(1)
    assert np.mean(ranks == 0) > 0.7


def test_words_that_are_not_read_say_nothing(space: LinearSpace) -> None:
    mute = LinearSpace(space.centre, space.picture, np.zeros(WORDS, np.float32), space.usual, space.text)
    assert not mute.texts([np.array([1, 2]), np.array([], int)]).any()
    once, twice = space.texts([np.array([1, 2]), np.array([1, 2, 2])])
    assert np.array_equal(once, twice)


def test_it_survives_the_checkpoint(space: LinearSpace) -> None:
    again = LinearSpace.of(space.arrays())
    assert np.array_equal(again.text, space.text) and np.array_equal(again.picture, space.picture)
