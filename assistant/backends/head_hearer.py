"""Hears by a head that was trained with ``assistant fusion train``, on the recogniser's encoder. Numpy only."""

from __future__ import annotations

from pathlib import Path

from ..config import Settings
from ..errors import ModelError
from ..fusion import checkpoint
from ..fusion.encoders import EarsEncoder
from ..fusion.naming import Namer
from ..plugins import Plugins
from ..stages import Recognizer
from ..store import Store
from ..types import AudioChunk, Label


class HeadHearer:
    """The names of a sound with calibrated probabilities; none where it is none of what was learned."""

    def __init__(self, settings: Settings, store: Store, recognizer: Recognizer | None = None) -> None:
        """Load ``sounds.model``; ``recognizer`` encodes, where it is given, or else one of its own.

        Raises :class:`ModelError` where the checkpoint is damaged, knows no sounds or wants another encoder.
        """
        saved = checkpoint.load(Path(settings.sounds.model).expanduser())
        if saved.config.task != "naming":
            raise ModelError(f"{settings.sounds.model} is a {saved.config.task} checkpoint; sounds.model wants naming")
        self._namer = Namer(saved)
        self._ears = EarsEncoder(recognizer or Plugins(settings).make("asr", settings.asr.engine, store))
        saved.config.check(encoder=self._ears.layout.name, modality="sound")

    def hear(self, audio: AudioChunk) -> tuple[Label, ...]:
        """Return the names of the sound's first 30 seconds, most probable first."""
        return self._namer.heard(self._ears.encode(audio))
