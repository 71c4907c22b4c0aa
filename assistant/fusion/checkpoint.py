"""Checkpoints: safetensors with the :class:`FusionConfig` and what a task learned beside its weights.

Written atomically: a file is whole under its name or is not there, also after ``kill -9``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import output
from ..errors import InputError, ModelError, SettingError
from .config import FusionConfig

Arrays = dict[str, NDArray[Any]]

FORMAT = "assistant-fusion-1"
SHIPPED = Path(__file__).parent / "weights"
"""The trained heads that come with the assistant."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Weights and all that is needed to use them."""

    config: FusionConfig
    arrays: Arrays
    extras: dict[str, Any] = field(default_factory=dict)
    """JSON: vocabulary, calibration, figures; whatever the task keeps beside its weights."""


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the old file stays until the new one is whole and on the disk."""
    from safetensors.numpy import save as serialise

    metadata = {
        "format": FORMAT,
        "config": checkpoint.config.to_json(),
        "extras": json.dumps(checkpoint.extras, ensure_ascii=False),
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in checkpoint.arrays.items()}
    write(path, serialise(arrays, metadata))


def load(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises :class:`ModelError` where it is truncated or something else."""
    arrays, metadata = read(path)
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{path} is no fusion checkpoint; `assistant fusion train` writes one")
    return Checkpoint(FusionConfig.from_json(metadata["config"]), arrays, json.loads(metadata["extras"]))


def building(given: str, task: str, encoder: str) -> Checkpoint:
    """Return the checkpoint of another task that one builds on: the file ``given``, else the one that ships.

    Raises :class:`SettingError` where it is of another task, :class:`ModelError` where it wants another encoder.
    """
    path = Path(given) if given else SHIPPED / f"{task}.safetensors"
    saved = load(path)
    if saved.config.task != task:
        raise SettingError(f"options.{task}: {path} is a {saved.config.task} checkpoint")
    saved.config.check(encoder=encoder)
    return saved


def read(path: Path) -> tuple[Arrays, dict[str, str]]:
    """Return tensors and metadata of a safetensors file. Raises :class:`ModelError` where it is damaged."""
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in list(file.keys())}, dict(file.metadata() or {})


def header(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file without its tensors. Raises :class:`ModelError` as :func:`read`."""
    with _opened(path) as file:
        return dict(file.metadata() or {})


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"there is no checkpoint {path}")
    try:
        with safe_open(str(path), framework="np") as file:
            yield file
    except SafetensorError as error:
        raise ModelError(f"{path} is truncated or no checkpoint ({error}); train again or take another copy") from error


def write(path: Path, data: bytes) -> None:
    """Write a file so that it is whole under its name or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with output.whole(path) as partial, partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def halved(arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Return float32 arrays as float16, half the size on the disk; all others as they are."""
    return {name: a.astype(np.float16) if a.dtype == np.float32 else a for name, a in arrays.items()}
