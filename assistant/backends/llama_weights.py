"""Input embeddings of a GGUF model, de-quantised row by row from the mapped file."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np

from ..errors import InputError, ModelError
from ..stages import TokenIds
from ..types import Features
from .llama_library import Library


class EmbeddingTable:
    """The matrix ``token_embd.weight``, (vocabulary, dim), read where it lies."""

    def __init__(self, library: Library, path: Path, dim: int, rows: int) -> None:
        self._ffi, self._dim, self._rows = library.ffi, dim, rows
        gguf = library.c.gguf_init_from_file(str(path).encode(), {"no_alloc": True, "context": self._ffi.NULL})
        if gguf == self._ffi.NULL:
            raise ModelError(f"{path} is not a GGUF file; run: assistant models verify")
        try:
            tensor = library.tensor(gguf, b"token_embd.weight")
            if tensor is None:
                raise ModelError(f"{path} holds no token embeddings")
            offset, kind = tensor
            self._traits = library.traits(kind)
            self._start = library.c.gguf_get_data_offset(gguf) + offset
        finally:
            library.c.gguf_free(gguf)
        self._row = dim // self._traits.blck_size * self._traits.type_size  # bytes
        if self._start + rows * self._row > path.stat().st_size:
            raise ModelError(f"{path} is truncated; run: assistant models verify")
        with path.open("rb") as file:
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._bytes = self._ffi.from_buffer(self._file)

    def rows(self, tokens: TokenIds) -> Features:
        """Return the embeddings of ``tokens``, (tokens, dim)."""
        ffi, table = self._ffi, np.empty((len(tokens), self._dim), np.float32)
        for index, token in enumerate(tokens):
            if not 0 <= token < self._rows:
                raise InputError(f"there is no token {token}; the vocabulary has {self._rows}")
            source, target = self._bytes + self._start + token * self._row, ffi.from_buffer("float[]", table[index])
            if self._traits.to_float == ffi.NULL:  # float32 needs no conversion
                ffi.memmove(target, source, self._row)
            else:
                self._traits.to_float(source, target, self._dim)
        return table

    def close(self) -> None:
        """Unmap the file."""
        self._ffi.release(self._bytes)
        self._file.close()
