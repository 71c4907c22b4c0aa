"""The captioner without torch: several decoders whose chances are averaged, in numpy, with a cache and a beam.

Weights stay in eight bits on the disk and become float32 once; one core writes a caption in well under half a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import checkpoint
from .captions import Choice, choose
from .checkpoint import Checkpoint
from .config import FusionConfig
from .decoder import Decoder, Memory, never
from .layers import Floats, log_mean, log_softmax, shrink
from .quantised import unpack
from .sentences import END, START, Vocabulary, tokenize
from .visual import VisualWords


class NumpyCaptioner:
    """Writes captions from the features of a grid, and says how likely a given caption is."""

    def __init__(self, saved: Checkpoint) -> None:
        self.config: FusionConfig = saved.config
        extras: dict[str, Any] = saved.extras
        self.vocabulary = Vocabulary(tuple(extras["vocabulary"]))
        self.weights, model = unpack(saved.arrays), self.config.model
        weights = self.weights
        self.visual = VisualWords.of(weights, extras["visual_words"])
        self.standard = weights["standard.mean"], weights["standard.deviation"]
        self.side = int(extras["side"])
        self.longest = int(extras["longest"])
        self.choice = Choice(**extras.get("choice", {}))
        members = [
            {name.partition(".")[2]: array for name, array in weights.items() if name.startswith(f"{member}.")}
            for member in range(int(extras["members"]))
        ]
        self.decoders = [Decoder(member, model.dim, model.heads, model.layers) for member in members]

    @classmethod
    def load(cls, path: Path) -> NumpyCaptioner:
        """Load a caption checkpoint. Raises :class:`ModelError` where it is damaged."""
        return cls(checkpoint.load(path))

    def caption(
        self,
        features_PD: Floats,
        judge: Callable[[list[str]], Floats] | None = None,
        memories: Sequence[Memory] | None = None,
    ) -> list[str]:
        """Return the words of the best caption.

        ``judge`` gives the similarity of each sentence to the picture; it is weighed by ``choice.judge``.
        ``memories`` are those of :meth:`memory`, where they are known already.
        """
        found = self.candidates(self.memory(features_PD) if memories is None else memories, self.choice.beam)
        captions = [self.vocabulary.text(numbers) for numbers, _ in found]
        seen = dict(zip(self.visual.words, self.visual.probabilities(features_PD).tolist(), strict=True))
        likeness = np.zeros(len(found)) if judge is None else judge([" ".join(words) for words in captions])
        scores = [score for _, score in found]
        return captions[choose(captions, scores, seen, likeness.tolist(), self.choice)]

    def candidates(self, memories: Sequence[Memory], beam: int) -> list[tuple[list[int], float]]:
        """Return finished captions and their log probabilities, best first."""
        rows = [decoder.start() for decoder in self.decoders]
        words, scores = np.full((1, 0), 0), np.zeros(1, np.float32)
        done: list[tuple[list[int], float]] = []
        last = np.array([START])
        for position in range(self.longest):
            each = [
                log_softmax(never(decoder.step(memory, row, last, position), last))
                for decoder, memory, row in zip(self.decoders, memories, rows, strict=True)
            ]
            chances = log_mean(each)
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
            for row in rows:
                row.select(source)
        if not done:
            done = [(row.tolist(), float(score)) for row, score in zip(words, scores, strict=True)]
        return sorted(done, key=lambda pair: -pair[1])

    def memory(self, features_PD: Floats) -> list[Memory]:
        """Return what each decoder remembers of a picture."""
        return self.remember(self.places(features_PD), features_PD.mean(0))

    def places(self, features_PD: Floats) -> Floats:
        """Return the places that the decoders look at, (places, dim)."""
        known_PD = features_PD[:, : self.config.encoder_dim]
        return shrink(known_PD, self.config.grid, self.side) if self.side else known_PD

    def remember(self, places_PD: Floats, mean_D: Floats) -> list[Memory]:
        """Return what each decoder remembers of :meth:`places` and of the mean over all places of the grid."""
        mean, deviation = self.standard
        scaled = ((places_PD - mean) / deviation).astype(np.float32)
        pooled, words = self.visual.standardise(mean_D), self.visual.probabilities(mean_D[None])
        return [decoder.memory(scaled, pooled, words) for decoder in self.decoders]

    def likelihood(self, memories: Sequence[Memory], sentence: str) -> Floats:
        """Return the log probability of each word of a sentence and of its end, (…, words + 1).

        ``memories`` are those of :meth:`memory`, or of :func:`together`, one row a picture. Long sentences are cut.
        """
        numbers = self.vocabulary.numbers(tokenize(sentence))[: self.longest - 1]
        each = [decoder.chances(memory, numbers) for decoder, memory in zip(self.decoders, memories, strict=True)]
        return log_mean(each)


def together(pictures: Sequence[Sequence[Memory]]) -> list[Memory]:
    """Return the memories of several pictures as those of one, each array with a first axis for the pictures."""
    return [
        [
            (np.stack([keys for keys, _ in layer]), np.stack([values for _, values in layer]))
            for layer in zip(*of, strict=True)
        ]
        for of in zip(*pictures, strict=True)
    ]
