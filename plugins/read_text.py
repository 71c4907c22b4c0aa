"""A tool that reads the text in the picture that the question is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assistant import ToolContext, hookimpl


@hookimpl
def assistant_tools() -> list[Callable[..., Any]]:
    """Return the tool of this plugin."""
    return [read_text]


def read_text(context: ToolContext) -> str:
    r"""Read the text that is written in the picture, word for word.

    Example: Can you read this to me? -> read_text()

    When: \b(read\w*|writ\w+|text|words?|says?|said|spell\w*|labels?|signs?|receipt|bill|letter|page|menu|number|name|
    address|date|total|price|cost|title|print\w*|expir\w+|ingredients?|instructions?|dose|code)\b
    """
    if context.frame is None or context.percept is None:
        return "There is no picture."
    percept = context.percept
    if percept.regions is None:
        percept = context.readers["rapidocr"].read(context.frame, percept)
    if percept.text:
        return percept.text
    clear = percept.verdict == "ok"
    return "There is no text in the picture." if clear else f"No text can be read; the picture is {percept.verdict}."
