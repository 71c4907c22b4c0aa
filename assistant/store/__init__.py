"""The model store: what exists, where it comes from, and whether it is intact.

A folder with one sub-folder a model. A model is visible there only when all of its
files are whole and checked; what is under way lies in ``.partial``.
"""

from __future__ import annotations

import errno
import importlib
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import platformdirs

from ..config import Settings
from ..errors import AssistantError, DownloadError, ExtraMissing, InputError, ModelError, OfflineError, SettingError
from .digest import Stamp, read_stamps, sha256, stamp, write_stamps
from .fetch import Fetch
from .manifest import File, Manifest, Model
from .progress import Progress

__all__ = ["Condition", "Entry", "File", "Manifest", "Model", "Store"]

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 4
"""Downloads at a time."""
RESERVE = 200_000_000
"""Bytes that are left free on the disk."""


class Condition(StrEnum):
    """How a model stands in the store."""

    READY = "ready"
    MISSING = "missing"
    PARTIAL = "partial"
    """Its download was begun."""
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of ``assistant models list``."""

    model: Model
    condition: Condition
    needed: bool
    """Whether the settings in force ask for it."""
    problem: str = ""


class Store:
    """The models of one folder."""

    def __init__(self, settings: Settings, progress: bool = False) -> None:
        self.settings = settings
        self.progress = progress
        """Whether downloads are drawn on stderr."""
        self.root = Path(settings.store.path or Path(platformdirs.user_data_dir("assistant")) / "models").expanduser()
        if settings.store.prefer not in ("hub", "registry"):
            raise SettingError(f"store.prefer must be hub or registry, not {settings.store.prefer!r}")

    @cached_property
    def manifest(self) -> Manifest:
        """The models that are known."""
        return Manifest.load()

    def require(self, model: str) -> Path:
        """Return the folder of a model, fetching or making it first where it is missing and that is allowed.

        Raises :class:`~assistant.errors.OfflineError` where it is missing and the network is
        forbidden, :class:`~assistant.errors.ModelError` where the manifest does not know it or
        where its files are damaged.
        """
        entry = self.manifest[model]
        if self._absent(entry):
            if not self.settings.store.download:
                raise ModelError(f"the model {model} is not in the store; run: assistant models pull {model}")
            self.pull([model])
        elif problem := self.check(model):
            raise ModelError(f"{problem}; run: assistant models pull {model}")
        return self.root / model

    def path(self, model: str) -> Path:
        """Return the folder of a model that is in the store, fetching nothing."""
        if self._absent(self.manifest[model]):
            raise ModelError(f"the model {model} is not in the store; run: assistant models pull {model}")
        return self.root / model

    def entries(self) -> list[Entry]:
        """Return every known model and how it stands, by a look at sizes and times only."""
        needed = self.manifest.needed(self.settings)
        entries = []
        for model in self.manifest:
            problem = ""
            if not self._absent(model):
                problem = self.check(model.id, digests=False)
                condition = Condition.DAMAGED if problem else Condition.READY
            else:
                begun = self._work(model.id).is_dir() and any(self._work(model.id).iterdir())
                condition = Condition.PARTIAL if begun else Condition.MISSING
            entries.append(Entry(model, condition, model.id in needed, problem))
        return entries

    def check(self, model: str, digests: bool = True) -> str:
        """Return what is wrong with a model that is in the store, or an empty text.

        A file that looks as it did when its digest was last computed counts as intact; of any
        other the digest is computed, unless ``digests`` is false.
        """
        entry, (recipe, stamps) = self.manifest[model], read_stamps(self._stamps(model))
        fresh: dict[str, Stamp] = {}
        for file in self._files(entry, stamps):
            path = self.root / model / file.path
            if not path.is_file():
                return f"the model {model} is damaged: {file.path} is missing"
            size = path.stat().st_size
            if file.size and size != file.size:
                return f"the model {model} is damaged: {file.path} has {size} bytes instead of {file.size}"
            known = stamps.get(file.path)
            if known and known.holds(path) and file.sha256 in ("", known.sha256):
                fresh[file.path] = known
            elif digests:
                fresh[file.path] = stamp(path)
                right = file.sha256 or (known.sha256 if known else "")
                if right and fresh[file.path].sha256 != right:
                    return f"the model {model} is damaged: {file.path} has another SHA-256 than it should have"
        if digests and fresh != stamps:
            self._write_stamps(model, fresh, recipe)
        return ""

    def verify(self, model: str) -> str:
        """Compute all digests anew; return what is wrong, or an empty text."""
        self.path(model)
        entry, (recipe, stamps) = self.manifest[model], read_stamps(self._stamps(model))
        unproved = {}
        for file in self._files(entry, stamps):
            if right := file.sha256 or (stamps[file.path].sha256 if file.path in stamps else ""):
                unproved[file.path] = Stamp(0, 0, right)
        self._write_stamps(model, unproved, recipe)
        return self.check(model)

    def remove(self, model: str) -> int:
        """Delete a model and what is left of its downloads; return the bytes that became free."""
        known = self.manifest[model].id
        freed = 0
        with self._locked(known):
            for folder in (self.root / known, self._work(known)):
                freed += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                shutil.rmtree(folder, ignore_errors=True)
            self._stamps(known).unlink(missing_ok=True)
        return freed

    def adopt(self, model: str, paths: Iterable[Path]) -> list[str]:
        """Take the files of a model from this machine, known by their digests; folders are searched.

        Returns the files that are still missing; what was found is kept until they come.
        Raises :class:`InputError` where a path does not exist or nothing in it fits.
        """
        entry = self.manifest[model]
        if entry.source:
            raise InputError(f"{model} is made on this machine from {entry.source}; import that one")
        found = list(_walk(paths))
        with self._locked(model), self._one_line(entry), ThreadPoolExecutor(1) as idle:
            fetch = Fetch(entry, self._work(model), idle, Progress(False))
            fetch.files.mkdir(parents=True, exist_ok=True)
            self._keep_intact(entry, fetch.files)
            before = fetch.missing()
            for file in before:
                for path in found:
                    if _fits(file, path):
                        copy = fetch.work / "imported"
                        shutil.copyfile(path, copy)
                        fetch.accept(file, copy)
                        break
            lacking = [file.path for file in fetch.missing()]
            if before and len(lacking) == len(before):
                names = ", ".join(lacking)
                raise InputError(f"none of the files given is a file of {model} (by size and SHA-256): {names}")
            if not lacking:
                self._publish(entry, fetch, {file.path: file.sha256 for file in entry.files})
        return lacking

    def pull(self, models: Iterable[str], said: Callable[[str], None] | None = None) -> None:
        """Fetch or make what is missing or damaged of some models, side by side.

        ``said`` is told one line for each model that has arrived. Raises
        :class:`~assistant.errors.OfflineError` or :class:`~assistant.errors.DownloadError`;
        what could be had is in the store then, and the rest goes on from where it was.
        """
        wanted = [self.manifest[model] for model in dict.fromkeys(models)]
        made = [entry for entry in wanted if entry.source and self._due(entry)]
        sources = [self.manifest[entry.source] for entry in made]
        fetched = {entry.id: entry for entry in (*wanted, *sources) if not entry.source and self._due(entry)}
        tell = said or log.info
        if fetched:
            self._allowed(fetched)
            self._fetch_all(list(fetched.values()), tell)
        for entry in made:
            started = time.monotonic()
            self._make(entry)
            tell(f"made {entry.id} from {entry.source} in {time.monotonic() - started:.0f} s")

    def _allowed(self, fetched: dict[str, Model]) -> None:
        remote = [entry.id for entry in fetched.values() if entry.local is None]
        if remote and self.settings.store.offline:
            names = " ".join(remote)
            raise OfflineError(
                f"not in the store, and the network is forbidden: {names}; without ASSISTANT_OFFLINE run: "
                f"assistant models pull {names}; or with files at hand: assistant models import MODEL FILE…"
            )
        missing = sum(max(0, entry.size - _folder_bytes(self._work(entry.id))) for entry in fetched.values())
        free = shutil.disk_usage(_existing(self.root)).free
        if missing + RESERVE > free:
            raise DownloadError(
                f"the disk is too full: {_human(missing + RESERVE)} are needed in {self.root} and {_human(free)} are "
                "free; free some space, or run: assistant config set store.path FOLDER"
            )

    def _fetch_all(self, entries: Sequence[Model], tell: Callable[[str], None]) -> None:
        downloads, models = ThreadPoolExecutor(SIDE_BY_SIDE), ThreadPoolExecutor(len(entries))
        with Progress(self.progress) as progress:
            fetches = [Fetch(entry, self._work(entry.id), downloads, progress) for entry in entries]
            for entry in entries:
                progress.begin(entry.id, entry.size)
            running = {models.submit(self._fetch, fetch): fetch for fetch in fetches}
            errors: list[BaseException] = []
            try:
                pending = set(running)
                while pending:
                    done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                    for future in done:
                        if error := future.exception():
                            errors.append(error)
                        elif line := future.result():
                            tell(line)
            finally:
                for fetch in fetches:
                    fetch.stop.set()
                models.shutdown(wait=True, cancel_futures=True)
                downloads.shutdown(wait=True, cancel_futures=True)
        for unexpected in errors:
            if not isinstance(unexpected, AssistantError):
                raise unexpected
        if errors:
            more = f" (and {len(errors) - 1} more models)" if len(errors) > 1 else ""
            raise DownloadError(f"{errors[0]}{more}") from errors[0]

    def _fetch(self, fetch: Fetch) -> str:
        entry, started = fetch.model, time.monotonic()
        with self._one_line(entry), self._locked(entry.id, fetch):
            if not self._due(entry):  # another process was faster
                return ""
            fetch.files.mkdir(parents=True, exist_ok=True)
            self._keep_intact(entry, fetch.files)
            self._publish(entry, fetch, fetch.run(self.settings.store.prefer))
        return f"fetched {entry.id} ({_human(entry.size)}) in {time.monotonic() - started:.0f} s"

    def _keep_intact(self, entry: Model, files: Path) -> None:
        """Move the files of a damaged model that are whole to where the missing ones will come."""
        for file in entry.files:
            path, kept = self.root / entry.id / file.path, files / file.path
            if not kept.exists() and file.sha256 and path.is_file() and _fits(file, path):
                kept.parent.mkdir(parents=True, exist_ok=True)
                path.replace(kept)

    def _publish(self, entry: Model, fetch: Fetch, digests: dict[str, str]) -> None:
        self._place(entry.id, fetch.files)
        folder = self.root / entry.id
        self._write_stamps(entry.id, {path: stamp(folder / path, digest) for path, digest in digests.items()})
        shutil.rmtree(fetch.work, ignore_errors=True)

    def _place(self, model: str, files: Path) -> None:
        """Make a finished folder visible in one step."""
        target, old = self.root / model, self._work(model) / "old"
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.replace(old)
        files.replace(target)

    def _make(self, entry: Model) -> None:
        """Make a model from another one."""
        source = self.require(entry.source)
        with self._one_line(entry), self._locked(entry.id):
            if not self._due(entry):
                return
            making = self._work(entry.id) / "files"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True)
            module, _, function = entry.derive.partition(":")
            try:
                getattr(importlib.import_module(module), function)(source, making)
            except ModuleNotFoundError as error:
                if not entry.extra or (error.name or "").startswith("assistant"):
                    raise
                raise ExtraMissing(error.name or entry.extra, entry.extra) from error
            made = sorted(path for path in making.rglob("*") if path.is_file())
            if not made:
                raise ModelError(f"{entry.derive} made no file of {entry.id} from {entry.source}")
            stamps = {path.relative_to(making).as_posix(): stamp(path) for path in made}
            self._place(entry.id, making)
            self._write_stamps(entry.id, stamps, _recipe(entry))
            shutil.rmtree(self._work(entry.id), ignore_errors=True)

    def _due(self, entry: Model) -> bool:
        return self._absent(entry) or bool(self.check(entry.id))

    def _absent(self, entry: Model) -> bool:
        """Whether a model is not in the store, or was made by another recipe than today's."""
        if not (self.root / entry.id).is_dir():
            return True
        return bool(entry.source) and read_stamps(self._stamps(entry.id))[0] != _recipe(entry)

    def _files(self, entry: Model, stamps: dict[str, Stamp]) -> tuple[File, ...]:
        if not entry.source:
            return entry.files
        return tuple(File(path, one.size, one.sha256) for path, one in stamps.items())

    def _work(self, model: str) -> Path:
        return self.root / ".partial" / model

    def _stamps(self, model: str) -> Path:
        return self.root / ".stamps" / f"{model}.json"

    def _write_stamps(self, model: str, stamps: dict[str, Stamp], recipe: str = "") -> None:
        try:
            write_stamps(self._stamps(model), stamps, recipe)
        except PermissionError:  # a store that others look after: the digest is computed again next time
            log.debug("no leave to write %s", self._stamps(model))

    @contextmanager
    def _locked(self, model: str, fetch: Fetch | None = None) -> Iterator[None]:
        """Keep other processes away from one model; wait for the one that is at it."""
        from filelock import FileLock, Timeout

        folder = self.root / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{model}.lock")
        waited = False
        while True:
            try:
                lock.acquire(timeout=0.2)
                break
            except Timeout:
                if fetch is not None and fetch.stop.is_set():
                    raise DownloadError(f"cannot fetch {model}: stopped") from None
                if not waited:
                    log.warning("another process is at %s; waiting for it", model)
                waited = True
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _one_line(self, entry: Model) -> Iterator[None]:
        """Turn what a disk may do into one line that says what to do."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DownloadError(
                    f"the disk is full: {entry.id} needs {_human(entry.size)} in {self.root}; free some space, "
                    f"or run: assistant config set store.path FOLDER; then: assistant models pull {entry.id}"
                ) from error
            if isinstance(error, PermissionError):
                raise DownloadError(f"no leave to write {error.filename or self.root}: {error.strerror}") from error
            raise


def _recipe(entry: Model) -> str:
    return f"{entry.derive}@{entry.edition}"


def _fits(file: File, path: Path) -> bool:
    if file.size and path.stat().st_size != file.size:
        return False
    return sha256(path) == file.sha256 if file.sha256 else path.name == Path(file.path).name


def _walk(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise InputError(f"there is no file {path}")
        yield from (inner for inner in sorted(path.rglob("*")) if inner.is_file()) if path.is_dir() else (path,)


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _existing(path: Path) -> Path:
    """Return the nearest folder above ``path`` that exists."""
    return next(parent for parent in (path, *path.absolute().parents) if parent.exists())


def _human(size: float) -> str:
    """Return a number of bytes as people write it, in decimal units."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
