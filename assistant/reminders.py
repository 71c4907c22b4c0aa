"""What rings when, kept in a file beside the history, so that it outlives the conversation in which it was set."""

from __future__ import annotations

import dataclasses
import datetime
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .config import Settings
from .kept import Kept
from .spoken_occasions import following

GLANCE = 20.0
"""Seconds between two looks at the clock of the day: a machine that slept, or whose clock was set, rings no later."""
LATE = datetime.timedelta(minutes=1)
"""After so long it was missed."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something that is to be told at a time of the day here."""

    due: datetime.datetime
    purpose: str
    name: str
    """How long the timer was, or what the alarm was set to."""
    language: str = "en"
    rung: int = 0
    """How often it was told already, to nobody who answered."""
    every: str = ""
    """Recurrence rule of RFC 5545 by which it returns, empty where it does not."""

    @property
    def missed(self) -> bool:
        """Whether its time has passed, for longer than ringing takes."""
        return datetime.datetime.now() - self.due > LATE


class Reminders:
    """Rings each reminder when it is due, from a thread of its own; any thread and several processes may use it.

    What returns waits for its next time as it rings.

    With ``history.enabled`` off they ring only while the process lives.
    """

    def __init__(self, ring: Callable[[Reminder], None], settings: Settings) -> None:
        self._ring = ring
        self._kept = Kept("reminders", settings, tuple[Reminder, ...](), _read, _written)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Iterator[Reminder]:
        """Iterate over those that wait, in the order in which they were set."""
        with self._changed:
            return iter(self._kept.load())

    def begin(self) -> None:
        """Ring what is due from now on, and what earlier conversations left."""
        with self._changed:
            if self._kept.load():
                self._wake()

    @property
    def lasting(self) -> bool:
        """Whether they outlive this process."""
        return self._kept.lasts

    def add(self, reminder: Reminder, here: bool = True) -> None:
        """Let it ring when it is due; if not ``here``, in the conversation that is held then."""
        with self._changed, self._kept.alone():
            self._kept.save((*self._kept.load(), reminder))
            if here:
                self._wake()

    def remove(self, reminder: Reminder) -> bool:
        """Let it ring no more; return whether it would have."""
        with self._changed, self._kept.alone():
            known = list(self._kept.load())
            if waiting := reminder in known:
                known.remove(reminder)
                self._kept.save(tuple(known))
            return waiting

    def _take(self, reminder: Reminder) -> bool:
        """Return whether it is to be rung here, and by nobody else; what returns waits for its next time."""
        with self._changed, self._kept.alone():
            if waiting := self.remove(reminder):
                now = max(reminder.due, datetime.datetime.now())
                if reminder.every and not reminder.rung and (due := following(reminder.every, reminder.due, now)):
                    self._kept.save((*self._kept.load(), dataclasses.replace(reminder, due=due)))
            return waiting

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="reminders", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                first = min(self._kept.load(), key=lambda one: one.due, default=None)
                left = GLANCE if first is None else (first.due - datetime.datetime.now()).total_seconds()
                if first is None or left > 0:
                    self._changed.wait(min(left, GLANCE))
                    continue
            if self._take(first):
                self._ring(first)


def _written(waiting: tuple[Reminder, ...]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(one) | {"due": one.due.isoformat()} for one in waiting]


def _read(entries: list[dict[str, Any]]) -> tuple[Reminder, ...]:
    return tuple(map(_reminder, entries))


def _reminder(entry: dict[str, Any]) -> Reminder:
    """Return what stands in the file, a time of another zone as that of this machine.

    Raises :class:`ValueError`, :class:`TypeError` or :class:`KeyError` where it is no reminder.
    """
    due = datetime.datetime.fromisoformat(entry["due"])
    reminder = Reminder(**entry | {"due": due.astimezone().replace(tzinfo=None) if due.tzinfo else due})
    texts = reminder.purpose, reminder.name, reminder.language, reminder.every
    if not all(isinstance(text, str) for text in texts) or not isinstance(reminder.rung, int):
        raise TypeError(f"no reminder is {entry!r}")
    if reminder.every:
        following(reminder.every, reminder.due, reminder.due)
    return reminder
