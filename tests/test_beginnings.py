"""Beginnings that a reply must not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.beginnings import refused, unechoed, unlike
from assistant.types import Message, Percept, ToolCall, Turn, Utterance, Verdict

JOKE = (Message("user", "Tell me a joke."), Message("assistant", "Why did the tomato turn red? It saw the salad."))


@pytest.mark.parametrize(
    ("said", "beginning"),
    [
        ("Another one.", "why did the t"), ("Noch einen!", "why did the t"), ("Une autre.", "why did the t"),
        ("Otro.", "why did the t"), ("Un’altra.", "why did the t"), ("Why?", ""), ("What's a tomato?", ""),
    ],
)  # fmt: skip
def test_where_another_is_wanted_the_reply_does_not_begin_as_the_last(said: str, beginning: str) -> None:
    assert refused(Turn(Utterance(said), history=JOKE)) == beginning
    assert refused(Turn(Utterance(said), (Percept(Verdict.OK, (), 0.0),), JOKE)) == beginning
    assert refused(Turn(Utterance(said), history=(Message("user", "Hi."), Message("assistant", "Hello.")))) == ""
    assert refused(Turn(Utterance(said))) == ""


@pytest.mark.parametrize(
    ("said", "beginning"),
    [
        ("¿Qué tengo en la mano?", "tengo"), ("Was halte ich in der Hand?", "ich ha"), ("Cosa ho in mano?", "tengo"),
        ("What is this?", ""), ("Was siehst du?", ""),
    ],
)  # fmt: skip
def test_the_hand_is_the_persons(said: str, beginning: str) -> None:
    seen = Percept(Verdict.OK, (), 0.0)
    assert refused(Turn(Utterance(said), (seen,))) == beginning
    assert refused(Turn(Utterance(said))) == ""


def matches(grammar: str, text: str) -> bool:
    """Return whether a text follows a grammar that :func:`unlike` wrote, read as one regular expression."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())

    def expression(name: str) -> str:
        rule = re.sub(r"\[(\^?)((?:\\.|[^\]])*)\]", lambda found: f"[{found[1]}{found[2].replace('[', chr(92) + '[')}]",
                      rules[name])  # fmt: skip
        rule = re.sub(r"\b(rest|at-\d+)\b", lambda found: f"(?:{expression(found[1])})", rule)
        return re.sub(r"(?<!\[) (?=[|(\[])|(?<=[|\]?]) (?=\()", "", rule.replace('" "?', "[ ]?"))

    return re.fullmatch(expression("root"), text, re.DOTALL) is not None


@pytest.mark.parametrize("calls", [False, True])
def test_a_grammar_refuses_a_beginning_and_nothing_else(calls: bool) -> None:
    grammar = unlike("why did", calls)
    for refused_text in ("Why did the tomato", "WHY DID", " Why did"):
        assert not matches(grammar, refused_text)
    for text in ("Why does a", "What?", "Why", "Because it did. Why did it?", " Why do"):
        assert matches(grammar, text)
    assert matches(grammar, "set_timer(number=5)") is calls


@given(
    st.text("ab c", min_size=1, max_size=6).filter(lambda text: not text.startswith(" ")), st.text("ABab c", max_size=9)
)
def test_exactly_the_beginning_is_refused(beginning: str, text: str) -> None:
    wanted = bool(text.lstrip(" ")[:1]) and not text.startswith("  ")
    expected = wanted and not text.removeprefix(" ").lower().startswith(beginning)
    assert matches(unlike(beginning, calls=True), text) is expected


def told(pieces: list[str | ToolCall], said: str, language: str) -> list[str | ToolCall]:
    def generated() -> Iterator[str | ToolCall]:
        yield from pieces

    return list(unechoed(generated(), Turn(Utterance(said, language))))


def test_an_echo_is_no_reply() -> None:
    assert told(["Ich ", "habe", " Hunger."], "Ich habe Hunger!", "de") == ["Ich verstehe."]
    assert told(["Erzähl mir", " einen Witz."], "Erzähl mir einen Witz", "de") == ["Das kann ich leider nicht."]
    assert told(["J'ai froid."], "J’ai froid", "fr") == ["Je comprends."]


def test_all_other_replies_come_as_they_are() -> None:
    assert told(["Guten", " Morgen!"], "Guten Morgen.", "de") == ["Guten Morgen!"]
    assert told(["Ich ", "höre", " zu."], "Ich habe Hunger!", "de") == ["Ich höre", " zu."]
    assert told(["Rome", " is", " old."], "Tell me of Rome", "en") == ["Rome", " is", " old."]
    call = ToolCall("time")
    assert told([call], "What time is it", "en") == [call]
    assert told(["What", call], "What time is it", "en") == ["What", call]
    assert told([], "Hello", "en") == []
