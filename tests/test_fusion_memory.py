"""Remembered questions: equal ones are answered alike, and the picture decides between them."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.fusion.memory import Memory

WEIGHTS = np.array([1.0, 2.0, 1.0, 0.5], np.float32)
GRAMS = [[0, 1], [0, 1], [2, 3], [2, 3, 3]]
"""Two questions, each asked of two pictures."""
ANSWERS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], np.float32)


@pytest.fixture
def memory() -> Memory:
    return Memory.fit(GRAMS, WEIGHTS, np.eye(2, dtype=np.float32), [0, 1, 0, 1], ANSWERS)


def vector(numbers: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    asked = np.zeros(len(WEIGHTS), np.float32)
    np.add.at(asked, numbers, WEIGHTS[numbers])
    return asked


@pytest.mark.parametrize("row", range(2))
def test_the_picture_decides_between_equal_questions(memory: Memory, row: int) -> None:
    assert memory.recall(vector(GRAMS[0]), np.eye(2, dtype=np.float32)[row]).argmax() == row


def test_without_a_picture_neither_wins(memory: Memory) -> None:
    recalled = memory.recall(vector(GRAMS[0]), None)
    assert recalled[0] == pytest.approx(recalled[1], abs=1e-3) and recalled[0] > recalled[2]
    assert memory.recall(vector(GRAMS[3]), None).argmax() == 2


def test_it_comes_back_from_a_checkpoint(memory: Memory) -> None:
    again = Memory.of({**memory.arrays(), "questions.weights": WEIGHTS})
    seen = np.eye(2, dtype=np.float32)[0]
    assert np.allclose(again.recall(vector([1]), seen), memory.recall(vector([1]), seen), atol=1e-5)


def test_many_grams_are_numbered_without_overflow() -> None:
    weights, pictures = np.ones(40_000, np.float32), np.eye(2, dtype=np.float32)
    memory = Memory.fit([[39_998], [39_999]], weights, pictures, [0, 1], np.eye(2, dtype=np.float32))
    again = Memory.of({**memory.arrays(), "questions.weights": weights})
    assert memory.grams.ravel().tolist() == again.grams.ravel().tolist() == [39_998, 39_999]


def test_words_that_it_does_not_know_leave_the_usual(memory: Memory) -> None:
    assert np.isfinite(memory.recall(vector([]), None)).all()
