"""What the evaluations of the eyes count, with eyes whose answers are known."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assistant import evaluation
from assistant.evaluation import codes, hallucination, naming, ocr
from assistant.types import Box, Code, Frame, Label, Percept, TextRegion, Verdict

EMPTY = np.zeros((0, 0), np.float32)


def items(tmp_path: Path, *rows: dict[str, Any]) -> evaluation.Items:
    for number, row in enumerate(rows):
        row["image"] = f"{number}.png"
        Image.new("RGB", (40, 30), (number, 100, 100)).save(tmp_path / row["image"])
    return evaluation.Items(tmp_path, list(rows))


class Known:
    """Eyes and reader that answer by the red of the first pixel: the number of the row."""

    def __init__(self, *percepts: Percept) -> None:
        self.percepts = percepts

    def look(self, frame: Frame) -> Percept:
        return self.percepts[min(int(frame.pixels[0, 0, 0]), len(self.percepts) - 1)]

    def read(self, frame: Frame, percept: Percept) -> Percept:
        return self.look(frame)


def app(stage: Known, fuser: object = None) -> Any:
    return SimpleNamespace(kit=SimpleNamespace(eyes=stage, fuser=fuser), make=lambda kind, name: stage)


def seen(*labels: tuple[str, float], **more: Any) -> Percept:
    return Percept("", EMPTY, labels=tuple(Label(name, value) for name, value in labels), **more)


def test_naming_counts_each_source(tmp_path: Path) -> None:
    data = items(
        tmp_path,
        {"label": "tench", "imagenet_synset": "n01440764", "source": "imagenet"},
        {"label": "goldfish", "imagenet_synset": "n01443537", "source": "imagenet"},
        {"label": "Golden Delicious", "coarse_label": "Apple", "source": "grocery"},
        {"label": "Oat Milk", "coarse_label": "Oat-Milk", "source": "grocery"},
    )
    eyes = Known(seen(("tench", 0.9)), seen(("hen", 0.6), ("goldfish", 0.3)), seen(("apple", 0.8)), seen())
    reported: list[dict[str, Any]] = []
    result = naming.run(app(eyes), data, reported.append)
    assert result["accuracy"] == 0.5
    assert (result["imagenet"]["top_1"], result["imagenet"]["top_5"], result["imagenet"]["n"]) == (0.5, 1.0, 2)
    assert result["grocery"]["top_1"] == 0.5
    assert result["imagenet"]["ece"] == pytest.approx((0.1 + 0.6) / 2)
    assert result["ece_interval"][0] < result["ece_interval"][1]
    assert result["imagenet"]["withheld_at_90"] == 0.5 and result["withheld_at_90"] == 0.5
    assert [row["right"] for row in reported] == [True, False, True, False]


def test_naming_asks_the_trained_head_where_there_is_one(tmp_path: Path) -> None:
    class Head:
        def read(self, frame: Frame, percept: Percept) -> Percept:
            return dataclasses.replace(percept, labels=(Label("apple", 0.7), *percept.labels))

    data = items(tmp_path, {"label": "Granny Smith", "coarse_label": "Apple", "source": "grocery"})
    assert naming.run(app(Known(seen(("fig", 0.9))), Head()), data, lambda _: None)["accuracy"] == 1


def test_calibration_error() -> None:
    assert naming.expected_calibration_error([0.85] * 20, [True] * 17 + [False] * 3) == pytest.approx(0)
    assert naming.expected_calibration_error([1.0] * 10, [True, False] * 5) == pytest.approx(0.5)
    assert np.isnan(naming.expected_calibration_error([], []))


def test_withheld_counts_from_the_least_probable() -> None:
    stated, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, False])
    assert naming.withheld(stated, right, 0.9) == 0.5
    assert naming.withheld(stated, right, 0.5) == 0.0
    assert naming.withheld(stated, ~right, 0.9) == 1.0


def test_codes_count_exact_payloads_and_false_positives(tmp_path: Path) -> None:
    box = Box(0, 0, 1, 1)
    data = items(
        tmp_path,
        {"format": "QR_CODE", "text": "a"},
        {"format": "QR_CODE", "text": "b"},
        {"format": None, "text": None},
        {"format": "EAN_13", "text": "1"},
    )
    reader = Known(
        *(Percept("", EMPTY, codes=found) for found in ((Code("QR_CODE", "a", box),), (), (Code("X", "?", box),))),
        Percept("", EMPTY, codes=(Code("EAN_13", "2", box),)),
    )
    result = codes.run(app(reader), data, lambda _: None)
    assert result["accuracy"] == pytest.approx(1 / 3) and result["by_format"] == {"EAN_13": 0.0, "QR_CODE": 0.5}
    assert (result["false_positives"], result["without_code"], result["wrong"]) == (1, 1, 1)


def test_ocr_counts_characters_words_and_fields(tmp_path: Path) -> None:
    lines = [{"text": "TOTAL", "box": [0, 20, 20, 30]}, {"text": "SHOP", "box": [0, 0, 20, 10]}]
    data = items(tmp_path, {"lines": lines, "fields": {"total": "4.50", "company": "S HOP"}})
    boxes = Box(0, 0, 0.5, 0.3), Box(0, 0.6, 0.5, 1)
    read = (TextRegion("SHOP", boxes[0], 0.9), TextRegion("T0TAL", boxes[1], 0.9))
    result = ocr.run(app(Known(Percept("", EMPTY, regions=read))), data, lambda _: None)
    assert result["cer"] == pytest.approx(1 / len("SHOP TOTAL"))
    assert result["word_recall"] == result["word_precision"] == 0.5
    assert result["word_precision_interval"] == (0.5, 0.5)
    assert result["fields"] == {"company": 1.0, "total": 0.0}


def test_ocr_counts_the_fields_that_are_picked_out_of_a_receipt(tmp_path: Path) -> None:
    wanted = {"total": "RM12.45", "date": "04/11/2023", "company": "CORNER BAKERY", "address": "12, HIGH STREET"}
    data = items(tmp_path, {"lines": [], "fields": wanted}, {"lines": [], "fields": wanted})
    texts = ("CORNER BAKERY", "12, HIGH STREFT", "DATE 04/11/2023", "TOTAL 12.45", "CASH 20.00", "CHANGE 7.55")
    read = [TextRegion(text, Box(0, row / 9, 1, (row + 0.8) / 9), 0.9) for row, text in enumerate(texts)]
    result = ocr.run(
        app(Known(*(Percept("", EMPTY, regions=tuple(lines)) for lines in (read, read[:3])))), data, lambda _: None
    )
    assert result["picked"] == {"address": 0.0, "company": 0.5, "date": 0.5, "total": 0.5}
    assert result["picked_nearly"]["address"] == 0.5
    assert result["seconds_each"] >= 0


def test_hallucination_counts_what_is_stated_on_frames_that_show_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hallucination, "EACH", 2)
    data = items(tmp_path, {})
    loud = hallucination.run(app(Known(seen(("cat", 0.6), ("dog", 0.4)))), data, lambda _: None)
    assert (loud["n"], loud["share"], loud["statements"], loud["rejected"]) == (20, 1, 20, 0)
    assert loud["share_interval"] == (1, 1) and loud["wrongly_rejected_interval"] == (0, 0)
    quiet = hallucination.run(app(Known(seen(("cat", 0.9), verdict=Verdict.BLACK))), data, lambda _: None)
    assert (quiet["statements"], quiet["rejected"], quiet["wrongly_rejected"]) == (0, 1, 1)


def test_hallucination_passes_over_a_picture_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hallucination, "EACH", 2)
    data = items(tmp_path, {}, {}, {})
    (tmp_path / "1.png").write_bytes(b"no picture")
    found = hallucination.run(app(Known(seen(("cat", 0.6)))), data, lambda _: None)
    assert (found["n"], found["photos"], [path.name for path, _ in data.skipped]) == (20, 2, ["1.png"])


def test_the_hundred_frames_are_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = items(tmp_path, {}, {})
    monkeypatch.setattr(hallucination, "EACH", 2)
    second, third = list(hallucination.build(data)), list(hallucination.build(data))
    assert len(second) == 20 and len({kind for kind, _ in second}) == 10
    assert all(np.array_equal(one, two) for (_, one), (_, two) in zip(second, third, strict=True))
    assert all(pixels.dtype == np.uint8 and pixels.ndim == 3 for _, pixels in second)
