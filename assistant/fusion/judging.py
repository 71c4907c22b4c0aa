"""Is a sentence true of a picture? What encoder and captioner find, in one calibrated chance. Numpy only.

The encoder compares the whole sentence with the picture (:mod:`.retrieval`); the captioner reads it word for word. How
much likelier the picture makes each word than it is without a picture (their pointwise mutual information: Church &
Hanks, Computational Linguistics 16, 1990) sees what the other misses.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..config import Settings
from ..errors import ModelError
from . import heads
from .captions import Choice
from .checkpoint import Checkpoint
from .decoder import Memory
from .layers import Floats
from .quantised import unpack
from .retrieval import Calibration, DualEncoder, relative
from .runtime import NumpyCaptioner

log = logging.getLogger(__name__)

LEAST_GAIN = -4.0
"""One word can speak against a sentence no more than so much, as a logarithm."""


@dataclass(frozen=True, eq=False)
class Sight:
    """A picture as both read it."""

    vector: Floats
    """(dim,) of the encoder."""
    memory: list[Memory]
    """Of the captioner; empty where there is none."""


class Judge:
    """Says how likely a sentence is true of a picture, and how a caption is chosen."""

    def __init__(self, encoder: DualEncoder, captioner: NumpyCaptioner | None, saved: Checkpoint | None) -> None:
        """Use a ``judge`` checkpoint if it was fitted to this encoder and captioner, else the encoder's own chance."""
        self.encoder, self.captioner = encoder, captioner
        self.calibration: Calibration | None = None
        self.choice: Choice | None = None
        if saved is None or captioner is None:
            return
        if saved.extras["of"] != [fingerprint(encoder.w), fingerprint(captioner.weights)]:
            log.info("the judge was fitted to another encoder or captioner and is not used")
            return
        arrays = unpack(saved.arrays)
        self.calibration = Calibration(tuple(arrays["match.weight"][0].tolist()), float(arrays["match.bias"][0]))
        self.choice = Choice(**saved.extras["choice"]).weighing(arrays["choice.weight"][0].tolist())

    @classmethod
    def find(cls, settings: Settings) -> Judge:
        """Return the judge of the checkpoints in force. Raises :class:`ModelError` without a ``retrieval`` one."""
        encoder = DualEncoder(heads.find(settings, "retrieval"))
        try:
            saved, captioner = heads.find(settings, "judge"), NumpyCaptioner(heads.find(settings, "caption"))
        except ModelError:
            return cls(encoder, None, None)
        return cls(encoder, captioner, saved)

    def see(self, features_PD: Floats) -> Sight:
        """Return what both remember of a picture."""
        reads = self.captioner is not None and self.calibration is not None
        return Sight(self.encoder.picture(features_PD), self.captioner.memory(features_PD) if reads else [])  # type: ignore[union-attr]

    def chance(self, sight: Sight, sentence: str) -> float:
        """Return the probability that a sentence is true of a picture; 0.5 where no word of it is known."""
        if self.calibration is None or self.captioner is None:
            return self.encoder.judge(sight.vector, sentence)
        vector = self.encoder.text(sentence)
        if not vector.any():
            return 0.5
        usual = self.captioner.likelihood(self._absent, sentence)
        found = evidence(self.encoder, sight.vector, vector, self.captioner.likelihood(sight.memory, sentence) - usual)
        return float(self.calibration.chance(found[None])[0])

    @cached_property
    def _absent(self) -> list[Memory]:
        assert self.captioner is not None
        return self.captioner.absent()


def evidence(encoder: DualEncoder, picture: Floats, text: Floats, gains: Floats) -> Floats:
    """Return what the calibration reads of one pair, (8,): five of the encoder, three of the captioner.

    ``gains`` tells how much likelier the picture makes each word: their sum, their mean, and the sum of those below
    zero, none counted below :data:`LEAST_GAIN`.
    """
    bank = encoder.w["bank.pictures"], encoder.w["bank.texts"]
    compared = relative(np.atleast_1d(picture @ text), picture[None], text[None], bank)[0]
    bounded = np.maximum(gains, LEAST_GAIN)
    return np.array([*compared, bounded.sum(), bounded.mean(), np.minimum(bounded, 0).sum()], np.float32)


def fingerprint(weights: dict[str, Floats]) -> str:
    """Return what identifies weights: a hash of a few numbers of each array."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        if not name.startswith("scene."):
            flat = np.ravel(weights[name])
            digest.update(name.encode() + np.ascontiguousarray(flat[:: max(1, len(flat) // 64)], np.float32).tobytes())
    return digest.hexdigest()[:16]
