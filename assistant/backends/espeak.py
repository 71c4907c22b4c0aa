"""The system's espeak-ng: a plain voice for more than a hundred languages, if it is installed."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from ..errors import DeviceError, InputError, SettingError, nearest
from ..text import speakable
from ..types import AudioChunk
from .voicing import pieces, wished

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

WORDS_PER_MINUTE = 165
"""Speed 1."""

SLOWEST, FASTEST = 80, 450
"""Words per minute that espeak-ng accepts."""

INSTALL = {
    "linux": "sudo apt install espeak-ng",
    "darwin": "brew install espeak-ng",
    "win32": "winget install eSpeak-NG.eSpeak-NG",
}
"""The command that installs it, by platform."""

PATIENCE = 30.0
"""Seconds for one clause, which takes a few hundredths."""


class EspeakVoice:
    """Speaks ``voice.language``, or the language of ``asr.language``, or English."""

    def __init__(self, settings: Settings, store: Store | None = None) -> None:
        self.language = wished(settings)
        """ISO 639-1 code of the language it speaks."""
        self._program = program()
        known = languages(self._program)
        if self.language.lower() not in known:
            raise SettingError(f"espeak-ng does not speak {self.language!r}{nearest(self.language, sorted(known))}")
        words = round(WORDS_PER_MINUTE * settings.voice.speed)
        self._options = ["-v", self.language, "-s", str(min(max(words, SLOWEST), FASTEST))]
        self._volume = settings.audio.volume
        self.name = f"espeak-ng {self.language}"
        self.rate = self._run("a").rate
        """Samples per second of its output."""

    def speak(self, clause: str) -> Iterator[AudioChunk]:
        """Yield the clause as sound in pieces of 0.1 s; nothing where it holds no word."""
        said = speakable(clause, self.language)
        if any(character.isalnum() for character in said):
            yield from pieces(self._run(said).samples, self.rate, said, self._volume)

    def _run(self, text: str) -> AudioChunk:
        import soundfile

        command = [self._program, *self._options, "-b", "1", "--stdin", "--stdout"]
        try:
            done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=PATIENCE, check=True)
            samples, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
        except (subprocess.SubprocessError, OSError) as error:
            raise DeviceError(
                f"espeak-ng failed ({error}); try it by hand: espeak-ng -v {self.language} test"
            ) from error
        except soundfile.LibsndfileError as error:
            raise InputError(f"espeak-ng made no sound of {text[:40]!r}") from error
        return AudioChunk(samples, int(rate))


def program() -> str:
    """Return the path of espeak-ng, or raise :class:`DeviceError` that says how to install it."""
    found = shutil.which("espeak-ng")
    if found is None:
        raise DeviceError(
            f"espeak-ng is not installed; run: {INSTALL['linux']} (macOS: {INSTALL['darwin']}; "
            f"Windows: {INSTALL['win32']})"
        )
    return found


@cache
def languages(program: str) -> frozenset[str]:
    """Return the codes of the languages that espeak-ng speaks, lower case: ``"de"``, ``"en-us"``."""
    try:
        done = subprocess.run([program, "--voices"], capture_output=True, timeout=PATIENCE, check=True, text=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise DeviceError(f"espeak-ng does not run ({error}); install it again") from error
    rows = done.stdout.splitlines()[1:]
    codes = {row.split()[1].lower() for row in rows if len(row.split()) > 1}
    others = set(re.findall(r"\(([\w-]+) \d+\)", done.stdout.lower()))
    return frozenset(codes | others | {code.partition("-")[0] for code in codes})
