"""Answers to questions about a room: what stands where, how many, of which colour. Numpy only.

Trained on DAQUAR's questions, it knows that style and those scenes, so it says nothing to any other: a question
whose words and word pairs it does not know, one for a number, which it could not count, or a picture far from all it
saw, gets no answer rather than a guess.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from . import checkpoint
from .checkpoint import Checkpoint
from .layers import Floats, softmax
from .memory import Memory
from .quantised import unpack

MOST = 5
"""Answers that are returned."""


def words(question: str) -> list[str]:
    """Return the lower-case words and numbers of a question, American spelling made the source's."""
    found = re.findall(r"[a-z0-9_]+", question.lower())
    return ["colour" if word == "color" else "colours" if word == "colors" else word for word in found]


def grams(question: str) -> list[str]:
    """Return what a question is known by: words, word pairs, its first word, its first three, its last."""
    found = words(question)
    if not found:
        return []
    pairs = [f"{a} {b}" for a, b in pairwise(found)]
    return [*found, *pairs, f"^{found[0]}", f"^{' '.join(found[:3])}", f"{found[-1]}$"]


def kind(question: str) -> str:
    """Return the type of a question: ``number``, ``colour``, ``object`` or ``other``."""
    found = words(question)
    if found[:2] == ["how", "many"]:
        return "number"
    if {"colour", "colours"} & set(found):
        return "colour"
    return "object" if found[:1] in (["what"], ["which"]) else "other"


def seen(question: str) -> bool:
    """Return whether the picture helps with a question: how many there are of something its mean features do not tell.

    In cross-validation counts are guessed better from the question alone (0.318 against 0.307).
    """
    return kind(question) != "number"


@dataclass(frozen=True)
class Questions:
    """Questions as vectors: tf-idf of :func:`grams`, all of length 4."""

    names: tuple[str, ...]
    weights: Floats
    """Inverse document frequency of each gram."""

    @classmethod
    def of(cls, questions: Sequence[str], least: int) -> Questions:
        """Keep grams of at least ``least`` questions."""
        counts = Counter(gram for question in questions for gram in dict.fromkeys(grams(question)))
        names = tuple(gram for gram, count in counts.items() if count >= least)
        return cls(names, np.log([len(questions) / counts[name] for name in names]).astype(np.float32))

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numbers", {name: number for number, name in enumerate(self.names)})

    def numbered(self, question: str) -> list[int]:
        """Return the numbers of a question's known grams, with repeats."""
        known: dict[str, int] = self._numbers  # type: ignore[attr-defined]
        return [known[gram] for gram in grams(question) if gram in known]

    def vectors(self, questions: Iterable[str]) -> Floats:
        """Return vectors, (questions, grams); zeros where nothing is known."""
        rows = [self.numbered(question) for question in questions]
        table = np.zeros((len(rows), len(self.names)), np.float32)
        for row, numbers in zip(table, rows, strict=True):
            np.add.at(row, numbers, self.weights[numbers])
        lengths = np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-6)
        result: Floats = (4 * table / lengths).astype(np.float32)
        return result

    def known(self, question: str) -> float:
        """Return the share of a question's words and word pairs that are known; 0 where a whole word is not."""
        numbers: dict[str, int] = self._numbers  # type: ignore[attr-defined]
        found = words(question)
        if not found or any(word not in numbers for word in found):
            return 0.0
        pairs = [f"{a} {b}" for a, b in pairwise(found)]
        return sum(pair in numbers for pair in pairs) / len(pairs) if pairs else 0.0


@dataclass(frozen=True, eq=False)
class Scenes:
    """A picture's mean features as a short vector: principal components, half-way whitened, mean square 1."""

    mean: Floats
    weight: Floats
    """(components, dim)."""

    @classmethod
    def of(cls, means: Floats, count: int) -> Scenes:
        """Fit to the mean features of pictures, (pictures, dim)."""
        mean = means.mean(0)
        _, values, vectors = np.linalg.svd(means - mean, full_matrices=False)
        count = min(count, int((values > values[0] * 1e-4).sum()))
        return cls(mean, (vectors[:count] / np.sqrt(values[:count, None] / values[0])).astype(np.float32))

    def vectors(self, means: Floats) -> Floats:
        """Return vectors, (pictures, components)."""
        reduced = np.matmul(means - self.mean, self.weight.T)
        length = np.linalg.norm(reduced, axis=-1, keepdims=True) / len(self.weight) ** 0.5
        result: Floats = (reduced / np.maximum(length, 1e-6)).astype(np.float32)
        return result

    def units(self, means: Floats, count: int) -> Floats:
        """Return the first components of :meth:`vectors`, (pictures, at most ``count``), at length one."""
        reduced = np.matmul(means - self.mean, self.weight[:count].T)
        length = np.linalg.norm(reduced, axis=-1, keepdims=True)
        result: Floats = (reduced / np.maximum(length, 1e-6)).astype(np.float32)
        return result

    def distance(self, means: Floats) -> Floats:
        """Return the share of each picture's deviation from the mean that the components do not hold."""
        centred = means - self.mean
        basis = self.weight / np.linalg.norm(self.weight, axis=1, keepdims=True)
        held = ((centred @ basis.T) ** 2).sum(-1)
        result: Floats = 1 - held / np.maximum((centred**2).sum(-1), 1e-12)
        return result


@dataclass(frozen=True, slots=True)
class Balance:
    """How much each part counts; scores are (..., answers)."""

    language: float
    """Share of the picture-blind networks among the networks, where there is a picture."""
    presence: float
    memory: float

    def seeing(self, blind: Floats, seeing: Floats, presence: Floats, recalled: Floats) -> Floats:
        """Return the scores with a picture."""
        networks = self.language * blind + (1 - self.language) * seeing
        result: Floats = networks + self.presence * presence + self.memory * recalled
        return result

    def blind(self, blind: Floats, recalled: Floats) -> Floats:
        """Return the scores without one."""
        result: Floats = blind + self.memory * recalled
        return result


class Answerer:
    """The head of a ``vqa`` checkpoint."""

    def __init__(self, saved: Checkpoint) -> None:
        extras: dict[str, Any] = saved.extras
        self.config = saved.config
        self.w = unpack(saved.arrays)
        self.questions = Questions(tuple(extras["grams"]), self.w["questions.weights"])
        self.scenes = Scenes(self.w["scenes.mean"], self.w["scenes.weight"])
        self.answers: tuple[str, ...] = tuple(extras["answers"])
        self.temperature: dict[str, float] = extras["temperature"]
        self.least_known, self.furthest = float(extras["least_known"]), float(extras["furthest"])
        self.members, self.balance = int(extras["members"]), Balance(**extras["balance"])
        self.memory = Memory.of(self.w)

    @classmethod
    def load(cls, path: Path) -> Answerer:
        """Load a checkpoint. Raises :class:`ModelError` where it is damaged."""
        return cls(checkpoint.load(path))

    def answer(self, features_PD: Floats, question: str) -> tuple[tuple[str, float], ...]:
        """Return answers with calibrated probabilities, best first; none where question or picture are foreign."""
        if not self.familiar(features_PD, question):
            return ()
        chances = self.probabilities(features_PD, question)
        best = np.argsort(-chances)[:MOST]
        return tuple((spoken(self.answers[i]), round(float(chances[i]), 4)) for i in best)

    def familiar(self, features_PD: Floats, question: str) -> bool:
        """Return whether question and picture are of the kind that it learned from, and the picture helps."""
        if not seen(question) or self.questions.known(question) < self.least_known:
            return False
        return bool(self.scenes.distance(self._mean(features_PD)) <= self.furthest)

    def probabilities(self, features_PD: Floats | None, question: str) -> Floats:
        """Return the probability of each answer, (answers,); ``None`` answers from the question alone."""
        asked = self.questions.vectors([question])[0]
        mean = None if features_PD is None else self._mean(features_PD)
        blind = np.mean([self._scores(f"blind.{member}", asked, None) for member in range(self.members)], 0)
        if mean is None or not seen(question):
            return softmax(self.balance.blind(blind, self.memory.recall(asked, None)) / self.temperature["blind"])
        seeing = np.mean([self._scores(f"seeing.{member}", asked, mean) for member in range(self.members)], 0)
        recalled = self.memory.recall(asked, self.scenes.units(mean, self.memory.pictures.shape[1]))
        total = self.balance.seeing(blind, seeing, present(mean, self.w), recalled)
        return softmax(total / self.temperature["seeing"])

    def _mean(self, features_PD: Floats) -> Floats:
        mean: Floats = features_PD[:, : self.config.encoder_dim].mean(0)
        return mean

    def _scores(self, name: str, asked: Floats, mean: Floats | None) -> Floats:
        hidden = np.tanh(self._linear(f"{name}.ask", asked))
        scores = self._linear(f"{name}.from_question", hidden)
        if mean is None:
            return scores
        scene = np.tanh(self._linear(f"{name}.see", self.scenes.vectors(mean)))
        result: Floats = scores + self.w[f"{name}.from_both.weight"] @ np.concatenate([hidden * scene, scene])
        return result

    def _linear(self, name: str, x: Floats) -> Floats:
        result: Floats = self.w[f"{name}.weight"] @ x + self.w[f"{name}.bias"]
        return result


def present(means: Floats, layer: Mapping[str, Floats]) -> Floats:
    """Return how much likelier than usual each answer's things are in a picture, (..., answers), from mean features.

    ``layer`` is a linear one, ``presence.*``.
    """
    usual = layer["presence.usual"]
    share: Floats = np.matmul(means - layer["presence.centre"], layer["presence.weight"].T) + usual
    return log_odds(share, usual)


def log_odds(presence: Floats, usual: Floats) -> Floats:
    """Return how much likelier than usual a thing is, as a logarithm, bounded."""
    result: Floats = np.log(np.clip(presence, 0.005, 1.0) / np.clip(usual, 0.005, 1.0))
    return result


def spoken(answer: str) -> str:
    """Return an answer as one says it: ``"tissue_box,lamp"`` → ``"tissue box, lamp"``."""
    return answer.replace("_", " ").replace(",", ", ")


def together(parts: Iterable[str]) -> str:
    """Return several parts of an answer as one name, in no order of theirs."""
    return ",".join(sorted({part.strip().lower().replace(" ", "_") for part in parts if part.strip()}))
