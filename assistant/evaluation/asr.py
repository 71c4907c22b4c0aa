"""Speech to text: word and character error rate, real-time factor, words written on silence.

Both texts go through Whisper's English normaliser first (Radford et al., 2022, appendix C).
A row whose ``text`` is empty holds no speech: each word written there is an error.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import sound
from . import Items, Report, bootstrap

if TYPE_CHECKING:
    from ..cli import App

FIELDS = ("audio", "text")


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Transcribe every recording; ``wer`` and ``cer`` are over all words and characters of all rows."""
    from rapidfuzz.distance import Levenshtein
    from whisper_normalizer.english import EnglishTextNormalizer

    normalize = EnglishTextNormalizer()
    recognizer = app.make("asr", app.settings.asr.engine)
    counts = []  # (word errors, words, character errors, characters, words on silence) a row
    spent = heard_seconds = 0.0
    for row in items.rows:
        audio = sound.read(items.path(row, "audio"))
        begin = time.perf_counter()
        utterance = recognizer.transcribe(audio)
        spent += time.perf_counter() - begin
        heard_seconds += audio.seconds
        wanted, heard = normalize(row["text"] or ""), normalize(utterance.text)
        errors = Levenshtein.distance(wanted.split(), heard.split())
        letters = Levenshtein.distance(wanted, heard)
        extra = 0 if wanted else len(heard.split())
        counts.append((errors, len(wanted.split()), letters, len(wanted), extra))
        report(
            {
                "audio": row["audio"],
                "text": row["text"],
                "heard": utterance.text,
                "language": utterance.language,
                "confidence": utterance.confidence,
                "errors": errors,
                "words": len(wanted.split()),
            }
        )
    array = np.array(counts, dtype=float)
    return {
        "model": app.settings.asr.model,
        "wer": _ratio(array, 0),
        "wer_interval": bootstrap(array, lambda draw: _ratio(draw, 0)),
        "cer": _ratio(array, 2),
        "cer_interval": bootstrap(array, lambda draw: _ratio(draw, 2)),
        "words": int(array[:, 1].sum()),
        "words_on_silence": int(array[:, 4].sum()),
        "seconds": heard_seconds,
        "rtf": spent / heard_seconds,
    }


def _ratio(counts: NDArray[np.float64], column: int) -> float:
    """Return errors over length, which stands in the next column; NaN where nothing was to be heard."""
    errors, length = counts[:, column].sum(), counts[:, column + 1].sum()
    return float(errors / length) if length else float("nan")
