"""The naming task: classes of your own on top of the eyes or ears, with "none of these" for everything else.

One linear layer on standardised features: the mean over the places of a picture; of a sound the mean and the
standard deviation over time, because two sounds may differ in how they change only. Examples without a name teach
what is none of these, as many of them an epoch as there are named ones. How sure its answers are is learned by
cross-validation: from scores of pictures or sounds by layers that were not trained on them (Guo et al., "On
Calibration of Modern Neural Networks", ICML 2017, for the temperature).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ..errors import InputError, SettingError
from .checkpoint import Arrays
from .config import FusionConfig
from .data import Example, parts
from .naming import pooled, width
from .task import Material, Task

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class NamingOptions:
    """Options of the task."""

    field: str = "coarse_label"
    """``coarse_label`` or ``label``: what names the thing; an example without it is none of these."""
    folds: int = 5
    """Parts of the training pictures or sounds, each scored by a layer trained on the others."""
    precision: float = 0.98
    """Share of those taken for one of the names that must really be of their kind."""


class NamingHead(nn.Module):
    """Standardised pooled features, (batch, dim), to a score for each name and for none, (batch, names + 1)."""

    def __init__(self, dim: int, names: int, dropout: float) -> None:
        super().__init__()
        self.linear, self.drop = nn.Linear(dim, names + 1), nn.Dropout(dropout)
        nn.init.zeros_(self.linear.weight)

    def forward(self, means: torch.Tensor) -> torch.Tensor:
        """Return the scores before the softmax."""
        scores: torch.Tensor = self.linear(self.drop(means))
        return scores


class NamingTask(Task):
    """Learns names from labelled pictures or sounds."""

    name = "naming"
    watch = "loss"
    higher = False
    modalities = ("picture", "sound")

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        super().__init__(config, material, extras)
        self.options = config.take(NamingOptions)
        if self.options.field not in ("coarse_label", "label"):
            raise SettingError(f"options.field is coarse_label or label, not {self.options.field!r}")
        self.modality, self.width = config.modality, width(config)
        self.parts = {
            part: list({file: e for e in examples if (file := e.file(self.modality))}.values())
            for part, examples in (("train", material.train), ("val", material.val))
        }
        named = sorted({self._name(e) for e in material.train} - {""})
        if len(named) < 2 and not extras:
            field, other = self.options.field, {"label": "coarse_label", "coarse_label": "label"}[self.options.field]
            recipe = "config/fusion/classes.toml" if other == "label" else "config/fusion/groceries.toml"
            raise InputError(
                f"the naming task needs examples of at least two names in {field!r}; "
                f'where {other!r} names them set options.field = "{other}", as in {recipe}'
            )
        self.names: list[str] = list(extras["names"]) if extras else named
        number = {name: i for i, name in enumerate(self.names)}
        none = len(self.names)
        self.truth = {
            part: torch.tensor([number.get(self._name(e), none) for e in examples])
            for part, examples in self.parts.items()
        }
        self.raw = {part: self._means(examples) for part, examples in self.parts.items()}
        if extras:
            self.temperature, self.sure = float(extras["temperature"]), float(extras["sure"])
        else:
            self.mean, self.deviation = self.raw["train"].mean(0), self.raw["train"].std(0) + 1e-3
            self._calibrate()
        torch.manual_seed(config.training.seed)
        self.module = NamingHead(self.width, none, config.model.dropout)

    def _name(self, example: Example) -> str:
        return str(getattr(example, self.options.field)).lower()

    def _means(self, examples: Sequence[Example]) -> Floats:
        files = [file for e in examples if (file := e.file(self.modality))]
        rows = [pooled(self.material.features.get(file).astype(np.float32), self.modality) for file in files]
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)

    def plan(self, generator: np.random.Generator) -> list[list[int]]:
        """Return one epoch's batches: all named examples and as many others."""
        return self._batches(np.arange(len(self.parts["train"])), generator)

    def _batches(self, among: NDArray[Any], generator: np.random.Generator) -> list[list[int]]:
        truth, size = self.truth["train"].numpy()[among], self.config.training.batch
        named, others = among[truth < len(self.names)], among[truth == len(self.names)]
        chosen = generator.permutation(others)[: len(named)]
        order = generator.permutation(np.concatenate([named, chosen])).tolist()
        return [order[start : start + size] for start in range(0, len(order), size)]

    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return the cross-entropy."""
        return self._loss(self.module, list(indices))

    def _loss(self, head: NamingHead, indices: list[int]) -> torch.Tensor:
        scores = self._scores(head, self.raw["train"][indices])
        truth = self.truth["train"][indices].to(scores.device)
        return functional.cross_entropy(scores, truth, label_smoothing=self.config.training.smoothing)

    def _scores(self, head: NamingHead, means: Floats) -> torch.Tensor:
        scaled = torch.from_numpy((means - self.mean) / self.deviation)
        scores: torch.Tensor = head(scaled.to(head.linear.bias.device))
        return scores

    def validate(self) -> dict[str, float]:
        """Return accuracy over named examples, how many others are taken for named ones, calibration error, loss."""
        from ..evaluation.naming import expected_calibration_error, withheld

        truth, none = self.truth["val"].numpy(), len(self.names)
        scores = self._scores(self.module, self.raw["val"]).cpu() / self.temperature
        chances = scores.softmax(1).numpy()
        named = truth < none
        best, taken = chances[:, :none].argmax(1), 1 - chances[:, none] >= self.sure
        right = best == truth
        stated = chances[:, :none].max(1)
        return {
            "accuracy": float((right & taken)[named].mean()) if named.any() else 0.0,
            "accuracy_closed": float(right[named].mean()) if named.any() else 0.0,
            "false_alarms": float(taken[~named].mean()) if (~named).any() else 0.0,
            "ece": expected_calibration_error(stated[taken], right[taken]) if taken.any() else 0.0,
            "loss": float(functional.cross_entropy(scores, self.truth["val"])),
            "withheld_at_90": withheld(stated[named], right[named], 0.9),
        }

    def baseline(self) -> dict[str, float]:
        """Return the accuracy of a name at random."""
        return {"accuracy_closed": 1 / len(self.names)}

    def _calibrate(self) -> None:
        """Set the temperature by likelihood and the bound by precision, on scores out of fold."""
        scores, truth, none = self._out_of_fold(), self.truth["train"], len(self.names)
        grid = np.geomspace(0.2, 2.0, 40).tolist()
        self.temperature = min(grid, key=lambda t: float(functional.cross_entropy(scores / t, truth)))
        chance = 1 - (scores / self.temperature).softmax(1)[:, none].numpy()
        named = (truth < none).numpy()
        for bound in np.linspace(0.5, 0.95, 10):
            self.sure = float(bound)
            taken = chance >= bound
            if not taken.any() or named[taken].mean() >= self.options.precision:
                break

    def _out_of_fold(self) -> torch.Tensor:
        """Return the scores of each training example by a layer that was trained on the other folds."""
        settings, none = self.config.training, len(self.names)
        scores = torch.zeros(len(self.parts["train"]), none + 1)
        for number, held in enumerate(parts(len(scores), self.options.folds, settings.seed)):
            torch.manual_seed(settings.seed)
            generator = np.random.default_rng([settings.seed, number])
            head = NamingHead(self.width, none, self.config.model.dropout)
            optimiser = torch.optim.AdamW(head.parameters(), settings.lr, weight_decay=settings.weight_decay)
            plan = [self._batches(np.flatnonzero(~held), generator) for _ in range(settings.epochs)]
            decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, sum(map(len, plan)))
            for indices in (batch for epoch in plan for batch in epoch):
                optimiser.zero_grad()
                self._loss(head, indices).backward()
                optimiser.step()
                decay.step()
            head.eval()
            with torch.no_grad():
                scores[held] = self._scores(head, self.raw["train"][held])
        return scores

    def extras(self) -> dict[str, Any]:
        """Return the names, the temperature and the bound."""
        return {"names": self.names, "temperature": self.temperature, "sure": self.sure}

    def arrays(self) -> Arrays:
        """Return the layer and the features' mean and deviation."""
        return {**super().arrays(), "standard.mean": self.mean, "standard.deviation": self.deviation}

    def load(self, arrays: Arrays) -> None:
        """Take the weights, and the mean and deviation that they were trained with."""
        super().load({name: array for name, array in arrays.items() if name.startswith("linear.")})
        self.mean, self.deviation = (np.asarray(arrays[f"standard.{n}"], np.float32) for n in ("mean", "deviation"))
