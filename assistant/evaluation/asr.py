"""Speech to text: word and character error rate, real-time factor, words written on silence.

Both texts go through Whisper's English normaliser first (Radford et al., 2022, appendix C).
A row whose ``text`` is empty holds no speech: each word written there is an error. What is
measured is a recording, as ``assistant transcribe`` reads it. Beside it, by ``--baseline``:

``direct``: the engine's library called directly, with the same weights, beam width and language;
``live``: the same recogniser as the live conversation uses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import sound
from ..errors import SettingError, nearest
from ..stages import Recognition
from . import Items, Report, bootstrap
from ._fields import FILE, TEXT

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {"audio": FILE, "text": TEXT.or_null()}

BASELINES = ("direct", "live")


def run(app: App, items: Items, report: Report, baseline: str = "") -> dict[str, Any]:
    """Transcribe every recording; ``wer`` and ``cer`` are over all words and characters of all rows.

    With a baseline, ``wer_<baseline>`` is its rate, ``wer_points`` how many points of a hundred ours is above it,
    and ``different`` the number of rows whose words differ.
    """
    from whisper_normalizer.english import EnglishTextNormalizer

    if baseline not in ("", *BASELINES):
        raise SettingError(f"there is no baseline {baseline!r} of asr{nearest(baseline, list(BASELINES))}")
    normalize: Callable[[str], str] = EnglishTextNormalizer()
    recognizer = app.make("asr", app.settings.asr.engine)
    if baseline == "direct" and not hasattr(recognizer, "direct"):
        raise SettingError(f"asr.engine {app.settings.asr.engine!r} cannot be called directly")
    ours: list[Counts] = []
    theirs: list[Counts] = []
    spent = heard_seconds = 0.0
    different = 0
    for row, audio in items.each("audio", sound.read):
        begin = time.perf_counter()
        utterance = recognizer.transcribe(audio)
        spent += time.perf_counter() - begin
        heard_seconds += audio.seconds
        wanted, heard = normalize(row["text"] or ""), normalize(utterance.text)
        ours.append(counts(wanted, heard))
        found = {
            "audio": row["audio"],
            "text": row["text"],
            "heard": utterance.text,
            "language": utterance.language,
            "confidence": utterance.confidence,
            "errors": ours[-1][0],
            "words": ours[-1][1],
        }
        if baseline:
            text = (
                recognizer.direct(audio)
                if baseline == "direct"
                else recognizer.transcribe(audio, Recognition(live=True)).text
            )
            theirs.append(counts(wanted, normalize(text)))
            different += heard != normalize(text)
            found |= {baseline: text, f"{baseline}_errors": theirs[-1][0]}
        report(found)
    metrics: dict[str, Any] = {"model": app.settings.asr.model} | _rates(ours, "")
    if baseline:
        metrics |= _rates(theirs, f"_{baseline}")
        pairs = np.hstack([np.array(ours, float), np.array(theirs, float)])
        metrics |= {"wer_points": _points(pairs), "wer_points_interval": bootstrap(pairs, _points)}
        metrics |= {"different": different}
    return metrics | {"words": sum(row[1] for row in ours), "seconds": heard_seconds, "rtf": spent / heard_seconds}


Counts = tuple[int, int, int, int, int]
"""Word errors, words, character errors, characters, words written where nobody spoke."""


def counts(wanted: str, heard: str) -> Counts:
    """Compare two normalised texts."""
    from rapidfuzz.distance import Levenshtein

    errors, letters = Levenshtein.distance(wanted.split(), heard.split()), Levenshtein.distance(wanted, heard)
    return errors, len(wanted.split()), letters, len(wanted), 0 if wanted else len(heard.split())


def _rates(rows: Sequence[Counts], name: str) -> dict[str, Any]:
    array = np.array(rows, dtype=float)
    return {
        f"wer{name}": _ratio(array, 0),
        f"wer{name}_interval": bootstrap(array, lambda draw: _ratio(draw, 0)),
        f"cer{name}": _ratio(array, 2),
        f"cer{name}_interval": bootstrap(array, lambda draw: _ratio(draw, 2)),
        f"words_on_silence{name}": int(array[:, 4].sum()),
    }


def _points(pairs: NDArray[np.float64]) -> float:
    """Return by how many points of a hundred the word error rate of the left counts is above that of the right."""
    ours, theirs = np.hsplit(pairs, 2)
    return 100 * (_ratio(ours, 0) - _ratio(theirs, 0))


def _ratio(counts: NDArray[np.float64], column: int) -> float:
    """Return errors over length, which stands in the next column; NaN where nothing was to be heard."""
    errors, length = counts[:, column].sum(), counts[:, column + 1].sum()
    return float(errors / length) if length else float("nan")
