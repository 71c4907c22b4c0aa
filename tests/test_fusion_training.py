from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import InputError, ModelError, SettingError, TrainingError
from assistant.fusion import checkpoint, task
from assistant.fusion.checkpoint import Checkpoint
from assistant.fusion.config import FusionConfig

from . import fusion_world as world

torch = pytest.importorskip("torch", reason="training needs torch")
from assistant.fusion.training import BEST, STATE, Progress, Trainer  # noqa: E402


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.build(tmp_path_factory.mktemp("squares") / "data")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def often_saved(config: FusionConfig) -> FusionConfig:
    return replace(config, training=replace(config.training, save_every=3))


def trainer(config: FusionConfig, squares: Path, cache: Path, out: Path) -> Trainer:
    return Trainer(task.make(config, world.material(squares, cache, config)), out)


def test_a_run_learns_and_says_how_far_it_is(squares: Path, cache: Path, tmp_path: Path) -> None:
    config = world.configuration("words", epochs=10)
    seen: list[Progress] = []
    run = Trainer(task.make(config, world.material(squares, cache, config)), tmp_path, seen.append)
    result = run.run()
    assert result.figures["average_precision"] > 0.8
    assert np.mean(result.position.losses[-6:]) < np.mean(result.position.losses[:6])
    assert seen[-1].step == seen[-1].steps == result.position.step
    assert seen[-1].left == 0 and seen[-1].rate > 0
    assert (tmp_path / "curves.png").stat().st_size > 1000
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in lines if "average_precision" not in line] == result.position.losses


@pytest.mark.parametrize("name", ["words", "caption", "pair"])
def test_a_resumed_run_repeats_the_uninterrupted_one(name: str, squares: Path, cache: Path, tmp_path: Path) -> None:
    options = {"least_visual": 2, "visual_epochs": 1} if name == "caption" else {}
    config = often_saved(world.configuration(name, epochs=2, **options))
    whole = trainer(config, squares, cache, tmp_path / "whole").run()
    broken = trainer(config, squares, cache, tmp_path / "broken")
    loss, calls = broken.task.loss, []

    def interrupted(indices: list[int], generator: np.random.Generator) -> object:
        calls.append(indices)
        if len(calls) == 5:  # in the middle of an epoch, after a save at step 3
            raise KeyboardInterrupt
        return loss(indices, generator)

    broken.task.loss = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    resumed = trainer(config, squares, cache, tmp_path / "broken").run(resume=True)
    assert resumed.position.losses == whole.position.losses
    one, other = checkpoint.load(whole.best), checkpoint.load(resumed.best)
    assert all(np.array_equal(one.arrays[key], other.arrays[key]) for key in one.arrays)


@pytest.mark.parametrize("name", ["words", "caption", "pair"])
def test_a_checkpoint_is_measured_without_a_training_side(
    name: str, squares: Path, cache: Path, tmp_path: Path
) -> None:
    options = {"least_visual": 2, "visual_epochs": 1} if name == "caption" else {}
    config = world.configuration(name, epochs=1, **options)
    material = world.material(squares, cache, config)
    result = Trainer(task.make(config, material), tmp_path).run()
    examples = [replace(example, split="") for example in material.val]
    unseen = replace(config, training=replace(config.training, held_back=0.0))
    with torch.no_grad():
        restored = task.restore(checkpoint.load(result.best), task.measured([unseen], examples, material.features))
        figures = restored.validate()
    assert figures == pytest.approx(result.figures, abs=0.02)
    with pytest.raises(InputError, match="both sides need some"):
        task.gather(unseen, examples, material.features)


def test_accumulated_steps_equal_one_large_step(squares: Path, cache: Path, tmp_path: Path) -> None:
    config = world.configuration("words", epochs=1)
    config = replace(config, model=replace(config.model, dropout=0.0))
    halves = replace(config, training=replace(config.training, batch=3, accumulate=2))
    one = trainer(config, squares, cache, tmp_path / "one")
    two = trainer(halves, squares, cache, tmp_path / "two")
    one.run(), two.run()
    for name, tensor in one.task.module.state_dict().items():
        assert torch.allclose(tensor, two.task.module.state_dict()[name], atol=1e-5)


def test_training_stops_early(squares: Path, cache: Path, tmp_path: Path) -> None:
    config = world.configuration("words", epochs=30)
    config = replace(config, training=replace(config.training, patience=2))
    run = trainer(config, squares, cache, tmp_path)
    figures = iter([3.0, 2.0, 2.5, 2.4, 1.0])
    run.task.validate = lambda: {"loss": next(figures)}  # type: ignore[method-assign]
    result = run.run()
    assert result.stopped_early and result.position.epoch == 4 and result.figures == {"loss": 2.0}
    again = trainer(config, squares, cache, tmp_path).run(resume=True)
    assert again.stopped_early and again.position.epoch == 4, "a run that has stopped does not go on"


@pytest.mark.parametrize("name", ["words", "caption", "pair"])
def test_nothing_is_held_back_of_everything(name: str, squares: Path, cache: Path, tmp_path: Path) -> None:
    options = {"least_visual": 2, "visual_epochs": 1} if name == "caption" else {}
    config = world.configuration(name, epochs=3, **options)
    config = replace(config, training=replace(config.training, everything=True, patience=1))
    held = world.material(squares, cache, config)
    material = task.gather(config, [*held.train, *held.val], held.features)
    assert len(material.train) == len(held.train) + len(held.val) and not material.val
    result = Trainer(task.make(config, material), tmp_path).run()
    kept = checkpoint.load(result.best)
    assert result.figures == {} and kept.extras["epoch"] == 3, "nothing tells a better epoch from a worse one"
    assert kept.config.training.everything


@pytest.mark.parametrize(("tolerance", "kept"), [(0.0, 2), (0.05, 3), (1.0, 5)])
def test_a_later_epoch_is_kept_that_is_hardly_worse(
    squares: Path, cache: Path, tmp_path: Path, tolerance: float, kept: int
) -> None:
    config = world.configuration("words", epochs=5)
    made = task.make(config, world.material(squares, cache, config))
    losses = iter((0.9, 0.5, 0.54, 0.6, 0.8))
    made.validate = lambda: {"loss": next(losses)}  # type: ignore[method-assign]
    made.tolerance = tolerance
    best = checkpoint.load(Trainer(made, tmp_path / "run").run().best)
    assert best.extras["epoch"] == kept


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good(squares: Path, cache: Path, tmp_path: Path) -> None:
    config = world.configuration("words", epochs=3)
    run = trainer(config, squares, cache, tmp_path)
    loss = run.task.loss

    def breaks(indices: list[int], generator: np.random.Generator) -> object:
        return loss(indices, generator) * (float("nan") if run.position.step == 8 else 1.0)

    run.task.loss = breaks  # type: ignore[method-assign]
    with pytest.raises(TrainingError, match=r"epoch 2, batch 3 \(step 9\).*best.safetensors is the last good"):
        run.run()
    kept = checkpoint.load(tmp_path / BEST)
    assert all(np.isfinite(array).all() for array in kept.arrays.values())
    slower = replace(config, training=replace(config.training, lr=1e-4))
    assert trainer(slower, squares, cache, tmp_path).run(resume=True).position.epoch == 3


def test_out_of_memory_names_the_setting(squares: Path, cache: Path, tmp_path: Path) -> None:
    run = trainer(world.configuration("words"), squares, cache, tmp_path)

    def full(indices: list[int], generator: np.random.Generator) -> object:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes")

    run.task.loss = full  # type: ignore[method-assign]
    with pytest.raises(TrainingError, match=r"lower training.batch from 6 to 3, raise training.accumulate from 1 to 2"):
        run.run()


def test_a_run_is_not_overwritten_and_nothing_is_not_resumed(squares: Path, cache: Path, tmp_path: Path) -> None:
    config = world.configuration("words", epochs=1)
    with pytest.raises(InputError, match="nothing to resume"):
        trainer(config, squares, cache, tmp_path).run(resume=True)
    trainer(config, squares, cache, tmp_path).run()
    with pytest.raises(InputError, match="--resume"):
        trainer(config, squares, cache, tmp_path).run()
    other = replace(config, model=replace(config.model, dropout=0.3))
    with pytest.raises(InputError, match="another task or model"):
        trainer(other, squares, cache, tmp_path).run(resume=True)


def test_a_run_is_not_resumed_on_other_data(squares: Path, cache: Path, tmp_path: Path) -> None:
    config = world.configuration("words", epochs=1)
    trainer(config, squares, cache, tmp_path / "run").run()
    other = world.build(tmp_path / "other", 24)
    index = other / "index.jsonl"
    index.write_text(index.read_text("utf-8").replace("square", "block"), "utf-8")
    with pytest.raises(InputError, match=r"other data: its visual_words differs; use the --data of that run"):
        trainer(config, other, cache, tmp_path / "run").run(resume=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from assistant.fusion import checkpoint, task
from assistant.fusion.training import Trainer
from tests import fusion_world as world
from tests.test_fusion_training import often_saved
data, cache, out = map(Path, sys.argv[1:])
config = often_saved(world.configuration("words", epochs=2))
run = Trainer(task.make(config, world.material(data, cache, config)), out)
fsync, saves = os.fsync, []
def die(number):
    saves.append(number)
    if len(saves) == 6:
        os.ftruncate(number, 100)
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(number)
os.fsync = die
run.run()
"""


def test_a_kill_in_the_middle_of_a_save_loses_nothing(squares: Path, cache: Path, tmp_path: Path) -> None:
    config = often_saved(world.configuration("words", epochs=2))
    whole = trainer(config, squares, cache, tmp_path / "whole").run()
    out = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(squares), str(cache), str(out)]
    died = subprocess.run(command, cwd=Path(__file__).parent.parent, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert died.returncode == -signal.SIGKILL
    assert list(out.glob(".*.partial*")), "the process died inside a save"
    assert trainer(config, squares, cache, out).run(resume=True).position.losses == pytest.approx(whole.position.losses)


def test_a_truncated_checkpoint_is_refused(squares: Path, cache: Path, tmp_path: Path) -> None:
    config = world.configuration("words", epochs=1)
    best = trainer(config, squares, cache, tmp_path).run().best
    best.write_bytes(best.read_bytes()[:-50])
    with pytest.raises(ModelError, match="truncated or no checkpoint"):
        checkpoint.load(best)
    (tmp_path / STATE).write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="truncated or no checkpoint"):
        trainer(config, squares, cache, tmp_path).run(resume=True)


def test_a_checkpoint_refuses_another_encoder_and_language_model() -> None:
    config = replace(world.configuration("words"), llm="smollm2", llm_dim=576)
    with pytest.raises(ModelError, match="wants features of 'colours', not 'clip'"):
        config.check(encoder="clip")
    with pytest.raises(ModelError, match="language model 'smollm2', not 'qwen'"):
        config.check(llm="qwen")
    with pytest.raises(ModelError, match=r"width 576 .* not 896"):
        config.check(llm_dim=896)
    config.check(encoder="colours", llm="smollm2", llm_dim=576)


def test_a_checkpoint_that_does_not_fit_its_module_is_refused(squares: Path, cache: Path) -> None:
    config = world.configuration("pair", least=1)
    made = task.make(config, world.material(squares, cache, config))
    arrays = {**made.arrays(), "position": np.zeros((3, 3), np.float32)}
    with pytest.raises(ModelError, match="does not fit this pair module"):
        task.restore(Checkpoint(config, arrays, made.extras()), made.material)


def test_unknown_tasks_strategies_and_widths(squares: Path, cache: Path) -> None:
    material = world.material(squares, cache, world.configuration("pair"))
    with pytest.raises(SettingError, match="did you mean 'caption'"):
        task.make(world.configuration("captions"), material)
    with pytest.raises(SettingError, match="did you mean 'early'"):
        task.make(world.configuration("pair", "erly", least=1), material)
    with pytest.raises(SettingError, match="gives vectors of 4, but encoder_dim is 7"):
        task.make(replace(world.configuration("pair"), encoder_dim=7), material)


def test_corrupt_pictures_are_skipped_and_listed(cache: Path, tmp_path: Path) -> None:
    data = world.build(tmp_path / "data", 24)
    (data / "images" / "1.png").write_bytes(b"\x89PNG broken")
    (data / "images" / "2.png").write_bytes(b"")
    config = world.configuration("words", epochs=1)
    material = world.material(data, cache, config)
    assert [path.name for path, _ in material.features.skipped] == ["1.png", "2.png"]
    assert len(material.train) + len(material.val) == 22
    assert Trainer(task.make(config, material), tmp_path / "run").run().position.step == 3


def test_a_data_set_without_a_readable_picture_is_refused(tmp_path: Path) -> None:
    data = world.build(tmp_path / "data", 6)
    for image in (data / "images").iterdir():
        image.write_bytes(b"")
    with pytest.raises(InputError, match="not one of 6 pictures can be read"):
        world.material(data, tmp_path / "cache", world.configuration("words"))
