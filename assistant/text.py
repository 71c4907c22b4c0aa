"""Text on its way to the voice: tokens become speakable clauses, and clauses become words.

:func:`clauses` cuts a stream of model tokens where a person would take a breath, the
first one as early as it sounds natural, because sound can start only after it.
:func:`speakable` writes out what a voice would stumble over: numbers, units, times.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

__all__ = ["Splitter", "clauses", "plain", "speakable"]

_LIMITS = ((2, 3, 6), (4, 7, 12), (10, 12, 20))
"""Of the first, second and later clauses: words from which a comma ends it, words from which it may end before
a word that opens a phrase, and words from which it ends between any two words that can be parted. The second is
kept short because the first, which is short, plays while it is being generated."""

_ALONE = frozenset("yes no sure okay ok well hello hi hey sorry certainly right great thanks yeah nope alas".split())
"""Words that with a comma make a clause by themselves at the start of a reply."""

_OPENS = frozenset(
    "and but or so because although though while which who where when if unless until since that with without in on "
    "at by from near next behind under over above below between beside inside outside against along across around "
    "through throughout for to into onto during after before among within towards then as is are was were has have "
    "can could will would should may might sitting standing lying holding wearing looking walking running playing "
    "showing made placed called known used found located covered filled".split()
)
"""Words before which English takes a breath."""

_CLINGS = frozenset(
    "a an the this that these those my your his her its our their some any no every each and but or nor so because of "
    "in on at by to from with without into onto for as than if is are was were be been am has have had do does did can "
    "could will would should may might must not very more most less too about around over under i you he she it we "
    "they who which what whose there i'm you're it's he's she's we're they're there's that's don't can't".split()
)
"""Words after which nobody pauses."""

_NEVER_END = frozenset(
    "dr mr mrs ms prof rev hon gen col capt lt sgt st mt messrs mme mlle vs e.g i.e cf approx ca z.b d.h u.a".split()
)
"""Abbreviations that are never the end of a sentence."""

_SELDOM_END = frozenset(
    "etc no nr inc ltd co corp jr sr a.m p.m u.s u.k u.s.a u.n fig vol pp p min max est dept jan feb mar apr jun jul "
    "aug sep sept oct nov dec mon tue tues wed thu thur thurs fri ave blvd rd ph.d b.c a.d".split()
)
"""Abbreviations that end a sentence only where a capital follows."""

_MARKER = re.compile(r"([-*+•‣◦–—]|#{1,6}|>+|\d{1,3}[.)]|[-*_=]{3,}|`{3,}\S*|~{3,}\S*|\|)$")
"""Words that, at the start of a line, are layout and not text."""

_NO_WORD = 120
"""Letters without a space from which they are no word, whatever they are: nobody waits for its end."""

_WIDE_SENTENCE, _WIDE_PAUSE = "。！？।؟", "，、；：،"
"""Punctuation of languages that put no space after it."""


def clauses(pieces: Iterable[str], first_short: bool = True) -> Iterator[str]:
    """Yield clauses fit for a voice from the pieces of a reply, each as soon as it is certain.

    The result does not depend on how the text was cut into pieces. Markdown and emoji are
    left out; numbers, times, abbreviations, addresses and URLs are never split. With
    ``first_short`` the first clause ends as early as sounds natural.
    """
    splitter = Splitter(0 if first_short else len(_LIMITS) - 1)
    try:
        for piece in pieces:
            for character in piece:
                yield from splitter.feed(character)
        yield from splitter.finish()
    finally:
        # A generator of tokens must stop as soon as nobody listens any more.
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


SIGNS = " \t\n.,;:?!…。？！،؟।-–—"
"""What may stand after words, and not after the same words when more are heard."""


class Splitter:
    """Gathers characters into words and words into clauses, for whoever is handed a reply piece by piece."""

    def __init__(self, given: int = 0) -> None:
        self._given = given
        """Clauses given so far; selects the row of ``_LIMITS``."""
        self._word = ""
        self._clause: list[str] = []
        self._breaks = 1
        """Line breaks since the last word; the text begins like a line."""
        self._undecided = False
        """An abbreviation or a line ended: whether the clause did depends on the next letter."""

    def feed(self, character: str) -> Iterator[str]:
        """Take one character; yield the clause that it completes."""
        if character.isspace():
            yield from self._end_word()
            if character == "\n":
                self._breaks += 1
                if self._breaks == 2 or (self._clause and self._clause[-1][-1] in ".!?:;"):
                    yield from self._release()
                elif self._clause:
                    self._undecided = True  # a line of a list, or of a sentence that goes on in the next
            return
        if not self._word and self._undecided:
            self._undecided = False
            if not (character.islower() or character.isdigit()):
                yield from self._release()
        if not self._word and self._full() and self._parts_before(character, True):
            yield from self._release()  # no letter that follows can change it
        self._word += character
        comma = character == "," and len(self._word) > 1 and self._word[:-1].isalpha()
        if comma or character in _WIDE_SENTENCE or character in _WIDE_PAUSE:
            yield from self._end_word()
        elif len(self._word) >= _NO_WORD:
            yield from self._end_word()
            yield from self._release()

    def take(self, piece: str) -> Iterator[str]:
        """Take what came at once, before a pause; yield the clauses that it completes, for certain or likely."""
        for character in piece:
            yield from self.feed(character)
        yield from self.guess()

    def guess(self) -> Iterator[str]:
        """Yield the clause that is complete if the last word is: where the next token is long in coming.

        Taken for whole are a word that opens a phrase and one with the end of a sentence. In the rare case that it
        goes on all the same, the voice makes a pause within it.
        """
        word, stem = self._word, self._word[:-1].replace("'", "").lower()
        if len(self._clause) >= self._limits()[1] and word in _OPENS and self._parts_before(word, False):
            yield from self._release()
        elif word[-1:] in (".", "!", "?") and len(stem) > 1 and stem.isalpha():
            if stem not in _NEVER_END and stem not in _SELDOM_END:
                yield from self._end_word()

    def finish(self) -> Iterator[str]:
        """Yield what is left."""
        yield from self._end_word()
        yield from self._release()

    def _end_word(self) -> Iterator[str]:
        raw, self._word = self._word, ""
        if not raw:
            return
        line_start, self._breaks = self._breaks > 0, 0
        if line_start and _MARKER.match(raw):
            yield from self._release()
            if raw[0].isdigit():
                self._clause.append(raw[:-1] + ":")
            elif raw == "|" or set(raw) <= set("#>"):
                self._breaks = 1  # "> - item": what follows is still the start of a line
            return
        word = _unmarked(raw)
        if not word:
            return
        phrase = self._limits()[1]
        if len(self._clause) >= phrase and self._parts_before(word, self._full()):
            yield from self._release()
        self._clause.append(word)
        ending = word.rstrip("\"'”’)]»")[-1:]
        if ending in ".!?…" + _WIDE_SENTENCE and ending:
            yield from self._end_sentence(word)
        elif ending in ",;:" + _WIDE_PAUSE + "–—" and ending:
            yield from self._end_phrase(word)

    def _limits(self) -> tuple[int, int, int]:
        return _LIMITS[min(self._given, len(_LIMITS) - 1)]

    def _full(self) -> bool:
        """Whether the clause ends as soon as it may."""
        return len(self._clause) >= self._limits()[2]

    def _parts_before(self, word: str, hard: bool) -> bool:
        """Whether a voice may pause between the last word and ``word``."""
        last = self._clause[-1]
        if _bare(last) in _CLINGS or last[-1].isdigit():
            return False
        if _bare(word) in _OPENS:
            return True
        joined = last[:1].isupper() and word[:1].isupper()  # "New York"
        return hard and not joined and word[0].isalpha()

    def _end_sentence(self, word: str) -> Iterator[str]:
        stem = word.strip("\"'“”‘’()[]«»").lower()
        if stem.endswith(("...", "…")):
            self._undecided = True
            return
        if stem.endswith("."):
            stem = stem[:-1]
            if stem in _NEVER_END or (len(stem) == 1 and stem.isalpha() and stem != "i"):
                return
            if stem in _SELDOM_END or re.fullmatch(r"(\w\.)+\w", stem):
                self._undecided = True
                return
        yield from self._release()

    def _end_phrase(self, word: str) -> Iterator[str]:
        fewest = self._limits()[0]
        alone = self._given == 0 and len(self._clause) == 1 and _bare(word) in _ALONE
        if len(self._clause) >= fewest or alone:
            yield from self._release()

    def _release(self) -> Iterator[str]:
        text, self._clause = " ".join(self._clause), []
        self._undecided = False
        if any(character.isalnum() for character in text):
            self._given += 1
            yield text


def plain(text: str) -> str:
    """Return ``text`` without Markdown and emoji, on one line."""
    return " ".join(clauses([text], first_short=False))


def _bare(word: str) -> str:
    return word.strip(".,;:!?\"'“”‘’()[]").lower()


def _unmarked(word: str) -> str:
    """Return a word without Markdown, HTML tags and emoji; it may become empty."""
    word = re.sub(r"!?\[([^\]]*)\]\([^)\s]*\)", r"\1", word)  # [link](address)
    word = re.sub(r"\]\([^)\s]*\)", "", word)  # the end of a link of several words
    if "[" in word and "]" not in word:
        word = re.sub(r"!?\[", "", word, count=1)
    word = re.sub(r"</?[a-zA-Z][a-zA-Z0-9]*/?>", "", word)
    word = word.replace("`", "").replace("~~", "")
    if not re.fullmatch(r"\*|.*\d\*\d.*", word):  # 3*4 and 3 * 4 are products
        word = word.replace("*", "")
    word = re.sub(r"(?<!\w)_+|_+(?!\w)", "", word)
    word = word.strip("|")
    return "".join(character for character in word if not _is_emoji(character))


def _is_emoji(character: str) -> bool:
    if character in "\u200d\ufe0f\ufe0e\u20e3":  # joiners and selectors between the parts of an emoji
        return True
    if unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn"):
        return True
    return character not in "°©®™№℃℉" and (
        unicodedata.category(character) == "So" or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def speakable(text: str, language: str = "en") -> str:
    """Return ``text`` as a voice should say it.

    English: numbers, years, ordinals, ranges, fractions, money, units, times, dates, phone
    numbers, abbreviations, e-mail addresses and URLs become words; no digit is left. Other
    languages: numbers become words where ``num2words`` knows the language (ISO 639-1, a
    region such as ``de-AT`` may follow), and signs where :mod:`assistant.spoken_signs` does;
    all else is left to the voice.
    """
    text = plain(text)
    code = language.lower().partition("-")[0].partition("_")[0]
    if code == "en":
        from .spoken_english import spoken

        return spoken(text)
    from .spoken_signs import written_out

    return _numbers_in(written_out(text, code), language)


_NUMBER = re.compile(r"(?<![\w.,:/-])(-?)(\d{1,3}(?:[.\u00a0\u202f ]\d{3})+|\d{1,15})(?:,(\d{1,9}))?(?![\w:/]|[.,]\d)")


def _numbers_in(text: str, language: str) -> str:
    """Spell the numbers of a language that writes 1.234,5 (most do, apart from English)."""
    import num2words

    code = language.replace("-", "_")
    short = code.partition("_")[0].lower()
    known = num2words.CONVERTER_CLASSES
    code = code if code in known else short
    if code not in known:
        return text

    def spell(match: re.Match[str]) -> str:
        sign, whole, fraction = match[1], re.sub(r"\D", "", match[2]), match[3]
        try:
            return str(num2words.num2words(f"{sign}{whole}" + (f".{fraction}" if fraction else ""), lang=code))
        except (NotImplementedError, ValueError, OverflowError, TypeError, IndexError, KeyError):
            return match[0]  # the converter of this language has gaps; the voice reads digits in its own way

    return _NUMBER.sub(spell, text)
