from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant.errors import InputError, SettingError
from assistant.fusion import config, data
from assistant.fusion.features import Features

from . import fusion_world as world


def write(path: Path, value: object) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1), "utf-8")
    return path


def test_index_lines_become_examples(tmp_path: Path) -> None:
    rows = [
        {"image": "a.jpg", "captions": ["A dog .", "A hound ."], "split": "val"},
        {"image": "b.jpg", "text": "a cat", "match": False},
        {"image": "c.jpg", "question": "what is it?", "answers": ["cup", "mug"]},
        {"audio": "d.flac", "label": "jarvis"},
    ]
    write(tmp_path / "index.jsonl", "\n".join(map(json.dumps, rows)) + "\n\n")
    found = data.read([tmp_path])
    assert [example.image and example.image.name for example in found] == ["a.jpg", "b.jpg", "c.jpg", None]
    assert found[0].captions == ("A dog .", "A hound .") and found[0].split == "val"
    assert found[1].match is False and found[2].answers == ("cup", "mug")
    assert found[3].audio == tmp_path / "d.flac"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"index.jsonl, line 2: not JSON"),
        ("[1]", r"line 2: a JSON object is wanted, not list"),
        ('{"captions": ["x"]}', r"line 2: neither 'image' nor 'audio' nor 'text'"),
        ('{"image": 3}', r"line 2: 'image' must be a text, not 3"),
        ('{"image": "a", "captions": "x"}', r"line 2: 'captions' must be a list of texts"),
        ('{"image": "a", "text": "x", "match": 1}', r"line 2: 'match' must be true or false, not 1"),
    ],
)
def test_a_wrong_line_is_named(line: str, message: str, tmp_path: Path) -> None:
    write(tmp_path / "index.jsonl", f'{{"image": "a.jpg"}}\n{line}\n')
    with pytest.raises(InputError, match=message):
        data.read([tmp_path])


def test_coco_captions(tmp_path: Path) -> None:
    (tmp_path / "val2014").mkdir()
    (tmp_path / "val2014" / "x.jpg").write_bytes(b"")
    table = {
        "images": [{"id": 7, "file_name": "x.jpg"}],
        "annotations": [{"image_id": 7, "caption": "One ."}, {"image_id": 7, "caption": "Two ."}],
    }
    path = write(tmp_path / "captions_val2014.json", table)
    [example] = data.read([path])
    assert example.image == tmp_path / "val2014" / "x.jpg"
    assert example.captions == ("One .", "Two .") and example.split == "val"
    table["annotations"].append({"image_id": 8, "caption": "Whose?"})
    text = write(path, table).read_text()
    line = next(n for n, part in enumerate(text.splitlines(), 1) if '"image_id": 8' in part) - 1
    with pytest.raises(InputError, match=rf"captions_val2014.json, line {line}: an annotation needs"):
        data.read([path])


def test_vqa_questions_with_their_answers(tmp_path: Path) -> None:
    questions = {
        "data_subtype": "val2014",
        "questions": [{"image_id": 42, "question": "What colour?", "question_id": 1}],
    }
    answers = {"annotations": [{"question_id": 1, "answers": [{"answer": "red"}, {"answer": "dark red"}]}]}
    write(tmp_path / "v2_OpenEnded_mscoco_val2014_questions.json", questions)
    path = write(tmp_path / "v2_mscoco_val2014_annotations.json", answers)
    [example] = data.read([tmp_path])
    assert example.image == tmp_path / "COCO_val2014_000000000042.jpg"
    assert example.question == "What colour?" and example.answers == ("red",)
    answers["annotations"].append({"question_id": 2, "answers": ["blue"]})  # type: ignore[dict-item, list-item]
    text = write(path, answers).read_text()
    line = next(n for n, part in enumerate(text.splitlines(), 1) if '"question_id": 2' in part) - 1
    with pytest.raises(InputError, match=rf"annotations.json, line {line}: an annotation needs"):
        data.read([tmp_path])


@pytest.mark.parametrize(
    ("told", "answer"), [({}, "garbage bin"), ({"multiple_choice_answer": "bin"}, "bin"), ({"answers": []}, None)]
)
def test_annotators_who_disagree_give_one_answer(told: dict[str, object], answer: str | None, tmp_path: Path) -> None:
    given = [{"answer": "object"}, *[{"answer": "garbage bin"}] * 3, {"answer": "object"}]
    write(tmp_path / "questions.json", {"questions": [{"image_id": 1, "question": "What is it?", "question_id": 1}]})
    write(tmp_path / "annotations.json", {"annotations": [{"question_id": 1, "answers": given, **told}]})
    [example] = data.read([tmp_path])
    assert example.answers == ((answer,) if answer else ())


def test_every_file_of_questions_is_read_with_its_own_answers(tmp_path: Path) -> None:
    for part, colour in (("train", "red"), ("val", "blue")):
        asked = [{"image_id": 1, "question": "What colour?", "question_id": 1}]
        questions = {"data_subtype": f"{part}2014", "questions": asked}
        write(tmp_path / f"MultipleChoice_mscoco_{part}2014_questions.json", questions)
        answers = {"annotations": [{"question_id": 1, "answers": [{"answer": colour}]}]}
        write(tmp_path / f"mscoco_{part}2014_annotations.json", answers)
    write(tmp_path / "v2_OpenEnded_mscoco_test2015_questions.json", {"questions": []})
    assert [(e.split, e.answers) for e in data.read([tmp_path])] == [("train", ("red",)), ("val", ("blue",))]
    with pytest.raises(InputError, match=r"test2015_questions.json: there is no \*annotations"):
        data.read([tmp_path / "v2_OpenEnded_mscoco_test2015_questions.json"])


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("captions_train2017.json", "train"),
        ("val-captions.json", "val"),
        ("captions_validation.json", "val"),
        ("evaluation_captions.json", ""),
        ("constrained_captions.json", ""),
    ],
)
def test_a_split_is_a_word_of_a_files_name(name: str, split: str, tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "x.jpg").write_bytes(b"")
    table = {"images": [{"id": 7, "file_name": "x.jpg"}], "annotations": [{"image_id": 7, "caption": "One ."}]}
    write(tmp_path / "annotations" / name, table)
    [example] = data.read([tmp_path])
    assert example.split == split and example.image == tmp_path / "images" / "x.jpg"


def test_a_folder_a_class_in_one_for_each_split(tmp_path: Path) -> None:
    for name in ("train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [(e.split, e.label) for e in data.read([tmp_path])]
    assert found == [("train", "cat"), ("train", "dog"), ("val", "cat")]
    assert [e.label for e in data.read([tmp_path / "val", tmp_path / "train"])] == ["cat", "cat", "dog"]


def test_a_folder_a_class(tmp_path: Path) -> None:
    for name in ("cat/1.jpg", "cat/notes.txt", "dog/2.PNG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [(e.label, e.image and e.image.name) for e in data.read([tmp_path])] == [("cat", "1.jpg"), ("dog", "2.PNG")]


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the data set is empty"):
        data.read([tmp_path])
    with pytest.raises(InputError, match="there is no"):
        data.read([tmp_path / "absent"])
    (tmp_path / "index.jsonl").write_bytes(b'{"image": "\xff"}')
    with pytest.raises(InputError, match="not UTF-8 text"):
        data.read([tmp_path])


def test_examples_of_one_picture_fall_on_one_side() -> None:
    examples = [data.Example(image=Path(f"{n // 3}.jpg"), text=str(n)) for n in range(300)]
    train, val = data.split(examples, 0.2)
    assert len(train) + len(val) == 300 and 30 <= len(val) <= 90
    assert not {example.image for example in train} & {example.image for example in val}
    assert data.split(examples, 0.2) == (train, val)


def test_a_named_split_is_kept() -> None:
    examples = [data.Example(image=Path(name), split=name) for name in ("train", "val", "test")]
    train, val = data.split(examples, 0.5)
    assert [e.split for e in train] == ["train"] and [e.split for e in val] == ["val"]


def test_a_training_side_alone_is_split_by_picture() -> None:
    examples = [data.Example(image=Path(f"{n}.jpg"), split="train") for n in range(300)]
    train, val = data.split(examples, 0.2)
    assert len(train) + len(val) == 300 and 30 <= len(val) <= 90
    assert data.split(val, 0.0) == (val, [])
    unseen = [replace(example, split="val") for example in examples]
    assert data.split(unseen, 0.2) == ([], unseen)


def test_features_are_kept_by_content(tmp_path: Path) -> None:
    picture = world.picture("red", "left")
    for name in ("one.png", "copy.png"):
        Image.fromarray(picture).save(tmp_path / name)
    calls = []

    class Counting(world.ColourEncoder):
        def encode(self, pixels: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
            calls.append(pixels)
            return super().encode(pixels)

    features = Features(Counting(), tmp_path / "cache")
    features.fill([tmp_path / "one.png", tmp_path / "copy.png"])
    assert len(calls) == 1, "a copy is not encoded again"
    assert features.get(tmp_path / "one.png").dtype == np.float16
    assert features.get(tmp_path / "copy.png").shape == (9, 4)
    assert np.array_equal(
        replace(features, dim=3).get(tmp_path / "copy.png"), features.get(tmp_path / "copy.png")[:, :3]
    )
    Image.fromarray(world.picture("blue", "left")).save(tmp_path / "one.png")
    again = Features(Counting(), tmp_path / "cache")
    again.fill([tmp_path / "one.png"])
    assert len(calls) == 2, "a changed picture is"

    class Otherwise(Counting):
        layout = replace(world.ColourEncoder.layout, preprocessing="upside down")

    Features(Otherwise(), tmp_path / "cache").fill([tmp_path / "one.png"])
    assert len(calls) == 3, "what was prepared in another way is not taken for the same"


def test_configurations_are_checked(tmp_path: Path) -> None:
    good = config.load(write(tmp_path / "a.toml", 'task = "words"\n[training]\nlr = 1\n'))
    assert good.training.lr == 1.0 and config.FusionConfig.from_json(good.to_json()) == good
    for text, message in (
        ('task = "words"\nlayers = 2\n', "there is no setting 'layers'"),
        ('task = "words"\n[model]\nlayer = 2\n', "model: there is no setting 'layer'; did you mean 'layers'"),
        ('task = "words"\n[training]\nepochs = "3"\n', "training: epochs must be int, not '3'"),
        ('task = "words"\ngrid = 9\n', "grid must be a list of whole numbers"),
        ("[model]\n", "'task' is missing"),
        ("task = ", "a.toml"),
    ):
        with pytest.raises(SettingError, match=message):
            config.load(write(tmp_path / "a.toml", text))
    with pytest.raises(SettingError, match="there is no file"):
        config.load(tmp_path / "absent.toml")


def test_the_configurations_that_ship_can_be_read() -> None:
    folder = Path(__file__).parent.parent / "config" / "fusion"
    assert {config.load(path).task for path in folder.glob("*.toml")} >= {"caption", "words", "pair"}
