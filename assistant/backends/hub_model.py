"""Find and load models of the transformers library, whichever they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from ..config import Settings
from ..errors import ModelError
from ..store import Store

transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from."""

    place: str
    """A folder, or ``owner/name`` of the hub."""
    local: bool
    """Whether the network stays unused."""

    @classmethod
    def of(cls, name: str, setting: str, settings: Settings, store: Store) -> Source:
        """Return the source of the model that a setting names: a folder, an id of the store, or ``owner/name``.

        Raises :class:`ModelError` where none is named or there is no such folder or id.
        """
        if not name:
            raise ModelError(
                f"no model is named; run: assistant config set {setting} FOLDER (or owner/name of the hub)"
            )
        folder = Path(name).expanduser()
        if folder.is_dir():
            return cls(str(folder), True)
        if folder.is_absolute() or name.startswith("."):
            raise ModelError(f"there is no folder {name}; set {setting} to another")
        if "/" not in name:
            return cls(str(store.require(name)), True)
        return cls(name, settings.store.offline)

    def load(self, loader: Callable[..., Any], **options: Any) -> Any:
        """Call ``loader(place, …)``; whatever it stumbles over becomes one :class:`ModelError`."""
        try:
            return loader(self.place, local_files_only=self.local, **options)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ImportError, RuntimeError) as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise ModelError(f"{self.place} does not load: {reason}") from error


def best_device() -> str:
    """Return where networks run: "cuda", "mps" or "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def precision() -> Any:
    """Return the type of weights that the device is quick with: bfloat16 on CUDA, else float32."""
    return torch.bfloat16 if best_device() == "cuda" else torch.float32
