"""Finds the trained heads for the eyes in force: those that ship, each replaced by the user's own for its task."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from ..config import Settings
from ..errors import ModelError
from . import checkpoint
from .checkpoint import FORMAT, SHIPPED, Checkpoint
from .config import FusionConfig

log = logging.getLogger(__name__)


def files(settings: Settings) -> dict[str, Path]:
    """Return the checkpoint of each task: those in ``fusion.checkpoint``, a file or a folder, before those that ship.

    What ships is left out where it was trained for other eyes. Raises :class:`ModelError` where the user's own was,
    is damaged or is no checkpoint, and where a folder has none.
    """
    eyes = settings.eyes.model
    found = {config.task: file for file, config in _inside(SHIPPED) if config.encoder == eyes}
    if settings.fusion.checkpoint:
        place = Path(settings.fusion.checkpoint).expanduser()
        own = list(_inside(place))
        if not own:
            raise ModelError(f"there is no checkpoint in {place}; `assistant fusion train` writes one")
        for file, config in own:
            config.check(encoder=eyes)
            found[config.task] = file
    return found


def find(settings: Settings, task: str) -> Checkpoint:
    """Return the checkpoint of a task, as :func:`files` has it. Raises :class:`ModelError` where there is none."""
    file = files(settings).get(task)
    if file is None:
        raise ModelError(
            f"there is no {task!r} checkpoint for the eyes {settings.eyes.model!r}; make one with `assistant fusion "
            f"train --config config/fusion/{task}.toml` and set fusion.checkpoint to it"
        )
    return checkpoint.load(file)


def _inside(place: Path) -> Iterator[tuple[Path, FusionConfig]]:
    """Yield one checkpoint or those of a folder, where other files, such as a training state, are passed over."""
    for file in sorted(place.glob("*.safetensors")) if place.is_dir() else [place]:
        metadata = checkpoint.header(file)
        if metadata.get("format") == FORMAT:
            yield file, FusionConfig.from_json(metadata["config"])
        elif file == place:
            raise ModelError(f"{file} is no fusion checkpoint; `assistant fusion train` writes one")
        else:
            log.debug("%s is no fusion checkpoint and is not used", file)
