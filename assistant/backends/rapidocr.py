"""Text in pictures: PP-OCRv6 through RapidOCR, with the models that its wheel carries."""

from __future__ import annotations

import dataclasses
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..config import Settings
from ..errors import ModelError
from ..layout import in_reading_order
from ..store import Store
from ..types import Box, Frame, Percept, TextRegion

THREADS = 2
"""More do not pay for the small models, and the language model wants its cores."""
LEAST = 0.5
"""Lines that were read with less confidence are left out: a wrong text is worse than none."""
UPSIDE_DOWN = 0.8
"""Mean confidence of the lines below which the picture may stand on its head."""
LONGEST_SIDE = 1600
"""Pixels of the longer side in which lines are looked for; smaller pictures are not enlarged."""
NETWORKS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}
OPTIONS = {
    "Global.log_level": "critical",
    "Global.text_score": LEAST,
    # Whether a line stands on its head is asked of the whole picture: one by one, short lines are often turned wrongly.
    "Global.use_cls": False,
    "Det.limit_type": "max",
    "Det.limit_side_len": LONGEST_SIDE,
    # Each line by itself in its own width; a batch fills all up to the widest, which costs more than it saves.
    "Rec.rec_img_shape": [3, 48, 48],
    "Rec.rec_batch_num": 1,
}


class RapidReader:
    """Finds lines of text and reads them."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Load the networks, never from the network; raises :class:`ModelError` where the wheel lacks them."""
        import rapidocr

        folder = Path(rapidocr.__file__).parent / "models"
        self._engine = rapidocr.RapidOCR(params=OPTIONS)
        for part, name in NETWORKS.items():
            # A session of our own: the library's would check its download list, and its threads spin while they wait.
            part_settings = self._engine.cfg[part]
            part_settings._set_flag("allow_objects", True)
            part_settings["session"] = _session(folder / name)
        # The library gives its logger a handler of its own and warns where a picture holds no text.
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)

    def read(self, frame: Frame, percept: Percept) -> Percept:
        """Return ``percept`` with the text regions of ``frame`` in reading order."""
        regions = self._regions(frame)
        if regions and _confidence(regions) < UPSIDE_DOWN:
            turned = self._regions(Frame(np.ascontiguousarray(frame.pixels[::-1, ::-1])))
            if turned and _confidence(turned) > _confidence(regions):
                regions = [dataclasses.replace(region, box=_turned(region.box)) for region in turned]
                return dataclasses.replace(percept, regions=tuple(reversed(in_reading_order(regions))))
        return dataclasses.replace(percept, regions=in_reading_order(regions))

    def _regions(self, frame: Frame) -> list[TextRegion]:
        height, width = frame.pixels.shape[:2]
        result: Any = self._engine(frame.pixels[:, :, ::-1])  # the library reads BGR
        if result.boxes is None or result.txts is None:
            return []
        found = []
        for corners, text, probability in zip(result.boxes, result.txts, result.scores, strict=True):
            (left, top), (right, bottom) = corners.min(0), corners.max(0)
            box = Box(
                *(min(max(float(v), 0.0), 1.0) for v in (left / width, top / height, right / width, bottom / height))
            )
            if text.strip():
                found.append(TextRegion(text.strip(), box, float(probability)))
        return found


def _session(path: Path) -> Any:
    import onnxruntime

    if not path.is_file():
        raise ModelError(f"{path} is missing; run: pip install --force-reinstall rapidocr")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(THREADS, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # every picture has another shape, and an arena keeps them all
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _confidence(regions: list[TextRegion]) -> float:
    """Return the mean confidence a letter."""
    letters = sum(len(region.text) for region in regions)
    return sum(region.probability * len(region.text) for region in regions) / letters


def _turned(box: Box) -> Box:
    return Box(1 - box.right, 1 - box.bottom, 1 - box.left, 1 - box.top)
