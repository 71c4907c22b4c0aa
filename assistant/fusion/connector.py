"""Soft tokens from what was seen: points in the language model's own embedding space.

Nothing of the language model is trained, so one connector serves every model: the vectors are made of that model's
own input embeddings of the words that were seen, and can always be said in words ("seen: dog 0.9, snow 0.7").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..stages import SoftTokens
from .sentences import tokenize

if TYPE_CHECKING:
    from ..stages import Session
    from ..types import Percept

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class EmbeddingConnector:
    """One soft token a word: those of the caption in their order, then visual words that it left out."""

    slots: int = 8
    """Most visual words."""
    least: float = 0.2
    """Visual words below this probability are left out."""
    caption: bool = True
    """Whether the caption's words come first."""

    def words(self, percept: Percept) -> list[str]:
        """Return the words that become soft tokens, in order."""
        said = tokenize(percept.caption) if self.caption else []
        seen = [word for word, chance in percept.words[: self.slots] if chance >= self.least]
        return [*said, *(word for word in seen if word not in said)]

    def soften(self, percept: Percept, session: Session) -> SoftTokens | None:
        """Return (words, dim) for the words that were seen, or ``None`` where nothing was."""
        words = self.words(percept)
        if not words:
            return None
        vectors = np.stack([embed(session, word) for word in words])
        key = hashlib.sha256(repr((session.name, words)).encode()).hexdigest()[:16]
        return SoftTokens(vectors.astype(np.float32), key)


def embed(session: Session, word: str) -> Floats:
    """Return a word's place in the embedding space, (dim,): the mean over its tokens, as inside a sentence."""
    vector: Floats = session.embed(session.tokenize(f" {word}")).mean(0)
    return vector
