"""Text-to-image pipelines of the diffusers library: Stable Diffusion and its kin."""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch

from ..config import Settings
from ..drawing import check
from ..errors import ModelError
from ..stages import Progress, unseen
from ..store import Store
from ..types import Frame
from .hub_model import Source, best_device, precision

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing it compiles what no pipeline here uses, in a way torch gives up
    import diffusers
    from diffusers import AutoPipelineForText2Image

diffusers.utils.logging.disable_progress_bar()
diffusers.utils.logging.set_verbosity_error()

log = logging.getLogger(__name__)

T = TypeVar("T")


class DiffusersPainter:
    """Draws with one pipeline, whichever text-to-image one the model names.

    ``draw.model`` is a folder, an id of the store, or ``owner/name`` of the hub. Only weights in safetensors are
    read, and no code that comes with a model is run. A safety checker that it brings stays in force. Raises
    :class:`ModelError` where the model is missing, is no such pipeline or does not fit into memory, and
    :class:`SettingError` where a setting of ``draw`` is impossible.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self._wish = wish = settings.draw
        check(wish)
        source = Source.of(wish.model, "draw.model", settings, store)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what loading old files makes the libraries say helps nobody who draws
            self._pipeline: Any = _fitting(
                lambda: source.load(
                    AutoPipelineForText2Image.from_pretrained, use_safetensors=True, torch_dtype=precision()
                ).to(best_device()),
                f"{wish.model} does not fit into memory; set draw.model to a smaller one",
            )
        self._pipeline.set_progress_bar_config(disable=True)
        self._options = inspect.signature(self._pipeline.__call__).parameters
        self.steps: int = wish.steps or self._options["num_inference_steps"].default

    def paint(self, text: str, seed: int, progress: Progress = unseen) -> Frame:
        """Return a picture of what the text says. See :class:`~assistant.stages.Painter`."""
        wish = self._wish
        self._measure(text)
        options: dict[str, Any] = {"num_inference_steps": self.steps}
        if wish.size:
            options |= {"height": wish.size, "width": wish.size}
        if wish.guidance:
            options["guidance_scale"] = wish.guidance
        if "callback_on_step_end" in self._options:
            options["callback_on_step_end"] = _reporting(progress)
        # Drawn by the processor, so that a seed means the same noise on every device.
        noise = torch.Generator("cpu").manual_seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = _fitting(
                lambda: self._pipeline(prompt=text, generator=noise, **options),
                "there is not enough memory to draw this; "
                f"lower draw.size (now {wish.size or 'as the model has it'}) or set draw.model to a smaller one",
            )
        if any(getattr(made, "nsfw_content_detected", None) or ()):
            raise ModelError("the model's safety checker withholds this picture; try other words or another --seed")
        return Frame(np.array(made.images[0].convert("RGB"), np.uint8))

    def _measure(self, text: str) -> None:
        """Warn where the model reads only the beginning of the text."""
        parts = self._pipeline.components.items()
        readers = [part for name, part in parts if name.startswith("tokenizer") and part is not None]
        reader = max(readers, key=lambda each: int(each.model_max_length), default=None)
        if reader is None:
            return
        pieces = len(reader(text, truncation=False, verbose=False)["input_ids"])
        if pieces > reader.model_max_length:
            share = reader.model_max_length / pieces
            log.warning("the text is too long for this model: only its first %.0f %% counts", 100 * share)


def _reporting(progress: Progress) -> Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]:
    def stepped(pipeline: Any, index: int, moment: Any, kept: dict[str, Any]) -> dict[str, Any]:
        progress(index + 1, len(pipeline.scheduler.timesteps))
        return kept

    return stepped


def _fitting(work: Callable[[], T], too_large: str) -> T:
    """Return what ``work`` returns; :class:`ModelError` with ``too_large`` where memory does not suffice for it."""
    try:
        return work()
    except (MemoryError, RuntimeError, ValueError, TypeError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or _speaks_of_memory(reason):
            raise ModelError(too_large) from error
        raise ModelError(f"the model fails at this: {reason}") from error


def _speaks_of_memory(reason: str) -> bool:
    """Whether an error without a kind of its own is one of memory, as on a processor or Apple silicon."""
    return any(words in reason.lower() for words in ("out of memory", "allocate memory", "not enough memory"))
