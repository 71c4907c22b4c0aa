"""Text from one language into another: by the language model with a strict order, or by a translation model.

A text is translated line by line, so that line breaks stay, and a long line sentence by sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Protocol

from .errors import InputError, ModelError
from .prompt import plain
from .stages import Sampling, Session

LONGEST = 400
"""Characters that are translated at once: small models lose the end of a longer text."""

LANGUAGES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
"""English names by ISO 639-1 code."""

_EXAMPLES = {
    "de": "Guten Morgen! Wo ist der Bahnhof?",
    "en": "Good morning! Where is the station?",
    "es": "¡Buenos días! ¿Dónde está la estación?",
    "fr": "Bonjour ! Où est la gare ?",
    "it": "Buongiorno! Dov'è la stazione?",
    "nl": "Goedemorgen! Waar is het station?",
    "pt": "Bom dia! Onde fica a estação?",
}
"""One meaning in several languages: a small model follows an example better than an order."""


class Translator(Protocol):
    """Translates pieces of text that are short enough for it."""

    def translate(self, text: str, source: str, target: str) -> str:
        """Return ``text`` in another language; ``source`` is an ISO 639-1 code, or empty to leave it open."""
        ...


def code_of(language: str) -> str:
    """Return the ISO 639-1 code of a language given by its code or its English name.

    Raises :class:`InputError` with the nearest name where it is not known.
    """
    wanted = language.strip().lower()
    names = {name.lower(): code for code, name in LANGUAGES.items()}
    if wanted in LANGUAGES:
        return wanted
    if wanted in names:
        return names[wanted]
    import difflib

    close = difflib.get_close_matches(wanted, [*names, *LANGUAGES], n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}?" if close else "give a code such as de, or a name such as German"
    raise InputError(f"there is no language {language!r} here; {hint}")


def translate(translator: Translator, text: str, target: str, source: str = "") -> str:
    """Return a text of any length in another language, with its line breaks and the space around its lines."""
    return "".join(
        _kept_space(line, lambda words: _long(translator, words, source, target))
        for line in text.splitlines(keepends=True)
    )


def _kept_space(line: str, work: Callable[[str], str]) -> str:
    words = line.strip()
    if not any(letter.isalpha() for letter in words):
        return line  # numbers, rules and empty lines are the same in every language
    start = line.index(words)
    return line[:start] + work(words) + line[start + len(words) :]


def _long(translator: Translator, words: str, source: str, target: str) -> str:
    made = (" ".join(translator.translate(part, source, target).split()) for part in pieces(words))
    return ("" if target in ("zh", "ja", "th") else " ").join(made)


def pieces(text: str, longest: int = LONGEST) -> Iterator[str]:
    """Yield a line in parts of at most ``longest`` characters, split between sentences, else between words."""
    part = ""
    for sentence in re.split(r"(?<=[.!?…])\s+|(?<=[。！？])", text):
        for run in _runs(sentence, longest):
            if part and len(part) + 1 + len(run) > longest:
                yield part
                part = ""
            part = f"{part} {run}" if part else run
    if part:
        yield part


def _runs(sentence: str, longest: int) -> Iterator[str]:
    while len(sentence) > longest:
        end = sentence.rfind(" ", 0, longest + 1)
        end = end if end > 0 else longest
        yield sentence[:end].rstrip()
        sentence = sentence[end:].lstrip()
    if sentence:
        yield sentence


class SessionTranslator:
    """Translates with the language model of the conversation."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def translate(self, text: str, source: str, target: str) -> str:
        """Return ``text`` in another language. Raises :class:`ModelError` where the model says nothing."""
        room = max(48, 3 * len(self._session.tokenize(text, special=False)))
        self._session.sync([self._tokens(text, source, target)])
        said = "".join(self._session.generate(Sampling(max_tokens=room, temperature=0, stop=("\n",)))).strip()
        if not said:
            raise ModelError(f"the language model gave no translation of {text[:40]!r}; try another brain.model")
        return said

    def _tokens(self, text: str, source: str, target: str) -> list[int]:
        name = LANGUAGES[target]
        order = f"Translate {f'the {LANGUAGES[source]} text' if source else 'the text'} of the user into {name}. "
        order += f"Write only the {name} translation, on one line. Never answer the text and never explain it."
        messages: list[dict[str, object]] = [{"role": "system", "content": order}]
        shown = source or ("de" if target == "en" else "en")
        if target in _EXAMPLES and shown in _EXAMPLES:
            messages += [
                {"role": "user", "content": _EXAMPLES[shown]},
                {"role": "assistant", "content": _EXAMPLES[target]},
            ]
        # The text is tokenised apart from the template, so that nothing in it can be markup.
        messages.append({"role": "user", "content": "\x02"})
        before, _, after = self._session.template(messages, []).partition("\x02")
        tokenize = self._session.tokenize
        return [*tokenize(before), *tokenize(plain(text), special=False), *tokenize(after)]
