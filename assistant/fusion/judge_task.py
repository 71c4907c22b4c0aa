"""The judge task: weighs what encoder and captioner find, on pictures that neither was trained on.

A logistic regression on own and foreign captions.
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

from ..errors import InputError, SettingError
from . import checkpoint
from .checkpoint import Arrays, Checkpoint
from .config import FusionConfig
from .data import Example, hold
from .decoder import Memory
from .judging import bank, evidence, fingerprint
from .layers import Floats
from .quantised import pack, unpack
from .retrieval import DualEncoder, roc_auc
from .runtime import NumpyCaptioner, together
from .task import Material, Task


@dataclass(frozen=True)
class JudgeOptions:
    """Options of the task."""

    caption: str = ""
    """The caption checkpoint; empty: the one that ships."""
    retrieval: str = ""
    """The retrieval checkpoint; empty: the one that ships."""
    others: int = 8
    """Pictures that a sentence's likelihood is compared with; they are kept in the checkpoint."""
    foreign: int = 4
    """Pictures that each caption is compared with beside its own."""
    validate: int = 150
    """Most validation pictures."""


EVIDENCE = 9
"""Numbers of :func:`.judging.evidence`."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was found of some pictures; all that is learned from."""

    pairs: Floats
    """(pairs, EVIDENCE) of :func:`.judging.evidence`."""
    truth: NDArray[np.bool_]
    owner: NDArray[np.int64]
    """The picture of each pair."""


class JudgeTask(Task):
    """Learns how much to believe encoder and captioner."""

    name = "judge"
    watch = "loss"
    higher = False

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        super().__init__(config, material, extras)
        self.options = config.take(JudgeOptions)
        self.captioner_file, self.encoder_file = (
            checkpoint.building(given, task, config.encoder)
            for given, task in ((self.options.caption, "caption"), (self.options.retrieval, "retrieval"))
        )
        self.captioner = NumpyCaptioner(self.captioner_file)
        self.encoder = DualEncoder(self.encoder_file, material.sentences)
        held, val = self._held(), _per_picture(material.val)
        if self._share(self.captioner_file):
            self.train, self.val = held[len(self.encoder.w["bank.pictures"]) :], val[: self.options.validate]
        else:
            # The captioner was trained on every training picture, so only validation pictures are new to it.
            self.train, self.val = val[::2], val[1::2]
        if len(self.val) < 2 or (len(self.train) < 2 and not extras):
            raise InputError("too few pictures held back from the training of both; raise options.calibrate there")
        self.scale = torch.ones(EVIDENCE)
        if not extras:
            self._keep(self.material.features.batch([_image(example) for example in held[: self.options.others]]))
            self.found = {"val": self._look(self.val), "train": self._look(self.train)}
            self.scale = torch.from_numpy((self.found["train"].pairs.std(0) + 1e-6).astype(np.float32))
        torch.manual_seed(config.training.seed)
        self.module = nn.Linear(EVIDENCE, 1)
        nn.init.zeros_(self.module.weight)

    def _keep(self, features: Floats) -> None:
        """Take the other pictures that a sentence's likelihood is compared with, (pictures, tokens, dim)."""
        places = np.concatenate([self.captioner.places(picture) for picture in features])
        kept = {"bank.places": places, "bank.means": features.mean(1)}
        self.bank: Arrays = pack(kept, kept)
        self.others: list[Memory] = together([self.captioner.memory(picture) for picture in features])

    def _held(self) -> list[Example]:
        """Return the training pictures that the encoder held back, its bank first; the captioner's are the same.

        Raises :class:`SettingError` where the captioner held back others.
        """
        train, sides = _per_picture(self.material.train), []
        for saved in (self.encoder_file, self.captioner_file):
            sides.append(hold(train, self._share(saved), saved.config.training.seed)[0])
        both = {example.image for example in sides[1]}
        if both and any(example.image not in both for example in sides[0]):
            raise SettingError("caption and retrieval held back different pictures; train both with the same seed")
        return sides[0]

    def _share(self, saved: Checkpoint) -> float:
        return float(saved.config.options.get("calibrate", 0.05))

    def _look(self, examples: Sequence[Example]) -> Evidence:
        captioner, encoder, generator = self.captioner, self.encoder, np.random.default_rng(self.config.training.seed)
        texts = [caption for example in examples for caption in example.captions]
        owner = np.repeat(np.arange(len(examples)), [len(example.captions) for example in examples])
        vectors, usual = encoder.texts(texts), [captioner.likelihood(self.others, text) for text in texts]
        shifts = generator.integers(1, len(examples), (self.options.foreign, len(texts)))
        pictures = np.concatenate([owner[None], (owner + shifts) % len(examples)])
        pairs, which, truth = [], [], []
        for number, example in enumerate(examples):
            features = self.material.features.batch([_image(example)])[0]
            seen, memory = encoder.picture(features), captioner.memory(features)
            rows, texts_of = np.nonzero(pictures == number)
            for row, text in zip(rows, texts_of, strict=True):
                read = captioner.likelihood(memory, texts[text])
                pairs.append(evidence(encoder, seen, vectors[text], read, usual[text]))
                which.append(number)
                truth.append(row == 0)
        return Evidence(np.stack(pairs), np.array(truth), np.array(which))

    def plan(self, generator: np.random.Generator) -> list[list[int]]:
        """Return one epoch's batches of held-back pictures."""
        order, size = generator.permutation(len(self.train)).tolist(), self.config.training.batch
        return [order[start : start + size] for start in range(0, len(order), size)]

    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return the cross-entropy of held-back pictures' pairs, true and false ones weighing the same."""
        return self._loss(self.found["train"], indices)

    def _loss(self, found: Evidence, indices: Sequence[int]) -> torch.Tensor:
        chosen = np.isin(found.owner, indices)
        truth = torch.from_numpy(found.truth[chosen]).float()
        weights = torch.where(truth > 0, float(self.options.foreign), 1.0)
        return functional.binary_cross_entropy_with_logits(self._scores(found.pairs[chosen]), truth, weights)

    def _scores(self, pairs: Floats) -> torch.Tensor:
        scores: torch.Tensor = self.module(torch.from_numpy(pairs) / self.scale)[:, 0]
        return scores

    def validate(self) -> dict[str, float]:
        """Return loss, balanced accuracy and area under the ROC curve on the validation pictures' pairs."""
        found = self.found["val"]
        scores = self._scores(found.pairs).numpy()
        right = (scores > 0) == found.truth
        return {
            "loss": float(self._loss(found, range(len(self.val)))),
            "match_accuracy": float((right[found.truth].mean() + right[~found.truth].mean()) / 2),
            "match_roc_auc": roc_auc(scores, found.truth),
        }

    def extras(self) -> dict[str, Any]:
        """Return what the layer was fitted to."""
        return {"of": [fingerprint(self.encoder.w), fingerprint(self.captioner.weights)]}

    def arrays(self) -> Arrays:
        """Return the layer on the evidence as it is found, and the features of the other pictures in eight bits."""
        return {
            **self.bank,
            "weight": (self.module.weight.detach() / self.scale).numpy(),
            "bias": self.module.bias.detach().numpy(),
        }

    def load(self, arrays: Arrays) -> None:
        """Take the layer and the other pictures."""
        super().load({"weight": arrays["weight"], "bias": arrays["bias"]})
        self.bank = {name: array for name, array in arrays.items() if name.startswith("bank.")}
        self.others = bank(self.captioner, unpack(self.bank))
        self.found = {"val": self._look(self.val)}


def _per_picture(examples: Sequence[Example]) -> list[Example]:
    return [example for example in examples if example.image and example.captions]


def _image(example: Example) -> Path:
    assert example.image is not None
    return example.image
