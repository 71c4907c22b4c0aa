"""Features of pictures, sounds and texts, computed once and kept on disk by the hash of their content."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from ..errors import AssistantError, InputError
from ..types import Pixels
from .encoders import PictureEncoder

log = logging.getLogger(__name__)

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

    def fill(
        self, images: Iterable[Path], flip: bool = False, report: Callable[[int, int], None] = lambda done, total: None
    ) -> list[Path]:
        """Encode all pictures that are not in the cache yet; return those that can be used.

        A picture that cannot be read goes to :attr:`skipped`, and the rest goes on.
        ``flip`` encodes mirrored copies too. ``report(done, total)`` is called as it goes.
        Raises :class:`InputError` where not one picture can be used.
        """
        wanted = list(dict.fromkeys(images))
        good: list[Path] = []
        with ThreadPoolExecutor(1) as reading:
            pending = [reading.submit(self._open, path, flip) for path in wanted[:4]]
            for number, path in enumerate(wanted):
                pixels = pending.pop(0).result()
                if number + 4 < len(wanted):
                    pending.append(reading.submit(self._open, wanted[number + 4], flip))
                if isinstance(pixels, str):
                    self.skipped.append((path, pixels))
                    continue
                for mirrored in (False, True)[: 1 + flip]:
                    self._encode(path, pixels, mirrored)
                good.append(path)
                report(number + 1, len(wanted))
        if self.skipped:
            log.warning("skipped %d of %d pictures that cannot be read", len(self.skipped), len(wanted))
        if wanted and not good:
            raise InputError(f"not one of {len(wanted)} pictures can be read; the first: {self.skipped[0][1]}")
        return good

    def get(self, image: Path, flip: bool = False) -> Half:
        """Return the features of a picture, (tokens, dim); :meth:`fill` must have seen it."""
        array: Half = np.load(self._file(image, flip))
        return array

    def batch(self, images: Sequence[Path], flips: Sequence[bool] | None = None) -> NDArray[np.float32]:
        """Return the features of several pictures as float32, (pictures, tokens, dim)."""
        flips = flips or [False] * len(images)
        return np.stack([self.get(image, flip) for image, flip in zip(images, flips, strict=True)]).astype(np.float32)

    def _open(self, path: Path, flip: bool) -> Pixels | str | None:
        """Return a picture's pixels, ``None`` where its features are there already, or why it cannot be read."""
        from .. import pictures

        try:
            if all(self._file(path, mirrored).is_file() for mirrored in (False, True)[: 1 + flip]):
                return None
            return pictures.read(path).pixels
        except (AssistantError, OSError) as error:
            return str(error)

    def _encode(self, path: Path, pixels: Pixels | None, mirrored: bool) -> None:
        file = self._file(path, mirrored)
        if pixels is None or file.is_file():
            return
        picture = np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
        with partial.open("wb") as out:
            np.save(out, self.encoder.encode(picture).astype(np.float16))
        partial.replace(file)

    def _file(self, path: Path, mirrored: bool) -> Path:
        if path not in self._keys:
            self._keys[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        key = self._keys[path]
        return self.folder / self.encoder.layout.name / key[:2] / f"{key}{'-mirrored' if mirrored else ''}.npy"
