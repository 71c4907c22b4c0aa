"""One transformer decoder of the captioner without torch: the module of :mod:`.captioner` in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Arrays
from .layers import Floats, attend, linear, log_softmax, norm
from .sentences import END, PAD, START, UNKNOWN

SCALE = 0.25
"""As in :mod:`.captioner`."""

Memory = list[tuple[Floats, Floats]]
"""Keys and values of a picture for each layer, each (heads, memory, dim / heads)."""


@dataclass(eq=False)
class Rows:
    """Keys and values of the words so far for each layer, a row a hypothesis: (rows, heads, tokens, dim / heads)."""

    keys: list[Floats]
    values: list[Floats]

    def select(self, source: NDArray[Any]) -> None:
        """Go on with these rows, in this order; a row may come more than once."""
        self.keys = [keys[source] for keys in self.keys]
        self.values = [values[source] for values in self.values]


class Decoder:
    """Reads a picture's memory and words; gives the chances of the next word."""

    def __init__(self, weights: Arrays, dim: int, heads: int, layers: int) -> None:
        self.weights, self.dim, self.heads, self.layers = weights, dim, heads, range(layers)

    def memory(self, places_PD: Floats, pooled_D: Floats, visual_W: Floats) -> Memory:
        """Return what is remembered of standardised features and the visual words' probabilities."""
        w = self.weights
        places = linear(w, "place", places_PD) + w["where"]
        slots = linear(w, "visual", visual_W).reshape(-1, self.dim)
        memory = norm(w, "norm_memory", np.concatenate([places, linear(w, "pooled", pooled_D)[None], slots]))
        both = [linear(w, f"blocks.{layer}.key_value", memory) for layer in self.layers]
        return [(self._split(kv[:, : self.dim]), self._split(kv[:, self.dim :])) for kv in both]

    def start(self) -> Rows:
        """Return one row without words."""
        empty = np.zeros((1, self.heads, 0, self.dim // self.heads), np.float32)
        return Rows([empty for _ in self.layers], [empty for _ in self.layers])

    def step(self, memory: Memory, rows: Rows, last_R: NDArray[Any], position: int) -> Floats:
        """Read one word a row; return the scores of the next, (rows, words)."""
        w = self.weights
        x = w["words.weight"][last_R] * np.float32(self.dim**0.5 * SCALE) + w["position"][position]
        shape = (len(x), self.heads, 1, -1)
        for layer, remembered in zip(self.layers, memory, strict=True):
            q, k, v = np.split(linear(w, f"blocks.{layer}.qkv", norm(w, f"blocks.{layer}.norm_self", x)), 3, -1)
            rows.keys[layer] = np.concatenate([rows.keys[layer], k.reshape(shape)], 2)
            rows.values[layer] = np.concatenate([rows.values[layer], v.reshape(shape)], 2)
            seen = attend(q.reshape(shape), rows.keys[layer], rows.values[layer]).reshape(len(x), -1)
            x = self._rest(layer, x + linear(w, f"blocks.{layer}.out", seen), remembered)
        return self._scores(x)

    def chances(self, memory: Memory, words: Sequence[int]) -> Floats:
        """Return the log probability of each word of a caption and of its end, (…, words + 1), in one pass.

        The memory's arrays may have a first axis of several pictures.
        """
        w, count = self.weights, len(words) + 1
        x = w["words.weight"][[START, *words]] * np.float32(self.dim**0.5 * SCALE) + w["position"][:count]
        x = np.broadcast_to(x, (*memory[0][0].shape[:-3], *x.shape))
        past = np.tri(count, dtype=bool)
        for layer, remembered in zip(self.layers, memory, strict=True):
            qkv = linear(w, f"blocks.{layer}.qkv", norm(w, f"blocks.{layer}.norm_self", x))
            q, k, v = (self._split(part) for part in np.split(qkv, 3, -1))
            x = self._rest(layer, x + linear(w, f"blocks.{layer}.out", self._join(attend(q, k, v, past))), remembered)
        result: Floats = log_softmax(self._scores(x))[..., np.arange(count), [*words, END]]
        return result

    def _rest(self, layer: int, x: Floats, remembered: tuple[Floats, Floats]) -> Floats:
        """Look at the picture and feed forward; every row of x, (…, rows, dim), on its own."""
        w, name = self.weights, f"blocks.{layer}"
        query = self._split(linear(w, f"{name}.query", norm(w, f"{name}.norm_cross", x)))
        x = x + linear(w, f"{name}.cross", self._join(attend(query, *remembered)))
        hidden = np.maximum(linear(w, f"{name}.up", norm(w, f"{name}.norm_forward", x)), 0)
        result: Floats = x + linear(w, f"{name}.down", hidden)
        return result

    def _scores(self, x: Floats) -> Floats:
        scores: Floats = norm(self.weights, "norm_out", x) @ self.weights["words.weight"].T + self.weights["bias"]
        return scores

    def _split(self, x: Floats) -> Floats:
        """Return (…, heads, tokens, dim / heads) of (…, tokens, dim)."""
        return np.ascontiguousarray(x.reshape(*x.shape[:-1], self.heads, -1).swapaxes(-2, -3))

    def _join(self, x: Floats) -> Floats:
        """Return what :meth:`_split` took apart."""
        joined = x.swapaxes(-2, -3)
        return joined.reshape(*joined.shape[:-2], -1)


def never(scores: Floats, last_R: NDArray[Any]) -> Floats:
    """Return scores that allow no special word but the end, and no word twice in a row."""
    allowed = scores.copy()
    allowed[:, [PAD, START, UNKNOWN]] = -np.inf
    allowed[np.arange(len(last_R)), last_R] = -np.inf
    return allowed
