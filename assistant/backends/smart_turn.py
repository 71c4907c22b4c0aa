"""End of turn from sound: Smart Turn v3 on ONNX Runtime.

The network (https://github.com/pipecat-ai/smart-turn, BSD-2) listens to the last eight
seconds as a Whisper log-mel picture and judges intonation and words alike, in any of
its 23 languages.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..config import Settings
from ..sound import resample
from ..store import Store
from ..types import AudioChunk, Features, Samples

RATE = 16_000
WINDOW = 8 * RATE
"""Samples that the network hears."""


class SmartTurn:
    """Judges a pause by the sound before it; one thread, a few hundredths of a second."""

    listens = True

    def __init__(self, settings: Settings, store: Store) -> None:
        import onnxruntime
        from faster_whisper.feature_extractor import FeatureExtractor

        model = store.require("smart-turn-v3.2-cpu") / "smart-turn-v3.2-cpu.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._mel: Any = FeatureExtractor(chunk_length=WINDOW // RATE)

    def finished(self, audio: AudioChunk, text: str) -> float:
        """Return the probability in [0, 1] that the turn which ends with ``audio`` is over; ``text`` is not used."""
        if not len(audio.samples):
            return 0.0
        features = self._features(resample(audio, RATE).samples)
        (probability,) = self._session.run(None, {"input_features": features[None]})
        return float(np.ravel(probability)[0])

    def _features(self, samples: Samples) -> Features:
        """Return the log-mel picture of the last eight seconds, (80 bands, 800 frames)."""
        window = samples[-WINDOW:]
        # The network was trained on speech that ends at the right edge, with silence before it.
        window = np.pad(window, (WINDOW - len(window), 0))
        window = (window - window.mean()) / np.sqrt(window.var() + 1e-7)
        features: Features = self._mel(window.astype(np.float32), padding=0).astype(np.float32)
        return features
