"""``assistant eval vqa``: exact answers to questions about pictures, from raw pictures.

Rows are ``{"image", "question", "answers": [...]}``. Several answers of one question are one answer in parts: it
is right where the set of parts is the same. ``answered`` is the share of questions the head holds to be of its
kind; it is measured on all, its best guess being taken, and what it would say aloud is ``said_accuracy``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import pictures
from ..errors import SettingError
from ..fusion import heads
from ..fusion.layers import Floats
from ..fusion.vqa import Answerer, kind, together
from . import Items, Report, bootstrap
from ._fields import FILE, TEXT, Kind
from .naming import trust

if TYPE_CHECKING:
    from ..cli import App

ANSWERS = Kind(
    "a list of texts or numbers",
    lambda value: isinstance(value, list) and all(isinstance(part, str | int | float) for part in value),
)
FIELDS = {"image": FILE, "question": TEXT, "answers": ANSWERS}
BASELINES = ("language",)


def run(app: App, items: Items, report: Report, baseline: str = "fuser") -> dict[str, Any]:
    """Answer every question; ``language`` as baseline answers from the question alone, without its picture."""
    if baseline not in ("fuser", "language"):
        raise SettingError(f"--baseline is fuser or language, not {baseline!r}")
    head = Answerer(heads.find(app.settings, "vqa"))

    @cache
    def look(path: Path) -> Floats:
        return app.kit.eyes.look(pictures.read(path)).features

    right, stated, said, kinds = list[bool](), list[float](), list[bool](), list[str]()
    for row, features in items.each("image", look):
        chances = head.probabilities(features if baseline == "fuser" else None, row["question"])
        best = int(chances.argmax())
        right.append(head.answers[best] == together(map(str, row["answers"])))
        stated.append(float(chances[best]))
        said.append(head.familiar(features, row["question"]))
        kinds.append(kind(row["question"]))
        report(row | {"answer": head.answers[best], "probability": round(stated[-1], 4), "right": right[-1]})
    hits, spoken = np.array(right), np.array(said)
    return {
        "system": baseline,
        "accuracy": float(hits.mean()),
        "accuracy_interval": bootstrap(hits),
        **{f"accuracy_{each}": float(hits[np.array(kinds) == each].mean()) for each in sorted(set(kinds))},
        "answered": float(spoken.mean()),
        "answered_interval": bootstrap(spoken),
        "said_accuracy": float(hits[spoken].mean()) if spoken.any() else float("nan"),
        "said_accuracy_interval": bootstrap(hits[spoken]),
        **trust(stated, hits),
    }
