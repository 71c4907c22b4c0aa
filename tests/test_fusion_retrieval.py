"""Two towers: what they learn, that numpy repeats torch, the index on disk, the command and two evaluations."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from dataclasses import replace
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
from assistant.store import Store
from assistant.types import Frame, Percept

from .fusion_world import ColourEncoder, ColourEyes, ColourSentences, build, configuration, material, picture


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A retrieval checkpoint of the tiny world."""
    return train(tmp_path_factory.mktemp("retrieval"))


@pytest.fixture(scope="module")
def meaning(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """One that reads whole sentences too."""
    return train(tmp_path_factory.mktemp("meaning"), ColourSentences.name)


def train(folder: Path, sentences: str = "") -> SimpleNamespace:
    pytest.importorskip("torch")
    from assistant.fusion.retrieval_task import RetrievalTask
    from assistant.fusion.training import Trainer

    world = build(folder / "world")
    config = configuration(
        "retrieval",
        epochs=8,
        least=2,
        reduced=4,
        word_dim=8,
        meaning_dim=8,
        bank=4,
        calibrate=0.2,
        soft=0.1,
        mirror=0.0,
        word_pictures=4,
    )
    config = replace(config, sentences=sentences)
    task = RetrievalTask(config, material(world, folder / "cache", config))
    result = Trainer(task, folder / "run").run()
    return SimpleNamespace(world=world, path=result.best, figures=result.figures, task=task, config=config, root=folder)


def app(trained: SimpleNamespace) -> SimpleNamespace:
    settings = Settings()
    fusion = replace(settings.fusion, checkpoint=str(trained.path))
    settings = replace(settings, fusion=fusion, eyes=replace(settings.eyes, model="colours"))
    return SimpleNamespace(settings=settings, store=Store(settings), kit=SimpleNamespace(eyes=ColourEyes()))


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


@pytest.mark.parametrize("name", ["trained", "meaning"])
def test_numpy_repeats_torch(name: str, request: pytest.FixtureRequest) -> None:
    import torch

    trained: SimpleNamespace = request.getfixturevalue(name)

    from assistant.fusion import task as tasks

    saved = checkpoint.load(trained.path)
    restored = tasks.restore(saved, trained.task.material)
    encoder = DualEncoder(saved, trained.task.material.sentences)
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


def test_a_sentence_is_understood_of_which_no_word_was_learned(
    trained: SimpleNamespace, meaning: SimpleNamespace
) -> None:
    words, whole = DualEncoder.load(trained.path), DualEncoder.load(meaning.path, ColourSentences())
    red, blue = (ColourEncoder().encode(picture(colour, "left", 99)) for colour in ("red", "blue"))
    assert words.match(red, "roses") == words.match(blue, "roses") == 0.5
    seen = np.stack([whole.picture(red), whole.picture(blue)])
    among_red, among_blue = whole.scores(whole.texts(["roses"]), seen)[0]
    assert among_red > among_blue + 0.5
    assert whole.match(red, "?!") == 0.5, "there is nothing to understand"
    assert whole.dim == words.dim + 8


def test_a_checkpoint_says_which_sentence_encoder_it_wants(meaning: SimpleNamespace) -> None:
    from assistant.fusion import task as tasks

    other = SimpleNamespace(name="another", dim=6, embed=ColourSentences().embed)
    with pytest.raises(ModelError, match=r"reads sentences with 'colour-sentences', but there is none; run: assistant"):
        DualEncoder.load(meaning.path)
    with pytest.raises(ModelError, match=r"not 'another'"):
        DualEncoder.load(meaning.path, other)
    with pytest.raises(ModelError, match="but there is none"):
        tasks.restore(checkpoint.load(meaning.path), replace(meaning.task.material, sentences=None))


def test_a_checkpoint_of_an_earlier_version_is_refused(trained: SimpleNamespace) -> None:
    saved = checkpoint.load(trained.path)
    earlier = replace(saved, extras={name: value for name, value in saved.extras.items() if name != "close"})
    with pytest.raises(ModelError, match="earlier version"):
        DualEncoder(earlier)


def test_a_restored_task_measures_what_training_measured(trained: SimpleNamespace) -> None:
    import torch

    from assistant.fusion import task as tasks

    saved, encoder = checkpoint.load(trained.path), DualEncoder.load(trained.path)
    restored: Any = tasks.restore(saved, trained.task.material)
    with torch.no_grad():
        figures = restored.validate()
        assert figures == pytest.approx(trained.figures, abs=0.1)
        other: Any = tasks.restore(saved, replace(trained.task.material, train=(), val=trained.task.material.val[:2]))
        other.validate()
    chance = restored.baseline()
    assert chance["r_at_1"] == pytest.approx(1 / len(restored.val)) and chance.keys() == figures.keys()
    assert chance["text_r_at_1"] == pytest.approx(1 / len(restored.val)), "each has two captions of twice as many"
    for each in (restored, other):
        assert each.calibration == encoder.calibration, "it is not fitted to what it is measured on"
        assert np.array_equal(each.bank[0], encoder.w["bank.pictures"])


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


def photos(trained: SimpleNamespace, folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        shutil.copy(trained.world / "images" / f"{number}.png", folder / f"m{number}.png")
    return folder


def test_an_interrupted_update_loses_nothing_that_was_known(trained: SimpleNamespace, tmp_path: Path) -> None:
    class Interrupted(ColourEyes):
        looks = 0

        def look(self, frame: Frame) -> Percept:
            self.looks += 1
            if self.looks == 2:
                raise KeyboardInterrupt
            return super().look(frame)

    folder, file, encoder = photos(trained, tmp_path / "photos", 6), tmp_path / "i.npz", DualEncoder.load(trained.path)
    PictureIndex(folder, encoder, ColourEyes(), file).update()
    (folder / "m5.png").unlink()
    for number, name in enumerate(("a.png", "b.png"), 10):  # these come before the others
        shutil.copy(trained.world / "images" / f"{number}.png", folder / name)
    with pytest.raises(KeyboardInterrupt):
        PictureIndex(folder, encoder, Interrupted(), file).update()
    index = PictureIndex(folder, encoder, ColourEyes(), file)
    assert len(index) == 7
    changes = index.update()
    assert (changes.added, changes.kept, changes.removed) == (1, 6, 1)


def test_a_picture_that_cannot_be_read_is_skipped(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, read = photos(trained, tmp_path / "photos", 3), Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "m0.png":
            raise PermissionError(13, "Permission denied", str(path))
        if path.name == "m1.png":
            path.unlink()
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    index = PictureIndex(folder, DualEncoder.load(trained.path), ColourEyes(), tmp_path / "i.npz")
    changes = index.update()
    assert [path.name for path, _ in changes.skipped] == ["m0.png", "m1.png"] and changes.added == len(index) == 1
    monkeypatch.undo()
    assert (index.update().added, len(index)) == (1, 2)  # it can be read now


def test_what_was_touched_is_read_again_only_once(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file, encoder = photos(trained, tmp_path / "photos", 3), tmp_path / "i.npz", DualEncoder.load(trained.path)
    PictureIndex(folder, encoder, ColourEyes(), file).update()
    os.utime(folder / "m1.png", (1, 1))
    shutil.copy(folder / "m2.png", folder / "copy.png")
    assert PictureIndex(folder, encoder, ColourEyes(), file).update().kept == 4
    index, opened = PictureIndex(folder, encoder, ColourEyes(), file), []
    monkeypatch.setattr(Path, "read_bytes", opened.append)  # it is not even opened
    assert index.update().kept == 4 and opened == []


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


@pytest.mark.parametrize("table", [None, "[]", "{}", '{"entries": {"a.png": {}}}'])
def test_a_damaged_index_is_made_anew(table: str | None, trained: SimpleNamespace, tmp_path: Path) -> None:
    file = tmp_path / "i.npz"
    if table is None:
        file.write_bytes(b"PK\x03\x04 not whole")
    else:
        np.savez(file, table=np.array(table), vectors=np.zeros((0, 4)))
    index = PictureIndex(trained.world / "images", DualEncoder.load(trained.path), ColourEyes(), file)
    assert index.update().added == 48


def test_heads_name_what_is_missing_and_refuse_other_eyes(trained: SimpleNamespace) -> None:
    settings = app(trained).settings
    assert heads.find(settings, "retrieval").config.task == "retrieval"
    with pytest.raises(ModelError, match="no 'juggling' checkpoint"):
        heads.find(settings, "juggling")
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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every file name is Unicode")
def test_the_command_names_files_whose_names_are_not_utf_8(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.cli import main

    folder = tmp_path / os.fsdecode(b"\xfc")
    folder.mkdir()
    shutil.copy(trained.world / "images" / "0.png", folder / os.fsdecode(b"caf\xe9.png"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args: str(tmp_path / "cache"))
    monkeypatch.setattr("assistant.kit.Kit.eyes", ColourEyes())
    settings = ["--set", f"fusion.checkpoint={trained.path}", "--set", "eyes.model=colours"]
    for option in ([], ["--json"]):
        out = io.TextIOWrapper(io.BytesIO(), "utf-8", "strict")
        monkeypatch.setattr("sys.stdout", out)
        assert main(["find-picture", "a red square", "--in", str(folder), *settings, *option]) == 0
        out.seek(0)
        told = out.read()
        assert "\\udcfc/caf\\udce9.png" in told
    assert json.loads(told)["found"][0]["file"] == str(folder / os.fsdecode(b"caf\xe9.png"))
