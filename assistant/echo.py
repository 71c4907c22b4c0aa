"""The guard behind the echo canceller: the assistant's own words, coming back, are nobody's question."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

SAME = 0.65
"""Share of the heard words that have to be the assistant's own, in their order."""
CLOSE = 0.75
"""Likeness of two words that a recogniser may have confused."""


def own_words(heard: str, playing: str) -> bool:
    """Return whether what was ``heard`` over a reply is the reply itself, which says ``playing`` now.

    An echo is torn and misheard, so words count that are alike, in the same order.
    """
    heard_words, own = _words(heard), _words(playing)
    if not heard_words or not own:
        return False
    matcher = SequenceMatcher(None, [_key(word, own) for word in heard_words], own, autojunk=False)
    matched = sum(block.size for block in matcher.get_matching_blocks())
    return matched >= SAME * len(heard_words)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _key(word: str, own: list[str]) -> str:
    """Return the own word that ``word`` may be a mishearing of, or the word itself."""
    if word in own or len(word) < 4:
        return word
    best = max(own, key=lambda other: SequenceMatcher(None, word, other).ratio())
    return best if SequenceMatcher(None, word, best).ratio() >= CLOSE else word
