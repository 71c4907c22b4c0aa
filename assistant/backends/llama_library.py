"""What every build of llama.cpp gives us through its C interface, by cffi in ABI mode.

Nothing checks layouts of structures at compile time, so each build (:mod:`.llama_ik`, :mod:`.llama_upstream`) has
those of one version of one wheel, compares the library's own default parameters with what that version is known to
give, and refuses any other.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import cffi

from ..errors import ModelError

log = logging.getLogger(__name__)

_TYPES = """
typedef int32_t llama_pos;
typedef int32_t llama_token;
typedef int32_t llama_seq_id;
typedef struct { llama_token id; float logit; float p; } llama_token_data;
typedef struct { llama_token_data *data; size_t size; int64_t selected; bool sorted; } llama_token_data_array;
struct gguf_init_params { bool no_alloc; void **context; };
"""

_FUNCTIONS = """
void llama_log_set(void (*callback)(int level, const char *text, void *data), void *data);
void llama_backend_init(void);
bool llama_supports_gpu_offload(void);
struct llama_model_params llama_model_default_params(void);
struct llama_context_params llama_context_default_params(void);

void *llama_model_load_from_file(const char *path, struct llama_model_params params);
void *llama_init_from_model(void *model, struct llama_context_params params);
void llama_free(void *context);
void llama_set_n_threads(void *context, int32_t n_threads, int32_t n_threads_batch);
void llama_set_abort_callback(void *context, void *callback, void *data);

uint32_t llama_n_ctx(void *context);
int32_t llama_model_n_embd(void *model);
const char *llama_model_chat_template(void *model, const char *name);
bool llama_model_is_recurrent(void *model);

void *llama_model_get_vocab(void *model);
int32_t llama_vocab_n_tokens(void *vocab);
llama_token llama_vocab_bos(void *vocab);
llama_token llama_vocab_eos(void *vocab);
bool llama_vocab_is_eog(void *vocab, llama_token token);

int32_t llama_tokenize(void *speller, const char *text, int32_t length, llama_token *tokens, int32_t most,
                       bool add_special, bool parse_special);
int32_t llama_token_to_piece(void *speller, llama_token token, char *buffer, int32_t length, int32_t lstrip,
                             bool special);
int32_t llama_decode(void *context, llama_batch batch);
float *llama_get_logits_ith(void *context, int32_t i);
void *llama_sampler_init_grammar(void *vocab, const char *grammar, const char *root);

void *gguf_init_from_file(const char *path, struct gguf_init_params params);
void gguf_free(void *gguf);
size_t gguf_get_data_offset(void *gguf);
"""


class Library(ABC):
    """One build of llama.cpp. Raises :class:`ModelError` where its wheel is missing or of another version."""

    wheel: ClassVar[str]
    module: ClassVar[str]
    """The name under which the wheel is imported."""
    objects: ClassVar[tuple[str, ...]]
    """Patterns of the shared object's name in the module's folder, best first."""
    version: ClassVar[str]
    """The only version of the wheel whose layouts these are."""
    chunk: ClassVar[int]
    """Positions that are read at once."""
    structures: ClassVar[str]
    """C declarations of the parameters and the batch, which differ between builds."""
    functions: ClassVar[str]
    """C declarations of functions that other builds lack, or call by another name."""
    model_defaults: ClassVar[Mapping[str, Any]]
    context_defaults: ClassVar[Mapping[str, Any]]
    """What the library's own default parameters are known to be."""
    wishes: ClassVar[Mapping[str, Any]] = {}
    """Parameters that a model is loaded with, where they are not the default."""
    batch: ClassVar[Mapping[str, int]] = {}
    """Fields of a batch that other builds lack."""
    flags: ClassVar[tuple[int, ...]] = ()
    """What functions about the cache's state take as last argument, where they take one more."""

    def __init__(self) -> None:
        self.ffi = cffi.FFI()
        self.ffi.cdef(_TYPES + self.structures + _FUNCTIONS + self.functions)
        # How often OpenMP's threads look before they sleep. By default they spin so long that decoding beside any
        # other busy process falls to a third; sleeping at once would cost half the speed on an idle machine.
        os.environ.setdefault("GOMP_SPINCOUNT", "20000")
        try:
            self.c: Any = self.ffi.dlopen(str(self.find()))
        except OSError as error:
            mend = "; run: sudo apt install libgomp1" if "libgomp" in str(error) else ""
            raise ModelError(f"llama.cpp does not load on this machine: {error}{mend}") from error
        self.check()
        self._flag = self.ffi.cast("void *", _flag_callback())
        self._log = self.ffi.callback("void(int, const char *, void *)", self._write_log)
        self.c.llama_log_set(self._log, self.ffi.NULL)
        self.c.llama_backend_init()

    @classmethod
    def installed(cls) -> bool:
        """Return whether the wheel is there."""
        return cls._folder() is not None

    @classmethod
    def find(cls) -> Path:
        """Return the shared object."""
        folder = cls._folder()
        found = [file for pattern in cls.objects for file in sorted(folder.glob(pattern))] if folder else []
        if not found:
            raise ModelError(f"llama.cpp is not installed; run: {cls.remedy()}")
        return found[0]

    @classmethod
    def remedy(cls) -> str:
        """Return the command that installs it."""
        return f'pip install "{cls.wheel}=={cls.version}"'

    @classmethod
    def _folder(cls) -> Path | None:
        spec = importlib.util.find_spec(cls.module)
        return Path(spec.origin).parent if spec and spec.origin else None

    def check(self) -> None:
        """Raise :class:`ModelError` where the layouts are not those of this wheel's library."""
        found = importlib.metadata.version(self.wheel)
        wrong = ModelError(f"{self.wheel} {found} does not fit; run: {self.remedy()}")
        try:
            model, context = self.c.llama_model_default_params(), self.c.llama_context_default_params()
            traits = self.traits(1)
        except AttributeError as error:
            raise wrong from error
        for params, known in ((model, self.model_defaults), (context, self.context_defaults)):
            if any(getattr(params, name) != value for name, value in known.items()):
                raise wrong
        if (self.ffi.string(traits.type_name), traits.blck_size, traits.type_size) != (b"f16", 1, 2):
            raise wrong

    def load_model(self, path: Path, gpu_layers: int) -> Any:
        """Return a model, or ``NULL`` where the file is none."""
        params = self.c.llama_model_default_params()
        params.n_gpu_layers = gpu_layers if self.c.llama_supports_gpu_offload() else 0
        for name, value in self.wishes.items():
            setattr(params, name, value)
        return self.c.llama_model_load_from_file(str(path).encode(), params)

    def open(self, model: Any, positions: int, chunk: int, threads: int) -> Any:
        """Return a context of at most ``positions``, read ``chunk`` at once, or ``NULL`` where memory lacks."""
        params = self.c.llama_context_default_params()
        trained = self.trained(model)
        params.n_ctx = min(positions, trained) if trained > 0 else positions
        params.n_batch = params.n_ubatch = chunk
        params.n_threads = params.n_threads_batch = threads
        return self.c.llama_init_from_model(model, params)

    def heed(self, context: Any, flag: Any) -> None:
        """Abort what a context computes as soon as the byte ``flag`` is not zero, where a build can do that."""
        self.c.llama_set_abort_callback(context, self._flag, flag)

    @abstractmethod
    def trained(self, model: Any) -> int:
        """Return the positions that a model was trained for."""

    @abstractmethod
    def free_model(self, model: Any) -> None:
        """Free a model whose contexts are freed."""

    @abstractmethod
    def speller(self, model: Any) -> Any:
        """Return what knows a model's tokens: its vocabulary, or itself."""

    def tokenize(self, model: Any, text: bytes, tokens: Any, most: int, special: bool) -> int:
        """Write token ids into ``tokens``; return their number."""
        return int(self.c.llama_tokenize(self.speller(model), text, len(text), tokens, most, False, special))

    def piece(self, model: Any, token: int, buffer: Any, size: int, special: bool) -> int:
        """Write the text of a token into ``buffer``; return its length."""
        return int(self.c.llama_token_to_piece(self.speller(model), token, buffer, size, 0, special))

    def decode(self, context: Any, batch: dict[str, Any]) -> int:
        """Read a batch: 0 where all was well, 2 where it was aborted."""
        return int(self.c.llama_decode(context, {**batch, **self.batch}))

    @abstractmethod
    def forget(self, context: Any, length: int) -> bool:
        """Drop the cache from a position on; return whether that can be done."""

    @abstractmethod
    def clear(self, context: Any) -> None:
        """Drop the whole cache."""

    def state(self, context: Any) -> bytes:
        """Return the cache as bytes."""
        size = self.c.llama_state_seq_get_size(context, 0, *self.flags)
        buffer = self.ffi.new("uint8_t[]", size)
        written = self.c.llama_state_seq_get_data(context, buffer, size, 0, *self.flags)
        return bytes(self.ffi.buffer(buffer, written))

    def restore(self, context: Any, state: bytes) -> bool:
        """Fill an empty cache; return whether the bytes fitted."""
        return bool(self.c.llama_state_seq_set_data(context, state, len(state), 0, *self.flags) == len(state))

    @abstractmethod
    def apply_grammar(self, grammar: Any, context: Any, candidates: Any) -> None:
        """Set the logits of tokens that may not come next to minus infinity."""

    @abstractmethod
    def accept(self, grammar: Any, context: Any, token: int) -> None:
        """Move a grammar on by one token."""

    @abstractmethod
    def free_grammar(self, grammar: Any) -> None:
        """Free a grammar."""

    @abstractmethod
    def traits(self, kind: int) -> Any:
        """Return ``type_name``, ``blck_size``, ``type_size`` and ``to_float`` of a type of tensor."""

    def tensor(self, gguf: Any, name: bytes) -> tuple[int, int] | None:
        """Return where a tensor begins behind the start of the data, and its type; ``None`` where there is none."""
        number = self.c.gguf_find_tensor(gguf, name)
        if number < 0:
            return None
        return int(self.c.gguf_get_tensor_offset(gguf, number)), int(self.c.gguf_get_tensor_type(gguf, number))

    def _write_log(self, level: int, text: Any, _data: Any) -> None:
        if level < 2:  # every node of every graph
            return
        line = self.ffi.string(text).decode("utf-8", "replace").rstrip()
        if level == 4:
            _last_error.text = line
        if line:
            log.log(_LEVELS.get(level, logging.DEBUG), "%s", line)


_LEVELS = {2: logging.DEBUG, 3: logging.INFO, 4: logging.INFO}  # info, warning, error: callers raise what matters
_last_error = threading.local()


def last_error() -> str:
    """Return the newest error that llama.cpp logged in this thread, or an empty text."""
    return str(getattr(_last_error, "text", ""))


@cache
def loaded(kind: type[Library]) -> Library:
    """Return the one instance of a build: what it logs to must live as long as the process."""
    return kind()


def libraries(gpu: bool) -> Iterator[Library]:
    """Yield the builds that are installed, best first; one that has a GPU comes first where one is wanted.

    Raises :class:`ModelError` where none is installed, or one of a version that is not known.
    """
    from .llama_ik import IkLlama
    from .llama_upstream import UpstreamLlama

    kinds: list[type[Library]] = [kind for kind in (IkLlama, UpstreamLlama) if kind.installed()]
    if not kinds:
        raise ModelError(f"llama.cpp is not installed; run: {UpstreamLlama.remedy()}")
    if gpu and kinds[-1] is UpstreamLlama and loaded(UpstreamLlama).c.llama_supports_gpu_offload():
        kinds.reverse()
    for kind in kinds:
        yield loaded(kind)


@cache
def _flag_callback() -> int:
    """Return the address of a C function that tells whether the byte it is given is set, without any Python.

    llama.cpp asks its abort callback at every node of the graph, from a thread that must
    not wait for the interpreter. ``strlen`` of a text of no or one character is that function.
    """
    import sys

    libc = cffi.FFI()
    libc.cdef("size_t strlen(const char *text);")
    library = libc.dlopen("ucrtbase" if sys.platform == "win32" else None)
    return int(libc.cast("uintptr_t", libc.addressof(library, "strlen")))
