"""What a language model's cache holds, position by position."""

from __future__ import annotations

from collections.abc import Sequence

from ..stages import SoftTokens, TokenIds

Entry = int | tuple[str, int]
"""A token id, or a soft token's key and its place among the vectors of that key."""


class Ledger:
    """One entry a cached position; decides what of a new prompt is already read."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._soft: dict[str, SoftTokens] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def extend(self, piece: TokenIds | SoftTokens, start: int, end: int) -> None:
        """Note that ``piece[start:end]`` was read."""
        self.entries += entries(piece)[start:end]
        if isinstance(piece, SoftTokens):
            self._soft[piece.key] = piece

    def truncate(self, length: int) -> None:
        """Forget all entries from ``length`` on."""
        del self.entries[length:]
        kept = {entry[0] for entry in self.entries if isinstance(entry, tuple)}
        self._soft = {key: piece for key, piece in self._soft.items() if key in kept}

    def piece(self, position: int) -> TokenIds | SoftTokens:
        """Return what one position was read from."""
        entry = self.entries[position]
        return [entry] if isinstance(entry, int) else part(self._soft[entry[0]], entry[1], entry[1] + 1)

    def common(self, pieces: Sequence[TokenIds | SoftTokens]) -> int:
        """Return how many leading positions of ``pieces`` are in the cache."""
        wanted = [entry for piece in pieces for entry in entries(piece)]
        for position, (mine, other) in enumerate(zip(self.entries, wanted, strict=False)):
            if mine != other:
                return position
        return min(len(self.entries), len(wanted))


def size(piece: TokenIds | SoftTokens) -> int:
    """Return how many positions a piece takes."""
    return len(piece.vectors) if isinstance(piece, SoftTokens) else len(piece)


def entries(piece: TokenIds | SoftTokens) -> list[Entry]:
    """Return a piece as ledger entries."""
    if isinstance(piece, SoftTokens):
        return [(piece.key, index) for index in range(len(piece.vectors))]
    return list(piece)


def part(piece: TokenIds | SoftTokens, start: int, end: int) -> TokenIds | SoftTokens:
    """Return ``piece[start:end]``; of soft tokens only the vectors count, not the key."""
    if isinstance(piece, SoftTokens):
        return SoftTokens(piece.vectors[start:end], piece.key)
    return piece[start:end]
