"""Whether a frame can be judged at all: black, too dark, over-exposed, blank or blurred.

All measures are taken on the luminance at one fixed size, so that they mean the same for every camera.
The thresholds leave at least 99 % of the development photos alone; `assistant eval hallucination`
reports both sides.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Pixels, Verdict

SIDE = 256
"""Longer side of the picture that is measured; smaller pictures are not enlarged."""

BLACK = 0.06
"""Nothing but one pixel in a hundred is brighter: black with the noise of the sensor."""
DARK = 0.2
"""The same for "too dark"."""
WHITE = 245 / 255
"""Brighter pixels have lost their detail."""
BRIGHT_SHARE, BRIGHT_FLOOR = 0.2, 0.7
"""Over-exposed: so much is white, and one pixel in a thousand is no darker than this; even faint print on paper is."""
FLAT = 25.0 / 255
"""Standard deviation of the luminance up to which a smooth picture is a blank surface, with its shading."""
SMOOTH = 6.0
"""Variance of the Laplacian at a quarter of the size below which nothing but shading and noise is there."""
NOISE = 9.0
"""Variance of the Laplacian over that of the luminance: 11 to 20 for noise, below 6 for photos, 8 for print."""
BLUR = 0.54
"""Blur measure from which a picture is blurred; sharp photos have 0.2 to 0.5."""
SMEARED, ONE_WAY = 0.36, 0.26
"""Shaken: blurred this much along one axis, and by so much more than along the other; 0.03 in most photos."""


def judge(pixels: Pixels) -> tuple[Verdict, float, float]:
    """Return the verdict, the sharpness (variance of the Laplacian, 8-bit levels) and the brightness in [0, 1]."""
    full = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    step = max(1, max(full.shape) // (4 * SIDE))
    # Single pixels, not means: thin print on paper is dark only at full resolution.
    darkest, brightest = np.percentile(full[::step, ::step], (0.1, 99)) / 255
    grey = _shrink(full, SIDE).astype(np.float32)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return _verdict(grey, sharpness, darkest, brightest), sharpness, float(grey.mean()) / 255


def _verdict(grey: NDArray[np.float32], sharpness: float, darkest: float, brightest: float) -> Verdict:
    if brightest < BLACK:
        return Verdict.BLACK
    if brightest < DARK:
        return Verdict.DARK
    if (grey >= WHITE * 255).mean() >= BRIGHT_SHARE and darkest >= BRIGHT_FLOOR:
        return Verdict.BRIGHT
    coarse = _shrink(grey, SIDE // 4)
    if coarse.std() < FLAT * 255 and cv2.Laplacian(coarse, cv2.CV_32F).var() < SMOOTH:
        return Verdict.BLANK
    if sharpness / (float(grey.var()) + 1) > NOISE:
        return Verdict.BLANK
    less, more = sorted(blur(grey))
    shaken = more > SMEARED and more - less > ONE_WAY
    return Verdict.BLURRED if more > BLUR or shaken else Verdict.OK


def blur(grey: NDArray[np.float32]) -> tuple[float, float]:
    """Return how little a picture changes when it is blurred once more, 0 (sharp) to 1, downwards and across.

    Crété-Roffet et al., "The Blur Effect: Perception and Estimation with a New No-Reference Perceptual
    Blur Metric", SPIE 2007.
    """
    measured = []
    for axis, window in ((0, (1, 9)), (1, (9, 1))):
        steps = np.abs(np.diff(grey, axis=axis))
        again = np.abs(np.diff(cv2.blur(grey, window), axis=axis))
        total = float(steps.sum())
        measured.append(1 - float(np.maximum(steps - again, 0).sum()) / total if total > 0 else 0.0)
    return measured[0], measured[1]


def _shrink(grey: NDArray[Any], side: int) -> NDArray[Any]:
    scale = side / max(grey.shape)
    if scale >= 1:
        return grey
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), grey.dtype)
