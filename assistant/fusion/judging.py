"""Is a sentence true of a picture? What encoder and captioner find, in one calibrated chance. Numpy only.

The encoder compares the whole sentence with the picture (:mod:`.retrieval`); the captioner reads it word for word. How
much likelier the picture makes each word than a few other pictures do (their pointwise mutual information: Church &
Hanks, Computational Linguistics 16, 1990) sees what the other misses.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

import numpy as np

from ..config import Settings
from ..errors import ModelError
from ..store import Store
from . import heads
from .checkpoint import Checkpoint
from .decoder import Memory
from .layers import Floats, log_mean
from .quantised import unpack
from .retrieval import Calibration, DualEncoder
from .runtime import NumpyCaptioner, together

log = logging.getLogger(__name__)

LEAST_GAIN = -4.0
"""One word can speak against a sentence no more than so much, as a logarithm."""


@dataclass(frozen=True, eq=False)
class Sight:
    """A picture as both read it."""

    vector: Floats
    """(dim,) of the encoder."""
    memory: list[Memory]
    """What the captioner's decoders remember; empty where there is none."""


class Judge:
    """Says how likely a sentence is true of a picture."""

    def __init__(self, encoder: DualEncoder, captioner: NumpyCaptioner | None, saved: Checkpoint | None) -> None:
        """Use a ``judge`` checkpoint if it was fitted to this encoder and captioner, else the encoder's own chance."""
        self.encoder, self.captioner = encoder, captioner
        self.calibration: Calibration | None = None
        if saved is None or captioner is None:
            return
        if saved.extras["of"] != [fingerprint(encoder.w), fingerprint(captioner.weights)]:
            log.info("the judge was fitted to another encoder or captioner and is not used")
            return
        arrays = unpack(saved.arrays)
        self.calibration = Calibration(tuple(arrays["weight"][0].tolist()), float(arrays["bias"][0]))
        self.others = bank(captioner, arrays)

    @classmethod
    def find(cls, settings: Settings, store: Store) -> Judge:
        """Return the judge of the checkpoints in force. Raises :class:`ModelError` without a ``retrieval`` one."""
        encoder = DualEncoder.find(settings, store)
        try:
            saved, captioner = heads.find(settings, "judge"), NumpyCaptioner(heads.find(settings, "caption"))
        except ModelError:
            return cls(encoder, None, None)
        return cls(encoder, captioner, saved)

    def see(self, features_PD: Floats) -> Sight:
        """Return what both remember of a picture."""
        memory = [] if self.captioner is None else self.captioner.memory(features_PD)
        return Sight(self.encoder.picture(features_PD), memory)

    def chance(self, sight: Sight, sentence: str) -> float:
        """Return the probability that a sentence is true of a picture; 0.5 where nothing of it is known."""
        if self.calibration is None or self.captioner is None:
            return self.encoder.judge(sight.vector, sentence)
        vector = self.encoder.text(sentence)
        if not vector.any():
            return 0.5
        read, others = (self.captioner.likelihood(memory, sentence) for memory in (sight.memory, self.others))
        found = evidence(self.encoder, sight.vector, vector, read, others)
        return float(self.calibration.chance(found[None])[0])


def bank(captioner: NumpyCaptioner, arrays: dict[str, Floats]) -> list[Memory]:
    """Return what the captioner remembers of the other pictures that a judge keeps."""
    means, places = arrays["bank.means"], arrays["bank.places"]
    places = places.reshape(len(means), -1, places.shape[1])
    return together([captioner.remember(*picture) for picture in zip(places, means, strict=True)])


def evidence(encoder: DualEncoder, picture: Floats, text: Floats, read: Floats, others: Floats) -> Floats:
    """Return what the calibration reads of one pair, (9,): five numbers of the encoder, four of the captioner.

    ``read`` has the log probability of each word, (words,), ``others`` those before other pictures, (others, words).
    The four: how much likelier than before the others the sentence is, in all and a word; the sum over words that are
    less likely, none counted below :data:`LEAST_GAIN`; the sentence's distance from the others in deviations.
    """
    compared = encoder.compared(text, picture[None])[0]
    whole, totals = float(read.sum()), others.sum(1)
    gain = whole - float(log_mean(totals))
    against = np.clip(read - log_mean(others), LEAST_GAIN, 0).sum()
    distance = (whole - totals.mean()) / (totals.std() + 1)
    return np.array([*compared, gain, gain / len(read), against, distance], np.float32)


def fingerprint(weights: dict[str, Floats]) -> str:
    """Return what identifies weights: a hash of a few numbers of each array."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        if not name.startswith("scene."):
            flat = np.ravel(weights[name])
            digest.update(name.encode() + np.ascontiguousarray(flat[:: max(1, len(flat) // 64)], np.float32).tobytes())
    return digest.hexdigest()[:16]
