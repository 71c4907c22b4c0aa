"""How often the colour that is told of a thing on a shelf is one that such things have.

::

    python -m benchmarks.colours DATA

``DATA`` holds ``naming`` with its fruit and vegetables, no picture of which the ``colour`` head has seen. Printed are
how often the first colour is right and how probable it was held to be: from what is learned alone, from the plain
colours of the pixels alone, and from both, as it ships. The weights of both were set on these pictures.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np

from assistant import pictures
from assistant.cli import App
from assistant.fusion import colour
from assistant.fusion.grid import GridFuser
from assistant.fusion.layers import Floats, softmax
from assistant.percepts import look

HAVE = {
    "Asparagus": "green", "Aubergine": "purple black", "Avocado": "green black brown", "Banana": "yellow",
    "Beef-Tomato": "red", "Brown-Cap-Mushroom": "brown white", "Cabbage": "green white", "Carrots": "orange",
    "Conference": "green yellow brown", "Cucumber": "green", "Garlic": "white", "Ginger": "brown",
    "Granny-Smith": "green yellow", "Green-Bell-Pepper": "green", "Kiwi": "brown", "Leek": "green white",
    "Lemon": "yellow", "Lime": "green", "Nectarine": "red orange", "Orange": "orange yellow",
    "Orange-Bell-Pepper": "orange yellow", "Peach": "red orange yellow pink", "Pineapple": "brown yellow orange",
    "Plum": "purple black red blue", "Pomegranate": "red pink", "Red-Bell-Pepper": "red", "Red-Delicious": "red",
    "Regular-Tomato": "red", "Royal-Gala": "red", "Satsumas": "orange yellow", "Solid-Potato": "brown yellow",
    "Vine-Tomato": "red", "Watermelon": "green", "Yellow-Bell-Pepper": "yellow",
    "Yellow-Onion": "brown yellow orange", "Zucchini": "green",
}  # fmt: skip
MOST = 8
"""Pictures of each name."""


def main() -> None:
    """Look at the pictures and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    folder: Path = parser.parse_args().data / "naming"
    kit = App("embedded").kit
    fuser = kit.fuser
    assert isinstance(fuser, GridFuser)
    head, encoder = fuser.colours, fuser.encoder_of_words
    assert head is not None
    taken: Counter[str] = Counter()
    found: dict[str, list[tuple[bool, float]]] = {"learned": [], "plain": [], "both": []}
    for line in (folder / "index.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        label = row["label"].replace(" ", "-")
        if label not in HAVE or taken[label] >= MOST:
            continue
        taken[label] += 1
        frame = pictures.read(folder / row["image"])
        percept = look(kit, frame)
        where, thing = head.pointed(percept, encoder)
        plain = where @ colour.plainly(*colour.lab(frame.pixels, percept.grid))
        ways: dict[str, Floats] = {
            "learned": head.probabilities(where, frame.pixels, percept, thing),
            "plain": softmax(np.log(plain + colour.FAINT)),
            "both": head.probabilities(where, frame.pixels, percept, thing, familiar=False),
        }
        for name, chances in ways.items():
            first = colour.COLOURS[int(chances.argmax())]
            found[name].append((first in HAVE[label].split(), float(chances.max())))
    for name, pairs in found.items():
        right, chances_of = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
        sure = chances_of >= 0.6
        print(
            f"{name:8} {len(pairs)} pictures, right {right.mean():.3f}, believed {chances_of.mean():.3f}, "
            f"at least 0.6 of {sure.mean():.2f}, of which right {right[sure].mean() if sure.any() else 0:.2f}"
        )


if __name__ == "__main__":
    main()
