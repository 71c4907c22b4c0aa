"""Features of pictures, computed once and kept on disk by the hash of their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from ..errors import AssistantError, InputError
from ..types import Pixels
from .encoders import PictureEncoder

Half = NDArray[np.float16]


@dataclass(eq=False)
class Features:
    """The features of a data set's pictures by one encoder.

    Kept as float16, a file a picture, named by the SHA-256 of the picture's bytes: a picture that
    was moved or copied is not encoded twice, one that was changed is.
    """

    encoder: PictureEncoder
    folder: Path = field(default_factory=lambda: Path(platformdirs.user_cache_dir("assistant")) / "features")
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    """Pictures that could not be read, each with the reason."""
    _keys: dict[Path, str] = field(default_factory=dict)

    def fill(self, images: Iterable[Path]) -> None:
        """Make sure that all pictures are encoded; those that cannot be read go to :attr:`skipped`.

        Raises :class:`InputError` where not one picture can be read.
        """
        wanted = list(dict.fromkeys(images))
        good = [self.add(image) for image in wanted]
        if wanted and not any(good):
            raise InputError(f"not one of {len(wanted)} pictures can be read; the first: {self.skipped[0][1]}")

    def add(self, image: Path) -> bool:
        """Make sure that a picture is encoded; return whether it can be used."""
        from .. import pictures

        try:
            file = self._file(image)
            pixels = None if file.is_file() else pictures.read(image).pixels
        except (AssistantError, OSError) as error:
            self.skipped.append((image, str(error)))
            return False
        if pixels is not None:
            self._encode(file, pixels)
        return True

    def get(self, image: Path) -> Half:
        """Return the features of a picture, (tokens, dim); :meth:`fill` or :meth:`add` must have seen it."""
        array: Half = np.load(self._file(image))
        return array

    def batch(self, images: Sequence[Path]) -> NDArray[np.float32]:
        """Return the features of several pictures as float32, (pictures, tokens, dim)."""
        return np.stack([self.get(image) for image in images]).astype(np.float32)

    def _encode(self, file: Path, pixels: Pixels) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
        with partial.open("wb") as out:
            np.save(out, self.encoder.encode(pixels).astype(np.float16))
        partial.replace(file)

    def _file(self, path: Path) -> Path:
        if path not in self._keys:
            self._keys[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        key = self._keys[path]
        return self.folder / self.encoder.layout.name / key[:2] / f"{key}.npy"
