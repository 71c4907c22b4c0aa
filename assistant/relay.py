"""Two recognisers for one conversation: one that knows every language, and a quick one for English."""

from __future__ import annotations

from dataclasses import replace

from .stages import Recognition, Recognizer
from .types import AudioChunk, Utterance

BELIEVED = 0.8
"""Confidence from which the quick recogniser is believed; below it the careful one hears the same again."""
HOPELESS = 0.7
"""Confidence of a draft below which the quick one does not hear the whole: nine in ten of these ended in doubt."""


class Relay:
    """Hands on to the quick recogniser what is known to be English; a :class:`~assistant.stages.Recognizer`."""

    def __init__(self, careful: Recognizer, quick: Recognizer) -> None:
        self._careful, self._quick = careful, quick
        self._hopeless: int | None = None
        """Start of the utterance of which the quick one's last draft was no good."""

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        """Return what was said; where the language is left open, or is not English, by the careful recogniser."""
        if options is None or options.language != "en" or options.translate:
            return self._careful.transcribe(audio, options)
        # Another language may have been taken for English.
        anew = replace(options, language=None)
        if not options.draft and self._hopeless == audio.start:
            return self._careful.transcribe(audio, anew)
        utterance = self._quick.transcribe(audio, options)
        if options.draft:
            self._hopeless = audio.start if utterance.text and utterance.confidence < HOPELESS else None
            return utterance
        expected = options.expected is not None and options.expected(utterance.text)
        if utterance.confidence >= BELIEVED or not utterance.text or expected:
            return utterance
        return self._careful.transcribe(audio, anew)
