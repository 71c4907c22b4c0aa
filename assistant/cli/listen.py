"""``assistant listen``: live captions of what is said around the microphone."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any

from . import add_command, add_language, in_language, note, print_json

if TYPE_CHECKING:
    from ..scribe import Caption, Scribe
    from . import App

EXAMPLE = """\
  assistant listen
  assistant listen --language de --translate
  assistant listen --plain > meeting.txt
  assistant listen --json --set audio.input=meeting.wav"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "listen", "write down what is said around the microphone, while it is said", EXAMPLE)
    add_language(parser)
    parser.add_argument("--translate", action="store_true", help="translate into English")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--plain", action="store_true", help="only whole captions, a line each, for screen readers")
    form.add_argument("--json", action="store_true", help="print one JSON object a caption, those still open too")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Write captions until the microphone ends, or Ctrl-C."""
    from ..devices import sound_engine
    from ..ears import Ears
    from ..interruption import leavable
    from ..scribe import Scribe

    app.settings = in_language(app.settings, arguments.language)
    if arguments.translate:
        asr = dataclasses.replace(app.settings.asr, translate=True)
        app.settings = dataclasses.replace(app.settings, asr=asr)
    microphone = app.make("microphone", sound_engine(app.settings.audio.input))
    note("Loading the models ...")
    kit = app.kit
    careful, quick = leavable(lambda: (kit.recognizer, kit.live_recognizer))
    ears = Ears(microphone, kit.activity, trouble=note)
    scribe = Scribe(ears, careful, quick, app.settings)
    note("Listening. Control and C ends.")
    with shown(arguments.plain, arguments.json) as show:
        asyncio.run(write(scribe, show))
    return 0


async def write(scribe: Scribe, show: Callable[[Caption], None]) -> None:
    """Show every caption."""
    async with aclosing(scribe.captions()) as captions:
        async for caption in captions:
            show(caption)


@contextmanager
def shown(plain: bool, as_json: bool) -> Iterator[Callable[[Caption], None]]:
    """Return what shows captions: JSON where asked for, a live view in a terminal, lines elsewhere."""
    if as_json:
        yield lambda caption: print_json(to_dict(caption))
    elif plain or not sys.stdout.isatty():
        yield lambda caption: print(caption.text, flush=True) if caption.whole else None
    else:
        from rich.live import Live
        from rich.text import Text

        with Live(refresh_per_second=8) as live:

            def show(caption: Caption) -> None:
                """Let what was said stand above what is being said."""
                if caption.whole:
                    live.console.print(Text(caption.text))
                live.update(Text("" if caption.whole else caption.text, style="dim italic"))

            yield show


def to_dict(caption: Caption) -> dict[str, Any]:
    """Return a caption as ``--json`` prints it."""
    said = caption.utterance
    return {
        "start": round(caption.start, 3),
        "end": round(caption.end, 3),
        "text": said.text,
        "language": said.language,
        "confidence": round(said.confidence, 4),
        "whole": caption.whole,
    }
