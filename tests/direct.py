"""What tools answer by themselves, without a language model."""

from __future__ import annotations

from assistant.tools import Toolbox, ToolContext
from assistant.types import Message, Percept, Turn, Utterance


def replies(toolbox: Toolbox, dialogue: str, language: str = "en", percept: Percept | None = None) -> list[str]:
    """Return what is answered at once to each turn (`` | `` parts them); nothing where a model would be asked."""
    history: tuple[Message, ...] = ()
    told = []
    for said in dialogue.split(" | "):
        context = ToolContext(percept=percept, language=language)
        call = toolbox.meant(Turn(Utterance(said, language), history=history), context)
        results = (toolbox.run(call, context),) if call else ()
        told.append("" if not results or results[0].failed else str(results[0].result))
        history = (Message("user", said), Message("assistant", told[-1], results))
    return told
