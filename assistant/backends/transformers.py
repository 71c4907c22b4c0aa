"""Any causal language model of the transformers library: on a GPU, for training, and for comparison."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from ..config import Settings
from ..errors import InputError, ModelError
from ..stages import SoftTokens, TokenIds
from ..store import Store
from ..types import Features
from .cached_session import CachedSession, Grammar
from .chat_template import CHATML
from .hub_model import best_device
from .ledger import size

log = logging.getLogger(__name__)

transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()


class TransformersSession(CachedSession):
    """One model with one ``DynamicCache``, in bfloat16 on the best device there is.

    ``brain.model`` is a folder, an id of the store, or ``owner/name`` of the hub. A store
    entry that holds only a GGUF file is converted once, into ``bf16/`` beside it. Raises
    :class:`ModelError` where it is missing or does not load.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        super().__init__(settings.brain.temperature)
        source = _find(settings, store)
        offline = settings.store.offline or isinstance(source, Path)
        self.name = settings.brain.model
        self.device = best_device()
        if settings.brain.threads:
            torch.set_num_threads(settings.brain.threads)
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(str(source), local_files_only=offline)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                str(source), local_files_only=offline, dtype=torch.bfloat16
            )
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{source} does not load as a language model: {str(error).splitlines()[0]}") from error
        self.model = model.to(self.device).eval()
        self.dim = int(self.model.get_input_embeddings().weight.shape[1])
        self.context = min(settings.brain.context, getattr(self.model.config, "max_position_embeddings", 1 << 30))
        self._cache: Any = transformers.DynamicCache()
        taken = inspect.signature(self.model.forward).parameters
        self._cache_name = "cache" if "cache" in taken else "past_key_values"  # renamed in transformers 5.24
        self._last_logits: Any = None
        self._markers = set(self.tokenizer.all_special_ids)
        self._stops = _stops(self.model, self.tokenizer)
        self._pieces: dict[int, bytes] = {}
        self._grammar_tokenizer: Any = None

    def tokenize(self, text: str, special: bool = True) -> TokenIds:
        """Return token ids; markers (``<|im_start|>``) are parsed as such where ``special``."""
        encoded = self.tokenizer(text, add_special_tokens=False, split_special_tokens=not special)
        return cast(TokenIds, encoded["input_ids"])

    def embed(self, tokens: TokenIds) -> Features:
        """Return the input embeddings of ``tokens``, (tokens, dim)."""
        table = self.model.get_input_embeddings()
        if tokens and not 0 <= min(tokens) <= max(tokens) < table.weight.shape[0]:
            raise InputError(f"there is no token {max(tokens)}; the vocabulary has {table.weight.shape[0]}")
        with torch.inference_mode():
            return cast(Features, table(self._tensor(tokens)).float().cpu().numpy())

    def template(self, messages: Sequence[dict[str, object]], tools: Sequence[dict[str, object]]) -> str:
        """Render messages with the tokenizer's chat template, ending where the reply begins."""
        rendered = self.tokenizer.apply_chat_template(
            list(messages),
            tools=list(tools) or None,
            chat_template=None if self.tokenizer.chat_template else CHATML,
            add_generation_prompt=True,
            tokenize=False,
        )
        return str(rendered)

    def _read(self, piece: TokenIds | SoftTokens, heed: int | None = None) -> NDArray[np.float32] | None:
        kept = 1 if heed is None else size(piece) - heed
        if isinstance(piece, SoftTokens):
            vectors = torch.from_numpy(np.ascontiguousarray(piece.vectors, np.float32))
            given = {"inputs_embeds": vectors.to(self.device, self.model.dtype)[None]}
        else:
            given = {"input_ids": self._tensor(piece)[None]}
        with torch.inference_mode():
            output = self.model(**given, **{self._cache_name: self._cache}, use_cache=True, logits_to_keep=kept)
        self._last_logits = output.logits[0, -1]  # the cache has grown in place
        return None if heed is None else _array(output.logits[0, -kept])

    def _forget(self, length: int) -> None:
        if length == 0:
            self._cache = transformers.DynamicCache()
        elif self._cache.get_seq_length() > length:
            self._cache.crop(length - self._cache.get_seq_length())

    def _logits(self) -> NDArray[np.float32]:
        return _array(self._last_logits)

    def _bytes(self, token: int) -> bytes:
        if token not in self._pieces:
            self._pieces[token] = b"" if token in self._markers else _token_bytes(self.tokenizer, token)
        return self._pieces[token]

    def _ends(self, token: int) -> bool:
        return token in self._stops

    def _grammar(self, grammar: str) -> Grammar:
        from .guidance import GuidedGrammar, guided_tokenizer

        if self._grammar_tokenizer is None:
            self._grammar_tokenizer = guided_tokenizer(self.tokenizer, self._vocabulary, sorted(self._stops))
        return GuidedGrammar(self._grammar_tokenizer, self._vocabulary, grammar)

    def _free(self) -> None:
        self._cache = self.model = self._last_logits = None

    @property
    def _vocabulary(self) -> int:
        return int(self.model.get_output_embeddings().weight.shape[0])

    def _tensor(self, tokens: TokenIds) -> Any:
        return torch.tensor(tokens, dtype=torch.long, device=self.device)


def _array(logits: Any) -> NDArray[np.float32]:
    return cast(NDArray[np.float32], logits.float().cpu().numpy())


def convert(source: Path, target: Path) -> Path:
    """Write the GGUF model in folder ``source`` as bfloat16 safetensors with its tokenizer, once.

    Returns ``target``. Raises :class:`ModelError` where there is no GGUF file or it cannot be read.
    De-quantising takes 15 to 45 s for up to 1.5 B parameters; the result loads in 1 to 2 s.
    """
    if (target / "config.json").is_file():
        return target
    files = sorted(source.glob("*.gguf"))
    if not files:
        raise ModelError(f"{source} holds no model that transformers can read")
    log.info("converting %s; this is done once", files[0])
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(source), gguf_file=files[0].name)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            str(source), gguf_file=files[0].name, dtype=torch.bfloat16
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelError(f"{files[0]} cannot be converted: {str(error).splitlines()[0]}") from error
    # A model that was de-quantised on loading refuses to be saved while it remembers its quantizer.
    for attribute in ("hf_quantizer", "quantization_method"):
        if hasattr(model, attribute):
            delattr(model, attribute)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.is_quantized = False
    partial = target.with_name(target.name + ".partial")
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    partial.replace(target)
    return target


def _find(settings: Settings, store: Store) -> Path | str:
    """Return the folder, or the name on the hub, of the model that is set."""
    name = settings.brain.model
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if "/" in name:
            return name
        folder = store.require(name)
    return folder if (folder / "config.json").is_file() else convert(folder, folder / "bf16")


def _stops(model: Any, tokenizer: Any) -> set[int]:
    """Return the ids that end a turn: the model's own and the usual markers of chat templates."""
    stops = model.generation_config.eos_token_id if model.generation_config else None
    found = set(stops) if isinstance(stops, list) else {stops}
    found |= {tokenizer.eos_token_id}
    known = tokenizer.get_vocab()
    found |= {
        known[marker] for marker in ("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<end_of_turn>") if marker in known
    }
    return {stop for stop in found if stop is not None}


def _token_bytes(tokenizer: Any, token: int) -> bytes:
    """Return the bytes of one token, which may be only a part of a character."""
    text = tokenizer.convert_ids_to_tokens(token)
    if text is None:
        return b""
    table = _byte_of()
    if all(character in table for character in text):
        return bytes(table[character] for character in text)
    if text.startswith("<0x") and text.endswith(">"):
        return bytes([int(text[3:-1], 16)])
    return str(text).replace("▁", " ").encode()


def _byte_of() -> dict[str, int]:
    """Return the byte that each letter of a byte-level vocabulary stands for (the GPT-2 table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + index): byte for index, byte in enumerate(others)}
