"""The retrieval task: a caption's words close to places of its picture, far from those of all others.

InfoNCE both ways over a batch (van den Oord et al., 2018; Radford et al., ICML 2021). Captions of other
pictures that say nearly the same are no clean negatives: part of the target goes to them in proportion to
their tf-idf similarity. What a sentence encoder makes of the whole caption is brought to the whole picture in the
same way, by two towers and a loss of their own. Word vectors start from latent semantic analysis of the training
captions (Deerwester et al., 1990), so that words of the same pictures start close together.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import comb
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ..errors import InputError
from . import cca
from .checkpoint import Arrays
from .config import FusionConfig
from .data import Example, hold
from .layers import pooling, shrink
from .quantised import pack, unpack
from .retrieval import SIDE, Calibration, Layout, ranks, relative, roc_auc, surprise
from .sentences import FUNCTION_WORDS, PAD, Vocabulary, tokenize
from .task import Material, Task
from .views import Views

Floats = NDArray[np.float32]
ARTICLES = frozenset({"a", "an", "the", "two", "three", "his", "her", "their", "some"})


@dataclass(frozen=True)
class RetrievalOptions(Views):
    """Options of the task; ``model.dim`` is the size of a word's or a place's vector."""

    least: int = 3
    """A word of the vocabulary occurs so often."""
    longest: int = 24
    """Words of a caption that are read."""
    reduced: int = 384
    """Principal components of the features that are kept."""
    word_dim: int = 224
    captions: int = 2
    """Captions of each picture in a batch."""
    soft: float = 0.3
    """Share of the target that goes by the likeness of captions instead of to the own picture."""
    likeness: float = 0.1
    """Temperature of that likeness."""
    close: float = 2.0
    """Weight of what words find at places against the linear space."""
    word_pictures: int = 15
    """A word that the linear layer predicts occurs in the captions of at least so many pictures."""
    word_ridge: float = 2.0
    """Penalty of that layer, in units of the number of pictures, on standardised features."""
    meaning: float = 3.0
    """Weight of what the sentence encoder's vector and the whole picture have in common."""
    meaning_dim: int = 256
    share: float = 0.02
    """Weight of the predicted words."""
    space: float = 1.0
    """Weight of the linear space."""
    space_dim: int = 256
    space_topics: int = 700
    """Topics of the captions that the linear space relates to the features."""
    space_ridge: float = 3.0
    """Ridge on standardised mean features."""
    space_ridge_topics: float = 1e-3
    """Ridge on topics."""
    bank: int = 150
    """Pictures, and as many captions, that a score is compared with at run time."""
    calibrate: float = 0.05
    """Share of training pictures that are not trained on: bank and match probability come from them."""


class PlaceTower(nn.Module):
    """The grid, (batch, places, reduced), to a unit vector of each place, (batch, places, dim).

    A place knows what the whole picture shows.
    """

    def __init__(self, reduced: int, hidden: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.see = nn.LayerNorm(reduced), nn.Linear(reduced, hidden)
        self.where = nn.Parameter(torch.zeros(SIDE * SIDE, hidden))
        self.whole, self.drop = nn.Linear(hidden, hidden), nn.Dropout(dropout)
        self.out, self.direct = nn.Linear(hidden, dim), nn.Linear(reduced, dim)

    def forward(self, grid_BPR: torch.Tensor) -> torch.Tensor:
        """Return unit vectors."""
        x = self.norm(grid_BPR)
        hidden = _gelu(self.see(x) + self.where)
        hidden = hidden + _gelu(self.whole(self.drop(hidden.mean(1, keepdim=True))))
        return functional.normalize(self.out(self.drop(hidden)) + self.direct(x), dim=-1)


class WordTower(nn.Module):
    """Word numbers, (batch, words), to unit vectors of the real words, (real, dim), and how much each says, (real,).

    A word is read with its two neighbours; how much the words of a text say sums to 1.
    """

    def __init__(self, vectors: Floats, hidden: int, dim: int, dropout: float) -> None:
        super().__init__()
        width = vectors.shape[1]
        self.words = nn.Embedding.from_pretrained(torch.from_numpy(vectors), freeze=False, padding_idx=PAD)
        self.read, self.says = nn.Linear(3 * width, hidden), nn.Linear(hidden, 1)
        self.out, self.direct = nn.Linear(hidden, dim), nn.Linear(width, dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, words_BT: torch.Tensor, hide: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Return vectors and weights, text after text; ``hide`` is the share of words that are blanked."""
        mask = words_BT > PAD
        words = self.words(words_BT)
        if hide:
            words = words * (torch.rand(words_BT.shape, device=words.device) > hide)[..., None]
        words = self.drop(words)
        padded = functional.pad(words, (0, 0, 1, 1))
        # Only real words are read: captions differ much in length, and this layer costs most.
        hidden = _gelu(self.read(torch.cat([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], -1)[mask]))
        vectors = functional.normalize(self.out(self.drop(hidden)) + self.direct(words[mask]), dim=-1)
        says = torch.full(mask.shape, -1e4, device=words.device).masked_scatter(mask, self.says(hidden)[:, 0])
        return vectors, says.softmax(1)[mask]


class MeaningTowers(nn.Module):
    """The grid, (batch, places, reduced), and an encoder's sentences, (texts, width), to unit vectors of one space."""

    def __init__(self, reduced: int, width: int, hidden: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.see = nn.LayerNorm(reduced), nn.Linear(reduced, hidden)
        self.show = nn.Linear(2 * hidden, dim)
        self.read, self.say, self.direct = nn.Linear(width, hidden), nn.Linear(hidden, dim), nn.Linear(width, dim)
        self.drop = nn.Dropout(dropout)
        self.scale = nn.Parameter(torch.tensor(float(np.log(1 / 0.07))))

    def pictures(self, grid_BPR: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of whole pictures, (batch, dim)."""
        hidden = _gelu(self.see(self.drop(self.norm(grid_BPR))))
        return functional.normalize(self.show(self.drop(torch.cat([hidden.mean(1), hidden.amax(1)], -1))), dim=-1)

    def texts(self, embedded: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of sentences, (texts, dim)."""
        x = self.drop(embedded * embedded.shape[-1] ** 0.5)
        return functional.normalize(self.say(self.drop(_gelu(self.read(x)))) + self.direct(x), dim=-1)

    def forward(self, grid_BPR: torch.Tensor, embedded: torch.Tensor) -> torch.Tensor:
        """Return the score of each text with each picture, (texts, pictures), over the temperature."""
        return self.texts(embedded) @ self.pictures(grid_BPR).T * self.scale.exp().clamp(max=100)


class Towers(nn.Module):
    """The towers, how much a word prefers its best place, and the temperature of the scores."""

    def __init__(self, places: PlaceTower, read: WordTower, meaning: MeaningTowers | None) -> None:
        super().__init__()
        self.places, self.read, self.meaning = places, read, meaning
        self.sharp = nn.Parameter(torch.tensor(2.0))
        self.scale = nn.Parameter(torch.tensor(float(np.log(1 / 0.07))))

    def forward(self, grid_BPR: torch.Tensor, words_TL: torch.Tensor, hide: float = 0.0) -> torch.Tensor:
        """Return the score of each text with each picture, (texts, pictures), over the temperature."""
        places, (words, says) = self.places(grid_BPR), self.read(words_TL, hide)
        near = (words @ places.flatten(0, 1).T).unflatten(1, places.shape[:2])
        found = ((self.sharp.exp() * near).softmax(-1) * near).sum(-1) * says[:, None]
        owner = torch.arange(len(words_TL), device=words.device).repeat_interleave((words_TL > PAD).sum(1))
        scores = found.new_zeros(len(words_TL), len(places)).index_add(0, owner, found)
        return scores * self.scale.exp().clamp(max=100)


class RetrievalTask(Task):
    """Learns the common space of pictures and sentences from captions."""

    name = "retrieval"
    watch = "recall"

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        super().__init__(config, material, extras)
        self.options = options = config.take(RetrievalOptions)
        train = [e for e in material.train if e.image and e.captions]
        self.val = [e for e in material.val if e.image and e.captions]
        if len(self.val) < 2 or (len(train) < 4 and not extras):
            raise InputError("the retrieval task needs examples with an 'image' and 'captions' on both sides")
        self.held, self.train = hold(train, options.calibrate, config.training.seed)
        if len(self.held) < 2 and not extras:
            raise InputError("too few pictures to hold some back; give more data or raise options.calibrate")
        self.reduce_mean, self.reduce_weight = np.zeros(0, np.float32), np.zeros((0, 0), np.float32)
        self.vocabulary = (
            Vocabulary(tuple(extras["vocabulary"]))
            if extras
            else Vocabulary.of((tokenize(c) for e in self.train for c in e.captions), options.least)
        )
        self.sides = {"val": self.val} if extras else {"train": self.train, "held": self.held, "val": self.val}
        self.means = {part: self._means(examples) for part, examples in self.sides.items()}
        self.grids: dict[str, torch.Tensor] = {}
        self.words = {
            part: self._numbers([c for e in examples for c in e.captions]) for part, examples in self.sides.items()
        }
        self.meant: dict[str, torch.Tensor] = {}
        if config.sentences and material.sentences:
            for part, examples in self.sides.items():
                captions = [caption for example in examples for caption in example.captions]
                self.meant[part] = torch.from_numpy(material.sentences.embed(captions))
        self.first = np.cumsum([0] + [len(e.captions) for e in self.train])
        self.calibration = Calibration((1.0, 0.0, 0.0, 0.0, 0.0), 0.0)
        self.bank: tuple[Floats, Floats] = (np.zeros((1, 1), np.float32),) * 2
        if extras:
            self.predicted = np.array(self.vocabulary.numbers(extras["words"]), int)
            self.nouns: list[str] = extras["nouns"]
            self.calibration = Calibration((*extras["calibration"]["weights"],), extras["calibration"]["bias"])
        else:
            self._fit_reduction()
            self._reduce()
            self._likeness()
            self.nouns = self._nouns()
            self._fit_words()
            self._fit_space()
        torch.manual_seed(config.training.seed)
        model = config.model
        vectors = self._vectors() if not extras else np.zeros((len(self.vocabulary), options.word_dim), np.float32)
        width = self.meant["val"].shape[1] if self.meant else 0
        self.module = Towers(
            PlaceTower(options.reduced, model.hidden, model.dim, model.dropout),
            WordTower(vectors, model.hidden, model.dim, model.dropout),
            MeaningTowers(options.reduced, width, model.hidden, options.meaning_dim, model.dropout) if width else None,
        )

    def _means(self, examples: Sequence[Example]) -> Floats:
        return np.stack([self._features(example).mean(0) for example in examples])

    def _fit_reduction(self) -> None:
        """Fit the principal components of the training pictures' features, shrunk to what the towers see."""
        chosen = self.train[:: max(1, len(self.train) // 1500)]
        sample = np.concatenate([shrink(self._features(example), self.config.grid, SIDE) for example in chosen])
        self.reduce_mean = sample.mean(0)
        centred = sample - self.reduce_mean
        values, vectors = np.linalg.eigh(centred.T @ centred / len(sample))
        strongest = np.argsort(-values)[: self.options.reduced]
        scale = float(np.sqrt(values[strongest[:64]].mean()))
        self.reduce_weight = (vectors[:, strongest].T / scale).astype(np.float32)

    def _features(self, example: Example) -> Floats:
        assert example.image is not None
        return self.material.features.get(example.image).astype(np.float32)

    def _reduce(self) -> None:
        for part, examples in self.sides.items():
            reduced = [(self._features(e) - self.reduce_mean) @ self.reduce_weight.T for e in examples]
            self.grids[part] = torch.from_numpy(np.stack(reduced).astype(np.float16))

    def _numbers(self, captions: Sequence[str]) -> torch.Tensor:
        numbers = np.zeros((len(captions), self.options.longest), np.int64)
        for row, caption in enumerate(captions):
            known = [n for n in self.vocabulary.numbers(tokenize(caption)) if n >= 4][: self.options.longest]
            numbers[row, : len(known)] = known
        return torch.from_numpy(numbers)

    def _likeness(self) -> None:
        """Prepare tf-idf: each word's weight by the number of training pictures whose captions hold it.

        Choose the predicted words by that number.
        """
        holds = np.zeros(len(self.vocabulary), np.float32)
        numbers = self.words["train"].numpy()
        for number, _ in enumerate(self.train):
            holds[np.unique(numbers[self.first[number] : self.first[number + 1]])] += 1
        self.idf = torch.from_numpy(np.log((1 + len(self.train)) / (1 + holds)).astype(np.float32))
        self.idf[:4] = 0
        least, every = self.options.word_pictures, self.vocabulary.words
        often = [n for n in range(4, len(every)) if holds[n] >= least and every[n] not in FUNCTION_WORDS]
        self.predicted = np.array(often, int)

    def _nouns(self) -> list[str]:
        """Return the predicted words that stand like nouns: often after an article, and mostly before a small word."""
        after, before, total = Counter[str](), Counter[str](), Counter[str]()
        for example in self.train:
            for caption in example.captions:
                tokens = tokenize(caption)
                for left, word, right in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
                    total[word] += 1
                    after[word] += left in ARTICLES
                    before[word] += right == "" or right in FUNCTION_WORDS or right.endswith("ing")
        predicted = [self.vocabulary.words[number] for number in self.predicted]
        return [
            w for w in predicted if after[w] > 0.2 * total[w] and before[w] > 0.45 * total[w] and not w.endswith("ing")
        ]

    def _bags(self, numbers: torch.Tensor) -> torch.Tensor:
        bags = torch.zeros(len(numbers), len(self.vocabulary))
        bags.scatter_(1, numbers, self.idf[numbers])
        return functional.normalize(bags, dim=-1)

    def _vectors(self) -> Floats:
        """Return start vectors of the words by latent semantic analysis, (words, word_dim)."""
        pictures = np.zeros((len(self.train), len(self.vocabulary)), np.float32)
        numbers = self.words["train"].numpy()
        for number in range(len(self.train)):
            np.add.at(pictures[number], numbers[self.first[number] : self.first[number + 1]].ravel(), 1)
        pictures = np.log1p(pictures) * self.idf.numpy()
        pictures /= np.linalg.norm(pictures, axis=1, keepdims=True) + 1e-6
        generator, width = np.random.default_rng(self.config.training.seed), self.options.word_dim
        count = min(width, *pictures.shape)
        span = generator.standard_normal((pictures.shape[0], count)).astype(np.float32)
        for _ in range(3):  # subspace iteration (Halko, Martinsson & Tropp, SIAM Review 2011)
            span = np.linalg.qr(pictures @ (pictures.T @ span))[0]
        words = pictures.T @ span
        words /= np.linalg.norm(words, axis=1, keepdims=True) + 1e-6
        vectors = np.zeros((len(self.vocabulary), width), np.float32)
        vectors[:, :count] = words * (0.3 * width**0.5)
        vectors[:4] = 0
        return vectors

    def plan(self, generator: np.random.Generator) -> list[list[int]]:
        """Return one epoch's batches of pictures; a last batch that is much too small to contrast is left out."""
        order, size = generator.permutation(len(self.train)).tolist(), self.config.training.batch
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        return [batch for batch in batches if len(batch) * 2 > size] or batches

    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return the mean of both directions' cross-entropy, of words at places and of the meaning."""
        options, device = self.options, self.module.scale.device
        spans = [np.arange(self.first[i], self.first[i + 1]) for i in indices]
        drawn = np.concatenate([generator.choice(span, options.captions) for span in spans])
        numbers = self.words["train"][drawn]
        numbers = numbers[:, : max(1, int((numbers > 0).sum(1).max()))]
        target = functional.one_hot(torch.arange(len(spans)).repeat_interleave(options.captions), len(spans)).float()
        if options.soft:
            own = torch.stack([self._bags(self.words["train"][span[0] : span[-1] + 1]).mean(0) for span in spans])
            alike = (self._bags(numbers) @ functional.normalize(own, dim=-1).T / options.likeness).softmax(1)
            target = (1 - options.soft) * target + options.soft * alike
        target = target.to(device)
        grids = self._seen(self.grids["train"][list(indices)].float(), generator).to(device)
        loss = contrastive(self.module(grids, numbers.to(device), self.config.training.word_dropout), target)
        if self.module.meaning is not None:
            loss = loss + contrastive(self.module.meaning(grids, self.meant["train"][drawn].to(device)), target)
        return loss

    def _seen(self, grids_BPR: torch.Tensor, generator: np.random.Generator) -> torch.Tensor:
        """Return grids of SIDE rows and columns, some of them of a part of the picture, some mirrored."""
        views = [self.options.draw(generator, self.config.grid).pooling(SIDE) for _ in grids_BPR]
        return torch.bmm(torch.from_numpy(np.stack(views)), grids_BPR)

    def validate(self) -> dict[str, float]:
        """Return recall among the validation pictures and the match accuracy."""
        seen, read = self._pictures("val"), self._texts("val")
        owner = np.concatenate([[n] * len(e.captions) for n, e in enumerate(self.val)]).astype(int)
        scores = self._layout().scores(read, seen)
        figures = recalls(scores, owner)
        features, truth = self._pairs(scores, seen, read, owner)
        chances = self.calibration.chance(features)
        accuracy = float(((chances > 0.5) == truth).mean())
        recall = float(np.mean([figures[name] for name in ("r_at_1", "r_at_5", "r_at_10")]))
        return {**figures, "recall": recall, "match_accuracy": accuracy, "match_roc_auc": roc_auc(chances, truth)}

    def baseline(self) -> dict[str, float]:
        """Return what pictures and captions in any order give, on average."""
        captions = [len(example.captions) for example in self.val]
        figures = {}
        for k in (1, 5, 10):
            figures[f"r_at_{k}"] = min(1.0, k / len(captions))
            missed = [comb(sum(captions) - own, k) / comb(sum(captions), min(k, sum(captions))) for own in captions]
            figures[f"text_r_at_{k}"] = 1 - float(np.mean(missed))
        recall = float(np.mean([figures[name] for name in ("r_at_1", "r_at_5", "r_at_10")]))
        return {**figures, "recall": recall, "match_accuracy": 0.5, "match_roc_auc": 0.5}

    def _layout(self) -> Layout:
        meaning = self.options.meaning_dim if self.module.meaning is not None else 0
        plain = self.space.picture.shape[0] + len(self.predicted) + meaning
        sharp = float(self.module.sharp.detach().exp())
        return Layout(plain, self.config.model.dim, sharp, self.options.close)

    def _pictures(self, part: str) -> Floats:
        device, every = self.module.scale.device, []
        for start in range(0, len(self.grids[part]), 200):
            given = torch.from_numpy(pooling(self.config.grid, SIDE)) @ self.grids[part][start : start + 200].float()
            given = given.to(device)
            both = [self.module.places(given), _mirror(self.module.places(_mirror(given)))]
            places = functional.normalize(torch.stack(both).sum(0), dim=-1).flatten(1).cpu().numpy()
            means = self.means[part][start : start + 200]
            linear = self.options.space * self.space.pictures(means)
            parts = [linear, self.options.share * surprise(means, self.layer)]
            if (meaning := self.module.meaning) is not None:
                shown = functional.normalize(meaning.pictures(given) + meaning.pictures(_mirror(given)), dim=-1)
                parts.append(self.options.meaning * shown.cpu().numpy())
            every.append(np.concatenate([*parts, places], 1))
        return np.concatenate(every).astype(np.float32)

    def _texts(self, part: str) -> Floats:
        every = []
        for start in range(0, len(self.words[part]), 500):
            block = self.words[part][start : start + 500]
            vectors, says = self.module.read(block.to(self.module.scale.device))
            mask, numbers = (block > PAD).numpy(), block.numpy()
            read = np.zeros((*mask.shape, self.config.model.dim + 1), np.float32)
            read[mask] = torch.cat([vectors, says[:, None]], 1).cpu().numpy()
            linear = self.space.texts([row[row > 0] for row in numbers])
            parts = [linear, self._named(numbers)]
            if (meaning := self.module.meaning) is not None:
                said = self.meant[part][start : start + len(block)].to(self.module.scale.device)
                parts.append(meaning.texts(said).cpu().numpy())
            every.append(np.concatenate([*parts, read.reshape(len(read), -1)], 1))
        return np.concatenate(every).astype(np.float32)

    def _named(self, numbers: NDArray[Any]) -> Floats:
        """Return which of the predicted words each caption has, (captions, words)."""
        named = np.zeros((len(numbers), len(self.vocabulary)), np.float32)
        np.put_along_axis(named, numbers, 1, 1)
        return named[:, self.predicted]

    def _fit_words(self) -> None:
        """Fit the linear layer from mean features to the share of captions with each word: a ridge regression."""
        shares = np.stack([self._named(self.words["train"][a:b].numpy()).mean(0) for a, b in pairwise(self.first)])
        means = self.means["train"]
        centre, deviation = means.mean(0), means.std(0) + 1e-6
        x, usual = (means - centre) / deviation, shares.mean(0)
        gram = x.T @ x + self.options.word_ridge * len(x) * np.eye(x.shape[1], dtype=np.float32)
        weight = np.linalg.solve(gram, x.T @ (shares - usual)).T / deviation
        self.layer = {"words.centre": centre, "words.weight": weight.astype(np.float32), "words.usual": usual}

    def _fit_space(self) -> None:
        """Fit the linear space to all captions of each picture."""
        options, numbers = self.options, self.words["train"].numpy()
        bags = np.zeros((len(self.train), len(self.vocabulary)), np.float32)
        for row, (start, end) in enumerate(pairwise(self.first)):
            for caption in numbers[start:end]:
                bags[row, np.unique(caption)] += 1
        rarity = self.idf.numpy().copy()
        rarity[self.vocabulary.numbers(sorted(FUNCTION_WORDS))] *= 0.3
        rarity[:4] = 0
        ridge = options.space_ridge, options.space_ridge_topics
        means = self.means["train"]
        self.space = cca.fit(means, bags, rarity, ridge=ridge, topics=options.space_topics, dim=options.space_dim)

    def _pairs(
        self, scores: Floats, seen: Floats, read: Floats, owner: NDArray[Any]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the calibration's features of every caption with its own and with four other pictures, and the truth.

        An own picture comes four times, so that true and false pairs are as many.
        """
        shifts = np.random.default_rng(0).integers(1, len(seen), (4, len(owner)))
        which = np.concatenate([np.tile(owner, 4), ((owner + shifts) % len(seen)).ravel()])
        texts, layout = np.tile(np.arange(len(read)), 8), self._layout()
        among_pictures, among_texts = layout.scores(read, self.bank[0]), layout.scores(self.bank[1], seen).T
        features = relative(scores[texts, which], among_pictures[texts], among_texts[which])
        return features, np.arange(len(texts)) < 4 * len(owner)

    def calibrate(self) -> None:
        """Choose the bank from the held-back pictures, and fit the match probability to the rest of them."""
        owner = np.concatenate([[n] * len(e.captions) for n, e in enumerate(self.held)]).astype(int)
        seen, read = self._pictures("held"), self._texts("held")
        few = max(1, min(self.options.bank, len(seen) // 2))
        self.bank = seen[:few], read[np.searchsorted(owner, np.arange(few))]
        rest = owner >= few
        seen, read, owner = seen[few:], read[rest], owner[rest] - few
        features, truth = self._pairs(self._layout().scores(read, seen), seen, read, owner)
        weights, bias = logistic(features, truth)
        self.calibration = Calibration(tuple(weights.tolist()), bias)

    def extras(self) -> dict[str, Any]:
        """Return vocabulary, predicted words and calibration."""
        return {
            "vocabulary": list(self.vocabulary.words),
            "words": [self.vocabulary.words[number] for number in self.predicted],
            "nouns": self.nouns,
            "longest": self.options.longest,
            "close": self.options.close,
            "share": self.options.share,
            "space": self.options.space,
            "meaning": self.options.meaning,
            "calibration": dataclasses.asdict(self.calibration),
        }

    def arrays(self) -> Arrays:
        """Return towers, words, the reduction of the features and the bank; matrices in eight bits."""
        arrays = {
            **super().arrays(),
            **self.layer,
            **self.space.arrays(),
            "reduce.mean": self.reduce_mean,
            "reduce.weight": self.reduce_weight,
            "bank.pictures": self.bank[0],
            "bank.texts": self.bank[1],
        }
        large = [name for name, array in arrays.items() if array.ndim == 2 and array.size > 10_000]
        return pack(arrays, [name for name in large if not name.startswith("bank.")])

    def load(self, arrays: Arrays) -> None:
        """Take the weights and all that was fitted before them."""
        plain = unpack(arrays)
        super().load({name: plain[name] for name in self.module.state_dict() if name in plain})
        self.layer = {name: array for name, array in plain.items() if name.startswith("words.")}
        self.space = cca.LinearSpace.of(plain)
        self.bank = plain["bank.pictures"], plain["bank.texts"]
        self.reduce_mean, self.reduce_weight = plain["reduce.mean"], plain["reduce.weight"]
        self._reduce()


def contrastive(scores: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the mean of both directions' cross-entropy of (texts, pictures); each text's shares sum to one."""
    to_pictures = -(target * scores.log_softmax(1)).sum(1).mean()
    to_texts = -(target / target.sum(0) * scores.log_softmax(0)).sum(0).mean()
    return (to_pictures + to_texts) / 2


def recalls(scores: Floats, owner: NDArray[Any]) -> dict[str, float]:
    """Return R@1, R@5, R@10 of texts to pictures and back; see :func:`.retrieval.ranks`."""
    forth, back = ranks(scores, owner)
    return {
        f"{name}_{k}": float((rank <= k).mean())
        for name, rank in (("r_at", forth), ("text_r_at", back))
        for k in (1, 5, 10)
    }


def logistic(features: Floats, truth: NDArray[np.bool_], ridge: float = 1e-3) -> tuple[Floats, float]:
    """Return weights and bias of a logistic regression, by Newton's method on standardised columns."""
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    x = np.concatenate([(features - mean) / deviation, np.ones((len(features), 1))], 1).astype(np.float64)
    solution = np.zeros(x.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(x @ solution, -30, 30)))
        slope = x.T @ (chance - truth) / len(x) + ridge * solution
        curve = (x * (chance * (1 - chance))[:, None]).T @ x / len(x) + ridge * np.eye(x.shape[1])
        solution -= np.linalg.solve(curve, slope)
    weights = solution[:-1] / deviation
    return weights.astype(np.float32), float(solution[-1] - (weights * mean).sum())


def _mirror(grid_BPR: torch.Tensor) -> torch.Tensor:
    return grid_BPR.unflatten(1, (SIDE, SIDE)).flip(2).flatten(1, 2)


def _gelu(x: torch.Tensor) -> torch.Tensor:
    return x * torch.sigmoid(1.702 * x)
