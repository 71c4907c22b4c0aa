"""llama.cpp as its authors publish it, inside the ``xllamacpp`` wheel, on the CPU and the GPU.

The layouts are those of ``llama.h`` at build b11549.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .llama_library import Library


class UpstreamLlama(Library):
    """The library of ggml-org."""

    wheel = "xllamacpp"
    module = "xllamacpp"
    objects = ("xllamacpp*.so", "xllamacpp*.pyd")
    version = "2026.10.11549"
    chunk = 64
    structures = """
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

struct ggml_type_traits {
    const char *type_name;
    int64_t blck_size;
    int64_t blck_size_interleave;
    size_t type_size;
    bool is_quantized;
    void (*to_float)(const void *source, float *target, int64_t count);
};
"""
    functions = """
int32_t llama_model_n_ctx_train(void *model);
void llama_model_free(void *model);
void *llama_get_memory(void *context);
void llama_memory_clear(void *memory, bool data);
bool llama_memory_seq_rm(void *memory, llama_seq_id sequence, llama_pos from, llama_pos to);
size_t llama_state_seq_get_size(void *context, llama_seq_id sequence);
size_t llama_state_seq_get_data(void *context, uint8_t *target, size_t size, llama_seq_id sequence);
size_t llama_state_seq_set_data(void *context, const uint8_t *source, size_t size, llama_seq_id sequence);
void llama_sampler_apply(void *sampler, llama_token_data_array *candidates);
void llama_sampler_accept(void *sampler, llama_token token);
void llama_sampler_free(void *sampler);
int64_t gguf_find_tensor(void *gguf, const char *name);
size_t gguf_get_tensor_offset(void *gguf, int64_t tensor);
int gguf_get_tensor_type(void *gguf, int64_t tensor);
const struct ggml_type_traits *ggml_get_type_traits(int type);
"""
    model_defaults: ClassVar[Mapping[str, Any]] = {
        "n_gpu_layers": -1,
        "split_mode": 1,
        "load_mode": -1,
        "lazy_mode": 1,
        "use_extra_bufts": True,
    }
    context_defaults: ClassVar[Mapping[str, Any]] = {
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

    def trained(self, model: Any) -> int:
        """Return the positions that a model was trained for."""
        return int(self.c.llama_model_n_ctx_train(model))

    def free_model(self, model: Any) -> None:
        """Free a model whose contexts are freed."""
        self.c.llama_model_free(model)

    def speller(self, model: Any) -> Any:
        """Return what knows a model's tokens: its vocabulary."""
        return self.c.llama_model_get_vocab(model)

    def forget(self, context: Any, length: int) -> bool:
        """Drop the cache from a position on; return whether that can be done."""
        return bool(self.c.llama_memory_seq_rm(self.c.llama_get_memory(context), 0, length, -1))

    def clear(self, context: Any) -> None:
        """Drop the whole cache."""
        self.c.llama_memory_clear(self.c.llama_get_memory(context), True)

    def apply_grammar(self, grammar: Any, context: Any, candidates: Any) -> None:
        """Set the logits of tokens that may not come next to minus infinity."""
        self.c.llama_sampler_apply(grammar, candidates)

    def accept(self, grammar: Any, context: Any, token: int) -> None:
        """Move a grammar on by one token."""
        self.c.llama_sampler_accept(grammar, token)

    def free_grammar(self, grammar: Any) -> None:
        """Free a grammar."""
        self.c.llama_sampler_free(grammar)

    def traits(self, kind: int) -> Any:
        """Return ``type_name``, ``blck_size``, ``type_size`` and ``to_float`` of a type of tensor."""
        return self.c.ggml_get_type_traits(kind)
