"""A local assistant that listens, looks and speaks.

Importing this package loads no model, opens no device, prints nothing and needs no
torch. The names below are what a plugin may use; each is imported on first use.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

# The threads of numpy's OpenBLAS would spin for 25 ms after every product, on cores that the language model wants:
# with a picture the first token came 0.09 s later. 2^4 cycles is the shortest; it counts from numpy's import on.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

__version__ = "0.1.0"

_HOMES = {
    "Backend": "hookspecs",
    "hookimpl": "hookspecs",
    "AudioChunk": "types",
    "Frame": "types",
    "Percept": "types",
    "Utterance": "types",
    "Turn": "types",
    "ToolCall": "types",
    "Reply": "types",
    "AssistantError": "errors",
    "ToolContext": "tools",
    "Settings": "config",
    "News": "happening",
    "Easel": "drawing",
}

__all__ = ["__version__", *sorted(_HOMES)]  # names are resolved by __getattr__


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
