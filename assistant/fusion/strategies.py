"""How modalities meet: five short modules with one call, so that a configuration can name any of them.

Every strategy takes a dict of modalities, each (batch, tokens, dim) of its own width, with a mask and a confidence,
and returns fused tokens (batch, fused, dim). A modality may be absent from any row: a learned token stands in for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import SettingError, nearest
from .config import ModelConfig


@dataclass(frozen=True, slots=True, eq=False)
class Modality:
    """Vectors of one modality for a batch."""

    tokens: Tensor
    """(batch, tokens, width)."""
    mask: Tensor
    """(batch, tokens), true where a token is real; a row without any is an absent modality."""
    confidence: Tensor | None = None
    """(batch,) in [0, 1]: how far its encoder is to be trusted; ``None``: fully."""


class Gate(nn.Module):
    """Projects one modality into the common width; puts a learned token where it is absent.

    ``x = LN(W f) * confidence + type``; an absent row becomes the single token ``absent + type``.
    """

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.project, self.norm = nn.Linear(width, dim), nn.LayerNorm(dim)
        self.kind = nn.Parameter(torch.randn(dim) * 0.02)
        self.absent = nn.Parameter(torch.randn(dim) * 0.02)

    def forward(self, given: Modality) -> tuple[Tensor, Tensor]:
        """Return tokens, (batch, 1 + tokens, dim), and their mask, (batch, 1 + tokens).

        The first token is the absent one; exactly the rows without any real token use it.
        """
        x = self.norm(self.project(given.tokens))
        if given.confidence is not None:
            x = x * given.confidence[:, None, None]
        missing = ~given.mask.any(1, keepdim=True)
        first = self.absent.expand(len(x), 1, -1)
        return torch.cat([first, x], 1) + self.kind, torch.cat([missing, given.mask], 1)


class Strategy(nn.Module):
    """Base: one gate a modality, then :meth:`fuse`."""

    def __init__(self, widths: Mapping[str, int], config: ModelConfig) -> None:
        super().__init__()
        self.gates = nn.ModuleDict({name: Gate(width, config.dim) for name, width in widths.items()})

    def forward(self, given: Mapping[str, Modality]) -> Tensor:
        """Return fused tokens, (batch, fused, dim)."""
        gated = {name: gate(given[name]) for name, gate in self.gates.items()}
        return self.fuse(
            {name: tokens for name, (tokens, _) in gated.items()}, {n: mask for n, (_, mask) in gated.items()}
        )

    def fuse(self, tokens: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return (batch, fused, dim) from each modality's (batch, tokens, dim)."""
        raise NotImplementedError


class Early(Strategy):
    """Concatenate and a feed-forward part: ``y = W2 relu(W1 [mean_1; …; mean_m])``, one fused token.

    The smallest early fusion (Baltrušaitis et al., "Multimodal Machine Learning", 2019, section 6.1). Before a
    language model the same concatenation happens over tokens, which is what soft tokens are.
    """

    def __init__(self, widths: Mapping[str, int], config: ModelConfig) -> None:
        super().__init__(widths, config)
        self.mix = nn.Sequential(
            nn.Linear(len(widths) * config.dim, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.dim),
        )

    def fuse(self, tokens: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return (batch, 1, dim)."""
        fused: Tensor = self.mix(torch.cat([mean(tokens[name], masks[name]) for name in tokens], -1))
        return fused[:, None]


class Late(Strategy):
    """Each modality makes its own prediction; their weighted sum counts: ``y = Σ softmax(a)_m P_m(x_m)``.

    One fused token a modality would tell them apart, so they are summed into one (decision-level fusion: Kittler
    et al., "On Combining Classifiers", 1998); no modality sees another, so it cannot relate them.
    """

    def __init__(self, widths: Mapping[str, int], config: ModelConfig) -> None:
        super().__init__(widths, config)
        self.own = nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.Linear(config.dim, config.hidden),
                    nn.ReLU(),
                    nn.Dropout(config.dropout),
                    nn.Linear(config.hidden, config.dim),
                )
                for name in widths
            }
        )
        self.weights = nn.Parameter(torch.zeros(len(widths)))

    def fuse(self, tokens: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return (batch, 1, dim)."""
        own = torch.stack([self.own[name](mean(tokens[name], masks[name])) for name in tokens], -1)
        return (own * self.weights.softmax(0)).sum(-1)[:, None]


class Attention(Strategy):
    """Learned queries look at all modalities at once: ``Q_l+1 = FF(Q_l + attend(Q_l, [x_1; …; x_m]))``.

    Perceiver (Jaegle et al., ICML 2021) and Q-Former (Li et al., BLIP-2, ICML 2023). Fused tokens: ``queries``.
    """

    def __init__(self, widths: Mapping[str, int], config: ModelConfig) -> None:
        super().__init__(widths, config)
        self.queries = nn.Parameter(torch.randn(config.queries, config.dim) * 0.02)
        self.layers = nn.ModuleList(_Layer(config, across=True) for _ in range(config.layers))

    def fuse(self, tokens: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return (batch, queries, dim)."""
        memory, mask = torch.cat([*tokens.values()], 1), torch.cat([*masks.values()], 1)
        x = self.queries.expand(len(memory), -1, -1)
        for layer in self.layers:
            x = layer(x, None, memory, mask)
        return x


class Joint(Strategy):
    """Plain self-attention over the joint sequence: ``x = layers([x_1; …; x_m])``.

    VisualBERT (Li et al., 2019). Fused tokens: all of them; cost grows with the square of their number.
    """

    def __init__(self, widths: Mapping[str, int], config: ModelConfig) -> None:
        super().__init__(widths, config)
        self.layers = nn.ModuleList(_Layer(config, across=False) for _ in range(config.layers))

    def fuse(self, tokens: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return (batch, all tokens, dim); padding is zero."""
        x, mask = torch.cat([*tokens.values()], 1), torch.cat([*masks.values()], 1)
        for layer in self.layers:
            x = layer(x, mask)
        return x * mask[..., None]


class CoAttention(Strategy):
    """Two streams, each looking at the others: ``x_m = FF(x_m + attend(x_m, x_others))`` in turn.

    ViLBERT (Lu et al., NeurIPS 2019), after Lu et al., "Hierarchical Question-Image Co-Attention", 2016. Fused
    tokens: one a modality, its mean after the last layer.
    """

    def __init__(self, widths: Mapping[str, int], config: ModelConfig) -> None:
        super().__init__(widths, config)
        self.streams = nn.ModuleDict(
            {name: nn.ModuleList(_Layer(config, across=True) for _ in range(config.layers)) for name in widths}
        )
        self.depth = config.layers

    def fuse(self, tokens: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return (batch, modalities, dim)."""
        now = dict(tokens)
        for depth in range(self.depth):
            before = now
            now = {}
            for name, x in before.items():
                rest = torch.cat([other for key, other in before.items() if key != name] or [x], 1)
                mask = torch.cat([other for key, other in masks.items() if key != name] or [masks[name]], 1)
                now[name] = self.streams[name][depth](x, masks[name], rest, mask)
        return torch.stack([mean(x, masks[name]) for name, x in now.items()], 1)


class _Layer(nn.Module):
    """Self-attention, attention to another sequence if ``across``, feed-forward; normalised before each part."""

    def __init__(self, config: ModelConfig, across: bool) -> None:
        super().__init__()
        dim, heads = config.dim, config.heads
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3 if across else 2))
        self.inner = nn.MultiheadAttention(dim, heads, config.dropout, batch_first=True)
        self.outer = nn.MultiheadAttention(dim, heads, config.dropout, batch_first=True) if across else None
        self.up, self.down = nn.Linear(dim, config.hidden), nn.Linear(config.hidden, dim)
        self.drop = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, mask: Tensor | None, memory: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """Return (batch, tokens, dim); masks are true where a token is real."""
        y = self.norms[0](x)
        x = x + self.drop(self.inner(y, y, y, None if mask is None else ~mask, need_weights=False)[0])
        if self.outer is not None and memory is not None and memory_mask is not None:
            y = self.norms[1](x)
            x = x + self.drop(self.outer(y, memory, memory, ~memory_mask, need_weights=False)[0])
        forward: Tensor = self.down(self.drop(functional.relu(self.up(self.norms[-1](x)))))
        return x + self.drop(forward)


STRATEGIES: dict[str, type[Strategy]] = {
    "early": Early,
    "late": Late,
    "attention": Attention,
    "joint": Joint,
    "co_attention": CoAttention,
}


def strategy(widths: Mapping[str, int], config: ModelConfig) -> Strategy:
    """Return the strategy that ``config`` names, for modalities of these widths."""
    if config.strategy not in STRATEGIES:
        raise SettingError(f"there is no strategy {config.strategy!r}{nearest(config.strategy, list(STRATEGIES))}")
    return STRATEGIES[config.strategy](widths, config)


def mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the real tokens, (batch, dim)."""
    weights = mask.to(tokens.dtype)[..., None]
    return (tokens * weights).sum(1) / weights.sum(1).clamp(min=1)


def drop_modality(
    given: Mapping[str, Modality], share: float, generator: torch.Generator | None = None
) -> dict[str, Modality]:
    """Return the modalities with one of them absent in about ``share`` of the rows (Neverova et al., ModDrop, 2016)."""
    names = list(given)
    rows = len(given[names[0]].mask)
    device = given[names[0]].mask.device
    hit = torch.rand(rows, generator=generator).to(device) < share
    which = torch.randint(len(names), (rows,), generator=generator).to(device)
    return {
        name: Modality(m.tokens, m.mask & ~(hit & (which == number))[:, None], m.confidence)
        for number, (name, m) in enumerate(given.items())
    }


def info_nce(left_BD: Tensor, right_BD: Tensor, temperature: Tensor | float) -> Tensor:
    """Return the contrastive loss both ways (van den Oord et al., 2018; CLIP, 2021); row i belongs to row i.

    ``-½ mean_i [log softmax_j(l_i·r_j / t)_i + log softmax_j(r_i·l_j / t)_i]`` over unit vectors.
    """
    scores = functional.normalize(left_BD, dim=-1) @ functional.normalize(right_BD, dim=-1).T / temperature
    wanted = torch.arange(len(scores), device=scores.device)
    return (functional.cross_entropy(scores, wanted) + functional.cross_entropy(scores.T, wanted)) / 2
