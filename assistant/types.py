"""What travels between the stages: sound, frames, words, percepts, turns, replies.

Only numpy and the standard library. Every type is frozen: a stage that wants to
change something makes a new one with :func:`dataclasses.replace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono sound in [-1, 1], shape (samples,)."""

Pixels = NDArray[np.uint8]
"""A picture, RGB, shape (height, width, 3)."""

Features = NDArray[np.float32]
"""Vectors of an encoder or soft tokens, shape (tokens, dim)."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """A stretch of mono sound."""

    samples: Samples
    rate: int
    """Samples per second."""
    start: int = 0
    """Position of the first sample, in samples since the stream began."""

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from a camera or a file."""

    pixels: Pixels
    time: float = 0.0
    """Capture time in seconds on the clock of the audio stream."""
    source: str = ""
    """Name of the camera, file or URL it came from."""


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word with its place in the recording."""

    text: str
    start: float
    """Seconds since the start of the recording."""
    end: float
    """Seconds since the start of the recording."""
    probability: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """What a recogniser made of a recording."""

    text: str
    language: str = "en"
    """ISO 639-1 code of the language that was spoken."""
    words: tuple[Word, ...] = ()
    confidence: float = 1.0
    """Mean probability of the tokens, 0 to 1."""
    no_speech: float = 0.0
    """Probability that nobody spoke, 0 to 1."""
    features: Features | None = None
    """The recogniser's encoder states, (time, dim), where the engine gives them."""
    sounds: tuple[Label, ...] = ()
    """What was heard beside the words, or how they were said, most probable first; nothing where nobody listened."""


class Verdict(StrEnum):
    """Whether a frame can be judged at all, worst first."""

    BLACK = "black"
    DARK = "too dark"
    BRIGHT = "over-exposed"
    BLANK = "blank"
    BLURRED = "blurred"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the picture, origin at the upper left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def place(self) -> str:
        """Where its centre lies, in words: ``"upper left"``, ``"centre"``, ``"right"``."""
        x, y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        across = "left" if x < 0.4 else "right" if x > 0.6 else ""
        down = "upper" if y < 0.4 else "lower" if y > 0.6 else ""
        if down and not across:
            return f"{down} centre"
        return f"{down} {across}".strip() or "centre"


@dataclass(frozen=True, slots=True)
class Label:
    """A thing that an encoder believes to see or to hear."""

    label: str
    probability: float
    """Calibrated: of all statements made at 0.8, eight in ten are true."""
    place: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class TextRegion:
    """A line of text read in a picture."""

    text: str
    box: Box
    probability: float


@dataclass(frozen=True, slots=True)
class Code:
    """A barcode or QR code and what it says. Its text is data, never an instruction."""

    format: str
    text: str
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Percept:
    """What an encoder made of a frame. Opaque to everything but ``fusion/`` and plugins."""

    encoder: str
    """Name of the encoder that made ``features``; a fuser refuses any other."""
    features: Features
    """One vector a place, (rows * columns, dim), row by row."""
    grid: tuple[int, int] = (1, 1)
    """(rows, columns) of ``features``."""
    labels: tuple[Label, ...] = ()
    """Most probable first."""
    words: tuple[tuple[str, float], ...] = ()
    """Visual words that a fuser learned to see, with their weights in [0, 1]."""
    caption: str = ""
    """A sentence about the picture, where a captioner looked at it."""
    answers: tuple[tuple[str, float], ...] = ()
    """What a trained head answers to the question of this turn, with calibrated probabilities."""
    missing: tuple[str, ...] = ()
    """Things that the question of this turn names and the picture contradicts."""
    regions: tuple[TextRegion, ...] | None = None
    """Text in reading order; ``None`` where nobody looked for text."""
    codes: tuple[Code, ...] | None = None
    """``None`` where nobody looked for codes."""
    verdict: Verdict = Verdict.OK
    sharpness: float = 0.0
    """Variance of the Laplacian of the luminance."""
    brightness: float = 0.0
    """Mean luminance in [0, 1]."""
    time: float = 0.0
    """Capture time of the frame, seconds on the audio clock."""
    source: str = ""
    frame: Frame | None = None
    """The picture itself, for brains that see with their own eyes; ``None`` where only this percept is left."""

    @property
    def text(self) -> str | None:
        """The text that was read, a line a region, or ``None`` where nobody looked."""
        return None if self.regions is None else "\n".join(region.text for region in self.regions)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The language model asks for a tool."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered; a failure is an answer too."""

    call: ToolCall
    result: Any
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One past contribution, as it was really heard."""

    role: Literal["user", "assistant"]
    text: str
    results: tuple[ToolResult, ...] = ()
    """Tools that were used on the way to this message."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """All that a reply is conditioned on. What is missing is visibly missing."""

    utterance: Utterance | None
    percepts: tuple[Percept, ...] = ()
    history: tuple[Message, ...] = ()
    results: tuple[ToolResult, ...] = ()
    """What the tools said that were called in this turn so far."""
    known: tuple[str, ...] = ()
    """Statements of the person that are remembered from conversation to conversation."""
    now: float = 0.0
    """Seconds on the audio clock when the question ended: the age of a percept is ``now - time``."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished, or interrupted, reply."""

    text: str
    """All that was generated."""
    heard: str
    """The part that was really played. Only this enters history."""
    calls: tuple[ToolResult, ...] = ()
    interrupted: bool = False
