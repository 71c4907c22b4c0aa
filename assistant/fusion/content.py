"""Content words: the words of a text that say what it is about, in the language that it seems to be in.

The language is guessed by the small words (Grefenstette, "Comparing Two Language Identification Schemes", JADT 1995).
Languages that are written without spaces are not divided into words, nor are scripts whose vowels are marks of their
own, such as Devanagari.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from .sentences import FUNCTION_WORDS, tokenize

# The English list of stop-words holds "man", "mug" and "computer"; here are the closed classes alone.
ENGLISH = FUNCTION_WORDS | frozenset(
    "i me my mine myself we us our ours ourselves you your yours yourself yourselves himself hers herself itself "
    "theirs themselves whose whom why how when if but because although though unless until since while whilst whether "
    "do does did done doing am being had having can could will would shall should may might must ought cannot "
    "about above across after against along alongside among amid around atop before below beneath beside besides "
    "between beyond despite during except inside like onto outside per than toward towards upon via within without "
    "again already also always both each either else ever every few here just many more most much neither never none "
    "nor only other others own same several still such too together yet any anyone anything anybody everyone "
    "everything everybody someone something somebody nothing nobody nowhere somewhere another "
    "yes ok okay please 're 've 'll 'd 'm".split()
)
"""Closed-class words of English: pronouns, determiners, prepositions, conjunctions, auxiliaries."""

IRREGULAR: Mapping[str, str] = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "knives": "knife",
    "leaves": "leaf",
    "men": "man",
    "mice": "mouse",
    "scarves": "scarf",
    "shelves": "shelf",
    "teeth": "tooth",
    "wolves": "wolf",
    "women": "woman",
}
"""English plurals that no rule finds."""

ALONE = frozenset("clothes glasses jeans news pants series shorts species trunks woods".split())
"""What looks like a plural but is another word than its "singular", or has none."""

WITH_ES = ("ses", "xes", "zes", "ches", "shes", "oes")


@cache
def small_words() -> Mapping[str, frozenset[str]]:
    """Return the function words of each language, by its ISO 639-1 code; English first."""
    from stop_words import LANGUAGE_MAPPING, get_stop_words

    codes = sorted(set(LANGUAGE_MAPPING) - {"en"})
    return {"en": ENGLISH, **{code: frozenset(map(str.lower, get_stop_words(code))) for code in codes}}


def languages(words: Iterable[str], english: Collection[str] = ()) -> tuple[str, ...]:
    """Return the languages that have most of the words among their function words, as ISO 639-1 codes.

    ``english`` are English words of other kinds, which count as well: "a man in a red hat" has as many small words in
    German as in English. English alone where it is among the first, or where no language has any of the words.
    """
    spoken = list(words)
    counts = _counts(spoken)
    counts["en"] += sum(word in english for word in spoken if word not in ENGLISH)
    most = max(counts.values())
    return ("en",) if counts["en"] == most else tuple(code for code in counts if counts[code] == most)


GUESSED = "en de fr es it pt nl pl ru tr zh ja ko ar".split()
"""Languages that a typed question may be in."""
SURE = 0.5
"""Probability from which a text is believed to be in another language than English."""


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(GUESSED)
    return identifier


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the language of a typed question; English where little speaks for another.

    By its bytes (langid: Lui & Baldwin, ACL 2012), unless it has more small words in English than in that language.

    >>> [language_of(text) for text in ("Was siehst du?", "Que vois-tu ?", "Play me Für Elise")]
    ['de', 'fr', 'en']
    """
    counts = _counts(_spelled(_tokens(text)))
    english = counts.pop("en")
    if english > max(1, *counts.values()):  # plainly so: the identifier takes a second to load
        return "en"
    code, probability = _identifier().classify(text)
    return str(code) if probability >= SURE and counts.get(code, 0) >= english else "en"


TWINS = frozenset(("man", "hat"))
"""Small words of German that are common nouns in English."""


def language_spoken(text: str, expected: str) -> str:
    """Return the language of a text that is to be spoken: ``expected``, unless its small words are of another.

    At least two more of them have to be, since languages share many: a name or a number says nothing.

    >>> [language_spoken(text, "de") for text in ("Das ist ein Hund.", "It is a dog.", "Canberra.")]
    ['de', 'en', 'de']
    """
    tokens = _spelled(_tokens(text))
    counts = _counts(tokens)
    counts["en"] += sum(token in TWINS for token in tokens)
    likeliest = max(GUESSED, key=lambda code: counts.get(code, 0))
    return likeliest if counts.get(likeliest, 0) >= counts.get(expected, 0) + 2 else expected


def words(text: str, english: Collection[str] = ()) -> tuple[list[str], bool]:
    """Return the content words of a text in their order, lower case, and whether it is taken for English.

    ``english`` as in :func:`languages`. Numbers, single letters and clitics are left out.

    >>> words("The man's dogs, and 2 cats")
    (['man', 'dogs', 'cats'], True)
    >>> words("der Hund und die Katze im Schnee")
    (['hund', 'katze', 'schnee'], False)
    """
    tokens = _tokens(text)
    found = languages(_spelled(tokens), english)
    if foreign := found != ("en",):  # an article may be joined to its noun: l'homme, dell'acqua
        tokens = [token.rpartition("'")[2] for token in tokens]
    small = frozenset[str]().union(*(small_words()[code] for code in found))
    return [token for token in tokens if token not in small and _says(token)], not foreign


def mentions(text: str, name: str, language: str = "en") -> bool:
    """Return whether a text has all words of a name that say something, in whatever ending.

    >>> mentions("to take my blood pressure pills", "the pill"), mentions("whole milk", "butter")
    (True, False)
    """
    small = small_words().get(language, ENGLISH)
    spoken, named = (set(_spelled(_tokens(one.lower()))) - small for one in (text, name))
    return bool(named) and all(any(one.startswith(word[: max(3, len(word) - 1)]) for one in spoken) for word in named)


def singular(word: str, known: Collection[str], english: bool = True) -> str:
    """Return the singular of a plural whose singular is ``known``, else the word; "runs" becomes "run" as well.

    >>> [singular(word, {"dog", "berry", "bus"}) for word in ("dogs", "berries", "women", "bus", "cacti")]
    ['dog', 'berry', 'woman', 'bus', 'cacti']
    """
    if english and word in IRREGULAR:
        return IRREGULAR[word]
    if word in ALONE or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    found = [word[:-1]]
    if english and word.endswith("ies"):
        found.insert(0, f"{word[:-3]}y")
    if word.endswith(WITH_ES):
        found.insert(0, word[:-2])
    return next((one for one in found if one in known), word)


def _counts(words: Collection[str]) -> dict[str, int]:
    """Return how many of the words are function words of each language."""
    return {code: sum(word in small for word in words) for code, small in small_words().items()}


def _tokens(text: str) -> list[str]:
    return tokenize(unicodedata.normalize("NFC", text).replace("’", "'"))


def _spelled(tokens: Iterable[str]) -> list[str]:
    """Return the words of tokens that may tell a language: no English clitics, whose letters are words elsewhere."""
    whole = (token for token in tokens if not token.startswith("'"))
    return [part for token in whole for part in token.split("'") if len(part) > 1]


def _says(token: str) -> bool:
    return not token.startswith("'") and any(map(str.isalpha, token)) and (len(token) > 1 or not token.isascii())
