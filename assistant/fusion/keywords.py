"""Keywords: what a picture, a text or both are about, in a few words with weights. Numpy only.

A word's weight is the chance that somebody who describes the matter uses it. The picture's part is the calibrated share
of describers by the visual words. The text's part grows from the word's usual share: it says the more the rarer it is
(inverse document frequency: Spärck Jones, Journal of Documentation 28, 1972) and the oftener it occurs. Either is
enough, so the two join as a noisy or (Pearl, "Probabilistic Reasoning in Intelligent Systems", 1988)::

    text    = σ(logit usual + min(0, logit share − logit usual) + SAYS · (idf + REPEATED · ln count))
    weight  = 1 − (1 − share) · (1 − text)

What picture and text agree on rises above both; a word of the text that the picture makes less likely than usual loses
all that it makes it less likely by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from ..types import Percept
from . import content
from .denial import ANIMALS, denied
from .layers import Floats
from .retrieval import DualEncoder, shares
from .visual import VisualWords

# Fitted by `python -m benchmarks.keywords DATA` on the training pictures that captioner and encoder held back.
SAYS = 0.95
"""How much of its inverse document frequency a word of the text adds to its log-odds."""
REPEATED = 2.0
"""What a word adds to its inverse document frequency for each time that its count is e times as high."""

SURE = 0.5
"""Probability from which a label names a thing outside the scenes that the visual words know."""
LEAST = 0.2
"""Share of describers from which a word is named for the picture alone."""
DOUBTFUL = 0.05
"""Weight below which a word of the text is left out: the picture contradicts it, or everybody says it."""
FAINT = 0.001
"""The word layer of the encoder is linear; it knows no share below this one."""
DENIED = 1e-6
"""Share of a thing that the eyes are sure is absent."""
RAREST = 8.0
"""Inverse document frequency of a word that no lexicon knows: of one picture in about 3,000."""
DESCRIBERS = 5
"""Captions a training picture: a picture's word is used by one of them at least."""


class Source(StrEnum):
    """Where a keyword comes from."""

    PICTURE = "picture"
    TEXT = "text"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word, lower case and singular, or an object's name of several words."""

    word: str
    weight: float
    """0 to 1."""
    source: Source


@dataclass(frozen=True)
class Lexicon:
    """What the training captions tell of words; a plural counts as its singular."""

    rarity: Mapping[str, float] = field(default_factory=dict)
    """Inverse document frequency over pictures: the negative logarithm of the share whose captions hold the word."""
    usual: Mapping[str, float] = field(default_factory=dict)
    """Share of all describers who use the word, of words that the encoder predicts."""
    rarest: float = RAREST

    @classmethod
    def of(cls, encoder: DualEncoder) -> Lexicon:
        """Take vocabulary, rarity and usual shares out of a ``retrieval`` checkpoint."""
        rarity = dict(zip(encoder.vocabulary.words[4:], encoder.space.rarity[4:].tolist(), strict=True))
        for word, value in list(rarity.items()):
            one = content.singular(word, rarity)
            rarity[one] = min(value, rarity.get(one, value))
        usual = dict(zip(encoder.words, encoder.w["words.usual"].tolist(), strict=True))
        return cls(rarity, _merged(usual), max(rarity.values()))

    def idf(self, word: str) -> float:
        """Return a word's inverse document frequency; that of the rarest for a word that is not known."""
        return self.rarity.get(word, self.rarest)

    def share(self, word: str) -> float:
        """Return the share of describers who usually use a word, (0, 1)."""
        return self.usual.get(word, float(np.exp(-self.idf(word))) / DESCRIBERS)


def seen(visual: VisualWords, encoder: DualEncoder, features_PD: Floats) -> dict[str, float]:
    """Return the share of describers who would use each word that eyes can know, from (places, dim).

    The visual words are calibrated; rarer words are the encoder's. Singular and plural are one word.
    """
    layer = np.clip(shares(features_PD.mean(0), encoder.w), FAINT, 1 - FAINT)
    chances = dict(zip(encoder.words, layer.tolist(), strict=True))
    chances |= dict(zip(visual.words, visual.probabilities(features_PD).tolist(), strict=True))
    return _merged(chances)


def named(percept: Percept, text: str) -> dict[str, float]:
    """Return the labels that the eyes are sure of, with their probabilities, and the animals of a text they deny."""
    spoken = (content.singular(word, ANIMALS) for word in content.words(text)[0])
    denials = {word: DENIED for word in spoken if denied(percept, word)}
    return denials | {label.label.lower(): label.probability for label in percept.labels if label.probability >= SURE}


def extract(
    text: str, picture: Mapping[str, float], lexicon: Lexicon, most: int = 8, least: float = LEAST
) -> tuple[Keyword, ...]:
    """Return at most ``most`` keywords, the weightiest first; none where neither text nor picture says anything.

    ``picture`` has the share of describers who would use a word or name, as of :func:`seen`; it is empty without a
    picture. Below ``least`` it names nothing by itself; 0 names every word. In a text that is not English no word is
    held against the picture, and only those of the same spelling join.
    """
    spoken, english = content.words(text, lexicon.rarity)
    if not english:
        lexicon, picture = Lexicon(), {word: share for word, share in picture.items() if share >= LEAST}
    known = {*lexicon.rarity, *spoken, *(part for name in picture for part in name.split())}
    counts = _counted([content.singular(word, known, english) for word in spoken], picture)
    found = []
    for word in dict.fromkeys((*counts, *picture)):
        share, count = picture.get(word, 0.0), counts[word]
        weight = 1 - (1 - share) * (1 - _said(word, count, picture, lexicon)) if count else share
        if weight < (min(least, DOUBTFUL) if count else least):
            continue
        source = Source.PICTURE if not count else Source.BOTH if share >= LEAST else Source.TEXT
        found.append(Keyword(word, weight, source))
    return tuple(sorted(found, key=lambda keyword: -keyword.weight)[:most])


def _said(word: str, count: int, picture: Mapping[str, float], lexicon: Lexicon) -> float:
    """Return the text's part of a weight."""
    usual = _logit(lexicon.share(word))
    against = min(0.0, _logit(picture[word]) - usual) if word in picture else 0.0
    score = usual + against + SAYS * (lexicon.idf(word) + REPEATED * float(np.log(count)))
    return float(1 / (1 + np.exp(-score)))


def _counted(words: Sequence[str], names: Iterable[str]) -> Counter[str]:
    """Count words, and names of several words as one: "golden retriever"."""
    longer = sorted((name.split() for name in names if " " in name), key=len, reverse=True)
    found, at = Counter[str](), 0
    while at < len(words):
        length = next((len(parts) for parts in longer if list(words[at : at + len(parts)]) == parts), 1)
        found[" ".join(words[at : at + length])] += 1
        at += length
    return found


def _merged(chances: Mapping[str, float]) -> dict[str, float]:
    """Return the chance that any form of a word is used, by its singular."""
    found: dict[str, float] = {}
    for word, chance in chances.items():
        one = content.singular(word, chances)
        found[one] = 1 - (1 - found.get(one, 0.0)) * (1 - chance)
    return found


def _logit(share: float) -> float:
    bounded = min(max(share, DENIED), 1 - DENIED)
    return float(np.log(bounded) - np.log1p(-bounded))
