"""``assistant eval codes``: barcodes and QR codes, the payload exactly as printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import pictures
from ..types import Percept
from . import Items, Report, bootstrap
from ._fields import FILE, TEXT

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {"image": FILE, "format": TEXT.or_null(), "text": TEXT.or_null()}


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Read the codes in every picture.

    ``accuracy``: share of pictures whose code was read exactly (any of the codes found); ``by_format`` the same for
    each format that is given; ``false_positives``: pictures without a code in which one was read; ``wrong``: pictures
    with a code in which only others were read.
    """
    reader = app.make("reader", "zxing")
    right: list[bool] = []
    by_format: dict[str, list[bool]] = {}
    false_positives = wrong = without = 0
    for row, frame in items.each("image", pictures.read):
        percept = reader.read(frame, Percept("", np.zeros((0, 0), np.float32)))
        texts = [code.text for code in percept.codes]
        if row["text"] is None:
            without += 1
            false_positives += bool(texts)
        else:
            found = row["text"] in texts
            right.append(found)
            if row["format"]:
                by_format.setdefault(row["format"], []).append(found)
            wrong += bool(texts) and not found
        report(row | {"found": texts})
    return {
        "accuracy": sum(right) / len(right) if right else None,
        "accuracy_interval": bootstrap(right),
        "by_format": {name: sum(hits) / len(hits) for name, hits in sorted(by_format.items())},
        "without_code": without,
        "false_positives": false_positives,
        "wrong": wrong,
    }
