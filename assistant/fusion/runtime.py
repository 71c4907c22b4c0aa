"""The captioner without torch: the decoder of :mod:`.captioner` in numpy, with a cache and a beam.

Weights stay float16 on the disk and become float32 once; one core writes a caption in well under half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checkpoint
from .captions import Choice, choose
from .checkpoint import Checkpoint
from .config import FusionConfig
from .sentences import END, PAD, START, UNKNOWN, Vocabulary
from .visual import VisualWords

Floats = NDArray[np.float32]
SCALE = 0.25
"""As in :mod:`.captioner`."""


@dataclass(eq=False)
class _Rows:
    """Keys and values of the words so far, a row a hypothesis: (rows, heads, tokens, dim / heads)."""

    keys: list[Floats]
    values: list[Floats]


class NumpyCaptioner:
    """Writes captions from the features of a grid."""

    def __init__(self, saved: Checkpoint) -> None:
        self.config: FusionConfig = saved.config
        extras: dict[str, Any] = saved.extras
        self.vocabulary = Vocabulary(tuple(extras["vocabulary"]))
        self.visual = VisualWords.of(saved.arrays, extras["visual_words"])
        self.longest = int(extras["longest"])
        self.choice = Choice(**extras.get("choice", {}))
        self.weights = {name: np.asarray(a, np.float32) for name, a in saved.arrays.items()}
        self.layers = range(self.config.model.layers)
        self.heads, self.dim = self.config.model.heads, self.config.model.dim

    @classmethod
    def load(cls, path: Path) -> NumpyCaptioner:
        """Load a caption checkpoint. Raises :class:`ModelError` where it is damaged."""
        return cls(checkpoint.load(path))

    def caption(self, features_PD: Floats, judge: Callable[[list[str]], Floats] | None = None) -> list[str]:
        """Return the words of the best caption.

        ``judge`` gives the similarity of each sentence to the picture, in [-1, 1]; it is weighed by ``choice.judge``.
        """
        found = self.candidates(features_PD, self.choice.beam)
        captions = [self.vocabulary.text(numbers) for numbers, _ in found]
        seen = dict(zip(self.visual.words, self.visual.probabilities(features_PD).tolist(), strict=True))
        likeness = np.zeros(len(found)) if judge is None else judge([" ".join(words) for words in captions])
        scores = [score for _, score in found]
        return captions[choose(captions, scores, seen, likeness.tolist(), self.choice)]

    def candidates(self, features_PD: Floats, beam: int) -> list[tuple[list[int], float]]:
        """Return finished captions and their log probabilities, best first."""
        memory = self.memory(features_PD)
        rows = _Rows(
            *([np.zeros((1, self.heads, 0, self.dim // self.heads), np.float32)] * len(self.layers) for _ in "kv")
        )
        words, scores = np.full((1, 0), 0), np.zeros(1, np.float32)
        done: list[tuple[list[int], float]] = []
        last = np.array([START])
        for position in range(self.longest):
            chances = _log_softmax(self._step(memory, rows, last, position))
            total = (scores[:, None] + chances).ravel()
            best = np.argpartition(-total, 2 * beam)[: 2 * beam]
            best = best[np.argsort(-total[best])]
            source, word = best // chances.shape[1], best % chances.shape[1]
            for rank in np.flatnonzero(word[:beam] == END):
                done.append((words[source[rank]].tolist(), float(total[best[rank]])))
            if len(done) >= beam:
                break
            keep = np.flatnonzero(word != END)[:beam]
            source, last = source[keep], word[keep]
            words = np.concatenate([words[source], last[:, None]], 1)
            scores = total[best[keep]]
            rows.keys = [keys[source] for keys in rows.keys]
            rows.values = [values[source] for values in rows.values]
        if not done:
            done = [(row.tolist(), float(score)) for row, score in zip(words, scores, strict=True)]
        return sorted(done, key=lambda pair: -pair[1])

    def memory(self, features_PD: Floats) -> list[tuple[Floats, Floats]]:
        """Return keys and values of the picture for each layer, each (heads, memory, dim / heads)."""
        w, visual = self.weights, self.visual
        scaled = (features_PD - w["standard.mean"]) / w["standard.deviation"]
        places = self._linear("place", scaled) + w["where"]
        pooled = self._linear("pooled", visual.standardise(features_PD.mean(0)))[None]
        slots = self._linear("visual", visual.probabilities(features_PD)).reshape(-1, self.dim)
        memory = self._norm("norm_memory", np.concatenate([places, pooled, slots]))
        both = [self._linear(f"blocks.{layer}.key_value", memory) for layer in self.layers]
        return [(self._split(kv[:, : self.dim]), self._split(kv[:, self.dim :])) for kv in both]

    def _step(self, memory: list[tuple[Floats, Floats]], rows: _Rows, last: NDArray[Any], position: int) -> Floats:
        """Read one word a row; return the scores of the next, (rows, words)."""
        w = self.weights
        x = w["words.weight"][last] * np.float32(self.dim**0.5 * SCALE) + w["position"][position]
        for layer, (keys, values) in zip(self.layers, memory, strict=True):
            name = f"blocks.{layer}"
            q, k, v = np.split(self._linear(f"{name}.qkv", self._norm(f"{name}.norm_self", x)), 3, -1)
            shape = (len(x), self.heads, 1, -1)
            rows.keys[layer] = np.concatenate([rows.keys[layer], k.reshape(shape)], 2)
            rows.values[layer] = np.concatenate([rows.values[layer], v.reshape(shape)], 2)
            seen = _attend(q.reshape(shape), rows.keys[layer], rows.values[layer])
            x = x + self._linear(f"{name}.out", seen.reshape(len(x), -1))
            query = self._split(self._linear(f"{name}.query", self._norm(f"{name}.norm_cross", x)))
            seen = _attend(query, keys, values).transpose(1, 0, 2).reshape(len(x), -1)
            x = x + self._linear(f"{name}.cross", seen)
            hidden = np.maximum(self._linear(f"{name}.up", self._norm(f"{name}.norm_forward", x)), 0)
            x = x + self._linear(f"{name}.down", hidden)
        scores = self._norm("norm_out", x) @ w["words.weight"].T + w["bias"]
        scores[:, [PAD, START, UNKNOWN]] = -np.inf
        scores[np.arange(len(last)), last] = -np.inf  # no word twice in a row
        return scores

    def _linear(self, name: str, x: Floats) -> Floats:
        result: Floats = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return result

    def _norm(self, name: str, x: Floats) -> Floats:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        result: Floats = scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return result

    def _split(self, x_TD: Floats) -> Floats:
        return np.ascontiguousarray(x_TD.reshape(len(x_TD), self.heads, -1).transpose(1, 0, 2))


def _attend(query: Floats, keys: Floats, values: Floats) -> Floats:
    scores = query @ keys.swapaxes(-1, -2) / np.float32(query.shape[-1] ** 0.5)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    result: Floats = scores / scores.sum(-1, keepdims=True) @ values
    return result


def _log_softmax(scores: Floats) -> Floats:
    shifted = scores - scores.max(-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result
