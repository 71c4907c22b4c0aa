from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assistant.config import Settings
from assistant.errors import InputError, SettingError
from assistant.evaluation import caption, part
from assistant.stages import Sampling
from assistant.types import Frame, Label, Percept

from . import fusion_world as world


class Fuser:
    """Says what the picture is called."""

    def caption(self, percept: Percept) -> str:
        number = int(Path(percept.source).stem)
        colour, side = list(world.COLOURS)[number % 3], world.SIDES[number // 3 % 2]
        return f"A {colour} square on the {side}."


class Eyes:
    def look(self, frame: Frame) -> Percept:
        labels = (Label("apple", 0.5, "left"), Label("ball", 0.3), Label("cup", 0.1))
        return Percept("tiny", np.zeros((1, 1), np.float32), labels=labels, source=frame.source)


class Session:
    """Repeats what it is told about the labels."""

    def template(self, messages: list[dict[str, str]], tools: list[Any]) -> str:
        return messages[0]["content"]

    def tokenize(self, text: str) -> list[int]:
        self.told = text
        return [1]

    def sync(self, pieces: list[list[int]]) -> None:
        assert pieces == [[1]]

    def generate(self, options: Sampling) -> list[str]:
        return ['"An apple', ' on the left."'] if "apple 0.50 left" in self.told else ["nothing"]


def app() -> Any:
    kit = SimpleNamespace(eyes=Eyes(), session=Session())
    return SimpleNamespace(kit=kit, settings=Settings(), make=lambda kind, name: Fuser())


def test_right_captions_score_full_marks_on_the_validation_rows_alone(tmp_path: Path) -> None:
    data = world.build(tmp_path / "data", 48)
    items = part(data, caption.FIELDS)
    assert len(items.rows) == 12 and {row["split"] for row in items.rows} == {"val"}
    rows: list[dict[str, Any]] = []
    found = caption.run(app(), items, rows.append)
    assert found["bleu4"] == pytest.approx(1, abs=1e-6) and found["bleu4_interval"] == pytest.approx((1, 1), abs=1e-6)
    assert found["cider"] == pytest.approx(np.mean([row["cider"] for row in rows])) and found["cider"] > 3
    assert len(rows) == 12 and rows[0]["caption"].startswith("A ")
    assert len(part(data, caption.FIELDS, "train", 5).rows) == 5
    with pytest.raises(InputError, match="no item is of the split 'dev'"):
        part(data, caption.FIELDS, "dev")


def test_baselines_speak_from_labels(tmp_path: Path) -> None:
    items = part(world.build(tmp_path / "data", 48), caption.FIELDS, limit=2)
    said: list[dict[str, Any]] = []
    assert caption.run(app(), items, said.append, baseline="names")["bleu4"] < 0.01
    assert said[0]["caption"] == "an apple and a ball"
    caption.run(app(), items, said.append, baseline="labels")
    assert said[-1]["caption"] == "An apple on the left."
    with pytest.raises(SettingError, match="not 'guess'"):
        caption.run(app(), items, said.append, baseline="guess")
