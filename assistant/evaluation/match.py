"""``assistant eval match``: does this text belong to this picture? Accuracy at 0.5, area under the ROC curve.

Rows are ``{"image", "text", "match": bool}``.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import pictures
from ..fusion.judging import Judge
from ..fusion.retrieval import roc_auc
from . import Items, Report, bootstrap
from ._fields import FILE, TEXT, TRUTH
from .naming import expected_calibration_error

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {"image": FILE, "text": TEXT, "match": TRUTH}


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Judge every pair; ``accuracy`` is over all, ``balanced_accuracy`` the mean of true and false ones.

    ``judge`` says whether the captioner took part or the picture-sentence encoder judged alone.
    """
    judge = Judge.find(app.settings)
    rows = defaultdict[str, list[int]](list)
    for number, row in enumerate(items.rows):
        rows[row["image"]].append(number)
    stated, true = np.zeros(len(items.rows)), np.array([row["match"] for row in items.rows])
    for numbers in rows.values():  # a picture is seen once, and no two are kept
        path = items.path(items.rows[numbers[0]], "image")
        sight = judge.see(app.kit.eyes.look(pictures.read(path)).features)
        stated[numbers] = [judge.chance(sight, items.rows[number]["text"]) for number in numbers]
    for row, chance in zip(items.rows, stated.tolist(), strict=True):
        report(row | {"probability": round(chance, 4), "right": (chance > 0.5) == row["match"]})
    right = (stated > 0.5) == true
    return {
        "accuracy": float(right.mean()),
        "accuracy_interval": bootstrap(right),
        "balanced_accuracy": float(np.mean([right[true == side].mean() for side in np.unique(true)])),
        "roc_auc": roc_auc(stated, true),
        "roc_auc_interval": bootstrap(
            np.stack([stated, true], 1), lambda sample: roc_auc(sample[:, 0], sample[:, 1].astype(bool))
        ),
        "ece": expected_calibration_error(np.maximum(stated, 1 - stated), right),
        "judge": judge.calibration is not None,
    }
