"""Words of captions: the tokens that caption metrics count, and a vocabulary over them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PAD, START, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")

_CLITIC = re.compile(r"(?<=\w)(n't|'s|'re|'ve|'ll|'d|'m)\b")
_TOKEN = re.compile(r"n't|'(?:s|re|ve|ll|d|m)\b|[\w&#$%]+(?:[-./'][\w]+)*")

FUNCTION_WORDS = frozenset(
    "a an the is are was were be been being in on at of to and or with by from for as it its his her their he she they "
    "them him this that these those there some while who which into out up down over under through near behind front "
    "next off very has have having 's n't not what another other each one all no so where then than too himself".split()
)
"""Words that say nothing about what a picture shows."""


def tokenize(sentence: str) -> list[str]:
    """Return lower-case words without punctuation, nearly as the Penn Treebank tokenizer of pycocoevalcap leaves them.

    >>> tokenize("The man's dog doesn't see the T-shirt .")
    ['the', 'man', "'s", 'dog', 'does', "n't", 'see', 'the', 't-shirt']
    """
    return _TOKEN.findall(_CLITIC.sub(r" \1", sentence.lower()))


def spoken(words: Sequence[str]) -> str:
    """Return words as a sentence: clitics joined, first letter large, a full stop.

    >>> spoken(["a", "man", "'s", "dog"])
    "A man's dog."
    """
    text = re.sub(r" (n't|'\w+)\b", r"\1", " ".join(words))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


@dataclass(frozen=True)
class Vocabulary:
    """Words by number; the first four are :data:`SPECIAL`."""

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numbers", {word: number for number, word in enumerate(self.words)})

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], least: int) -> Vocabulary:
        """Return the words that occur at least ``least`` times, most frequent first."""
        counts = Counter(word for sentence in sentences for word in sentence)
        return cls((*SPECIAL, *(word for word, count in counts.most_common() if count >= least)))

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, words: Sequence[str]) -> list[int]:
        """Return the number of each word; unknown words get :data:`UNKNOWN`."""
        known: dict[str, int] = self._numbers  # type: ignore[attr-defined]
        return [known.get(word, UNKNOWN) for word in words]

    def text(self, numbers: Iterable[int]) -> list[str]:
        """Return the words of numbers."""
        return [self.words[number] for number in numbers]
