"""The visual-word task: learns which words people would use for a picture.

A word's target is the share of a picture's captions that hold it; a linear layer on the mean of the grid
predicts it (Fang et al., "From Captions to Visual Concepts and Back", CVPR 2015, without their detector).
This is all that the embedding-space connector needs to be trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ..errors import InputError
from .checkpoint import Arrays
from .config import FusionConfig
from .data import Example, parts
from .features import Features
from .sentences import FUNCTION_WORDS, tokenize
from .task import Material, Task
from .visual import VisualWords

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class WordOptions:
    """Options of the task."""

    least: int = 25
    """A visual word occurs in the captions of at least so many pictures."""


class WordHead(nn.Module):
    """Standardised mean features, (batch, dim), to a score for each word, (batch, words)."""

    def __init__(self, dim: int, share: Floats, dropout: float) -> None:
        super().__init__()
        self.linear, self.drop = nn.Linear(dim, len(share)), nn.Dropout(dropout)
        nn.init.zeros_(self.linear.weight)
        self.linear.bias.data = torch.logit(torch.from_numpy(share).clamp(1e-4, 1 - 1e-4))

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return the scores before the sigmoid."""
        scores: torch.Tensor = self.linear(self.drop(pooled))
        return scores


def vocabulary(examples: Sequence[Example], least: int) -> list[str]:
    """Return the words that occur in the captions of at least ``least`` pictures, most frequent first.

    Raises :class:`InputError` where there are none.
    """
    counts = Counter(
        word
        for example in examples
        for word in dict.fromkeys(word for caption in example.captions for word in tokenize(caption))
    )
    words = [word for word, count in counts.most_common() if count >= least and word not in FUNCTION_WORDS]
    if not words:
        raise InputError(f"no word occurs in the captions of {least} pictures; lower options.least or give more data")
    return words


def targets(examples: Sequence[Example], words: Sequence[str]) -> Floats:
    """Return the share of each picture's captions that hold each word, (pictures, words)."""
    numbers = {word: number for number, word in enumerate(words)}
    shares = np.zeros((len(examples), len(words)), np.float32)
    for row, example in enumerate(examples):
        for caption in example.captions:
            for word in set(tokenize(caption)) & numbers.keys():
                shares[row, numbers[word]] += 1 / len(example.captions)
    return shares


def pooled(features: Features, examples: Sequence[Example]) -> Floats:
    """Return the mean of each picture's grid, (pictures, dim)."""
    means = [features.get(example.image).astype(np.float32).mean(0) for example in examples if example.image]
    return np.stack(means) if means else np.zeros((0, features.dim or features.encoder.layout.dim), np.float32)


class WordTask(Task):
    """Learns visual words from captions."""

    name = "words"
    watch = "loss"
    higher = False

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        super().__init__(config, material, extras)
        options = config.take(WordOptions)
        self.words = extras["visual_words"] if extras else vocabulary(material.train, options.least)
        self.means = pooled(material.features, material.val)
        self.val_targets = torch.from_numpy(targets(material.val, self.words))
        share = np.zeros(len(self.words), np.float32)
        if not extras:
            train = pooled(material.features, material.train)
            self._standardise(train.mean(0), train.std(0) + 1e-6)
            self.train = self._scaled(train)
            self.train_targets = torch.from_numpy(targets(material.train, self.words))
            share = self.train_targets.mean(0).numpy()
        torch.manual_seed(config.training.seed)
        self.module = WordHead(config.encoder_dim, share, config.model.dropout)

    def _standardise(self, mean: Floats, deviation: Floats) -> None:
        self.mean, self.deviation = mean, deviation
        self.val = self._scaled(self.means)

    def _scaled(self, means: Floats) -> torch.Tensor:
        return torch.from_numpy(((means - self.mean) / self.deviation).astype(np.float32))

    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return the binary cross-entropy, summed over words."""
        return self._loss(self.train[list(indices)], self.train_targets[list(indices)])

    def _loss(self, means: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        device = next(self.module.parameters()).device
        scores = self.module(means.to(device))
        return functional.binary_cross_entropy_with_logits(scores, shares.to(device)) * len(self.words)

    def validate(self) -> dict[str, float]:
        """Return the loss, and the mean average precision over words that occur in the validation captions."""
        scores = torch.sigmoid(self.module(self.val.to(next(self.module.parameters()).device))).cpu().numpy()
        truth = self.val_targets.numpy() > 0
        precisions = [average_precision(scores[:, w], truth[:, w]) for w in range(len(self.words)) if truth[:, w].any()]
        return {
            "loss": float(self._loss(self.val, self.val_targets)),
            "average_precision": float(np.mean(precisions)),
        }

    def extras(self) -> dict[str, Any]:
        """Return the word list."""
        return {"visual_words": list(self.words)}

    def arrays(self) -> Arrays:
        """Return the arrays of :class:`VisualWords`."""
        return self.head().arrays()

    def load(self, arrays: Arrays) -> None:
        """Take the weights, and the mean and deviation that they were trained with."""
        head = VisualWords.of(arrays, list(self.words))
        self._standardise(head.mean, head.deviation)
        super().load({"linear.weight": head.weight, "linear.bias": head.bias})

    def head(self) -> VisualWords:
        """Return the trained layer as the numpy run time uses it."""
        weight, bias = (tensor.detach().float().cpu().numpy() for tensor in self.module.linear.parameters())
        return VisualWords(tuple(self.words), self.mean, self.deviation, weight, bias)


def average_precision(scores: Floats, truth: NDArray[np.bool_]) -> float:
    """Return the area under the precision-recall curve."""
    hits = truth[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())


def fit(means: Floats, shares: Floats, epochs: int, dropout: float, seed: int) -> tuple[Floats, Floats]:
    """Train a head on standardised means at once; return its weight, (words, dim), and bias, (words,).

    AdamW with one cycle (Smith & Topin, 2019): seconds for a few thousand pictures.
    """
    torch.manual_seed(seed)
    x, y = torch.from_numpy(means), torch.from_numpy(shares)
    head, size = WordHead(x.shape[1], shares.mean(0), dropout), min(128, len(x))
    optimiser = torch.optim.AdamW(head.parameters(), weight_decay=0.1)
    steps = epochs * (len(x) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=steps + 1)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for start in range(0, len(x) - size + 1, size):
            chosen = order[start : start + size]
            loss = functional.binary_cross_entropy_with_logits(head(x[chosen]), y[chosen]) * y.shape[1]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    head.eval()
    weight, bias = (tensor.detach().numpy() for tensor in head.linear.parameters())
    return weight, bias


def out_of_fold(means: Floats, shares: Floats, epochs: int, dropout: float, seed: int, folds: int = 5) -> Floats:
    """Return each picture's word probabilities by a head that was trained without it, (pictures, words).

    What reads them later in training then sees them as uncertain as they will be on new pictures.
    """
    chances = np.zeros_like(shares)
    for held in parts(len(means), folds, seed):
        weight, bias = fit(means[~held], shares[~held], epochs, dropout, seed)
        chances[held] = 1 / (1 + np.exp(-(means[held] @ weight.T + bias)))
    return chances
