"""What a question asks for and the eyes do not name."""

from __future__ import annotations

import numpy as np
import pytest

from assistant import prompt
from assistant.types import Box, Label, Percept, TextRegion, Verdict
from assistant.unseen import unseen


def percept(**fields: object) -> Percept:
    return Percept("an encoder", np.zeros((1, 4), np.float32), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("Is there a lamp on the wall?", "lamp"),
        ("Can you see a lamp?", "lamp"),
        ("Are there any cars in front of me?", "cars"),
        ("Is there a red car?", "car"),
        ("Is there a lamp here?", "lamp"),
        ("Where is my cup?", "cup"),
        ("What colour is the sofa?", "sofa"),
        ("Is my tie straight?", "tie"),
        ("How many people are there?", "people"),
        ("Is there a bathtub?", ""),
        ("How many bathtubs do you see?", ""),
        ("What is this?", ""),
        ("Is it outside or inside?", ""),
        ("Is there anything on the floor?", ""),
        ("Can you see me?", ""),
        ("Is there any furniture?", ""),
        ("", ""),
    ],
)
def test_what_is_asked_for_and_not_named(question: str, thing: str) -> None:
    assert unseen("probably a bathtub at the left.", question) == thing


@pytest.mark.parametrize("question", ["Are there any people?", "Is there a man?", "How many women are there?"])
def test_people_have_many_names(question: str) -> None:
    assert unseen("Two children are playing in the water.", question) == ""


def test_it_is_said_beside_the_question() -> None:
    seen = percept(labels=(Label("bathtub", 0.7),))
    assert prompt.guess(seen, "Is there a lamp here?", "en") == "\n[camera: no lamp seen]"
    assert prompt.guess(seen, "Is there a bathtub here?", "en") == ""
    assert prompt.guess(seen, "Is there a lamp in every lighthouse?", "en") == "", "that is no question about the scene"
    assert prompt.guess(seen, "Gibt es hier eine Lampe?", "de") == ""


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"missing": ("lamp",)}, "\n[camera: no lamp in the picture]"),
        ({"answers": (("floor lamp", 0.7),)}, "\n[camera: probably floor lamp]"),
        ({"verdict": Verdict.DARK}, ""),
        ({"regions": (TextRegion("Lamp 12.00", Box(0, 0, 1, 1), 0.9),)}, ""),
    ],
)
def test_who_knows_better_is_believed(fields: dict[str, object], note: str) -> None:
    assert prompt.guess(percept(**fields), "Can you see a lamp?", "en") == note
