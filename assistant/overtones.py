"""What is heard beside the words: a recogniser that also hears what a sound is, or how something is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .config import SoundsSettings
from .interruption import leavable
from .stages import Hearer, Recognition, Recognizer
from .types import AudioChunk, Label, Utterance

SHORTEST = 0.1
"""Seconds; there is nothing to hear in less."""


class Attentive:
    """A recogniser with a hearer beside it; a :class:`~assistant.stages.Recognizer`.

    The hearer gets the sound itself, not the recogniser's states: those are of the speech alone, there are none
    where nobody speaks, and in the live conversation they are mostly those of another network. Drafts are heard too,
    because the last draft of an utterance is often all that is read of it.
    """

    def __init__(self, recognizer: Recognizer, hearer: Hearer) -> None:
        self._recognizer, self._hearer = recognizer, hearer

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        """Return what was said with what was heard beside the words."""
        utterance = self._recognizer.transcribe(audio, options)
        if audio.seconds < SHORTEST:
            return utterance
        return dataclasses.replace(utterance, sounds=leavable(lambda: self._hearer.hear(audio)))


def engine_of(sounds: SoundsSettings) -> str:
    """Return the engine that the settings ask for by name, or by the kind of model; empty where they ask for none."""
    if not sounds.model:
        return ""
    return sounds.engine or ("head" if Path(sounds.model).suffix == ".safetensors" else "transformers")


def to_list(sounds: Sequence[Label]) -> list[dict[str, Any]]:
    """Return what was heard as plain values."""
    return [to_dict(label) for label in sounds]


def to_dict(sound: Label) -> dict[str, Any]:
    """Return one thing that was heard as plain values."""
    return {"label": sound.label, "probability": round(sound.probability, 4)}
