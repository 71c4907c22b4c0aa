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
from .cached_session import CHUNK, CachedSession
from .chat_template import ChatTemplate
from .ledger import size
from .llama_grammar import LlamaGrammar
from .llama_library import VERSION, ffi, flag_callback, last_error, load
from .llama_prefix import PrefixFiles
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
        self._library = load()
        self._path = find_gguf(settings.brain.model, store)
        self.name = settings.brain.model
        self._model = self._load(settings.brain.gpu_layers)
        try:
            self._vocabulary = self._library.llama_model_get_vocab(self._model)
            self._size = self._library.llama_vocab_n_tokens(self._vocabulary)
            self.dim = self._library.llama_model_n_embd(self._model)
            self._threads = settings.brain.threads or os.cpu_count() or 1
            self._context = self._open(settings.brain.context)
        except BaseException:
            self._library.llama_model_free(self._model)
            raise
        self.context = self._library.llama_n_ctx(self._context)
        self._memory = self._library.llama_get_memory(self._context)
        self._abort = ffi.new("char[2]")
        self._library.llama_set_abort_callback(self._context, flag_callback(), self._abort)
        self._positions, self._counts = ffi.new("llama_pos[]", CHUNK), ffi.new("int32_t[]", [1] * CHUNK)
        self._sequence = ffi.new("llama_seq_id[]", [0])
        self._sequences = ffi.new("llama_seq_id *[]", [self._sequence] * CHUNK)
        self._wanted = ffi.new("int8_t[]", CHUNK)
        self._table: EmbeddingTable | None = None
        self._template = ChatTemplate(
            self._text(self._library.llama_model_chat_template(self._model, ffi.NULL)),
            self._marker(self._library.llama_vocab_bos(self._vocabulary)),
            self._marker(self._library.llama_vocab_eos(self._vocabulary)),
        )
        self._pieces: dict[int, bytes] = {}
        self.prefixes = PrefixFiles()

    def _load(self, gpu_layers: int) -> Any:
        params = self._library.llama_model_default_params()
        params.n_gpu_layers = gpu_layers if self._library.llama_supports_gpu_offload() else 0
        model = self._library.llama_model_load_from_file(str(self._path).encode(), params)
        if model == ffi.NULL:
            raise ModelError(
                f"{self._path} does not load ({last_error() or 'no reason given'}); run: assistant models verify"
            )
        if self._library.llama_model_is_recurrent(model):
            self._library.llama_model_free(model)
            raise ModelError(
                f"{self.name} keeps no cache that can be rolled back; choose a transformer for brain.model"
            )
        return model

    def _open(self, positions: int) -> Any:
        params = self._library.llama_context_default_params()
        trained = self._library.llama_model_n_ctx_train(self._model)
        params.n_ctx = min(positions, trained) if trained > 0 else positions
        params.n_batch = params.n_ubatch = CHUNK
        params.n_threads = params.n_threads_batch = self._threads
        context = self._library.llama_init_from_model(self._model, params)
        if context == ffi.NULL:
            raise ModelError(f"{self.name} does not start ({last_error()}); lower brain.context")
        return context

    def set_threads(self, threads: int) -> None:
        """Compute with so many threads from the next token on: fewer while speech needs a core."""
        with self._lock:
            self._library.llama_set_n_threads(self._context, threads, threads)

    def cancel(self) -> None:
        """Stop the reading or generation that runs now, also in the middle of a chunk."""
        super().cancel()
        self._abort[0] = b"\x01"

    def tokenize(self, text: str, special: bool = True) -> TokenIds:
        """Return token ids; markers (``<|im_start|>``) are parsed as such where ``special``."""
        data = text.encode()
        most = len(data) + 2
        tokens = ffi.new("llama_token[]", most)
        count = self._library.llama_tokenize(self._vocabulary, data, len(data), tokens, most, False, special)
        return list(tokens[0:count])

    def embed(self, tokens: TokenIds) -> Features:
        """Return the input embeddings of ``tokens``, (tokens, dim)."""
        if self._table is None:
            self._table = EmbeddingTable(self._path, self.dim)
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
                if self._library.llama_state_seq_set_data(self._context, state, len(state), 0) == len(state):
                    self._changes += 1
                    self._ledger.extend(tokens, 0, len(tokens))
                    return None
                self._library.llama_memory_clear(self._memory, True)
            self.sync([tokens])
            size = self._library.llama_state_seq_get_size(self._context, 0)
            buffer = ffi.new("uint8_t[]", size)
            written = self._library.llama_state_seq_get_data(self._context, buffer, size, 0)
            self.prefixes.save(key, bytes(ffi.buffer(buffer, written)))

    def _prefix_key(self, tokens: TokenIds) -> str:
        """A state fits only the same file, library, cache layout and tokens."""
        stat = self._path.stat()
        words = hashlib.sha256(np.array(tokens, np.int32).tobytes()).hexdigest()
        return f"{VERSION} {self._path.resolve()} {stat.st_size} {stat.st_mtime_ns} {self.context} {words}"

    def _read(self, piece: TokenIds | SoftTokens, heed: int | None = None) -> NDArray[np.float32] | None:
        if not self._cancelled.is_set():
            self._abort[0] = b"\0"
        count = size(piece)
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
        result = _computation().call(lambda: self._library.llama_decode(self._context, batch))
        if result == 2:
            raise Interrupted("reading was cancelled")
        if result != 0:
            raise ModelError(f"{self.name} cannot read on (llama_decode gave {result}: {last_error()})")
        return None if heed is None else self._row_of(heed).copy()

    def _forget(self, length: int) -> None:
        if not self._library.llama_memory_seq_rm(self._memory, 0, length, -1):
            self._library.llama_memory_clear(self._memory, True)
            self._ledger.truncate(0)
            raise ModelError(f"{self.name} cannot roll its cache back; choose another brain.model")

    def _logits(self) -> NDArray[np.float32]:
        return self._row_of(-1)

    def _row_of(self, index: int) -> NDArray[np.float32]:
        """Return the logits of a position of the last batch that were wanted; valid until the next one is read."""
        pointer = self._library.llama_get_logits_ith(self._context, index)
        return np.frombuffer(ffi.buffer(pointer, self._size * 4), np.float32)

    def _bytes(self, token: int) -> bytes:
        if token not in self._pieces:
            buffer = ffi.new("char[]", 256)
            count = self._library.llama_token_to_piece(self._vocabulary, token, buffer, 256, 0, False)
            self._pieces[token] = bytes(ffi.buffer(buffer, max(count, 0)))
        return self._pieces[token]

    def _ends(self, token: int) -> bool:
        return bool(self._library.llama_vocab_is_eog(self._vocabulary, token))

    def _grammar(self, grammar: str) -> LlamaGrammar:
        return LlamaGrammar(self._vocabulary, self._size, grammar)

    def _free(self) -> None:
        if self._table is not None:
            self._table.close()
        self._library.llama_free(self._context)
        self._library.llama_model_free(self._model)

    def _marker(self, token: int) -> str:
        if token < 0:
            return ""
        buffer = ffi.new("char[]", 256)
        count = self._library.llama_token_to_piece(self._vocabulary, token, buffer, 256, 0, True)
        return bytes(ffi.buffer(buffer, max(count, 0))).decode("utf-8", "replace")

    def _text(self, pointer: Any) -> str:
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
