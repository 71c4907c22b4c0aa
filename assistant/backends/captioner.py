"""Image captioners of transformers' vision-encoder-decoder kind (ViT-GPT2 and the like), as a reader."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
import transformers

from .. import pictures
from ..config import Settings
from ..store import Store
from ..types import Frame, Percept, Verdict
from .hub_model import Source, best_device, precision

BEAMS = 4
"""Sentences that are followed side by side; the best is taken."""
LONGEST = 32
"""Tokens of a caption at most."""
LONGEST_SIDE = 1024
"""Pixels of the longer side that the encoder's own resizing starts from."""


class Captioner:
    """Writes one sentence about a picture by beam search.

    ``eyes.captioner`` is a folder, an id of the store, or ``owner/name`` of the hub. Raises
    :class:`~assistant.errors.ModelError` where it is missing or is no captioner.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        source = Source.of(settings.eyes.captioner, "eyes.captioner", settings, store)
        self._images = source.load(transformers.AutoImageProcessor.from_pretrained, backend="pil")
        self._tokenizer = source.load(transformers.AutoTokenizer.from_pretrained)
        model = source.load(transformers.VisionEncoderDecoderModel.from_pretrained, dtype=precision())
        self._model: Any = model.to(best_device()).eval()

    def read(self, frame: Frame, percept: Percept) -> Percept:
        """Return ``percept`` with a caption; as it was where the frame cannot be judged."""
        if percept.verdict is not Verdict.OK:
            return percept
        values = self._images(images=pictures.image(frame, LONGEST_SIDE), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            tokens = self._model.generate(
                pixel_values=values.to(self._model.device, self._model.dtype),
                num_beams=BEAMS,
                do_sample=False,
                max_new_tokens=LONGEST,
                max_length=None,
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
            )
        caption = " ".join(self._tokenizer.decode(tokens[0], skip_special_tokens=True).split())
        return dataclasses.replace(percept, caption=caption)
