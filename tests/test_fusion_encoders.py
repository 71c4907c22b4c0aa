"""Every encoder with a tiny random model of its true class: layout, shapes, preprocessing, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.errors import InputError, ModelError
from assistant.fusion.encoders import (
    EyesEncoder,
    HubPictureEncoder,
    HubTextEncoder,
    sound_features,
    text_features,
)
from assistant.types import Utterance

from .fusion_world import DIM, GRID, ColourEncoder, ColourEyes, picture

transformers = pytest.importorskip("transformers", reason="these encoders need the gpu extra")
torch = pytest.importorskip("torch", reason="these encoders need the gpu extra")

SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
MODELS: dict[str, Callable[[], Any]] = {
    "clip": lambda: transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**SMALL, image_size=32, patch_size=8)),
    "siglip": lambda: transformers.SiglipVisionModel(
        transformers.SiglipVisionConfig(**SMALL, image_size=32, patch_size=8)
    ),
    "dinov2": lambda: transformers.Dinov2Model(
        transformers.Dinov2Config(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=32, patch_size=8
        )
    ),
    "vit": lambda: transformers.ViTModel(transformers.ViTConfig(**SMALL, image_size=32, patch_size=8)),
}


@pytest.mark.parametrize("kind", MODELS)
def test_picture_encoders(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    MODELS[kind]().save_pretrained(tmp_path)
    encoder = HubPictureEncoder.load(str(tmp_path))
    assert (encoder.layout.modality, encoder.layout.dim, encoder.layout.tokens) == ("picture", 32, (4, 4))
    vectors = encoder.encode(picture("red", "left"))
    assert vectors.shape == (16, 32) and vectors.dtype == np.float32 and np.isfinite(vectors).all()
    assert np.array_equal(vectors, encoder.encode(picture("red", "left")))
    assert not np.allclose(vectors, encoder.encode(picture("blue", "right")))
    assert encoder.encode(np.zeros((17, 301, 3), np.uint8)).shape == (16, 32)


@pytest.mark.parametrize("kind", MODELS)
def test_pictures_are_prepared_as_the_library_does_it(kind: str) -> None:
    torch.manual_seed(0)
    encoder = HubPictureEncoder(MODELS[kind](), kind)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)  # of its size: nothing is resized
    names = {"clip": "CLIP", "siglip": "Siglip", "dinov2": "Bit", "vit": "ViT"}
    size = {"height": 32, "width": 32}
    library = getattr(transformers, f"{names[kind]}ImageProcessorPil")(
        size={"shortest_edge": 32} if kind in ("clip", "dinov2") else size,
        crop_size=size,
        image_mean=list(encoder.mean),
        image_std=list(encoder.deviation),
    )
    with torch.inference_mode():
        states = encoder.model(**library(images=pixels, return_tensors="pt")).last_hidden_state[0]
    assert np.allclose(encoder.encode(pixels), states[-16:].numpy(), atol=1e-4)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    transformers.BertModel(transformers.BertConfig(**SMALL, vocab_size=50)).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="'bert' model"):
        HubPictureEncoder.load(str(tmp_path))


def test_a_bert_encodes_texts_of_any_length(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "runs"]))
    transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    torch.manual_seed(0)
    transformers.BertModel(transformers.BertConfig(**SMALL, vocab_size=8)).save_pretrained(tmp_path)
    encoder = HubTextEncoder.load(str(tmp_path))
    short, long = encoder.encode(["a dog", "a dog runs a dog"])
    assert encoder.layout.modality == "text" and short.shape == (4, 32) and long.shape == (7, 32)
    assert not np.allclose(short[1], long[1]), "the states depend on the whole text"


def test_the_eyes_of_the_assistant_as_an_encoder() -> None:
    encoder = EyesEncoder(ColourEyes())
    assert (encoder.layout.name, encoder.layout.dim, encoder.layout.tokens) == ("colours", DIM, (GRID, GRID))
    pixels = picture("green", "right")
    assert np.array_equal(encoder.encode(pixels), ColourEncoder().encode(pixels))


def test_the_recognisers_states_are_used_again() -> None:
    states = np.ones((5, 3), np.float32)
    assert sound_features(Utterance("hi", features=states)) is states
    with pytest.raises(InputError, match="encoder states"):
        sound_features(Utterance("hi"))


def test_a_text_in_the_language_models_own_space() -> None:
    from .test_brain import ScriptedSession

    session = ScriptedSession(lambda _: "")
    assert text_features(session, "hello").shape == (5, session.dim)
