"""Counting aloud, up or down, as far as somebody would listen."""

from __future__ import annotations

from collections.abc import Callable

from assistant import hookimpl
from assistant.spoken_numbers import NUMBER, number

MOST = 100
"""Numbers that are counted."""
_DOWN = r"backwards|backward|down|rückwärts|à rebours|hacia atrás|al revés|alla rovescia|all'indietro"


@hookimpl
def assistant_tools() -> list[Callable[..., str]]:
    """Return the tool of this plugin."""
    return [count]


def count(down: str = "", start: str = "", end: str = "", language: str = "en") -> str:
    """Count from one number to another."""
    last = int(number(end, language)) if end else 1 if down else 10
    first = int(number(start, language)) if start else 10 if down else 1
    if down and not start and last > 1:
        first, last = last, 1
    step = 1 if last >= first else -1
    if abs(last - first) >= MOST:
        raise ValueError(f"at most {MOST} numbers are counted")
    return f"{', '.join(map(str, range(first, last + step, step)))}."


count.__doc__ = f"""{count.__doc__}

    Verbatim only: (?:(?:please|can you|could you|bitte|kannst du|tu peux|puedes|puoi|now) )*
    (?:count|zähle?|compte|cuenta|conta)(?: (?P<down>{_DOWN}))?(?: (?:from|von|de|desde|da|dal) (?P<start>{NUMBER}))?
    (?: (?:up |down )?(?:to|bis|jusqu'à|à|hasta|a|fino a) (?P<end>{NUMBER}))?(?: (?P<down_2>{_DOWN}))?
    (?: (?:for me|please|bitte|por favor|per favore))*
    """
