"""``assistant fusion`` from the command line: encoders of a hub, unseen data, and the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.cli import main
from assistant.fusion import checkpoint

from . import fusion_world as world

pytest.importorskip("torch", reason="training needs torch")
RECIPE = """\
task = "{task}"
encoder = "{encoder}"
encoder_dim = {dim}
grid = [3, 3]
[model]
strategy = "late"
dim = 16
layers = 1
heads = 2
hidden = 16
[training]
epochs = 1
batch = 8
held_back = {held_back}
[options]
least = 1
"""


def recipe(folder: Path, task: str = "pair", encoder: str = "colours", dim: int = 4, held_back: float = 0.1) -> Path:
    path = folder / f"{task}.toml"
    path.write_text(RECIPE.format(task=task, encoder=encoder, dim=dim, held_back=held_back), "utf-8")
    return path


def test_an_encoder_of_a_folder_is_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    tiny = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    settings = transformers.Dinov2Config(**tiny, image_size=24, patch_size=8)
    transformers.Dinov2Model(settings).save_pretrained(tmp_path / "tiny")
    data = world.build(tmp_path / "data", 24)
    shared = ["--data", str(data), "--cache", str(tmp_path / "cache"), "--json"]
    train = ["fusion", "train", "--out", str(tmp_path / "run"), *shared, "--config"]
    config = recipe(tmp_path, encoder=str(tmp_path / "tiny"), dim=16)
    assert main([*train, str(config)]) == 0
    best = json.loads(capsys.readouterr().out)["checkpoint"]
    assert checkpoint.load(Path(best)).config.encoder == str(tmp_path / "tiny")
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 24, "features stay in the cache, whatever the name"
    assert main(["fusion", "evaluate", "--checkpoint", best, *shared]) == 0
    config.write_text(config.read_text("utf-8").replace("[3, 3]", "[9, 9]"), "utf-8")
    assert main([*train, str(config)]) == 2
    assert "gives a grid of [3, 3], but grid is [9, 9]" in capsys.readouterr().err
    config = recipe(tmp_path, encoder=str(tmp_path / "absent"))
    assert main([*train, str(config)]) in (1, 2)
    assert "absent; name another encoder" in capsys.readouterr().err


def test_pictures_in_a_folder_a_class_have_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.setattr("assistant.kit.Kit.eyes", world.ColourEyes())
    for number in range(24):
        colour = list(world.COLOURS)[number % 3]
        folder = tmp_path / "data" / ("val" if number % 4 == 3 else "train") / colour
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(world.picture(colour, "left", number)).save(folder / f"{number}.png")
    text = (Path(__file__).parent.parent / "config" / "fusion" / "classes.toml").read_text("utf-8")
    config = tmp_path / "classes.toml"
    config.write_text('encoder = "colours"\nencoder_dim = 4\ngrid = [3, 3]\n' + text, "utf-8")
    shared = ["--data", str(tmp_path / "data"), "--cache", str(tmp_path / "cache"), "--json"]
    assert main(["fusion", "train", "--config", str(config), "--out", str(tmp_path / "run"), *shared]) == 0
    best = Path(json.loads(capsys.readouterr().out)["checkpoint"])
    assert checkpoint.load(best).extras["names"] == sorted(world.COLOURS)


@pytest.fixture
def pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two runs on data without splits, which held back shares of different size; and what the commands share."""
    monkeypatch.setattr("assistant.kit.Kit.eyes", world.ColourEyes())
    index = world.build(tmp_path / "data", 48) / "index.jsonl"
    rows = [{**json.loads(line), "split": ""} for line in index.read_text("utf-8").splitlines()]
    index.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    shared = ["--data", str(index), "--cache", str(tmp_path / "cache"), "--json"]
    for task, share in (("pair", 0.4), ("words", 0.15)):
        run = ["--config", str(recipe(tmp_path, task, held_back=share)), "--out", str(tmp_path / task)]
        assert main(["fusion", "train", *run, *shared]) == 0
    capsys.readouterr()
    return shared


def test_what_was_trained_on_everything_is_not_praised(
    pairs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["--config", str(recipe(tmp_path, "words")), "--out", str(tmp_path / "all"), "--all"]
    assert main(["fusion", "train", *run, *pairs[:-1]]) == 0
    assert "trained on everything, so it was not measured" in capsys.readouterr().out
    assert main(["fusion", "evaluate", "--checkpoint", str(tmp_path / "all" / "best.safetensors"), *pairs]) == 0
    assert "its figures are too good" in capsys.readouterr().err


def test_a_table_is_of_pictures_that_all_held_back_with_a_baseline(
    pairs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.fusion import task

    seen = []
    real = task.restore
    monkeypatch.setattr(task, "restore", lambda saved, material: seen.append(material.val) or real(saved, material))
    best = [str(tmp_path / name / "best.safetensors") for name in ("pair", "words")]
    assert main(["fusion", "compare", *best, *pairs]) == 0
    pair, words, baseline = json.loads(capsys.readouterr().out)["rows"]
    assert seen[0] == seen[1] and 0 < len(seen[0]) < 48 * 0.3
    assert pair["strategy"] == "late" and "strategy" not in words
    assert baseline == {"checkpoint": "baseline", "task": "pair", "parameters": 0, "accuracy": 1.0, "roc_auc": 0.5}


@pytest.mark.parametrize(("out", "message"), [("t.json", "must end in .md"), ("no/t.md", "there is no folder")])
def test_a_table_that_cannot_be_written_is_refused_at_once(
    out: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = ["fusion", "compare", str(tmp_path / "absent"), "--data", str(tmp_path)]
    assert main([*absent, "--out", str(tmp_path / out)]) == 2
    assert message in capsys.readouterr().err
