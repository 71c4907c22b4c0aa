from __future__ import annotations

import inspect
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant import evaluation
from assistant.cli import App, main
from assistant.cli import eval as eval_command
from assistant.errors import InputError, SettingError
from assistant.evaluation import asr, vad
from assistant.sound import read, write
from assistant.stages import Recognition
from assistant.types import AudioChunk, Utterance


class Listener:
    """A recogniser that reads its answers from a list."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        return Utterance(self.answers.pop(0) + (" again" if options and options.live else ""))

    def direct(self, audio: AudioChunk) -> str:
        return self.answers.pop(0)


class Loudness:
    """Takes what is loud for speech."""

    rate, chunk = 16_000, 512

    def probability(self, chunk: AudioChunk) -> float:
        return float(np.abs(chunk.samples).max() > 0.1)

    def reset(self) -> None:
        """Has no state."""


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two recordings with speech, the second one too quiet, and one without."""
    levels = {"a.wav": 0.5, "b.wav": 0.01, "c.wav": 0.0}
    texts = {"a.wav": "Mr. Smith has two dogs", "b.wav": "hello world", "c.wav": ""}
    for name, level in levels.items():
        write(tmp_path / name, [AudioChunk(np.full(16_000, level, np.float32), 16_000)])
    lines = [json.dumps({"audio": name, "text": text}) for name, text in texts.items()]
    (tmp_path / "index.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return tmp_path


def app_with(monkeypatch: pytest.MonkeyPatch, stage: object) -> App:
    monkeypatch.setattr(App, "make", lambda self, kind, name: stage)
    return App()


def test_finds_the_tasks() -> None:
    assert {"asr", "vad"} <= set(evaluation.tasks())
    for name in evaluation.tasks():
        assert callable(evaluation.task(name).run)
    with pytest.raises(SettingError, match="did you mean 'asr'"):
        evaluation.task("asrr")


def test_the_help_names_every_baseline() -> None:
    modules = {name: evaluation.task(name) for name in evaluation.tasks()}
    with_any = [
        f"{name}: {', '.join(module.BASELINES)}" for name, module in modules.items() if hasattr(module, "BASELINES")
    ]
    assert "; ".join(with_any) == eval_command.BASELINES
    for module in modules.values():
        assert ("baseline" in inspect.signature(module.run).parameters) == hasattr(module, "BASELINES")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"audio": "a.wav", "text": "x"', "line 2: not JSON"),
        ('["a.wav"]', "line 2: a JSON object is wanted"),
        ('{"audio": "a.wav"}', "line 2: 'text' is missing"),
        ('{"audio": 5, "text": ""}', "line 2: 'audio' must be the name of a file"),
        ('{"audio": null, "text": ""}', "line 2: 'audio' must be the name of a file"),
        ('{"audio": "a.wav", "text": 5}', "line 2: 'text' must be a text or null"),
        ("[" * 100_000, "line 2: brackets stand too deep"),
        ('{"audio": "gone.wav", "text": ""}', r"missing files: gone\.wav"),
    ],
)
def test_names_what_is_wrong_with_an_index(recordings: Path, line: str, problem: str) -> None:
    good = '{"audio": "a.wav", "text": "x"}'
    (recordings / "index.jsonl").write_text(f"{good}\n{line}\n", "utf-8")
    with pytest.raises(InputError, match=problem):
        evaluation.load(recordings, asr.FIELDS)


def test_only_what_is_measured_must_be_whole(recordings: Path) -> None:
    rows = [
        {"audio": "gone.wav", "text": "x", "split": "train"},
        {"audio": "a.wav", "text": "x", "split": "val"},
        {"audio": "gone.wav", "text": 5, "split": "val"},
    ]
    (recordings / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert evaluation.part(recordings, asr.FIELDS, "val", 1).rows == [rows[1]]
    with pytest.raises(InputError, match="line 3: 'text'"):
        evaluation.part(recordings, asr.FIELDS)
    with pytest.raises(InputError, match="missing files"):
        evaluation.part(recordings, asr.FIELDS, "train")


@pytest.mark.parametrize(
    ("task", "row", "wanted"),
    [
        ("asr", {"text": 5}, "'text' must be a text or null"),
        ("caption", {"captions": "a dog"}, "'captions' must be a list of at least 1 text"),
        ("retrieval", {"captions": []}, "'captions' must be a list of at least 1 text"),
        ("conflict", {"captions": "a dog"}, "'captions' must be a list of at least 1 text"),
        ("conflict", {"captions": None}, "'captions' must be a list of at least 1 text"),
        ("conflict", {"captions": [1]}, "'captions' must be a list of at least 1 text"),
        ("keywords", {"captions": ["one", "two"]}, "'captions' must be a list of at least 3 texts"),
        ("match", {"text": "a dog", "match": 1}, "'match' must be true or false"),
        ("naming", {"label": 5}, "'label' must be a text or null"),
        ("naming", {"label": "a", "source": ["a"]}, "'source' must be a text or null"),
        ("ocr", {"lines": ["x"]}, "'lines' must be a list of lines"),
        ("ocr", {"lines": [{"text": "x"}]}, "'lines' must be a list of lines"),
        ("ocr", {"lines": [], "fields": {"total": 3.5}}, "'fields' must be an object"),
        ("codes", {"text": "a", "format": 3}, "'format' must be a text or null"),
        ("vqa", {"question": "what", "answers": [None]}, "'answers' must be a list of texts or numbers"),
        ("wake", {"keyword": ["a"]}, "'keyword' must be a text or null"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(recordings: Path, task: str, row: dict[str, Any], wanted: str) -> None:
    fields = evaluation.task(task).FIELDS
    medium = next(iter(fields))
    (recordings / "index.jsonl").write_text(json.dumps({medium: "a.wav", **row}), "utf-8")
    with pytest.raises(InputError, match=rf"index\.jsonl, line 1: {wanted}"):
        evaluation.load(recordings, fields)


def test_refuses_an_index_without_items(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no .*index\.jsonl"):
        evaluation.load(tmp_path)
    (tmp_path / "index.jsonl").write_text("\n\n")
    with pytest.raises(InputError, match="holds no items"):
        evaluation.load(tmp_path)
    (tmp_path / "index.jsonl").write_bytes(b'{"text": "caf\xe9"}')
    with pytest.raises(InputError, match="not UTF-8"):
        evaluation.load(tmp_path)


def test_an_index_may_begin_with_a_byte_order_mark(recordings: Path) -> None:
    index = recordings / "index.jsonl"
    index.write_bytes(b"\xef\xbb\xbf" + index.read_bytes())
    assert len(evaluation.load(recordings, asr.FIELDS).rows) == 3


def test_each_row_moves_the_progress_bar_when_its_file_is_done(recordings: Path) -> None:
    (recordings / "b.wav").write_bytes(b"")
    steps: list[int] = []
    items = replace(evaluation.load(recordings, asr.FIELDS), advance=lambda: steps.append(1))
    seen = [(row["audio"], len(steps)) for row, _ in items.each("audio", read)]
    assert seen == [("a.wav", 0), ("c.wav", 2)] and len(steps) == 3


def test_bootstrap_covers_the_mean_and_repeats() -> None:
    values = np.random.default_rng(1).normal(5, 1, 400)
    low, high = evaluation.bootstrap(values)
    assert low < values.mean() < high
    assert abs((high - low) / (2 * 1.96 * values.std() / 20) - 1) < 0.15  # the normal approximation
    assert evaluation.bootstrap(values) == (low, high)
    assert evaluation.bootstrap([3.0]) == (3, 3)
    assert all(map(math.isnan, evaluation.bootstrap([])))


def test_word_errors_are_counted_after_normalising(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_with(monkeypatch, Listener("mister smith has 2 cats", "Hello, world!", "thank you"))
    found: list[dict[str, Any]] = []
    metrics = asr.run(app, evaluation.load(recordings), found.append)
    assert metrics["wer"] == pytest.approx(3 / 7)  # one word wrong, two written on silence
    assert metrics["words"] == 7
    assert metrics["words_on_silence"] == 2
    assert metrics["wer_interval"][0] <= metrics["wer"] <= metrics["wer_interval"][1]
    assert [item["errors"] for item in found] == [1, 0, 2]


def test_the_library_called_directly_is_measured_beside_it(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["Mr. Smith has two dogs", "Mr. Smith has two cats", "hello world", "Hello, world!", "thank you", ""]
    found: list[dict[str, Any]] = []
    metrics = asr.run(app_with(monkeypatch, Listener(*said)), evaluation.load(recordings), found.append, "direct")
    assert (metrics["wer"], metrics["wer_direct"]) == (pytest.approx(2 / 7), pytest.approx(1 / 7))
    assert metrics["wer_points"] == pytest.approx(100 / 7)
    assert metrics["wer_points_interval"][0] < metrics["wer_points"] <= metrics["wer_points_interval"][1]
    assert (metrics["words_on_silence"], metrics["words_on_silence_direct"]) == (2, 0)
    assert metrics["different"] == 2
    assert [(item["direct"], item["direct_errors"]) for item in found] == [(said[1], 1), (said[3], 0), ("", 0)]


def test_the_way_of_the_live_conversation_is_measured_beside_it(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ["Mr. Smith has two dogs"] * 2 + ["hello world"] * 2 + [""] * 2
    metrics = asr.run(app_with(monkeypatch, Listener(*said)), evaluation.load(recordings), lambda row: None, "live")
    assert (metrics["wer"], metrics["wer_live"]) == (0, pytest.approx(3 / 7))
    assert metrics["words_on_silence_live"] == 1


def test_baselines_that_there_are_not(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="did you mean 'direct'"):
        asr.run(app_with(monkeypatch, Listener()), evaluation.load(recordings), lambda row: None, "direkt")
    with pytest.raises(SettingError, match="cannot be called directly"):
        asr.run(app_with(monkeypatch, Loudness()), evaluation.load(recordings), lambda row: None, "direct")


def test_rates_of_voice_activity(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[dict[str, Any]] = []
    metrics = vad.run(app_with(monkeypatch, Loudness()), evaluation.load(recordings), found.append)
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["miss_rate"] == 0.5
    assert metrics["false_alarm_rate"] == 0
    assert [item["found"] for item in found] == [True, False, False]


def test_the_command_prints_one_object_and_writes_items(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(App, "make", lambda self, kind, name: Loudness())
    items = recordings / "items.jsonl"
    assert main(["eval", "vad", "--data", str(recordings), "--limit", "1", "--json", "--items", str(items)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["task"], result["n"], result["accuracy"]) == ("vad", 1, 1)
    assert result["false_alarm_rate"] is None
    assert [json.loads(line)["audio"] for line in items.read_text("utf-8").splitlines()] == ["a.wav"]
    assert main(["eval", "vad", "--data", str(recordings)]) == 0
    assert "accuracy" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_skipped_and_listed(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(App, "make", lambda self, kind, name: Loudness())
    (recordings / "b.wav").write_bytes(b"RIFF")
    items = recordings / "items.jsonl"
    assert main(["eval", "vad", "--data", str(recordings), "--json", "--items", str(items)]) == 0
    out, told = capsys.readouterr()
    assert (json.loads(out)["n"], json.loads(out)["skipped"], json.loads(out)["accuracy"]) == (2, 1, 1)
    assert "b.wav" in told and "skipped 1 of 3 items" in told
    assert [json.loads(line)["audio"] for line in items.read_text("utf-8").splitlines()] == ["a.wav", "c.wav"]
    for name in ("a.wav", "c.wav"):
        (recordings / name).write_bytes(b"RIFF")
    assert main(["eval", "vad", "--data", str(recordings), "--json"]) == 2
    out, told = capsys.readouterr()
    assert not out and told.count("\n") == 1 and "not one of 3 items can be read" in told


def test_the_command_refuses_in_one_line(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "vad", "--data", str(recordings / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["eval", "vad", "--data", str(recordings), "--items", str(recordings / "no" / "x.jsonl")]) == 2
    with pytest.raises(SystemExit) as caught:
        main(["eval", "vadd", "--data", str(recordings)])
    assert caught.value.code == 2
    assert "did you mean 'vad'" in capsys.readouterr().err
