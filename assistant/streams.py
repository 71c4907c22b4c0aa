"""Between blocking stages and the event loop: the threads of a conversation.

A :class:`Lane` is one thread on which heavy work runs one piece at a time, the most
urgent first; :func:`flow` turns a blocking iterator into an asynchronous one with a
thread of its own; a :class:`Channel` connects two tasks.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import queue
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from enum import IntEnum
from typing import Any, Generic, TypeVar

from .interruption import abandon

T = TypeVar("T")

log = logging.getLogger(__name__)


class Urgency(IntEnum):
    """What goes first on a lane."""

    CLEANUP = 0
    EAR = 1
    VOICE = 2
    EYE = 3
    THOUGHT = 4
    EXIT = 9


class Lane:
    """One thread for heavy work, so that two engines never fight for the same cores.

    OpenMP threads of a language model spin while they wait: any other busy thread makes
    it several times slower, so work is serialised instead, by urgency and then by age.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.PriorityQueue[tuple[int, int, Callable[[], None] | None]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._open = 0
        self._thread = threading.Thread(target=self._work, name=f"lane {name}", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether any work waits or runs."""
        return self._open > 0

    def urged(self, urgency: Urgency) -> bool:
        """Return whether something more urgent waits; for work that can stop and be taken up again."""
        with self._jobs.mutex:
            return bool(self._jobs.queue) and self._jobs.queue[0][0] < urgency

    async def run(self, urgency: Urgency, work: Callable[[], T]) -> T:
        """Run ``work`` on the lane. When cancelled, work that has not begun never begins."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._open += 1

        def settle(error: BaseException | None, result: T | None) -> None:
            self._open -= 1
            if done.cancelled():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]

        def job() -> None:
            error: BaseException | None = None
            result = None
            if not done.cancelled():
                try:
                    result = work()
                except BaseException as raised:  # it belongs to whoever waits for the result
                    error = raised
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                loop.call_soon_threadsafe(settle, error, result)

        self._jobs.put((urgency, next(self._order), job))
        return await done

    async def iterate(self, urgency: Urgency, make: Callable[[], Iterator[T]]) -> AsyncGenerator[T]:
        """Yield from a blocking iterator, one step a job, so that urgent work comes between the steps.

        When the consumer stops, the iterator is closed on the lane before any other work.
        """
        iterator: Iterator[T] | None = None
        end = object()

        def step() -> Any:
            nonlocal iterator
            if iterator is None:
                iterator = iter(make())
            return next(iterator, end)

        try:
            while True:
                item = await self.run(urgency, step)
                if item is end:
                    return
                yield item
        finally:
            # Not awaited: this runs in the course of a cancellation as well, perhaps while the lane makes the iterator.
            self.post(Urgency.CLEANUP, lambda: getattr(iterator, "close", _nothing)())

    def post(self, urgency: Urgency, work: Callable[[], object]) -> None:
        """Run ``work`` on the lane without waiting for it."""

        def job() -> None:
            try:
                work()
            except Exception:  # nobody waits for it, so the log is the only place left
                log.exception("work on %s failed", self._thread.name)

        self._jobs.put((urgency, next(self._order), job))

    def close(self, timeout: float = 0.8) -> None:
        """Finish what runs, drop what waits, end the thread; waits at most ``timeout`` seconds."""
        self._jobs.put((-1, next(self._order), None))
        self._thread.join(timeout)
        if self._thread.is_alive():
            abandon()

    def _work(self) -> None:
        while True:
            _, _, job = self._jobs.get()
            if job is None:
                return
            job()


def _nothing() -> None:
    """What an iterator without a ``close`` needs at its end."""


async def flow(iterator: Iterator[T], stop: Callable[[], object] | None = None, depth: int = 50) -> AsyncGenerator[T]:
    """Yield from a blocking iterator that runs in a thread of its own.

    ``stop`` is called when the consumer leaves and must make the iterator end; ``depth``
    items may wait before the thread has to.
    """
    loop = asyncio.get_running_loop()
    items: Channel[T] = Channel(depth)
    room = threading.Semaphore(depth)
    left = threading.Event()

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in iterator:
                room.acquire()
                if left.is_set():
                    break
                loop.call_soon_threadsafe(items.push, item)
        except BaseException as raised:  # it belongs to the consumer
            error = raised
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                loop.call_soon_threadsafe(items.close, error)

    thread = threading.Thread(target=work, name="flow", daemon=True)
    thread.start()
    try:
        async for item in items:
            room.release()
            yield item
    finally:
        left.set()
        room.release()
        if stop is not None:
            stop()
        thread.join(0.5)


class Channel(Generic[T]):
    """A bounded queue between two tasks that ends like an iterator."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[T] = deque()
        self._closed = False
        self._error: BaseException | None = None
        self._changed = asyncio.Event()

    async def put(self, item: T) -> None:
        """Add an item; waits while the channel is full, and lets who waits for the item go first."""
        while len(self._items) >= self._size and not self._closed:
            self._changed.clear()
            await self._changed.wait()
        self.push(item)
        await asyncio.sleep(0)

    def push(self, item: T) -> None:
        """Add an item at once, beyond the bound if need be."""
        if not self._closed:
            self._items.append(item)
            self._changed.set()

    def close(self, error: BaseException | None = None) -> None:
        """Say that no more items come; with ``error`` the consumer raises it after the last one."""
        self._closed, self._error = True, error
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            while self._items:
                item = self._items.popleft()
                self._changed.set()
                yield item
            if self._closed:
                if self._error is not None:
                    raise self._error
                return
            self._changed.clear()
            await self._changed.wait()
