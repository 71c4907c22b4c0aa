"""``assistant look``: JSON lines, spoken lines, files that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assistant import cli
from assistant.cli import look
from assistant.percepts import to_dict
from assistant.types import Box, Code, Frame, Label, Percept, TextRegion, Verdict

PERCEPT = Percept(
    "fake",
    np.zeros((1, 4), np.float32),
    labels=(Label("cup", 0.91, "left"), Label("plate", 0.55, "centre"), Label("spoon", 0.06, "right")),
    sharpness=321.456,
    brightness=0.45678,
)
CODE = Code("QR_CODE", "hello", Box(0.0, 0.0, 0.2, 0.2))
LINES = (TextRegion("Open", Box(0.4, 0.1, 0.6, 0.2), 0.9), TextRegion("daily", Box(0.4, 0.3, 0.6, 0.4), 0.8))


class FakeEyes:
    encoder = "fake"

    def look(self, frame: Frame) -> Percept:
        import dataclasses

        return dataclasses.replace(PERCEPT, source=frame.source)


class FakeReader:
    def __init__(self, **found: Any) -> None:
        self.found = found

    def read(self, frame: Frame, percept: Percept) -> Percept:
        import dataclasses

        return dataclasses.replace(percept, **self.found)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        ("eyes", "efficientnet"): FakeEyes(),
        ("reader", "rapidocr"): FakeReader(regions=LINES),
        ("reader", "zxing"): FakeReader(codes=(CODE,)),
    }
    monkeypatch.setattr("assistant.plugins.Plugins.make", lambda self, kind, name, store, settings: made[kind, name])


@pytest.fixture
def photo(tmp_path: Path) -> str:
    Image.new("RGB", (8, 8), (90, 90, 90)).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


NO_FUSION = ("--set", "fusion.engine=off")


@pytest.mark.usefixtures("fakes")
def test_one_json_line_a_picture_and_the_failing_one_does_not_stop_the_rest(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    broken, missing = str(tmp_path / "broken.jpg"), str(tmp_path / "missing.jpg")
    assert cli.main(["look", *NO_FUSION, photo, broken, missing, photo, "--json"]) == 1
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["file"] for line in lines] == [photo, broken, missing, photo]
    assert set(lines[0]) == {"file", *to_dict(PERCEPT)}
    assert lines[0]["labels"][0] == {"label": "cup", "probability": 0.91, "place": "left"}
    assert lines[0]["text"] is None and lines[0]["codes"] is None and lines[0]["verdict"] == "ok"
    assert lines[0]["sharpness"] == 321.46 and lines[0]["brightness"] == 0.4568
    assert set(lines[1]) == {"file", "error"} and "there is no file" in lines[2]["error"]
    assert err == ""


@pytest.mark.usefixtures("fakes")
def test_text_and_codes_when_asked(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["look", *NO_FUSION, photo, "--text", "--codes", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["text"] == "Open\ndaily"
    assert line["codes"] == [{"format": "QR_CODE", "text": "hello", "place": "upper left"}]


@pytest.mark.usefixtures("fakes")
def test_for_people(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["look", *NO_FUSION, photo, "/nowhere.png", "--text", "--codes"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{photo}: I see cup, left (91%).",
        "It looks like plate, centre (55%).",
        "It says:",
        "Open",
        "daily",
        "QR CODE code, upper left: hello",
    ]
    assert err == "assistant: there is no file /nowhere.png\n"


def test_nothing_is_claimed_that_is_not_sure() -> None:
    import dataclasses

    unsure = dataclasses.replace(PERCEPT, labels=(Label("cup", 0.3, "left"), Label("pot", 0.2, "left")))
    assert list(look.tell(unsure)) == ["I am not sure what this is. Perhaps cup (30%), or pot (20%)."]
    dark = dataclasses.replace(PERCEPT, verdict=Verdict.DARK, regions=(), codes=())
    assert list(look.tell(dark)) == [
        "The picture is too dark; I cannot tell what it shows.",
        "I found no text.",
        "I found no code.",
    ]
    assert list(look.tell(dataclasses.replace(PERCEPT, labels=()))) == ["I do not recognise anything in this picture."]


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["look", "--help"])
    assert ended.value.code == 0 and "assistant look photo.jpg" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(["look"])
    assert ended.value.code == 2
