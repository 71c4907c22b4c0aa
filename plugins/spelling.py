"""Letters of a word, which a language model that reads in pieces of words often gets wrong."""

from __future__ import annotations

from collections.abc import Callable

from assistant import hookimpl

_BEFORE = (
    r"(?:(?:please|can you|could you|would you|how do (?:you|i)|how to|how does one|bitte|kannst du|wie|tu peux|puedes|"
    r"puoi|come|cómo|comment) )*"
)
_SPELL = (
    r"(?:spell(?: me)?|buchstabiere?(?: mir)?|buchstabiert man|épelle(?: moi)?|s'épelle|deletrea(?:me)?|se deletrea|"
    r"fai lo spelling di|si scrive)"
)
_END = r"(?: (?:for me|please|again|bitte|por favor|per favore|s'il te plaît))*"
_WORD = (
    r"(?:(?:the|das|le|la|il|el) (?:word|name|wort|mot|palabra|parola) )?"
    r"(?P<word>(?!(?:the|this|that|it|me|my|your|man|das|es|ça)\b)[^\W\d_]+)"
)


@hookimpl
def assistant_tools() -> list[Callable[..., str]]:
    """Return the tools of this plugin."""
    speller = Speller()
    return [speller.spell, speller.spell_backwards]


class Speller:
    """Spells; the last word is remembered, for "Spell it backwards"."""

    def __init__(self) -> None:
        self._last = ""

    def spell(self, word: str) -> str:
        """Spell a word letter by letter."""
        self._last = word
        return _letters(word.strip().capitalize(), word)

    spell.__doc__ = rf"""{spell.__doc__}

        When: \bspell\w*\b

        Told: word for word

        Verbatim: {_BEFORE}{_SPELL} {_WORD}{_END}
        """

    def spell_backwards(self, word: str = "") -> str:
        """Spell a word from its end."""
        self._last = word or self._last
        return _letters(self._last.strip().capitalize(), self._last[::-1])

    spell_backwards.__doc__ = f"""{spell_backwards.__doc__}

        Verbatim only: {_BEFORE}{_SPELL} {_WORD} (?:backwards|backward|rückwärts|à l'envers|al revés|al contrario){_END}

        Again: {_BEFORE}(?:and )?(?:{_SPELL} (?:it |that |es |das )?)?(?:backwards|backward|rückwärts|à l'envers|
        al revés|al contrario){_END}
        """


def _letters(name: str, word: str) -> str:
    letters = [letter.upper() for letter in word if letter.isalpha()]
    return f"{name}: {', '.join(letters)}." if letters else "There is no word to spell."
