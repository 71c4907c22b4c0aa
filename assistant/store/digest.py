"""SHA-256 of files, and the stamps that spare computing it again at each start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import output

BLOCK = 1 << 20  # 1 MiB


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a file looked when its digest was last computed."""

    size: int
    mtime_ns: int
    sha256: str

    def holds(self, path: Path) -> bool:
        """Whether the file still looks the same; a change that keeps size and time is not seen."""
        try:
            status = path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)


def sha256(path: Path) -> str:
    """Return the digest of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(path: Path, digest: str | None = None) -> Stamp:
    """Return the stamp of a file; ``digest`` where it is known already."""
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns, digest or sha256(path))


def read_stamps(path: Path) -> tuple[str, dict[str, Stamp]]:
    """Return the recipe and the stamps of one model; an unreadable file is no stamps."""
    try:
        record = json.loads(path.read_text("utf-8"))
        return str(record.get("recipe", "")), {name: Stamp(**values) for name, values in record["files"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return "", {}


def write_stamps(path: Path, stamps: Mapping[str, Stamp], recipe: str = "") -> None:
    """Write the stamps of one model, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with output.whole(path) as partial:
        partial.write_text(json.dumps({"recipe": recipe, "files": {name: asdict(one) for name, one in stamps.items()}}))
