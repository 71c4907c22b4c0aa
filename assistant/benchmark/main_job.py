"""Speed, memory and size of the main job: one spoken question about a picture.

Each figure is measured in this run, on this machine; nothing in the tests depends on one.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..kit import Kit


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure and what it is to be."""

    name: str
    value: float
    unit: str
    target: str
    met: bool | None
    """``None`` where nothing was promised."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "unit": self.unit,
            "target": self.target,
            "met": self.met,
        }


def figures(kit: Kit) -> Iterator[Figure]:
    """Yield the figures, quickest first."""
    yield import_time()
    yield environment_size()
    yield from whole_process()
    yield overhead(kit)


def import_time(runs: int = 9) -> Figure:
    """Return what ``import assistant`` adds to the start of Python, median of ``runs``."""

    def seconds(code: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - started

    pairs = [(seconds("import assistant"), seconds("pass")) for _ in range(runs)]
    value = statistics.median(whole - bare for whole, bare in pairs)
    return Figure("import assistant", value, "s", "<= 0.15", value <= 0.15)


def environment_size() -> Figure:
    """Return the size of the installed libraries; anything above 900 MB, or torch, misses the target."""
    folder = Path(sysconfig.get_path("purelib"))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6
    torch = (folder / "torch").is_dir()
    name = "environment (with torch: not the embedded one)" if torch else "environment"
    return Figure(name, size, "MB", "<= 900, no torch", None if torch else size <= 900)


def whole_process() -> Iterator[Figure]:
    """Yield time and peak memory of ``assistant ask`` with sound and picture, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "assistant", "talk", "--sample", "--json", "--say", f"{folder}/answer.wav"]
        for _ in range(2):  # the first run fills the page cache and the prompt cache
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds = time.perf_counter() - started
    # ru_maxrss: kilobytes on Linux, bytes on macOS; the largest child so far.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    yield Figure("second `talk` on the recorded question", seconds, "s", "<= 12", seconds <= 12)
    yield Figure("peak memory of it", peak / 2**30, "GiB", "<= 2.6", peak / 2**30 <= 2.6)


def overhead(kit: Kit, runs: int = 3) -> Figure:
    """Return the share of one ``ask`` that is spent outside its stages, median of ``runs``, in per cent."""
    from .. import pictures, sample, sound
    from ..ask import Asker

    shares = []
    with tempfile.TemporaryDirectory() as folder:
        question = sample.question(kit, Path(folder) / "answer.wav")
        asker = Asker(kit)
        asker.warm([question])
        asker.ask(question)
        for _ in range(runs):
            with _Stopwatch() as watch:
                watch.follow(sound, "read")
                watch.follow(pictures, "read")
                watch.follow(kit.recognizer, "transcribe")
                watch.follow(kit.eyes, "look")
                if kit.fuser is not None:
                    watch.follow(kit.fuser, "read")
                    watch.follow(kit.fuser, "answer")
                watch.follow(kit.brain, "reply")
                watch.follow(kit.voices.usual, "speak")
                started = time.perf_counter()
                asker.ask(question)
                total = time.perf_counter() - started
            shares.append(100 * (total - watch.seconds) / total)
    value = statistics.median(shares)
    return Figure("overhead of one `ask` over its stages", value, "%", "<= 5", value <= 5)


class _Stopwatch:
    """Adds up the time spent inside the functions it follows, generators included."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._followed: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> _Stopwatch:
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, original in self._followed:
            if original is None:
                delattr(owner, name)
            else:
                setattr(owner, name, original)

    def follow(self, owner: Any, name: str) -> None:
        """Time every call of ``owner.name`` until the stopwatch is left."""
        function: Callable[..., Any] = getattr(owner, name)
        self._followed.append((owner, name, vars(owner).get(name)))

        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            result = function(*args, **kwargs)
            self.seconds += time.perf_counter() - started
            return self._iterate(result) if hasattr(result, "send") else result

        setattr(owner, name, call)

    def _iterate(self, pieces: Any) -> Iterator[Any]:
        try:
            while True:
                started = time.perf_counter()
                try:
                    piece = next(pieces)
                except StopIteration:
                    return
                finally:
                    self.seconds += time.perf_counter() - started
                yield piece
        finally:
            pieces.close()
