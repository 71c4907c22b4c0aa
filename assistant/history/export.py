"""Past conversations as JSON lines or Markdown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import output
from .records import PastConversation, PastTurn

if TYPE_CHECKING:
    from . import History

FORMATS = ("jsonl", "markdown")
"""One JSON object a conversation and line; or text with a heading for each."""


def to_dict(conversation: PastConversation) -> dict[str, Any]:
    """Return a conversation as JSON has it; times are ISO 8601 with the local offset."""
    return {
        "conversation": conversation.id,
        "began": iso(conversation.began),
        "turns": [turn_to_dict(turn) for turn in conversation.turns],
    }


def turn_to_dict(turn: PastTurn) -> dict[str, Any]:
    """Return a turn as JSON has it."""
    return {
        "at": iso(turn.at),
        "question": turn.question,
        "language": turn.language,
        "reply": turn.reply,
        "heard": turn.heard,
        "interrupted": turn.interrupted,
        "tools": [
            {"tool": one.call.name, "arguments": one.call.arguments, "result": one.result, "failed": one.failed}
            for one in turn.results
        ],
        "latencies": dict(turn.latencies),
        "seen": turn.seen,
        "media": list(turn.media),
    }


def to_markdown(conversation: PastConversation) -> str:
    """Return a conversation as Markdown; what was not heard of a reply is struck out."""
    lines = [f"## Conversation {conversation.id}, {iso(conversation.began)}", ""]
    for turn in conversation.turns:
        lines += [f"**You:** {_escaped(turn.question)}", ""]
        lines += [f"*{one.call.name}: {_escaped(str(one.result))}*\n" for one in turn.results]
        lines += [f"**Assistant:** {_reply(turn)}", ""]
    return "\n".join(lines)


def rendered(conversation: PastConversation, form: str) -> str:
    """Return a conversation in one of :data:`FORMATS`, ending with a line break."""
    if form == "markdown":
        return to_markdown(conversation) + "\n"
    return json.dumps(to_dict(conversation), ensure_ascii=False) + "\n"


def write(conversations: Iterable[PastConversation], path: Path, form: str) -> int:
    """Write conversations into a file that appears when it is whole and that nobody else can read; return how many."""
    output.check(path)
    count = 0
    with output.whole(path) as partial:
        with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            for conversation in conversations:
                file.write(rendered(conversation, form))
                count += 1
    return count


def write_media(history: History, conversations: Iterable[PastConversation], folder: Path) -> int:
    """Write the sounds and pictures that were kept, named by conversation and turn; return how many."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for conversation in conversations:
        for number, turn in enumerate(conversation.turns, 1):
            for media in history.media(turn.id) if turn.media else ():
                path = folder / f"{conversation.id}-{number}{media.ending}"
                with output.whole(path) as partial:
                    with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
                        file.write(media.content)
                count += 1
    return count


def iso(moment: float) -> str:
    """Return seconds since 1970 as local time."""
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")


def _reply(turn: PastTurn) -> str:
    if not turn.interrupted:
        return _escaped(turn.reply)
    unheard = turn.reply[len(turn.heard) :].strip() if turn.reply.startswith(turn.heard) else ""
    return " ".join(filter(None, (_escaped(turn.heard), f"~~{_escaped(unheard)}~~" if unheard else "*(interrupted)*")))


def _escaped(text: str) -> str:
    """Return one line of text that Markdown shows as it is."""
    return "".join(
        "\\" + character if character in "\\`*_[]<>#~|" else character for character in " ".join(text.split())
    )
