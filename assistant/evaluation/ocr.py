"""``assistant eval ocr``: text in pictures; character error rate, words found, fields found.

Order does not count for words (a multiset per picture, as in ICDAR 2019 SROIE task 2); the character error
rate compares the whole text in reading order. Letter case counts, runs of blanks do not.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import pictures
from ..backends.rapidocr import in_reading_order
from ..types import Box, Percept, TextRegion
from . import Items, Report, bootstrap

if TYPE_CHECKING:
    from ..cli import App

FIELDS = ("image", "lines")


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Read every picture; ``cer`` over all characters, ``word_recall`` and ``word_precision`` over all words.

    ``fields``: share of the rows' ``fields`` whose value stands in the text, blanks aside, by name.
    """
    from rapidfuzz.distance import Levenshtein

    reader = app.make("reader", "rapidocr")
    counts = []  # (character errors, characters, words found, words printed, words read) a row
    fields: dict[str, list[bool]] = {}
    for row in items.rows:
        frame = pictures.read(items.path(row, "image"))
        read = reader.read(frame, Percept("", np.zeros((0, 0), np.float32))).text or ""
        printed = "\n".join(region.text for region in in_reading_order([_region(line) for line in row["lines"]]))
        wanted, found = " ".join(printed.split()), " ".join(read.split())
        common = sum((Counter(wanted.split()) & Counter(found.split())).values())
        errors = Levenshtein.distance(wanted, found)
        counts.append((errors, len(wanted), common, len(wanted.split()), len(found.split())))
        for name, value in row.get("fields", {}).items():
            if value:
                fields.setdefault(name, []).append("".join(value.split()).lower() in "".join(read.split()).lower())
        report({"image": row["image"], "text": read, "errors": errors, "characters": len(wanted), "words": common})
    array = np.array(counts, float)
    return {
        "cer": _share(array, 0, 1),
        "cer_interval": bootstrap(array, lambda draw: _share(draw, 0, 1)),
        "word_recall": _share(array, 2, 3),
        "word_recall_interval": bootstrap(array, lambda draw: _share(draw, 2, 3)),
        "word_precision": _share(array, 2, 4),
        "fields": {name: sum(hits) / len(hits) for name, hits in sorted(fields.items())},
    }


def _region(line: dict[str, Any]) -> TextRegion:
    return TextRegion(line["text"], Box(*(float(edge) for edge in line["box"])), 1.0)


def _share(counts: NDArray[np.float64], part: int, whole: int) -> float:
    total = counts[:, whole].sum()
    return float(counts[:, part].sum() / total) if total else float("nan")
