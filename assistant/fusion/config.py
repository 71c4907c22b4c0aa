"""All that a checkpoint must know about itself: one dataclass, from TOML, into the checkpoint's metadata."""

from __future__ import annotations

import dataclasses
import json
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ModelError, SettingError, nearest

T = TypeVar("T")
Scalar = str | int | float | bool


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the module that is trained."""

    strategy: str = "attention"
    """``early``, ``late``, ``attention``, ``joint`` or ``co_attention``; see :mod:`.strategies`."""
    dim: int = 256
    """Width of the fused tokens."""
    layers: int = 3
    heads: int = 4
    hidden: int = 512
    """Width of the feed-forward parts."""
    queries: int = 8
    """Learned queries of the ``attention`` strategy; slots of a connector."""
    dropout: float = 0.3


@dataclass(frozen=True)
class TrainingConfig:
    """How it is trained."""

    epochs: int = 8
    batch: int = 16
    """Examples a step and a device; lower it when memory runs out."""
    accumulate: int = 1
    """Steps whose gradients are added before the weights move; raise it when ``batch`` was lowered."""
    lr: float = 7e-4
    """Highest learning rate; reached after ``warmup``, then a cosine down to 2 %."""
    warmup: int = 300
    """Steps."""
    weight_decay: float = 0.02
    clip: float = 1.0
    """Largest norm of the gradient."""
    average: float = 0.998
    """Decay of the moving average of the weights, which is what is validated and kept; 0 keeps the last ones."""
    smoothing: float = 0.1
    """Label smoothing (Szegedy et al., 2016)."""
    word_dropout: float = 0.1
    """Share of input words that are hidden."""
    modality_dropout: float = 0.0
    """Share of examples of which one whole modality is hidden, so that a missing one does no harm."""
    held_back: float = 0.1
    """Share of pictures for validation where the data names no split."""
    everything: bool = False
    """Hold nothing back: the weights of the last epoch are kept, and nothing tells how good they are."""
    patience: int = 3
    """Epochs without a better validation after which training stops."""
    save_every: int = 200
    """Steps between two saves of the training state."""
    seed: int = 0


@dataclass(frozen=True)
class FusionConfig:
    """What a fusion checkpoint was trained for, on what, and how."""

    task: str
    """A name in :data:`assistant.fusion.task.TASKS`."""
    encoder: str = "efficientnet-lite2"
    """Name of the encoder; a checkpoint refuses any other.

    The eyes' own; or CLIP, SigLIP 2, DINOv2 or ViT by a hub's name with a slash (``openai/clip-vit-base-patch32``) or
    by a folder, with that model's ``encoder_dim`` and ``grid``.
    """
    encoder_dim: int = 1280
    """How many of its features are read, the first ones: an encoder may learn to give more, but changes none."""
    modality: str = "picture"
    """What is encoded: ``picture`` or ``sound``."""
    grid: tuple[int, int] = (9, 9)
    """(rows, columns) of the features of a picture."""
    sentences: str = ""
    """Name of the sentence encoder that it reads beside the words (:mod:`.minilm`); empty: none."""
    llm: str = ""
    """The language model whose embedding space it speaks; empty: any."""
    llm_dim: int = 0
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    options: Mapping[str, Scalar] = field(default_factory=dict)
    """What only this task knows; read it with :meth:`take`."""

    def take(self, kind: type[T]) -> T:
        """Return ``options`` as a task's own dataclass. Raises :class:`SettingError` on an unknown key."""
        return _build(kind, self.options, "options")

    def to_json(self) -> str:
        """Return it as one line of JSON, for a checkpoint's metadata."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> FusionConfig:
        """Read it back. Raises :class:`SettingError` on a key that this version does not know."""
        return _build(cls, json.loads(text), "checkpoint")

    def check(
        self,
        *,
        encoder: str | None = None,
        modality: str = "picture",
        llm: str | None = None,
        llm_dim: int | None = None,
        sentences: str | None = None,
    ) -> None:
        """Raise :class:`ModelError` where it is to run on another encoder or language model than its own.

        ``sentences`` is the sentence encoder that is there, "" where there is none.
        """
        if encoder is not None and modality != self.modality:
            home = "sounds.model" if self.modality == "sound" else "fusion.checkpoint"
            raise ModelError(f"this {self.task} checkpoint knows {self.modality}s, not {modality}s; name it in {home}")
        setting = "asr.model" if modality == "sound" else "eyes.model"
        if encoder is not None and encoder != self.encoder:
            raise ModelError(
                f"this {self.task} checkpoint wants features of {self.encoder!r}, not {encoder!r}; "
                f"set {setting}={self.encoder} or train one with encoder = {encoder!r}"
            )
        if llm is not None and self.llm and llm != self.llm:
            raise ModelError(
                f"this {self.task} checkpoint speaks to the language model {self.llm!r}, not {llm!r}; "
                f"set brain.model={self.llm} or train one with llm = {llm!r}"
            )
        if llm_dim is not None and self.llm_dim and llm_dim != self.llm_dim:
            raise ModelError(
                f"this {self.task} checkpoint wants embeddings of width {self.llm_dim}"
                f"{f' ({self.llm})' if self.llm else ''}, not {llm_dim}"
            )
        if sentences is not None and self.sentences and sentences != self.sentences:
            there = f"not {sentences!r}" if sentences else "but there is none"
            raise ModelError(
                f"this {self.task} checkpoint reads sentences with {self.sentences!r}, {there}; run: assistant models "
                f"pull {self.sentences}, or name it as sentences in the configuration"
            )


def load(path: Path) -> FusionConfig:
    """Read a TOML file such as those in ``config/fusion``.

    Raises :class:`SettingError` with the full name of an unknown or ill-typed key.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingError(f"there is no file {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: {error}") from error
    return _build(FusionConfig, table, str(path))


def _build(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in hints:
            raise SettingError(f"{where}: there is no setting {name!r}{nearest(name, list(hints))}")
        values[name] = _coerce(hints[name], value, f"{where}: {name}")
    lacking = [
        f.name
        for f in dataclasses.fields(typing.cast(Any, kind))
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING and f.name not in values
    ]
    if lacking:
        raise SettingError(f"{where}: {lacking[0]!r} is missing")
    return kind(**values)


def _coerce(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise SettingError(f"{where} must be a table, not {value!r}")
        return _build(typing.cast(Any, hint), value, where)
    origin = typing.get_origin(hint)
    if origin is tuple:
        if not isinstance(value, list | tuple) or not all(isinstance(part, int) for part in value):
            raise SettingError(f"{where} must be a list of whole numbers, not {value!r}")
        return tuple(value)
    if origin is not None:
        if not isinstance(value, Mapping):
            raise SettingError(f"{where} must be a table, not {value!r}")
        return dict(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise SettingError(f"{where} must be {hint.__name__}, not {value!r}")
    return value
