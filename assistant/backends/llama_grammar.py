"""GBNF grammars, followed by llama.cpp's own grammar sampler."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .llama_library import Library

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class LlamaGrammar:
    """One reply's way through a grammar."""

    def __init__(self, library: Library, context: Any, vocabulary: Any, size: int, grammar: str) -> None:
        self._library, self._context, self._size = library, context, size
        self._grammar = library.c.llama_sampler_init_grammar(vocabulary, grammar.encode(), b"root")
        if self._grammar == library.ffi.NULL:
            raise InputError("the grammar is not valid GBNF, or has no rule named root")

    def allows(self, token: int) -> bool:
        """Tell whether this token may come next."""
        return bool(np.isfinite(self._apply(np.array([token], np.int32), np.zeros(1, np.float32))[0]))

    def mask(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits with every token that may not come next at minus infinity."""
        return self._apply(np.arange(self._size, dtype=np.int32), logits)

    def accept(self, token: int) -> None:
        """Move on by one token."""
        self._library.accept(self._grammar, self._context, token)

    def close(self) -> None:
        """Free the grammar."""
        self._library.free_grammar(self._grammar)

    def _apply(self, tokens: NDArray[np.int32], logits: NDArray[np.float32]) -> NDArray[np.float32]:
        candidates = np.zeros(len(tokens), _CANDIDATE)
        candidates["id"], candidates["logit"] = tokens, logits
        ffi = self._library.ffi
        data = ffi.from_buffer("llama_token_data[]", candidates)
        array = ffi.new("llama_token_data_array *", {"data": data, "size": len(tokens), "selected": -1})
        self._library.apply_grammar(self._grammar, self._context, array)
        return np.ascontiguousarray(candidates["logit"])
