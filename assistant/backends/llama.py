"""Quantised language models (GGUF) on llama.cpp, on the CPU and the GPU."""

from __future__ import annotations

import hashlib
import logging
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import Settings
from ..errors import Interrupted, ModelError
from ..interruption import Worker
from ..stages import SoftTokens, TokenIds
from ..store import Store
from ..types import Features
from .cached_session import CachedSession
from .chat_template import ChatTemplate
from .ledger import size
from .llama_grammar import LlamaGrammar
from .llama_library import Library, last_error, libraries
from .llama_prefix import PrefixFiles
from .llama_upstream import UpstreamLlama
from .llama_weights import EmbeddingTable

log = logging.getLogger(__name__)


@cache
def _computation() -> Worker:
    """Return the thread in which every model computes."""
    return Worker("llama")


class LlamaSession(CachedSession):
    """One GGUF model with one cache.

    ``brain.model`` is an id of the store or the path of a ``.gguf`` file. Raises
    :class:`ModelError` where it is missing, broken or needs more memory than there is.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        super().__init__(settings.brain.temperature)
        self._path = find_gguf(settings.brain.model, store)
        self.name = settings.brain.model
        self._threads = settings.brain.threads or os.cpu_count() or 1
        self.prefixes = PrefixFiles()
        problem: ModelError | None = None
        for library in libraries(settings.brain.gpu_layers != 0):
            try:
                return self._start(library, settings)
            except ModelError as error:  # another build may know this kind of model
                problem = error
        assert problem is not None
        if UpstreamLlama.installed():
            raise problem
        raise ModelError(f"{problem}, or let another build try it: {UpstreamLlama.remedy()}") from problem

    def _start(self, library: Library, settings: Settings) -> None:
        self._library, self._c, self.chunk = library, library.c, library.chunk
        ffi = library.ffi
        self._model = self._load(settings.brain.gpu_layers)
        try:
            self._vocabulary = self._c.llama_model_get_vocab(self._model)
            self._size = self._c.llama_vocab_n_tokens(self._vocabulary)
            self.dim = self._c.llama_model_n_embd(self._model)
            self._context = self._open(settings.brain.context)
        except BaseException:
            library.free_model(self._model)
            raise
        self.context = self._c.llama_n_ctx(self._context)
        self._abort = ffi.new("char[2]")
        library.heed(self._context, self._abort)
        self._positions, self._counts = ffi.new("llama_pos[]", self.chunk), ffi.new("int32_t[]", [1] * self.chunk)
        self._sequence = ffi.new("llama_seq_id[]", [0])
        self._sequences = ffi.new("llama_seq_id *[]", [self._sequence] * self.chunk)
        self._wanted = ffi.new("int8_t[]", self.chunk)
        self._table: EmbeddingTable | None = None
        self._pieces: dict[int, bytes] = {}
        self._template = ChatTemplate(
            self._text(self._c.llama_model_chat_template(self._model, ffi.NULL)),
            self._marker(self._c.llama_vocab_bos(self._vocabulary)),
            self._marker(self._c.llama_vocab_eos(self._vocabulary)),
        )

    def _load(self, gpu_layers: int) -> Any:
        model = self._library.load_model(self._path, gpu_layers)
        if model == self._library.ffi.NULL:
            raise ModelError(
                f"{self._path} does not load ({last_error() or 'no reason given'}); run: assistant models verify"
            )
        if self._c.llama_model_is_recurrent(model):
            self._library.free_model(model)
            raise ModelError(
                f"{self.name} keeps no cache that can be rolled back; choose a transformer for brain.model"
            )
        return model

    def _open(self, positions: int) -> Any:
        context = self._library.open(self._model, positions, self.chunk, self._threads)
        if context == self._library.ffi.NULL:
            raise ModelError(f"{self.name} does not start ({last_error()}); lower brain.context")
        return context

    @property
    def library(self) -> str:
        """The wheel that computes, and its version."""
        return f"{self._library.wheel} {self._library.version}"

    def set_threads(self, threads: int) -> None:
        """Compute with so many threads from the next token on: fewer while speech needs a core."""
        with self._lock:
            self._c.llama_set_n_threads(self._context, threads, threads)

    def cancel(self) -> None:
        """Stop the reading or generation that runs now, also in the middle of a chunk."""
        super().cancel()
        self._abort[0] = b"\x01"

    def tokenize(self, text: str, special: bool = True) -> TokenIds:
        """Return token ids; markers (``<|im_start|>``) are parsed as such where ``special``."""
        data = text.encode()
        most = len(data) + 2
        tokens = self._library.ffi.new("llama_token[]", most)
        count = self._library.tokenize(self._model, data, tokens, most, special)
        return list(tokens[0:count])

    def embed(self, tokens: TokenIds) -> Features:
        """Return the input embeddings of ``tokens``, (tokens, dim)."""
        if self._table is None:
            self._table = EmbeddingTable(self._library, self._path, self.dim, self._size)
        return self._table.rows(tokens)

    def template(self, messages: Any, tools: Any) -> str:
        """Render messages with the model's own chat template, ending where the reply begins."""
        return self._template.render(messages, tools)

    def prime(self, tokens: TokenIds) -> None:
        """Make the cache hold exactly a constant prompt; read from disk where it was read before."""
        with self._lock:
            if self._ledger.common([tokens]) == len(tokens):
                return self.truncate(len(tokens))
            key = self._prefix_key(tokens)
            state = self.prefixes.load(key)
            if state is not None:
                self.truncate(0)
                if self._library.restore(self._context, state):
                    self._changes += 1
                    self._ledger.extend(tokens, 0, len(tokens))
                    return None
                self._library.clear(self._context)
            self.sync([tokens])
            self.prefixes.save(key, self._library.state(self._context))

    def _prefix_key(self, tokens: TokenIds) -> str:
        """A state fits only the same library, layouts, file and tokens."""
        stat = self._path.stat()
        words = hashlib.sha256(np.array(tokens, np.int32).tobytes()).hexdigest()
        layout = f"{self.library} {dict(self._library.wishes)} {self.context}"
        return f"{layout} {self._path.resolve()} {stat.st_size} {stat.st_mtime_ns} {words}"

    def _read(self, piece: TokenIds | SoftTokens, heed: int | None = None) -> NDArray[np.float32] | None:
        if not self._cancelled.is_set():
            self._abort[0] = b"\0"
        count, ffi = size(piece), self._library.ffi
        for index in range(count):
            self._positions[index] = self.length + index
            self._wanted[index] = index in (heed, count - 1)
        # cffi leaves fields that a dict does not name undefined, so every one is named.
        batch = {
            "n_tokens": count,
            "token": ffi.NULL,
            "embd": ffi.NULL,
            "pos": self._positions,
            "n_seq_id": self._counts,
            "seq_id": self._sequences,
            "logits": self._wanted,
        }
        if isinstance(piece, SoftTokens):
            vectors = np.ascontiguousarray(piece.vectors, np.float32)
            batch["embd"] = ffi.from_buffer("float[]", vectors)
        else:
            batch["token"] = ffi.new("llama_token[]", piece)
        result = _computation().call(lambda: self._library.decode(self._context, batch))
        if result == 2:
            raise Interrupted("reading was cancelled")
        if result != 0:
            raise ModelError(f"{self.name} cannot read on (llama_decode gave {result}: {last_error()})")
        return None if heed is None else self._row_of(heed).copy()

    def _forget(self, length: int) -> None:
        if not self._library.forget(self._context, length):
            self._library.clear(self._context)
            self._ledger.truncate(0)
            raise ModelError(f"{self.name} cannot roll its cache back; choose another brain.model")

    def _logits(self) -> NDArray[np.float32]:
        return self._row_of(-1)

    def _row_of(self, index: int) -> NDArray[np.float32]:
        """Return the logits of a position of the last batch that were wanted; valid until the next one is read."""
        pointer = self._c.llama_get_logits_ith(self._context, index)
        return np.frombuffer(self._library.ffi.buffer(pointer, self._size * 4), np.float32)

    def _bytes(self, token: int) -> bytes:
        if token not in self._pieces:
            self._pieces[token] = self._piece(token, special=False)
        return self._pieces[token]

    def _piece(self, token: int, special: bool) -> bytes:
        buffer = self._library.ffi.new("char[]", 256)
        count = self._library.piece(self._model, token, buffer, 256, special)
        return bytes(self._library.ffi.buffer(buffer, max(count, 0)))

    def _ends(self, token: int) -> bool:
        return bool(self._c.llama_vocab_is_eog(self._vocabulary, token))

    def _grammar(self, grammar: str) -> LlamaGrammar:
        return LlamaGrammar(self._library, self._context, self._vocabulary, self._size, grammar)

    def _free(self) -> None:
        if self._table is not None:
            self._table.close()
        self._c.llama_free(self._context)
        self._library.free_model(self._model)

    def _marker(self, token: int) -> str:
        if token < 0:
            return ""
        return self._piece(token, special=True).decode("utf-8", "replace")

    def _text(self, pointer: Any) -> str:
        ffi = self._library.ffi
        return "" if pointer == ffi.NULL else ffi.string(pointer).decode("utf-8", "replace")


def find_gguf(model: str, store: Store) -> Path:
    """Return the GGUF file of a store id or path. Raises :class:`ModelError` where there is none."""
    path = Path(model).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError(
                f"there is no file {path}; give brain.model an id of `assistant models list` or a .gguf file"
            )
        return path
    found = sorted(store.require(model).glob("*.gguf"))
    if not found:
        raise ModelError(
            f"{model} holds no .gguf file; set brain.engine to transformers, or choose another brain.model"
        )
    return found[0]
