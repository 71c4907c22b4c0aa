"""What a question asks for and the eyes do not name."""

from __future__ import annotations

import numpy as np
import pytest

from assistant import prompt
from assistant.types import Box, Label, Percept, TextRegion, Verdict
from assistant.unseen import unseen, untold


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


@pytest.mark.parametrize(
    ("told", "question", "thing"),
    [
        ("probably a table.", "What is he doing?", "person"),
        ("probably a table.", "What is the man wearing?", "man"),
        ("probably a table.", "Who is in the picture?", "person"),
        ("probably a table.", "How old is she?", "person"),
        ("a boy in a red shirt jumps.", "What is he doing?", ""),
        ("surely a dog.", "What is the dog doing?", ""),
        ("surely a dog.", "Who is the president of France?", ""),
        ("surely a dog.", "Who is in charge of France?", ""),
        ("surely a dog.", "Who is that actor in Titanic?", ""),
    ],
)
def test_somebody_is_seen_or_nobody(told: str, question: str, thing: str) -> None:
    thing = "person" if thing == "man" else thing
    assert unseen(told, question) == thing


@pytest.mark.parametrize(
    ("question", "what"),
    [
        ("How big is it?", "size"),
        ("How heavy is the candle?", "weight"),
        ("Does this smell good?", "smell and taste"),
        ("Can I eat this?", "whether that can be eaten"),
        ("How far away is that?", "distance"),
        ("How much does this cost?", "price"),
        ("Is this still fresh?", "freshness"),
        ("How old is the man?", ""),
        ("How big is the sun?", ""),
        ("How heavy is an elephant?", ""),
        ("How much is two plus two?", ""),
        ("Is it dirty?", "whether that is clean"),
        ("How do I clean this stain?", ""),
        ("How long does it take to boil an egg?", ""),
        ("How far is it to Berlin?", ""),
        ("How cold is it outside?", ""),
        ("Can I drink coffee this late?", ""),
        ("How warm will June be this year?", ""),
        ("What is this?", ""),
    ],
)
def test_what_a_picture_does_not_tell(question: str, what: str) -> None:
    assert untold("probably a candle in the centre.", question) == what


def test_clothes_and_hands_are_told_where_they_are_seen() -> None:
    assert unseen("a man stands on a rock.", "What is he wearing?") == "clothes"
    assert unseen("a man in a blue jacket stands on a rock.", "What is he wearing?") == ""
    assert unseen("a man stands on a rock.", "What am I holding?") == "hand"
    assert unseen("a man holds a cup.", "What am I holding?") == ""
    assert unseen("surely a cup.", "What am I holding?") == ""


def test_it_is_what_was_spoken_of_before() -> None:
    seen = percept(labels=(Label("candle", 0.7),))
    size = "\n[camera: size cannot be seen]"
    assert prompt.guess(seen, "How big is it?", "en") == size
    assert prompt.guess(seen, "How big is it?", "en", "What am I holding?") == size
    assert prompt.guess(seen, "How big is it?", "en", "What is the largest planet?") == ""
    assert prompt.guess(seen, "How big is this?", "en", "What is the largest planet?") == size


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"labels": (Label("candle", 0.95),)}, ""),
        ({"labels": (Label("candle", 0.4),)}, prompt.UNSURE.format("a candle")),
        ({"labels": (Label("candle", 0.1),)}, prompt.NAMELESS),
        ({"labels": (), "words": (("snow", 0.9),)}, ""),
        ({"labels": (Label("candle", 0.4),), "caption": "a man holds a candle"}, ""),
        ({"labels": (Label("candle", 0.4),), "verdict": Verdict.DARK}, ""),
    ],
)
def test_how_sure_a_name_is_stands_beside_the_question(fields: dict[str, object], note: str) -> None:
    assert prompt.guess(percept(**fields), "What is this?", "en") == note
    assert prompt.guess(percept(**fields), "What is this doing?", "en") == ""
    assert prompt.guess(percept(**fields), "What is that?", "en", "How do plants eat light?") == ""


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
