"""``assistant eval ocr``: text in pictures; character error rate, words found, fields found.

Order does not count for words (a multiset per picture, as in ICDAR 2019 SROIE task 2); the character error
rate compares the whole text in reading order. Letter case counts, runs of blanks do not. Fields are those of
receipts (SROIE task 3): ``company``, ``date``, ``address``, ``total``.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import pictures, receipts
from ..layout import in_reading_order
from ..types import Box, Percept, TextRegion
from . import Items, Report, bootstrap
from ._fields import FILE, Kind

if TYPE_CHECKING:
    from ..cli import App

LINES = Kind(
    "a list of lines, each with a 'text' and a 'box' of four numbers",
    lambda value: isinstance(value, list) and all(map(_is_line, value)),
)
VALUES = Kind(
    "an object of texts",
    lambda value: isinstance(value, dict) and all(part is None or isinstance(part, str) for part in value.values()),
)
FIELDS = {"image": FILE, "lines": LINES, "fields": VALUES.optional()}

NEARLY = 0.9


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Read every picture; ``cer`` over all characters, ``word_recall`` and ``word_precision`` over all words.

    ``fields``: share of the rows' ``fields`` whose value stands in the text, blanks aside, by name; ``picked``: of
    those that are picked out as this very field, letter case, blanks and punctuation aside (a total by its value),
    and ``picked_nearly`` likewise, with a tenth of the letters wrong.
    """
    from rapidfuzz.distance import Levenshtein

    reader = app.make("reader", "rapidocr")
    counts = []  # (character errors, characters, words found, words printed, words read) a row
    fields: dict[str, list[bool]] = {}
    picked: dict[str, list[float]] = {}
    spent = 0.0
    for row, frame in items.each("image", pictures.read):
        begin = time.perf_counter()
        percept = reader.read(frame, Percept("", np.zeros((0, 0), np.float32)))
        spent += time.perf_counter() - begin
        read = percept.text or ""
        receipt = receipts.fields(percept.regions or ())
        printed = "\n".join(region.text for region in in_reading_order([_region(line) for line in row["lines"]]))
        wanted, found = " ".join(printed.split()), " ".join(read.split())
        common = sum((Counter(wanted.split()) & Counter(found.split())).values())
        errors = Levenshtein.distance(wanted, found)
        counts.append((errors, len(wanted), common, len(wanted.split()), len(found.split())))
        for name, value in (row.get("fields") or {}).items():
            if value:
                fields.setdefault(name, []).append("".join(value.split()).lower() in "".join(read.split()).lower())
                picked.setdefault(name, []).append(likeness(name, value, receipt.get(name, "")))
        report(
            {
                "image": row["image"],
                "text": read,
                "errors": errors,
                "characters": len(wanted),
                "words": common,
                "picked": receipt,
            }
        )
    array = np.array(counts, float)
    return {
        "cer": _share(array, 0, 1),
        "cer_interval": bootstrap(array, lambda draw: _share(draw, 0, 1)),
        "word_recall": _share(array, 2, 3),
        "word_recall_interval": bootstrap(array, lambda draw: _share(draw, 2, 3)),
        "word_precision": _share(array, 2, 4),
        "word_precision_interval": bootstrap(array, lambda draw: _share(draw, 2, 4)),
        "fields": {name: sum(hits) / len(hits) for name, hits in sorted(fields.items())},
        "picked": {name: sum(like == 1 for like in likes) / len(likes) for name, likes in sorted(picked.items())},
        "picked_nearly": {name: sum(x >= NEARLY for x in likes) / len(likes) for name, likes in sorted(picked.items())},
        "seconds_each": spent / len(counts),
    }


def likeness(name: str, wanted: str, found: str) -> float:
    """Return how alike two values of a field are, 0 to 1; a total is right or wrong."""
    from rapidfuzz.distance import Levenshtein

    if name == "total":
        return float(re.sub(r"[^\d.]", "", wanted) == re.sub(r"[^\d.]", "", found.replace(",", "")))
    return float(Levenshtein.normalized_similarity(_letters(wanted), _letters(found)))


def _is_line(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return False
    box = value.get("box")
    return isinstance(box, list) and len(box) == 4 and all(isinstance(edge, int | float) for edge in box)


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text.lower())


def _region(line: dict[str, Any]) -> TextRegion:
    return TextRegion(line["text"], Box(*(float(edge) for edge in line["box"])), 1.0)


def _share(counts: NDArray[np.float64], part: int, whole: int) -> float:
    total = counts[:, whole].sum()
    return float(counts[:, part].sum() / total) if total else float("nan")
