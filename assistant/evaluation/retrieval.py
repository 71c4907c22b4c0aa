"""``assistant eval retrieval``: find the picture for a caption, and the caption for a picture.

Every caption of every picture is a query among all pictures of the data: ``r_at_1``, ``r_at_5`` and
``r_at_10`` are text to picture, ``text_r_at_*`` picture to text (any of its own captions counts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import pictures
from ..fusion.retrieval import DualEncoder, ranks
from . import Items, Report, bootstrap
from ._fields import FILE, texts

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {"image": FILE, "captions": texts(1)}


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Return the recalls with their intervals; queries are drawn for ``r_at_*``, pictures for ``text_r_at_*``."""
    encoder = DualEncoder.find(app.settings, app.store)
    rows, seen, captions, owner = [], [], list[str](), list[int]()
    for number, (row, frame) in enumerate(items.each("image", pictures.read)):
        rows.append(row)
        seen.append(encoder.picture(app.kit.eyes.look(frame).features))
        captions += row["captions"]
        owner += [number] * len(row["captions"])
    scores = encoder.scores(encoder.texts(captions), np.stack(seen))
    forth, back = ranks(scores, np.array(owner))
    for row, rank, place in zip(rows, np.split(forth, np.flatnonzero(np.diff(owner)) + 1), back, strict=True):
        report({"image": row["image"], "text_ranks": rank.tolist(), "picture_rank": int(place)})
    return {**_recalls("r_at", forth), **_recalls("text_r_at", back), "queries": len(owner)}


def _recalls(name: str, rank: NDArray[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for k in (1, 5, 10):
        found[f"{name}_{k}"] = float((rank <= k).mean())
        found[f"{name}_{k}_interval"] = bootstrap(rank <= k)
    return found
