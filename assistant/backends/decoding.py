"""From logits to tokens and from tokens to text; the same for every language model."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TOP_K = 40
"""Most probable tokens that sampling chooses among."""


class Chooser:
    """Picks the next token: the best one at temperature 0, else by chance among the best."""

    def __init__(self, temperature: float, seed: int | None) -> None:
        self.temperature = temperature
        self._random = np.random.default_rng(seed)

    def choose(self, logits: NDArray[np.float32]) -> int:
        """Return a token id; ``logits`` is (vocabulary,), impossible tokens are minus infinity."""
        if self.temperature <= 0:
            return int(np.argmax(logits))
        most = min(TOP_K, len(logits))
        best = np.argpartition(logits, -most)[-most:]
        scaled = logits[best].astype(np.float64) / self.temperature
        weights = np.exp(scaled - scaled.max())
        return int(self._random.choice(best, p=weights / weights.sum()))


class TextStream:
    """Joins the bytes of tokens into text; keeps back half characters and what may become a stop string."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = tuple(stop for stop in stops if stop)
        self._kept = ""
        self.stopped = False
        """Whether a stop string came; what follows is not wanted."""

    def push(self, data: bytes, final: bool = False) -> str:
        """Return the text that is certain now."""
        self._kept += self._decoder.decode(data, final)
        found = [place for stop in self._stops if (place := self._kept.find(stop)) >= 0]
        if found:
            self.stopped = True
            text, self._kept = self._kept[: min(found)], ""
            return text
        hold = 0 if final else max((_overlap(self._kept, stop) for stop in self._stops), default=0)
        end = len(self._kept) - hold
        text, self._kept = self._kept[:end], self._kept[end:]
        return text


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of ``text`` that begins ``stop``."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
