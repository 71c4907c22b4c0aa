"""ik_llama.cpp: llama.cpp with quicker matrix products on the CPU, inside the ``ik-llama-cpp-python`` wheel.

On two cores with AVX2 it reads eight positions in a third of the time: it interleaves rows of the weights as it loads
them (two seconds), for which they have to be in memory of their own and not in the file's. They take their place once
and not one and a half times. The layouts are those of the ``llama.h`` and the ``ggml.h`` that the wheel carries. It has
no GPU in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .llama_library import Library


class IkLlama(Library):
    """The library of ikawrakow."""

    wheel = "ik-llama-cpp-python"
    module = "ik_llama_cpp"
    objects = ("lib/libllama.so",)
    version = "0.1.5"
    chunk = 16
    """From 32 on it computes another way, a fifth quicker, but wrong for weights in Q4_1 and layers 576 wide. Below,
    positions read at once give to the bit what they give one by one, where no rows are interleaved (as in Q4_1); where
    they are, one position alone is rounded otherwise. So few, because what is begun is finished."""
    wishes: ClassVar[Mapping[str, Any]] = {"repack_tensors": True, "use_mmap": False}
    structures = """
struct llama_model_params {
    const char *devices;
    int32_t n_gpu_layers;
    int32_t mla;
    int32_t split_mode;
    int32_t main_gpu;
    int32_t max_gpu;
    int32_t ncmoe;
    int32_t type_k;
    int32_t type_v;
    uint32_t max_ctx_size;
    int32_t n_seq_max;
    int32_t n_ubatch;
    int32_t amb;
    int32_t fit_margin;
    bool fit;
    int32_t worst_graph_tokens;
    int32_t cache_types[4];
    int32_t cache_counts[4];
    const float *tensor_split;
    const char *rpc_servers;
    void *progress_callback;
    void *progress_callback_user_data;
    const void *kv_overrides;
    const void *tensor_buft_overrides;
    bool vocab_only;
    bool use_mmap;
    bool use_mlock;
    bool check_tensors;
    bool repack_tensors;
    bool use_thp;
    bool validate_quants;
    bool merge_qkv;
    bool merge_up_gate_exps;
    bool mtp;
    bool dry_run;
    bool flash_attn;
};

struct llama_context_params {
    uint32_t seed;
    uint32_t n_ctx;
    uint32_t n_batch;
    uint32_t n_ubatch;
    uint32_t n_seq_max;
    uint32_t n_threads;
    uint32_t n_threads_batch;
    int32_t max_extra_alloc;
    int32_t worst_case_tokens;
    int32_t rope_scaling_type;
    int32_t pooling_type;
    int32_t attention_type;
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
    int32_t type_reduce;
    int32_t cache_types[4];
    int32_t cache_counts[4];
    bool logits_all;
    bool embeddings;
    bool offload_kqv;
    bool flash_attn;
    int32_t mla_attn;
    int32_t attn_max_batch;
    bool fused_moe_up_gate;
    bool grouped_expert_routing;
    bool fused_up_gate;
    bool fused_mmad;
    bool rope_cache;
    bool graph_reuse;
    int32_t min_experts;
    float thresh_experts;
    bool only_active_experts;
    bool k_cache_hadamard;
    bool v_cache_hadamard;
    bool split_mode_graph_scheduling;
    bool scheduler_async;
    bool mtp;
    int32_t mtp_op_type;
    void *abort_callback;
    void *abort_callback_data;
    void *offload_policy;
    void *cuda_params;
};

typedef struct {
    int32_t n_tokens;
    llama_token *token;
    float *embd;
    llama_pos *pos;
    int32_t *n_seq_id;
    llama_seq_id **seq_id;
    int8_t *logits;
    llama_pos all_pos_0;
    llama_pos all_pos_1;
    llama_seq_id all_seq_id;
} llama_batch;

typedef struct {
    const char *type_name;
    int64_t blck_size;
    int64_t blck_size_interleave;
    size_t type_size;
    bool is_quantized;
    void (*to_float)(const void *source, float *target, int64_t count);
    void *from_float[3];
    void *vec_dot;
    int32_t vec_dot_type;
    int64_t nrows;
    int64_t ncols;
    void *gemv;
    void *gemm;
    int64_t row_meta_size;
} ggml_type_traits_t;
"""
    functions = """
int32_t llama_n_ctx_train(void *model);
void llama_free_model(void *model);
void llama_kv_cache_clear(void *context);
bool llama_kv_cache_seq_rm(void *context, llama_seq_id sequence, llama_pos from, llama_pos to);
size_t llama_state_seq_get_size(void *context, llama_seq_id sequence, uint32_t flags);
size_t llama_state_seq_get_data(void *context, uint8_t *target, size_t size, llama_seq_id sequence, uint32_t flags);
size_t llama_state_seq_set_data(void *context, const uint8_t *source, size_t size, llama_seq_id sequence,
                                uint32_t flags);
void llama_grammar_sample(const void *grammar, const void *context, llama_token_data_array *candidates);
void llama_grammar_accept_token(void *grammar, void *context, llama_token token);
void llama_grammar_free(void *grammar);
int gguf_find_tensor(void *gguf, const char *name);
size_t gguf_get_tensor_offset(void *gguf, int tensor);
int gguf_get_tensor_type(void *gguf, int tensor);
ggml_type_traits_t ggml_internal_get_type_traits(int type);
"""
    batch: ClassVar[Mapping[str, int]] = {"all_pos_0": 0, "all_pos_1": 0, "all_seq_id": 0}
    flags = (0,)
    model_defaults: ClassVar[Mapping[str, Any]] = {
        "split_mode": 1,
        "type_k": 1,
        "type_v": 1,
        "use_mmap": True,
        "flash_attn": True,
    }
    context_defaults: ClassVar[Mapping[str, Any]] = {
        "n_ctx": 512,
        "n_batch": 2048,
        "n_ubatch": 512,
        "n_seq_max": 1,
        "max_extra_alloc": 256,
        "rope_scaling_type": -1,
        "yarn_ext_factor": -1.0,
        "type_k": 1,
        "type_reduce": 1,
        "flash_attn": True,
        "mla_attn": 3,
        "graph_reuse": True,
        "min_experts": -1,
    }

    def trained(self, model: Any) -> int:
        """Return the positions that a model was trained for."""
        return int(self.c.llama_n_ctx_train(model))

    def free_model(self, model: Any) -> None:
        """Free a model whose contexts are freed."""
        self.c.llama_free_model(model)

    def heed(self, context: Any, flag: Any) -> None:
        """Do nothing: what is computed is finished, at most :attr:`chunk` positions.

        Its threads read the sign of an abort after a barrier, when the next one may be set already: one leaves the
        graph, the other waits for it for ever. That happened once in some hundred aborts.
        """

    def speller(self, model: Any) -> Any:
        """Return what knows a model's tokens: itself."""
        return model

    def forget(self, context: Any, length: int) -> bool:
        """Drop the cache from a position on; return whether that can be done."""
        return bool(self.c.llama_kv_cache_seq_rm(context, 0, length, -1))

    def clear(self, context: Any) -> None:
        """Drop the whole cache."""
        self.c.llama_kv_cache_clear(context)

    def apply_grammar(self, grammar: Any, context: Any, candidates: Any) -> None:
        """Set the logits of tokens that may not come next to minus infinity."""
        self.c.llama_grammar_sample(grammar, context, candidates)

    def accept(self, grammar: Any, context: Any, token: int) -> None:
        """Move a grammar on by one token."""
        self.c.llama_grammar_accept_token(grammar, context, token)

    def free_grammar(self, grammar: Any) -> None:
        """Free a grammar."""
        self.c.llama_grammar_free(grammar)

    def traits(self, kind: int) -> Any:
        """Return ``type_name``, ``blck_size``, ``type_size`` and ``to_float`` of a type of tensor."""
        return self.c.ggml_internal_get_type_traits(kind)
