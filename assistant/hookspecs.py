"""The hooks a plugin may implement. Built-in backends and tools use the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from .config import Settings
    from .happening import News

hookspec = pluggy.HookspecMarker("assistant")
hookimpl = pluggy.HookimplMarker("assistant")


@dataclass(frozen=True, slots=True)
class Backend:
    """How to make one stage; the library behind it is imported on first use only."""

    kind: str
    """``vad``, ``asr``, ``eyes``, ``reader``, ``session``, ``brain``, ``voice``, ``turn``, ``wake``, ``echo``,
    ``microphone``, ``speaker``, ``camera``, ``fuser``, ``translator``, ``painter``,
    ``hearer``."""
    name: str
    factory: str
    """``"package.module:callable"``; called with ``(settings, store)``, a brain with ``(settings, store, tools)``, a
    hearer with ``(settings, store, recognizer)``."""
    extra: str | None = None
    """The pip extra that installs its libraries, or ``None`` where they are always there."""
    libraries: tuple[str, ...] = ()
    """Importable names of these libraries, for ``assistant doctor``."""


@hookspec
def assistant_backends() -> Iterable[Backend]:  # type: ignore[empty-body]
    """Return the backends that this plugin brings."""


@hookspec
def assistant_tools(settings: Settings, news: News) -> Iterable[Callable[..., Any]]:  # type: ignore[empty-body]
    """Return typed functions with docstrings; each becomes a tool of the language model.

    A tool whose work outlives its reply tells by ``news("The tea is ready.")`` what became of it. A plugin leaves out
    the parameters that it does not need.
    """
