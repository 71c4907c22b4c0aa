"""One utterance while it is being recognised, and the reply to it while it is being made."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from .relay import BELIEVED
from .types import ToolResult, Turn, Utterance


@dataclass(slots=True, eq=False)
class Hearing:
    """One utterance while it is being recognised."""

    start: int
    pause: int | None = None
    """Where the speech paused, while it does."""
    hush: int | None = None
    """Where the voice fell silent, while it is; that may become a pause."""
    whole: int | None = None
    """The silence up to which all was read and listened to."""
    ahead: str = ""
    """The words that the language model has read ahead."""
    listened: list[float] = field(default_factory=list)
    """What the judges who need no words thought of it."""
    ended: bool = False
    """The turn is over: an answer may be heard."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    read: Utterance | None = None
    """What was read last."""
    until: int = 0
    """Last sample that was read."""
    judged: int | None = None
    """The pause that was judged last."""
    finished: float = 0.0
    """How likely it was the end of the turn."""
    stable: str = ""
    """Words on which two readings agree (local agreement: Liu et al., Interspeech 2020)."""
    cost: float = 0.0
    """Seconds that the last reading took."""
    task: asyncio.Task[None] | None = None

    def knows(self, end: int) -> bool:
        """Whether all up to sample ``end`` was read already and the reading is no guess."""
        return self.read is not None and self.until >= end and self.read.confidence >= BELIEVED


@dataclass(slots=True, eq=False)
class Job:
    """One reply: begun on trial, allowed when the turn is over."""

    hearing: Hearing | None
    turn: Turn
    allowed: asyncio.Event = field(default_factory=asyncio.Event)
    text: str = ""
    results: tuple[ToolResult, ...] = ()
    task: asyncio.Task[None] | None = None
    split: dict[str, float] = field(default_factory=dict)
    """Seconds from the end of speech to each step."""
    speech_end: float = 0.0
    """When the person stopped, on the wall clock."""
    resumes: bool = False
    """It goes on with the reply before it, of which only a part was heard."""


def typed(text: str, language: str = "auto") -> Utterance:
    """Return what was typed, in a language (ISO 639-1) or, where that is ``"auto"``, the one it seems to be in."""
    from .fusion.content import language_of

    return Utterance(text, language_of(text) if language in ("", "auto") else language)


def respelled(earlier: str, later: str) -> str:
    """Return ``later``, its first words in capital and small letters as in ``earlier``, as far as only those differ.

    What was read ahead would otherwise have to be read again for a capital letter.
    """
    old, new = earlier.split(), later.split()
    same = 0
    while same < min(len(old), len(new)) and old[same].lower() == new[same].lower():
        same += 1
    return " ".join([*old[:same], *new[same:]])


def agreed(earlier: str, later: str) -> str:
    """Return the words with which both readings begin, but for the last, which may still change."""
    agreed = []
    for one, other in zip(earlier.split(), later.split(), strict=False):
        if one.strip(".,?!…").lower() != other.strip(".,?!…").lower():
            break
        agreed.append(other)
    return " ".join(agreed[: len(later.split()) - 1])
