"""Audio classifiers of the transformers library: wav2vec 2.0, HuBERT, AST and whatever else is of that kind.

A model that was trained on emotions makes this speech emotion recognition.
"""

from __future__ import annotations

from typing import Any

import torch
import transformers

from ..config import Settings
from ..errors import ModelError
from ..sound import resample
from ..stages import Recognizer
from ..store import Store
from ..types import AudioChunk, Label
from .hub_model import Source, best_device, precision

LONGEST = 30.0
"""Seconds that are heard; attention over more costs the square of it."""
LABELS = 5
LEAST = 0.05
"""Labels that are less probable are left out."""


class HubHearer:
    """Names a sound by one classifier.

    ``sounds.model`` is a folder, an id of the store, or ``owner/name`` of the hub. The probabilities are the
    model's own: nothing calibrates them. Raises :class:`ModelError` where it is missing or no audio classifier.
    """

    def __init__(self, settings: Settings, store: Store, recognizer: Recognizer | None = None) -> None:
        name = settings.sounds.model
        source = Source.of(name, "sounds.model", settings, store)
        self._features: Any = source.load(transformers.AutoFeatureExtractor.from_pretrained)
        model, report = source.load(
            transformers.AutoModelForAudioClassification.from_pretrained, dtype=precision(), output_loading_info=True
        )
        # transformers fills in what a file lacks by chance, and goes on.
        if absent := [key for key in report["missing_keys"] if "classifier" in key or "projector" in key]:
            raise ModelError(f"{name} is no audio classifier: it has no weights {min(absent)}; set sounds.model anew")
        self._model: Any = model.to(best_device()).eval()

    def hear(self, audio: AudioChunk) -> tuple[Label, ...]:
        """Return the labels of the sound's first 30 seconds, most probable first."""
        rate = int(self._features.sampling_rate)
        samples = resample(audio, rate).samples[: round(LONGEST * rate)]
        inputs = self._features(samples, sampling_rate=rate, return_tensors="pt").to(self._model.device)
        values = {
            key: value.to(self._model.dtype) if value.is_floating_point() else value for key, value in inputs.items()
        }
        with torch.inference_mode():
            scores = self._model(**values).logits[0].float().cpu()
        several = self._model.config.problem_type == "multi_label_classification"
        chances = scores.sigmoid() if several else scores.softmax(0)
        best = chances.topk(min(LABELS, len(chances)))
        names = self._model.config.id2label
        return tuple(
            Label(str(names[number]), chance)
            for number, chance in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            if chance >= LEAST
        )
