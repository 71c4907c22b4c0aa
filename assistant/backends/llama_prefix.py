"""Caches of constant prompts on disk, so that a second start need not read them again.

A file is its SHA-256 and then the state as llama.cpp writes it. Its name is a hash of all
that the state depends on; a damaged file is ignored and made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path

import platformdirs

log = logging.getLogger(__name__)

MOST_FILES = 4
"""States kept; the one that was not used for longest goes first (18 MB each for the default model)."""


class PrefixFiles:
    """A folder of states, by key."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(platformdirs.user_cache_dir("assistant")) / "prompts"

    def load(self, key: str) -> bytes | None:
        """Return the state of a key, or ``None`` where there is none, or only a damaged one."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        digest, state = data[:32], data[32:]
        if hashlib.sha256(state).digest() != digest:
            log.info("%s is damaged and will be made anew", path)
            return None
        with contextlib.suppress(OSError):  # a cache on a read-only disk still serves
            os.utime(path)
        return state

    def save(self, key: str, state: bytes) -> None:
        """Keep a state; a full or read-only disk only costs the next start some time."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, partial = tempfile.mkstemp(dir=self.folder, suffix=".partial")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(hashlib.sha256(state).digest())
                    file.write(state)
                os.replace(partial, self._path(key))
            except BaseException:
                Path(partial).unlink(missing_ok=True)
                raise
            self._tidy()
        except OSError as error:
            log.info("the prompt cache was not saved: %s", error)

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.state"

    def _tidy(self) -> None:
        newest_first = sorted(self.folder.glob("*.state"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in newest_first[MOST_FILES:]:
            old.unlink(missing_ok=True)
