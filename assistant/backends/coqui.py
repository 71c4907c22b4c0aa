"""Coqui TTS (``coqui-tts``): VITS and XTTS models, and what else that library knows.

VITS: Kim et al., ICML 2021. XTTS: Casanova et al., "XTTS: a Massively Multilingual
Zero-Shot Text-to-Speech Model", Interspeech 2024.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from ..text import speakable
from ..types import AudioChunk, Samples
from .voicing import pieces

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store


class CoquiVoice:
    """A model of the store: a folder with ``config.json`` and one ``*.pth``; XTTS has ``vocab.json`` too."""

    def __init__(self, settings: Settings, store: Store) -> None:
        from TTS.api import TTS

        self.name = settings.voice.model
        folder = store.require(self.name)
        description = _description(folder, self.name)
        weights = sorted(path for path in folder.glob("*.pth") if not path.name.startswith("speakers"))
        if not weights:
            raise ModelError(f"the model {self.name} is not a Coqui voice: {folder} holds no .pth file")
        several = description.get("model") == "xtts"
        with contextlib.redirect_stdout(sys.stderr):  # the library reports on stdout
            self._tts: Any = TTS(
                model_path=str(folder if several else weights[0]),
                config_path=str(folder / "config.json"),
                progress_bar=False,
            )
        self._speed = settings.voice.speed
        self._volume = settings.audio.volume
        self.rate = int(self._tts.synthesizer.output_sample_rate)
        """Samples per second of its output."""
        self.language = settings.voice.language or str(description.get("phoneme_language") or "en").partition("-")[0]
        """ISO 639-1 code of the language it speaks."""
        self._options = self._wishes()

    def speak(self, clause: str) -> Iterator[AudioChunk]:
        """Yield the clause as sound in pieces of 0.1 s; nothing where it holds no word."""
        said = speakable(clause, self.language)
        if any(character.isalnum() for character in said):
            yield from pieces(self._samples(said), self.rate, said, self._volume)

    def _samples(self, text: str) -> Samples:
        with contextlib.redirect_stdout(sys.stderr):
            return np.asarray(self._tts.tts(text, split_sentences=False, **self._options), np.float32)

    def _wishes(self) -> dict[str, Any]:
        """What every call has to say: XTTS wants a language, models of several speakers want a speaker."""
        model = self._tts.synthesizer.tts_model
        if hasattr(model, "length_scale"):
            model.length_scale = model.length_scale / self._speed
            wishes: dict[str, Any] = {}
        else:
            wishes = {"speed": self._speed}
        if self._tts.is_multi_speaker:
            wishes["speaker"] = self._tts.speakers[0]
        if self._tts.is_multi_lingual:
            wishes["language"] = self.language
        return wishes


def _description(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text("utf-8"))
    except FileNotFoundError:
        raise ModelError(f"the model {name} is not a Coqui voice: {folder} holds no config.json") from None
    except ValueError as error:
        raise ModelError(f"the model {name} is damaged; run: assistant models verify {name}") from error
    if not isinstance(found, dict):
        raise ModelError(f"the model {name} is damaged; run: assistant models verify {name}")
    return found
