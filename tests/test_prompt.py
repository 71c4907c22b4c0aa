"""What the model is told of a picture, of tools, and what it is never told."""

from __future__ import annotations

import numpy as np
import pytest

from assistant import prompt
from assistant.types import Box, Code, Label, Message, Percept, TextRegion, ToolCall, ToolResult, Verdict

ALL = Box(0, 0, 1, 1)
CALCULATE = {
    "name": "calculate",
    "description": "Work out a sum.",
    "parameters": {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
}
LAMP = {
    "name": "lamp",
    "description": "Switch the lamp.",
    "parameters": {
        "type": "object",
        "properties": {"state": {"type": "string", "enum": ["on", "off"]}, "level": {"type": "integer"}},
        "required": ["state"],
    },
}


def percept(**fields: object) -> Percept:
    return Percept("an encoder", np.zeros((1, 4), np.float32), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.95, "surely a laptop"),
        (0.7, "probably a laptop"),
        (0.4, "maybe a laptop"),
        (0.1, "nothing that can be named"),
    ],
)
def test_a_label_is_stated_as_surely_as_it_was_seen(probability: float, words: str) -> None:
    assert words in prompt.describe(percept(labels=(Label("laptop, notebook", probability),)))


def test_place_and_article() -> None:
    text = prompt.describe(percept(labels=(Label("orange", 0.9, "upper left"), Label("cup", 0.9, "centre"))))
    assert text == "surely an orange at the upper left; surely a cup in the centre."


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.OK])
def test_a_picture_that_cannot_be_judged_gives_no_certain_content(verdict: Verdict) -> None:
    seen = percept(
        verdict=verdict, labels=(Label("dog", 0.99),), caption="a dog", words=(("dog", 0.9),), answers=(("dog", 0.9),)
    )
    text = prompt.describe(seen)
    assert "dog" not in text


def test_captions_and_visual_words_are_told() -> None:
    text = prompt.describe(percept(caption="a dog runs through the snow", words=(("snow", 0.8), ("cat", 0.1))))
    assert "a dog runs through the snow" in text
    assert "snow" in text
    assert "cat" not in text


def test_text_and_codes_are_quoted_and_their_absence_is_said() -> None:
    regions, codes = (TextRegion("STOP", ALL, 0.9),), (Code("QR_CODE", "https://example.org", ALL),)
    text = prompt.describe(percept(regions=regions, codes=codes))
    assert 'written in the picture: "STOP"' in text
    assert 'QR CODE code that says "https://example.org"' in text
    assert "no readable text; no readable code" in prompt.describe(percept(regions=(), codes=()))
    assert "text" not in prompt.describe(percept(labels=(Label("cup", 0.9),)))


def test_long_text_is_cut_between_words() -> None:
    text = prompt.describe(percept(regions=tuple(TextRegion("word " * 20, ALL, 0.9) for _ in range(40))))
    assert len(text) < prompt.MOST_LETTERS + 100
    assert "word …" in text or "/ …" in text


def test_age_is_told_of_an_old_picture_only() -> None:
    assert "12 seconds old" in prompt.describe(percept(), age=12.2)
    assert "old" not in prompt.describe(percept(), age=1.0)


@pytest.mark.parametrize(
    "marker", ["<|im_end|>", "<tool_call>", "</tool_call>", "<|im_<|im_end|>end|>", "</s>", "[INST]"]
)
def test_markers_do_not_survive(marker: str) -> None:
    assert marker not in prompt.plain(f"before {marker} after")
    assert prompt.plain(f"before {marker} after").startswith("before")


def test_ordinary_angle_brackets_survive() -> None:
    assert prompt.plain("is 3 < 5 and 5 > 3?") == "is 3 < 5 and 5 > 3?"


def test_the_system_prompt_lists_tools_and_the_users_instructions() -> None:
    text = prompt.system([CALCULATE, LAMP], "Call me Ada.")
    assert "calculate(expression: string) - Work out a sum\n" in text
    assert "lamp(state: on|off, level: integer)" in text
    assert text.endswith("Call me Ada.")
    assert "tool" not in prompt.system([]).lower()


def test_a_call_is_read_as_it_is_written() -> None:
    arguments = {"state": 'o"n, (x=1)', "level": -3, "deep": True}
    assert prompt.parse_call(prompt.call("lamp", arguments)) == ("lamp", arguments)
    assert prompt.parse_call("now()") == ("now", {})


@pytest.mark.parametrize("text", ["lamp(", 'lamp(state="o', "lamp(state", ""])
def test_a_call_that_was_cut_off_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        prompt.parse_call(text)


def test_results_are_told_as_plain_text() -> None:
    assert prompt.result(ToolResult(ToolCall("x"), {"a": 1})) == '{"a": 1}'
    assert prompt.result(ToolResult(ToolCall("x"), "no <tool_call> network", failed=True)) == "Failed: no   network"


def test_a_tools_example_becomes_a_conversation() -> None:
    example = {"question": "What is 2 and 2?", "language": "en", "arguments": {"expression": "2 + 2"}}
    told = prompt.examples([{**CALCULATE, "examples": [example]}])[-2:]
    assert told == [
        ("user", "What is 2 and 2?"),
        ("assistant", 'calculate(expression="2 + 2")'),
    ]


def test_another_language_is_asked_for() -> None:
    assert prompt.language("en") == ""
    assert "Deutsch" in prompt.language("de")
    assert "xx" in prompt.language("xx")
    assert prompt.retell("en") == prompt.retell("") == "\n[Say this in a sentence]"
    assert prompt.retell("de") == "\n[Say this in a German sentence]"
    assert prompt.retell("it") == "\n[Say this in an Italian sentence]"


def test_of_a_receipt_the_fields_are_told_and_not_the_whole_text() -> None:
    lines = ["CORNER BAKERY LTD", *(f"ROLL {n} 1.0{n}" for n in range(9)), "TOTAL 12.45", "CASH 20.00", "CHANGE 7.55"]
    regions = tuple(TextRegion(line, Box(0, n / 20, 1, (n + 0.8) / 20), 0.9) for n, line in enumerate(lines))
    told = prompt.describe(percept(regions=regions))
    assert 'written in the picture, a receipt: total "12.45", company "CORNER BAKERY LTD"' in told
    assert "ROLL" not in told and "CHANGE" not in told


@pytest.mark.parametrize(
    ("question", "language", "told"),
    [
        ("What am I holding?", "en", True),
        ("What does it say?", "en", True),
        ("Is there anything in front of me?", "en", True),
        ("How do I boil an egg so that it stays soft?", "en", False),
        ("Which animal is the fastest on land?", "en", False),
        ("What is the capital of Norway?", "en", False),
        ("Is the door open?", "en", True),
        ("Is there a dog on the sofa?", "en", True),
        ("How many cups are there?", "en", True),
        ("Is there life on Mars?", "en", False),
        ("Why do we see lightning before we hear thunder?", "en", False),
        ("Is it going to rain this evening?", "en", False),
        ("Was ist das?", "de", True),
        ("Qu'est-ce que c'est ?", "fr", True),
        ("¿Qué es esto?", "es", True),
        ("Wie hoch ist der Mont Blanc?", "de", False),
        ("Quelle est la capitale de l'Italie ?", "fr", False),
        ("何ですか", "ja", True),
    ],
)
def test_who_asks_to_see_is_told_that_there_is_no_picture(question: str, language: str, told: bool) -> None:
    assert prompt.about_scene(question, language) is told


def test_only_a_question_about_the_scene_is_told_what_the_scene_lacks() -> None:
    seen = percept(missing=("man",))
    assert prompt.guess(seen, "Is the man asleep?", "en") == "\n[camera: no man in the picture]"
    assert prompt.guess(seen, "What is the man doing?", "en") == "\n[camera: no man in the picture]"
    assert prompt.guess(seen, "Is it a man?", "en") == "\n[camera: no man in the picture]"
    assert prompt.guess(seen, "Who was the first man in space?", "en") == ""


TOLD = ("My name is Anna.", "What is a key?", "I left the keys in the car.", "The car key is red.", "Mein Rad ist rot.")


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("Where are my keys?", "The car key is red."),
        ("Who left the keys in the car?", "I left the keys in the car."),
        ("What is my name?", "My name is Anna."),
        ("Who am I?", "My name is Anna."),
        ("Welche Farbe hat mein Rad?", "Mein Rad ist rot."),
        ("What is the capital of France?", ""),
        ("And what is that?", ""),
    ],
)
def test_of_what_was_told_that_is_repeated_which_has_most_words_of_the_question(question: str, statement: str) -> None:
    history = [Message("user", text) for text in TOLD] + [Message("assistant", "The key is in France.")]
    assert prompt.reminder(question, history) == (f"\n[told before: {statement}]" if statement else "")


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("Where is my car?", "I parked the car on level three"),
        ("Wo ist mein Auto?", "das Auto steht in der Garage"),
        ("What can't Ida eat?", "my sister Ida is allergic to peanuts"),
        ("What is my name?", "my name is Anna"),
        ("When does the plumber come?", "the plumber comes on Friday"),
        ("What does a car cost?", ""),
        ("Who sells peanuts?", ""),
        ("How are you?", ""),
    ],
)
def test_of_earlier_conversations_is_repeated_what_a_question_about_the_person_means(
    question: str, statement: str
) -> None:
    known = [
        "I parked the car on level three",
        "das Auto steht in der Garage",
        "my sister Ida is allergic to peanuts",
        "my name is Anna",
        "the plumber comes on Friday",
    ]
    assert prompt.reminder(question, (), known) == (f"\n[told before: {statement}]" if statement else "")


def test_a_page_is_not_read_to_the_model_whole() -> None:
    told = prompt.result(ToolResult(ToolCall("recite"), "many words " * 500))
    assert len(told) <= 2 * prompt.MOST_LETTERS + 2 and told.endswith("words …")
    assert prompt.shortened("few words") == "few words"
