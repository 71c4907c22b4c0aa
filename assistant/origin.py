"""Whose words these are: the person's, or those that came in through the camera.

Words in a picture (signs, receipts, codes) are data of strangers. They may be read aloud; they can
neither start a tool nor be handed to one, unless the tool's business is the picture itself.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from . import prompt
from .spoken_english import spoken
from .types import ToolCall, Turn

REFUSED = (
    "refused: tools get nothing that is only written in the picture. Read the answer from the picture's words yourself"
)
"""What the model is told of a call that was not made."""

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")

_SHORT = 3
"""Letters from which a word counts; shorter ones stand in any text."""


def written_words(turn: Turn) -> str:
    """Return all words of a turn that may come from a picture; tools of a turn with a picture may have read it."""
    found: list[str] = []
    for percept in turn.percepts:
        found += [region.text for region in percept.regions or ()]
        found += [code.text for code in percept.codes or ()]
    if turn.percepts:
        found += [prompt.result(answer) for answer in turn.results]
    return "\n".join(found)


def without_words(turn: Turn) -> Turn:
    """Return the turn as it would be had nothing been written in the picture."""
    percepts = tuple(dataclasses.replace(percept, regions=None, codes=None) for percept in turn.percepts)
    return dataclasses.replace(turn, percepts=percepts, results=() if turn.percepts else turn.results)


def borrowed(call: ToolCall, turn: Turn) -> set[str]:
    """Return the words and numbers in a call's arguments that the picture holds and the person did not say.

    A number that the person said in English words is the person's.
    """
    seen = set(_words(written_words(turn)))
    if not seen:
        return set()
    own = set(_words(own_words(turn)))
    return {word for word in _material(call.arguments) if word in seen and not _said(word, own)}


def own_words(turn: Turn) -> str:
    """Return what the person said in this turn and before it."""
    said = [message.text for message in turn.history if message.role == "user"]
    return "\n".join([*said, turn.utterance.text if turn.utterance else ""])


def _material(value: Any) -> Iterator[str]:
    """Yield the words and numbers of an argument, whatever it is made of."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _material(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _material(part)
    elif not isinstance(value, bool) and value is not None:
        yield from _words(str(value))


def _words(text: str) -> Iterator[str]:
    """Yield words in lower case, and numbers without what only groups or fills their digits: 1,200.50 is 1200.5."""
    for word in _WORD.findall(text.lower()):
        if word[0].isdigit():
            yield _amount(word)
        elif len(word) >= _SHORT or not word.isascii():
            yield word


def _amount(digits: str) -> str:
    try:
        return format(Decimal(re.sub(r"[.,](?=\d{3}(?!\d))", "", digits).replace(",", ".")).normalize(), "f")
    except InvalidOperation:  # a date or an address with several points
        return digits


def _said(word: str, own: set[str]) -> bool:
    return word in own or (word[0].isdigit() and all(part in own for part in _words(spoken(word))))
