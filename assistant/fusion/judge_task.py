"""The judge task: weighs what encoder and captioner find, on the training pictures that both held back.

Two linear layers: the chance that a sentence is true of a picture (logistic regression on own and foreign captions),
and which caption of a beam to say (the expected CIDEr-D of a softmax over the candidates is maximised).
"""

from __future__ import annotations

import dataclasses
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
from .captions import describe
from .checkpoint import SHIPPED, Arrays, Checkpoint
from .config import FusionConfig
from .data import Example, hold
from .judging import evidence, fingerprint
from .layers import Floats
from .ngrams import Cider, bleu, bleu_counts
from .retrieval import DualEncoder, roc_auc
from .runtime import NumpyCaptioner
from .sentences import tokenize
from .task import Material, Task


@dataclass(frozen=True)
class JudgeOptions:
    """Options of the task."""

    caption: str = ""
    """The caption checkpoint; empty: the one that ships."""
    retrieval: str = ""
    """The retrieval checkpoint; empty: the one that ships."""
    foreign: int = 4
    """Pictures that each caption is compared with beside its own."""
    sharpness: float = 20.0
    """Inverse temperature of the softmax over a beam."""
    choice: float = 1.0
    """Weight of the expected CIDEr-D against the cross-entropy of the match."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was found of some pictures; all that is learned from."""

    pairs: Floats
    """(pairs, 8) of :func:`.judging.evidence`."""
    truth: NDArray[np.bool_]
    owner: NDArray[np.int64]
    """The picture of each pair."""
    candidates: list[Floats]
    """(candidates, 5) of :func:`.captions.describe`, a picture each."""
    rewards: list[Floats]
    """CIDEr-D of each candidate."""
    counts: list[NDArray[np.float64]]
    """What BLEU needs of each candidate."""


class JudgeTask(Task):
    """Learns how much to believe encoder and captioner."""

    name = "judge"
    watch = "loss"
    higher = False

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        super().__init__(config, material, extras)
        self.options = config.take(JudgeOptions)
        self.captioner_file, self.encoder_file = self._load("caption"), self._load("retrieval")
        self.captioner, self.encoder = NumpyCaptioner(self.captioner_file), DualEncoder(self.encoder_file)
        held = self._held(_per_picture(material.train))
        self.train = held[self.encoder.w["bank.pictures"].shape[0] :]
        self.val = _per_picture(material.val)
        if len(self.train) < 2 or len(self.val) < 2:
            raise InputError("too few pictures held back from the training of both; raise options.calibrate there")
        self.found = {"val": self._look(self.val)} | ({} if extras else {"train": self._look(self.train)})
        learned = self.found["val" if extras else "train"]
        rows = np.concatenate(learned.candidates)
        self.scale = torch.from_numpy((learned.pairs.std(0) + 1e-6).astype(np.float32))
        self.spread = torch.from_numpy((rows.std(0) + 1e-6).astype(np.float32))
        torch.manual_seed(config.training.seed)
        match, choice = nn.Linear(learned.pairs.shape[1], 1), nn.Linear(rows.shape[1], 1, bias=False)
        nn.init.zeros_(match.weight)
        choice.weight.data = torch.from_numpy(self.captioner.choice.weights.astype(np.float32))[None] * self.spread
        self.module = nn.ModuleDict({"match": match, "choice": choice})

    def _load(self, task: str) -> Checkpoint:
        given = self.options.caption if task == "caption" else self.options.retrieval
        path = Path(given) if given else SHIPPED / f"{task}.safetensors"
        saved = checkpoint.load(path)
        if saved.config.task != task:
            raise SettingError(f"options.{task}: {path} is a {saved.config.task} checkpoint")
        saved.config.check(encoder=self.config.encoder)
        return saved

    def _held(self, train: list[Example]) -> list[Example]:
        """Return the training pictures that neither checkpoint was trained on, the encoder's bank first."""
        sides = [
            hold(train, float(saved.config.options.get("calibrate", 0.05)), saved.config.training.seed)[0]
            for saved in (self.encoder_file, self.captioner_file)
        ]
        both = {example.image for example in sides[1]}
        if any(example.image not in both for example in sides[0]):
            raise SettingError("caption and retrieval held back different pictures; train both with the same seed")
        return sides[0]

    def _look(self, examples: Sequence[Example]) -> Evidence:
        captioner, encoder, generator = self.captioner, self.encoder, np.random.default_rng(self.config.training.seed)
        texts = [caption for example in examples for caption in example.captions]
        owner = np.repeat(np.arange(len(examples)), [len(example.captions) for example in examples])
        vectors, absent = encoder.texts(texts), captioner.absent()
        usual = [captioner.likelihood(absent, text) for text in texts]
        shifts = generator.integers(1, len(examples), (self.options.foreign, len(texts)))
        pictures = np.concatenate([owner[None], (owner + shifts) % len(examples)])
        cider = Cider([[tokenize(caption) for caption in example.captions] for example in examples])
        pairs, which, truth, candidates, rewards, counts = [], [], [], [], [], []
        for number, example in enumerate(examples):
            features = self.material.features.batch([_image(example)])[0]
            seen, memory = encoder.picture(features), captioner.memory(features)
            rows, texts_of = np.nonzero(pictures == number)
            for row, text in zip(rows, texts_of, strict=True):
                gains = captioner.likelihood(memory, texts[text]) - usual[text]
                pairs.append(evidence(encoder, seen, vectors[text], gains))
                which.append(number)
                truth.append(row == 0)
            captions, scores = captioner.beam(features, captioner.choice.beam)
            likeness = encoder.texts([" ".join(words) for words in captions]) @ seen
            described = describe(captions, scores, captioner.seen(features), likeness.tolist(), captioner.choice)
            candidates.append(described.astype(np.float32))
            rewards.append(np.array([cider.score(words, number) for words in captions], np.float32))
            counts.append(np.array([bleu_counts(words, cider.references[number]) for words in captions]))
        return Evidence(
            np.stack(pairs),
            np.array(truth),
            np.array(which),
            [c.astype(np.float32) for c in candidates],
            rewards,
            counts,
        )

    def plan(self, generator: np.random.Generator) -> list[list[int]]:
        """Return one epoch's batches of held-back pictures."""
        order, size = generator.permutation(len(self.train)).tolist(), self.config.training.batch
        return [order[start : start + size] for start in range(0, len(order), size)]

    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return the cross-entropy of the match, both answers weighing the same, less the expected CIDEr-D."""
        return self._loss(self.found["train"], indices)

    def _loss(self, found: Evidence, indices: Sequence[int]) -> torch.Tensor:
        chosen = np.isin(found.owner, indices)
        truth = torch.from_numpy(found.truth[chosen]).float()
        scores = self.module["match"](torch.from_numpy(found.pairs[chosen]) / self.scale)[:, 0]
        weights = torch.where(truth > 0, float(self.options.foreign), 1.0)
        match = functional.binary_cross_entropy_with_logits(scores, truth, weights)
        expected = [
            (self._values(found.candidates[i]) * self.options.sharpness).softmax(0) @ torch.from_numpy(found.rewards[i])
            for i in indices
        ]
        return match - self.options.choice * torch.stack(expected).mean()

    def _values(self, candidates: Floats) -> torch.Tensor:
        values: torch.Tensor = self.module["choice"](torch.from_numpy(candidates) / self.spread)[:, 0]
        return values

    def validate(self) -> dict[str, float]:
        """Return loss, match figures and the figures of the chosen captions on the validation pictures."""
        found = self.found["val"]
        scores = self.module["match"](torch.from_numpy(found.pairs) / self.scale)[:, 0].numpy()
        right = (scores > 0) == found.truth
        chosen = [int(self._values(candidates).argmax()) for candidates in found.candidates]
        return {
            "loss": float(self._loss(found, range(len(self.val)))),
            "match_accuracy": float((right[found.truth].mean() + right[~found.truth].mean()) / 2),
            "match_roc_auc": roc_auc(scores, found.truth),
            "cider": float(np.mean([rewards[i] for rewards, i in zip(found.rewards, chosen, strict=True)])),
            "bleu4": bleu(np.sum([counts[i] for counts, i in zip(found.counts, chosen, strict=True)], 0))[3],
        }

    def extras(self) -> dict[str, Any]:
        """Return what the layers were fitted to, and how the beam was made."""
        return {
            "of": [fingerprint(self.encoder.w), fingerprint(self.captioner.weights)],
            "choice": dataclasses.asdict(self.captioner.choice),
        }

    def arrays(self) -> Arrays:
        """Return both layers on the evidence as it is found."""
        return {
            "match.weight": (self.module["match"].weight.detach() / self.scale).numpy(),
            "match.bias": self.module["match"].bias.detach().numpy(),
            "choice.weight": (self.module["choice"].weight.detach() / self.spread).numpy(),
        }

    def load(self, arrays: Arrays) -> None:
        """Take both layers."""
        scales = {"match.weight": self.scale.numpy(), "choice.weight": self.spread.numpy()}
        super().load({name: np.asarray(array, np.float32) * scales.get(name, 1) for name, array in arrays.items()})


def _per_picture(examples: Sequence[Example]) -> list[Example]:
    return [example for example in examples if example.image and example.captions]


def _image(example: Example) -> Path:
    assert example.image is not None
    return example.image
