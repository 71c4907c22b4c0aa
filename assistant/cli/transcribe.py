"""``assistant transcribe``: sound files to text, word times or subtitles."""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .. import overtones
from ..errors import InputError
from ..interruption import leavable
from . import add_command, add_language, note, print_json

if TYPE_CHECKING:
    from ..stages import Recognition, Recognizer
    from ..types import Label, Word
    from . import App

EXAMPLE = """\
  assistant transcribe talk.mp3
  assistant transcribe --language de --words *.wav
  assistant transcribe film.m4a --srt > film.srt
  assistant transcribe - --json < question.wav"""

LONG = 60.0  # seconds from which a file gets a progress bar


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one file."""

    text: str
    language: str
    words: tuple[Word, ...]
    confidence: float
    duration: float
    """Seconds of sound."""
    spent: float
    """Seconds it took."""
    sounds: tuple[tuple[float, Label], ...] = ()
    """What was heard beside the words, each with the second at which the stretch begins that it was heard in."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "transcribe", "write down what is said in sound files", EXAMPLE)
    parser.add_argument("files", nargs="+", metavar="FILE", help="WAV, FLAC, OGG, Opus, MP3, M4A, …; - is stdin")
    add_language(parser)
    parser.add_argument("--translate", action="store_true", help="translate into English")
    parser.add_argument("--words", action="store_true", help="give each word with its time")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object a file, with word times")
    form.add_argument("--srt", action="store_true", help="print SubRip subtitles")
    form.add_argument("--vtt", action="store_true", help="print WebVTT subtitles")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Transcribe every file; one that fails does not stop the others, but makes the exit code 1."""
    from ..stages import Recognition

    recognizer: Recognizer = leavable(lambda: app.kit.recognizer)
    options = Recognition(
        language=None if arguments.language in (None, "auto") else arguments.language,
        translate=arguments.translate or app.settings.asr.translate,
        words=arguments.words or arguments.json or arguments.srt or arguments.vtt,
    )
    failed = False
    for file in arguments.files:
        try:
            transcript = transcribe(recognizer, file, options)
        except (InputError, OSError) as error:
            failed = True
            if arguments.json:
                print_json({"file": file, "error": str(error)})
            else:
                note(f"assistant: {error}")
            continue
        _show(file, transcript, arguments)
    return int(failed)


def transcribe(recognizer: Recognizer, file: str, options: Recognition) -> Transcript:
    """Transcribe one file in stretches, so that hours fit into memory.

    The language of the first speech holds for the whole file. Raises :class:`InputError` where the
    file cannot be used.
    """
    from .. import sound
    from ..speech import stretches

    source: Path | BinaryIO = io.BytesIO(sys.stdin.buffer.read()) if file == "-" else Path(file)
    total = sound.length(source) if isinstance(source, Path) else None
    texts: list[str] = []
    words: list[Word] = []
    sounds: list[tuple[float, Label]] = []
    confidences: list[tuple[float, float]] = []  # (confidence, letters) a stretch
    language, duration, begin = options.language or "", 0.0, time.perf_counter()
    with _progress(file, total) as advance:
        for stretch in stretches(sound.blocks(source, 16_000)):
            heard = recognizer.transcribe(stretch, replace(options, language=language or None))
            offset = stretch.start / stretch.rate
            duration = offset + stretch.seconds
            advance(duration)
            sounds += [(offset, label) for label in heard.sounds]
            if not heard.text:
                continue
            language = heard.language
            texts.append(heard.text)
            confidences.append((heard.confidence, len(heard.text)))
            words += [replace(word, start=word.start + offset, end=word.end + offset) for word in heard.words]
    letters = sum(weight for _, weight in confidences)
    return Transcript(
        " ".join(texts),
        language,
        tuple(words),
        sum(value * weight for value, weight in confidences) / letters if letters else 0.0,
        duration,
        time.perf_counter() - begin,
        tuple(sounds),
    )


def _show(file: str, transcript: Transcript, arguments: argparse.Namespace) -> None:
    from .. import subtitles

    if arguments.json:
        print_json(
            {
                "file": file,
                "text": transcript.text,
                "language": transcript.language or None,
                "words": [
                    {
                        "text": word.text,
                        "start": round(word.start, 3),
                        "end": round(word.end, 3),
                        "probability": round(word.probability, 4),
                    }
                    for word in transcript.words
                ],
                "confidence": round(transcript.confidence, 4),
                "sounds": [overtones.to_dict(label) | {"start": round(start, 3)} for start, label in transcript.sounds],
                "duration": round(transcript.duration, 3),
                "timings": {"asr_s": round(transcript.spent, 3)},
            }
        )
    elif arguments.srt or arguments.vtt:
        render = subtitles.srt if arguments.srt else subtitles.vtt
        for block in render(subtitles.cues(transcript.words)):
            print(block, flush=True)
    else:
        if len(arguments.files) > 1:
            print(f"{file}:")
        if arguments.words:
            for word in transcript.words:
                print(f"{word.start:9.2f} {word.end:9.2f}  {word.text}")
        else:
            print(transcript.text)
        if not transcript.text:
            note(f"assistant: nobody speaks in {file}")


@contextmanager
def _progress(file: str, total: float | None) -> Iterator[Callable[[float], None]]:
    """Show how far a long file is; gives a function that takes the seconds done."""
    if total is not None and total < LONG:
        yield lambda seconds: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(Path(file).name, total=total)
        yield lambda seconds: progress.update(bar, completed=seconds)
