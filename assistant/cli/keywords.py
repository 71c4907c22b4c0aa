"""``assistant keywords``: what a picture, a text or both are about, in a few words."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..interruption import leavable
from . import App, add_command, given_text, note, positive, print_json

if TYPE_CHECKING:
    from ..fusion.keywords import Keyword
    from ..types import Percept

EXAMPLE = """\
  assistant keywords photo.jpg
  assistant keywords photo.jpg --text "Max and his new ball in the garden"
  assistant keywords --text - --most 12 < notes.txt
  assistant keywords poster.png --read --json"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "keywords", "tell what a picture, a text or both are about, in a few words", EXAMPLE)
    parser.add_argument("image", nargs="?", type=Path, metavar="IMAGE", help="JPEG, PNG, WebP, GIF, BMP or TIFF file")
    parser.add_argument("--text", metavar="TEXT", help='a text, alone or about the picture; "-" reads standard input')
    parser.add_argument("--read", action="store_true", help="add the text in the picture to the text")
    parser.add_argument("--most", type=positive, default=8, metavar="N", help="how many to give (default: 8)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Print the keywords, the weightiest first."""
    if arguments.image is None and (arguments.text is None or arguments.read):
        raise InputError("give a picture" if arguments.read else "give a picture, --text or both")
    text = "" if arguments.text is None else given_text(arguments.text, "take keywords from")
    percept, found = leavable(partial(_find, app, arguments.image, text, arguments.read, arguments.most))
    if arguments.json:
        print_json(
            {
                "image": None if arguments.image is None else str(arguments.image),
                "verdict": None if percept is None else percept.verdict.value,
                "keywords": [
                    {"word": one.word, "weight": round(one.weight, 4), "source": one.source.value} for one in found
                ],
            }
        )
        return 0
    if percept is not None and percept.verdict != "ok":
        note(f"The picture is {percept.verdict.value}; I cannot tell what it shows.")
    elif not found:
        note("I found no keyword that I am sure of.")
    for one in found:
        print(f"{one.weight:4.0%}  {one.word}  ({one.source.value})")
    return 0


def _find(app: App, image: Path | None, text: str, read: bool, most: int) -> tuple[Percept | None, tuple[Keyword, ...]]:
    from .. import pictures
    from ..types import Verdict

    percept = None
    if image is not None:
        frame = pictures.read(image)
        percept = app.kit.eyes.look(frame)
        if read and percept.verdict not in (Verdict.BLACK, Verdict.BLANK):
            percept = app.kit.readers["rapidocr"].read(frame, percept)
            text = f"{text}\n{percept.text or ''}"
    found: tuple[Keyword, ...] = app.make("fuser", "grid").keywords(percept, text, most)
    return percept, found
