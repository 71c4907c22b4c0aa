"""What a conversation tells whoever looks on: the view, the log, earcons, the store of sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Happening:
    """Something an observer (the view, the log, earcons, the history) may want to know."""

    name: str
    """``ready level state listening partial judged seen thinking tool clause speaking ducked held burst resumed
    interrupted continued discarded order reply turn remembered awake asleep trouble``."""
    at: float
    """Seconds of the microphone's stream."""
    details: dict[str, Any] = field(default_factory=dict)


Observer = Callable[[Happening], None]
