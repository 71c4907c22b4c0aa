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

    Needs: text

    Verbatim: (?:(?:please|okay|now|can you|could you|would you) )*read (?:me )?
    (?:this|that|it|these|everything|all of (?:this|it)|(?:the|this|that|my) (?:text|page|letter|sign|label|receipt|
    bill|menu|note|card|screen|book|paper|document|message|ticket|form|box|package|leaflet))
    (?: (?:(?:to|for) me|aloud|out|out loud|please|here|there))*
    |what do(?:es)? (?:it|this|that|they|these|the (?:text|page|letter|sign|label|note|card|screen|paper)) say(?: here)?
    |what(?:'s| is) written (?:here|there|on (?:it|this|that|the \w+))
    |(?:bitte )?(?:lies|lesen sie) (?:mir )?(?:bitte )?(?:das|dies|es|alles|den (?:text|brief))(?: (?:bitte|mir|vor))*
    |(?:kannst du|können sie) (?:mir )?(?:bitte )?(?:das|dies|es|den text) (?:bitte )?(?:vorlesen|lesen)
    |was steht (?:da|dort|hier|drauf|darauf)(?: drauf| geschrieben)?
    |(?:lis|lisez)(?: moi)? (?:ça|ceci|cela|le texte)(?: s'il (?:te|vous) plaît)?|qu'est ce qui est écrit(?: ici| là)?
    |lee(?:me)? (?:esto|eso|el texto)(?: por favor)?|qué (?:dice|pone)(?: (?:aquí|ahí|esto))?
    |leggi(?:mi)? (?:questo|quello|il testo)(?: per favore)?|(?:che )?cosa c'è scritto(?: qui| qua| lì)?
    """
    if context.percept is None:
        return "There is no picture."
    clear = context.percept.verdict == "ok"
    nothing = "There is no text in the picture."
    return context.text() or (nothing if clear else f"No text can be read; the picture is {context.percept.verdict}.")
