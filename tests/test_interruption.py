"""Ctrl-C is answered while a library computes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.interruption import leavable, pulled
from assistant.sound import write
from assistant.types import AudioChunk

from .conftest import interrupted

STUCK = """
import ctypes, sys
from assistant.cli import main
from assistant.kit import Kit

class Stuck:  # a call into a library that Python cannot break
    def transcribe(self, audio, options=None):
        from assistant.interruption import leavable

        def work():
            print("inside", flush=True)
            ctypes.CDLL(None).sleep(600)

        return leavable(work)

Kit.make = lambda self, kind, name: Stuck()
sys.exit(main(["transcribe", sys.argv[1]]))
"""


def test_what_the_work_returns_or_raises_comes_through() -> None:
    assert leavable(lambda: 42) == 42
    with pytest.raises(TimeoutError, match="mine"):
        leavable(lambda: (_ for _ in ()).throw(TimeoutError("mine")))


def test_all_work_is_done_by_one_thread() -> None:
    first, *others = (leavable(threading.current_thread) for _ in range(3))
    assert first is not threading.main_thread()
    assert set(others) == {first}


def test_pieces_are_made_one_at_a_time_in_their_order() -> None:
    made: list[int] = []

    def pieces() -> Iterator[int]:
        for number in range(3):
            made.append(number)
            yield number

    for number in pulled(pieces()):
        assert made[-1] == number
    assert made == [0, 1, 2]


def test_beside_the_main_thread_the_work_runs_where_it_is_asked_for() -> None:
    seen: list[threading.Thread] = []
    thread = threading.Thread(target=lambda: leavable(lambda: seen.append(threading.current_thread())))
    thread.start()
    thread.join()
    assert seen == [thread]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_a_library_call_is_left_at_ctrl_c(tmp_path: Path) -> None:
    write(path := tmp_path / "a.wav", [AudioChunk(np.zeros(16_000, np.float32), 16_000)])
    status, out, err = interrupted(STUCK, path)  # the call itself would take ten minutes
    assert (status, out) == (130, "")
    assert "Traceback" not in err
