"""GBNF grammars for transformers models, followed by the llguidance library."""

from __future__ import annotations

from typing import Any

import llguidance
import llguidance.gbnf_to_lark
import llguidance.hf
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


def guided_tokenizer(tokenizer: Any, size: int, stops: list[int]) -> Any:
    """Return what a grammar needs to know of a tokenizer; takes about a second, so keep it."""
    return llguidance.hf.from_tokenizer(tokenizer, n_vocab=size, eos_token=stops)


class GuidedGrammar:
    """One reply's way through a grammar."""

    def __init__(self, tokenizer: Any, size: int, grammar: str) -> None:
        self._size = size
        try:
            lark = llguidance.gbnf_to_lark.gbnf_to_lark(grammar)
        except Exception as error:  # the converter raises whatever its parser stumbles over
            raise InputError(f"the grammar is not valid GBNF: {error}") from error
        self._matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_lark(lark))
        if self._matcher.is_error():
            raise InputError(f"the grammar is not valid: {self._matcher.get_error().splitlines()[0]}")

    def allows(self, token: int) -> bool:
        """Tell whether this token may come next."""
        return bool(np.isfinite(self.mask(np.zeros(self._size, np.float32))[token]))

    def mask(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits with every token that may not come next at minus infinity."""
        bits = np.unpackbits(np.frombuffer(self._matcher.compute_bitmask(), np.uint8), bitorder="little")
        allowed = np.zeros(self._size, bool)
        allowed[: min(len(bits), self._size)] = bits[: self._size]
        return np.where(allowed, logits, -np.inf).astype(np.float32)

    def accept(self, token: int) -> None:
        """Move on by one token."""
        self._matcher.consume_token(token)

    def close(self) -> None:
        """Nothing is held outside Python."""
