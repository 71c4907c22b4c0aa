"""``assistant eval hallucination``: confident statements about frames on which nothing can be seen.

100 frames, the same every time: black, white, grey and coloured surfaces, noise of several kinds, and the pictures of
``--data`` made far too dark, over-exposed, out of focus or shaken. A statement is a label, a caption, a visual
word or an answer with a probability of at least one half on a frame that the eyes did not reject.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import pictures
from ..types import Frame, Percept, Pixels, Verdict
from . import Items, Report, bootstrap
from ._fields import FILE

if TYPE_CHECKING:
    from ..cli import App

FIELDS = {"image": FILE}
CONFIDENT = 0.5
EACH = 10
"""Frames of each of the ten kinds."""
PHOTOS = 500
"""Most pictures that are looked at as they are."""
QUESTION = "What is this?"


def run(app: App, items: Items, report: Report) -> dict[str, Any]:
    """Look at the frames and at the pictures as they are.

    ``share``: of the frames on which something was stated; ``statements``: how many there were in all;
    ``rejected``: share of the frames with a verdict other than "ok"; ``wrongly_rejected``: the same for the
    pictures as they are, ``photos`` of them.
    """
    stated, rejected, statements = list[bool](), list[bool](), 0
    by_kind: Counter[str] = Counter()
    for kind, pixels in build(items):
        found, verdict = look(app, Frame(pixels, source=kind))
        statements += len(found)
        stated.append(bool(found))
        rejected.append(verdict is not Verdict.OK)
        by_kind[kind] += len(found)
        report({"kind": kind, "verdict": verdict.value, "statements": found})
    first = list({row["image"]: row for row in items.rows}.values())[:PHOTOS]
    photos = [app.kit.eyes.look(frame).verdict for _, frame in items.each("image", pictures.read, first)]
    wrongly = [verdict is not Verdict.OK for verdict in photos]
    return {
        "n": len(stated),
        "share": float(np.mean(stated)),
        "share_interval": bootstrap(stated),
        "statements": statements,
        "rejected": float(np.mean(rejected)),
        "rejected_interval": bootstrap(rejected),
        "photos": len(photos),
        "wrongly_rejected": float(np.mean(wrongly)),
        "wrongly_rejected_interval": bootstrap(wrongly),
        "by_kind": dict(by_kind),
    }


def look(app: App, frame: Frame) -> tuple[list[str], Verdict]:
    """Return the confident statements about a frame, and its verdict."""
    percept: Percept = app.kit.eyes.look(frame)
    stated = [(label.label, label.probability) for label in percept.labels]
    if app.kit.fuser is not None:
        percept = app.kit.fuser.read(frame, percept)
        stated += [*percept.words, *app.kit.fuser.answer(percept, QUESTION)]
        if percept.caption:
            stated.append((percept.caption, 1.0))
    if percept.verdict is not Verdict.OK:
        return [], percept.verdict
    return [what for what, probability in stated if probability >= CONFIDENT], percept.verdict


def build(items: Items) -> Iterator[tuple[str, Pixels]]:
    """Yield the frames with the names of their kinds; where ``items`` are few, they are used again."""
    generator = np.random.default_rng(0)
    shapes = [(240, 320), (480, 640), (360, 640), (720, 1280)]
    plain: dict[str, Callable[[tuple[int, int]], NDArray[Any]]] = {
        "black": lambda shape: np.abs(generator.normal(0, generator.uniform(0, 4), (*shape, 3))),
        "white": lambda shape: 255 - np.abs(generator.normal(0, generator.uniform(0, 4), (*shape, 3))),
        "wall": lambda shape: _wall(generator, shape),
        "white noise": lambda shape: generator.integers(0, 256, (*shape, 3)),
        "grey noise": lambda shape: generator.normal(
            generator.uniform(60, 190), generator.uniform(10, 80), (*shape, 1)
        ),
    }
    for kind, make in plain.items():
        for number in range(EACH):
            values = np.broadcast_to(make(shapes[number % len(shapes)]), (*shapes[number % len(shapes)], 3))
            yield kind, _bytes(values)
    spoil: dict[str, Callable[[Pixels], NDArray[Any]]] = {
        "too dark": lambda pixels: pixels * generator.uniform(0.02, 0.1),
        "over-exposed": lambda pixels: pixels * 4.0 + 200,
        "out of focus": lambda pixels: _out_of_focus(pixels, generator.uniform(0.02, 0.05)),
        "shaken": lambda pixels: _shaken(pixels, generator.uniform(0.1, 0.2), vertical=False),
        "shaken upright": lambda pixels: _shaken(pixels, generator.uniform(0.1, 0.2), vertical=True),
    }
    step = max(1, len(items.rows) // (len(spoil) * EACH))
    for offset, (kind, change) in enumerate(spoil.items()):
        for number in range(EACH):
            start = (offset * EACH + number) * step % len(items.rows)
            yield kind, _bytes(change(_pixels(items, start)))


def _pixels(items: Items, start: int) -> Pixels:
    """Return the picture of a row, or of the next whose picture can be read."""
    onwards = Items(items.root, items.rows[start:] + items.rows[:start])
    return next(onwards.each("image", pictures.read))[1].pixels


def _bytes(values: NDArray[Any]) -> Pixels:
    return np.ascontiguousarray(np.clip(values, 0, 255).astype(np.uint8))


def _wall(generator: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a painted wall: one colour, a little shading, a little sensor noise."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    slope = generator.uniform(-25, 25, 2)
    shading = slope[0] * (y / shape[0] - 0.5) + slope[1] * (x / shape[1] - 0.5)
    colour = generator.uniform(60, 220, 3)
    return np.asarray(colour + shading[..., None] + generator.normal(0, generator.uniform(0, 4), (*shape, 3)))


def _out_of_focus(pixels: Pixels, share: float) -> Pixels:
    """Blur with a standard deviation of ``share`` of the longer side."""
    import cv2

    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), share * max(pixels.shape)), np.uint8)


def _shaken(pixels: Pixels, share: float, vertical: bool) -> Pixels:
    """Smear along a straight line of ``share`` of the longer side."""
    import cv2

    length = max(2, round(share * max(pixels.shape)))
    return np.asarray(cv2.blur(pixels, (1, length) if vertical else (length, 1)), np.uint8)
