"""Pictures and sentences in one space: which picture fits these words, and does it fit at all? Numpy only.

Pairs of towers (as in Frome et al., NeurIPS 2013, and Faghri et al., "VSE++", BMVC 2018): attention pooling over the
places of the eyes' grid, a convolution over the words; the cosine of the two vectors is the score, added
over the pairs. A linear space in closed form (:mod:`.cca`) is one more pair, and a linear layer says how much
likelier each word is made by the picture; both are added. How high a score is high differs from sentence to sentence,
so a match is judged against a bank of other pictures and other sentences (hubness: Dinu et al., ICLR 2015 workshop).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checkpoint
from .cca import LinearSpace
from .checkpoint import Checkpoint
from .layers import Floats, linear, norm, quick_gelu, shrink, softmax
from .quantised import unpack
from .sentences import Vocabulary, tokenize

SIDE = 5
"""The grid is averaged to so many rows and columns."""
SHARP = 0.1
"""Temperature of scores where a pair is compared with a bank of others."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic regression from what :func:`relative` finds to a chance."""

    weights: tuple[float, ...]
    bias: float

    def chance(self, features: Floats) -> Floats:
        """Return probabilities, (pairs,), from (pairs, features)."""
        result: Floats = (1 / (1 + np.exp(-(features @ np.array(self.weights, np.float32) + self.bias)))).astype(
            np.float32
        )
        return result


def relative(scores: Floats, pictures: Floats, texts: Floats, bank: tuple[Floats, Floats]) -> Floats:
    """Return what tells how high a pair's score is, (pairs, 5), from its vectors and a bank of (pictures, texts).

    The score itself; its distance from the mean over other pictures, and over other texts, in deviations; the
    logarithm of its softmax among them, at a temperature of :data:`SHARP`.
    """
    columns = [scores]
    for others in (texts @ bank[0].T, pictures @ bank[1].T):
        columns.append((scores - others.mean(1)) / (others.std(1) + 1e-3))
        highest = others.max(1, keepdims=True)
        columns.append((scores - highest[:, 0]) / SHARP - np.log(np.exp((others - highest) / SHARP).sum(1)))
    return np.stack(columns, 1).astype(np.float32)


class DualEncoder:
    """The towers, the linear space and the words of a ``retrieval`` checkpoint.

    A vector has a part for each pair of towers and one in the linear space, of length one each, and a part for words:
    of a picture how much likelier than usual each word is, of a sentence which words it has. Scores are plain products.
    """

    def __init__(self, saved: Checkpoint) -> None:
        self.config, extras = saved.config, saved.extras
        self.vocabulary = Vocabulary(tuple(extras["vocabulary"]))
        self.members = int(extras["members"])
        self.words = {word: number for number, word in enumerate(extras["words"])}
        self.nouns = frozenset(extras["nouns"])
        self.share = float(extras["share"])
        self.weight = float(extras["space"])
        self.w = unpack(saved.arrays)
        self.space = LinearSpace.of(self.w)
        self.calibration = Calibration((*extras["calibration"]["weights"],), extras["calibration"]["bias"])

    @classmethod
    def load(cls, path: Path) -> DualEncoder:
        """Load a checkpoint. Raises :class:`ModelError` where it is damaged."""
        return cls(checkpoint.load(path))

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.w["bank.pictures"].shape[1])

    def picture(self, features_PD: Floats) -> Floats:
        """Return the vector of a picture, (dim,); each tower sees its mirror image too, so that sides do not count."""
        w = self.w
        places = np.matmul(shrink(features_PD, self.config.grid, SIDE) - w["reduce.mean"], w["reduce.weight"].T)
        mirrored = places.reshape(SIDE, SIDE, -1)[:, ::-1].reshape(SIDE * SIDE, -1)
        parts = []
        for member in range(self.members):
            both: Floats = self._look(f"{member}.picture", places) + self._look(f"{member}.picture", mirrored)
            parts.append(_unit(both))
        means = features_PD.mean(0)
        parts += [self.weight * self.space.pictures(means[None])[0], self.share * surprise(means, w)]
        return np.concatenate(parts).astype(np.float32)

    def text(self, sentence: str) -> Floats:
        """Return the vector of a sentence, (dim,); zeros where none of its words is known."""
        tokens = tokenize(sentence)
        numbers = [number for number in self.vocabulary.numbers(tokens) if number >= 4]
        named = np.zeros(len(self.words), np.float32)
        named[[self.words[token] for token in set(tokens) if token in self.words]] = 1
        if not numbers:
            return np.zeros(self.dim, np.float32)
        parts = [self._read(f"{member}.text", numbers) for member in range(self.members)]
        return np.concatenate([*parts, self.space.texts([np.array(numbers)])[0], named]).astype(np.float32)

    def texts(self, sentences: Sequence[str]) -> Floats:
        """Return the vectors of sentences, (sentences, dim)."""
        return np.stack([self.text(sentence) for sentence in sentences])

    def chances(self, pictures: Floats, texts: Floats) -> Floats:
        """Return the calibrated probability that each text is true of its picture, (pairs,), from their vectors."""
        bank = self.w["bank.pictures"], self.w["bank.texts"]
        return self.calibration.chance(relative((pictures * texts).sum(1), pictures, texts, bank))

    def judge(self, picture: Floats, text: str) -> float:
        """Return the calibrated probability that a text is true of a picture (its vector).

        0.5 where no word of the text is known.
        """
        words = self.text(text)
        return float(self.chances(picture[None], words[None])[0]) if words.any() else 0.5

    def match(self, features_PD: Floats, text: str) -> float:
        """Return :meth:`judge` of a picture's features, (places, dim)."""
        return self.judge(self.picture(features_PD), text)

    def unknown(self, sentence: str) -> list[str]:
        """Return the words of a sentence that were never seen in training."""
        return [word for word in tokenize(sentence) if self.vocabulary.numbers([word])[0] < 4]

    def _look(self, name: str, places: Floats) -> Floats:
        x = norm(self.w, f"{name}.norm", places)
        hidden = quick_gelu(linear(self.w, f"{name}.see", x) + self.w[f"{name}.where"])
        weights = softmax(linear(self.w, f"{name}.attend", hidden), 0)
        pooled = (weights.T @ hidden).ravel()
        return _unit(linear(self.w, f"{name}.out", pooled) + linear(self.w, f"{name}.direct", x.mean(0)))

    def _read(self, name: str, numbers: list[int]) -> Floats:
        words = self.w[f"{name}.words.weight"][numbers]
        padded = np.pad(words, ((1, 1), (0, 0)))
        around = np.concatenate([padded[:-2], padded[1:-1], padded[2:]], 1)
        read = quick_gelu(linear(self.w, f"{name}.read", around))
        weights = softmax(linear(self.w, f"{name}.attend", read)[:, 0])
        joined = np.concatenate([read.max(0), weights @ read])
        return _unit(linear(self.w, f"{name}.out", joined) + linear(self.w, f"{name}.direct", words.mean(0)))


def surprise(means: Floats, layer: Mapping[str, Floats]) -> Floats:
    """Return how much likelier than usual each word is, as a logarithm, (..., words), from mean features.

    ``layer`` is a linear one, ``words.*``, that predicts the share of a picture's captions with each word.
    """
    usual = layer["words.usual"]
    shares = (means - layer["words.centre"]) @ layer["words.weight"].T + usual
    result: Floats = np.log(np.clip(shares, 0, 1) + 0.006) - np.log(usual + 0.006)
    return result


def ranks(scores: Floats, owner: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the rank, from 1, of each text's picture, and of each picture's best own text.

    ``scores`` is (texts, pictures), ``owner`` the picture of each text. Ties count against the system.
    """
    own = scores[np.arange(len(owner)), owner]
    forth = (scores >= own[:, None]).sum(1)
    best = np.full(scores.shape[1], -np.inf)
    np.maximum.at(best, owner, own)
    foreign = owner[:, None] != np.arange(scores.shape[1])
    return forth, 1 + ((scores >= best) & foreign).sum(0)


def roc_auc(scores: NDArray[Any], truth: NDArray[np.bool_]) -> float:
    """Return the chance that a true pair scores above a false one; 0.5 where there is only one kind."""
    true, false = scores[truth], np.sort(scores[~truth])
    if not len(true) or not len(false):
        return 0.5
    below = np.searchsorted(false, true, "left") + np.searchsorted(false, true, "right")
    return float(below.mean() / 2 / len(false))


def _unit(x: Floats) -> Floats:
    result: Floats = x / max(float(np.linalg.norm(x)), 1e-12)
    return result
