"""Beginnings that a reply must not have, where a small language model would begin just so.

It tells the same joke again when another is wanted, and answers "¿Qué tengo en la mano?" with "Tengo …", as if the hand
were its own: a grammar keeps it from the first letters of these, so that it goes on otherwise. Other languages than
English it sometimes only repeats ("Ich habe Hunger"): that is told to be understood, or not to be possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .orders import bare
from .types import ToolCall, Turn

_ANOTHER = re.compile(
    r"\b(?:another|one more|something else|a different|a new one|different one|next one|noch (?:ein\w*|mal)|"
    r"(?:einen? )?ander(?:e[nrs]?|es)|une? autre|encore une?|autre chose|otr[oa]s?|un'altr[oa]|un altro|ancora un\w*|"
    r"qualcos'altro)\b"
)
_MINE = (
    (re.compile(r"\b(?:halte|habe|trage) ich\b"), "ich ha"),
    (re.compile(r"\b(?:je tiens|ai je|j'ai)\b"), "je tiens"),
    (re.compile(r"\btengo (?:en|aquí)|\b(?:ho|tengo) in mano\b"), "tengo"),
)
"""Questions for what somebody holds, and how the reply would begin if it were the assistant's hand."""
_SELF = re.compile(r"(?:i|i'm|ich|mir|je|j'ai|me|yo|tengo|estoy|soy|mi|io|ho|sono)\b")
_INSTEAD = {
    "en": ("I see.", "I can't do that."),
    "de": ("Ich verstehe.", "Das kann ich leider nicht."),
    "fr": ("Je comprends.", "Je ne peux malheureusement pas faire cela."),
    "es": ("Entiendo.", "Lo siento, eso no puedo hacerlo."),
    "it": ("Capisco.", "Mi dispiace, non posso farlo."),
}
"""What is said instead of an echo, by language: after what somebody tells of themselves, and after all else."""
GREETING = 2
"""Words of a greeting, which is well answered with the same."""
KEPT = 3
"""Words of the last reply with which another may begin too: "Why did the …"."""


_CALLING = "<{`(_"
"""Signs by which a call of a tool is written."""
_CALLING_AT_FIRST = rf"a-z{_CALLING}[ \t\n"
"""The same of the beginning of one, and space."""
NO_CALL = f'root ::= " "? [^{_CALLING_AT_FIRST}] [^{_CALLING}]*'
"""A GBNF grammar of replies that are no call of a tool."""


def refused(turn: Turn) -> str:
    """Return a beginning, in small letters, that the reply to a turn must not have; an empty text for none."""
    if turn.utterance is None or turn.results:
        return ""
    asked = turn.utterance.text.lower().replace("’", "'")
    hand = next((beginning for question, beginning in _MINE if question.search(asked)), "")
    if turn.percepts and hand:
        return hand
    last = next((message.text for message in reversed(turn.history) if message.role == "assistant"), "")
    told = last.lower().split()
    if len(told) <= KEPT or not _ANOTHER.search(asked):
        return ""
    return " ".join(told[:KEPT]) + " " + told[KEPT][0]


def unlike(beginning: str, calls: bool = False) -> str:
    """Return a GBNF grammar of replies without a beginning, given in small letters, in whatever letters.

    Without ``calls`` a reply begins with no small letter and holds no sign by which a call of a tool is written.
    """
    barred, rest = ("", r"[^\x00]*") if calls else (_CALLING, f"[^{_CALLING}]*")
    first = r" \t\n" if calls else _CALLING_AT_FIRST
    rules = [f"rest ::= {rest}"]
    for place, char in enumerate(beginning):
        here = _either(char)
        goes_on = f" | [{here}] at-{place + 1}" if place + 1 < len(beginning) else ""
        ways = f"[^{first if place == 0 else barred}{here}] rest{goes_on}"
        rules.append(f'root ::= " "? ({ways})' if place == 0 else f"at-{place} ::= ({ways})?")
    return "\n".join(rules)


def _either(char: str) -> str:
    upper = char.upper() if len(char.upper()) == 1 else char
    return "".join(f"\\{one}" if one in "]\\^" else one for one in dict.fromkeys((upper, char)))


def unechoed(pieces: Iterator[str | ToolCall], turn: Turn) -> Iterator[str | ToolCall]:
    """Yield a reply as it comes, or what is said instead of one that only repeats the person's words.

    It is held back as long as it goes like these.
    """
    said = bare(turn.utterance.text) if turn.utterance is not None else ""
    held = ""
    for piece in pieces:
        if not said or not isinstance(piece, str):
            yield from (held, piece) if held else (piece,)
            said = held = ""
            continue
        held += piece
        if not said.startswith(bare(held)):
            yield held
            said = held = ""
    if not held:
        return
    told = _SELF.match(said) is not None
    if bare(held) != said or not (told or len(said.split()) > GREETING) or turn.utterance is None:
        yield held
        return
    understood, impossible = _INSTEAD.get(turn.utterance.language, _INSTEAD["en"])
    yield understood if told else impossible
