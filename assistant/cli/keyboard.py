"""The keyboard of a conversation: a key before and after one speaks, or questions that are typed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any

from ..streams import flow
from ..utterance import typed
from . import typed_lines

if TYPE_CHECKING:
    from ..dialogue import Dialogue
    from ..happening import Happening

_ESCAPED = re.compile(r"\x1b(?:\[[\d;]*[ -/]*[@-~]|O.|.?)")
"""What arrow and function keys send."""
_MOST = 4096
"""Bytes that are taken from the terminal at once."""


class Line:
    """A line that is typed key by key; ``show`` is told how it looks after each."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show, self._text = show, ""

    def take(self, keys: str) -> list[str]:
        """Take what was typed; return the lines that Enter has ended, without empty ones."""
        ended = []
        for key in _ESCAPED.sub("", keys):
            match key:
                case "\n" | "\r":
                    ended.append(self._text.strip())
                    self._text = ""
                case "\x7f" | "\b":
                    self._text = self._text[:-1]
                case "\x15":  # Control and U
                    self._text = ""
                case "\x17":  # Control and W
                    self._text = self._text.rstrip().rpartition(" ")[0]
                case _ if key.isprintable():
                    self._text += key
        self._show(self._text)
        return [text for text in ended if text]


async def push_to_talk(dialogue: Dialogue) -> None:
    """Hold the conversation; space or Enter begins and ends a question, q ends the conversation."""
    talking = False

    async def follow() -> None:
        nonlocal talking
        async with aclosing(keys()) as typing:
            async for some in typing:
                for key in some.rstrip("\r\n") or "\n":
                    if key == "q":
                        dialogue.quit()
                    elif key in " \n":
                        talking = not talking
                        (dialogue.press if talking else dialogue.release)()
        dialogue.quit()

    await _beside(dialogue, follow())


async def type_to_talk(dialogue: Dialogue, language: str, show: Callable[[str], None]) -> None:
    """Hold the conversation; each line that is typed is answered, in its language where ``language`` is open.

    A line that a person types takes the turn; one that comes from a pipe waits until the one before is answered, and
    the end of the pipe until all are.
    """
    line, ready, piped = Line(show), asyncio.Event(), not sys.stdin.isatty()

    def observe(happening: Happening) -> None:
        if happening.name == "ready":
            ready.set()

    async def rest() -> None:
        while True:
            if not (piped and dialogue.busy):
                return
            await asyncio.sleep(0.05)

    async def follow() -> None:
        await ready.wait()
        async with aclosing(keys()) as typing:
            async for some in typing:
                await answer(some)
        if piped:
            await answer("\n")  # the last line may have no end
        await rest()
        dialogue.quit()

    async def answer(some: str) -> None:
        for text in line.take(some):
            utterance = await asyncio.to_thread(typed, text, language)
            await rest()
            dialogue.ask(utterance)

    dialogue.observers.append(observe)
    await _beside(dialogue, follow())


async def _beside(dialogue: Dialogue, following: Coroutine[Any, Any, None]) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(following)
        try:
            await dialogue.run()
        finally:
            task.cancel()


async def keys() -> AsyncGenerator[str]:
    """Yield what is typed until the input ends: keys where the terminal gives them at once, else lines."""
    data: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    watched = None
    if sys.stdin.isatty():
        with contextlib.suppress(NotImplementedError):  # the event loop of Windows
            loop.add_reader(number := sys.stdin.fileno(), lambda: data.put_nowait(os.read(number, _MOST)))
            watched = number
    if watched is None:
        async with aclosing(flow(typed_lines())) as lines:
            async for line in lines:
                yield line
        return
    try:
        # A letter of several bytes comes at once: the terminal is read faster than anybody types.
        while (some := (await data.get()).decode(errors="ignore")) and "\x04" not in some:  # Control and D
            yield some
    finally:
        loop.remove_reader(watched)


def at_hand() -> bool:
    """Return whether a person can type: the input is a terminal, and this process is in its foreground."""
    if not sys.stdin.isatty():
        return False
    with contextlib.suppress(AttributeError, OSError):  # Windows; no terminal of this process
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return True


@contextmanager
def single_keys() -> Iterator[None]:
    """Make the terminal hand over each key at once, where it can."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError, ValueError):
            import termios
            import tty

            number = sys.stdin.fileno()
            before = termios.tcgetattr(number)
            tty.setcbreak(number)
            stack.callback(termios.tcsetattr, number, termios.TCSADRAIN, before)
        yield
