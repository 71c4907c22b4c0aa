"""Pictures or sounds with captions, questions, claims or classes, from four kinds of files; errors name the line.

- ``index.jsonl``: one object a line with ``image`` (or ``audio``) and any of ``captions``, ``text`` with ``match``,
  ``question`` with ``answers``, ``label`` (or ``keyword``), ``coarse_label``, ``split``;
- COCO captions: ``{"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}``;
- VQA v2: ``*questions*.json`` and ``*annotations*.json`` side by side;
- a folder with one folder a class, which holds pictures or sounds; or ``train`` and ``val`` of such folders.

JSON files may lie in a folder ``annotations``; ``train`` or ``val`` as a word of their names is the split.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import jsonl
from ..errors import InputError

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm")
SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a")
VALIDATION = ("val", "dev", "validation")
"""Names of the split that is validated on; where there is none, ``test`` is."""


@dataclass(frozen=True, slots=True)
class Example:
    """One picture or sound with what is known about it; what is not known is empty."""

    image: Path | None = None
    audio: Path | None = None
    captions: tuple[str, ...] = ()
    text: str = ""
    """A claim about the picture; ``match`` says whether it is true."""
    match: bool | None = None
    question: str = ""
    answers: tuple[str, ...] = ()
    """The parts of one answer: "tissue box" and "lamp"."""
    label: str = ""
    coarse_label: str = ""
    source: str = ""
    """The part of the data set that it comes from, where the set has parts."""
    split: str = ""
    """``train``, ``val``, ``test``, or empty where the data names none."""

    def file(self, modality: str) -> Path | None:
        """Return the picture or the sound, if there is one."""
        return self.audio if modality == "sound" else self.image


def read(paths: Iterable[Path]) -> list[Example]:
    """Read all data sets, in order.

    Raises :class:`InputError` with file and line where something is wrong, and where there is nothing.
    """
    examples = [example for path in paths for example in _read(path)]
    if not examples:
        raise InputError("the data set is empty; --data takes folders or files with at least one example")
    return examples


def files(examples: Sequence[Example], modality: str) -> list[Path]:
    """Return the pictures or the sounds of a data set, each once.

    Raises :class:`InputError` where some examples have the other of the two instead.
    """
    other = "picture" if modality == "sound" else "sound"
    foreign = sum(not example.file(modality) and example.file(other) is not None for example in examples)
    if foreign:
        raise InputError(
            f"{foreign} of {len(examples)} examples are {other}s, but this learns from {modality}s; "
            f"give --data of one kind and a configuration with modality = {other!r} for the other"
        )
    return list(dict.fromkeys(file for example in examples if (file := example.file(modality))))


def split(examples: Sequence[Example], held_back: float) -> tuple[list[Example], list[Example]]:
    """Return (training, validation): by the split that the data names; by picture where it names none to validate on.

    All examples of one picture fall on the same side, on every machine: the side comes from its file name.
    """
    kept = [example for example in examples if example.split in ("train", "")]
    held = [example for example in examples if example.split in VALIDATION]
    held = held or [example for example in examples if example.split == "test"]
    if held:
        return kept, held
    sides: tuple[list[Example], list[Example]] = ([], [])
    for example in kept:
        sides[_fraction(example) < held_back].append(example)
    return sides


def parts(count: int, folds: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which of ``count`` examples each fold of a cross-validation holds back; no fold is empty."""
    fold = np.random.default_rng(seed).permutation(count) % min(folds, count)
    for number in range(fold.max() + 1):
        yield fold == number


def hold(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Return (held back, the rest) of training examples, at least two held back: what is fitted later needs them.

    The same examples, share and seed give the same sides, so that heads which are trained apart hold back the same.
    """
    order = np.random.default_rng(seed).permutation(len(examples))
    count = max(2, round(share * len(examples))) if share else 0
    return [examples[i] for i in order[:count]], [examples[i] for i in order[count:]]


def _fraction(example: Example) -> float:
    path = example.image or example.audio
    digest = hashlib.sha256(path.name.encode() if path else example.text.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _read(path: Path) -> list[Example]:
    if path.is_dir():
        if (path / "index.jsonl").is_file():
            return _index(path / "index.jsonl")
        for folder in (path, path / "annotations"):
            if questions := sorted(folder.glob("*questions*.json")):
                return _vqa(questions)
            if captions := sorted(folder.glob("*captions*.json")):
                return [example for file in captions for example in _coco(file)]
        return _folders(path)
    if not path.exists():
        raise InputError(f"there is no {path}; --data takes a folder or a file")
    if path.suffix == ".jsonl":
        return _index(path)
    return _vqa([path]) if "questions" in path.name else _coco(path)


def _index(path: Path) -> list[Example]:
    return [_example(row, path.parent, where) for where, row in jsonl.rows(_text(path), path)]


def _example(row: Mapping[str, Any], folder: Path, where: str) -> Example:
    def text(key: str) -> str:
        value = row.get(key)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{where}: {key!r} must be a text, not {value!r}")
        return value or ""

    def texts(key: str) -> tuple[str, ...]:
        value = row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise InputError(f"{where}: {key!r} must be a list of texts, not {value!r}")
        return tuple(value)

    image, audio = text("image"), text("audio")
    if not image and not audio and not text("text"):
        raise InputError(f"{where}: neither 'image' nor 'audio' nor 'text' is given")
    match = row.get("match")
    if match is not None and not isinstance(match, bool):
        raise InputError(f"{where}: 'match' must be true or false, not {match!r}")
    return Example(
        image=folder / image if image else None,
        audio=folder / audio if audio else None,
        captions=texts("captions"),
        text=text("text"),
        match=match,
        question=text("question"),
        answers=texts("answers"),
        label=text("label") or text("keyword"),
        coarse_label=text("coarse_label"),
        source=text("source"),
        split=text("split"),
    )


def _coco(path: Path) -> list[Example]:
    raw, table = _json(path)
    names = {}
    for number, image in enumerate(_list(table, "images", path)):
        if not isinstance(image, dict) or not isinstance(image.get("file_name"), str) or "id" not in image:
            raise InputError(f"{path}, line {_line(raw, 'images', number)}: an image needs 'id' and 'file_name'")
        names[image["id"]] = image["file_name"]
    captions: dict[Any, list[str]] = {}
    for number, item in enumerate(_list(table, "annotations", path)):
        where = f"{path}, line {_line(raw, 'annotations', number)}" if not _good_caption(item, names) else ""
        if where:
            raise InputError(f"{where}: an annotation needs a 'caption' and the 'image_id' of a listed image")
        captions.setdefault(item["image_id"], []).append(item["caption"])
    folder, part = _pictures(path, names.values()), _part(path)
    return [Example(image=folder / names[id], captions=tuple(texts), split=part) for id, texts in captions.items()]


def _good_caption(item: Any, names: Mapping[Any, str]) -> bool:
    return isinstance(item, dict) and isinstance(item.get("caption"), str) and item.get("image_id") in names


def _part(path: Path) -> str:
    """Return ``train`` or ``val`` where it is a word of the file's name, as in ``captions_val2017.json``."""
    match = re.search(r"(?<![a-z])(train|val)(ing|idation)?\d*(?![a-z])", path.name.lower())
    return match[1] if match else ""


def _vqa(files: Sequence[Path]) -> list[Example]:
    """Read files of questions, those that have answers: a test part comes without."""
    answered = [(path, other) for path in files if (other := _annotations(path))]
    if not answered:
        raise InputError(f"{files[0]}: there is no *annotations*.json beside it")
    return [example for path, other in answered for example in _questions(path, other)]


def _annotations(path: Path) -> Path | None:
    """Return the answers to a file of questions: the file of the same name, else one of no other part."""
    other = path.with_name(path.name.replace("questions", "annotations").replace("OpenEnded_", ""))
    if other.is_file():
        return other
    found = sorted(path.parent.glob("*annotations*.json"))
    return next((file for file in found if _part(file) in ("", _part(path))), None)


def _questions(path: Path, other: Path) -> list[Example]:
    raw, table = _json(path)
    raw_answers, answers = _json(other)
    by_id = dict[Any, tuple[str, ...]]()
    for number, item in enumerate(_list(answers, "annotations", other)):
        good = isinstance(item, dict) and "question_id" in item and isinstance(item.get("answers"), list)
        if not good or not all(isinstance(a, dict) and isinstance(a.get("answer"), str) for a in item["answers"]):
            line = _line(raw_answers, "annotations", number)
            raise InputError(f"{other}, line {line}: an annotation needs 'question_id' and 'answers' with 'answer'")
        by_id[item["question_id"]] = _agreed(item)
    prefix = f"COCO_{table.get('data_subtype', 'train2014')}_"
    part = _part(path)
    examples, folder = [], None
    for number, item in enumerate(_list(table, "questions", path)):
        if not isinstance(item, dict) or not isinstance(item.get("question"), str) or "image_id" not in item:
            raise InputError(f"{path}, line {_line(raw, 'questions', number)}: needs 'question' and 'image_id'")
        id = item["image_id"]
        name = id if isinstance(id, str) else f"{prefix}{id:012d}.jpg"
        folder = folder or _pictures(path, [name])
        given = by_id.get(item.get("question_id"), ())
        examples.append(Example(image=folder / name, question=item["question"], answers=given, split=part))
    return examples


def _agreed(annotation: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what most annotators answered, the first of equally many; nothing where nobody answered."""
    given = annotation.get("multiple_choice_answer")
    if isinstance(given, str) and given:
        return (given,)
    counts = Counter[str](answer["answer"] for answer in annotation["answers"])
    return tuple(answer for answer, _ in counts.most_common(1))


def _folders(path: Path) -> list[Example]:
    """Read a folder a class, or such folders in one for each split."""
    splits = [folder for folder in _inside(path) if folder.name in ("train", "test", *VALIDATION) and _inside(folder)]
    if splits:
        return [replace(example, split=folder.name) for folder in splits for example in _classes(folder)]
    return _classes(path)


def _classes(path: Path) -> list[Example]:
    return [
        Example(image=file, label=folder.name) if ending in PICTURES else Example(audio=file, label=folder.name)
        for folder in _inside(path)
        for file in sorted(folder.iterdir())
        if (ending := file.suffix.lower()) in PICTURES + SOUNDS
    ]


def _inside(path: Path) -> list[Path]:
    return sorted(folder for folder in path.iterdir() if folder.is_dir())


def _pictures(path: Path, names: Iterable[str]) -> Path:
    """Return the folder that holds the pictures: beside the file, or in a folder beside it or its parent."""
    name = next(iter(names), "")
    around = [path.parent, *_inside(path.parent), *_inside(path.parent.parent)]
    return next((folder for folder in around if (folder / name).is_file()), path.parent)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _json(path: Path) -> tuple[str, dict[str, Any]]:
    raw = _text(path)
    try:
        table = json.loads(raw)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not JSON ({error.msg})") from error
    if not isinstance(table, dict):
        raise InputError(f"{path}, line 1: a JSON object is wanted, not {type(table).__name__}")
    return raw, table


def _list(table: Mapping[str, Any], key: str, path: Path) -> list[Any]:
    value = table.get(key)
    if not isinstance(value, list):
        raise InputError(f"{path}, line 1: there is no list {key!r}; is it a captions or a VQA file?")
    return value


def _line(raw: str, key: str, number: int) -> int:
    """Return the line on which item ``number`` of the list ``key`` starts, 1-based."""
    match = re.search(rf'"{key}"\s*:\s*\[', raw)
    if match is None:
        return 1
    place, decoder = match.end(), json.JSONDecoder()
    for remaining in range(number, -1, -1):
        while raw[place] in " \t\r\n,":
            place += 1
        if remaining:
            _, place = decoder.raw_decode(raw, place)
    return raw.count("\n", 0, place) + 1
