"""What colour the thing has that a question asks for: from the pixels where it is, and from what it is. Numpy only.

The words of ``retrieval`` know at which places of the eyes' grid a thing is; "it" is where the eyes' first label is,
or in the middle. A linear layer weighs the shades of the pixels there (a histogram over lightness, chroma and hue of
CIELAB), the eyes' features there and of the whole picture, and how often things of that name have each colour. In
pictures unlike those that it learned from, the plain colours of the pixels count as well. The colours are the basic
terms of English (Berlin & Kay, "Basic Color Terms", 1969).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import Box, Label, Percept, Pixels
from .checkpoint import Checkpoint
from .content import ENGLISH, singular
from .layers import Floats, softmax
from .retrieval import DualEncoder, surprise
from .sentences import tokenize

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey")
_NAMES = {name: name for name in COLOURS} | {
    "gray": "grey", "silver": "grey", "tan": "brown", "beige": "brown", "violet": "purple",
}  # fmt: skip

FINE = 10
"""Pixels a side of each place of the grid whose shades are counted."""
LIGHTNESS, CHROMA, HUES = (12, 25, 40, 55, 70, 85), (6, 14, 28, 50), 12
"""Bounds of lightness among greys and of chroma, and sectors of hue."""
TONES = (35, 65)
"""Bounds of lightness among colours."""
SHADES = len(LIGHTNESS) + 1 + len(CHROMA) * HUES * (len(TONES) + 1)
DOUBT = 8.0
"""Mentions of a thing's colour that what is usual of all things counts for."""
ABSENT = -0.1
"""How much likelier than usual the picture makes a word (a logarithm) below which the thing is not told of."""
SECOND, BOTH = 0.75, 0.6
"""Chance of the second colour in shares of the first, and of both together, from which a thing has both."""
LEARNED, PLAIN, FAINT = 0.75, 1.5, 0.02
"""How much learned scores and plain colours count in pictures unlike those of the captions, and the least share of a
plain colour (``python -m benchmarks.colours``)."""
POINTED = 0.3
"""Probability of the first label from which "it" is where the label is."""
MIDDLE = 0.25
"""Deviation of the middle of a picture, in sides."""

_OTHER = re.compile(
    "|".join(
        (
            r"(?:welche|was für eine) farbe\b.*\b(?:dies\w*|mein\w*|hier)\b",
            r"(?:welche|was für eine) farbe (?:hat|haben|ist|sind) (?:das|es|sie)\W*$",
            r"quelles? couleurs?\b.*(?:\b(?:ça|ceci|cela|mon|ma|mes|cet|cette|ces|ici)\b|est-(?:ce|il|elle)\b)",
            r"qué color(?:es)?\b.*(?:\b(?:est[oae]s?|es[oa]s?|mis?|aquí)\b|\b(?:es|son|tiene)\W*$)",
            r"che colore\b.*(?:\b(?:quest[oaie]|mi[oaei]i?|qui)\b|(?:è|ha|sono)\W*$)",
        )
    ),
    re.IGNORECASE,
)
"""Questions for the colour of what is before the camera in German, French, Spanish and Italian."""
_COLOUR = re.compile(r"\b(?:what|which|the|tell me the) colou?rs?\b(?P<rest>.*)", re.IGNORECASE)
_GENERAL = re.compile(
    r"\b(?:mix|usually|normally|favou?rite|flag|get|make|rainbow|mean|means|like|an?)\b", re.IGNORECASE
)
_POINTING = frozenset("this that these those it they them the my your our his her its their wearing holding".split())
_MINE = re.compile(r"\bmy\b|\bi(?:'m| am)\b|\bam i\b", re.IGNORECASE)
"""Who asks so knows that the thing is there."""
_BOUNDS = frozenset("in on at near behind under beside of with to from next between and or".split())


def mentions(caption: str) -> list[tuple[str, list[str]]]:
    """Return the things of a caption that have a colour, each with its colours.

    >>> mentions("A black and white dog with a red ball .")
    [('dog', ['black', 'white']), ('ball', ['red'])]
    """
    words, found, colours = tokenize(caption), [], list[str]()
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in _NAMES:
            colours.append(_NAMES[word])
        elif colours and not (word == "and" and following in _NAMES):
            if word not in ENGLISH and word.isalpha():
                found.append((word, colours))
            colours = []
    return found


def asked(question: str) -> str | None:
    """Return the thing whose colour in the picture a question asks for, "" for "it"; ``None`` for any other question.

    Only an English question tells the thing.

    >>> [asked(text) for text in ("What colour is my shirt?", "What color is this?", "What colour is a banana?")]
    ['shirt', '', None]
    """
    if _OTHER.search(question):
        return ""
    match = _COLOUR.search(question)
    if match is None or _GENERAL.search(question):
        return None
    words = re.findall(r"[a-z]+(?:-[a-z]+)*", match["rest"].lower().replace("t-shirt", "shirt"))
    if words and not _POINTING & set(words):
        return None
    thing = ""
    for word in [word for word in words if word != "of"]:
        if word in _BOUNDS and thing:
            break
        if word not in ENGLISH and word not in _POINTING:
            thing = word
        elif thing:
            break
    return thing


def lab(pixels: Pixels, grid: tuple[int, int]) -> tuple[Floats, Floats, Floats]:
    """Return lightness, chroma and hue (degrees) of a picture in CIELAB, each (places, FINE * FINE)."""
    import cv2

    rows, columns = grid
    small = cv2.resize(pixels, (columns * FINE, rows * FINE), interpolation=cv2.INTER_AREA)
    light, a, b = np.moveaxis(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), 2, 0)

    def placed(values: NDArray[np.floating[Any]]) -> Floats:
        cells = values.reshape(rows, FINE, columns, FINE).swapaxes(1, 2)
        result: Floats = cells.reshape(rows * columns, FINE * FINE).astype(np.float32)
        return result

    return placed(light), placed(np.hypot(a, b)), placed(np.degrees(np.arctan2(b, a)) % 360)


def shades(light: Floats, chroma: Floats, hue: Floats) -> Floats:
    """Return how much of each place has each shade, (places, SHADES), from :func:`lab`; each row sums to one."""
    strong, sector = np.digitize(chroma, CHROMA), (hue * HUES / 360).astype(int) % HUES
    tone = ((strong - 1) * HUES + sector) * (len(TONES) + 1) + np.digitize(light, TONES)
    return _shares(np.where(strong == 0, np.digitize(light, LIGHTNESS), len(LIGHTNESS) + 1 + tone), SHADES)


def plainly(light: Floats, chroma: Floats, hue: Floats) -> Floats:
    """Return how much of each place has each colour, (places, colours), from :func:`lab`, whatever stands there.

    By bounds that were set by hand.
    """
    warm, pale, reddish, yellowish = (30 <= hue) & (hue < 100), chroma < 14, (hue < 48) | (hue >= 345), hue >= 72
    rules = (
        ((light < 18) | ((chroma < 8) & (light < 28)) | (pale & (light < 25)), "black"),
        (((chroma < 8) & (light > 78)) | (pale & (light > 82)), "white"),
        (chroma < 8, "grey"),
        (pale & warm & (light < 70), "brown"),
        (pale, "grey"),
        (reddish & (light > 68) & (chroma < 45), "pink"),
        (reddish & (chroma < 28) & (hue > 20) & (hue < 345), "brown"),
        (reddish, "red"),
        ((hue < 72) & ((light < 52) | (chroma < 32)), "brown"),
        (hue < 72, "orange"),
        ((hue < 104) & (chroma < 25) & (light > 75), "white"),
        ((hue < 104) & (chroma < 25), "brown"),
        (yellowish & (hue < 92) & (light < 50) & (chroma < 50), "brown"),
        (yellowish & (hue < 104) & ((light >= 50) | (chroma >= 50)), "yellow"),
        (hue < 200, "green"),
        (hue < 300, "blue"),
        ((hue < 330) | (light <= 55), "purple"),
    )
    conditions = [condition for condition, _ in rules]
    numbers = np.select(conditions, [COLOURS.index(name) for _, name in rules], COLOURS.index("pink"))
    return _shares(numbers, len(COLOURS))


def evidence(where: Floats, shades_PS: Floats, features_PD: NDArray[np.floating[Any]]) -> Floats:
    """Return what a colour is judged by, (SHADES + 2 dim,), from each place's share of the thing, (places,)."""
    there = where.astype(np.float32)
    parts = [np.sqrt(there @ shades_PS), there @ features_PD, features_PD.mean(0)]
    result: Floats = np.concatenate(parts).astype(np.float32)
    return result


def middle(grid: tuple[int, int]) -> Floats:
    """Return the share of each place of a thing that is held before the camera, (places,)."""
    rows, columns = (((np.arange(side) + 0.5) / side - 0.5) / MIDDLE for side in grid)
    return _shared(np.exp(-(rows[:, None] ** 2 + columns[None] ** 2) / 2))


def inside(box: Box, grid: tuple[int, int]) -> Floats:
    """Return the share of each place in a box, (places,)."""
    rows, columns = ((np.arange(side) + 0.5) / side for side in grid)
    down = np.clip(1 - np.abs(rows - (box.top + box.bottom) / 2) / max(box.bottom - box.top, 1e-3), 0.02, 1)
    across = np.clip(1 - np.abs(columns - (box.left + box.right) / 2) / max(box.right - box.left, 1e-3), 0.02, 1)
    return _shared(down[:, None] * across[None])


def usual(counts: Floats, everywhere: Floats) -> Floats:
    """Return the logarithm of how often things of a name have each colour, from their mentions, (..., colours)."""
    total = counts.sum(-1, keepdims=True) + DOUBT
    result: Floats = np.log((counts + DOUBT * everywhere) / total).astype(np.float32)
    return result


def _shares(numbers: NDArray[np.integer[Any]], count: int) -> Floats:
    """Return how often each row has each number below ``count``, as a share."""
    shares = np.zeros((len(numbers), count), np.float32)
    np.add.at(shares, (np.arange(len(numbers))[:, None], numbers), 1 / numbers.shape[1])
    return shares


def _shared(weights: NDArray[np.floating[Any]]) -> Floats:
    shares: Floats = (weights / weights.sum()).astype(np.float32).ravel()
    return shares


class ColourHead:
    """The head of a ``colour`` checkpoint."""

    def __init__(self, saved: Checkpoint) -> None:
        arrays: Mapping[str, Any] = saved.arrays
        self.weight, self.bias = (np.asarray(arrays[name], np.float32) for name in ("weight", "bias"))
        self.counts = np.asarray(arrays["counts"], np.float32)
        """(things, colours): how often each was said of each."""
        self.everywhere = np.asarray(arrays["everywhere"], np.float32)
        self.things = {thing: number for number, thing in enumerate(saved.extras["things"])}
        self.trust, self.temperature = float(np.asarray(arrays["trust"]).item()), float(saved.extras["temperature"])
        self.dim = (self.weight.shape[1] - SHADES) // 2

    def answer(
        self, percept: Percept, question: str, encoder: DualEncoder, familiar: bool = True
    ) -> tuple[tuple[str, float], ...]:
        """Return colours with their probabilities, best first; none where the question is for no colour.

        Nor where the picture makes the thing unlikely, or is not there any more. What is learned is believed less in
        pictures that are not ``familiar``, where it takes a heap of cucumbers for grass: there the pixels count.
        """
        thing = asked(question)
        if thing is None or percept.frame is None:
            return ()
        known = self.known(thing, encoder)
        label = next(
            (one for one in percept.labels if one.box and one.probability >= POINTED and _of(one, thing)), None
        )
        if not thing:
            where, known = self.pointed(percept, encoder)
        elif label is not None and label.box is not None:
            where = inside(label.box, percept.grid)
        elif not _MINE.search(question) and (not known or self._absent(percept, known, encoder)):
            return ()
        elif known and encoder.knows(known):
            where = encoder.where(percept.features, known)
        else:
            where = middle(percept.grid)
        return both(self.probabilities(where, percept.frame.pixels, percept, known, familiar))

    def pointed(self, percept: Percept, encoder: DualEncoder) -> tuple[Floats, str]:
        """Return the share of each place of what "it" is, (places,), and its name; empty where that is not known."""
        sure = [label for label in percept.labels[:1] if label.probability >= POINTED]
        if not sure:
            thing = next((word for word in tokenize(percept.caption) if word in self.things), "")
            known = thing and encoder.knows(thing)
            return (encoder.where(percept.features, thing) if known else middle(percept.grid)), thing
        name = self.known(sure[0].label.lower().split(",")[0].split()[-1], encoder)
        return (inside(sure[0].box, percept.grid) if sure[0].box else middle(percept.grid)), name

    def probabilities(
        self, where: Floats, pixels: Pixels, percept: Percept, thing: str = "", familiar: bool = True
    ) -> Floats:
        """Return the probability of each colour, (colours,), of a thing from each place's share of it, (places,)."""
        seen = lab(pixels, percept.grid)
        found = evidence(where, shades(*seen), percept.features[:, : self.dim])
        scores = self.scores(found, self.prior(thing)) / self.temperature
        if not familiar:
            scores = LEARNED * scores + PLAIN * np.log(where @ plainly(*seen) + FAINT)
        return softmax(scores)

    def scores(self, found: Floats, prior: Floats) -> Floats:
        """Return the scores before the softmax, (..., colours)."""
        result: Floats = found @ self.weight.T + self.bias + self.trust * prior
        return result

    def prior(self, thing: str) -> Floats:
        """Return the logarithm of how often a thing has each colour, (colours,), or any thing where it is not known."""
        number = self.things.get(thing)
        return usual(self.counts[number] if number is not None else np.zeros(len(COLOURS), np.float32), self.everywhere)

    def known(self, thing: str, encoder: DualEncoder) -> str:
        """Return the form of a thing's name of which something is known; empty where there is none."""
        forms = (thing, singular(thing, self.things), thing.removesuffix("s")) if thing else ()
        return next((form for form in forms if form in self.things or encoder.knows(form)), "")

    def _absent(self, percept: Percept, thing: str, encoder: DualEncoder) -> bool:
        """Return whether the picture makes a thing unlikely, or nothing can tell."""
        if any(_of(label, thing) for label in percept.labels):
            return False
        number = encoder.words.get(thing)
        if number is None:
            return not encoder.knows(thing)
        return float(surprise(percept.features.mean(0)[: encoder.config.encoder_dim], encoder.w)[number]) < ABSENT


def _of(label: Label, thing: str) -> bool:
    """Return whether a label names a thing, in the singular or the plural."""
    words = label.label.lower().replace(",", " ").split()
    return thing in words or thing.removesuffix("s") in words


def both(chances: Floats) -> tuple[tuple[str, float], ...]:
    """Return colours with their probabilities, best first; two that are about as likely as each other are one."""
    order = np.argsort(-chances)
    found = [(COLOURS[i], round(float(chances[i]), 4)) for i in order]
    (one, first), (two, second) = found[:2]
    if second >= SECOND * first and first + second >= BOTH:
        found.insert(0, (f"{one} and {two}", round(first + second, 4)))
    return tuple(found[:3])
