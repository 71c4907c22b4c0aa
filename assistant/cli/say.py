"""``assistant say``: speak a text, aloud or into a file, or what is typed line by line."""

from __future__ import annotations

import contextlib
import dataclasses
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import output
from ..errors import DeviceError, InputError
from ..fusion.content import language_spoken
from ..interruption import leavable, pulled
from . import App, add_command, given_text, note, print_json, typed_lines

if TYPE_CHECKING:
    from ..stages import Speaker, Voice
    from ..types import AudioChunk

EXAMPLE = """\
  assistant say "It is 3.5 km to the station."
  assistant say "Hello" --out hello.wav --speed 1.2
  assistant say - --out book.flac < book.txt
  assistant say --speed 0.9    # then type: each line is said as you press Enter"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "say", "speak a text, aloud or into a file", EXAMPLE)
    parser.add_argument(
        "text",
        nargs="?",
        help='what to say; "-" reads it from standard input, and without any each line is said as soon as it is typed',
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write .wav or .flac instead of playing")
    parser.add_argument("--voice", metavar="MODEL", help="a voice of the store, such as piper-en_US-joe-medium")
    parser.add_argument("--speed", type=float, help="1.5 is half as fast again")
    parser.add_argument("--language", metavar="CODE", help="speak this language whatever the words: de, fr, …")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: Namespace) -> int:
    """Speak the text, or each line that is typed."""
    text = None if arguments.text is None else given_text(arguments.text, "say")
    if text is not None and not any(character.isalnum() for character in text):
        raise InputError("there is nothing to say; give some words")
    voice = app.settings.voice
    if arguments.voice is not None:
        voice = dataclasses.replace(voice, model=arguments.voice)
    if arguments.speed is not None:
        voice = dataclasses.replace(voice, speed=arguments.speed)
    app.settings = dataclasses.replace(app.settings, voice=voice)
    return say_lines(app, arguments) if text is None else say(app, arguments, text)


def say(app: App, arguments: Namespace, text: str) -> int:
    """Speak one text."""
    if arguments.out is not None:
        from .. import sound

        output.check(arguments.out, sound.WRITTEN)  # before a voice is loaded, not after
        speaker = None
    else:
        speaker = _speaker(app)
    made = _voice(app, arguments, text)
    chunks = pulled(_spoken(text, made))
    if speaker is None:
        seconds = _write(arguments.out, chunks)
    else:
        with contextlib.closing(speaker):
            seconds = _play(speaker, chunks)
    if seconds == 0:
        raise InputError("there is nothing to say in this text; give some words")
    if arguments.json:
        voice = app.settings.voice
        name = getattr(made, "name", voice.engine)
        said = None if arguments.out is None else str(arguments.out)
        print_json({"say": said, "seconds": round(seconds, 3), "rate": made.rate, "voice": name, "speed": voice.speed})
    elif arguments.out is not None:
        note(f"wrote {arguments.out} ({seconds:.1f} s)")
    return 0


def say_lines(app: App, arguments: Namespace) -> int:
    """Speak each line as soon as it is typed, each in its language, until the input ends."""
    if arguments.out is not None or arguments.json:
        raise InputError("--out and --json need a text; give some words, or - for standard input")
    with contextlib.closing(_speaker(app)) as speaker:
        only = None if arguments.language is None else _voice(app, arguments, "")
        leavable(lambda: app.kit.voices.usual)
        note("Type what to say, and press Enter. Control and D ends.")
        for line in typed_lines():
            if any(character.isalnum() for character in line):
                _play(speaker, pulled(_spoken(line, only or _voice(app, arguments, line))))
    return 0


def _voice(app: App, arguments: Namespace, text: str) -> Voice:
    """Return the voice of the language that is asked for, or of the words."""
    voices = leavable(lambda: app.kit.voices)
    if arguments.language is not None:
        return leavable(lambda: voices.find(arguments.language))
    return leavable(lambda: voices.of(language_spoken(text, voices.language)))


def _speaker(app: App) -> Speaker:
    from ..devices import sound_engine

    try:
        speaker: Speaker = app.make("speaker", sound_engine(app.settings.audio.output))
    except DeviceError as error:
        raise DeviceError(f"{error}; or write a file with --out FILE.wav") from error
    return speaker


def _spoken(text: str, voice: Voice) -> Iterator[AudioChunk]:
    from ..text import clauses

    ended = text.rstrip() if text.rstrip().endswith((".", "!", "?", "…", ":")) else f"{text.rstrip()}."
    for clause in clauses([ended], first_short=False):
        yield from voice.speak(clause)


def _write(out: Path, chunks: Iterator[AudioChunk]) -> float:
    from .. import sound

    return sound.write(out, chunks)


def _play(speaker: Speaker, chunks: Iterator[AudioChunk]) -> float:
    """Play to the end; return the seconds."""
    seconds = 0.0
    for chunk in chunks:
        speaker.play(chunk)
        seconds += chunk.seconds
    speaker.drain()
    return seconds
