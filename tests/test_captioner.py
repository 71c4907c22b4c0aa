"""Captioners of the vision-encoder-decoder kind."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from assistant.config import Settings
from assistant.errors import ModelError
from assistant.plugins import Plugins
from assistant.stages import Reader
from assistant.store import Store
from assistant.types import Frame, Percept, Verdict

pytest.importorskip("transformers", reason="captioners need the gpu extra")
pytest.importorskip("torch", reason="captioners need the gpu extra")


def set_to(settings: Settings, model: str) -> Settings:
    return dataclasses.replace(settings, eyes=dataclasses.replace(settings.eyes, captioner=model))


@pytest.fixture(scope="module")
def captioner(settings: Settings, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    from .make_tiny_vlm import captioner as make

    chosen = set_to(settings, str(make(tmp_path_factory.mktemp("captioner"))))
    made = Plugins(chosen).make("reader", "captioner", store)
    assert isinstance(made, Reader)
    return made


def frame(seed: int = 0) -> Frame:
    return Frame(np.random.default_rng(seed).integers(0, 256, (50, 70, 3)).astype(np.uint8))


def percept(verdict: Verdict = Verdict.OK) -> Percept:
    return Percept("none", np.zeros((1, 4), np.float32), verdict=verdict, caption="")


def test_a_caption_is_added_and_is_the_same_every_time(captioner: Reader) -> None:
    one = captioner.read(frame(), percept())
    assert one.caption and one.caption == captioner.read(frame(), percept()).caption
    assert one.caption == " ".join(one.caption.split())
    assert one.encoder == "none"


def test_beam_search_finds_no_worse_a_sentence_than_greedy(captioner: Reader) -> None:
    import torch

    model, images = captioner._model, captioner._images  # type: ignore[attr-defined]
    values = images(images=frame().pixels, return_tensors="pt")["pixel_values"]

    def likelihood(beams: int) -> float:
        tokens = model.generate(values, num_beams=beams, do_sample=False, max_new_tokens=6, min_new_tokens=6)
        with torch.inference_mode():
            logits = model(pixel_values=values, decoder_input_ids=tokens[:, :-1]).logits.log_softmax(-1)
        return float(logits.gather(-1, tokens[:, 1:, None]).sum())

    assert likelihood(4) >= likelihood(1) - 1e-4


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.OK])
def test_a_frame_that_cannot_be_judged_gets_no_caption(captioner: Reader, verdict: Verdict) -> None:
    assert captioner.read(frame(), percept(verdict)).caption == ""


@pytest.mark.parametrize(("model", "told"), [("", r"eyes\.captioner"), ("/no/such", "no folder"), (".", "not load")])
def test_what_is_no_captioner_is_one_line(
    settings: Settings, store: Store, tmp_path: Path, model: str, told: str
) -> None:
    from assistant.backends.captioner import Captioner

    with pytest.raises(ModelError, match=told):
        Captioner(set_to(settings, str(tmp_path) if model == "." else model), store)
