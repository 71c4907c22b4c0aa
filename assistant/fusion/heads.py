"""Finds the trained head of a task: the user's own checkpoint first, else the one that ships."""

from __future__ import annotations

from pathlib import Path

from ..config import Settings
from ..errors import ModelError
from . import checkpoint
from .checkpoint import SHIPPED, Checkpoint
from .config import FusionConfig


def find(settings: Settings, task: str) -> Checkpoint:
    """Return the checkpoint of a task, for the eyes in force.

    Looks into ``fusion.checkpoint`` (a file or a folder) and then at what ships.
    Raises :class:`ModelError` where there is none or it was trained for other eyes.
    """
    own = Path(settings.fusion.checkpoint).expanduser() if settings.fusion.checkpoint else SHIPPED
    for place in dict.fromkeys((own, SHIPPED)):
        for file in sorted(place.glob("*.safetensors")) if place.is_dir() else [place]:
            if _task(file) == task:
                saved = checkpoint.load(file)
                saved.config.check(encoder=settings.eyes.model)
                return saved
    raise ModelError(
        f"there is no {task!r} checkpoint in {own}; make one with `assistant fusion train --config "
        f"config/fusion/{task}.toml` and set fusion.checkpoint to it"
    )


def _task(file: Path) -> str:
    """Return the task of a checkpoint without reading its weights."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(file), framework="np") as opened:
            metadata = dict(opened.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{file} is truncated or no checkpoint ({error}); take another copy") from error
    return FusionConfig.from_json(metadata["config"]).task if "config" in metadata else ""
