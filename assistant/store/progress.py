"""How far the downloads are: one display for all of them, or none."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Progress:
    """Counts the bytes of each model; with ``shown``, draws bars with speed and time left on stderr."""

    def __init__(self, shown: bool) -> None:
        self._bars = _bars() if shown else None
        self._tasks: dict[str, TaskID] = {}
        self._parts: dict[str, dict[str, int]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start to draw."""
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop to draw."""
        if self._bars:
            self._bars.stop()

    def begin(self, model: str, total: int) -> None:
        """Announce a model of ``total`` bytes."""
        with self._lock:
            self._parts.setdefault(model, {})
            if self._bars and model not in self._tasks:
                self._tasks[model] = self._bars.add_task(model, total=total or None)

    def at(self, model: str, part: str, done: int) -> None:
        """Say how many bytes of one part of a model are there."""
        with self._lock:
            parts = self._parts.setdefault(model, {})
            parts[part] = done
            if self._bars and model in self._tasks:
                self._bars.update(self._tasks[model], completed=sum(parts.values()))

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        if self._bars:
            self._bars.console.print(text, highlight=False, markup=False)


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )
