"""What is learned: one class a task, found by its name. The loop in :mod:`.training` knows only this.

A new task is one module with a subclass of :class:`Task` and one line in :data:`TASKS`.
"""

from __future__ import annotations

import dataclasses
import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..errors import InputError, SettingError, nearest
from . import data
from .checkpoint import Arrays, Checkpoint
from .config import FusionConfig
from .data import Example
from .encoders import SentenceEncoder
from .features import Features

TASKS = {
    "caption": "assistant.fusion.captioning:CaptionTask",
    "words": "assistant.fusion.words:WordTask",
    "pair": "assistant.fusion.pairing:PairTask",
    "retrieval": "assistant.fusion.retrieval_task:RetrievalTask",
    "judge": "assistant.fusion.judge_task:JudgeTask",
    "vqa": "assistant.fusion.vqa_task:VqaTask",
    "colour": "assistant.fusion.colour_task:ColourTask",
    "naming": "assistant.fusion.naming_task:NamingTask",
}
"""Name → ``"module:class"``, imported on first use."""


@dataclass(frozen=True, eq=False)
class Material:
    """What a task learns from: examples whose pictures or sounds are all in ``features``."""

    features: Features
    train: Sequence[Example]
    val: Sequence[Example]
    sentences: SentenceEncoder | None = None
    """What reads whole sentences, for configurations that name one."""

    def read_by(self, config: FusionConfig) -> Material:
        """Return the same with as many features of each token as a configuration asks for.

        Raises :class:`ModelError` where they, or the vectors of sentences, are of another encoder,
        :class:`SettingError` where there are fewer.
        """
        layout = self.features.encoder.layout
        sentences = self.sentences.name if self.sentences else ""
        config.check(encoder=layout.name, modality=layout.modality, sentences=sentences)
        if layout.dim < config.encoder_dim:
            raise SettingError(f"{layout.name} gives vectors of {layout.dim}, but encoder_dim is {config.encoder_dim}")
        if config.modality == "picture" and layout.tokens != config.grid:
            raise SettingError(f"{layout.name} gives a grid of {list(layout.tokens)}, but grid is {list(config.grid)}")
        return dataclasses.replace(self, features=dataclasses.replace(self.features, dim=config.encoder_dim))


class Task(ABC):
    """A module, its batches, its loss and its validation.

    Everything random comes from the generator that is handed in or from torch's own, which the loop
    seeds anew before every step: so a resumed run repeats the uninterrupted one.
    """

    name: ClassVar[str]
    watch: str
    """The figure of :meth:`validate` that decides which weights are kept."""
    higher: bool = True
    """Whether a larger ``watch`` is better."""
    tolerance: float = 0.0
    """How much worse than the best a later epoch may be and still be kept: its learning rate was lower."""
    fuses: ClassVar[bool] = False
    """Whether modalities meet by ``model.strategy``."""
    modalities: ClassVar[tuple[str, ...]] = ("picture",)
    """What it can learn from."""

    module: Any
    """The ``nn.Module`` that is trained."""

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        """Build the module; with the ``extras`` of a checkpoint (vocabulary …) to be measured, not to be trained.

        Then there is no training side, and what was fitted to one comes with :meth:`load`.
        """
        self.config, self.material = config, material

    def plan(self, generator: np.random.Generator) -> list[list[int]]:
        """Return one epoch's batches of indices into ``material.train``."""
        order = generator.permutation(len(self.material.train)).tolist()
        size = self.config.training.batch
        return [order[start : start + size] for start in range(0, len(order), size)]

    @abstractmethod
    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> Any:
        """Return the mean loss of a batch, a scalar tensor."""

    def calibrate(self) -> None:
        """Fit what is kept beside the weights, such as probabilities, to held-back examples of the training side.

        The loop asks for it before each validation; a task of a checkpoint has it already.
        """
        return

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Return the figures on ``material.val``, ``watch`` among them; the module is in evaluation mode."""

    def baseline(self) -> dict[str, float]:
        """Return those figures of :meth:`validate` that are reached without looking: by chance or by what is usual."""
        return {}

    def extras(self) -> dict[str, Any]:
        """Return what the checkpoint keeps beside the weights, as JSON."""
        return {}

    def arrays(self) -> Arrays:
        """Return the weights as they are shipped, named as the numpy run time reads them."""
        return {name: tensor.detach().float().cpu().numpy() for name, tensor in self.module.state_dict().items()}

    def load(self, arrays: Arrays) -> None:
        """Put a checkpoint's weights into the module. Raises :class:`ModelError` where they do not fit."""
        import torch

        from ..errors import ModelError

        state = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in arrays.items()}
        try:
            self.module.load_state_dict(state)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise ModelError(f"the checkpoint does not fit this {self.name} module: {reason}") from error


def task_class(name: str) -> type[Task]:
    """Return the class of a task, or raise :class:`SettingError` with the nearest name."""
    if name not in TASKS:
        raise SettingError(f"there is no fusion task {name!r}{nearest(name, list(TASKS))}")
    module, _, attribute = TASKS[name].partition(":")
    found: type[Task] = getattr(importlib.import_module(module), attribute)
    return found


def make(config: FusionConfig, material: Material) -> Task:
    """Return a new task. Raises :class:`ModelError` where the features are of another encoder."""
    return task_class(config.task)(config, material.read_by(config))


def restore(checkpoint: Checkpoint, material: Material) -> Task:
    """Return the task of a checkpoint with its weights, to be measured on the validation side of other material."""
    config = checkpoint.config
    material = dataclasses.replace(material.read_by(config), train=())
    task = task_class(config.task)(config, material, checkpoint.extras)
    task.load(checkpoint.arrays)
    task.module.eval()
    return task


def files(config: FusionConfig, examples: Sequence[Example]) -> list[Path]:
    """Return the pictures or sounds that must be encoded for a task, each once.

    Raises :class:`SettingError` where the task does not learn from what the configuration names, and
    :class:`InputError` where the examples are not all of that kind.
    """
    known = task_class(config.task).modalities
    if config.modality not in known:
        raise SettingError(f"the {config.task} task learns from {' or '.join(known)}s, not from {config.modality!r}")
    return data.files(examples, config.modality)


def gather(
    config: FusionConfig, examples: Sequence[Example], features: Features, sentences: SentenceEncoder | None = None
) -> Material:
    """Return training and validation material without the files that cannot be read.

    ``features`` must have seen those of :func:`files`. With ``training.everything`` there is nothing to validate on.
    Raises :class:`InputError` where a side is empty that must not be.
    """
    train, val = _sides(config, examples, features)
    if not train or not (val or config.training.everything):
        raise InputError(
            f"{len(train)} examples to train on and {len(val)} to validate on; both sides need some: "
            "give more data, name a 'split' in it, or change training.held_back"
        )
    return Material(features, train, val, sentences)


def measured(
    configs: Sequence[FusionConfig],
    examples: Sequence[Example],
    features: Features,
    sentences: SentenceEncoder | None = None,
) -> Material:
    """Return material to measure checkpoints on: the validation side, or all examples where there is none.

    Where the data names no split, the side is what all of them held back. Otherwise as :func:`gather`.
    """
    fewest = min(configs, key=lambda config: config.training.held_back)
    train, val = _sides(fewest, examples, features)
    return Material(features, (), val or train, sentences)


def _sides(
    config: FusionConfig, examples: Sequence[Example], features: Features
) -> tuple[list[Example], list[Example]]:
    bad = {path for path, _ in features.skipped}
    good = [example for example in examples if example.file(features.modality) not in bad]
    return (good, []) if config.training.everything else data.split(good, config.training.held_back)
