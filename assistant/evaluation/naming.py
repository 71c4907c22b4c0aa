"""``assistant eval naming``: what is this? ImageNet classes by their synset, groceries by their coarse class.

A row with ``imagenet_synset`` is right where the first label is that class; any other row where the name
that is said equals ``coarse_label`` (or ``label``), letter case and punctuation aside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import pictures
from ..types import Frame, Percept
from . import Items, Report, bootstrap
from ._fields import FILE, TEXT

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {
    "image": FILE,
    "label": TEXT.or_null(),
    "coarse_label": TEXT.optional(),
    "imagenet_synset": TEXT.optional(),
    "source": TEXT.optional(),
}


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Name every picture; ``accuracy``, ``ece`` and ``withheld_at_90`` over all, and for each source its own figures.

    ``withheld_at_90``: share of the answers, least probable first, that must be withheld for 90 % of the others
    to be right.
    """
    groups: dict[str, list[tuple[bool, bool, float]]] = {}
    for row, frame in items.each("image", pictures.read):
        names = name(app, frame, app.kit.eyes.look(frame))
        wanted = _wanted(row)
        hits = [_plain(said) in wanted for said, _ in names[:5]]
        probability = names[0][1] if names else 0.0
        groups.setdefault(row.get("source") or "all", []).append((bool(hits and hits[0]), any(hits), probability))
        report(row | {"names": [[said, round(value, 4)] for said, value in names[:5]], "right": bool(hits and hits[0])})
    every = [outcome for group in groups.values() for outcome in group]
    return {
        "accuracy": float(np.mean([right for right, _, _ in every])),
        "accuracy_interval": bootstrap([right for right, _, _ in every]),
        **trust([p for _, _, p in every], [right for right, _, _ in every]),
        **{source: _metrics(group) for source, group in sorted(groups.items())},
    }


def name(app: App, frame: Frame, percept: Percept) -> list[tuple[str, float]]:
    """Return what the assistant calls the thing in the picture, best first, with probabilities.

    The labels of the eyes, with the names that the fuser's trained heads add to them.
    """
    fuser = app.kit.fuser
    if fuser is not None:
        percept = fuser.read(frame, percept)
    return [(label.label, label.probability) for label in percept.labels]


def expected_calibration_error(probabilities: ArrayLike, right: ArrayLike, bins: int = 10) -> float:
    """Return the mean distance of stated from true share in bins of equal width (Naeini et al., AAAI 2015)."""
    stated, true = np.asarray(probabilities, float), np.asarray(right, float)
    if len(stated) == 0:
        return float("nan")
    places = np.minimum((stated * bins).astype(int), bins - 1)
    gaps = [
        (places == place).mean() * abs(stated[places == place].mean() - true[places == place].mean())
        for place in np.unique(places)
    ]
    return float(np.sum(gaps))


def withheld(stated: NDArray[Any], right: NDArray[Any], precision: float) -> float:
    """Return the smallest share of answers that must be withheld, least probable first, to reach a precision."""
    order = np.argsort(-stated, kind="stable")
    reached = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= precision)
    return 1.0 - (int(reached[-1]) + 1) / len(order) if len(reached) else 1.0


def trust(probabilities: ArrayLike, right: ArrayLike) -> dict[str, Any]:
    """Return how far stated probabilities can be trusted: ``ece``, and ``withheld_at_90`` for a precision of 90 %.

    The interval of ``ece`` stands somewhat high: a draw adds its own noise to the gaps, which cannot cancel out.
    """

    def ece(draw: NDArray[Any]) -> float:
        return expected_calibration_error(draw[:, 0], draw[:, 1])

    def withheld_at_90(draw: NDArray[Any]) -> float:
        return withheld(draw[:, 0], draw[:, 1], 0.9)

    answers = np.stack([np.asarray(probabilities, float), np.asarray(right, float)], 1)
    return {
        "ece": ece(answers),
        "ece_interval": bootstrap(answers, ece),
        "withheld_at_90": withheld_at_90(answers),
        "withheld_at_90_interval": bootstrap(answers, withheld_at_90),
    }


def _metrics(group: list[tuple[bool, bool, float]]) -> dict[str, Any]:
    first, five, stated = (np.array(column, float) for column in zip(*group, strict=True))
    return {
        "n": len(group),
        "top_1": float(first.mean()),
        "top_1_interval": bootstrap(first),
        "top_5": float(five.mean()),
        "top_5_interval": bootstrap(five),
        **trust(stated, first),
        "mean_probability": float(stated.mean()),
        "mean_probability_interval": bootstrap(stated),
    }


def _wanted(row: dict[str, Any]) -> set[str]:
    """Return the names that are right; an ImageNet class by the first of its names, as the eyes say it."""
    if synset := row.get("imagenet_synset"):
        from ..backends.efficientnet import classes

        return {_plain(names[0]) for known, names in classes() if known == synset} or {_plain(row["label"] or "")}
    return {_plain(row[key]) for key in ("coarse_label", "label") if row.get(key)}


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
