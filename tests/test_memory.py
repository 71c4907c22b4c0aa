"""Memory is measured, and what was freed goes back to the system when nobody has the turn."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from assistant import memory
from assistant.happening import Happening
from assistant.memory import give_back, resident_mb, tidy
from assistant.turns import State


def test_resident_memory_follows_what_is_held() -> None:
    before = resident_mb()
    held = np.ones(8_000_000)
    assert 55 < resident_mb() - before < 75
    assert held[0] == 1


def test_what_was_freed_is_given_back() -> None:
    """Blocks of 64 kB are kept by the C library when they are freed, the more so with one in use above them."""
    c = ctypes.CDLL(None)
    if not hasattr(c, "malloc_trim"):
        pytest.skip("this C library has no malloc_trim")
    c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
    blocks = [c.malloc(65_536) for _ in range(1_000)]
    for block in blocks:
        ctypes.memset(block, 1, 65_536)
    *freed, last = blocks
    for block in freed:
        c.free(block)
    held = resident_mb()
    assert give_back()
    assert held - resident_mb() > 40
    c.free(last)


def test_nothing_is_done_where_the_system_has_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_trim", lambda: None)
    assert not give_back()


def test_memory_is_given_back_only_when_nobody_has_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    times = []
    monkeypatch.setattr(memory, "_trim", lambda: lambda pad: times.append(pad) or 1)
    for state in State:
        tidy(Happening("state", 0.0, {"state": state.value}))
    tidy(Happening("level", 0.0))
    assert len(times) == 1
