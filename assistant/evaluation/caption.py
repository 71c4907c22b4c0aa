"""Captions: BLEU-1 to BLEU-4 and CIDEr-D of the assistant's captions against people's.

Both equal the figures of pycocoevalcap on the same words (a test compares them); captions are made lower-case and
lose their punctuation first, nearly as its Penn Treebank tokenizer does it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import pictures
from ..errors import SettingError
from ..fusion.ngrams import Cider, bleu, bleu_counts
from ..fusion.sentences import tokenize
from ..stages import Sampling, Session
from ..types import Frame, Percept
from . import Items, Report, bootstrap
from ._fields import FILE, texts

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {"image": FILE, "captions": texts(1)}
BASELINES = ("labels", "names")


def run(app: App, items: Items, report: Report, baseline: str = "fuser") -> dict[str, Any]:
    """Caption every picture with the trained ``fuser``, or with a baseline.

    ``labels``: the language model with the eyes' labels in its prompt; ``names``: the labels' names alone.

    Returns ``bleu1`` … ``bleu4`` and ``cider`` with their intervals.
    """
    speak = _speaker(app, baseline)
    captions = [(row, speak(frame)) for row, frame in items.each("image", pictures.read)]
    references = [[tokenize(caption) for caption in row["captions"]] for row, _ in captions]
    cider, counts, scores = Cider(references), [], []
    for number, (row, caption) in enumerate(captions):
        words = tokenize(caption)
        counts.append(bleu_counts(words, references[number]))
        scores.append(cider.score(words, number))
        report({"image": row["image"], "caption": caption, "cider": scores[-1]})
    table = np.array(counts)
    found: dict[str, Any] = {"system": baseline}
    for n in range(4):
        found[f"bleu{n + 1}"] = bleu(table.sum(0))[n]
        found[f"bleu{n + 1}_interval"] = bootstrap(table, lambda sample, n=n: bleu(sample.sum(0))[n])  # type: ignore[misc]
    return {**found, "cider": float(np.mean(scores)), "cider_interval": bootstrap(scores)}


def _speaker(app: App, baseline: str) -> Callable[[Frame], str]:
    """Return the function from a picture to what is said about it."""
    if baseline == "names":
        return lambda frame: from_labels(app.kit.eyes.look(frame))
    if baseline == "labels":
        return lambda frame: from_prompt(app.kit.session, app.kit.eyes.look(frame))
    if baseline != "fuser":
        raise SettingError(f"--baseline is fuser, labels or names, not {baseline!r}")
    fuser = app.make("fuser", app.settings.fusion.engine if app.settings.fusion.engine != "off" else "grid")
    return lambda frame: str(fuser.caption(app.kit.eyes.look(frame)))


def from_labels(percept: Percept) -> str:
    """Return what can be said with labels alone: "a golden retriever and a tennis ball"."""
    names = [label.label for label in percept.labels[:3] if label.probability >= 0.2] or [
        label.label for label in percept.labels[:1]
    ]
    return " and ".join(f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}" for name in names)


def from_prompt(session: Session, percept: Percept) -> str:
    """Return the caption that the language model writes with the labels in its prompt."""
    labels = ", ".join(f"{label.label} {label.probability:.2f} {label.place}".strip() for label in percept.labels)
    request = (
        "A photo was taken. An image classifier sees in it, with probability and place: "
        f"{labels or 'nothing it is sure of'}. Write one caption of the photo, of about ten words, such as "
        '"A brown dog runs through the grass." Answer with the caption alone.'
    )
    prompt = session.template([{"role": "user", "content": request}], [])
    session.sync([session.tokenize(prompt)])
    options = Sampling(max_tokens=30, temperature=0.0, stop=("\n",))
    return "".join(session.generate(options)).strip().strip('"')
