"""A percept as JSON: the ``saw`` of ``ask`` and the fields of ``look``."""

from __future__ import annotations

from typing import Any

from .types import Percept


def to_dict(percept: Percept) -> dict[str, Any]:
    """Return what was seen as plain values; ``text`` and ``codes`` are ``None`` where nobody looked for them."""
    return {
        "labels": [
            {"label": label.label, "probability": round(label.probability, 4), "place": label.place}
            for label in percept.labels
        ],
        "text": percept.text,
        "codes": None
        if percept.codes is None
        else [{"format": code.format, "text": code.text, "place": code.box.place} for code in percept.codes],
        "verdict": percept.verdict.value,
        "caption": percept.caption,
        "words": [{"word": word, "weight": round(weight, 4)} for word, weight in percept.words],
        "sharpness": round(percept.sharpness, 2),
        "brightness": round(percept.brightness, 4),
    }
