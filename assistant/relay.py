"""Two recognisers for one conversation: one that knows every language, and a quick one for English."""

from __future__ import annotations

from dataclasses import replace

from .stages import Recognition, Recognizer
from .types import AudioChunk, Utterance

BELIEVED = 0.8
"""Confidence from which the quick recogniser is believed; below it the careful one hears the same again."""


class Relay:
    """Hands on to the quick recogniser what is known to be English; a :class:`~assistant.stages.Recognizer`."""

    def __init__(self, careful: Recognizer, quick: Recognizer) -> None:
        self._careful, self._quick = careful, quick

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        """Return what was said; where the language is left open, or is not English, by the careful recogniser."""
        if options is None or options.language != "en" or options.translate:
            return self._careful.transcribe(audio, options)
        utterance = self._quick.transcribe(audio, options)
        if options.draft or utterance.confidence >= BELIEVED or not utterance.text:
            return utterance
        # Another language may have been taken for English.
        return self._careful.transcribe(audio, replace(options, language=None))
