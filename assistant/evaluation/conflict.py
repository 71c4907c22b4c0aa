"""``assistant eval conflict``: is a thing noticed that was named but is not in the picture.

Made from captions: each is put once as it is, where a conflict is a false alarm, and once with one of its nouns
exchanged for a noun of another picture's caption that none of the picture's own captions has. A conflict counts
as right where it names that noun. Nouns are those that the checkpoint knows.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import pictures
from ..fusion.matching import conflict
from ..fusion.retrieval import DualEncoder
from ..fusion.sentences import tokenize
from . import Items, Report, bootstrap
from ._fields import FILE, texts

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {"image": FILE, "captions": texts(1)}


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Return ``precision``, ``recall`` on exchanged nouns and the ``false_alarms`` on true captions."""
    encoder = DualEncoder.find(app.settings, app.store)
    chance = random.Random(0)

    def known(*captions: str) -> list[str]:
        return [word for caption in captions for word in tokenize(caption) if word in encoder.nouns]

    nouns = [known(*row["captions"]) for row in items.rows]
    alarms, hits, noticed = list[bool](), list[bool](), list[bool]()
    for row, frame in items.each("image", pictures.read):
        features = app.kit.eyes.look(frame).features
        there = known(*row["captions"])
        for caption in row["captions"]:
            own = known(caption)
            if not own:
                continue
            others = nouns[chance.randrange(len(nouns))]
            foreign = [word for word in others if word not in there]
            found = conflict(encoder, features, caption)
            alarms.append(found is not None)
            if not foreign:
                continue
            put = chance.choice(foreign)
            said = re.sub(rf"\b{re.escape(chance.choice(own))}\b", put, caption.lower(), count=1)
            found = conflict(encoder, features, said)
            hits.append(found is not None and found.noun == put)
            noticed.append(found is not None)
            report({"image": row["image"], "text": said, "put": put, "found": found.noun if found else None})
    right = np.array(hits)[np.array(noticed, bool)] if any(noticed) else np.zeros(0)
    return {
        "precision": float(right.mean()) if len(right) else float("nan"),
        "precision_interval": bootstrap(right),
        "recall": float(np.mean(hits)) if hits else float("nan"),
        "recall_interval": bootstrap(hits),
        "false_alarms": float(np.mean(alarms)) if alarms else float("nan"),
        "false_alarms_interval": bootstrap(alarms),
        "true_captions": len(alarms),
        "exchanged": len(hits),
    }
