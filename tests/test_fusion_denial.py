"""An animal that is named and not there."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.fusion.denial import denied
from assistant.prompt import guess
from assistant.types import Label, Percept


def percept(*labels: tuple[str, float], **given: object) -> Percept:
    made = tuple(Label(name, probability) for name, probability in labels)
    return Percept("efficientnet-lite2", np.zeros((1, 4), np.float32), labels=made, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "animal"),
    [
        ("What colour is this dog?", "dog"),
        ("are these birds or cats", "bird"),
        ("What colour is this cup?", ""),
        ("what is this", ""),
    ],
)
def test_over_a_cup_there_is_no_animal(text: str, animal: str) -> None:
    assert denied(percept(("cup", 0.7), ("coffee mug", 0.2)), text) == animal


def test_an_animal_of_the_kind_is_enough() -> None:
    seen = percept(("tennis ball", 0.7), ("golden retriever", 0.03))
    assert denied(seen, "what is the dog doing?") == "" and denied(seen, "is that a cat?") == "cat"


def test_nothing_is_denied_where_the_eyes_are_not_sure() -> None:
    assert denied(percept(("cup", 0.5)), "what colour is this dog?") == ""
    assert denied(percept(), "what colour is this dog?") == ""


def test_the_model_is_told_instead_of_a_guess() -> None:
    question = "What colour is this dog?"
    seen = percept(answers=(("white", 0.9),), missing=("dog",))
    assert guess(seen, question, "en") == "\n[camera: no dog in the picture]"
    assert guess(percept(answers=(("white", 0.9),)), question, "en") == "\n[camera: surely white]"
