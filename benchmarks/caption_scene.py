"""Fit the layer that tells whether a picture is of the kind that the captioner learned to describe.

Run ``python -m benchmarks.caption_scene DATA [CHECKPOINT]`` with a folder that holds ``captions``, ``naming`` and
``vqa``: photos of people and animals outdoors against products, single things and rooms. The layer (logistic regression
on standardised mean features, Newton steps, ridge 0.01 n) is written into the caption checkpoint.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np

from assistant.cli import App
from assistant.fusion import checkpoint
from assistant.fusion.encoders import EyesEncoder
from assistant.fusion.features import Features
from assistant.fusion.visual import VisualWords

SHIPPED = Path(checkpoint.__file__).parent / "weights" / "caption.safetensors"
RIDGE = 0.01


def pictures(folder: Path) -> list[Path]:
    """Return the pictures of an index, each once."""
    rows = (json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines())
    return [folder / name for name in sorted({row["image"] for row in rows})]


def fit(x: np.ndarray, y: np.ndarray, steps: int = 12) -> np.ndarray:
    """Return weight and bias, (dim + 1,), of a logistic regression in which both classes count the same."""
    x = np.hstack([x, np.ones((len(x), 1))])
    balance = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    w = np.zeros(x.shape[1])
    ridge = RIDGE * len(x) * np.r_[np.ones(x.shape[1] - 1), 0.0]
    for _ in range(steps):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (balance * (p - y)) + ridge * w
        hessian = (x * (balance * p * (1 - p))[:, None]).T @ x + np.diag(ridge + 1e-6)
        w -= np.linalg.solve(hessian, gradient)
    return w


def main() -> None:
    data, path = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else SHIPPED
    app, saved = App(), checkpoint.load(path)
    features = Features(EyesEncoder(app.kit.eyes))
    words = VisualWords.of(saved.arrays, saved.extras["visual_words"])
    names, means, labels = [], [], []
    for kind, label in (("captions", 1), ("naming", 0), ("vqa", 0)):
        for picture in pictures(data / kind):
            if features.add(picture):
                names.append(f"{kind}/{picture.name}")
                means.append(features.get(picture).astype(np.float32).mean(0))
                labels.append(label)
    x, y = words.standardise(np.stack(means)), np.array(labels)
    held = np.array([zlib.crc32(name.encode()) % 5 == 0 for name in names])
    w = fit(x[~held], y[~held])
    p = 1 / (1 + np.exp(-(x[held] @ w[:-1] + w[-1])))
    for kind in ("captions", "naming", "vqa"):
        of = np.array([name.startswith(kind) for name in np.array(names)[held]])
        print(f"{kind:9} {of.sum():5} held back, taken for a scene to describe: {(p[of] >= 0.5).mean():.3f}")
    w = fit(x, y)
    arrays = {**saved.arrays, "scene.weight": w[:-1].astype(np.float16), "scene.bias": w[-1:].astype(np.float32)}
    checkpoint.save(path, checkpoint.Checkpoint(saved.config, arrays, saved.extras))
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
