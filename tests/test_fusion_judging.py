"""The judge: what it is fitted to, what it says, and that it is left out where it belongs to other weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.config import Settings
from assistant.errors import SettingError
from assistant.evaluation import load, match
from assistant.fusion import checkpoint
from assistant.fusion.captions import agreement
from assistant.fusion.grid import GridFuser
from assistant.fusion.judging import Judge, evidence, fingerprint
from assistant.fusion.retrieval import DualEncoder
from assistant.fusion.runtime import NumpyCaptioner
from assistant.store import Store
from assistant.types import Frame, Verdict

from . import fusion_world as world


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Captioner, encoder and judge of the tiny world, in one folder."""
    pytest.importorskip("torch")
    from assistant.fusion import task
    from assistant.fusion.training import Trainer

    folder = tmp_path_factory.mktemp("judge")
    data, heads = world.build(folder / "data", 96), folder / "heads"
    sizes: dict[str, int | float] = {"least": 2, "calibrate": 0.2}
    configs = {
        "caption": world.configuration("caption", epochs=15, least_visual=2, visual_epochs=5, **sizes),
        "retrieval": world.configuration(
            "retrieval", epochs=8, reduced=4, word_dim=8, bank=4, soft=0.1, mirror=0.0, word_pictures=4, **sizes
        ),
        "judge": world.configuration(
            "judge",
            epochs=20,
            caption=str(heads / "caption.safetensors"),
            retrieval=str(heads / "retrieval.safetensors"),
        ),
    }
    heads.mkdir()
    for name, config in configs.items():
        result = Trainer(task.make(config, world.material(data, folder / "cache", config)), folder / name).run()
        result.best.rename(heads / f"{name}.safetensors")
    return SimpleNamespace(data=data, heads=heads, figures=result.figures, configs=configs, root=folder)


def judge(trained: SimpleNamespace) -> Judge:
    saved = {name: checkpoint.load(trained.heads / f"{name}.safetensors") for name in trained.configs}
    return Judge(DualEncoder(saved["retrieval"]), NumpyCaptioner(saved["caption"]), saved["judge"])


def test_it_tells_true_sentences_from_false_ones(trained: SimpleNamespace) -> None:
    made = judge(trained)
    assert made.calibration is not None
    sight = made.see(world.ColourEncoder().encode(world.picture("green", "right", 500)))
    true, false = (made.chance(sight, f"A {colour} square on the right .") for colour in ("green", "red"))
    assert true > 0.5 > false
    assert made.chance(sight, "xylophone quartz") == 0.5
    assert trained.figures["match_accuracy"] > 0.7


def test_the_fuser_says_how_likely_a_sentence_is_true_or_nothing(trained: SimpleNamespace) -> None:
    settings = Settings()
    settings = replace(
        settings,
        fusion=replace(settings.fusion, checkpoint=str(trained.heads)),
        eyes=replace(settings.eyes, model="colours"),
    )
    made = GridFuser(settings, Store(settings))
    percept = world.ColourEyes().look(Frame(world.picture("green", "right", 500)))
    true, false = (made.fits(percept, f"a {colour} square on the right") for colour in ("green", "red"))
    assert true is not None and false is not None and true > 0.5 > false
    assert made.fits(percept, "xylophone quartz") is None
    assert made.fits(replace(percept, verdict=Verdict.BLACK), "a green square on the right") is None
    made.knows = lambda percept: False  # type: ignore[method-assign]
    assert made.fits(percept, "a green square on the right") is None


def test_the_command_uses_it(trained: SimpleNamespace, tmp_path: Path) -> None:
    rows = [
        f'{{"image": "images/{n}.png", "text": "a {c} thing", "match": {str(c == world_colour(n)).lower()}}}'
        for n in range(6)
        for c in ("red", "blue")
    ]
    index = trained.data / "match.jsonl"
    index.write_text("\n".join(rows), "utf-8")
    settings = Settings()
    settings = replace(
        settings,
        fusion=replace(settings.fusion, checkpoint=str(trained.heads)),
        eyes=replace(settings.eyes, model="colours"),
    )
    app = SimpleNamespace(settings=settings, store=Store(settings), kit=SimpleNamespace(eyes=world.ColourEyes()))
    lines: list[dict[str, object]] = []
    found = match.run(app, load(index, match.FIELDS), lines.append)  # type: ignore[arg-type]
    assert found["judge"] is True and len(lines) == 12 and found["balanced_accuracy"] > 0.7
    made = judge(trained)
    sight = made.see(world.ColourEncoder().encode(world.picture("red", "left", 0)))
    assert lines[0]["probability"] == pytest.approx(made.chance(sight, "a red thing"), abs=0.05)


def world_colour(number: int) -> str:
    return list(world.COLOURS)[number % 3]


def test_it_is_left_out_where_it_was_fitted_to_other_weights(trained: SimpleNamespace) -> None:
    saved = {name: checkpoint.load(trained.heads / f"{name}.safetensors") for name in trained.configs}
    saved["retrieval"].arrays["space.centre"] = saved["retrieval"].arrays["space.centre"] + 1
    made = Judge(DualEncoder(saved["retrieval"]), NumpyCaptioner(saved["caption"]), saved["judge"])
    assert made.calibration is None
    sight = made.see(world.ColourEncoder().encode(world.picture("green", "right", 500)))
    assert made.captioner is not None and len(sight.memory) == len(made.captioner.decoders), "it serves the caption"
    assert made.chance(sight, "a green square") == made.encoder.judge(sight.vector, "a green square")


def test_what_was_trained_on_is_not_held_back(trained: SimpleNamespace) -> None:
    from assistant.fusion import task

    path = trained.heads / "caption.safetensors"
    saved = checkpoint.load(path)
    other = trained.root / "other.safetensors"
    training = replace(saved.config.training, seed=7)
    checkpoint.save(other, replace(saved, config=replace(saved.config, training=training)))
    config = trained.configs["judge"]
    config = replace(config, options={**config.options, "caption": str(other)})
    with pytest.raises(SettingError, match="same seed"):
        task.make(config, world.material(trained.data, trained.root / "cache", config))


def test_evidence_bounds_what_one_word_can_say(trained: SimpleNamespace) -> None:
    encoder = judge(trained).encoder
    picture, text = encoder.picture(np.ones((9, world.DIM), np.float32)), encoder.text("a red square")
    read, others = np.array([-1.0, -52.0, -0.5], np.float32), np.array([[-2.0, -2.0, -1.0]] * 3, np.float32)
    found = evidence(encoder, picture, text, read, others)
    assert found.shape == (9,) and found[5:].tolist() == pytest.approx([-48.5, -48.5 / 3, -4.0, -48.5])


def test_a_fingerprint_changes_with_the_weights() -> None:
    weights = {"0.place.weight": np.ones((3, 4), np.float32), "scene.bias": np.zeros(1, np.float32)}
    other = {**weights, "scene.bias": np.ones(1, np.float32)}
    assert fingerprint(weights) == fingerprint(other)
    assert fingerprint({**weights, "0.place.weight": np.zeros((3, 4), np.float32)}) != fingerprint(weights)


def test_agreement_is_what_captions_share() -> None:
    captions = [["a", "dog", "runs"], ["a", "dog", "sits"], ["two", "men", "walk"]]
    found = agreement(captions, [-1.0, -1.0, -1.0])
    assert found[0] == pytest.approx(found[1]) and found[2] == 0 < found[0] < 1
    assert agreement([["a"]], [-1.0]) == [0.0]
