"""How much memory this process holds, and handing back what its engines let go."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

from .happening import Happening
from .turns import State


def resident_mb() -> float:
    """Return the memory of this process in MB: now where the system tells it, else at its peak."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def give_back() -> bool:
    """Hand freed memory back to the system; return whether there was a way to and anything to hand back.

    The engines' threads free blocks of every size, and the allocator of GNU's C library keeps them for later
    (``malloc_trim(3)``): about 100 MB after some dozen turns. Takes a few milliseconds; does nothing elsewhere.
    """
    trim = _trim()
    return bool(trim(0)) if trim is not None else False


def tidy(happening: Happening) -> None:
    """Observe a conversation: give memory back whenever nobody has the turn."""
    if happening.name == "state" and happening.details["state"] == State.IDLE:
        give_back()


@cache
def _trim() -> Any:
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # Windows knows no library without a name
        return None
