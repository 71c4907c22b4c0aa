"""Text in pictures: PP-OCRv6 through RapidOCR, with the models that its wheel carries."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..config import Settings
from ..errors import ModelError
from ..store import Store
from ..types import Box, Frame, Percept, TextRegion

THREADS = 2
"""More do not pay for the small models, and the language model wants its cores."""
LEAST = 0.5
"""Lines that were read with less confidence are left out: a wrong text is worse than none."""
MODELS = {
    "Det.model_path": "PP-OCRv6_det_small.onnx",
    "Cls.model_path": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec.model_path": "PP-OCRv6_rec_small.onnx",
}


class RapidReader:
    """Finds lines of text and reads them."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Set the engine up; its networks are loaded with the first picture, never from the network."""
        import rapidocr

        folder = Path(rapidocr.__file__).parent / "models"
        # Named by path, because the library would otherwise check its own download list.
        paths = {key: str(folder / name) for key, name in MODELS.items()}
        if missing := [path for path in paths.values() if not Path(path).is_file()]:
            raise ModelError(f"{missing[0]} is missing; run: pip install --force-reinstall rapidocr")
        threads = min(THREADS, os.cpu_count() or 1)
        self._engine = rapidocr.RapidOCR(
            params={
                **paths,
                "Global.log_level": "critical",
                "Global.text_score": LEAST,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
        # The library gives its logger a handler of its own and warns where a picture holds no text.
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)

    def read(self, frame: Frame, percept: Percept) -> Percept:
        """Return ``percept`` with the text regions of ``frame`` in reading order."""
        height, width = frame.pixels.shape[:2]
        result: Any = self._engine(frame.pixels[:, :, ::-1])  # the library reads BGR
        if result.boxes is None or result.txts is None:
            return dataclasses.replace(percept, regions=())
        found = []
        for corners, text, probability in zip(result.boxes, result.txts, result.scores, strict=True):
            (left, top), (right, bottom) = corners.min(0), corners.max(0)
            box = Box(
                *(min(max(float(v), 0.0), 1.0) for v in (left / width, top / height, right / width, bottom / height))
            )
            if text.strip():
                found.append(TextRegion(text.strip(), box, float(probability)))
        return dataclasses.replace(percept, regions=in_reading_order(found))


def in_reading_order(regions: Sequence[TextRegion]) -> tuple[TextRegion, ...]:
    """Return regions row by row from the top, each row from the left.

    A region belongs to a row where its middle lies within the height of the row's first region or
    the other way round.
    """
    rows: list[list[TextRegion]] = []
    for region in sorted(regions, key=lambda region: region.box.top + region.box.bottom):
        row = next((row for row in reversed(rows) if _level(row[0].box, region.box)), None)
        if row is None:
            rows.append([region])
        else:
            row.append(region)
    return tuple(region for row in rows for region in sorted(row, key=lambda region: region.box.left))


def _level(first: Box, second: Box) -> bool:
    low, high = sorted((first, second), key=lambda box: box.bottom - box.top)
    return high.top < (low.top + low.bottom) / 2 < high.bottom
