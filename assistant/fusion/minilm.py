"""Sentences as vectors of their meaning, whatever their words: MiniLM's sentence encoder. Numpy only.

A BERT of six layers (Devlin et al., NAACL 2019; Wang et al., "MiniLM", NeurIPS 2020), taught with a billion pairs of
sentences that mean alike stand close (Reimers & Gurevych, "Sentence-BERT", EMNLP 2019). English.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError, SettingError, nearest
from ..store import Store
from .encoders import SentenceEncoder
from .layers import Floats, attend, linear, norm, units

NAME = "all-minilm-l6-v2"
WIDTH, LAYERS, HEADS = 384, 6, 12
LONGEST = 64
"""Tokens of a sentence that are read."""
TOGETHER = 32
"""Sentences of one length that are read at once."""


class MiniLM:
    """Reads its weights when it is first asked; the table of word pieces stays on the disk but for those that occur."""

    name, dim = NAME, WIDTH

    def __init__(self, folder: Path) -> None:
        """Take the folder of the model in the store."""
        self.folder = folder

    def embed(self, sentences: Sequence[str]) -> Floats:
        """Return the mean of each sentence's last states at length one, (sentences, 384).

        Raises :class:`ModelError` where the model is damaged.
        """
        found = np.zeros((len(sentences), WIDTH), np.float32)
        alike = defaultdict[int, list[int]](list)
        pieces = [self._pieces.encode(sentence).ids for sentence in sentences]
        for row, ids in enumerate(pieces):
            alike[len(ids)].append(row)
        for rows in alike.values():  # of one length, so that nothing has to be masked
            for start in range(0, len(rows), TOGETHER):
                block = rows[start : start + TOGETHER]
                found[block] = units(self._states([pieces[row] for row in block]).mean(1))
        return found

    def _states(self, pieces: Sequence[Sequence[int]]) -> Floats:
        """Return the states of sentences of one length, (sentences, tokens, 384)."""
        w, count, length = self._weights, len(pieces), len(pieces[0])
        words = np.stack([self._words[piece : piece + 1][0] for ids in pieces for piece in ids])
        where = w["embeddings.position_embeddings.weight"][:length] + w["embeddings.token_type_embeddings.weight"][0]
        x = norm(w, "embeddings.LayerNorm", words + np.tile(where, (count, 1)))  # rows of all sentences: one product
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            query, key, value = (
                linear(w, f"{name}.attention.self.{part}", x).reshape(count, length, HEADS, -1).swapaxes(1, 2)
                for part in ("query", "key", "value")
            )
            seen = attend(query, key, value).swapaxes(1, 2).reshape(x.shape)
            x = norm(w, f"{name}.attention.output.LayerNorm", x + linear(w, f"{name}.attention.output.dense", seen))
            hidden = _gelu(linear(w, f"{name}.intermediate.dense", x))
            x = norm(w, f"{name}.output.LayerNorm", x + linear(w, f"{name}.output.dense", hidden))
        return x.reshape(count, length, WIDTH)

    @cached_property
    def _pieces(self) -> Any:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        except Exception as error:  # the library raises a bare Exception
            raise self._damaged() from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST)
        return tokenizer

    def _open(self) -> Any:
        from safetensors import SafetensorError, safe_open

        try:
            return safe_open(self.folder / "model.safetensors", "numpy")
        except (SafetensorError, OSError) as error:
            raise self._damaged() from error

    @cached_property
    def _words(self) -> Any:
        return self._open().get_slice("embeddings.word_embeddings.weight")

    @cached_property
    def _weights(self) -> dict[str, Floats]:
        unused = ("embeddings.word_embeddings", "embeddings.position_ids", "pooler")
        with self._open() as file:  # closed again, or its pages would be held beside the copies
            names = [name for name in file.keys() if not name.startswith(unused)]
            return {name: np.asarray(file.get_tensor(name), np.float32) for name in names}

    def _damaged(self) -> ModelError:
        return ModelError(f"{self.folder} is damaged; run: assistant models pull {NAME}")


def find(name: str, store: Store) -> SentenceEncoder | None:
    """Return the sentence encoder of a configuration, ``None`` where it names none.

    Raises :class:`SettingError` for one that is not known, otherwise as :meth:`Store.require` does.
    """
    if not name:
        return None
    if name != NAME:
        raise SettingError(f"there is no sentence encoder {name!r}{nearest(name, [NAME])}")
    return MiniLM(store.require(name))


def _gelu(x: Floats) -> Floats:
    """Return the Gaussian error linear unit, its error function by a hyperbolic tangent; the error is below 0.001."""
    result: Floats = 0.5 * x * (1 + np.tanh(np.float32(0.7978846) * (x + np.float32(0.044715) * x * x * x)))
    return result
