"""The colour task: what colour captions say that things have.

A picture's captions name things with their colours ("a red ball"); each thing of each picture is one example, its
target the share of each colour among its mentions. Where the thing is, the words of a ``retrieval`` checkpoint tell.
From some examples the name is hidden, so that the layer does without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ..errors import AssistantError, InputError
from . import checkpoint
from .checkpoint import Arrays, Checkpoint
from .colour import COLOURS, SHADES, ColourHead, evidence, lab, mentions, middle, shades, usual
from .config import FusionConfig
from .data import Example, hold
from .layers import Floats, softmax
from .retrieval import DualEncoder
from .task import Material, Task

RARE = 0.02
"""Least deviation of a number that is learned from, in shares of the largest of its kind."""
TOLD = 0.3
"""Probability from which a colour is told."""


@dataclass(frozen=True)
class ColourOptions:
    """Options of the task."""

    retrieval: str = ""
    """The retrieval checkpoint; empty: the one that ships."""
    components: int = 64
    """Principal components of the features of the place, and of the whole picture, that are learned from."""
    nameless: float = 0.3
    """Share of examples whose thing is hidden."""
    least: int = 3
    """Mentions with a colour from which a thing is known by name."""
    calibrate: float = 0.06
    """Share of training pictures that only set the temperature."""


@dataclass(frozen=True, eq=False)
class Things:
    """Things of pictures, a row each."""

    names: tuple[str, ...]
    evidence: Floats
    """(things, SHADES + 2 dim) of :func:`.colour.evidence`."""
    mentions: Floats
    """(things, colours)."""


class ColourTask(Task):
    """Learns a linear layer from what is where a thing is to its colour."""

    name = "colour"
    watch = "loss"
    higher = False

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        super().__init__(config, material, extras)
        self.options = config.take(ColourOptions)
        saved = checkpoint.building(self.options.retrieval, "retrieval", config.encoder)
        self.encoder = DualEncoder(saved, material.sentences)
        self.val = self._things(material.val)
        self.things, self.temperature = tuple(extras["things"] if extras else ()), 1.0
        self.head: ColourHead | None = None
        """That of a checkpoint."""
        torch.manual_seed(config.training.seed)
        self.module = _Layer(1)
        if not extras:
            self._learn_from(material)
        else:
            self.temperature = float(extras["temperature"])

    def _learn_from(self, material: Material) -> None:
        held, train = hold(material.train, self.options.calibrate, self.config.training.seed)
        self.held, self.train = self._things(held), self._things(train)
        if not len(self.train.names) or not len(self.held.names):
            raise InputError("no caption of the training side says what colour a thing has; give more captions")
        rows = list(zip(self.train.names, self.train.mentions, strict=True))
        often: Counter[str] = Counter()
        for name, row in rows:
            often[name] += int(row.sum())
        self.things = tuple(name for name, count in often.most_common() if count >= self.options.least)
        self.number = {name: number for number, name in enumerate(self.things)}
        self.counts = np.zeros((len(self.things), len(COLOURS)), np.float32)
        for name, row in rows:
            if name in self.number:
                self.counts[self.number[name]] += row
        total = self.train.mentions.sum(0) + 1
        self.everywhere = (total / total.sum()).astype(np.float32)
        self._fold = _Fold.of(self.train.evidence, self.options.components)
        self.inputs = torch.from_numpy(self._fold.reduced(self.train.evidence))
        self.priors = torch.from_numpy(np.stack([self._others(i) for i in range(len(self.train.names))]))
        self.targets = torch.from_numpy(_shares(self.train.mentions))
        self.module = _Layer(self.inputs.shape[1])

    def _others(self, row: int) -> Floats:
        """Return how often a thing has each colour in all pictures but its own."""
        name, own = self.train.names[row], self.train.mentions[row]
        counts = self.counts[self.number[name]] - own if name in self.number else np.zeros_like(own)
        return usual(counts, self.everywhere)

    def _things(self, examples: Sequence[Example]) -> Things:
        from .. import pictures

        names, found, said = [], [], []
        for example in examples:
            colours: dict[str, Floats] = {}
            for caption in example.captions:
                for thing, named in mentions(caption):
                    row = colours.setdefault(thing, np.zeros(len(COLOURS), np.float32))
                    for colour in named:
                        row[COLOURS.index(colour)] += 1
            if not colours or example.image is None:
                continue
            try:
                counted = shades(*lab(pictures.read(example.image).pixels, self.config.grid))
            except AssistantError as error:  # it could be read when it was encoded
                raise InputError(f"{example.image} changed while it was trained on: {error}") from error
            features = self.material.features.batch([example.image])[0]
            for thing, row in colours.items():
                known = self.encoder.knows(thing)
                where = self.encoder.where(features, thing) if known else middle(self.config.grid)
                names.append(thing)
                found.append(evidence(where, counted, features))
                said.append(row)
        width = SHADES + 2 * self.config.encoder_dim
        return Things(
            tuple(names),
            np.array(found, np.float32).reshape(-1, width),
            np.array(said, np.float32).reshape(-1, len(COLOURS)),
        )

    def plan(self, generator: np.random.Generator) -> list[list[int]]:
        """Return one epoch's batches of things."""
        order, size = generator.permutation(len(self.train.names)).tolist(), self.config.training.batch
        return [order[start : start + size] for start in range(0, len(order), size)]

    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return the cross-entropy with the shares of the mentioned colours."""
        chosen = list(indices)
        hidden = torch.from_numpy(generator.random((len(chosen), 1)) < self.options.nameless)
        nothing = torch.from_numpy(np.log(self.everywhere))[None]
        prior = torch.where(hidden, nothing, self.priors[chosen])
        given = functional.dropout(self.inputs[chosen], self.config.model.dropout, self.module.training)
        device = self.module.linear.weight.device
        scores = self.module(given.to(device), prior.to(device))
        return -(self.targets[chosen].to(device) * scores.log_softmax(1)).sum(1).mean()

    def calibrate(self) -> None:
        """Set the temperature on training pictures that the layer was not trained on.

        Somebody mentions the first colour as often as its probability says (log loss of that alone): describers
        differ in what they call a colour, so the shares of their mentions are lower than how often one is right.
        """
        self.temperature = 1.0
        scores = _scored(self._head(), self.held, named=True)
        right = self.held.mentions[np.arange(len(scores)), scores.argmax(1)] > 0

        def surprise(temperature: float) -> float:
            first = softmax(scores / temperature).max(1)
            return float(-np.log(np.where(right, first, 1 - first) + 1e-9).mean())

        self.temperature = min(np.geomspace(0.4, 2.0, 33).tolist(), key=surprise)

    def validate(self) -> dict[str, float]:
        """Return the loss, the share of things whose first colour somebody mentions, with their name and without.

        Also the share that is told, how many of those are right, and the calibration error.
        """
        from ..evaluation.naming import expected_calibration_error

        head, said = self._head(), self.val.mentions
        figures: dict[str, float] = {}
        for named, end in ((True, ""), (False, "_nameless")):
            chances = softmax(_scored(head, self.val, named) / head.temperature)
            right = said[np.arange(len(said)), chances.argmax(1)] > 0
            told = chances.max(1) >= TOLD
            if named:
                figures["loss"] = float(-(_shares(said) * np.log(chances + 1e-9)).sum(1).mean())
                figures["ece"] = expected_calibration_error(chances.max(1), right)
            figures[f"accuracy{end}"] = float(right.mean())
            figures[f"told{end}"] = float(told.mean())
            figures[f"precision{end}"] = float(right[told].mean()) if told.any() else 0.0
        return figures

    def baseline(self) -> dict[str, float]:
        """Return the accuracy of the colour that a thing of the name mostly has."""
        head = self._head()
        guessed = np.array([head.prior(name).argmax() for name in self.val.names])
        return {"accuracy": float((self.val.mentions[np.arange(len(guessed)), guessed] > 0).mean())}

    def _head(self) -> ColourHead:
        return self.head or ColourHead(Checkpoint(self.config, self.arrays(), self.extras()))

    def extras(self) -> dict[str, Any]:
        """Return the things that are known by name, and the temperature."""
        return {"things": list(self.things), "temperature": self.temperature}

    def arrays(self) -> Arrays:
        """Return one linear layer on :func:`.colour.evidence`, and how often each thing has each colour."""
        linear = self.module.linear
        weight, bias = self._fold.unfolded(*(part.detach().cpu().numpy() for part in (linear.weight, linear.bias)))
        return {
            "weight": weight.astype(np.float16),
            "bias": bias.astype(np.float32),
            "trust": self.module.trust.detach().cpu().numpy(),
            "counts": self.counts.astype(np.uint16),
            "everywhere": self.everywhere,
        }

    def load(self, arrays: Arrays) -> None:
        """Take the layer as it is used."""
        self.head = ColourHead(Checkpoint(self.config, arrays, self.extras()))


class _Layer(nn.Module):
    """Reduced evidence, (batch, components), and priors, (batch, colours), to scores, (batch, colours)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear, self.trust = nn.Linear(width, len(COLOURS)), nn.Parameter(torch.ones(()))
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, given: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
        """Return the scores before the softmax."""
        scores: torch.Tensor = self.linear(given) + self.trust * prior
        return scores


@dataclass(frozen=True, eq=False)
class _Fold:
    """Evidence to what is learned from: shades as they are, features in principal components, deviations 1."""

    mean: Floats
    matrix: Floats
    """(SHADES + 2 components, SHADES + 2 dim)."""

    @classmethod
    def of(cls, found: Floats, components: int) -> _Fold:
        """Fit to the evidence of training things."""
        mean, dim = found.mean(0), (found.shape[1] - SHADES) // 2
        bounds = (SHADES, SHADES + dim, SHADES + 2 * dim)
        count = min(components, dim, len(found))
        matrix = np.zeros((SHADES + 2 * count, found.shape[1]), np.float32)
        matrix[np.arange(SHADES), np.arange(SHADES)] = 1 / _deviation(found[:, :SHADES])
        for part, (start, end) in enumerate(pairwise(bounds)):
            deviation = _deviation(found[:, start:end])
            _, values, axes = np.linalg.svd((found[:, start:end] - mean[start:end]) / deviation, full_matrices=False)
            scale = np.maximum(values[:count, None], RARE * values[0]) / len(found) ** 0.5
            rows = SHADES + part * count + np.arange(count)
            matrix[rows, start:end] = axes[:count] / scale / deviation
        return cls(mean, matrix)

    def reduced(self, found: Floats) -> Floats:
        """Return what is learned from, (things, SHADES + 2 components)."""
        result: Floats = ((found - self.mean) @ self.matrix.T).astype(np.float32)
        return result

    def unfolded(self, weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
        """Return a layer on :meth:`reduced` as one on the evidence itself."""
        whole: Floats = (weight @ self.matrix).astype(np.float32)
        return whole, (bias - whole @ self.mean).astype(np.float32)


def _deviation(values: Floats) -> Floats:
    """Return the deviation of each column; what hardly varies is not blown up."""
    found = values.std(0)
    result: Floats = np.maximum(found, RARE * max(float(found.max()), 1e-6))
    return result


def _shares(mentions: Floats) -> Floats:
    result: Floats = mentions / mentions.sum(1, keepdims=True)
    return result


def _scored(head: ColourHead, things: Things, named: bool) -> Floats:
    """Return the scores of things, (things, colours), with their names or without."""
    priors = np.stack([head.prior(name if named else "") for name in things.names])
    return head.scores(things.evidence, priors)
