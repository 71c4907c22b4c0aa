"""Pictures from words: what may be wished for, where a picture goes, and drawing while a conversation goes on."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

import platformdirs

from .config import DrawSettings, Settings, flatten
from .errors import InputError, SettingError
from .happening import News

SEEDS = 2**32
"""A seed is below it: small enough to be read aloud and written down."""

MULTIPLE = 8
"""Pixels that one place of the models' inner picture stands for."""

LONGEST_NAME = 60
"""Characters of a file name that is made from words."""

KILLED = -9
"""What a process ends with that was sent SIGKILL."""


def check(wish: DrawSettings) -> None:
    """Raise :class:`SettingError` where a setting is impossible or no model is named."""
    if not wish.model:
        raise SettingError(
            "no model to draw with is named; run: assistant config set draw.model FOLDER (or owner/name of the hub)"
        )
    if wish.steps < 0:
        raise SettingError(f"draw.steps must be 1 or more, or 0 for the pipeline's own, not {wish.steps}")
    if wish.size < 0 or wish.size % MULTIPLE:
        near = max(MULTIPLE, round(wish.size / MULTIPLE) * MULTIPLE)
        raise SettingError(f"draw.size must be a multiple of {MULTIPLE}, not {wish.size}; try {near}")
    if not wish.guidance >= 0:
        raise SettingError(f"draw.guidance must be 0 or more, not {wish.guidance:g}")


def new_seed() -> int:
    """Return a seed that nobody chose."""
    return secrets.randbelow(SEEDS)


def folder(wish: DrawSettings) -> Path:
    """Return the folder of pictures without a name of their own, made where it is missing.

    Raises :class:`InputError` where it cannot be made.
    """
    place = Path(wish.folder).expanduser() if wish.folder else Path(platformdirs.user_pictures_dir()) / "assistant"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {place}: {error.strerror}; set draw.folder to another") from error
    return place


def free_name(text: str, place: Path) -> Path:
    """Return a PNG file in a folder that does not exist yet, named by the words that it shows."""
    words = re.sub(r"[^\w]+", "-", text.lower()).strip("-_")
    stem = words[:LONGEST_NAME].rstrip("-_") or "picture"
    numbered = (place / f"{stem}{'' if number == 1 else f'-{number}'}.png" for number in itertools.count(1))
    return next(path for path in numbered if not path.exists())


class Easel:
    """Draws one picture at a time beside everything else, in a process of its own that outlives this one.

    A picture takes from seconds to minutes, and nobody can wait for it in a conversation: what became of it is news.
    """

    def __init__(self, settings: Settings, news: News | None = None) -> None:
        self._settings, self._news = settings, news or News()
        self._drawing: tuple[Path, subprocess.Popen[bytes]] | None = None
        self.trouble = ""
        """Why the picture that was begun last came to nothing, once that is known."""

    def begin(self, text: str) -> Path:
        """Begin a picture; return the file that it will be in when it is done.

        Raises :class:`InputError` where there are no words or the last picture is not done yet, and
        :class:`SettingError` where a setting is impossible.
        """
        if not text.strip():
            raise InputError("there is nothing to draw; give some words")
        check(self._settings.draw)
        if self._drawing is not None and self._drawing[1].poll() is None:
            raise InputError(f"{self._drawing[0].name} is still being drawn; ask again when it is done")
        path = free_name(text, folder(self._settings.draw))
        said = tempfile.TemporaryFile()  # no pipe: it would break where this process ends first
        process = subprocess.Popen(
            [sys.executable, "-m", "assistant", "draw", "-", "--out", str(path), *self._options()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,  # Ctrl-C ends the conversation, not the picture
        )
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):  # the conversation goes first
                os.setpriority(os.PRIO_PROCESS, process.pid, 10)
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin as words:  # not among the arguments, which all can see
            words.write(text.encode())
        self._drawing, self.trouble = (path, process), ""
        threading.Thread(target=self._wait, args=(path, process, said), name="drawing", daemon=True).start()
        return path

    def _options(self) -> list[str]:
        """Return what makes the other process draw by these settings, wherever they came from."""
        options = ["--profile", self._settings.profile]
        for key, value in flatten(self._settings).items():
            if key.partition(".")[0] in ("draw", "store", "plugins"):
                options += ["--set", f"{key}={','.join(value) if isinstance(value, tuple) else value}"]
        return options

    def _wait(self, path: Path, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        with said:
            code = process.wait()
            said.seek(0)
            last = said.read().decode("utf-8", "replace")
        if path.is_file():
            self._news(f"The picture is done: {path.name} in the folder {path.parent}.")
            return
        self.trouble = _reason(code, last)
        self._news(f"{path.name} was not drawn: {self.trouble.rstrip('.')}.", failed=True)


def _reason(code: int, said: str) -> str:
    """Return why a process came to nothing, by the code that it ended with and what it said."""
    if code == KILLED:
        return "the system ended it, as it does where memory runs short"
    last = next((line.strip() for line in reversed(said.split("\n")) if line.strip()), "")
    return last.removeprefix("assistant: ") or f"it ended with {code}"
