"""Fit TEMPERATURE and ``elsewhere.npy`` of ``assistant/backends/efficientnet.py``; needs PyTorch.

    python -m benchmarks.calibrate_labels DATA [--write]

DATA holds ``naming``, ``captions`` and ``ocr`` (each a folder with an index.jsonl). The ImageNet rows of ``naming``
have a true class. For "none of the thousand" stand groceries that are called as none of them, photos of ``captions``
whose captions have no word of the most probable class, and receipts. Both minimise the negative log likelihood of the
true classes plus WEIGHTS times that of "none of them" on the others. Printed are the figures of five-fold
cross-validation, each fifth judged with what the rest gives; ``--write`` then fits all and writes the layer.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from assistant import pictures
from assistant.backends.efficientnet import ELSEWHERE, EfficientNetEyes, calibrate, classes
from assistant.backends.efficientnet_graph import LAST
from assistant.config import load
from assistant.evaluation.naming import expected_calibration_error
from assistant.store import Store

WEIGHTS = {"groceries": 0.03, "captions": 0.03, "receipts": 0.1}
"""Low, since most confident labels of scenes without a class do name something that is there."""
SCENES = 2000
RIDGE = 1e-4
FOLDS = 5

Floats = NDArray[np.float32]
Group = tuple[Floats, Floats]
"""Mean features of the last map, (pictures, 1280), and logits, (pictures, 1000)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--write", action="store_true", help="write the layer of all pictures")
    given = parser.parse_args()
    inside, true, outside = gather(given.data)
    report(inside, true, outside)
    if given.write:
        temperature, layer = fit(inside, true, outside)
        np.save(ELSEWHERE, layer)
        print(f"all: TEMPERATURE = {temperature:.2f}, written {ELSEWHERE}")


def gather(data: Path) -> tuple[Group, NDArray[np.int64], dict[str, Group]]:
    """Return the ImageNet pictures, their classes, and the groups of pictures that show none."""
    settings = load()
    eyes = EfficientNetEyes(settings, Store(settings))

    def look(folder: str, rows: list[dict[str, Any]]) -> Group:
        seen = [eyes.encode(pictures.read(data / folder / row["image"]).pixels) for row in rows]
        means, logits = (np.stack([one[part].mean((0, 1)) for one in seen]) for part in (0, 1))
        return means[:, :LAST], logits

    named = _rows(data / "naming")
    images = [row for row in named if row.get("imagenet_synset")]
    synsets = [synset for synset, _ in classes()]
    known = {name.lower() for _, every in classes() for name in every}
    foreign = [row for row in named if not row.get("imagenet_synset") and not _said(row) & known]
    scenes = _rows(data / "captions")[:SCENES]
    means, logits = look("captions", scenes)
    words = [_words(" ".join(names)) for _, names in classes()]
    kept = [
        not words[best] & _words(" ".join(row["captions"])) for best, row in zip(logits.argmax(1), scenes, strict=True)
    ]
    outside = {
        "groceries": look("naming", foreign),
        "captions": (means[kept], logits[kept]),
        "receipts": look("ocr", _rows(data / "ocr")),
    }
    return look("naming", images), np.array([synsets.index(row["imagenet_synset"]) for row in images]), outside


def fit(inside: Group, true: NDArray[np.int64], outside: dict[str, Group]) -> tuple[float, Floats]:
    """Return the temperature and the layer, (1281,): weights of the mean features, then the bias."""
    every = np.concatenate([inside[0], *(means for means, _ in outside.values())])
    mean, deviation = every.mean(0), every.std(0) + 1e-3
    temperature = torch.tensor(0.64, requires_grad=True)
    bias = torch.tensor(5.0, requires_grad=True)
    weight = torch.zeros(len(mean), requires_grad=True)
    groups = {
        name: (torch.from_numpy((means - mean) / deviation), torch.from_numpy(logits))
        for name, (means, logits) in {"inside": inside, **outside}.items()
    }
    optimizer = torch.optim.LBFGS([temperature, bias, weight], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = RIDGE * len(mean) * (weight**2).sum()
        for name, (x, logits) in groups.items():
            other = bias + x @ weight
            chances = (torch.cat([logits, other[:, None]], 1) / temperature).log_softmax(1)
            if name == "inside":
                loss = loss - chances[torch.arange(len(true)), torch.from_numpy(true)].mean()
            else:
                loss = loss - WEIGHTS[name] * chances[:, -1].mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    scaled = weight.detach().numpy() / deviation
    layer = np.append(scaled, bias.item() - float(scaled @ mean)).astype(np.float32)
    return temperature.item(), layer


def report(inside: Group, true: NDArray[np.int64], outside: dict[str, Group]) -> None:
    """Print what five-fold cross-validation gives."""
    groups = {"inside": inside, **outside}
    generator = np.random.default_rng(0)
    fold = {name: generator.permutation(len(means)) % FOLDS for name, (means, _) in groups.items()}
    stated = {name: np.zeros(len(means)) for name, (means, _) in groups.items()}
    right = np.zeros(len(true), bool)
    for part in range(FOLDS):
        kept = {name: (x[fold[name] != part], y[fold[name] != part]) for name, (x, y) in groups.items()}
        temperature, layer = fit(kept.pop("inside"), true[fold["inside"] != part], kept)
        for name, (means, logits) in groups.items():
            mine = fold[name] == part
            chances = calibrate(logits[mine], means[mine] @ layer[:-1] + layer[-1], temperature)
            stated[name][mine] = chances.max(-1)
            if name == "inside":
                right[mine] = chances.argmax(-1) == true[mine]
    error = expected_calibration_error(stated["inside"], right)
    print(f"cross-validated: top-1 {right.mean():.3f}, calibration error {error:.3f}")
    for name, values in stated.items():
        print(f"{name}: likely (0.6) {(values >= 0.6).mean():.2f}, sure (0.85) {(values >= 0.85).mean():.2f}")


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines()]


def _said(row: dict[str, Any]) -> set[str]:
    return {row["label"].lower(), row["label"].lower().replace("-", " "), str(row.get("coarse_label")).lower()}


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"[a-z]{3,}", text.lower())}


if __name__ == "__main__":
    main()
