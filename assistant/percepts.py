"""From a frame to a percept, and a percept as JSON: the ``saw`` of ``ask`` and the fields of ``look``."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from .prompt import POSSIBLE, about_scene
from .stages import Sight
from .types import Frame, Percept, Verdict

GLANCED = 3
"""Visual words that a glance at a picture without a caption tells."""


def look(sight: Sight, frame: Frame) -> Percept:
    """Return what eyes, fuser and captioner, as far as the settings ask for them, make of a frame."""
    percept = dataclasses.replace(sight.eyes.look(frame), frame=frame)
    if sight.fuser is not None:
        percept = sight.fuser.read(frame, percept)
    if sight.settings.eyes.captioner:
        percept = sight.readers["captioner"].read(frame, percept)
    return percept


def about(sight: Sight, frame: Frame, percept: Percept, question: str, language: str = "en") -> Percept:
    """Return the percept with what only this question asks of it: answers, what is not there, text and codes.

    A page has no name among the things that eyes know: where they name nothing, a question about the scene may be
    about what is written there.
    """
    if sight.fuser is not None:
        answers, missing = sight.fuser.answer(percept, question), sight.fuser.missing(percept, question)
        percept = dataclasses.replace(percept, answers=answers, missing=missing)
    if percept.verdict not in (Verdict.BLACK, Verdict.BLANK):
        for name in (wanted := wanted_readers(question)):
            percept = sight.readers[name].read(frame, percept)
        if not wanted and percept.verdict is Verdict.OK and not named(percept) and about_scene(question, language):
            page = sight.readers["rapidocr"].read(frame, percept)
            percept = page if page.text else percept
    return percept


def named(percept: Percept) -> bool:
    """Return whether anything in the picture has a name that is told."""
    return bool(percept.caption) or any(label.probability >= POSSIBLE for label in percept.labels)


def glance(percept: Percept) -> Percept:
    """Return the percept with what is told of it in a few words: the caption, else one label and a few visual words."""
    if percept.caption:
        return dataclasses.replace(percept, labels=(), words=())
    return dataclasses.replace(percept, labels=percept.labels[:1], words=percept.words[:GLANCED])


_ABOUT_TEXT = re.compile(
    r"\b(read|text|says?|said|written|writing|letters?|words?|label|sign|receipt|bill|total|price|cost|date|"
    r"expir\w*|best before|address|phone|title|headline|menu|page|book|instructions?|ingredients?|name|"
    r"lies|lesen|vorlesen|steht|geschrieben|schild|rechnung|preis|datum|lis|lire|écrit|texte|prix|lee|leer|leeme|"
    r"dice|pone|escrito|texto|precio|leggi\w*|scritto|testo|prezzo)\b",
    re.IGNORECASE,
)
_ABOUT_CODES = re.compile(r"\b(bar ?codes?|qr|codes?|scan\w*|ean|upc|isbn)\b", re.IGNORECASE)


def wanted_readers(question: str) -> list[str]:
    """Return the readers that a question asks for: ``"rapidocr"`` for text, ``"zxing"`` for codes."""
    wanted = []
    if _ABOUT_TEXT.search(question):
        wanted.append("rapidocr")
    if _ABOUT_CODES.search(question):
        wanted.append("zxing")
    return wanted


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
