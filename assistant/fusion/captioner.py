"""A transformer decoder that reads a grid of features and visual words, and writes a caption.

Vaswani et al., "Attention Is All You Need", 2017, with normalisation before each part; the grid as in
Xu et al., "Show, Attend and Tell", 2015; predicted words as in You et al., "Image Captioning with Semantic
Attention", 2016. :mod:`.runtime` does the same in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import ModelConfig
from .sentences import END, PAD, START, UNKNOWN

SCALE = 0.25
"""Word embeddings have variance 1 / dim; times sqrt(dim) * SCALE they stand beside the places."""

Cache = tuple[Tensor, Tensor]
"""Keys and values, each (rows, heads, tokens, dim / heads)."""


@dataclass(frozen=True)
class Sizes:
    """What the data decides about a captioner's shape."""

    features: int
    """Width of the encoder's vectors."""
    places: int
    """Vectors a picture."""
    visual: int
    """Visual words."""
    words: int
    """Words of the vocabulary."""
    longest: int = 24
    """Most words of a caption."""
    slots: int = 4
    """Tokens that the visual words become."""


class Block(nn.Module):
    """Self-attention over the words so far, attention over the picture, a feed-forward part."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.heads = config.heads
        self.norm_self, self.qkv, self.out = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.norm_cross, self.query = nn.LayerNorm(dim), nn.Linear(dim, dim)
        self.key_value, self.cross = nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)
        self.norm_forward = nn.LayerNorm(dim)
        self.up, self.down = nn.Linear(dim, config.hidden), nn.Linear(config.hidden, dim)
        self.drop = nn.Dropout(config.dropout)

    def remember(self, memory_BMD: Tensor) -> Cache:
        """Return keys and values of the picture, each (batch, heads, memory, dim / heads)."""
        keys, values = self.key_value(memory_BMD).chunk(2, -1)
        return self._split(keys), self._split(values)

    def forward(self, x_BTD: Tensor, memory: Cache, mask_B1TT: Tensor) -> Tensor:
        """Return (batch, tokens, dim)."""
        q, k, v = (self._split(part) for part in self.qkv(self.norm_self(x_BTD)).chunk(3, -1))
        seen = functional.scaled_dot_product_attention(q, k, v, mask_B1TT)
        x_BTD = x_BTD + self.drop(self.out(self._join(seen)))
        seen = functional.scaled_dot_product_attention(self._split(self.query(self.norm_cross(x_BTD))), *memory)
        return self._rest(x_BTD + self.drop(self.cross(self._join(seen))))

    def step(self, x_R1D: Tensor, memory: Cache, cache: Cache | None) -> tuple[Tensor, Cache]:
        """Return one more token of each row and the longer cache; rows of one picture lie side by side."""
        q, k, v = (self._split(part) for part in self.qkv(self.norm_self(x_R1D)).chunk(3, -1))
        if cache is not None:
            k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
        x_R1D = x_R1D + self.drop(self.out(self._join(functional.scaled_dot_product_attention(q, k, v))))
        pictures, rows = memory[0].shape[0], x_R1D.shape[0]
        query = self.query(self.norm_cross(x_R1D)).view(pictures, rows // pictures, -1)
        seen = self._join(functional.scaled_dot_product_attention(self._split(query), *memory)).reshape(rows, 1, -1)
        return self._rest(x_R1D + self.drop(self.cross(seen))), (k, v)

    def _rest(self, x: Tensor) -> Tensor:
        forward: Tensor = self.down(self.drop(functional.relu(self.up(self.norm_forward(x)))))
        return x + self.drop(forward)

    def _split(self, x_BTD: Tensor) -> Tensor:
        batch, tokens, dim = x_BTD.shape
        return x_BTD.view(batch, tokens, self.heads, dim // self.heads).transpose(1, 2)

    def _join(self, x_BHTK: Tensor) -> Tensor:
        batch, heads, tokens, width = x_BHTK.shape
        return x_BHTK.transpose(1, 2).reshape(batch, tokens, heads * width)


class Captioner(nn.Module):
    """Features of a picture and probabilities of visual words to the words of a caption."""

    def __init__(self, sizes: Sizes, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.dim, self.slots = dim, sizes.slots
        self.place, self.pooled = nn.Linear(sizes.features, dim), nn.Linear(sizes.features, dim)
        self.where = nn.Parameter(torch.randn(sizes.places, dim) * 0.02)
        self.visual = nn.Linear(sizes.visual, sizes.slots * dim)
        self.norm_memory = nn.LayerNorm(dim)
        self.words = nn.Embedding(sizes.words, dim)
        nn.init.normal_(self.words.weight, std=dim**-0.5)
        self.position = nn.Parameter(torch.randn(sizes.longest, dim) * 0.02)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm_out, self.bias = nn.LayerNorm(dim), nn.Parameter(torch.zeros(sizes.words))
        self.drop, self.drop_input, self.drop_channel = nn.Dropout(config.dropout), nn.Dropout(0.2), nn.Dropout1d(0.2)

    def memory(self, places_BPF: Tensor, pooled_BF: Tensor, visual_BW: Tensor) -> list[Cache]:
        """Return what each block remembers of standardised features and word probabilities."""
        # A feature is hidden at all places of a picture at once: its neighbours would give it away.
        places = self.place(self.drop_channel(places_BPF.transpose(1, 2)).transpose(1, 2)) + self.where
        pooled = self.pooled(self.drop_input(pooled_BF))[:, None]
        visual = self.visual(self.drop_input(visual_BW)).view(-1, self.slots, self.dim)
        memory = self.drop(self.norm_memory(torch.cat([places, pooled, visual], 1)))
        return [block.remember(memory) for block in self.blocks]

    def forward(self, memory: list[Cache], words_BT: Tensor, positions_BT: Tensor, mask_B1TT: Tensor) -> Tensor:
        """Return states, (batch, tokens, dim); :meth:`logits` turns them into words."""
        x = self.drop(self.words(words_BT) * (self.dim**0.5 * SCALE) + self.position[positions_BT])
        for block, remembered in zip(self.blocks, memory, strict=True):
            x = block(x, remembered, mask_B1TT)
        states: Tensor = self.norm_out(x)
        return states

    def logits(self, states: Tensor) -> Tensor:
        """Return a score for each word of the vocabulary; input and output share their embeddings."""
        return functional.linear(states, self.words.weight, self.bias)

    def step(
        self, memory: list[Cache], words_R: Tensor, position: int, caches: list[Cache | None]
    ) -> tuple[Tensor, list[Cache | None]]:
        """Return the logits of each row's next word, (rows, words), and the longer caches."""
        x = (self.words(words_R) * (self.dim**0.5 * SCALE) + self.position[position])[:, None]
        longer: list[Cache | None] = []
        for block, remembered, cache in zip(self.blocks, memory, caches, strict=True):
            x, cache = block.step(x, remembered, cache)
            longer.append(cache)
        return self.logits(self.norm_out(x[:, 0])), longer

    def sample(self, memory: list[Cache], rows: int, longest: int) -> tuple[Tensor, Tensor]:
        """Draw ``rows`` captions a picture.

        Returns their words, (pictures * rows, tokens), filled with :data:`PAD` after the end, and the log
        probability of each word, of the same shape, through which gradients flow.
        """
        count = memory[0][0].shape[0] * rows
        words = torch.full((count,), START, device=self.bias.device)
        open_ = torch.ones(count, dtype=torch.bool, device=words.device)
        caches: list[Cache | None] = [None] * len(self.blocks)
        drawn, chances = [], []
        for position in range(longest):
            logits, caches = self.step(memory, words, position, caches)
            logits = logits.clone()
            logits[:, [PAD, START, UNKNOWN]] = -torch.inf
            log_p = functional.log_softmax(logits, -1)
            words = torch.multinomial(log_p.detach().exp(), 1)[:, 0]
            words = torch.where(open_, words, PAD)
            chance = log_p.gather(1, torch.where(open_, words, END)[:, None])[:, 0]
            drawn.append(words)
            chances.append(torch.where(open_, chance, 0.0))
            open_ = open_ & (words != END)
            if not open_.any():
                break
        return torch.stack(drawn, 1), torch.stack(chances, 1)
