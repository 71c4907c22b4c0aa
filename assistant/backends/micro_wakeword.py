"""Wake words by microWakeWord (https://github.com/kahrendt/microWakeWord) on TensorFlow Lite: small and quick.

The networks come with the library. Raise :class:`~assistant.errors.SettingError` for a word it has none for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, SettingError, nearest
from ..types import AudioChunk

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

RATE = 16_000
DEAF = RATE
"""Samples after a wake word in which the same sound does not wake twice."""


class MicroWake:
    """Listens for all its words at once; a word that ends in ``.json`` is a microWakeWord model of the user's own."""

    def __init__(self, settings: Settings, store: Store) -> None:
        from pymicro_wakeword import MicroWakeWordFeatures

        self._features = MicroWakeWordFeatures()
        self._words = {word: _load(word) for word in settings.wake.words}
        if not self._words:
            raise SettingError("wake.words is empty; name at least one word, for example hey_jarvis")
        self._threshold = settings.wake.threshold
        self._deaf = 0

    def heard(self, chunk: AudioChunk) -> str | None:
        """Return the word that ended in ``chunk``, of any length at 16 kHz, as ``wake.words`` spells it.

        Raises :class:`~assistant.errors.InputError` for another rate.
        """
        if chunk.rate != RATE:
            raise InputError(f"microWakeWord wants {RATE} Hz, not {chunk.rate}")
        self._deaf = max(0, self._deaf - len(chunk.samples))
        samples = (np.clip(np.nan_to_num(chunk.samples), -1, 1) * 32_767).astype(np.int16)
        found = None
        for features in self._features.process_streaming(samples.tobytes()):
            for word, model in self._words.items():
                threshold = self._threshold or model.probability_cutoff
                if (model.process_streaming_prob(features) or 0.0) > threshold and not self._deaf:
                    found, self._deaf = word, DEAF
        return found

    def reset(self) -> None:
        """Forget the stream so far."""
        self._features.reset()
        for model in self._words.values():
            model.reset()
        self._deaf = 0


def _load(word: str) -> Any:
    from pymicro_wakeword import MicroWakeWord, Model

    if word.endswith(".json"):
        path = Path(word).expanduser()
        try:
            return MicroWakeWord.from_config(path)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise SettingError(f"wake.words: {path} is no microWakeWord model ({error})") from error
    known = {model.value: model for model in Model}
    name = "_".join(word.lower().replace("_", " ").split())
    if name not in known:
        raise SettingError(
            f"wake.words: there is no model for {word!r}{nearest(name, list(known))}; any words: wake.engine=phrase"
        )
    return MicroWakeWord.from_builtin(known[name])
