"""What plugins keep between conversations: one JSON file each, beside the history, that only its owner can read."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from filelock import FileLock, Timeout

from .config import Settings
from .history import History
from .output import whole

log = logging.getLogger(__name__)

T = TypeVar("T")
WAIT = 2.0
"""Seconds to wait for another process that writes the same file."""


class Kept(Generic[T]):
    """A value in ``name.json``; with ``history.enabled`` off, or where it cannot be written, only in memory.

    ``read`` makes the value of what stands in the file, ``write`` what shall stand there. ``read`` raises
    :class:`ValueError`, :class:`TypeError` or :class:`KeyError` where there is no such value: the file is set aside
    then, for what is written next shall not take its place.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        empty: T,
        read: Callable[[Any], T],
        write: Callable[[T], Any] = lambda value: value,
    ) -> None:
        self._file = History(settings).path.with_name(f"{name}.json") if settings.history.enabled else None
        self._value, self._read, self._write = empty, read, write
        self._lock = FileLock(self._file.with_suffix(".lock"), timeout=WAIT) if self._file is not None else None

    @property
    def lasts(self) -> bool:
        """Whether the value outlives this process."""
        return self._file is not None

    def load(self) -> T:
        """Return the value as it is now: another process may have changed it."""
        if self._file is not None and self._file.exists():
            try:
                self._value = self._read(json.loads(self._file.read_text("utf-8")))
            except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
                damaged = self._file.with_suffix(".damaged")
                log.warning("%s cannot be read (%s); it is kept as %s", self._file, error, damaged)
                with contextlib.suppress(OSError):
                    self._file.replace(damaged)
        return self._value

    def save(self, value: T) -> None:
        """Keep a value."""
        self._value = value
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with whole(self._file) as partial:
                descriptor = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
                with open(descriptor, "w", encoding="utf-8") as file:
                    json.dump(self._write(value), file, ensure_ascii=False, indent=1)
        except OSError as error:
            log.warning("%s cannot be written (%s); it lasts until the assistant ends", self._file, error)
            self._file = None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from changing the value meanwhile, where there is a file that can be locked."""
        with contextlib.ExitStack() as stack:
            if self._file is not None and self._lock is not None:
                with contextlib.suppress(OSError, Timeout):
                    self._file.parent.mkdir(parents=True, exist_ok=True)
                    stack.enter_context(self._lock)
            yield
