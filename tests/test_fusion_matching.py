"""A thing that was named but is not there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.config import Settings
from assistant.evaluation import conflict as evaluation
from assistant.evaluation import load
from assistant.fusion import quantised
from assistant.fusion.matching import conflict
from assistant.fusion.retrieval import DualEncoder


@pytest.fixture(scope="module")
def encoder() -> DualEncoder:
    """Of the encoder only what a conflict reads: two frequent nouns, a rare one, an adjective, and one against all."""
    made = DualEncoder.__new__(DualEncoder)
    made.words = {"dog": 0, "cup": 1, "zebra": 2, "red": 3, "man": 4}
    made.nouns = frozenset({"dog", "cup", "zebra", "man"})
    usual = np.array([0.2, 0.2, 0.004, 0.2, 0.2], np.float32)
    weight = np.vstack([np.eye(4), np.full((1, 4), -0.2)]).astype(np.float32)
    made.w = {"words.weight": weight, "words.usual": usual, "words.centre": np.zeros(4, np.float32)}
    return made


def test_it_names_the_noun_that_the_picture_lacks(encoder: DualEncoder) -> None:
    cup = np.array([[-0.2, 0.7, -0.004, 0.0]], np.float32)
    found = conflict(encoder, cup, "what colour is this dog?")
    assert found is not None and found.noun == "dog" and found.seen[0] == "cup" and found.surprise < -2.0
    assert conflict(encoder, cup, "how many dogs are there?") is not None
    assert conflict(encoder, cup, "what colour is the cup?") is None


def test_a_noun_is_a_word_of_its_own_and_of_english(encoder: DualEncoder) -> None:
    """ "many" is no plural of "man", and "man" in German is nobody."""
    without = np.ones((1, 4), np.float32)
    for question in ("is there a man?", "where are the men?"):
        found = conflict(encoder, without, question)
        assert found is not None and found.noun == "man"
    for question in ("how many legs has a spider?", "how many are there?", "was kann man hier sehen?"):
        assert conflict(encoder, without, question) is None


def test_what_is_rare_or_no_noun_or_unknown_is_never_missed(encoder: DualEncoder) -> None:
    nothing = np.array([[-0.2, -0.2, -0.004, -0.2]], np.float32)
    for question in ("is that a zebra?", "is it red?", "where is the xylophone?", ""):
        assert conflict(encoder, nothing, question) is None


def test_the_bound_decides(encoder: DualEncoder) -> None:
    doubtful = np.array([[-0.17, 0.0, 0.0, 0.0]], np.float32)
    assert conflict(encoder, doubtful, "the dog", bound=-3) is None
    assert conflict(encoder, doubtful, "the dog", bound=-1) is not None


def test_the_evaluation_exchanges_nouns(encoder: DualEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    from PIL import Image

    rows = []
    for name, caption in (("dog", "A dog on grass ."), ("cup", "The cup is red .")):
        Image.fromarray(np.full((8, 8, 3), 9 if name == "dog" else 200, np.uint8)).save(tmp_path / f"{name}.png")
        rows.append({"image": f"{name}.png", "captions": [caption] * 10})
    (tmp_path / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    seen = {True: [[0.7, -0.2, 0.0, 0.0]], False: [[-0.2, 0.7, 0.0, 0.0]]}
    eyes = SimpleNamespace(
        look=lambda frame: SimpleNamespace(features=np.array(seen[bool(frame.pixels.mean() < 100)], np.float32))
    )
    monkeypatch.setattr(evaluation, "DualEncoder", SimpleNamespace(find=lambda settings, store: encoder))
    app = SimpleNamespace(settings=Settings(), store=None, kit=SimpleNamespace(eyes=eyes))
    found = evaluation.run(app, load(tmp_path), lambda row: None)  # type: ignore[arg-type]
    assert found["recall_interval"] == (1.0, 1.0)
    assert found["precision"] == 1.0 and found["recall"] == 1.0 and found["false_alarms"] == 0.0
    assert found["true_captions"] == 20 and 0 < found["exchanged"] <= 20


def test_eight_bits_come_back_nearly_as_they_were() -> None:
    weights = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)
    packed = quantised.pack({"a": weights, "b": weights[0]}, ["a"])
    plain = quantised.unpack(packed)
    assert packed["a"].dtype == np.int8 and plain.keys() == {"a", "b"}
    assert np.abs(plain["a"] - weights).max() <= np.abs(weights).max() / 250
    assert np.array_equal(plain["b"], weights[0])
