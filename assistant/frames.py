"""The camera beside the conversation: a short ring of frames, and which of them a turn is about."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .types import Frame

KEPT = 12.0
"""Seconds of frames that are kept."""
AROUND = 0.6
"""Seconds around a moment in which the sharpest frame is looked for."""
THUMBNAIL = 24  # pixels a side
SAME_SCENE = 0.12
"""Mean difference of the cells of two thumbnails that differ most, of 1, below which a scene has not changed.

Noise makes 0.01, another exposure 0.03, a shaking hand 0.06; another page of the same paper 0.2, another thing
0.3 and more, however small a part of the picture it is.
"""
MOST_CHANGED = THUMBNAIL**2 // 48  # cells that are compared: a patch of 3 x 4

_POINTING = re.compile(r"\b(this|that|these|those|here|there|dies\w*|das|hier|ceci|cela|esto|eso)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame of the ring with what is needed to choose it."""

    frame: Frame
    sharpness: float
    thumbnail: NDArray[np.float32]
    """Luminance in [0, 1], (24, 24)."""

    def same_scene(self, other: Seen) -> bool:
        """Whether the two show the same, for all that an encoder would notice."""
        differences = np.sort(np.abs(self.thumbnail - other.thumbnail), axis=None)
        return float(differences[-MOST_CHANGED:].mean()) < SAME_SCENE


class FrameRing:
    """The frames of the last seconds."""

    def __init__(self) -> None:
        self._frames: deque[Seen] = deque()

    def add(self, frame: Frame) -> None:
        """Take a frame; its time must not be earlier than that of the last."""
        small = _luminance(frame)
        self._frames.append(Seen(frame, _sharpness(small), _thumbnail(small)))
        while self._frames and self._frames[0].frame.time < frame.time - KEPT:
            self._frames.popleft()

    @property
    def newest(self) -> Seen | None:
        """The last frame."""
        return self._frames[-1] if self._frames else None

    @property
    def resting(self) -> Seen | None:
        """The newest frame, where it shows what the one before it does."""
        if len(self._frames) < 2 or not self._frames[-1].same_scene(self._frames[-2]):
            return None
        return self._frames[-1]

    def at(self, moment: float) -> Seen | None:
        """Return the sharpest frame around a moment (seconds on the audio clock), else the nearest, else ``None``."""
        near = [seen for seen in self._frames if abs(seen.frame.time - moment) <= AROUND]
        if near:
            return max(near, key=lambda seen: seen.sharpness)
        return min(self._frames, key=lambda seen: abs(seen.frame.time - moment), default=None)


def moment_of(text: str, start: float, end: float) -> float:
    """Return when the person pointed: the time of "this" in speech from ``start`` to ``end``, else its end.

    Words are taken to be spoken at an even pace, which is right within a fraction of a
    second and saves the recogniser a second pass.
    """
    pointing = _POINTING.search(text)
    if pointing is None or not text:
        return end
    middle = (pointing.start() + pointing.end()) / 2
    return start + (end - start) * middle / len(text)


def _luminance(frame: Frame) -> NDArray[np.float32]:
    """Return the luminance in [0, 1] at about 160 pixels a side."""
    step = max(1, min(frame.pixels.shape[:2]) // 160)
    small = frame.pixels[::step, ::step].astype(np.float32)
    return np.asarray(small @ np.array([0.299, 0.587, 0.114], np.float32) / 255, np.float32)


def _sharpness(luminance: NDArray[np.float32]) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000)."""
    if min(luminance.shape) < 3:
        return 0.0
    inner = luminance[1:-1, 1:-1]
    laplacian = luminance[:-2, 1:-1] + luminance[2:, 1:-1] + luminance[1:-1, :-2] + luminance[1:-1, 2:] - 4 * inner
    return float(laplacian.var())


def _thumbnail(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return means over a 24 x 24 grid, (24, 24)."""
    rows = np.linspace(0, luminance.shape[0], THUMBNAIL + 1).astype(int)[:-1]
    columns = np.linspace(0, luminance.shape[1], THUMBNAIL + 1).astype(int)[:-1]
    if min(luminance.shape) < THUMBNAIL:
        return np.full((THUMBNAIL, THUMBNAIL), luminance.mean(), np.float32)
    sums = np.add.reduceat(np.add.reduceat(luminance, rows, axis=0), columns, axis=1)
    heights = np.diff([*rows, luminance.shape[0]])[:, None]
    widths = np.diff([*columns, luminance.shape[1]])[None]
    return np.asarray(sums / (heights * widths), np.float32)
