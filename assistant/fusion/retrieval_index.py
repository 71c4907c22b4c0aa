"""An index of a folder's pictures that is kept on disk: found by words or by another picture.

A picture is encoded once. When the folder is looked at again, what has the same size and time is not even
opened, what was moved or copied is known by the hash of its bytes, what is gone is dropped.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import platformdirs

from .. import pictures
from ..errors import AssistantError, InputError
from ..stages import Eyes
from ..types import Verdict
from . import checkpoint
from .data import PICTURES
from .features import Half
from .layers import Floats
from .retrieval import DualEncoder

log = logging.getLogger(__name__)

SUFFIXES = (*PICTURES, ".gif", ".tif", ".tiff")
EMPTY = (Verdict.BLACK, Verdict.BLANK)
"""Verdicts on frames in which there is nothing to be found."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found."""

    path: Path
    score: float
    """As the checkpoint has it, plus the probabilities of labels that a word names; of two pictures: the cosine."""
    probability: float
    """Calibrated: that the words are true of this picture; between pictures their cosine, at least 0."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a picture beside its vector."""

    size: int
    time: int
    """Nanoseconds, as the file system has it."""
    digest: str
    labels: Mapping[str, float]
    reason: str = ""
    """Why it cannot be found, where it cannot be read or shows nothing."""


@dataclass(slots=True)
class Changes:
    """What an update did."""

    added: int = 0
    kept: int = 0
    removed: int = 0
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    """Pictures that cannot be found, each with the reason."""


class PictureIndex:
    """The pictures below one folder."""

    def __init__(self, folder: Path, encoder: DualEncoder, eyes: Eyes, file: Path | None = None) -> None:
        """Open the index of ``folder``; ``file`` is where it is kept, by default in the user's cache.

        An index that is damaged or was made by another checkpoint is made anew.
        Raises :class:`InputError` where there is no such folder.
        """
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}")
        self.folder, self.encoder, self.eyes = folder.resolve(), encoder, eyes
        key = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        self.file = file or Path(platformdirs.user_cache_dir("assistant")) / "pictures" / f"{key}.npz"
        self._entries: dict[str, Entry] = {}
        self._vectors: dict[str, Half] = {}
        self._load()

    def __len__(self) -> int:
        return len(self._vectors)

    def update(self, report: Callable[[int, int], None] = lambda done, total: None) -> Changes:
        """Bring the index to the state of the folder and keep it; ``report(done, total)`` is called as it goes."""
        entries, vectors = dict(self._entries), dict(self._vectors)
        changes, known = Changes(), {entry.digest: name for name, entry in entries.items()}
        # Unlike Path.is_file this passes over what may not be looked at.
        found = sorted(p for p in self.folder.rglob("*") if p.suffix.lower() in SUFFIXES and os.path.isfile(p))
        gone = set(entries)
        try:
            for number, path in enumerate(found, 1):
                name = path.relative_to(self.folder).as_posix()
                try:
                    self._take(name, path, entries, vectors, known, changes)
                    gone.discard(name)
                except OSError as error:
                    changes.skipped.append((path, f"cannot read {path}: {error.strerror or error}"))
                report(number, len(found))
            for name in gone:
                del self._entries[name]
                self._vectors.pop(name, None)
        finally:
            # What an interruption left unvisited stays in the index.
            if self._entries != entries:
                self._save()
        changes.removed, changes.kept = len(gone), len(self) - changes.added
        return changes

    def _take(
        self,
        name: str,
        path: Path,
        entries: Mapping[str, Entry],
        vectors: Mapping[str, Half],
        known: Mapping[str, str],
        changes: Changes,
    ) -> None:
        """Bring one picture's entry up to date; the arguments are those of the update's start."""
        status = path.stat()
        entry, vector = entries.get(name), vectors.get(name)
        if entry is None or (entry.size, entry.time) != (status.st_size, status.st_mtime_ns):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            entry, same = Entry(status.st_size, status.st_mtime_ns, digest, {}), known.get(digest)
            if same is None:
                entry, vector = self._encode(path, entry)
                changes.added += vector is not None
            else:
                entry, vector = _with(entry, entries[same].labels, entries[same].reason), vectors.get(same)
        if entry.reason:
            changes.skipped.append((path, entry.reason))
        if vector is None:
            self._vectors.pop(name, None)
        else:
            self._vectors[name] = vector
        self._entries[name] = entry

    def _encode(self, path: Path, entry: Entry) -> tuple[Entry, Half | None]:
        try:
            percept = self.eyes.look(pictures.read(path))
        except (AssistantError, OSError) as error:
            return _with(entry, reason=str(error)), None
        if percept.verdict in EMPTY:
            return _with(entry, reason=f"{path} is {percept.verdict.value}"), None
        labels = {label.label: round(label.probability, 3) for label in percept.labels}
        return _with(entry, labels=labels), self.encoder.picture(percept.features).astype(np.float16)

    def search(self, words: str, top: int = 5) -> list[Hit]:
        """Return the pictures that fit the words best.

        Words that the checkpoint never met count where they name a label of the eyes.
        Raises :class:`InputError` where not one word is known either way.
        """
        text = self.encoder.text(words)
        unknown = [_stem(word) for word in self.encoder.unknown(words)]
        names, vectors = self._all()
        named = np.zeros(len(names), np.float32)
        for row, name in enumerate(names):
            for label, probability in self._entries[name].labels.items():
                parts = {_stem(part) for part in re.findall(r"\w+", label.lower())}
                named[row] = max(named[row], probability * any(word in parts for word in unknown))
        if not text.any() and not named.any():
            raise InputError(f"not one word of {words!r} is known; try other words")
        if not names:
            return []
        scores = self.encoder.scores(text[None], vectors)[0] + named
        best = np.argsort(-scores, kind="stable")[:top]
        chances: Floats = named[best]
        if text.any():
            chances = np.maximum(chances, self.encoder.chances(text, vectors[best]))
        return self._hits([names[row] for row in best], scores[best], chances)

    def like(self, picture: Path, top: int = 5) -> list[Hit]:
        """Return the pictures that are most like one, itself left out. Raises :class:`InputError` as reading does."""
        percept = self.eyes.look(pictures.read(picture))
        names, vectors = self._all()
        scores = self.encoder.alike(self.encoder.picture(percept.features), vectors)
        own = picture.resolve()
        best = [row for row in np.argsort(-scores, kind="stable") if self.folder / names[row] != own][:top]
        return self._hits([names[row] for row in best], scores[best], np.clip(scores[best], 0, 1))

    def _all(self) -> tuple[list[str], Half]:
        names = sorted(self._vectors.keys() & self._entries.keys())
        vectors = [self._vectors[name] for name in names] or [np.zeros(self.encoder.dim, np.float16)]
        return names, np.stack(vectors)[: len(names)]

    def _hits(self, names: list[str], scores: Floats, chances: Floats) -> list[Hit]:
        return [
            Hit(self.folder / name, score, chance)
            for name, score, chance in zip(names, scores.tolist(), chances.tolist(), strict=True)
        ]

    def _load(self) -> None:
        try:
            # From memory: numpy leaves a file open that it finds to be damaged.
            with np.load(io.BytesIO(self.file.read_bytes()), allow_pickle=False) as saved:
                table = json.loads(str(saved["table"]))
                entries = {name: Entry(**entry) for name, entry in table["entries"].items()}
                vectors = dict(zip(table["names"], saved["vectors"], strict=True))
                same = table["checkpoint"] == self._checkpoint() and table["folder"] == str(self.folder)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile) as error:
            log.warning("the index %s is damaged (%s); it is made anew", self.file, error)
            return
        if same:
            self._entries, self._vectors = entries, vectors

    def _save(self) -> None:
        names, vectors = self._all()
        table: dict[str, Any] = {
            "checkpoint": self._checkpoint(),
            "folder": str(self.folder),
            "names": names,
            "entries": {name: _table(entry) for name, entry in self._entries.items()},
        }
        out = io.BytesIO()
        np.savez(out, table=np.array(json.dumps(table)), vectors=vectors)
        checkpoint.write(self.file, out.getvalue())

    def _checkpoint(self) -> str:
        """Return what tells this checkpoint from another: a hash of weights that all vectors go through."""
        digest = hashlib.sha256(self.encoder.w["places.out.weight"].tobytes())
        return f"{self.eyes.encoder}:{digest.hexdigest()[:16]}"


def _with(entry: Entry, labels: Mapping[str, float] | None = None, reason: str = "") -> Entry:
    return Entry(entry.size, entry.time, entry.digest, labels or {}, reason)


def _table(entry: Entry) -> dict[str, Any]:
    return {
        "size": entry.size,
        "time": entry.time,
        "digest": entry.digest,
        "labels": dict(entry.labels),
        "reason": entry.reason,
    }


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
