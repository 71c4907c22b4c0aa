"""Voice activity: is there speech in a recording or not. A row whose ``text`` is empty holds none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import sound
from ..speech import speech_spans
from . import Items, Report, bootstrap
from ._fields import FILE, TEXT

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {"audio": FILE, "text": TEXT.or_null()}


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Decide on every recording; ``miss_rate`` is of those with speech, ``false_alarm_rate`` of those without."""
    activity = app.make("vad", app.settings.vad.engine)
    decisions = []  # (speech there, speech found) a row
    spent = total = 0.0
    for row, audio in items.each("audio", sound.read):
        begin = time.perf_counter()
        spans = speech_spans(audio, activity, app.settings.vad)
        spent += time.perf_counter() - begin
        total += audio.seconds
        decisions.append((bool((row["text"] or "").strip()), bool(spans)))
        seconds = [[round(start / audio.rate, 3), round(end / audio.rate, 3)] for start, end in spans]
        report({"audio": row["audio"], "speech": decisions[-1][0], "found": decisions[-1][1], "spans": seconds})
    array = np.array(decisions, dtype=bool)
    return {
        "accuracy": _accuracy(array),
        "accuracy_interval": bootstrap(array, _accuracy),
        "miss_rate": _miss(array),
        "miss_rate_interval": bootstrap(array, _miss),
        "false_alarm_rate": _false_alarm(array),
        "false_alarm_rate_interval": bootstrap(array, _false_alarm),
        "with_speech": int(array[:, 0].sum()),
        "seconds": total,
        "rtf": spent / total,
    }


def _accuracy(decisions: NDArray[np.bool_]) -> float:
    return float((decisions[:, 0] == decisions[:, 1]).mean())


def _miss(decisions: NDArray[np.bool_]) -> float:
    there = decisions[decisions[:, 0]]
    return float((~there[:, 1]).mean()) if len(there) else float("nan")


def _false_alarm(decisions: NDArray[np.bool_]) -> float:
    absent = decisions[~decisions[:, 0]]
    return float(absent[:, 1].mean()) if len(absent) else float("nan")
