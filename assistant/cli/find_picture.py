"""``assistant find-picture``: pictures in a folder by words, or by another picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import InputError
from . import App, add_command, note, positive, print_json

EXAMPLE = """\
  assistant find-picture "a dog in the snow" --in ~/Pictures
  assistant find-picture "children on a beach" --in photos/ --top 20 --json
  assistant find-picture --like photo.jpg --in photos/"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "find-picture", "find pictures in a folder by words or by another picture", EXAMPLE)
    parser.add_argument("words", nargs="?", metavar="WORDS", help="what the picture shows, in English")
    parser.add_argument("--like", type=Path, metavar="IMAGE", help="find pictures that look like this one instead")
    parser.add_argument("--in", dest="folder", type=Path, required=True, metavar="FOLDER", help="where to look")
    parser.add_argument("--top", type=positive, default=5, metavar="K", help="how many to show (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Bring the folder's index up to date and search it."""
    if (arguments.words is None or not arguments.words.strip()) == (arguments.like is None):
        raise InputError("give either words or --like IMAGE")
    from rich.console import Console
    from rich.progress import Progress

    from ..fusion.retrieval import DualEncoder
    from ..fusion.retrieval_index import PictureIndex

    index = PictureIndex(arguments.folder, DualEncoder.find(app.settings, app.store), app.kit.eyes)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("looking at pictures")
        changes = index.update(lambda done, total: progress.update(bar, completed=done, total=total))
    if changes.skipped and not arguments.json:
        note(f"skipped {len(changes.skipped)} pictures that cannot be read or show nothing; --json lists them")
    if not len(index):
        raise InputError(f"there is no picture in {arguments.folder} that can be read")
    hits = index.like(arguments.like, arguments.top) if arguments.like else index.search(arguments.words, arguments.top)
    if arguments.json:
        print_json(
            {
                "query": str(arguments.like or arguments.words),
                "found": [
                    {"file": str(hit.path), "score": round(hit.score, 4), "probability": round(hit.probability, 4)}
                    for hit in hits
                ],
                "indexed": len(index),
                "added": changes.added,
                "removed": changes.removed,
                "skipped": [{"file": str(path), "reason": reason} for path, reason in changes.skipped],
            }
        )
        return 0
    for hit in hits:
        print(f"{hit.probability:4.0%}  {hit.path}")
    return 0
