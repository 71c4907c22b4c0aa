"""A file that is written: what is wrong with its name is told before the work, and it appears when it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


def check(path: Path, endings: Sequence[str] = ()) -> None:
    """Raise :class:`InputError` where a file cannot be written, as far as that is known beforehand."""
    if endings and path.suffix.lower() not in endings:
        *most, last = endings
        raise InputError(f"cannot write {path}; the name must end in {', '.join(most)}{' or ' if most else ''}{last}")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise InputError(f"there is no folder {path.parent}; make it first")
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write {path}: {path.parent} cannot be written to; give another folder")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a name to write to, which becomes ``path`` where all goes well and is removed otherwise."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")  # ends like nothing that is looked for
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
