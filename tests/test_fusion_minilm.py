"""The sentence encoder: the reference implementation's numbers, what they mean, and what is wrong with a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelError, SettingError
from assistant.fusion.minilm import NAME, MiniLM, find
from assistant.store import Store

SENTENCES = (
    "A puppy runs through the snow.",
    "Two men in suits wait for a bus at the corner of a busy street .",
    "A young dog is playing in white powder.",
    "ein Hund",
    "",
    "word " * 200,
)


@pytest.fixture(scope="module")
def model(store: Store) -> MiniLM:
    found = find(NAME, store)
    assert isinstance(found, MiniLM)
    return found


def test_it_gives_the_vectors_of_the_reference(model: MiniLM) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    config = transformers.BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    reference = transformers.BertModel(config, add_pooling_layer=False).eval()
    weights = load_file(model.folder / "model.safetensors")
    missing = reference.load_state_dict(weights, strict=False).missing_keys
    assert not missing
    tokenizer = Tokenizer.from_file(str(model.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(64)
    mine = model.embed(SENTENCES)
    for sentence, vector in zip(SENTENCES, mine, strict=True):
        with torch.no_grad():
            states = reference(input_ids=torch.tensor([tokenizer.encode(sentence).ids])).last_hidden_state[0]
        mean = states.mean(0).numpy()
        assert vector @ mean / np.linalg.norm(mean) > 0.9999
    assert np.allclose(np.linalg.norm(mine, axis=1), 1, atol=1e-5)


def test_sentences_that_mean_alike_are_close_whatever_their_words(model: MiniLM) -> None:
    puppy, suits, young, *_ = model.embed(SENTENCES)
    assert puppy @ young > puppy @ suits + 0.2


def test_sentences_read_together_are_read_as_alone(model: MiniLM) -> None:
    together = model.embed(SENTENCES * 12)
    alone = np.concatenate([model.embed([sentence]) for sentence in SENTENCES])
    assert np.allclose(together, np.tile(alone, (12, 1)), atol=1e-4)
    assert model.embed([]).shape == (0, model.dim)


def test_a_name_that_is_not_known_is_told(store: Store) -> None:
    assert find("", store) is None
    with pytest.raises(SettingError, match=f"did you mean '{NAME}'"):
        find("all-minilm-l6-v3", store)


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_a_damaged_model_says_what_to_do(model: MiniLM, tmp_path: Path, file: str) -> None:
    shutil.copytree(model.folder, tmp_path / NAME)
    (tmp_path / NAME / file).write_bytes(b"no model")
    with pytest.raises(ModelError, match=f"is damaged; run: assistant models pull {NAME}"):
        MiniLM(tmp_path / NAME).embed(["a dog"])
