"""Names of things and words of captions in other languages, so that a small language model need not translate them.

It knows "Hund" and "perro", but calls sour cream "Schokolade" and a shirt "camisón".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import resources

from .fusion.content import singular

LANGUAGES = ("de", "fr", "es", "it")
"""ISO 639-1 codes, in the order of the columns."""

_OTHER = frozenset(
    "balloon bonnet bow boxer brass chest chow crane cricket drum ear file fly hip hook iron jersey kite lighter lime "
    "monitor mouse muzzle nipple notebook orange peach pick pirate pitcher plane pole pot racer scale tank tub upright "
    "vault wing".split()
)
"""Names of things that are mostly something else in a sentence: the eyes' "kite" is a bird, their "ear" one of corn."""


@cache
def _entries() -> tuple[Mapping[str, str], ...]:
    text = resources.files(__package__).joinpath("glossary.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return tuple({row[0]: row[column] for row in rows} for column in range(1, len(LANGUAGES) + 1))


def translate(name: str, language: str) -> str:
    """Return the name of a thing, or a word in any form, in another language; empty where it is not known.

    A noun comes with its indefinite article, a masculine German one in the accusative (small models find the nominative
    from it, but not the other way round), a verb in the infinitive.

    >>> translate("sour cream", "de"), translate("dogs", "fr"), translate("running", "es"), translate("dog", "sv")
    ('saure Sahne', 'un chien', 'correr', '')
    """
    if language not in LANGUAGES:
        return ""
    known = _entries()[LANGUAGES.index(language)]
    return known.get(_base(name, known), "")


def terms(text: str, language: str, most: int) -> Iterator[tuple[str, str]]:
    """Yield so many words of an English sentence, the rarest, in their order, each with its translation."""
    if language not in LANGUAGES:
        return
    words, ranks = dict.fromkeys(re.findall(r"[a-z][a-z'-]*", text.lower())), _ranks()
    known = {word: ranks[base] for word in words if (base := _base(word, ranks)) in ranks}
    rarest = sorted(known, key=lambda word: (known[word], word))[-most:]
    for word in known:
        if word in rarest:
            yield word, translate(word, language)


@cache
def _ranks() -> Mapping[str, int]:
    """Return the words that mean in a sentence what they mean here, the commonest first."""
    return {name: number for number, name in enumerate(_entries()[0]) if name not in _OTHER}


def _base(word: str, known: Collection[str]) -> str:
    """Return the known word that one is a form of, itself first; else some other word."""
    forms = [word, word.lower(), singular(word, known), word.removesuffix("s")]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word.removesuffix(ending)
            forms += [stem, f"{stem}e", stem[:-1] if stem[-1] == stem[-2] else stem]
    return next((form for form in forms if form in known), word)
