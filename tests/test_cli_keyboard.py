"""The keyboard of a conversation: editing a line, piped questions, keys of a real terminal."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from assistant.cli.keyboard import Line, at_hand, push_to_talk, single_keys, type_to_talk
from assistant.errors import InputError
from assistant.happening import Happening
from assistant.types import Utterance


@pytest.mark.parametrize(
    ("typed", "lines", "left"),
    [
        ("What is this?\n", ["What is this?"], ""),
        ("Whta\x7f\x7fat?\r", ["What?"], ""),
        ("one\n\n  \ntwo\nthr", ["one", "two"], "thr"),
        ("gone\x15Wie sp\u00e4t ist es?\n", ["Wie sp\u00e4t ist es?"], ""),
        ("the last word\x17", [], "the last"),
        ("a\x1b[A\x1b[1;5Cb\x1bOPc\t\x00\x1b", [], "abc"),
        ("\x7f\x17", [], ""),
    ],
)
def test_a_line_is_edited_as_in_a_terminal(typed: str, lines: list[str], left: str) -> None:
    shown: list[str] = []
    assert Line(shown.append).take(typed) == lines
    assert shown == [left]


class Spoken:
    """A conversation that takes a while for each answer."""

    def __init__(self) -> None:
        self.observers: list[Callable[[Happening], None]] = []
        self.did: list[Any] = []
        self.busy = False
        self.over = asyncio.Event()

    async def run(self) -> None:
        await asyncio.sleep(0.05)
        self.did.append("ready")
        for observer in self.observers:
            observer(Happening("ready", 0.0, {}))
        await self.over.wait()

    def ask(self, utterance: Utterance) -> None:
        assert not self.busy
        self.busy = True
        self.did.append((utterance.text, utterance.language))
        asyncio.get_running_loop().call_later(0.2, self._answered)

    def _answered(self) -> None:
        self.busy = False
        self.did.append("answered")

    def quit(self) -> None:
        self.did.append("quit")
        self.over.set()

    def press(self) -> None:
        self.did.append("press")

    def release(self) -> None:
        self.did.append("release")


def hold(drive: Callable[[Any], Any]) -> list[Any]:
    async def held() -> list[Any]:
        talk = Spoken()
        await asyncio.wait_for(drive(talk), 10)
        return talk.did

    return asyncio.run(held())


def test_piped_questions_are_answered_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("What is this?\n\nWie sp\u00e4t ist es?\n"))
    did = hold(lambda talk: type_to_talk(talk, "auto", lambda text: None))
    asked = [("What is this?", "en"), ("Wie sp\u00e4t ist es?", "de")]
    assert did == ["ready", asked[0], "answered", asked[1], "answered", "quit"]
    assert not at_hand()


def test_the_last_line_of_a_pipe_needs_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Was ist das?"))
    assert hold(lambda talk: type_to_talk(talk, "fr", lambda text: None))[1] == ("Was ist das?", "fr")


def test_what_is_no_utf_8_ends_it_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"What?\ncaf\xe9\n"), "utf-8", newline="\n"))
    with pytest.raises(ExceptionGroup) as raised:
        hold(lambda talk: type_to_talk(talk, "en", lambda text: None))
    assert raised.group_contains(InputError, match="not UTF-8")


def test_lines_of_a_pipe_press_and_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n \n\nq\n"))
    did = hold(push_to_talk)
    assert [what for what in did if what != "ready"] == ["press", "release", "press", "quit", "quit"]


def test_a_fault_while_typing_ends_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(text: str) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(sys, "stdin", io.StringIO("What?\n"))
    with pytest.raises(ExceptionGroup):
        hold(lambda talk: type_to_talk(talk, "en", fails))


def test_keys_of_a_terminal_are_shown_and_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pty = pytest.importorskip("pty")
    here, there = pty.openpty()
    shown: list[str] = []

    async def drive(talk: Any) -> None:
        holding = asyncio.create_task(type_to_talk(talk, "en", shown.append))
        for keys in ("Hi", "\x7f", "\u00e9\n", "next\n", "left", "\x04"):
            await asyncio.sleep(0.1)
            talk.busy = False  # a person who types interrupts
            os.write(here, keys.encode())
        await holding

    with contextlib.ExitStack() as stack:
        terminal = stack.enter_context(os.fdopen(there, encoding="utf-8"))
        stack.callback(os.close, here)
        monkeypatch.setattr(sys, "stdin", terminal)
        stack.enter_context(single_keys())
        did = hold(drive)
    assert [what for what in did if what != "answered"] == ["ready", ("H\u00e9", "en"), ("next", "en"), "quit"]
    assert shown == ["Hi", "H", "", "", "left"]
