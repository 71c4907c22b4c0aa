"""What may be said to the assistant itself, at any moment, without the language model."""

from __future__ import annotations

import re
from enum import StrEnum


class Order(StrEnum):
    """A voice command that acts at once."""

    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    REPEAT = "repeat"
    SLOWER = "slower"
    FASTER = "faster"
    LOUDER = "louder"
    QUIETER = "quieter"


_PHRASES = {
    Order.STOP: "stop|stop it|stop that|stop talking|cancel|cancel that|be quiet|quiet|shut up|enough|that's enough|"
    "never mind|nevermind",
    Order.PAUSE: "pause|wait|hold on|one moment|just a moment|pause that",
    Order.RESUME: "resume|continue|go on|carry on|keep going",
    Order.REPEAT: "repeat|repeat that|repeat it|say that again|say it again|again|once more|what did you say|pardon|"
    "come again",
    Order.SLOWER: "slower|speak slower|talk slower|slow down|speak more slowly|more slowly|too fast|not so fast",
    Order.FASTER: "faster|speak faster|talk faster|speed up|too slow",
    Order.LOUDER: "louder|speak up|speak louder|talk louder|volume up|turn it up|turn up the volume|turn the volume up",
    Order.QUIETER: "quieter|softer|speak more quietly|more quietly|volume down|turn it down|too loud|"
    "not so loud|lower the volume|turn down the volume|turn the volume down",
}
_POLITE = re.compile(
    r"^(?:(?:please|okay|ok|hey|now|assistant|computer|and|oh|no|a (?:bit|little)(?= (?:\w+er|more|too)\b))\b\s*)+"
    r"|\s*\b(?:please|now|a bit|a little|thanks|thank you)$"
)
_ORDERS = {phrase: order for order, phrases in _PHRASES.items() for phrase in phrases.split("|")}


def bare(text: str) -> str:
    """Return the words of a text in small letters, without the signs between them."""
    return " ".join(re.findall(r"[\w']+", text.lower().replace("’", "'")))


def order_in(text: str) -> Order | None:
    """Return the voice command that the whole of ``text`` is, if it is one; polite words do not matter."""
    said = bare(text)
    for _ in range(3):
        if said in _ORDERS:
            return _ORDERS[said]
        said = _POLITE.sub("", said).strip()
    # "Stop, stop!" is said by somebody who means it.
    words = said.split()
    for size in range(1, len(words) // 2 + 1):
        if words[size:] == words[:-size]:
            return _ORDERS.get(" ".join(words[:size]))
    return None


def is_order(text: str) -> bool:
    """Return whether the whole of ``text`` is a voice command."""
    return order_in(text) is not None
