"""``assistant eval match``: does this text belong to this picture? Accuracy at 0.5, area under the ROC curve.

Rows are ``{"image", "text", "match": bool}``.
"""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import pictures
from ..fusion.judging import Judge, Sight
from ..fusion.retrieval import roc_auc
from . import Items, Report, bootstrap
from ._fields import FILE, TEXT, TRUTH
from .naming import trust

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {"image": FILE, "text": TEXT, "match": TRUTH}


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Judge every pair; ``accuracy`` is over all, ``balanced_accuracy`` the mean of true and false ones.

    ``judge`` says whether the captioner took part or the picture-sentence encoder judged alone.
    """
    judge = Judge.find(app.settings, app.store)

    @lru_cache(maxsize=1)  # a picture is seen once, and no two are kept
    def see(path: Path) -> Sight:
        return judge.see(app.kit.eyes.look(pictures.read(path)).features)

    by_picture = sorted(items.rows, key=itemgetter("image"))
    chances = {id(row): judge.chance(sight, row["text"]) for row, sight in items.each("image", see, by_picture)}
    rows = [row for row in items.rows if id(row) in chances]
    stated, true = np.array([chances[id(row)] for row in rows]), np.array([row["match"] for row in rows])
    for row, chance in zip(rows, stated.tolist(), strict=True):
        report(row | {"probability": round(chance, 4), "right": (chance > 0.5) == row["match"]})
    right = (stated > 0.5) == true
    judged = np.stack([right, true], 1)
    return {
        "accuracy": float(right.mean()),
        "accuracy_interval": bootstrap(right),
        "balanced_accuracy": _balanced(judged),
        "balanced_accuracy_interval": bootstrap(judged, _balanced),
        "roc_auc": roc_auc(stated, true),
        "roc_auc_interval": bootstrap(
            np.stack([stated, true], 1), lambda sample: roc_auc(sample[:, 0], sample[:, 1].astype(bool))
        ),
        **trust(np.maximum(stated, 1 - stated), right),
        "judge": judge.calibration is not None,
    }


def _balanced(judged: NDArray[np.bool_]) -> float:
    """Return the mean, over true and false pairs, of the share that is right; columns are right and true."""
    right, true = judged.T
    return float(np.mean([right[true == side].mean() for side in np.unique(true)]))
