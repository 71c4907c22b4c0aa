"""Answers to questions: what the networks learn, that numpy repeats torch, and when nothing is said."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.errors import SettingError
from assistant.evaluation import load
from assistant.evaluation import vqa as evaluation
from assistant.fusion import checkpoint
from assistant.fusion.vqa import Answerer, Questions, Scenes, grams, kind, spoken, together

from .fusion_world import COLOURS, ColourEncoder, ColourEyes, build, configuration, material, picture

ASKED = "what is the colour of the square on the {}"


def test_grams_know_words_pairs_and_the_ends() -> None:
    assert grams("What color is it?") == ["what", "colour", "is", "it", "what colour", "colour is", "is it", *ENDS]


ENDS = ["^what", "^what colour is", "it$"]


def test_parts_of_an_answer_have_no_order() -> None:
    assert together(["Lamp", "tissue box"]) == together(["tissue_box", "lamp "]) == "lamp,tissue_box"
    assert spoken("lamp,tissue_box") == "lamp, tissue box"


def test_kinds_of_questions() -> None:
    asked = ["how many chairs are there", "what color is the bed", "what is behind the door", "is it dark"]
    assert [kind(question) for question in asked] == ["number", "colour", "object", "other"]


def test_a_question_with_an_unknown_word_is_not_known() -> None:
    questions = Questions.of(["what is on the table", "what is on the bed", "how many beds"], 1)
    assert questions.known("what is on the bed") == 1.0
    assert questions.known("what is on the dog") == 0.0
    assert 0 < questions.known("how many on the table") < 1
    assert questions.known("") == 0.0


def test_grams_are_numbered_in_the_order_in_which_they_occur() -> None:
    question = " ".join(f"word{number}" for number in range(30))
    assert Questions.of([question], 1).names == tuple(grams(question)), "not that of a set, which changes with the run"


def test_a_foreign_scene_is_far() -> None:
    random = np.random.default_rng(0)
    known = random.standard_normal((40, 3)).astype(np.float32) @ random.standard_normal((3, 20)).astype(np.float32)
    scenes = Scenes.of(known, 3)
    assert scenes.distance(known).max() < 1e-3
    assert scenes.distance(random.standard_normal((1, 20)).astype(np.float32))[0] > 0.3


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A vqa checkpoint of the tiny world: which colour, how many."""
    pytest.importorskip("torch")
    from assistant.fusion.training import Trainer
    from assistant.fusion.vqa_task import VqaTask

    folder = tmp_path_factory.mktemp("vqa")
    world = build(folder / "world", 60)
    rows = []
    for number in range(60):
        side = ("left", "right")[number // 3 % 2]
        image, split = f"images/{number}.png", "val" if number // 6 % 4 == 3 else "train"
        answer = list(COLOURS)[number % 3]
        rows.append({"image": image, "question": ASKED.format(side), "answers": [answer], "split": split})
        rows.append({"image": image, "question": "how many squares are there", "answers": ["1"], "split": split})
    (world / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    config = configuration("vqa", epochs=15, components=4, calibrate=0.15, ridge=0.1)
    task = VqaTask(config, material(world, folder / "cache", config))
    result = Trainer(task, folder / "run").run()
    return SimpleNamespace(world=world, path=result.best, figures=result.figures, task=task)


def test_seeing_beats_the_blind_twin(trained: SimpleNamespace) -> None:
    assert trained.figures["accuracy"] > 0.85
    assert trained.figures["language_accuracy"] < 0.8


def test_of_many_questions_some_are_remembered_with_their_pictures(trained: SimpleNamespace) -> None:
    from dataclasses import replace

    from assistant.fusion.vqa_task import VqaTask

    config = replace(trained.task.config, options={**trained.task.config.options, "questions": 9})
    few, again = (VqaTask(config, trained.task.material).memory for _ in range(2))
    assert len(trained.task.memory.grams) > 9 == len(few.grams)
    assert few.picture.max() == len(few.pictures) - 1 < len(trained.task.memory.pictures)
    assert np.array_equal(few.grams, again.grams) and np.array_equal(few.votes, again.votes)


def test_numpy_repeats_torch(trained: SimpleNamespace) -> None:
    import torch

    from assistant.fusion import task as tasks

    saved = checkpoint.load(trained.path)
    restored = tasks.restore(saved, trained.task.material)
    head, examples = Answerer(saved), restored.val  # type: ignore[attr-defined]
    with torch.no_grad():
        for side in ("seeing", "blind"):
            theirs = restored._chances(side, "val", examples)  # type: ignore[attr-defined]
            for example, chances in zip(examples, theirs, strict=True):
                features = trained.task.material.features.get(example.image).astype(np.float32)
                mine = head.probabilities(features if side == "seeing" else None, example.question)
                assert np.abs(mine - chances).max() < 2e-3


def test_a_restored_task_keeps_what_it_was_calibrated_to(trained: SimpleNamespace) -> None:
    import torch

    from assistant.fusion import task as tasks

    saved, material = checkpoint.load(trained.path), trained.task.material
    with torch.no_grad():
        assert tasks.restore(saved, material).validate() == pytest.approx(trained.figures, abs=0.05)
        few = tasks.restore(saved, type(material)(material.features, (), material.val[:4]))
        few.validate()
    assert few.baseline() == {"accuracy": 0.5}, "every second question asks how many"
    kept = few.extras()
    assert all(kept[name] == saved.extras[name] for name in ("temperature", "least_known", "furthest", "balance"))


def test_it_answers_its_own_kind_of_question_only(trained: SimpleNamespace) -> None:
    head = Answerer.load(trained.path)
    head.furthest = 1.0  # four numbers a place make no scene that would be foreign
    features = ColourEncoder().encode(picture("green", "left", 77))
    answers = head.answer(features, ASKED.format("left"))
    assert answers[0][0] == "green" and sum(probability for _, probability in answers) <= 1.001
    assert head.answer(features, "who painted this dog") == ()
    assert head.answer(features, "how many squares are there") == (), "it cannot count"
    head.furthest = -1.0
    assert head.answer(features, ASKED.format("left")) == ()


def test_the_evaluation_from_raw_pictures(trained: SimpleNamespace) -> None:
    from dataclasses import replace

    from assistant.config import Settings

    settings = Settings()
    fusion = replace(settings.fusion, checkpoint=str(trained.path))
    settings = replace(settings, fusion=fusion, eyes=replace(settings.eyes, model="colours"))
    app = SimpleNamespace(settings=settings, kit=SimpleNamespace(eyes=ColourEyes()))
    items, rows = load(Path(trained.world)), []
    found = evaluation.run(app, items, rows.append)  # type: ignore[arg-type]
    blind = evaluation.run(app, items, lambda row: None, baseline="language")  # type: ignore[arg-type]
    assert len(rows) == 120 and found["accuracy"] > blind["accuracy"] + 0.1
    assert found["accuracy_number"] == 1.0
    with pytest.raises(SettingError, match="fuser or language"):
        evaluation.run(app, items, lambda row: None, baseline="labels")  # type: ignore[arg-type]
