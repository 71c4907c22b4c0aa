"""What is kept of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..types import Message, ToolResult


@dataclass(frozen=True, slots=True)
class Media:
    """A recording or a picture that was kept with a turn."""

    kind: str
    """``"audio"`` or ``"picture"``."""
    ending: str
    """``".flac"`` or ``".jpg"``."""
    content: bytes


@dataclass(frozen=True, slots=True)
class PastTurn:
    """One question and what became of its answer."""

    at: float
    """Seconds since 1970 when the reply was over."""
    question: str
    """What the recogniser heard."""
    language: str
    """ISO 639-1 code of the question."""
    reply: str
    """All that was generated."""
    heard: str
    """The part of it that was played."""
    interrupted: bool
    results: tuple[ToolResult, ...] = ()
    """Tools that were used, with their answers."""
    latencies: Mapping[str, float] = field(default_factory=dict)
    """Seconds from the end of speech to each step."""
    seen: Mapping[str, Any] | None = None
    """Verdict, labels and caption of the picture; ``None`` where none was looked at."""
    media: tuple[str, ...] = ()
    """Kinds of media that were kept."""
    id: int = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """The turn as the language model is to remember it."""
        asked = Message("user", self.question)
        return (asked, Message("assistant", self.heard, self.results)) if self.heard or self.results else (asked,)


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in a list."""

    id: int
    began: float
    """Seconds since 1970."""
    ended: float
    """Seconds since 1970 of its last turn."""
    turns: int
    title: str
    """Its first question."""


@dataclass(frozen=True, slots=True)
class PastConversation:
    """A whole conversation."""

    id: int
    began: float
    """Seconds since 1970."""
    turns: tuple[PastTurn, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A turn that a search found."""

    conversation: int
    turn: PastTurn
