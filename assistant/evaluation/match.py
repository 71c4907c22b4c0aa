"""``assistant eval match``: does this text belong to this picture? Accuracy at 0.5, area under the ROC curve.

Rows are ``{"image", "text", "match": bool}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import pictures
from ..errors import InputError
from ..fusion import heads
from ..fusion.retrieval import DualEncoder, Floats, roc_auc
from . import Items, Report, bootstrap
from .naming import expected_calibration_error

if TYPE_CHECKING:
    from ..cli import App

FIELDS = ("image", "text", "match")


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Judge every pair; ``accuracy`` is over all, ``balanced_accuracy`` the mean of true and false ones."""
    encoder = DualEncoder(heads.find(app.settings, "retrieval"))
    seen: dict[str, Floats] = {}
    chances, truth = [], []
    for row in items.rows:
        if not isinstance(row["match"], bool) or not isinstance(row["text"], str):
            raise InputError(f"{row['image']}: 'text' must be a text and 'match' true or false")
        if row["image"] not in seen:
            percept = app.kit.eyes.look(pictures.read(items.path(row, "image")))
            seen[row["image"]] = encoder.picture(percept.features)
        chances.append(encoder.judge(seen[row["image"]], row["text"]))
        truth.append(row["match"])
        report(row | {"probability": round(chances[-1], 4), "right": (chances[-1] > 0.5) == row["match"]})
    stated, true = np.array(chances), np.array(truth)
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
    }
