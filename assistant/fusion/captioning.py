"""The caption task: cross-entropy on people's captions, then their consensus as a reward.

Second stage (``objective = "consensus"``): self-critical training (Rennie et al., CVPR 2017) on CIDEr-D, with the
mean of a picture's other samples as the baseline (Luo, "A Better Variant of Self-Critical Sequence Training", 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ..errors import InputError, SettingError
from . import checkpoint, words
from .captioner import Captioner, Sizes
from .checkpoint import Arrays, Checkpoint
from .config import FusionConfig
from .data import Example, hold
from .ngrams import Cider, bleu, bleu_counts
from .quantised import pack, unpack
from .runtime import NumpyCaptioner
from .sentences import END, PAD, SPECIAL, START, UNKNOWN, Vocabulary, tokenize
from .task import Material, Task
from .views import View, Views
from .visual import VisualWords

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class CaptionOptions(Views):
    """Options of the task."""

    least: int = 5
    """A word of the vocabulary occurs so often in the training captions."""
    least_visual: int = 25
    """A visual word occurs in the captions of at least so many pictures."""
    visual_epochs: int = 8
    """Epochs of the visual-word head, which is trained first."""
    longest: int = 22
    """Most words of a caption, its end included."""
    objective: str = "words"
    """``words``: cross-entropy; ``consensus``: CIDEr-D of sampled captions as a reward."""
    start: str = ""
    """A caption checkpoint whose weights to start from; ``consensus`` needs one."""
    samples: int = 5
    """Captions that are sampled a picture under ``consensus``."""
    beam: int = 8
    length: float = 0.7
    visual: float = 0.1
    """These three are a :class:`Choice`: how a caption is chosen from the beam."""
    validate: int = 300
    """Most validation pictures that are captioned after an epoch."""
    side: int = 5
    """The grid is averaged to so many rows and columns, windows overlapping."""
    members: int = 1
    """Decoders whose chances are averaged; they differ in their first weights and in what dropout hides."""
    calibrate: float = 0.05
    """Share of training pictures that are not trained on: those that ``retrieval`` holds back, for ``judge``."""


class CaptionTask(Task):
    """Learns to describe pictures."""

    name = "caption"
    watch = "loss"  # CIDEr-D of a few hundred captions changes by chance from epoch to epoch
    higher = False
    tolerance = 0.01

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        super().__init__(config, material, extras)
        self.options = config.take(CaptionOptions)
        if self.options.objective not in ("words", "consensus"):
            raise SettingError(f'options.objective is "words" or "consensus", not {self.options.objective!r}')
        if self.options.side < 1:
            raise SettingError(f"options.side must be 1 or more, not {self.options.side}; it was 0 in earlier versions")
        share, seed = self.options.calibrate, config.training.seed
        self.train = [] if extras else hold(_per_picture(material.train), share, seed)[1]
        self.val = _per_picture(material.val)
        if self.options.objective == "consensus":
            self.watch, self.higher, self.tolerance = "cider", True, 0.0
        if not self.train and not extras:
            raise InputError("all training pictures are held back; give more data or lower options.calibrate")
        self.tokens = [[tokenize(caption) for caption in example.captions] for example in self.train]
        self.references = [[tokenize(caption) for caption in example.captions] for example in self.val]
        start = None if extras else self._start()
        learning = extras is None
        extras = extras or (start.extras if start else None)
        if extras:
            self.vocabulary = Vocabulary(tuple(extras["vocabulary"]))
            self.visual_words = list(extras["visual_words"])
        else:
            self.vocabulary = Vocabulary.of((t for tokens in self.tokens for t in tokens), self.options.least)
            self.visual_words = words.vocabulary(self.train, self.options.least_visual)
        self.head: VisualWords | None = None
        self.standard: tuple[Floats, Floats] = (np.zeros(0, np.float32), np.ones(0, np.float32))
        self.chances = np.zeros((0, 0), np.float32)
        if start is not None:
            self._take(unpack(start.arrays))
        if learning:
            self._visual(seed)
        torch.manual_seed(seed)
        places = self.options.side**2
        longest = self.options.longest
        sizes = Sizes(config.encoder_dim, places, len(self.visual_words), len(self.vocabulary), longest)
        self.module = nn.ModuleList(Captioner(sizes, config.model) for _ in range(self.options.members))
        if start is not None:
            super().load(_module_arrays(unpack(start.arrays)))
        self.numbers = [[self.vocabulary.numbers(t)[: longest - 1] for t in tokens] for tokens in self.tokens]
        # The end counts as a word of the reward: without it captions learn to stop in mid-phrase ("a man with a").
        ended = [[[*tokens, SPECIAL[END]] for tokens in captions] for captions in self.tokens]
        self._cider = Cider(ended) if learning and self.options.objective == "consensus" else None

    def _start(self) -> Checkpoint | None:
        if not self.options.start:
            if self.options.objective == "consensus":
                raise SettingError('options.start is missing: "consensus" goes on from a checkpoint trained on "words"')
            return None
        start = checkpoint.load(Path(self.options.start))
        shape = replace(start.config.model, dropout=self.config.model.dropout)
        if start.config.task != "caption" or shape != self.config.model:
            raise SettingError(f"options.start: {self.options.start} is no caption checkpoint of this [model]")
        start.config.check(encoder=self.config.encoder)
        return start

    def _visual(self, seed: int) -> None:
        """Fit the visual-word head where there is none, and predict the training pictures' words out of fold."""
        means = words.pooled(self.material.features, self.train)
        epochs, dropout = self.options.visual_epochs, 0.5
        shares = words.targets(self.train, self.visual_words)
        mean, deviation = means.mean(0), means.std(0) + 1e-6
        scaled = ((means - mean) / deviation).astype(np.float32)
        if self.head is None:
            weight, bias = words.fit(scaled, shares, epochs, dropout, seed)
            self.head = VisualWords(tuple(self.visual_words), mean, deviation, weight, bias)
            self.standard = self._standard()
        self.chances = words.out_of_fold(scaled, shares, epochs, dropout, seed)

    def _standard(self) -> tuple[Floats, Floats]:
        """Return mean and deviation of the places' features over a sample of the training pictures, (dim,) each."""
        chosen = np.random.default_rng(0).permutation(len(self.train))[:500]
        places = np.concatenate([self.material.features.get(_image(self.train[i])) for i in chosen]).astype(np.float32)
        return places.mean(0), places.std(0) + 0.05

    def plan(self, generator: np.random.Generator) -> list[list[int]]:
        """Return batches of pictures whose captions are about equally long in all, so that little is padding."""
        size, order = self.config.training.batch, generator.permutation(len(self.train)).tolist()
        batches = []
        for first in range(0, len(order), size * 16):
            part = sorted(order[first : first + size * 16], key=lambda i: sum(map(len, self.tokens[i])))
            batches += [part[start : start + size] for start in range(0, len(part), size)]
        return [batches[i] for i in generator.permutation(len(batches))]

    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return the cross-entropy a word, or the policy gradient's loss under ``consensus``."""
        grids = self.material.features.batch([_image(self.train[i]) for i in indices])
        views = [self.options.draw(generator, self.config.grid) for _ in indices]
        seen = self._seen(grids, views, self.chances[list(indices)])
        hidden = self.config.training.word_dropout
        losses = []
        for member in self.module:
            memory = member.memory(*seen)
            if self._cider is not None:
                losses.append(self._reward_loss(member, memory, indices))
            else:
                losses.append(self._word_loss(member, memory, [self.numbers[i] for i in indices], hidden))
        return torch.stack(losses).sum()

    def _seen(self, grids: Floats, views: Sequence[View], chances: Floats) -> list[torch.Tensor]:
        """Return what a decoder remembers parts of pictures by; ``grids`` are whole, (pictures, places, dim)."""
        assert self.head is not None
        pooled = np.stack([view.mean(grid) for view, grid in zip(views, grids, strict=True)])
        places = np.stack([view.pooling(self.options.side) @ grid for view, grid in zip(views, grids, strict=True)])
        scaled = (places - self.standard[0]) / self.standard[1]
        device = self.module[0].bias.device
        return [torch.from_numpy(part).to(device) for part in (scaled, self.head.standardise(pooled), chances)]

    def _word_loss(
        self, member: Any, memory: Any, captions: Sequence[Sequence[Sequence[int]]], hidden: float
    ) -> torch.Tensor:
        """Read all captions of a picture as one row; each word sees only its own caption's past."""
        rows = [
            [
                (before, after, position, number)
                for number, caption in enumerate(of)
                for position, (before, after) in enumerate(zip((START, *caption), (*caption, END), strict=True))
            ]
            for of in captions
        ]
        table = np.zeros((len(rows), max(map(len, rows)), 4), np.int64)
        table[:, :, 3] = -1
        for number, row in enumerate(rows):
            table[number, : len(row)] = row
        device = member.bias.device
        given, wanted, position, caption = torch.from_numpy(table).to(device).unbind(-1)
        mask = (caption[:, :, None] == caption[:, None, :]) & (position[:, :, None] >= position[:, None, :])
        given = given.masked_fill((torch.rand(given.shape, device=device) < hidden) & (given > UNKNOWN), UNKNOWN)
        real = caption >= 0
        states = member(memory, given, position, mask[:, None])[real]
        smoothing = self.config.training.smoothing if self.module.training else 0.0
        return functional.cross_entropy(member.logits(states), wanted[real], label_smoothing=smoothing)

    def _reward_loss(self, member: Any, memory: Any, indices: Sequence[int]) -> torch.Tensor:
        assert self._cider is not None
        samples = self.options.samples
        drawn, log_p = member.sample(memory, samples, self.options.longest)
        texts = [self.vocabulary.text([w for w in row if w != PAD]) for row in drawn.tolist()]
        scores = [self._cider.score(text, indices[row // samples]) for row, text in enumerate(texts)]
        rewards = torch.tensor(scores).view(len(indices), samples)
        others = (rewards.sum(1, keepdim=True) - rewards) / (samples - 1)
        advantage = (rewards - others).view(-1, 1).to(log_p.device)
        return -(advantage * log_p).sum() / (drawn != PAD).sum()

    def validate(self) -> dict[str, float]:
        """Return BLEU-4 and CIDEr-D of the numpy run time on the validation pictures, and the loss a word."""
        captioner = NumpyCaptioner(Checkpoint(self.config, self.arrays(), self.extras()))
        cider, counts, scores, losses = Cider(self.references), np.zeros(10), [], []
        for number, example in enumerate(self.val[: self.options.validate]):
            features = self.material.features.batch([_image(example)])
            caption = captioner.caption(features[0])
            counts += bleu_counts(caption, self.references[number])
            scores.append(cider.score(caption, number))
            numbers = [self.vocabulary.numbers(t)[: self.options.longest - 1] for t in self.references[number]]
            chances = captioner.visual.probabilities(features[0])[None]
            seen = self._seen(features, [View.whole(self.config.grid)], chances)
            losses += [float(self._word_loss(member, member.memory(*seen), [numbers], 0.0)) for member in self.module]
        return {"bleu4": bleu(counts)[3], "cider": float(np.mean(scores)), "loss": float(np.mean(losses))}

    def extras(self) -> dict[str, Any]:
        """Return vocabulary, visual words and how a caption is chosen."""
        return {
            "vocabulary": list(self.vocabulary.words),
            "visual_words": list(self.visual_words),
            "longest": self.options.longest,
            "side": self.options.side,
            "members": self.options.members,
            "choice": {"beam": self.options.beam, "length": self.options.length, "visual": self.options.visual},
        }

    def arrays(self) -> Arrays:
        """Return decoders, visual-word head, the features' mean and deviation; matrices in eight bits."""
        assert self.head is not None
        mean, deviation = self.standard
        arrays = {**super().arrays(), **self.head.arrays(), "standard.mean": mean, "standard.deviation": deviation}
        return pack(arrays, [name for name, array in arrays.items() if array.ndim == 2 and array.size > 10_000])

    def load(self, arrays: Arrays) -> None:
        """Take a checkpoint's weights."""
        plain = unpack(arrays)
        super().load(_module_arrays(plain))
        self._take(plain)

    def _take(self, arrays: Arrays) -> None:
        self.head = VisualWords.of(arrays, self.visual_words)
        mean, deviation = (np.asarray(arrays[f"standard.{name}"], np.float32) for name in ("mean", "deviation"))
        self.standard = mean, deviation


def _module_arrays(arrays: Arrays) -> Arrays:
    return {name: array for name, array in arrays.items() if name[0].isdigit()}


def _per_picture(examples: Sequence[Example]) -> list[Example]:
    found = [example for example in examples if example.image and example.captions]
    if examples and not found:
        raise InputError("no example has an 'image' with 'captions'; the caption task needs both")
    return found


def _image(example: Example) -> Path:
    assert example.image is not None
    return example.image
