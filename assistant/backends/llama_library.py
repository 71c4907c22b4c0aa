"""The C interface of llama.cpp inside the ``xllamacpp`` wheel, through cffi in ABI mode.

The layouts below are those of ``llama.h`` at build b11549. Nothing checks them at
compile time, so :func:`load` compares the library's own default parameters with what
this build is known to give, and refuses any other.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

import cffi

from ..errors import ModelError

log = logging.getLogger(__name__)

VERSION = "2026.10.11549"
"""The only version of xllamacpp whose layouts these are."""

_DECLARATIONS = """
typedef int32_t llama_pos;
typedef int32_t llama_token;
typedef int32_t llama_seq_id;

struct llama_model_params {
    void *devices;
    void *tensor_buft_overrides;
    int32_t n_gpu_layers;
    int32_t split_mode;
    int32_t load_mode;
    int32_t lazy_mode;
    int32_t main_gpu;
    float *tensor_split;
    void *progress_callback;
    void *progress_callback_user_data;
    void *kv_overrides;
    bool vocab_only;
    bool check_tensors;
    bool use_extra_bufts;
    bool no_host;
    bool no_alloc;
    bool load_mtp;
    char room[64];
};

struct llama_context_params {
    uint32_t n_ctx;
    uint32_t n_batch;
    uint32_t n_ubatch;
    uint32_t n_seq_max;
    uint32_t n_rs_seq;
    uint32_t n_outputs_max;
    uint32_t n_outputs_max_per_seq;
    int32_t n_threads;
    int32_t n_threads_batch;
    int32_t ctx_type;
    int32_t rope_scaling_type;
    int32_t pooling_type;
    int32_t attention_type;
    int32_t flash_attn_type;
    float rope_freq_base;
    float rope_freq_scale;
    float yarn_ext_factor;
    float yarn_attn_factor;
    float yarn_beta_fast;
    float yarn_beta_slow;
    uint32_t yarn_orig_ctx;
    float defrag_thold;
    void *cb_eval;
    void *cb_eval_user_data;
    int32_t type_k;
    int32_t type_v;
    char rest[192];
};

typedef struct {
    int32_t n_tokens;
    llama_token *token;
    float *embd;
    llama_pos *pos;
    int32_t *n_seq_id;
    llama_seq_id **seq_id;
    int8_t *logits;
} llama_batch;

typedef struct { llama_token id; float logit; float p; } llama_token_data;
typedef struct { llama_token_data *data; size_t size; int64_t selected; bool sorted; } llama_token_data_array;

void llama_log_set(void (*callback)(int level, const char *text, void *data), void *data);
void llama_backend_init(void);
bool llama_supports_gpu_offload(void);
struct llama_model_params llama_model_default_params(void);
struct llama_context_params llama_context_default_params(void);

void *llama_model_load_from_file(const char *path, struct llama_model_params params);
void llama_model_free(void *model);
void *llama_init_from_model(void *model, struct llama_context_params params);
void llama_free(void *context);
void llama_set_n_threads(void *context, int32_t n_threads, int32_t n_threads_batch);
void llama_set_abort_callback(void *context, void *callback, void *data);

uint32_t llama_n_ctx(void *context);
int32_t llama_model_n_embd(void *model);
int32_t llama_model_n_ctx_train(void *model);
int32_t llama_model_meta_val_str(void *model, const char *key, char *buffer, size_t size);
const char *llama_model_chat_template(void *model, const char *name);
bool llama_model_is_recurrent(void *model);

void *llama_model_get_vocab(void *model);
int32_t llama_vocab_n_tokens(void *vocab);
llama_token llama_vocab_bos(void *vocab);
llama_token llama_vocab_eos(void *vocab);
bool llama_vocab_get_add_bos(void *vocab);
bool llama_vocab_is_eog(void *vocab, llama_token token);
int32_t llama_tokenize(void *vocab, const char *text, int32_t length, llama_token *tokens, int32_t most,
                       bool add_special, bool parse_special);
int32_t llama_token_to_piece(void *vocab, llama_token token, char *buffer, int32_t length, int32_t lstrip,
                             bool special);

int32_t llama_decode(void *context, llama_batch batch);
float *llama_get_logits_ith(void *context, int32_t i);

void *llama_get_memory(void *context);
void llama_memory_clear(void *memory, bool data);
bool llama_memory_seq_rm(void *memory, llama_seq_id sequence, llama_pos from, llama_pos to);
size_t llama_state_seq_get_size(void *context, llama_seq_id sequence);
size_t llama_state_seq_get_data(void *context, uint8_t *target, size_t size, llama_seq_id sequence);
size_t llama_state_seq_set_data(void *context, const uint8_t *source, size_t size, llama_seq_id sequence);

void *llama_sampler_init_grammar(void *vocab, const char *grammar, const char *root);
void llama_sampler_apply(void *sampler, llama_token_data_array *candidates);
void llama_sampler_accept(void *sampler, llama_token token);
void llama_sampler_free(void *sampler);

struct gguf_init_params { bool no_alloc; void **context; };
void *gguf_init_from_file(const char *path, struct gguf_init_params params);
void gguf_free(void *gguf);
int64_t gguf_find_tensor(void *gguf, const char *name);
size_t gguf_get_data_offset(void *gguf);
size_t gguf_get_tensor_offset(void *gguf, int64_t tensor);
size_t gguf_get_tensor_size(void *gguf, int64_t tensor);
int gguf_get_tensor_type(void *gguf, int64_t tensor);

struct ggml_type_traits {
    const char *type_name;
    int64_t blck_size;
    int64_t blck_size_interleave;
    size_t type_size;
    bool is_quantized;
    void (*to_float)(const void *source, float *target, int64_t count);
};
const struct ggml_type_traits *ggml_get_type_traits(int type);
"""

_KNOWN_MODEL_DEFAULTS = {"n_gpu_layers": -1, "split_mode": 1, "load_mode": -1, "lazy_mode": 1, "use_extra_bufts": True}
_KNOWN_CONTEXT_DEFAULTS = {
    "n_ctx": 512,
    "n_batch": 2048,
    "n_ubatch": 512,
    "n_seq_max": 1,
    "n_threads": 4,
    "n_threads_batch": 4,
    "rope_scaling_type": -1,
    "pooling_type": -1,
    "flash_attn_type": -1,
    "yarn_ext_factor": -1.0,
    "yarn_orig_ctx": 0,
    "type_k": 1,
    "type_v": 1,
}

ffi = cffi.FFI()
ffi.cdef(_DECLARATIONS)


@cache
def load() -> Any:
    """Return the library, its log silenced into :mod:`logging`.

    Raises :class:`ModelError` where the wheel is missing, or its layouts are not the ones above.
    """
    spec = importlib.util.find_spec("xllamacpp")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    files = sorted(folder.glob("xllamacpp*.so")) + sorted(folder.glob("xllamacpp*.pyd")) if folder else []
    if not files:
        raise ModelError(f'llama.cpp is not installed; run: pip install "xllamacpp=={VERSION}"')
    # How often OpenMP's threads look before they sleep. By default they spin so long that decoding beside any other
    # busy process falls to a third; sleeping at once would cost half the speed on an idle machine.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    try:
        library = ffi.dlopen(str(files[0]))
    except OSError as error:
        mend = "; run: sudo apt install libgomp1" if "libgomp" in str(error) else ""
        raise ModelError(f"llama.cpp does not load on this machine: {error}{mend}") from error
    _check(library)
    library.llama_log_set(_write_log, ffi.NULL)
    library.llama_backend_init()
    return library


def _check(library: Any) -> None:
    found = importlib.metadata.version("xllamacpp")
    wrong = ModelError(f'xllamacpp {found} does not fit; run: pip install "xllamacpp=={VERSION}"')
    try:
        model, context = library.llama_model_default_params(), library.llama_context_default_params()
        traits = library.ggml_get_type_traits(1)
    except AttributeError as error:
        raise wrong from error
    for params, known in ((model, _KNOWN_MODEL_DEFAULTS), (context, _KNOWN_CONTEXT_DEFAULTS)):
        if any(getattr(params, name) != value for name, value in known.items()):
            raise wrong
    if (ffi.string(traits.type_name), traits.blck_size, traits.type_size) != (b"f16", 1, 2):
        raise wrong


_LEVELS = {2: logging.DEBUG, 3: logging.INFO, 4: logging.INFO}  # info, warning, error: callers raise what matters
_last_error = threading.local()


@ffi.callback("void(int, const char *, void *)")  # type: ignore[untyped-decorator]
def _write_log(level: int, text: Any, _data: Any) -> None:
    if level < 2:  # every node of every graph
        return
    line = ffi.string(text).decode("utf-8", "replace").rstrip()
    if level == 4:
        _last_error.text = line
    if line:
        log.log(_LEVELS.get(level, logging.DEBUG), "%s", line)


def last_error() -> str:
    """Return the newest error that llama.cpp logged in this thread, or an empty text."""
    return str(getattr(_last_error, "text", ""))


@cache
def flag_callback() -> Any:
    """Return a C function that tells whether the byte it is given is set, without any Python.

    llama.cpp asks its abort callback at every node of the graph, from a thread that must
    not wait for the interpreter. ``strlen`` of a text of no or one character is that function.
    """
    import sys

    libc = cffi.FFI()
    libc.cdef("size_t strlen(const char *text);")
    library = libc.dlopen("ucrtbase" if sys.platform == "win32" else None)
    return ffi.cast("void *", int(libc.cast("uintptr_t", libc.addressof(library, "strlen"))))
