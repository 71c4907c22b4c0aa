"""Two towers: what they learn, that numpy repeats torch, the index on disk, the command and two evaluations."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assistant.config import Settings
from assistant.errors import InputError, ModelError
from assistant.evaluation import load, match, retrieval
from assistant.fusion import checkpoint, heads
from assistant.fusion.layers import shrink
from assistant.fusion.retrieval import DualEncoder, ranks, roc_auc
from assistant.fusion.retrieval_index import PictureIndex

from .fusion_world import ColourEncoder, ColourEyes, build, configuration, material, picture


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A retrieval checkpoint of the tiny world."""
    pytest.importorskip("torch")
    from assistant.fusion.retrieval_task import RetrievalTask
    from assistant.fusion.training import Trainer

    folder = tmp_path_factory.mktemp("retrieval")
    world = build(folder / "world")
    config = configuration(
        "retrieval",
        epochs=8,
        least=2,
        reduced=4,
        word_dim=8,
        bank=4,
        calibrate=0.2,
        soft=0.1,
        mirror=0.0,
        word_pictures=4,
    )
    task = RetrievalTask(config, material(world, folder / "cache", config))
    result = Trainer(task, folder / "run").run()
    return SimpleNamespace(world=world, path=result.best, figures=result.figures, task=task, config=config, root=folder)


def app(trained: SimpleNamespace) -> SimpleNamespace:
    from dataclasses import replace

    settings = Settings()
    fusion = replace(settings.fusion, checkpoint=str(trained.path))
    settings = replace(settings, fusion=fusion, eyes=replace(settings.eyes, model="colours"))
    return SimpleNamespace(settings=settings, kit=SimpleNamespace(eyes=ColourEyes()))


def test_ranks_count_ties_against_the_system() -> None:
    scores = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.1]], np.float32)
    forth, back = ranks(scores, np.array([0, 0, 1]))
    assert forth.tolist() == [1, 2, 2]
    assert back.tolist() == [1, 3]  # another picture's text scores 0.5, one ties with the own at 0.1


def test_roc_auc_is_the_chance_of_the_right_order() -> None:
    truth = np.array([True, True, False, False])
    assert roc_auc(np.array([0.9, 0.4, 0.5, 0.1]), truth) == 0.75
    assert roc_auc(np.array([0.5, 0.5, 0.5, 0.5]), truth) == 0.5


def test_shrink_keeps_the_mean_where_windows_divide_and_constants_always() -> None:
    grid = np.random.default_rng(0).random((100, 3)).astype(np.float32)
    assert np.allclose(shrink(grid, (10, 10), 5).mean(0), grid.mean(0), atol=1e-6)
    assert np.allclose(shrink(np.full((81, 2), 7.0, np.float32), (9, 9), 5), 7.0)


def test_it_learns_which_colour_a_picture_has(trained: SimpleNamespace) -> None:
    encoder = DualEncoder.load(trained.path)
    for colour in ("red", "green", "blue"):
        seen = encoder.picture(ColourEncoder().encode(picture(colour, "left", 99)))
        scores = encoder.scores(encoder.texts([f"a {other} square" for other in ("red", "green", "blue")]), seen[None])
        assert ("red", "green", "blue")[int(scores.argmax())] == colour


def test_numpy_repeats_torch(trained: SimpleNamespace) -> None:
    import torch

    from assistant.fusion import task as tasks

    saved = checkpoint.load(trained.path)
    restored = tasks.restore(saved, trained.task.material)
    encoder = DualEncoder(saved)
    examples = restored.val  # type: ignore[attr-defined]
    with torch.no_grad():
        seen = restored._pictures("val")  # type: ignore[attr-defined]
        read = restored._texts("val")  # type: ignore[attr-defined]
    mine = np.stack([encoder.picture(trained.task.material.features.get(e.image)) for e in examples])
    texts = encoder.texts([caption for e in examples for caption in e.captions])
    assert np.abs(mine - seen).max() < 2e-3
    assert np.abs(texts - read).max() < 1e-4


def test_the_scores_are_those_of_training(trained: SimpleNamespace) -> None:
    import torch

    from assistant.fusion import task as tasks
    from assistant.fusion.retrieval import Layout

    restored: Any = tasks.restore(checkpoint.load(trained.path), trained.task.material)
    grids = torch.randn(3, 25, 4)
    numbers = restored.words["val"][:5]
    towers = restored.module
    with torch.no_grad():
        expected = towers(grids, numbers) / towers.scale.exp()
        words, says = towers.read(numbers)
        places = towers.places(grids).flatten(1).numpy()
    read = np.zeros((*numbers.shape, words.shape[1] + 1), np.float32)
    read[numbers.numpy() > 0] = np.concatenate([words, says[:, None]], 1)
    layout = Layout(0, words.shape[1], float(towers.sharp.detach().exp()), 1.0)
    assert np.allclose(layout.scores(read.reshape(5, -1), places), expected, atol=1e-5)


def test_scores_go_block_by_block_and_a_text_without_words_scores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.fusion import retrieval
    from assistant.fusion.retrieval import Layout

    chance, layout = np.random.default_rng(0), Layout(2, 3, 4.0, 2.0)
    pictures = chance.normal(size=(5, 2 + 25 * 3)).astype(np.float32)
    texts = chance.normal(size=(3, 2 + 4 * 4)).astype(np.float32)
    texts[1] = 0
    whole = layout.scores(texts, pictures)
    monkeypatch.setattr(retrieval, "BLOCK", 2)
    assert np.allclose(layout.scores(texts, pictures), whole, atol=1e-5)
    assert not whole[1].any() and whole[0].all()


def test_a_part_of_the_grid_is_stretched_to_the_whole(trained: SimpleNamespace) -> None:
    import torch

    grids = torch.arange(9.0).reshape(1, 9, 1).repeat(20, 1, 1)
    seen = trained.task._seen(grids, np.random.default_rng(0))
    assert seen.shape == (20, 25, 1) and seen.min() >= 0 and seen.max() <= 8
    assert len(np.unique(seen.mean((1, 2)).numpy())) > 3, "different parts are seen"


def test_a_checkpoint_of_an_earlier_version_is_refused(trained: SimpleNamespace) -> None:
    from dataclasses import replace

    saved = checkpoint.load(trained.path)
    earlier = replace(saved, extras={name: value for name, value in saved.extras.items() if name != "close"})
    with pytest.raises(ModelError, match="earlier version"):
        DualEncoder(earlier)


def test_a_restored_task_measures_what_training_measured(trained: SimpleNamespace) -> None:
    import torch

    from assistant.fusion import task as tasks

    with torch.no_grad():
        figures = tasks.restore(checkpoint.load(trained.path), trained.task.material).validate()
    assert figures["r_at_1"] == pytest.approx(trained.figures["r_at_1"], abs=0.1)


def test_unknown_words_say_nothing(trained: SimpleNamespace) -> None:
    encoder = DualEncoder.load(trained.path)
    features = ColourEncoder().encode(picture("red", "left"))
    assert encoder.match(features, "xylophone quartz") == 0.5
    assert encoder.unknown("a red xylophone") == ["xylophone"]


def test_the_index_encodes_each_picture_once(trained: SimpleNamespace, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(trained.world / "images", folder)
    (folder / "broken.jpg").write_bytes(b"no picture")
    encoder, file = DualEncoder.load(trained.path), tmp_path / "index.npz"
    first = PictureIndex(folder, encoder, ColourEyes(), file).update()
    assert first.added == 48 and [path.name for path, _ in first.skipped] == ["broken.jpg"]
    again = PictureIndex(folder, encoder, ColourEyes(), file)
    assert again.update().added == 0 and len(again) == 48
    shutil.move(folder / "0.png", folder / "moved.png")
    (folder / "1.png").unlink()
    third = PictureIndex(folder, encoder, ColourEyes(), file)
    changes = third.update()
    assert (changes.added, changes.removed, len(third)) == (0, 2, 47)


def test_a_changed_picture_is_encoded_again(trained: SimpleNamespace, tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(picture("red", "left")).save(folder / "a.png")
    encoder, file = DualEncoder.load(trained.path), tmp_path / "index.npz"
    PictureIndex(folder, encoder, ColourEyes(), file).update()
    Image.fromarray(picture("blue", "right", 5)).save(folder / "a.png")
    assert PictureIndex(folder, encoder, ColourEyes(), file).update().added == 1


def test_the_index_finds_by_words_and_by_picture(trained: SimpleNamespace, tmp_path: Path) -> None:
    index = PictureIndex(trained.world / "images", DualEncoder.load(trained.path), ColourEyes(), tmp_path / "i.npz")
    index.update()
    colours = ["red", "green", "blue"]
    for colour in colours:
        hits = index.search(f"a {colour} square", 6)
        assert sum(colours[int(hit.path.stem) % 3] == colour for hit in hits) >= 5
    hits = index.like(trained.world / "images" / "0.png", 5)
    assert "0" not in [hit.path.stem for hit in hits]
    assert sum(int(hit.path.stem) % 3 == 0 for hit in hits) >= 4
    with pytest.raises(InputError, match="not one word"):
        index.search("xylophone")


def test_a_damaged_index_is_made_anew(trained: SimpleNamespace, tmp_path: Path) -> None:
    file = tmp_path / "i.npz"
    file.write_bytes(b"PK\x03\x04 not whole")
    index = PictureIndex(trained.world / "images", DualEncoder.load(trained.path), ColourEyes(), file)
    assert index.update().added == 48


def test_heads_name_what_is_missing_and_refuse_other_eyes(trained: SimpleNamespace) -> None:
    settings = app(trained).settings
    assert heads.find(settings, "retrieval").config.task == "retrieval"
    with pytest.raises(ModelError, match="no 'juggling' checkpoint"):
        heads.find(settings, "juggling")
    from dataclasses import replace

    with pytest.raises(ModelError, match="wants features of 'colours'"):
        heads.find(replace(settings, eyes=replace(settings.eyes, model="other")), "retrieval")


def test_evaluations_from_raw_pictures(trained: SimpleNamespace, tmp_path: Path) -> None:
    items, rows = load(trained.world), []
    found = retrieval.run(app(trained), items, rows.append)  # type: ignore[arg-type]
    assert len(rows) == found["queries"] / 2 == 48
    assert found["r_at_1"] <= found["r_at_5"] <= found["r_at_10"]
    lines = []
    for number, row in enumerate(items.rows):
        other = items.rows[(number + 1) % 48]["captions"][0]  # another colour
        for text, true in ((row["captions"][0], True), (other, False)):
            lines.append(json.dumps({"image": str(trained.world / row["image"]), "text": text, "match": true}))
    (tmp_path / "index.jsonl").write_text("\n".join(lines), "utf-8")
    judged = match.run(app(trained), load(tmp_path), lambda row: None)  # type: ignore[arg-type]
    low, high = judged["balanced_accuracy_interval"]
    assert low <= judged["balanced_accuracy"] <= high
    assert judged["accuracy"] > 0.8 and judged["roc_auc"] > 0.85


def test_the_command_finds_and_counts(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.cli import build, find_picture

    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args: str(tmp_path / "cache"))
    printed: list[dict[str, object]] = []
    monkeypatch.setattr(find_picture, "print_json", printed.append)
    folder = str(trained.world / "images")
    arguments = build().parse_args(["find-picture", "a red square", "--in", folder, "--top", "3", "--json"])
    assert find_picture.run(app(trained), arguments) == 0  # type: ignore[arg-type]
    assert len(printed[0]["found"]) == 3 and printed[0]["added"] == 48  # type: ignore[arg-type]
    with pytest.raises(InputError, match="either words or --like"):
        find_picture.run(app(trained), build().parse_args(["find-picture", "--in", folder]))  # type: ignore[arg-type]
