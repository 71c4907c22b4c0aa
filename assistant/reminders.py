"""What rings when, kept in a file beside the history, so that it outlives the conversation in which it was set."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .config import Settings
from .history import History
from .output import whole
from .spoken_occasions import following

log = logging.getLogger(__name__)

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

    With ``history.enabled`` off nothing is kept. Where the file cannot be read or written, that is told in the log,
    and what was set rings all the same while the process lives.
    """

    def __init__(self, ring: Callable[[Reminder], None], settings: Settings) -> None:
        self._ring = ring
        self._file = History(settings).path.with_name("reminders.json") if settings.history.enabled else None
        self._waiting: list[Reminder] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Iterator[Reminder]:
        """Iterate over those that wait, in the order in which they were set."""
        with self._changed:
            return iter(tuple(self._known()))

    def begin(self) -> None:
        """Ring what is due from now on, and what earlier conversations left."""
        with self._changed:
            if self._known():
                self._wake()

    def add(self, reminder: Reminder) -> None:
        """Let it ring when it is due."""
        with self._changed:
            self._keep([*self._known(), reminder])
            self._wake()

    def remove(self, reminder: Reminder) -> bool:
        """Let it ring no more; return whether it would have."""
        with self._changed:
            known = self._known()
            if waiting := reminder in known:
                known.remove(reminder)
                self._keep(known)
            return waiting

    def _take(self, reminder: Reminder) -> bool:
        """Return whether it is to be rung here, and by nobody else."""
        with self._changed:
            if waiting := self.remove(reminder):
                if reminder.every and not reminder.rung:
                    now = max(reminder.due, datetime.datetime.now())
                    if (due := following(reminder.every, reminder.due, now)) is not None:
                        self._keep([*self._waiting, dataclasses.replace(reminder, due=due)])
            return waiting

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="reminders", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                first = min(self._known(), key=lambda one: one.due, default=None)
                left = GLANCE if first is None else (first.due - datetime.datetime.now()).total_seconds()
                if first is None or left > 0:
                    self._changed.wait(min(left, GLANCE))
                    continue
            if self._take(first):
                self._ring(first)

    def _known(self) -> list[Reminder]:
        """Return what waits now: another process may have set or rung something."""
        if self._file is not None and self._file.exists():
            try:
                self._waiting = [_read(entry) for entry in json.loads(self._file.read_text("utf-8"))]
            except (OSError, ValueError, TypeError, KeyError) as error:
                log.warning("the reminders in %s cannot be read (%s)", self._file, error)
                with contextlib.suppress(OSError):  # what is written next shall not take its place
                    self._file.replace(self._file.with_suffix(".damaged"))
        return list(self._waiting)

    def _keep(self, waiting: list[Reminder]) -> None:
        self._waiting = waiting
        if self._file is None:
            return
        entries = [dataclasses.asdict(one) | {"due": one.due.isoformat()} for one in waiting]
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with whole(self._file) as partial:
                descriptor = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
                with open(descriptor, "w", encoding="utf-8") as file:
                    json.dump(entries, file, ensure_ascii=False, indent=1)
        except OSError as error:
            log.warning(
                "the reminders cannot be kept in %s (%s); they ring until the assistant ends", self._file, error
            )
            self._file = None


def _read(entry: dict[str, Any]) -> Reminder:
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
