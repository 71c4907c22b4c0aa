"""The encoders of a hub, as tiny random models of the same classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.errors import InputError, ModelError
from assistant.fusion.encoders import EyesEncoder, HubPictureEncoder, HubTextEncoder, sound_features, text_features
from assistant.types import Utterance

from . import fusion_world as world

TINY = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.mark.parametrize(
    ("config", "model"),
    [
        ("CLIPVisionConfig", "CLIPVisionModel"),
        ("SiglipVisionConfig", "SiglipVisionModel"),
        ("Dinov2Config", "Dinov2Model"),
        ("ViTConfig", "ViTModel"),
    ],
)
def test_pictures_become_a_grid_of_patches(config: str, model: str) -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    torch.manual_seed(0)
    settings = getattr(transformers, config)(**TINY, image_size=24, patch_size=8)
    encoder = HubPictureEncoder(getattr(transformers, model)(settings), "tiny")
    assert encoder.layout.tokens == (3, 3) and encoder.layout.dim == 16
    left, right = (encoder.encode(world.picture("red", side)) for side in ("left", "right"))
    assert left.shape == (9, 16) and left.dtype == np.float32 and np.isfinite(left).all()
    assert not np.allclose(left, right)


@pytest.mark.parametrize(
    ("kind", "library"), [("CLIPVision", "CLIP"), ("SiglipVision", "Siglip"), ("Dinov2", "Bit"), ("ViT", "ViT")]
)
def test_pictures_are_prepared_as_the_library_does_it(kind: str, library: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    torch.manual_seed(0)
    settings = getattr(transformers, f"{kind}Config")(**TINY, image_size=24, patch_size=8)
    getattr(transformers, f"{kind}Model")(settings).save_pretrained(tmp_path)
    encoder = HubPictureEncoder.load(str(tmp_path))
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3)).astype(np.uint8)  # of its size: no resizing
    size = {"height": 24, "width": 24}
    prepare = getattr(transformers, f"{library}ImageProcessorPil")(
        size={"shortest_edge": 24} if library in ("CLIP", "Bit") else size,
        crop_size=size,
        image_mean=list(encoder.mean),
        image_std=list(encoder.deviation),
    )
    with torch.inference_mode():
        states = encoder.model(**prepare(images=pixels, return_tensors="pt")).last_hidden_state[0]
    assert np.allclose(encoder.encode(pixels), states[-9:].numpy(), atol=1e-4)


def test_a_bert_of_a_folder_brings_its_tokenizer(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs torch")
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "runs"]))
    transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    transformers.BertModel(transformers.BertConfig(**TINY, vocab_size=8)).save_pretrained(tmp_path)
    short, long = HubTextEncoder.load(str(tmp_path)).encode(["a dog", "a dog runs a dog"])
    assert short.shape == (4, 16) and long.shape == (7, 16)


def test_another_kind_of_model_is_refused() -> None:
    pytest.importorskip("torch", reason="needs torch")
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    bert = transformers.BertModel(transformers.BertConfig(**TINY, vocab_size=20))
    with pytest.raises(ModelError, match="'bert' model; known: clip, dinov2, siglip, vit"):
        HubPictureEncoder(bert, "tiny")


def test_bert_gives_a_vector_a_token() -> None:
    pytest.importorskip("torch", reason="needs torch")
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    bert = transformers.BertModel(transformers.BertConfig(**TINY, vocab_size=20))
    encoder = HubTextEncoder(bert, lambda text: {"input_ids": [len(word) for word in text.split()]}, "tiny")
    assert [states.shape for states in encoder.encode(["a dog", "a cat sat"])] == [(2, 16), (3, 16)]


def test_the_eyes_of_the_assistant_are_an_encoder() -> None:
    encoder = EyesEncoder(world.ColourEyes())
    assert encoder.layout.name == "colours" and encoder.layout.tokens == (3, 3) and encoder.layout.dim == 4
    picture = world.picture("red", "left")
    assert np.array_equal(encoder.encode(picture), world.ColourEncoder().encode(picture))


def test_sound_is_encoded_once_by_the_recogniser() -> None:
    states = np.ones((5, 3), np.float32)
    assert sound_features(Utterance("hello", features=states)) is states
    with pytest.raises(InputError, match="no encoder states"):
        sound_features(Utterance("hello"))


def test_text_is_the_language_models_own_embeddings() -> None:
    class Session:
        def tokenize(self, text: str) -> list[int]:
            return [ord(letter) for letter in text]

        def embed(self, tokens: list[int]) -> np.ndarray:  # type: ignore[type-arg]
            return np.array([[token, 1.0] for token in tokens], np.float32)

    assert text_features(Session(), "ab").tolist() == [[97, 1], [98, 1]]  # type: ignore[arg-type]


def test_offline_the_hub_is_not_asked() -> None:
    pytest.importorskip("transformers")
    with pytest.raises(ModelError, match="nobody/nothing does not load"):
        HubPictureEncoder.load("nobody/nothing", offline=True)
