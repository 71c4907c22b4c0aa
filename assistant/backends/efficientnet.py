"""Eyes on EfficientNet-Lite2 and ONNX Runtime: a grid of features, calibrated labels with their place, a verdict."""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from ..config import Settings
from ..errors import ModelError
from ..store import Store
from ..types import Box, Frame, Label, Percept, Pixels, Verdict
from .efficientnet_graph import GRID, LAST, SIZE, build
from .torch_weights import read
from .verdict import judge

ENCODER = "efficientnet-lite2"
PUBLISHED = "efficientnet-lite2-9656183e.pth"
RUNTIME = "efficientnet-lite2.onnx"

THREADS = 2
"""More do not pay for one picture of 260 x 260, and the language model wants its cores."""
LABELS = 5
"""Labels that a percept carries."""
LEAST = 0.02
"""Labels below this probability are noise and are left out."""

# Fitted by `python -m benchmarks.calibrate_labels DATA`; see there for the method and the figures.
TEMPERATURE = 0.62
"""Divides the logits: the network as published is under-confident (Guo et al., ICML 2017)."""
ELSEWHERE = Path(__file__).with_name("elsewhere.npy")
"""Linear layer from the mean features to the logit of "none of the thousand", the bias last: of what is unlike a
photo of one of the classes, such as a receipt or a product, none is named with confidence."""


@cache
def classes() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return (WordNet synset, names) of each of the 1,000 classes, in the order of the logits."""
    text = resources.files(__package__).joinpath("imagenet_labels.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return tuple((synset, tuple(name.strip() for name in names.split(","))) for synset, names in rows)


def convert(source_folder: Path, target_folder: Path) -> None:
    """Write the run-time form of the published checkpoint into ``target_folder``.

    Needs no PyTorch. Raises :class:`ModelError` where the checkpoint is damaged or another network's.
    """
    content = build(read(source_folder / PUBLISHED))
    target = target_folder / RUNTIME
    try:
        target.write_bytes(content)
    except OSError as error:
        raise ModelError(f"cannot write {target}: {error.strerror or error}") from error


def prepare(pixels: Pixels) -> Pixels:
    """Return the whole picture, squeezed to what the network reads: uint8 RGB, (260, 260, 3)."""
    squeezed = Image.fromarray(pixels).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.asarray(squeezed, np.uint8)


def calibrate(
    logits: NDArray[np.float32], other: NDArray[np.float32], temperature: float = TEMPERATURE
) -> NDArray[np.float32]:
    """Return calibrated probabilities of the classes, (..., classes); what is missing to one is "none of them".

    ``other``, (...), is the logit of the latter.
    """
    scaled = np.concatenate([logits, other[..., None]], -1) / temperature
    raised = np.exp(scaled - scaled.max(-1, keepdims=True))
    return np.asarray((raised / raised.sum(-1, keepdims=True))[..., :-1], np.float32)


def locate(evidence: NDArray[np.float32]) -> Box:
    """Return the box of a class from its activation map, (rows, columns).

    The box spans the places with at least half of the strongest positive evidence that hang
    together with the strongest one.
    """
    rows, columns = evidence.shape
    peak = np.unravel_index(int(evidence.argmax()), evidence.shape)
    strong = evidence >= max(float(evidence[peak]) / 2, 1e-6)
    members, frontier = {peak}, [peak]
    while frontier:
        y, x = frontier.pop()
        for place in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            inside = 0 <= place[0] < rows and 0 <= place[1] < columns
            if inside and place not in members and strong[place]:
                members.add(place)
                frontier.append(place)
    ys, xs = [int(y) for y, _ in members], [int(x) for _, x in members]
    return Box(min(xs) / columns, min(ys) / rows, (max(xs) + 1) / columns, (max(ys) + 1) / rows)


def _mean_of_both(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean, (9, 9, dim), of the maps of a picture and of its mirror image, (2, 9, 9, dim)."""
    return np.asarray((maps[0] + maps[1][:, ::-1]) / 2, np.float32)


class EfficientNetEyes:
    """Looks at the whole frame, squeezed to 260 x 260, and at its mirror image."""

    encoder = ENCODER

    def __init__(self, settings: Settings, store: Store) -> None:
        """Load the network, which the store makes of the published checkpoint with :func:`convert`.

        Raises :class:`ModelError` where the model is missing, damaged or unknown.
        """
        path = store.require(f"{settings.eyes.model}-onnx") / RUNTIME
        self._elsewhere: NDArray[np.float32] = np.load(ELSEWHERE)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(THREADS, os.cpu_count() or 1)
        options.inter_op_num_threads = 1
        # Threads that spin between pictures would take the cores from speech and the language model.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises classes of its own that share no public base
            raise ModelError(f"{path} is damaged; run: assistant models pull {path.parent.name}") from error

    def look(self, frame: Frame) -> Percept:
        """Return features (81, 1488), labels and the verdict; no labels where the frame cannot be judged."""
        features, evidence = self.encode(frame.pixels)
        verdict, sharpness, brightness = judge(frame.pixels)
        return Percept(
            encoder=self.encoder,
            features=features.reshape(GRID * GRID, -1),
            grid=(GRID, GRID),
            labels=self._labels(features, evidence) if verdict is Verdict.OK else (),
            verdict=verdict,
            sharpness=sharpness,
            brightness=brightness,
            time=frame.time,
            source=frame.source,
        )

    def encode(self, pixels: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return features (9, 9, 1488) and evidence (9, 9, 1000); the logits are the mean of the evidence.

        The first 1280 features are the network's last map, the others that of the stage before. Both are the mean of
        what the network makes of the picture and of its mirror image, turned back (Krizhevsky et al., NeurIPS 2012).
        """
        straight = prepare(pixels)
        features, evidence = self.maps(np.stack([straight, straight[:, ::-1]]))
        return _mean_of_both(features), _mean_of_both(evidence)

    def maps(self, prepared: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return features and evidence of pictures by :func:`prepare`, (pictures, 260, 260, 3), just as they come."""
        features, evidence = self._session.run(None, {"pixels": prepared})
        return features, evidence

    def places(self, frame: Frame, label: str) -> NDArray[np.float32]:
        """Return each place's evidence for one of the labels, (81,)."""
        evidence = self.encode(frame.pixels)[1].reshape(GRID * GRID, -1)
        # Two classes are called "crane"; the more probable one is meant.
        called = [index for index, (_, names) in enumerate(classes()) if names[0] == label]
        return np.asarray(evidence[:, max(called, key=lambda index: evidence[:, index].mean())], np.float32)

    def _labels(self, features: NDArray[np.float32], evidence: NDArray[np.float32]) -> tuple[Label, ...]:
        other = features[..., :LAST].mean((0, 1)) @ self._elsewhere[:-1] + self._elsewhere[-1]
        probabilities = calibrate(evidence.mean((0, 1)), other)
        labels = []
        for index in np.argsort(-probabilities)[:LABELS]:
            if probabilities[index] < LEAST:
                break
            box = locate(evidence[:, :, index])
            labels.append(Label(classes()[index][1][0], float(probabilities[index]), box.place, box))
        return tuple(labels)
