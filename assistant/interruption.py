"""Ctrl-C in the middle of a library's long computation.

Python hears of a signal only between its own steps, and seconds can pass inside one call of a network. Such a call
runs beside the main thread, which waits for it and can leave at any time; what it has opened is cleaned up on the way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

GLANCE = 0.1
"""Seconds between looks for a signal where waiting cannot be interrupted (Windows)."""

_left = threading.Event()


def abandoned() -> bool:
    """Return whether a computation was left while it ran: the process should end without waiting for it."""
    return _left.is_set()


def leavable(work: Callable[[], T]) -> T:
    """Return what ``work`` returns or raises; in the main thread, Ctrl-C leaves it behind at once."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: Future[T] = Future()
    ended = threading.Event()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # it is raised where the result is awaited
            outcome.set_exception(error)
        ended.set()

    threading.Thread(target=run, name="computation", daemon=True).start()
    try:
        while not ended.wait(GLANCE):
            pass
    except KeyboardInterrupt:
        _left.set()
        raise
    return outcome.result()
