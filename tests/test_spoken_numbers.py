"""Numbers as people say them."""

from __future__ import annotations

import re

import pytest

from assistant.spoken_numbers import NUMBER, number, said_number


@pytest.mark.parametrize(
    ("said", "language", "value"),
    [
        ("12", "en", 12), ("-5", "en", -5), ("3.5", "en", 3.5), ("1,500", "en", 1500), ("2,000,000.5", "en", 2000000.5),
        ("twenty-one", "en", 21), ("two hundred and five", "en", 205), ("a hundred", "en", 100), ("half", "en", 0.5),
        ("half an", "en", 0.5), ("two and a half", "en", 2.5), ("2 and a half", "en", 2.5),
        ("fünfundzwanzig", "de", 25), ("eine", "de", 1), ("zweieinhalb", "de", 2.5), ("anderthalb", "de", 1.5),
        ("eine halbe", "de", 0.5), ("1,5", "de", 1.5), ("1.500", "de", 1500), ("2.5", "de", 2.5),
        ("quatre-vingt-dix", "fr", 90), ("une demie", "fr", 0.5), ("vingt et un", "fr", 21),
        ("treinta y dos", "es", 32), ("dos y media", "es", 2.5), ("ventuno", "it", 21), ("due e mezzo", "it", 2.5),
        ("zwölf", "en", 12),
    ],
)  # fmt: skip
def test_a_number_is_what_it_says(said: str, language: str, value: float) -> None:
    assert re.fullmatch(NUMBER, said)
    assert number(said, language) == pytest.approx(value)


@pytest.mark.parametrize("said", ["", "dog", "a dog", "3 5", "one 2", "and"])
def test_what_is_no_number_is_refused(said: str) -> None:
    assert not re.fullmatch(NUMBER, said)
    with pytest.raises(ValueError, match="is no number"):
        number(said)


@pytest.mark.parametrize(
    ("value", "language", "said"),
    [
        (12.0, "en", ("12", True)), (2 / 3, "en", ("0.667", False)), (1.0005, "de", ("1", False)),
        (3.25, "de", ("3,25", True)), (1234567.0, "en", ("1234567", True)), (0.0, "en", ("0", True)),
        (1e20, "en", ("1e+20", True)),
    ],
)  # fmt: skip
def test_a_number_is_said_with_few_digits(value: float, language: str, said: tuple[str, bool]) -> None:
    assert said_number(value, language) == said
