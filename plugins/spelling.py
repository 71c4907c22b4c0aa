"""Letters of a word, which a language model that reads in pieces of words often gets wrong."""

from __future__ import annotations

from assistant import hookimpl


@hookimpl
def assistant_tools():
    """Return the tool of this plugin."""
    return [spell]


def spell(word: str) -> str:
    r"""Spell a word letter by letter.

    When: \bspell\w*\b

    Told: word for word

    Verbatim: (?:(?:please|can you|could you|would you|how do (?:you|i)|how to|how does one) )*spell (?:me )?
    (?:the (?:word|name) )?(?P<word>(?!(?:the|this|that|it|me|my|your)\b)[^\W\d_]+)(?: (?:for me|please|again))*
    """
    letters = [letter.upper() for letter in word if letter.isalpha()]
    return f"{word.strip().capitalize()}: {', '.join(letters)}." if letters else "There is no word to spell."
