"""``assistant eval keywords``: what joining picture and text gains over either.

The first caption of a picture is the text; gold are the content words, plurals as singulars, that at least two of its
other captions hold. Pictures without any are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import pictures
from ..fusion import content
from . import Items, Report, bootstrap
from ._fields import FILE, texts

if TYPE_CHECKING:
    from ..cli import App
    from ..fusion.keywords import Lexicon

BEST = 5
"""Keywords that precision, recall and F1 are taken of."""
AGREED = 2
"""Captions that must hold a word of the gold."""
FIELDS = {"image": FILE, "captions": texts(1 + AGREED)}
SYSTEMS = ("picture", "text", "both")
MEASURES = ("precision", "recall", "f1", "average_precision")


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Return each measure of each system with its interval, and by how much ``both`` is above the better other."""
    fuser, scores = app.make("fuser", "grid"), []
    for row, frame in items.each("image", pictures.read):
        text, *others = row["captions"]
        gold = agreed(others, fuser.lexicon)
        percept = app.kit.eyes.look(frame)
        given = {"picture": (percept, ""), "text": (None, text), "both": (percept, text)}
        found = {name: [k.word for k in fuser.keywords(*of, most=10_000, least=0.0)] for name, of in given.items()}
        if gold:
            scores.append([measure(found[name], gold) for name in SYSTEMS])
        report({"image": row["image"], "gold": sorted(gold), **{name: found[name][:BEST] for name in SYSTEMS}})
    table = np.array(scores).reshape(-1, len(SYSTEMS), len(MEASURES))
    metrics: dict[str, Any] = {"pictures": len(table)}
    for column, name in enumerate(MEASURES):
        for place, system in enumerate(SYSTEMS):
            _put(metrics, f"{system}_{name}", table[:, place, column])
        if len(table):
            better = int(table[:, :2, column].mean(0).argmax())
            _put(metrics, f"gain_{name}", table[:, 2, column] - table[:, better, column])
    return metrics


def agreed(captions: Sequence[str], lexicon: Lexicon) -> set[str]:
    """Return the content words that at least :data:`AGREED` captions hold, in the singular."""
    counts = Counter(
        word
        for caption in captions
        for word in {content.singular(word, lexicon.rarity) for word in content.words(caption, lexicon.rarity)[0]}
    )
    return {word for word, count in counts.items() if count >= AGREED}


def measure(ranked: Sequence[str], gold: set[str]) -> tuple[float, float, float, float]:
    """Return precision, recall and F1 of the best :data:`BEST`, and the average precision of the whole list."""
    hits = np.array([word in gold for word in ranked], bool)
    best = hits[:BEST]
    right = int(best.sum())
    precisions = hits.cumsum() / np.arange(1, len(hits) + 1)
    return (
        right / max(1, len(best)),
        right / len(gold),
        2 * right / (len(best) + len(gold)),
        float(precisions[hits].sum()) / len(gold),
    )


def _put(metrics: dict[str, Any], name: str, values: Any) -> None:
    metrics[name] = float(values.mean()) if len(values) else float("nan")
    metrics[f"{name}_interval"] = bootstrap(values)
