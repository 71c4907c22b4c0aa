"""Words that the picture contradicts: "what colour is this dog?" over a picture of a cup."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import content
from .layers import Floats
from .retrieval import DualEncoder, shares, surprise

BOUND = -2.0
"""A noun is missing where the picture makes it about a seventh as likely as usual (e to this power) or less."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A thing that was named but is not seen."""

    noun: str
    surprise: float
    """How much less likely than usual the picture makes the word: a negative logarithm."""
    seen: tuple[str, ...]
    """Nouns that the picture makes likely instead, the likeliest first."""


def conflict(encoder: DualEncoder, features_PD: Floats, text: str, bound: float = BOUND) -> Conflict | None:
    """Return the noun of a question or sentence that the picture supports least, or ``None`` where all may be there.

    Only nouns that are frequent in the training captions can be missed: what is rare is unlikely in every
    picture, so its absence shows nothing; nor can words of another language, whose "man" and "hat" are no things.
    ``bound`` is the surprise below which a noun counts as missing.
    """
    spoken, english = content.words(text, encoder.words)
    if not english:
        return None
    layer = encoder.w
    means = np.asarray(features_PD, np.float32).mean(0)
    surprises = surprise(means, layer)
    things = (word if word in encoder.nouns else content.singular(word, encoder.nouns) for word in spoken)
    named = [word for word in dict.fromkeys(things) if word in encoder.nouns]
    if not named:
        return None
    worst = min(named, key=lambda word: float(surprises[encoder.words[word]]))
    found = float(surprises[encoder.words[worst]])
    if found >= bound:
        return None
    likely = shares(means, layer)
    nouns = sorted(encoder.nouns, key=lambda word: -float(likely[encoder.words[word]]))
    return Conflict(worst, found, tuple(nouns[:3]))
