"""Pictures and sentences in one space: which picture fits these words, and does it fit at all? Numpy only.

Each word looks for the places of the eyes' grid that it fits. How well it fits there, weighed by how much the word
says, is the score (late interaction: Yao et al., "FILIP", ICLR 2022; Khattab & Zaharia, "ColBERT", SIGIR 2020). A
linear space in closed form (:mod:`.cca`) compares the whole, two small towers compare it with what a sentence encoder
makes of the meaning (:mod:`.minilm`), which knows words that no caption had, and a linear layer says how much likelier
each word is made by the picture; all are added. How high a score is high differs from sentence to sentence, so a
match is judged against a bank of other pictures and other sentences (hubness: Dinu et al., ICLR 2015 workshop).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import Settings
from ..errors import ModelError
from ..store import Store
from . import checkpoint, heads, minilm
from .cca import LinearSpace
from .checkpoint import Checkpoint
from .encoders import SentenceEncoder
from .layers import Floats, linear, norm, quick_gelu, shrink, softmax, units
from .quantised import unpack
from .sentences import Vocabulary, tokenize

Vectors = NDArray[np.floating[Any]]
"""Of pictures; kept as float16 where there are many."""

SIDE = 5
"""The grid is averaged to so many rows and columns."""
SHARP = 0.1
"""Temperature of scores where a pair is compared with a bank of others."""
BLOCK = 100
"""Pictures that are compared at once: each word meets each of their places."""


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


def relative(scores: Floats, among_pictures: Floats, among_texts: Floats) -> Floats:
    """Return what tells how high each pair's score is, (pairs, 5).

    The score itself; its distance from the mean of the text's scores with other pictures, (pairs, pictures), and of
    the picture's with other texts, (pairs, texts), in deviations; the logarithm of its softmax among them, at a
    temperature of :data:`SHARP`.
    """
    columns = [scores]
    for others in (among_pictures, among_texts):
        columns.append((scores - others.mean(1)) / (others.std(1) + 1e-3))
        highest = others.max(1, keepdims=True)
        columns.append((scores - highest[:, 0]) / SHARP - np.log(np.exp((others - highest) / SHARP).sum(1)))
    return np.stack(columns, 1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands where in a vector: first what is compared by a plain product, then words or places."""

    plain: int
    dim: int
    """Of the vector of a word or place."""
    sharp: float
    """How much a word prefers the place that it fits best."""
    weight: float
    """Of what words find at places, against the plain product."""

    def scores(self, texts_TD: Floats, pictures_PD: Vectors) -> Floats:
        """Return how well each text fits each picture, (texts, pictures)."""
        read = texts_TD[:, self.plain :].reshape(len(texts_TD), -1, self.dim + 1)
        owner, number = np.nonzero(read[..., -1])
        words, says = read[owner, number, : self.dim], read[owner, number, self.dim]
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        scores = np.zeros((len(texts_TD), len(pictures_PD)), np.float32)
        for start in range(0, len(pictures_PD), BLOCK):
            block = pictures_PD[start : start + BLOCK].astype(np.float32)
            part = scores[:, start : start + BLOCK]
            part += texts_TD[:, : self.plain] @ block[:, : self.plain].T
            if len(owner):
                places = block[:, self.plain :].reshape(-1, self.dim)
                near = (words @ places.T).reshape(len(words), len(block), SIDE * SIDE)
                found = (softmax(self.sharp * near) * near).sum(-1) * says[:, None]
                part[owner[first]] += self.weight * np.add.reduceat(found, first)
        return scores


class DualEncoder:
    """The linear space, the words and the towers of a ``retrieval`` checkpoint.

    A picture's vector has its place in the linear space, how much likelier than usual it makes each word, its meaning,
    and a vector of each of its places; a sentence's has its place in the linear space, which words it has, its
    meaning, and for each word a vector and how much it says. :meth:`scores` compares them. Without a sentence encoder
    nothing stands for the meaning.
    """

    def __init__(self, saved: Checkpoint, sentences: SentenceEncoder | None = None) -> None:
        """Take a checkpoint and the sentence encoder that it names.

        Raises :class:`ModelError` without the latter, and for a checkpoint of an earlier version, which compared
        pictures as a whole.
        """
        self.config, extras = saved.config, saved.extras
        if "close" not in extras:
            raise ModelError("the retrieval checkpoint is of an earlier version; train it again or remove it")
        saved.config.check(sentences=sentences.name if sentences else "")
        self.sentences = sentences if saved.config.sentences else None
        self.vocabulary = Vocabulary(tuple(extras["vocabulary"]))
        self.words = {word: number for number, word in enumerate(extras["words"])}
        self.nouns = frozenset(extras["nouns"])
        self.share = float(extras["share"])
        self.weight, self.meant = float(extras["space"]), float(extras.get("meaning", 0.0))
        self.longest = int(extras["longest"])
        self.w = unpack(saved.arrays)
        self.space = LinearSpace.of(self.w)
        dim = len(self.w["places.out.bias"])
        meaning = len(self.w["meaning.show.bias"]) if self.sentences else 0
        plain = self.space.picture.shape[0] + len(self.words) + meaning
        self.layout = Layout(plain, dim, float(np.exp(self.w["sharp"]).item()), float(extras["close"]))
        self.calibration = Calibration((*extras["calibration"]["weights"],), extras["calibration"]["bias"])

    @classmethod
    def load(cls, path: Path, sentences: SentenceEncoder | None = None) -> DualEncoder:
        """Load a checkpoint. Raises :class:`ModelError` where it is damaged."""
        return cls(checkpoint.load(path), sentences)

    @classmethod
    def of(cls, saved: Checkpoint, store: Store) -> DualEncoder:
        """Return the encoder of a checkpoint, with the sentence encoder that it names from the store."""
        return cls(saved, minilm.find(saved.config.sentences, store))

    @classmethod
    def find(cls, settings: Settings, store: Store) -> DualEncoder:
        """Return the encoder of the checkpoint in force. Raises :class:`ModelError` where there is none."""
        return cls.of(heads.find(settings, "retrieval"), store)

    @property
    def dim(self) -> int:
        """Length of a picture's vector."""
        return int(self.w["bank.pictures"].shape[1])

    def picture(self, features_PD: Floats) -> Floats:
        """Return the vector of a picture, (dim,); its mirror image is looked at too, so that sides do not count."""
        features_PD = features_PD[:, : self.config.encoder_dim]
        grid = self._reduced(features_PD)
        places, means = self._places(grid), features_PD.mean(0)
        parts = [self.weight * self.space.pictures(means[None])[0], self.share * surprise(means, self.w)]
        if self.sentences:
            parts.append(self.meant * units(self._show(grid) + self._show(_mirrored(grid))))
        vector: Floats = np.concatenate([*parts, places.ravel()]).astype(np.float32)
        return vector

    def text(self, sentence: str) -> Floats:
        """Return the vector of a sentence, (length,); zeros where nothing of it is known."""
        vector: Floats = self.texts([sentence])[0]
        return vector

    def texts(self, sentences: Sequence[str]) -> Floats:
        """Return the vectors of sentences, (sentences, length)."""
        said = [tokenize(sentence) for sentence in sentences]
        numbers = [[number for number in self.vocabulary.numbers(tokens) if number >= 4] for tokens in said]
        named = np.zeros((len(said), len(self.words)), np.float32)
        read = np.zeros((len(said), self.longest, self.layout.dim + 1), np.float32)
        space = np.zeros((len(said), self.space.picture.shape[0]), np.float32)
        for row, (tokens, known) in enumerate(zip(said, numbers, strict=True)):
            named[row, [self.words[token] for token in set(tokens) if token in self.words]] = 1
            if known:
                read[row, : len(known)] = self._read(known[: self.longest])
                space[row] = self.space.texts([np.array(known)])[0]
        parts = [space, named]
        if self.sentences:
            parts.append(self._say(self.sentences.embed(sentences)) * [[bool(tokens)] for tokens in said])
        vectors: Floats = np.concatenate([*parts, read.reshape(len(said), -1)], 1).astype(np.float32)
        return vectors

    def scores(self, texts: Floats, pictures: Vectors) -> Floats:
        """Return how well each text fits each picture, (texts, pictures), from their vectors."""
        return self.layout.scores(texts, pictures)

    def alike(self, picture: Floats, pictures: Vectors) -> Floats:
        """Return how much pictures are alike, (pictures,): the cosine of what is compared as a whole."""
        whole, one = pictures[:, : self.layout.plain].astype(np.float32), picture[: self.layout.plain]
        cosines: Floats = whole @ one / np.maximum(np.linalg.norm(whole, axis=1) * np.linalg.norm(one), 1e-9)
        return cosines

    def compared(self, text: Floats, pictures: Vectors) -> Floats:
        """Return :func:`relative` of a text with each picture, (pictures, 5), among those of the bank."""
        others = self.scores(text[None], self.w["bank.pictures"])
        among = self.scores(self.w["bank.texts"], pictures).T
        return relative(self.scores(text[None], pictures)[0], np.repeat(others, len(pictures), 0), among)

    def chances(self, text: Floats, pictures: Vectors) -> Floats:
        """Return the calibrated probability that a text is true of each picture, (pictures,), from their vectors."""
        return self.calibration.chance(self.compared(text, pictures))

    def judge(self, picture: Floats, text: str) -> float:
        """Return the calibrated probability that a text is true of a picture (its vector).

        0.5 where nothing of the text is known.
        """
        words = self.text(text)
        return float(self.chances(words, picture[None])[0]) if words.any() else 0.5

    def match(self, features_PD: Floats, text: str) -> float:
        """Return :meth:`judge` of a picture's features, (places, dim)."""
        return self.judge(self.picture(features_PD), text)

    def where(self, features_PD: Floats, word: str) -> Floats:
        """Return how much of its attention a known word pays to each place of the eyes' grid, (places,)."""
        places = self._places(self._reduced(features_PD[:, : self.config.encoder_dim]))
        vector = self._read(self.vocabulary.numbers([word]))[0, :-1]
        found = softmax(self.layout.sharp * (places @ vector)).reshape(SIDE, SIDE)
        rows, columns = (np.arange(side) * SIDE // side for side in self.config.grid)
        spread = found[rows][:, columns].ravel()
        shares: Floats = spread / spread.sum()
        return shares

    def knows(self, word: str) -> bool:
        """Return whether a word was seen in training."""
        return not self.unknown(word)

    def unknown(self, sentence: str) -> list[str]:
        """Return the words of a sentence that were never seen in training."""
        return [word for word in tokenize(sentence) if self.vocabulary.numbers([word])[0] < 4]

    def _reduced(self, features_PD: Floats) -> Floats:
        """Return the grid with :data:`SIDE` places a side and fewer features, (places, reduced)."""
        shrunk = shrink(features_PD, self.config.grid, SIDE) - self.w["reduce.mean"]
        reduced: Floats = np.matmul(shrunk, self.w["reduce.weight"].T)
        return reduced

    def _places(self, grid: Floats) -> Floats:
        """Return unit vectors of places, (places, dim), in which sides do not count, from :meth:`_reduced`."""
        return units(self._look(grid) + _mirrored(self._look(_mirrored(grid))))

    def _look(self, grid: Floats) -> Floats:
        """Return unit vectors of places, (places, dim), from the reduced grid, (places, reduced)."""
        x = norm(self.w, "places.norm", grid)
        hidden = quick_gelu(linear(self.w, "places.see", x) + self.w["places.where"])
        hidden = hidden + quick_gelu(linear(self.w, "places.whole", hidden.mean(0)))
        return units(linear(self.w, "places.out", hidden) + linear(self.w, "places.direct", x))

    def _show(self, grid: Floats) -> Floats:
        """Return the unit vector of what a picture means, (dim,), from the reduced grid, (places, reduced)."""
        hidden = quick_gelu(linear(self.w, "meaning.see", norm(self.w, "meaning.norm", grid)))
        return units(linear(self.w, "meaning.show", np.concatenate([hidden.mean(0), hidden.max(0)])))

    def _say(self, embedded: Floats) -> Floats:
        """Return the same of sentences, (sentences, dim), from the sentence encoder's vectors."""
        x = embedded * np.float32(embedded.shape[1] ** 0.5)
        hidden = quick_gelu(linear(self.w, "meaning.read", x))
        return units(linear(self.w, "meaning.say", hidden) + linear(self.w, "meaning.direct", x))

    def _read(self, numbers: list[int]) -> Floats:
        """Return unit vectors of words and how much each says, (words, dim + 1)."""
        words = self.w["read.words.weight"][numbers]
        padded = np.pad(words, ((1, 1), (0, 0)))
        around = np.concatenate([padded[:-2], padded[1:-1], padded[2:]], 1)
        hidden = quick_gelu(linear(self.w, "read.read", around))
        vectors = units(linear(self.w, "read.out", hidden) + linear(self.w, "read.direct", words))
        return np.concatenate([vectors, softmax(linear(self.w, "read.says", hidden), 0)], 1)


def shares(means: Floats, layer: Mapping[str, Floats]) -> Floats:
    """Return the predicted share of captions with each word, (..., words), from mean features; some are below 0.

    ``layer`` is a linear one, ``words.*``.
    """
    centre = layer["words.centre"]
    more = np.matmul(means[..., : len(centre)] - centre, layer["words.weight"].T)
    return np.asarray(more + layer["words.usual"], np.float32)


def surprise(means: Floats, layer: Mapping[str, Floats]) -> Floats:
    """Return how much likelier than usual each word is, as a logarithm, (..., words), from mean features.

    ``layer`` is that of :func:`shares`.
    """
    usual, likely = layer["words.usual"], shares(means, layer)
    result: Floats = np.log(np.clip(likely, 0, 1) + 0.006) - np.log(usual + 0.006)
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


def _mirrored(places: Floats) -> Floats:
    mirrored: Floats = places.reshape(SIDE, SIDE, -1)[:, ::-1].reshape(SIDE * SIDE, -1)
    return mirrored
