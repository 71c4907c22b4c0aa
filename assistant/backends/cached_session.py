"""What every language model session does alike: the ledger, reading in chunks, generating, cancelling."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, Interrupted, ModelError
from ..stages import Sampling, SoftTokens, TokenIds, Urged, never
from ..types import Features
from .decoding import Chooser, TextStream
from .ledger import Ledger, entries, part, size

STEP = 16
"""Positions read at once while something more urgent may come; smaller steps read more slowly."""
LIKELY = 64
"""Next tokens that are looked at for the end of a sentence."""
STOPS = tuple(sign.encode() for sign in (".", "?", "!", "\n", "。", "？", "！", "؟", "।"))
"""What ends a sentence."""


class Grammar(Protocol):
    """Follows a reply and knows which tokens may come next."""

    def allows(self, token: int) -> bool:
        """Tell whether this token may come next."""
        ...

    def mask(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits with every token that may not come next at minus infinity."""
        ...

    def accept(self, token: int) -> None:
        """Move on by one token."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class CachedSession(ABC):
    """A language model with a cache; subclasses run the network, this class keeps the books."""

    name: str
    dim: int
    context: int
    chunk = 64
    """Positions read at once: a cancelled reading stops at the latest after so many."""

    def __init__(self, temperature: float) -> None:
        self._temperature = temperature
        self._ledger = Ledger()
        self._fresh = False  # whether the network's logits are those after the last position
        self._heeded: int | None = None  # a position whose logits are wanted too
        self._row: NDArray[np.float32] | None = None  # these logits
        self._began: tuple[int, NDArray[np.float32]] | None = None  # where a generation began, and the logits there
        self._lock = threading.RLock()
        self._cancelled = threading.Event()
        self._changes = 0
        self._closed = False

    @abstractmethod
    def tokenize(self, text: str, special: bool = True) -> TokenIds:
        """Return token ids; markers are parsed as such where ``special``."""

    @abstractmethod
    def _read(self, piece: TokenIds | SoftTokens, heed: int | None = None) -> NDArray[np.float32] | None:
        """Run the network over at most :attr:`chunk` positions at the end of the cache.

        Returns the logits after the position at ``heed`` of the piece, where one is asked for.
        """

    @abstractmethod
    def _forget(self, length: int) -> None:
        """Drop the cache from position ``length`` on."""

    @abstractmethod
    def _logits(self) -> NDArray[np.float32]:
        """Return the logits of the last position read; valid until the next one is."""

    @abstractmethod
    def _bytes(self, token: int) -> bytes:
        """Return what a token adds to the text; nothing for a marker."""

    @abstractmethod
    def _ends(self, token: int) -> bool:
        """Tell whether a token ends the model's turn."""

    @abstractmethod
    def _grammar(self, grammar: str) -> Grammar:
        """Return a follower of a GBNF grammar. Raises :class:`InputError` where it has a fault."""

    @abstractmethod
    def _free(self) -> None:
        """Free the model."""

    @property
    def length(self) -> int:
        """Positions in the cache now."""
        return len(self._ledger)

    def cancel(self) -> None:
        """Stop the reading or generation that runs now, from any thread; nothing where none runs."""
        self._cancelled.set()

    def append(self, piece: TokenIds | SoftTokens) -> None:
        """Read a piece into the cache.

        Raises :class:`ModelError` where it does not fit, :class:`Interrupted` where it was cancelled;
        the cache then holds what was read so far.
        """
        with self._lock:
            self._cancelled.clear()
            self._append(piece)

    def truncate(self, length: int) -> None:
        """Forget all positions from ``length`` on."""
        with self._lock:
            if not 0 <= length <= self.length:
                raise ModelError(f"cannot roll back to {length}: the cache holds {self.length} positions")
            self._truncate(length)

    def sync(self, pieces: Sequence[TokenIds | SoftTokens], urged: Urged = never) -> None:
        """Make the cache hold exactly ``pieces``: keep the common prefix, read only the rest.

        Raises as :meth:`append` does, and :class:`Interrupted` where it was urged to stop.
        """
        with self._lock:
            self._cancelled.clear()
            total = sum(size(piece) for piece in pieces)
            self._check_room(total)
            known = self._ledger.common(pieces)
            self._truncate(known)
            if known == total > 0 and not self._fresh:
                known -= 1  # the last position is read again for its logits
                self._truncate(known)
            for piece in pieces:
                skipped = min(known, size(piece))
                known -= skipped
                self._append(piece, skipped, urged)

    def logits(self) -> NDArray[np.float32]:
        """Return the logits after the last position, (vocabulary,)."""
        with self._lock:
            self._refresh()
            return self._newest().copy()

    def ending(
        self,
        pieces: Sequence[TokenIds | SoftTokens],
        prompt: Sequence[TokenIds | SoftTokens],
        urged: Urged = never,
    ) -> float:
        """Read ``pieces`` as :meth:`sync` does; return the probability in [0, 1] that a sentence ends after them.

        That is: of a next token that begins with a sign that ends sentences or a new line, or that ends the turn.
        Where ``prompt`` begins with ``pieces``, all of it is read at once: a few more positions cost less than a
        second step. Where ``pieces`` are all that was read last, the answer is known, and nothing is read. Raises as
        :meth:`sync` does, and :class:`ModelError` where there is nothing to read.
        """
        begun = [entry for piece in pieces for entry in entries(piece)]
        if not begun:
            raise ModelError(f"{self.name} has read nothing yet; append a prompt first")
        same = begun == [entry for piece in prompt for entry in entries(piece)][: len(begun)]
        with self._lock:
            self._check_room(len(begun))
            if self._ledger.common(pieces) == len(begun):
                if self._fresh and self.length == len(begun):
                    return self._chance_of_end(self._newest())
                self._truncate(len(begun) - 1)  # read again for its logits
            self._heeded, self._row = len(begun) - 1, None
            try:
                self.sync(prompt if same else pieces, urged)
            finally:
                self._heeded = None
            assert self._row is not None
            return self._chance_of_end(self._row)

    def _chance_of_end(self, logits: NDArray[np.float32]) -> float:
        likely = np.argpartition(logits, -LIKELY)[-LIKELY:] if len(logits) > LIKELY else np.arange(len(logits))
        chances = np.exp(logits - logits.max(), dtype=np.float64)
        ends = [t for t in likely.tolist() if self._ends(t) or self._bytes(t).lstrip(b" ").startswith(STOPS)]
        return float(chances[ends].sum() / chances.sum())

    def generate(self, options: Sampling | None = None) -> Iterator[str]:
        """Yield text pieces until the model ends its turn; closing the iterator stops within one token.

        What was generated is in the cache, except a token that nothing came after: it is read only when
        the next one is wanted, so its text need not wait for that. After a roll back to where it began the
        logits there are still known, not read anew and rounded otherwise. Ends early after :meth:`cancel`, and
        where another caller changes the cache in between. Raises
        :class:`ModelError` where nothing was read before or the context is full,
        :class:`InputError` for a grammar with a fault.
        """
        wishes = options or Sampling()
        temperature = self._temperature if wishes.temperature is None else wishes.temperature
        chooser, stream = Chooser(temperature, wishes.seed), TextStream(wishes.stop)
        grammar = self._grammar(wishes.grammar) if wishes.grammar else None
        try:
            with self._lock:
                self._cancelled.clear()
                changes = self._changes
            newest: TokenIds = []
            for _ in range(wishes.max_tokens):
                with self._lock:
                    if self._cancelled.is_set() or changes != self._changes or self._closed:
                        return
                    self._append(newest)
                    if not newest:
                        self._refresh()
                        self._began = self.length, self._newest().copy()
                    token = self._choose(chooser, grammar)
                    changes = self._changes
                if token is None:
                    break
                newest = [token]
                if text := stream.push(self._bytes(token)):
                    yield text
                if stream.stopped:
                    return
            if text := stream.push(b"", final=True):
                yield text
        except Interrupted:
            return
        finally:
            if grammar is not None:
                grammar.close()

    def close(self) -> None:
        """Free the model; a generation that runs ends first."""
        self.cancel()
        with self._lock:
            if not self._closed:
                self._closed = True
                self._free()

    def _choose(self, chooser: Chooser, grammar: Grammar | None) -> int | None:
        """Choose the next token; ``None`` where the turn ends."""
        self._refresh()
        logits = self._newest()
        token = chooser.choose(logits)
        if grammar is not None:
            if not grammar.allows(token):
                masked = grammar.mask(logits)
                if not np.isfinite(masked.max()):
                    return None
                token = chooser.choose(masked)
        if self._ends(token):
            return None
        if grammar is not None:
            grammar.accept(token)
        return token

    def _newest(self) -> NDArray[np.float32]:
        """Return the logits after the last position, where they are known."""
        return self._began[1] if self._began is not None and self._began[0] == self.length else self._logits()

    def _refresh(self) -> None:
        if self._closed:
            raise ModelError(f"{self.name} is closed")
        if self.length == 0:
            raise ModelError(f"{self.name} has read nothing yet; append a prompt first")
        if self._fresh:
            return
        last = self._ledger.piece(self.length - 1)
        self._truncate(self.length - 1)
        self._append(last)

    def _check_room(self, total: int) -> None:
        if self._closed:
            raise ModelError(f"{self.name} is closed")
        if total > self.context:
            raise ModelError(
                f"{total} positions do not fit into the {self.context} of {self.name}; raise brain.context or say less"
            )

    def _append(self, piece: TokenIds | SoftTokens, start: int = 0, urged: Urged = never) -> None:
        """Read ``piece[start:]``."""
        if isinstance(piece, SoftTokens):
            self._check_vectors(piece.vectors)
        self._check_room(self.length + size(piece) - start)
        step = self.chunk if urged is never else STEP
        for begin in range(start, size(piece), step):
            if self._cancelled.is_set() or urged():
                raise Interrupted("reading was cancelled")
            end = min(begin + step, size(piece))
            self._changes += 1
            try:
                heed = None if self._heeded is None else self._heeded - self.length
                row = self._read(part(piece, begin, end), heed if heed in range(end - begin) else None)
                self._row = self._row if row is None else row
            except BaseException:
                self._began = None
                self._forget(self.length)
                self._fresh = False
                raise
            self._ledger.extend(piece, begin, end)
            self._fresh = True

    def _truncate(self, length: int) -> None:
        if length < self.length:
            self._changes += 1
            began, self._began = self._began, None
            self._forget(length)
            self._ledger.truncate(length)
            if began is not None and began[0] <= length:
                self._began = began
            self._fresh = began is not None and began[0] == length

    def _check_vectors(self, vectors: Features) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise InputError(
                f"soft tokens of shape {vectors.shape} do not fit {self.name}; it wants (tokens, {self.dim})"
            )
