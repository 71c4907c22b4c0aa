"""What a conversation tells whoever looks on, and what plugins tell the conversation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something an observer (the view, the log, earcons, the history) may want to know."""

    name: str
    """``ready level state listening partial judged seen thinking tool clause speaking ducked held burst resumed
    interrupted continued discarded order reply turn remembered forgotten awake asleep news trouble``."""
    at: float
    """Seconds of the microphone's stream."""
    details: dict[str, Any] = field(default_factory=dict)


Observer = Callable[[Happening], None]


class News:
    """What became of work that a tool began and that outlives its reply; plugins call it from any thread."""

    def __init__(self) -> None:
        self.told: Callable[[str, bool], None] | None = None
        """Takes the message and whether the work failed; ``None`` where no conversation is held."""
        self.began: list[Callable[[], object]] = []
        """Called when a conversation with a person begins, for plugins that have something to tell then."""
        self.answered: list[Callable[[], object]] = []
        """Called whenever the person says something: what was told was probably heard."""
        self.forgotten: list[Callable[[], object]] = []
        """Called when the person wants the conversation to be forgotten."""
        self.known: list[Callable[[], Iterable[str]]] = []
        """Each returns statements of the person that plugins keep from conversation to conversation."""

    def observe(self, happening: Happening) -> None:
        """Notice what a person says; an observer of a conversation."""
        if happening.name in ("thinking", "order", "interrupted"):
            for answer in self.answered:
                answer()
        if happening.name == "forgotten":
            for forget in self.forgotten:
                forget()

    def statements(self) -> tuple[str, ...]:
        """Return what plugins know from earlier conversations, in the person's words."""
        return tuple(statement for known in self.known for statement in known())

    def begin(self) -> None:
        """Let plugins tell what earlier conversations left."""
        for begin in self.began:
            begin()

    def __call__(self, message: str, failed: bool = False) -> None:
        """Tell the person, in one sentence, as soon as that interrupts nobody."""
        log.log(logging.WARNING if failed and self.told is None else logging.INFO, "%s", message)
        if self.told is not None:
            self.told(message, failed)
