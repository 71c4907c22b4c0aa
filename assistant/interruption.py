"""Ctrl-C in the middle of a library's long computation.

Python hears of a signal only between its own steps, and seconds can pass inside one call of a network; and what is
raised in a library's callback is lost. Such calls are made by one thread beside the main one, which waits for them and
can leave at any time; what it has opened is cleaned up on the way.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

GLANCE = 0.1
"""Seconds between looks for a signal where waiting cannot be interrupted (Windows)."""


class Worker:
    """One thread for all calls of a library, whoever makes them.

    OpenMP keeps a team of threads for each thread that computes; where there are more of them than cores,
    libgomp sends them to sleep at every barrier, and a language model computes at half the speed.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._calls.get()()

    def call(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns or raises; calls run one after the other."""
        outcome: Future[T] = Future()
        ended = threading.Event()

        def run() -> None:
            try:
                outcome.set_result(work())
            except BaseException as error:  # it is raised where the result is awaited
                outcome.set_exception(error)
            ended.set()

        self._calls.put(run)
        while not ended.wait(GLANCE):
            pass
        return outcome.result()


_worker: Worker | None = None
_left = False


def abandoned() -> bool:
    """Return whether a computation was left while it ran: the process should end without waiting for it."""
    return _left


def abandon() -> None:
    """Note that a thread is left in the middle of a library's call."""
    global _left
    _left = True


def leavable(work: Callable[[], T]) -> T:
    """Return what ``work`` returns or raises; in the main thread, Ctrl-C leaves it behind at once."""
    global _worker
    if threading.current_thread() is not threading.main_thread():
        return work()
    if _worker is None:
        _worker = Worker("computation")
    try:
        return _worker.call(work)
    except KeyboardInterrupt:
        _worker = None
        abandon()
        raise


def pulled(pieces: Iterable[T]) -> Iterator[T]:
    """Yield what ``pieces`` yields; Ctrl-C leaves the making of the next one behind at once."""
    iterator = iter(pieces)
    end: Any = object()
    while (piece := leavable(lambda: next(iterator, end))) is not end:
        yield piece
