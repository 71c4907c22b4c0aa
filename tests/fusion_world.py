"""A tiny world for the fusion tests: coloured squares on grey, captions about them, an encoder of mean colours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.fusion.config import FusionConfig, ModelConfig, TrainingConfig
from assistant.fusion.data import read
from assistant.fusion.encoders import Layout
from assistant.fusion.features import Features
from assistant.fusion.task import Material, gather
from assistant.types import Features as Vectors
from assistant.types import Frame, Percept, Pixels

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220)}
SIDES = ("left", "right")
GRID = 3
DIM = 4


class ColourEncoder:
    """The mean colour of each of nine cells, and a one."""

    layout = Layout("colours", "picture", DIM, (GRID, GRID), "any size, cells of equal size")

    def encode(self, pixels: Pixels) -> Vectors:
        height, width = (side // GRID * GRID for side in pixels.shape[:2])
        cells = pixels[:height, :width].reshape(GRID, height // GRID, GRID, width // GRID, 3).mean((1, 3)) / 255
        return np.concatenate([cells.reshape(-1, 3), np.ones((GRID * GRID, 1))], 1).astype(np.float32)


class ColourSentences:
    """Which colours and sides a sentence names, and a one; a rose is red."""

    name, dim = "colour-sentences", 6

    def embed(self, sentences: Sequence[str]) -> Vectors:
        named = [s.lower().replace("rose", "red") for s in sentences]
        found = np.array([[word in s for word in (*COLOURS, *SIDES)] + [True] for s in named], np.float32)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


class ColourEyes:
    """The same as a stage."""

    encoder = "colours"

    def look(self, frame: Frame) -> Percept:
        return Percept("colours", ColourEncoder().encode(frame.pixels), (GRID, GRID))


def picture(colour: str, side: str, noise: int = 0) -> Pixels:
    pixels = np.random.default_rng(noise).integers(100, 140, (30, 30, 3)).astype(np.uint8)
    left = 0 if side == "left" else 20
    pixels[10:20, left : left + 10] = COLOURS[colour]
    return pixels


def build(folder: Path, count: int = 48) -> Path:
    """Write pictures and their ``index.jsonl``; every fourth picture is of the validation part."""
    from PIL import Image

    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(count):
        colour, side = list(COLOURS)[number % 3], SIDES[number // 3 % 2]
        name = f"images/{number}.png"
        Image.fromarray(picture(colour, side, number)).save(folder / name)
        captions = [f"A {colour} square on the {side} .", f"There is a {colour} thing at the {side}"]
        split = "val" if number // 6 % 4 == 3 else "train"
        rows.append({"image": name, "captions": captions, "split": split})
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    return folder


def features(cache: Path) -> Features:
    return Features(ColourEncoder(), cache)


def material(world: Path, cache: Path, config: FusionConfig) -> Material:
    examples, found = read([world]), features(cache)
    found.fill([example.image for example in examples if example.image])
    return gather(config, examples, found, ColourSentences() if config.sentences else None)


def configuration(
    task: str, strategy: str = "attention", epochs: int = 4, **options: str | int | float | bool
) -> FusionConfig:
    if task in ("caption", "words"):
        options = {"least": 2, **options}
    if task == "caption":  # which side a square is on is what its captions tell
        options = {"side": GRID, "crop": 0.0, "mirror": 0.0, **options}
    return FusionConfig(
        task=task,
        encoder="colours",
        encoder_dim=DIM,
        grid=(GRID, GRID),
        model=ModelConfig(strategy, dim=32, layers=1, heads=2, hidden=48, queries=2, dropout=0.1),
        training=TrainingConfig(
            epochs=epochs,
            batch=6,
            lr=5e-3,
            warmup=4,
            average=0.5,
            word_dropout=0.0,
            save_every=1000,
            patience=99,
        ),
        options=options,
    )
