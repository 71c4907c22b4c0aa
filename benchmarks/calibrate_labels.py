"""Fit TEMPERATURE and OTHER of ``assistant/backends/efficientnet.py``.

    python -m benchmarks.calibrate_labels DATA

DATA holds ``naming`` and ``captions`` (each a folder with an index.jsonl). The ImageNet rows of ``naming`` have a
true class; its groceries that are called as none of the thousand classes, and photos of ``captions``, stand for
scenes without one. Both numbers minimise the negative log likelihood of the true classes plus WEIGHT times that
of "none of the thousand" on the others, over a grid. Printed are the calibration error of the ImageNet rows where
each half is judged with the numbers that the other half gives, then the numbers that all rows give.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant import pictures
from assistant.backends.efficientnet import EfficientNetEyes, calibrate, classes
from assistant.config import load
from assistant.evaluation.naming import expected_calibration_error
from assistant.store import Store

WEIGHT = 0.03
"""Low, since most confident labels of scenes without a class do name something that is there."""
SCENES = 300
TEMPERATURES = np.arange(0.5, 1.001, 0.01)
OTHERS = np.arange(0.0, 9.001, 0.25)

Logits = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    data = parser.parse_args().data
    settings = load()
    eyes = EfficientNetEyes(settings, Store(settings))
    synsets = [synset for synset, _ in classes()]
    names = {name.lower() for _, every in classes() for name in every}
    known, truth, unknown = [], [], []
    for row in _rows(data / "naming"):
        said = {row["label"].lower(), row["label"].lower().replace("-", " "), str(row.get("coarse_label")).lower()}
        if synset := row.get("imagenet_synset"):
            known.append(_logits(eyes, data / "naming" / row["image"]))
            truth.append(synsets.index(synset))
        elif not said & names:
            unknown.append(_logits(eyes, data / "naming" / row["image"]))
    unknown += [_logits(eyes, data / "captions" / row["image"]) for row in _rows(data / "captions")[:SCENES]]
    inside, true, outside = np.stack(known), np.array(truth), np.stack(unknown)
    even = np.arange(len(true)) % 2 == 0
    stated = np.zeros((len(true), len(synsets)), np.float32)
    for part in (even, ~even):
        stated[~part] = calibrate(inside[~part], *fit(inside[part], true[part], outside))
    error = expected_calibration_error(stated.max(-1), stated.argmax(-1) == true)
    print(f"each half with the numbers of the other: calibration error {error:.3f}")
    print(f"all: {report(inside, true, outside, *fit(inside, true, outside))}")


def fit(inside: Logits, true: NDArray[np.int64], outside: Logits) -> tuple[float, float]:
    """Return the temperature and the logit of "none of them" with the least loss; logits are (pictures, classes)."""

    def loss(temperature: float, other: float) -> float:
        right = calibrate(inside, temperature, other)[np.arange(len(true)), true]
        rest = 1 - calibrate(outside, temperature, other).sum(-1)
        return float(-np.log(right + 1e-9).mean() - WEIGHT * np.log(np.maximum(rest, 1e-9)).mean())

    return min(((float(t), float(o)) for t in TEMPERATURES for o in OTHERS), key=lambda numbers: loss(*numbers))


def report(inside: Logits, true: NDArray[np.int64], outside: Logits, temperature: float, other: float) -> str:
    probabilities = calibrate(inside, temperature, other)
    stated, right = probabilities.max(-1), probabilities.argmax(-1) == true
    elsewhere = calibrate(outside, temperature, other).max(-1)
    return (
        f"temperature {temperature:.2f}, other {other:.2f}, top-1 {right.mean():.3f}, "
        f"calibration error {expected_calibration_error(stated, right):.3f}, "
        f"sure (0.8) of a class: {(stated > 0.8).mean():.2f}, of a scene without one: {(elsewhere > 0.8).mean():.2f}"
    )


def _rows(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines()]


def _logits(eyes: EfficientNetEyes, path: Path) -> Logits:
    _, evidence = eyes.encode(pictures.read(path).pixels)
    return np.asarray(evidence.mean((0, 1)), np.float32)


if __name__ == "__main__":
    main()
