"""``assistant translate``: a text in another language."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from ..errors import InputError, SettingError
from ..interruption import leavable
from . import App, add_command, given_text, print_json

if TYPE_CHECKING:
    from ..translation import Translator

EXAMPLE = """\
  assistant translate "Where is the station?" --to de
  assistant translate "Guten Morgen!" --from German --to English --json
  assistant translate - --to fr < letter.txt
  assistant translate "Good morning!" --from en --to de --set translation.model=Helsinki-NLP/opus-mt-en-de"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "translate", "say a text in another language", EXAMPLE)
    parser.add_argument("text", help='the text; "-" reads it from standard input')
    parser.add_argument("--to", required=True, metavar="LANGUAGE", help="ISO 639-1 code or English name: de, German, …")
    parser.add_argument("--from", dest="source", metavar="LANGUAGE", help="the language of the text (default: open)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: Namespace) -> int:
    """Translate the text and print it."""
    from ..translation import code_of, translate

    target = code_of(arguments.to)
    source = code_of(arguments.source) if arguments.source else ""
    if source == target:
        raise InputError("the text is to be translated into its own language; give another with --to")
    text = given_text(arguments.text, "translate")
    translator = leavable(lambda: _translator(app))
    began = time.perf_counter()
    translation = leavable(lambda: translate(translator, text, target, source))
    if arguments.json:
        settings = app.settings
        print_json(
            {
                "text": text,
                "translation": translation,
                "from": source or None,
                "to": target,
                "model": settings.translation.model or settings.brain.model,
                "timings": {"translate_s": round(time.perf_counter() - began, 3)},
            }
        )
    else:
        print(translation)
    return 0


def _translator(app: App) -> Translator:
    from ..translation import SessionTranslator

    if app.settings.translation.model:
        made: Translator = app.make("translator", "transformers")
        return made
    engine = app.settings.brain.engine
    if ("session", engine) not in app.plugins.backends:
        raise SettingError(
            f"the brain engine {engine!r} does not translate; set translation.model, or brain.engine to llama"
        )
    return SessionTranslator(app.kit.session)
