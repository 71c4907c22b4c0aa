"""``assistant look``: what is in pictures, told as one would say it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..interruption import leavable
from . import App, add_command, note, print_json

if TYPE_CHECKING:
    from ..types import Label, Percept

EXAMPLE = """\
  assistant look photo.jpg
  assistant look --text --codes letter.png
  assistant look holiday/*.jpg --json"""

SURE, LIKELY = 0.8, 0.5
"""Probability from which a label is stated, and from which it is called likely."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "look", "tell what is in pictures", EXAMPLE)
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="JPEG, PNG, WebP, GIF, BMP or TIFF files")
    parser.add_argument("--text", action="store_true", help="read the text in the pictures")
    parser.add_argument("--codes", action="store_true", help="read barcodes and QR codes")
    parser.add_argument("--json", action="store_true", help="print one JSON object a picture")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Look at every picture; one that cannot be read does not keep the others from being told."""
    failed = 0
    for name in arguments.images:
        try:
            percept = leavable(partial(look, app, Path(name), arguments.text, arguments.codes))
        except InputError as error:
            failed += 1
            if arguments.json:
                print_json({"file": name, "error": str(error)})
            else:
                note(f"assistant: {error}")
            continue
        if arguments.json:
            from ..percepts import to_dict

            print_json({"file": name, **to_dict(percept)})
        else:
            heading = f"{name}: " if len(arguments.images) > 1 else ""
            print(heading + "\n".join(tell(percept)), flush=True)
    return 1 if failed else 0


def look(app: App, path: Path, text: bool = False, codes: bool = False) -> Percept:
    """Return the percept of a picture file. Raises :class:`InputError` where it cannot be read."""
    from .. import percepts, pictures

    frame = pictures.read(path)
    percept = percepts.look(app.kit, frame)
    if text:
        percept = app.kit.readers["rapidocr"].read(frame, percept)
    if codes:
        percept = app.kit.readers["zxing"].read(frame, percept)
    return percept


def tell(percept: Percept) -> Iterator[str]:
    """Yield what was seen, a spoken sentence a line."""
    if percept.verdict == "ok":
        if percept.caption:
            yield percept.caption
        yield from _labels(percept.labels)
    else:
        yield f"The picture is {percept.verdict.value}; I cannot tell what it shows."
    if percept.regions is not None:
        yield f"It says:\n{percept.text}" if percept.regions else "I found no text."
    if percept.codes is not None:
        for code in percept.codes:
            yield f"{code.format.replace('_', ' ')} code, {code.box.place}: {code.text}"
        if not percept.codes:
            yield "I found no code."


def _labels(labels: tuple[Label, ...]) -> Iterator[str]:
    likely = [label for label in labels if label.probability >= LIKELY]
    for label in likely:
        start = "I see" if label.probability >= SURE else "It looks like"
        yield f"{start} {label.label}, {label.place} ({label.probability:.0%})."
    if not likely and labels:
        names = [f"{label.label} ({label.probability:.0%})" for label in labels[:3]]
        yield f"I am not sure what this is. Perhaps {', or '.join(names)}."
    if not labels:
        yield "I do not recognise anything in this picture."
