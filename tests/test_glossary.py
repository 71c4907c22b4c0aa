"""Names of things in other languages."""

from __future__ import annotations

import numpy as np
import pytest

from assistant import prompt
from assistant.backends.efficientnet import classes
from assistant.glossary import LANGUAGES, terms, translate
from assistant.types import Label, Percept


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_thing_that_the_eyes_know_has_a_name(language: str) -> None:
    assert [names[0] for _, names in classes() if not translate(names[0], language)] == []


@pytest.mark.parametrize(
    ("name", "language", "there"),
    [
        ("sour cream", "de", "saure Sahne"),
        ("sour cream", "it", "panna acida"),
        ("goldfish", "fr", "un poisson rouge"),
        ("dogs", "es", "un perro"),
        ("women", "de", "eine Frau"),
        ("running", "fr", "courir"),
        ("quux", "de", ""),
        ("dog", "sv", ""),
    ],
)
def test_names_and_words_in_any_form(name: str, language: str, there: str) -> None:
    assert translate(name, language) == there


def test_the_rarest_words_of_a_caption_come_first() -> None:
    found = dict(terms("A man in a brown shirt on a swing plays with a dog.", "es", 3))
    assert "swing" in found and "man" not in found and len(found) == 3


def test_the_note_names_what_was_seen() -> None:
    seen = Percept("an encoder", np.zeros((1, 4), np.float32), labels=(Label("sour cream", 0.9), Label("bucket", 0.1)))
    assert prompt.language("es", (seen,)) == "\n[sour cream: crema agria; responde en español]"
    assert prompt.language("sv", (seen,)) == "\n[answer in sv]"
    assert prompt.language("en", (seen,)) == ""


def test_a_colour_is_no_fruit() -> None:
    seen = Percept("an encoder", np.zeros((1, 4), np.float32), answers=(("orange", 0.9),))
    assert prompt.language("de", (seen,)) == "\n[antworte auf Deutsch]"
    seen = Percept("an encoder", np.zeros((1, 4), np.float32), answers=(("green", 0.9),))
    assert prompt.language("de", (seen,)) == "\n[green: grün; antworte auf Deutsch]"
