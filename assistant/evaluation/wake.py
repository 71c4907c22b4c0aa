"""Wake words: is the word heard where it is said, and only there. A row whose ``keyword`` is null holds none.

Each clip is heard between two stretches of silence, as a stream. ``recall`` is of the clips with a
keyword, ``false_accept_rate`` of those without; any of ``wake.words`` counts as heard.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import sound
from ..types import AudioChunk, Samples
from . import Items, Report, bootstrap
from ._fields import FILE, TEXT

if TYPE_CHECKING:
    from ..cli import App
    from ..stages import WakeWord

FIELDS = {"audio": FILE, "keyword": TEXT.or_null()}

RATE = 16_000
CHUNK = RATE * 32 // 1000
BEFORE, AFTER = RATE // 2, RATE
"""Samples of silence around each clip."""
IDLE = 20 * RATE
"""Samples of a quiet room on which the cost of waiting is measured."""


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Listen to every clip; ``cpu_idle`` and ``cpu_heard`` are processor seconds per second of sound."""
    wake = app.make("wake", app.settings.wake.engine)
    room = np.random.default_rng(0).normal(0, 1e-3, IDLE).astype(np.float32)
    idle, false_idle = _listen(wake, room)
    heard: dict[str | None, list[float]] = {}
    spent = total = 0.0
    for row, clip in items.each("audio", lambda path: sound.read(path, RATE).samples):
        _settle(wake)
        samples = np.concatenate([np.zeros(BEFORE, np.float32), clip, np.zeros(AFTER, np.float32)])
        cost, found = _listen(wake, samples)
        heard.setdefault(row["keyword"], []).append(float(bool(found)))
        spent, total = spent + cost, total + len(samples) / RATE
        report({"audio": row["audio"], "keyword": row["keyword"], "heard": found})
    said = [value for keyword, values in heard.items() if keyword is not None for value in values]
    silent = heard.get(None, [])
    return {
        "recall": _mean(said),
        "recall_interval": bootstrap(said),
        "recall_by_keyword": {keyword: _mean(values) for keyword, values in heard.items() if keyword is not None},
        "false_accept_rate": _mean(silent),
        "false_accept_rate_interval": bootstrap(silent),
        "false_accepts": int(sum(silent)) + len(false_idle),
        "without_keyword": len(silent),
        "cpu_idle": idle / (IDLE / RATE),
        "cpu_heard": spent / total,
        "engine": app.settings.wake.engine,
        "words": list(app.settings.wake.words),
    }


def _listen(wake: WakeWord, samples: Samples) -> tuple[float, list[str]]:
    """Return the processor seconds of all threads, and the words that were heard."""
    begin = time.process_time()
    found = [word for chunk in _chunks(samples) if (word := wake.heard(chunk)) is not None]
    return time.process_time() - begin, found


def _settle(wake: WakeWord) -> None:
    """Make the engine forget the clip before, where it can."""
    reset = getattr(wake, "reset", None)
    if reset is not None:
        reset()


def _chunks(samples: Samples) -> Iterator[AudioChunk]:
    for start in range(0, len(samples), CHUNK):
        yield AudioChunk(samples[start : start + CHUNK], RATE, start)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
