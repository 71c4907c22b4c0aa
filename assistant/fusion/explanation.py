"""Which places of a picture the words come from, and a test that this is so.

The words are visual words or, where the assistant tells none, a label. The map is their head's own arithmetic: each
place's share of the scores (class activation map, Zhou et al., CVPR 2016). The deletion test (Petsiuk et al., RISE,
2018) greys out the strongest places *of the picture*, looks again, and compares the fall of the words' probability with
that of random places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..types import Frame, Percept, Pixels, Verdict
from .sentences import tokenize

if TYPE_CHECKING:
    from ..stages import Eyes
    from .grid import GridFuser

DELETED = 0.2
"""Share of the places that is greyed out."""
LEAST = 0.05
"""Words and labels below this probability were not seen; there is nothing to show."""
TRIALS = 8
"""Random deletions that the map is compared with."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """A heat map with its words and its test."""

    words: tuple[tuple[str, float], ...]
    """The words that the map explains, with their probabilities."""
    seen: tuple[tuple[str, float], ...]
    """All words that were seen."""
    caption: str
    answers: tuple[tuple[str, float], ...]
    heat: NDArray[np.float32]
    """(rows, columns), 0 to 1."""
    fall: float
    """How far the words' mean probability falls when the strongest places are greyed out."""
    random_fall: float
    """How far it falls for as many random places, on average."""
    random_spread: float
    """Standard deviation over the random deletions."""

    def text(self) -> str:
        """Return it in words."""
        explained = ", ".join(f"{word} {chance:.2f}" for word, chance in self.words)
        lines = [f"seen: {', '.join(f'{word} {chance:.2f}' for word, chance in self.seen) or 'nothing it is sure of'}"]
        if self.caption:
            lines.append(f"caption: {self.caption}")
        if self.answers:
            lines.append(f"answers: {', '.join(f'{answer} {chance:.2f}' for answer, chance in self.answers)}")
        share = f"{DELETED:.0%}"
        lines.append(f"map of: {explained}")
        lines.append(
            f"deletion test: without the strongest {share} of the picture it falls by {self.fall:.3f}, "
            f"without a random {share} by {self.random_fall:.3f} ± {self.random_spread:.3f}"
        )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "words": [{"word": word, "probability": chance} for word, chance in self.words],
            "seen": [{"word": word, "probability": chance} for word, chance in self.seen],
            "caption": self.caption,
            "answers": [{"answer": answer, "probability": chance} for answer, chance in self.answers],
            "heat": np.round(self.heat, 3).tolist(),
            "deletion": {"share": DELETED, "fall": self.fall, "random": self.random_fall, "spread": self.random_spread},
        }

    def drawn(self, pixels: Pixels) -> Frame:
        """Return the picture with the map over it, red where it matters."""
        import cv2

        height, width = pixels.shape[:2]
        smooth = cv2.resize(self.heat, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        colours = cv2.applyColorMap((smooth * 255).astype(np.uint8), cv2.COLORMAP_JET)[..., ::-1]
        strength = 0.15 + 0.45 * smooth[..., None]
        return Frame((pixels * (1 - strength) + colours * strength).astype(np.uint8))


@runtime_checkable
class Pointing(Protocol):
    """Eyes that tell where their labels come from."""

    def places(self, frame: Frame, label: str) -> NDArray[np.float32]:
        """Return each place's share of a label's score, (places,)."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where the words for one picture come from."""

    seen: tuple[tuple[str, float], ...]
    """What is told of the picture, most probable first."""
    main: tuple[str, ...]
    """What is explained where the question names nothing."""
    chances: Callable[[Percept], Mapping[str, float]]
    """The probability of each word, of this picture or another as the eyes give it."""
    places: Callable[[str], NDArray[np.float32]]
    """Each place's share of a word's score, (places,)."""


class Explainer:
    """Explains a fuser's words on a picture."""

    def __init__(self, eyes: Eyes, fuser: GridFuser) -> None:
        self.eyes, self.fuser = eyes, fuser

    def explain(self, frame: Frame, question: str) -> Explanation:
        """Return the map of the words of the question, or of what was seen where it names none.

        Raises :class:`InputError` where the picture cannot be judged or nothing is recognised in it.
        """
        looked = self.eyes.look(frame)
        percept = self.fuser.read(frame, looked)
        if percept.verdict is not Verdict.OK:
            raise InputError(f"the picture is {percept.verdict}; there is nothing to explain")
        worded = percept.words or self.fuser.knows(percept)
        source = self._words(percept) if worded else self._labels(frame, percept)
        chances = source.chances(looked)
        words = tuple((word, chances[word]) for word in _asked(question, chances) or source.main)
        heat = _heat([source.places(word) for word, _ in words], percept.grid)

        def belief(looked: Percept) -> float:
            found = source.chances(looked)
            return float(np.mean([found.get(word, 0.0) for word, _ in words]))

        deleted = [self.eyes.look(greyed(frame, places)) for places in self._deletions(heat)]
        falls = [belief(looked) - belief(other) for other in deleted]
        return Explanation(
            words,
            source.seen,
            percept.caption,
            self.fuser.answer(percept, question),
            heat,
            falls[0],
            float(np.mean(falls[1:])),
            float(np.std(falls[1:])),
        )

    def _words(self, percept: Percept) -> Source:
        visual = self.fuser.visual
        best = visual.words[int(visual.probabilities(percept.features).argmax())]
        return Source(
            percept.words,
            tuple(word for word, _ in percept.words[:3]) or (best,),
            lambda other: dict(zip(visual.words, visual.probabilities(other.features).tolist(), strict=True)),
            lambda word: visual.places(percept.features, word),
        )

    def _labels(self, frame: Frame, percept: Percept) -> Source:
        if not percept.labels:
            raise InputError("nothing is recognised in this picture; there is nothing to explain")

        def places(label: str) -> NDArray[np.float32]:
            namer = self.fuser.namer
            if namer is not None and label in namer.names:
                return namer.places(percept.features, label)
            if isinstance(self.eyes, Pointing):
                return self.eyes.places(frame, label)
            raise InputError(f"the eyes {self.eyes.encoder!r} do not tell where they see {label!r}")

        return Source(
            tuple((label.label, label.probability) for label in percept.labels),
            (percept.labels[0].label,),
            # The eyes and the head of names may use one label; the more probable one comes first.
            lambda other: {label.label: label.probability for label in reversed(self.fuser.name(other).labels)},
            places,
        )

    def _deletions(self, heat: NDArray[np.float32]) -> list[NDArray[np.bool_]]:
        """Return the strongest places, then as many random ones several times."""
        count, generator = max(1, round(heat.size * DELETED)), np.random.default_rng(0)
        orders = [np.argsort(-heat, axis=None), *(generator.permutation(heat.size) for _ in range(TRIALS))]
        masks = [np.zeros(heat.size, bool) for _ in orders]
        for mask, order in zip(masks, orders, strict=True):
            mask[order[:count]] = True
        return [mask.reshape(heat.shape) for mask in masks]


def _asked(question: str, chances: Mapping[str, float]) -> tuple[str, ...]:
    """Return the words that the question names and the picture may show."""
    asked = set(tokenize(question))
    likely = [(word, set(tokenize(word))) for word, chance in chances.items() if chance >= LEAST]
    return tuple(word for word, parts in likely if parts and parts <= asked)


def _heat(maps: Sequence[NDArray[np.float32]], grid: tuple[int, int]) -> NDArray[np.float32]:
    total = np.sum([one - one.mean() for one in maps], 0).reshape(grid)
    scaled: NDArray[np.float32] = (total - total.min()) / max(float(np.ptp(total)), 1e-9)
    return scaled.astype(np.float32)


def greyed(frame: Frame, places: NDArray[np.bool_]) -> Frame:
    """Return a frame whose marked places, (rows, columns), have the picture's mean colour."""
    import cv2

    height, width = frame.pixels.shape[:2]
    mask = cv2.resize(places.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    pixels = frame.pixels.copy()
    pixels[mask] = frame.pixels.reshape(-1, 3).mean(0).astype(np.uint8)
    return Frame(pixels, frame.time, frame.source)
