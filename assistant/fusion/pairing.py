"""The pair task: does this text belong to this picture? One classifier on top of any strategy.

It is where the strategies are compared: a picture's grid (pooled to fewer places) and the words of a claim
meet in :mod:`.strategies`, a linear layer on the mean of the fused tokens says yes or no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ..errors import InputError
from .config import FusionConfig, ModelConfig
from .data import Example
from .retrieval import roc_auc
from .sentences import Vocabulary, tokenize
from .strategies import Modality, drop_modality, strategy
from .task import Material, Task


@dataclass(frozen=True)
class PairOptions:
    """Options of the task."""

    least: int = 5
    """A word of the vocabulary occurs so often."""
    longest: int = 24
    """Words of a claim that are read."""
    pool: int = 3
    """The grid is averaged to so many rows and columns; 0 keeps it."""
    invent: bool = True
    """Make false claims from other pictures' captions, as many as there are true ones, anew each step."""


class Pair(nn.Module):
    """A picture's places and a claim's words, through a strategy, to a score."""

    def __init__(self, features: int, words: int, config: ModelConfig, longest: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, config.dim)
        self.position = nn.Parameter(torch.randn(longest, config.dim) * 0.02)
        self.read = nn.GRU(config.dim, config.dim // 2, batch_first=True, bidirectional=True)
        self.fuse = strategy({"picture": features, "text": config.dim}, config)
        self.score = nn.Linear(config.dim, 1)

    def forward(self, places_BPF: torch.Tensor, words_BT: torch.Tensor, hide: float = 0.0) -> torch.Tensor:
        """Return the score of each pair, (batch,); ``hide`` is the share of rows that lose a modality."""
        mask = words_BT > 0
        text = self.words(words_BT) + self.position[: words_BT.shape[1]]
        text = self.read(text)[0]
        seen = torch.ones(places_BPF.shape[:2], dtype=torch.bool, device=places_BPF.device)
        given = {"picture": Modality(places_BPF, seen), "text": Modality(text, mask)}
        fused = self.fuse(drop_modality(given, hide) if hide else given)
        scores: torch.Tensor = self.score(fused.mean(1))[:, 0]
        return scores


class PairTask(Task):
    """Learns to tell true claims about a picture from false ones."""

    name = "pair"
    watch = "accuracy"
    fuses = True

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        super().__init__(config, material, extras)
        self.options = config.take(PairOptions)
        self.train, self.val = [] if extras else _claims(material.train), _claims(material.val)
        if extras:
            self.vocabulary = Vocabulary(tuple(extras["vocabulary"]))
        else:
            self.vocabulary = Vocabulary.of((tokenize(text) for _, text, _ in self.train), self.options.least)
        pictures = sorted({image for image, _, _ in (*self.train, *self.val)})
        self.number = {path: number for number, path in enumerate(pictures)}
        self.places = np.stack([self._pooled(path) for path in pictures])
        if extras:
            self.mean, self.deviation = (np.array(extras[name], np.float32) for name in ("mean", "deviation"))
        else:
            chosen = self.places[sorted({self.number[image] for image, _, _ in self.train})].astype(np.float32)
            self.mean, self.deviation = chosen.mean((0, 1)), chosen.std((0, 1)) + 0.05
        torch.manual_seed(config.training.seed)
        self.module = Pair(config.encoder_dim, len(self.vocabulary), config.model, self.options.longest)

    def _pooled(self, path: Path) -> NDArray[np.float16]:
        places, (rows, columns), pool = self.material.features.get(path), self.config.grid, self.options.pool
        if not pool or rows % pool or columns % pool:
            return places
        table = places.astype(np.float32).reshape(pool, rows // pool, pool, columns // pool, -1)
        small: NDArray[np.float16] = table.mean((1, 3)).reshape(pool * pool, -1).astype(np.float16)
        return small

    def plan(self, generator: np.random.Generator) -> list[list[int]]:
        """Return one epoch's batches of claims."""
        true = [number for number, (_, _, match) in enumerate(self.train) if match or not self.options.invent]
        order, size = generator.permutation(true).tolist(), self.config.training.batch
        return [order[start : start + size] for start in range(0, len(order), size)]

    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return the binary cross-entropy."""
        claims = [self.train[i] for i in indices]
        if self.options.invent:
            others = generator.integers(0, len(self.train), len(claims))
            claims += [
                (image, self.train[other][1], False)
                for (image, _, _), other in zip(claims, others, strict=True)
                if self.train[other][0] != image
            ]
        scores = self._scores(claims, self.config.training.modality_dropout)
        truth = torch.tensor([float(match) for _, _, match in claims], device=scores.device)
        return functional.binary_cross_entropy_with_logits(scores, truth)

    def validate(self) -> dict[str, float]:
        """Return accuracy at 0.5 and the area under the ROC curve."""
        scores = np.concatenate(
            [self._scores(self.val[s : s + 200]).float().cpu().numpy() for s in range(0, len(self.val), 200)]
        )
        truth = np.array([match for _, _, match in self.val])
        return {"accuracy": float(((scores > 0) == truth).mean()), "roc_auc": roc_auc(scores, truth)}

    def baseline(self) -> dict[str, float]:
        """Return the figures of always saying what is more often so."""
        true = float(np.mean([match for _, _, match in self.val]))
        return {"accuracy": max(true, 1 - true), "roc_auc": 0.5}

    def _scores(self, claims: Sequence[tuple[Path, str, bool]], hide: float = 0.0) -> torch.Tensor:
        device = self.module.position.device
        places = self.places[[self.number[image] for image, _, _ in claims]].astype(np.float32)
        words = np.zeros((len(claims), self.options.longest), np.int64)
        for row, (_, text, _) in enumerate(claims):
            numbers = self.vocabulary.numbers(tokenize(text))[: self.options.longest]
            words[row, : len(numbers)] = numbers
        words = words[:, : max(1, int((words > 0).sum(1).max()))]
        scaled = torch.from_numpy((places - self.mean) / self.deviation).to(device)
        scores: torch.Tensor = self.module(scaled, torch.from_numpy(words).to(device), hide)
        return scores

    def extras(self) -> dict[str, Any]:
        """Return the vocabulary and the features' mean and deviation."""
        return {
            "vocabulary": list(self.vocabulary.words),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
        }


def _claims(examples: Sequence[Example]) -> list[tuple[Path, str, bool]]:
    """Return (picture, text, whether it is true): every claim, or every caption as a true one."""
    claims = [(e.image, e.text, e.match) for e in examples if e.image and e.text and e.match is not None]
    claims += [(e.image, caption, True) for e in examples if e.image for caption in e.captions]
    if examples and not claims:
        raise InputError(
            "no example has an 'image' with 'text' and 'match', or with 'captions'; the pair task needs one"
        )
    return claims
