"""``assistant draw``: a picture from words, and what it came out as."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .. import output
from ..errors import AssistantError
from ..interruption import leavable
from . import App, add_command, given_text, note, print_json

if TYPE_CHECKING:
    from ..stages import Painter
    from ..types import Frame, Percept

T = TypeVar("T")

EXAMPLE = """\
  assistant draw "a dog in the snow"
  assistant draw "a dog in the snow" --out dog.png --seed 7 --steps 25
  assistant draw "a red boat on a lake" --size 512 --json --set draw.model=~/models/my-pipeline"""

LIKELY = 0.5
"""Chance from which the picture is said to show what was asked for."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "draw", "draw a picture from words, and tell what it shows", EXAMPLE)
    parser.add_argument("text", help='what to draw, mostly in English; "-" reads it from standard input')
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write this .png, .jpg or .webp (default: draw.folder)"
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="the same seed gives the same picture (default: any)")
    parser.add_argument("--steps", type=int, metavar="N", help="more steps take longer and may look better")
    parser.add_argument("--size", type=int, metavar="N", help="pixels of each side, a multiple of 8")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Draw, write the file, look at it and tell."""
    from .. import drawing, pictures

    text = given_text(arguments.text, "draw").strip()
    wish = app.settings.draw
    if arguments.steps is not None:
        wish = dataclasses.replace(wish, steps=arguments.steps)
    if arguments.size is not None:
        wish = dataclasses.replace(wish, size=arguments.size)
    drawing.check(wish)  # complain before a model is loaded, not after
    out = arguments.out or drawing.free_name(text, drawing.folder(wish))
    output.check(out, pictures.WRITTEN)
    app.settings = dataclasses.replace(app.settings, draw=wish)
    seed = drawing.new_seed() if arguments.seed is None else arguments.seed
    timings: dict[str, float] = {}
    painter, frame = _drawn(app, text, seed, timings)
    pictures.write(out, frame)
    height, width = frame.pixels.shape[:2]
    if not arguments.json:
        note(f"wrote {out} ({width} × {height}, {painter.steps} steps, seed {seed}, {timings['draw_s']:.1f} s)")
    percept, fits = _timed(timings, "look_s", lambda: leavable(lambda: _looked(app, frame, text)))
    if arguments.json:
        from ..percepts import to_dict

        print_json(
            {
                "file": str(out),
                "text": text,
                "seed": seed,
                "steps": painter.steps,
                "size": [width, height],
                "model": wish.model,
                "saw": None if percept is None else to_dict(percept),
                "fits": None if fits is None else round(fits, 4),
                "timings": {name: round(seconds, 3) for name, seconds in timings.items()},
            }
        )
    elif percept is not None:
        print("\n".join(_told(percept, fits)), flush=True)
    return 0


def _drawn(app: App, text: str, seed: int, timings: dict[str, float]) -> tuple[Painter, Frame]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("loading", total=None)
        painter: Painter = _timed(
            timings, "load_s", lambda: leavable(lambda: app.make("painter", app.settings.draw.engine))
        )
        bars.update(bar, description="drawing")

        def stepped(done: int, total: int) -> None:
            bars.update(bar, completed=done, total=total)

        return painter, _timed(timings, "draw_s", lambda: leavable(lambda: painter.paint(text, seed, stepped)))


def _looked(app: App, frame: Frame, text: str) -> tuple[Percept | None, float | None]:
    """Return what the eyes see in the picture, and how likely it shows what was asked for, as far as they can say."""
    from .. import percepts

    try:
        percept = percepts.look(app.kit, frame)
        return percept, None if app.kit.fuser is None else app.kit.fuser.fits(percept, text)
    except AssistantError as error:  # the picture is there all the same
        note(f"assistant: the picture could not be looked at: {error}")
        return None, None


def _told(percept: Percept, fits: float | None) -> Iterator[str]:
    from .look import tell

    yield from tell(percept)
    if fits is not None:
        yield (
            f"It seems to show what you asked for ({fits:.0%})."
            if fits >= LIKELY
            else f"It may not show what you asked for ({fits:.0%})."
        )


def _timed(timings: dict[str, float], name: str, work: Callable[[], T]) -> T:
    began = time.perf_counter()
    try:
        return work()
    finally:
        timings[name] = time.perf_counter() - began


def _seed(text: str) -> int:
    from ..drawing import SEEDS

    value = int(text)
    if not 0 <= value < SEEDS:
        raise argparse.ArgumentTypeError(f"must be between 0 and {SEEDS - 1}")
    return value
