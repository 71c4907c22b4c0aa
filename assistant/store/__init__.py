"""The model store: what exists, where it comes from, and whether it is intact."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from ..config import Settings
from ..errors import ModelError


class Store:
    """A folder with one sub-folder a model."""

    def __init__(self, settings: Settings, progress: bool = False) -> None:
        self.settings = settings
        self.progress = progress
        self.root = Path(settings.store.path or Path(platformdirs.user_data_dir("assistant")) / "models").expanduser()

    def require(self, model: str) -> Path:
        """Return the folder of a model, fetching it first where it is missing and that is allowed.

        Raises :class:`~assistant.errors.OfflineError` where it is missing and the network is
        forbidden, :class:`~assistant.errors.ModelError` where the manifest does not know it.
        """
        folder = self.root / model
        if not folder.is_dir():
            raise ModelError(f"the model {model} is not in the store; run: assistant models pull {model}")
        return folder
