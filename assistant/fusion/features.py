"""Features of pictures or sounds, computed once and kept on disk by the hash of their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from .. import output
from ..errors import AssistantError, InputError
from ..types import AudioChunk, Pixels
from ..types import Features as Vectors
from .encoders import PictureEncoder, SoundEncoder

Half = NDArray[np.float16]

LONGEST = 30.0
"""Seconds of a sound that are read."""


@dataclass(eq=False)
class Features:
    """The features of a data set's pictures, or sounds, by one encoder.

    Kept as float16, a file for each, named by the SHA-256 of the picture's or the sound's bytes: one that
    was moved or copied is not encoded twice, one that was changed is.
    """

    encoder: PictureEncoder | SoundEncoder
    folder: Path = field(default_factory=lambda: Path(platformdirs.user_cache_dir("assistant")) / "features")
    dim: int | None = None
    """How many features of each token are given, the first ones; ``None``: all."""
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    """Files that could not be read, each with the reason."""
    _keys: dict[Path, str] = field(default_factory=dict)

    @property
    def modality(self) -> str:
        """``picture`` or ``sound``."""
        return self.encoder.layout.modality

    def fill(self, files: Iterable[Path]) -> None:
        """Make sure that all files are encoded; those that cannot be read go to :attr:`skipped`.

        Raises :class:`InputError` where not one can be read.
        """
        wanted = list(dict.fromkeys(files))
        good = [self.add(file) for file in wanted]
        if wanted and not any(good):
            raise InputError(f"not one of {len(wanted)} {self.modality}s can be read; the first: {self.skipped[0][1]}")

    def add(self, file: Path) -> bool:
        """Make sure that a file is encoded; return whether it can be used."""
        try:
            kept = self._file(file)
            content = None if kept.is_file() else self._read(file)
        except (AssistantError, OSError) as error:
            self.skipped.append((file, str(error)))
            return False
        if content is not None:
            self._encode(kept, content)
        return True

    def get(self, file: Path) -> Half:
        """Return the features of a file, (tokens, dim); :meth:`fill` or :meth:`add` must have seen it."""
        array: Half = np.load(self._file(file))
        return array[:, : self.dim]

    def batch(self, images: Sequence[Path]) -> NDArray[np.float32]:
        """Return the features of several pictures as float32, (pictures, tokens, dim)."""
        return np.stack([self.get(image) for image in images]).astype(np.float32)

    def _read(self, path: Path) -> Pixels | AudioChunk:
        """Return the picture, or the beginning of the sound."""
        from .. import pictures, sound

        if self.modality == "picture":
            return pictures.read(path).pixels
        with closing(sound.blocks(path, seconds=LONGEST)) as blocks:
            return next(blocks)

    def _encode(self, file: Path, content: Pixels | AudioChunk) -> None:
        encode: Callable[[Any], Vectors] = self.encoder.encode
        file.parent.mkdir(parents=True, exist_ok=True)
        with output.whole(file) as partial, partial.open("wb") as out:
            np.save(out, encode(content).astype(np.float16))

    def _file(self, path: Path) -> Path:
        if path not in self._keys:
            self._keys[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        key = self._keys[path]
        layout = self.encoder.layout
        name = layout.name.replace("/", "--").replace(os.sep, "--")  # a model of a hub or of a folder
        prepared = hashlib.sha256(layout.preprocessing.encode()).hexdigest()[:8]
        return self.folder / f"{name}-{layout.dim}-{prepared}" / key[:2] / f"{key}.npy"
