"""Learned names: right on their own kind, silent on every other picture, calibrated."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.errors import InputError
from assistant.fusion.naming import Namer
from assistant.types import Label, Percept

from .fusion_world import GRID, ColourEncoder, build, configuration, material, picture


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Red and green squares have names, blue ones have none."""
    pytest.importorskip("torch")
    from assistant.fusion.naming_task import NamingTask
    from assistant.fusion.training import Trainer

    folder = tmp_path_factory.mktemp("naming")
    world = build(folder / "world", 60)
    rows = []
    for number in range(60):
        row = {"image": f"images/{number}.png", "split": "val" if number // 6 % 4 == 3 else "train"}
        rows.append(row | ({"coarse_label": ("Tomato", "Lime")[number % 3]} if number % 3 < 2 else {"label": "sky"}))
    (world / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    config = configuration("naming", epochs=15, folds=3)
    given = material(world, folder / "cache", config)
    result = Trainer(NamingTask(config, given), folder / "run").run()
    return SimpleNamespace(path=result.best, figures=result.figures, config=config, material=given)


def percept(colour: str) -> Percept:
    features = ColourEncoder().encode(picture(colour, "left", 55))
    return Percept("colours", features, (GRID, GRID), (Label("ball", 0.6), Label("box", 0.3)))


def test_it_names_what_it_learned(trained: SimpleNamespace) -> None:
    namer = Namer.load(trained.path)
    labels = namer.name(percept("red")).labels
    assert labels[0].label == "tomato" and labels[0].probability > 0.4
    assert "left" in labels[0].place
    assert sum(label.probability for label in labels) <= 1.001
    assert namer.name(percept("green")).labels[0].label == "lime"


def test_another_picture_keeps_its_labels(trained: SimpleNamespace) -> None:
    other = percept("blue")
    assert Namer.load(trained.path).name(other) is other
    assert trained.figures["false_alarms"] <= 0.2 and trained.figures["accuracy"] > 0.8


def test_numpy_repeats_torch(trained: SimpleNamespace) -> None:
    import torch

    from assistant.fusion import checkpoint
    from assistant.fusion import task as tasks

    saved = checkpoint.load(trained.path)
    restored, namer = tasks.restore(saved, trained.material), Namer(saved)
    with torch.no_grad():
        scores = restored._scores(restored.module, restored.raw["val"])  # type: ignore[attr-defined]
    for example, row in zip(restored.parts["val"], scores, strict=True):  # type: ignore[attr-defined]
        features = trained.material.features.get(example.image).astype(np.float32)
        theirs = (row / namer.temperature).softmax(0).numpy()
        assert np.abs(namer.probabilities(features) - theirs).max() < 1e-3


def test_one_name_is_too_few(trained: SimpleNamespace) -> None:
    from assistant.fusion.config import FusionConfig
    from assistant.fusion.naming_task import NamingTask

    config: FusionConfig = trained.config
    other = FusionConfig("naming", "colours", 4, (3, 3), model=config.model, training=config.training)
    few = type(trained.material)(trained.material.features, trained.material.train[:1], trained.material.val)
    with pytest.raises(InputError, match=r"two names in 'coarse_label'; .* set options.field = \"label\""):
        NamingTask(other, few)
