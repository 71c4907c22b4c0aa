"""The training loop: the same for every task, and the same after a break as without one.

In the run's folder: ``last.safetensors`` (the state to resume from: weights, optimiser, moving average, position),
``best.safetensors`` (the checkpoint to use), ``log.jsonl`` (every loss and validation), ``curves.png``.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import InputError, TrainingError
from . import checkpoint
from .checkpoint import Checkpoint, halved
from .config import FusionConfig, TrainingConfig
from .task import Task

log = logging.getLogger(__name__)

STATE = "last.safetensors"
BEST = "best.safetensors"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is."""

    step: int
    steps: int
    epoch: int
    loss: float
    """Mean over the steps since the last report."""
    lr: float
    rate: float
    """Examples a second."""
    left: float
    """Seconds to the end at this rate, without early stop."""


@dataclass(slots=True)
class Position:
    """How far a run has come; all that is not a tensor."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    """Batches done of this epoch."""
    best: float | None = None
    stale: int = 0
    """Epochs since the best validation."""
    losses: list[float] = field(default_factory=list)
    """One a step."""
    validations: list[dict[str, float]] = field(default_factory=list)
    """One an epoch, each with its ``step``."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run."""

    best: Path
    figures: dict[str, float]
    position: Position
    stopped_early: bool


class Trainer:
    """One run of one task in one folder."""

    def __init__(self, task: Task, folder: Path, report: Callable[[Progress], None] = lambda progress: None) -> None:
        self.task, self.folder, self.report = task, folder, report
        self.config: TrainingConfig = task.config.training
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        task.module.to(self.device)
        self.optimiser = torch.optim.AdamW(
            [parameter for parameter in task.module.parameters() if parameter.requires_grad],
            lr=self.config.lr,
            weight_decay=self.config.weight_decay,
            betas=(0.9, 0.98),
        )
        self.average = {name: tensor.detach().clone() for name, tensor in task.module.state_dict().items()}
        self.position = Position()
        self._epoch_batches = len(task.plan(np.random.default_rng(0)))
        self.steps = math.ceil(self._epoch_batches / self.config.accumulate) * self.config.epochs

    def run(self, resume: bool = False) -> Result:
        """Train to the end, or to the end of patience.

        Raises :class:`TrainingError` where the loss is no number or memory runs out, and says what was kept.
        """
        if resume:
            self.restore()
        elif (self.folder / STATE).exists():
            raise InputError(f"{self.folder} holds a run already; give --resume to go on or another --out")
        if self.position.best is None and not resume:
            self.save()
        while self.position.epoch < self.config.epochs and not self._impatient():
            self._epoch()
            self._validate()
            self.save()
        self.plot()
        best = checkpoint.load(self.folder / BEST)
        return Result(self.folder / BEST, best.extras.get("figures", {}), self.position, self._impatient())

    def _impatient(self) -> bool:
        """Return whether patience is at its end before the last epoch."""
        where = self.position
        return where.stale >= self.config.patience and 0 < where.epoch < self.config.epochs

    def _epoch(self) -> None:
        where = self.position
        plan = self.task.plan(np.random.default_rng([self.config.seed, where.epoch]))
        self.task.module.train()
        since, seen, losses = time.monotonic(), 0, list[float]()
        while where.batch < len(plan):
            group = plan[where.batch : where.batch + self.config.accumulate]
            losses.append(self._step(group))
            seen += sum(map(len, group))
            where.batch += len(group)
            passed = time.monotonic() - since
            if passed >= 1 or where.batch >= len(plan):
                self.report(self._progress(losses, seen / max(passed, 1e-6), passed / len(losses)))
                since, seen, losses = time.monotonic(), 0, []
            if where.step % self.config.save_every == 0:
                self.save()
        where.epoch, where.batch = where.epoch + 1, 0

    def _progress(self, losses: list[float], rate: float, seconds: float) -> Progress:
        where = self.position
        left = (self.steps - where.step) * seconds
        return Progress(where.step, self.steps, where.epoch, float(np.mean(losses)), self._rate(), rate, left)

    def _step(self, group: list[list[int]]) -> float:
        where, seed = self.position, self.config.seed
        # Dropout and augmentation depend on seed and step alone, so that a resumed run repeats them.
        torch.manual_seed(seed * 1_000_003 + where.step)
        generator = np.random.default_rng([seed, 1, where.step])
        total = 0.0
        try:
            self.optimiser.zero_grad(set_to_none=True)
            for indices in group:
                with self._precision():
                    loss = self.task.loss(indices, generator) / len(group)
                loss.backward()
                total += float(loss.detach())
            norm = torch.nn.utils.clip_grad_norm_(self.task.module.parameters(), self.config.clip)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise self._out_of_memory() from error
        except RuntimeError as error:
            if "memory" in str(error).lower():
                raise self._out_of_memory() from error
            raise
        if not math.isfinite(total) or not math.isfinite(float(norm)):
            kept = f"{self.folder / BEST} is the last good checkpoint" if where.validations else "nothing was kept"
            raise TrainingError(
                f"the loss is no number at epoch {where.epoch + 1}, batch {where.batch + 1} (step {where.step + 1}); "
                f"{kept}; lower training.lr (now {self.config.lr:g}) or training.clip and --resume"
            )
        for settings in self.optimiser.param_groups:
            settings["lr"] = self._rate()
        self.optimiser.step()
        where.step += 1
        where.losses.append(total)
        self._follow()
        return total

    def _out_of_memory(self) -> TrainingError:
        batch, accumulate = self.config.batch, self.config.accumulate
        return TrainingError(
            f"out of memory at step {self.position.step + 1}; lower training.batch from {batch} to "
            f"{max(1, batch // 2)}, raise training.accumulate from {accumulate} to {accumulate * 2}, and --resume"
        )

    def _rate(self) -> float:
        """Learning rate: linear warm-up, then a cosine (Loshchilov & Hutter, 2017) to 2 %."""
        step, warmup = self.position.step, self.config.warmup
        if step < warmup:
            return self.config.lr * (step + 1) / warmup
        part = min(1.0, (step - warmup) / max(1, self.steps - warmup))
        return self.config.lr * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * part)))

    def _precision(self) -> AbstractContextManager[Any]:
        return torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()

    def _follow(self) -> None:
        """Move the average a little towards the weights (Polyak & Juditsky, 1992), faster at first."""
        step = self.position.step
        decay = min(self.config.average, step / (step + 20))
        with torch.no_grad():
            for name, tensor in self.task.module.state_dict().items():
                if tensor.is_floating_point():
                    self.average[name].lerp_(tensor, 1 - decay)
                else:
                    self.average[name].copy_(tensor)

    def _validate(self) -> None:
        """Measure the averaged weights, keep them where they are the best."""
        where, task = self.position, self.task
        weights = {name: tensor.detach().clone() for name, tensor in task.module.state_dict().items()}
        task.module.load_state_dict(self.average)
        task.module.eval()
        with torch.no_grad():
            task.calibrate()
            figures = {} if self.config.everything else task.validate()
        where.validations.append({"step": where.step, **figures})
        if self._good(figures):
            where.stale = 0
            extras = {**task.extras(), "figures": figures, "epoch": where.epoch}
            checkpoint.save(self.folder / BEST, Checkpoint(task.config, halved(task.arrays()), extras))
        else:
            where.stale += 1
        task.module.load_state_dict(weights)
        log.info("epoch %d: %s", where.epoch, figures)

    def _good(self, figures: dict[str, float]) -> bool:
        """Return whether weights are to be kept: the best yet, hardly worse, or those of which nothing is known."""
        where, task = self.position, self.task
        if task.watch not in figures:
            return True
        value = figures[task.watch]
        best = value if where.best is None else (max if task.higher else min)(where.best, value)
        if where.best is not None and best == where.best and abs(value - best) >= task.tolerance:
            return False
        where.best = best
        return True

    def save(self) -> None:
        """Write the state to resume from, atomically."""
        from safetensors.torch import save as serialise

        tensors = {f"module.{name}": tensor for name, tensor in self.task.module.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.items()}
        for number, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{key}": torch.as_tensor(value) for key, value in state.items()}
        where = self.position
        plain = {name: getattr(where, name) for name in Position.__slots__}
        metadata = {
            "format": "assistant-fusion-state-1",
            "config": self.task.config.to_json(),
            "position": json.dumps(plain),
            "extras": json.dumps(self.task.extras(), ensure_ascii=False),
        }
        checkpoint.write(
            self.folder / STATE, serialise({k: v.contiguous().cpu().clone() for k, v in tensors.items()}, metadata)
        )
        lines = [json.dumps({"step": number, "loss": loss}) for number, loss in enumerate(where.losses, 1)]
        lines += [json.dumps(validation) for validation in where.validations]
        checkpoint.write(self.folder / "log.jsonl", ("\n".join(lines) + "\n").encode())

    def restore(self) -> None:
        """Take up the state of the folder. Raises where there is none, or it is of another configuration or data."""
        path = self.folder / STATE
        if not path.is_file():
            raise InputError(f"there is nothing to resume in {self.folder}; leave out --resume to start anew")
        arrays, metadata = checkpoint.read(path)
        if metadata.get("format") != "assistant-fusion-state-1":
            raise InputError(f"{path} is no training state; --resume wants the folder of a run")
        before = FusionConfig.from_json(metadata["config"])
        if replace(before, training=self.config) != self.task.config:
            raise InputError(f"{path} is of another task or model; use the --config of that run or another --out")
        then, now = json.loads(metadata["extras"]), self.task.extras()
        if changed := [name for name in now if _counted(now[name]) != _counted(then.get(name))]:
            raise InputError(
                f"{path} was trained on other data: its {changed[0]} differs; use the --data of that run, "
                "or another --out without --resume"
            )
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        self.task.module.load_state_dict(_part(tensors, "module."))
        self.average = {name: tensor.to(self.device) for name, tensor in _part(tensors, "average.").items()}
        state = self.optimiser.state_dict()
        for name, tensor in _part(tensors, "optimiser.").items():
            number, _, key = name.partition(".")
            state["state"].setdefault(int(number), {})[key] = tensor
        self.optimiser.load_state_dict(state)
        self.position = Position(**json.loads(metadata["position"]))
        if (before.training.batch, before.training.accumulate) != (self.config.batch, self.config.accumulate):
            self.position.batch = 0  # batches of another size: the epoch starts again

    def plot(self) -> Path | None:
        """Draw loss and validation over the steps as ``curves.png``; ``None`` where matplotlib is not installed."""
        try:
            from matplotlib.figure import Figure
        except ModuleNotFoundError:
            log.warning('no curves.png without matplotlib; run: pip install "local-assistant[train]"')
            return None
        where = self.position
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        left = figure.subplots()
        left.plot(range(1, len(where.losses) + 1), where.losses, linewidth=0.4, alpha=0.5)
        left.plot(*_smooth(where.losses), label="loss")
        left.set_xlabel("step")
        left.set_ylabel("training loss")
        if not self.config.everything:
            right = left.twinx()
            steps = [validation["step"] for validation in where.validations]
            right.plot(steps, [v[self.task.watch] for v in where.validations], "o-", color="tab:orange")
            right.set_ylabel(f"validation {self.task.watch}")
        path = self.folder / "curves.png"
        figure.savefig(path, dpi=120)
        return path


def _part(tensors: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _counted(value: Any) -> Any:
    """Return what the sizes and the numbering of a module come from: a count or a list of words, else nothing."""
    words = isinstance(value, list) and all(isinstance(word, str) for word in value)
    return value if words or isinstance(value, int) else None


def _smooth(values: list[float], window: int = 50) -> tuple[list[int], list[float]]:
    window = max(1, min(window, len(values)))
    means = np.convolve(values, np.ones(window) / window, "valid").tolist() if values else []
    return list(range(window, window + len(means))), means
