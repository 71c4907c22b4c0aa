"""What a conversation looks like in a terminal: a live view, plain lines, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from ..happening import Happening
from . import note, print_json

if TYPE_CHECKING:
    from rich.console import RenderableType

METER = 24
"""Characters of the level meter."""
SHOWN = 6
"""Lines of the conversation that the live view keeps."""
SIGNS = {
    "loading": ("○", "blue", "loading"),
    "idle": ("●", "green", "ready"),
    "listening": ("●", "red", "listening"),
    "user paused": ("●", "yellow", "waiting whether you go on"),
    "thinking": ("●", "magenta", "thinking"),
    "speaking": ("▶", "cyan", "speaking"),
    "interrupted": ("‖", "yellow", "was that for me?"),
    "resumed": ("▶", "cyan", "going on"),
}


class Opening(StrEnum):
    """What a person does to be heard."""

    SPEAK = "just speak"
    SPEAK_OR_TYPE = "just speak, or type and press Enter"
    TYPE = "type a question and press Enter"
    KEY = "press space or Enter to speak, and again when you have finished"
    WAKE_WORD = "say the wake word"


class View(Protocol):
    """Shows what happens."""

    def __call__(self, happening: Happening) -> None:
        """Take something that happened."""
        ...


UNTOLD = ("level", "remembered")
"""Too frequent, or told by other happenings already."""


class JsonView:
    """One JSON object a line for everything but the level of the microphone."""

    def __call__(self, happening: Happening) -> None:
        """Print it."""
        if happening.name not in UNTOLD:
            print_json({"event": happening.name, "at": round(happening.at, 3), **happening.details})


class PlainView:
    """Lines that a screen reader can follow: what was heard, seen and said, and what went wrong; nothing moves.

    With push-to-talk each press is answered by a line.
    """

    def __init__(self, opening: Opening = Opening.SPEAK) -> None:
        self._opening = opening

    def __call__(self, happening: Happening) -> None:
        """Print it, if it is worth a line."""
        details = happening.details
        match happening.name:
            case "ready":
                note(f"Ready: {self._opening}. Control and C ends.")
            case "state" if self._opening is Opening.KEY and details["state"] in ("listening", "thinking"):
                note(f"{details['state'].capitalize()}.")
            case "awake":
                note(f"Awake: heard {details['word']!r}.")
            case "asleep":
                note("Asleep until called.")
            case "reply" if details["question"]:
                print(f"You: {details['question']}", flush=True)
                tail = " (interrupted)" if details["interrupted"] else ""
                print(f"Assistant: {details['heard'] or '(nothing was heard)'}{tail}", flush=True)
            case "seen":
                print(f"Seen: {seen(details)}", flush=True)
            case "order":
                print(f"Command: {details['order']}", flush=True)
            case "tool":
                print(f"Tool: {details['tool']}", flush=True)
            case "news":
                print(f"News: {details['message']}", flush=True)
            case "trouble":
                note(f"Trouble: {details['message']}")


class LiveView:
    """State, level, words as they are recognised, what is seen, and the latency of the last turn."""

    def __init__(self, opening: Opening = Opening.SPEAK) -> None:
        self._opening, self._asleep = opening, False
        self._state, self._level, self._partial, self._seen, self._trouble = "loading", 0.0, "", "", ""
        self._latency: dict[str, float] = {}
        self._lines: list[tuple[str, str]] = []
        self._reply, self._typed = "", ""

    def show_typed(self, text: str) -> None:
        """Show what is being typed."""
        self._typed = text

    def __call__(self, happening: Happening) -> None:
        """Take it into the picture that is drawn next."""
        details = happening.details
        match happening.name:
            case "level":
                self._level = max(details["level"], 0.8 * self._level)
            case "ready":
                self._state = "idle"
            case "state":
                self._state = details["state"]
            case "awake" | "asleep":
                self._asleep = happening.name == "asleep"
            case "partial":
                self._partial, self._trouble = details["text"], ""
            case "seen":
                self._seen = seen(details)
            case "clause":
                self._reply = f"{self._reply} {details['text']}".strip()
            case "reply":
                self._reply, self._partial = "", ""
                if details["question"]:
                    self._line("you", details["question"])
                    self._line("it", details["heard"] + (" …" if details["interrupted"] else ""))
            case "order":
                self._line("command", details["order"])
            case "tool":
                self._line("tool", details["tool"])
            case "news":
                self._line("news", details["message"])
            case "turn":
                self._latency = details
            case "trouble":
                self._trouble = details["message"]

    def _line(self, who: str, text: str) -> None:
        self._lines = [*self._lines, (who, text)][-SHOWN:]

    def __rich__(self) -> RenderableType:
        """Draw it."""
        from rich.panel import Panel
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        sign, colour, words = SIGNS.get(self._state, ("●", "white", self._state))
        if self._asleep:
            sign, colour, words = "○", "blue", f"asleep, {self._opening}"
        elif self._state == "idle":
            words += f", {Opening.SPEAK if self._opening is Opening.WAKE_WORD else self._opening}"
        table.add_row("state", Text(f"{sign} {words}", style=colour))
        if self._opening is not Opening.TYPE:
            filled = min(METER, int(METER * min(1.0, self._level * 8)))
            table.add_row("microphone", Text("▮" * filled + "▯" * (METER - filled), style="green"))
        for who, text in self._lines:
            table.add_row(who, Text(text, style="bold" if who == "you" else ""))
        if self._partial:
            table.add_row("you", Text(self._partial, style="italic"))
        if self._typed:
            table.add_row("you", Text(f"{self._typed}▏", style="italic"))
        if self._reply:
            table.add_row("it", Text(self._reply, style="cyan"))
        if self._seen:
            table.add_row("sees", self._seen)
        if "first_audio_s" in self._latency:
            decision, first = self._latency.get("decision_s", 0.0), self._latency["first_audio_s"]
            table.add_row("last turn", f"first sound after {first:.2f} s, of it waiting {decision:.2f} s")
        if self._trouble:
            table.add_row("trouble", Text(self._trouble, style="red"))
        return Panel(table, title="assistant", subtitle="Ctrl-C ends")


def seen(details: dict[str, Any]) -> str:
    """Return what the camera saw on one line."""
    if details["verdict"] != "ok":
        return str(details["verdict"])
    labels = [label for label in details["labels"] if label["probability"] >= 0.3]
    return ", ".join(f"{one['label']} {one['probability']:.2f}" for one in labels) or "nothing it is sure of"


def is_live(plain: bool, as_json: bool) -> bool:
    """Return whether the live view shows the conversation."""
    return not (plain or as_json) and sys.stdout.isatty()


@contextmanager
def view(plain: bool, as_json: bool, opening: Opening = Opening.SPEAK) -> Iterator[View]:
    """Show a conversation: JSON where asked for, the live view in a terminal, plain lines elsewhere."""
    if as_json:
        yield JsonView()
    elif not is_live(plain, as_json):
        yield PlainView(opening)
    else:
        from rich.live import Live

        live = LiveView(opening)
        with Live(live, refresh_per_second=4, transient=False):
            yield live
