"""Barcodes and QR codes: zxing-cpp, tried again on pictures made clearer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from ..config import Settings
from ..store import Store
from ..types import Box, Code, Frame, Percept

FORMATS = {
    "QRCode": "QR_CODE",
    "MicroQRCode": "MICRO_QR_CODE",
    "RMQRCode": "RMQR_CODE",
    "EAN13": "EAN_13",
    "EAN8": "EAN_8",
    "UPCA": "UPC_A",
    "UPCE": "UPC_E",
    "Code128": "CODE_128",
    "Code39": "CODE_39",
    "Code93": "CODE_93",
    "Codabar": "CODABAR",
    "ITF": "ITF",
    "DataMatrix": "DATA_MATRIX",
    "PDF417": "PDF_417",
    "Aztec": "AZTEC",
    "MaxiCode": "MAXICODE",
}
"""Names as zxing writes them, by those of zxing-cpp."""

LARGEST = 2_000_000
"""Pixels from which a picture is not enlarged."""


class ZxingReader:
    """Reads codes of all kinds, in any direction; matrix codes also light on dark."""

    def __init__(self, settings: Settings, store: Store) -> None:
        pass

    def read(self, frame: Frame, percept: Percept) -> Percept:
        """Return ``percept`` with the codes in ``frame``, from the top."""
        height, width = frame.pixels.shape[:2]
        codes: list[Code] = []
        for grey, scale, binarizer in _attempts(frame.pixels):
            for found in zxingcpp.read_barcodes(grey, binarizer=binarizer, text_mode=zxingcpp.TextMode.Plain):
                code = _code(found, width * scale, height * scale)
                # A second reading of the same place is the same code, or a wrong one.
                if found.valid and not any(_overlap(code.box, other.box) for other in codes):
                    codes.append(code)
        ordered = sorted(codes, key=lambda code: (code.box.top, code.box.left))
        return dataclasses.replace(percept, codes=tuple(ordered))


def _attempts(pixels: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.uint8], float, Any]]:
    """Yield (luminance, its scale, how to make it black and white), the cheapest first."""
    local, whole = zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    yield grey, 1.0, local
    yield grey, 1.0, whole
    sharp = cv2.addWeighted(grey, 2.5, cv2.GaussianBlur(grey, (0, 0), 3), -1.5, 0)
    yield sharp, 1.0, local
    if grey.size <= LARGEST:
        double = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        yield double, 2.0, local
        yield cv2.addWeighted(double, 2.5, cv2.GaussianBlur(double, (0, 0), 4), -1.5, 0), 2.0, local
    if min(grey.shape) > 1:
        half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        yield half, half.shape[1] / grey.shape[1], local


def _code(code: Any, width: float, height: float) -> Code:
    corners = [getattr(code.position, name) for name in ("top_left", "top_right", "bottom_right", "bottom_left")]
    xs, ys = [corner.x / width for corner in corners], [corner.y / height for corner in corners]
    edges = (min(xs), min(ys), max(xs), max(ys))
    name, text = FORMATS.get(code.format.name, code.format.name), code.text
    if name == "EAN_13" and text.startswith("0"):  # GS1: an EAN-13 that begins with 0 is a UPC-A
        name, text = "UPC_A", text[1:]
    return Code(name, text, Box(*(min(max(float(edge), 0.0), 1.0) for edge in edges)))


def _overlap(first: Box, second: Box) -> bool:
    return not (
        first.right < second.left or second.right < first.left or first.bottom < second.top or second.bottom < first.top
    )
