"""Animals that are named where the eyes are sure of something else: "what colour is this dog?" over a cup.

For animals the eyes' thousand classes are fine and complete enough that none of them among the labels means none in the
picture; "no cup" beside a coffee mug or "no chair" beside a dining table would be wrong far more often.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..types import Percept
from .sentences import tokenize

SURE = 0.6
"""Calibrated probability of another label from which an animal without a label is held to be absent."""

ANIMALS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "dog": ((151, 275),),
    "puppy": ((151, 275),),
    "cat": ((281, 287),),
    "kitten": ((281, 287),),
    "bird": ((7, 24), (80, 100), (127, 146)),
    "fish": ((0, 6), (389, 397)),
    "snake": ((52, 68),),
    "horse": ((339, 340),),
    "cow": ((345, 346),),
    "sheep": ((348, 350),),
    "monkey": ((365, 384),),
    "bear": ((294, 297),),
    "elephant": ((385, 386),),
    "spider": ((72, 77),),
    "rabbit": ((330, 332),),
}
"""Word → first and last classes of its kind: ImageNet's order is that of WordNet, so relatives stand together."""


def denied(percept: Percept, text: str) -> str:
    """Return the first animal of a question or sentence that the labels contradict; empty where there is none."""
    if not percept.labels or percept.labels[0].probability < SURE:
        return ""
    from ..backends.efficientnet import classes

    numbers = {names[0]: number for number, (_, names) in enumerate(classes())}
    seen = [numbers.get(label.label, -1) for label in percept.labels]
    for word in tokenize(text):
        animal = word if word in ANIMALS else word.removesuffix("s")
        if any(name == animal for label in percept.labels for name in tokenize(label.label)):
            continue
        if animal in ANIMALS and not any(first <= one <= last for one in seen for first, last in ANIMALS[animal]):
            return animal
    return ""
