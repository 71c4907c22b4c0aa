"""``assistant models`` as a user or a script calls it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.cli import App, Parser, models
from assistant.errors import AssistantError, InputError, ModelError

Run = Callable[..., int]

WORDS = b"one small file"
DIGEST = hashlib.sha256(WORDS).hexdigest()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``assistant models ARGUMENTS`` on an empty store that may not use the network."""
    monkeypatch.setenv("ASSISTANT_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "words.txt").write_bytes(WORDS)
    (tmp_path / "config" / "models.toml").write_text(
        f"""
        [mine]
        task = "test"
        title = "My own"
        licence = "CC0-1.0"
        local = "{(tmp_path / "here").as_posix()}"
        files = [{{ path = "words.txt", size = {len(WORDS)}, sha256 = "{DIGEST}" }}]

        [far]
        task = "test"
        title = "Nowhere near"
        licence = "CC0-1.0"
        files = [{{ path = "words.txt", size = {len(WORDS)}, sha256 = "{DIGEST}" }}]
        """,
        "utf-8",
    )

    def called(*arguments: str) -> int:
        parser = Parser()
        models.add(parser.add_subparsers(parser_class=Parser))
        app = App(None, [f"store.path={tmp_path / 'models'}", "store.offline=true"])
        return models.run(app, parser.parse_args(["models", *arguments]))

    return called


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_list_tells_what_is_needed_and_what_is_there(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--json") == 0
    found = {line["id"]: line for line in lines(capsys)}
    assert found["silero-vad"]["needed"] is True and found["silero-vad"]["state"] == "missing"
    assert found["silero-vad"]["licence"] == "MIT" and found["mine"]["needed"] is False


def test_list_for_people_names_the_store(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("list") == 0
    printed = capsys.readouterr().out
    assert str(tmp_path / "models") in printed and "faster-whisper-base" in printed


def test_pull_verify_path_remove(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("pull", "mine", "--json") == 0
    folder = tmp_path / "models" / "mine"
    assert lines(capsys) == [{"id": "mine", "state": "ready", "path": str(folder)}]
    assert run("verify", "--json") == 0
    assert lines(capsys) == [{"id": "mine", "ok": True, "problem": None}]
    assert run("path", "mine") == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert run("remove", "mine", "--json") == 0
    assert lines(capsys) == [{"id": "mine", "freed": len(WORDS)}]
    assert not folder.exists()


def test_verify_finds_a_flipped_bit_and_says_what_to_do(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run("pull", "mine")
    (tmp_path / "models" / "mine" / "words.txt").write_bytes(b"one smalL file")
    assert run("verify", "mine") == 1
    assert "assistant models pull mine" in capsys.readouterr().err
    assert run("pull", "mine") == 0
    assert run("verify", "mine") == 0


def test_import_takes_files_and_folders(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("import", "far", str(tmp_path / "here"), "--json") == 0
    assert lines(capsys) == [{"id": "far", "state": "ready", "missing": []}]
    assert (tmp_path / "models" / "far" / "words.txt").read_bytes() == WORDS


def test_what_cannot_be_had_is_one_line(run: Run) -> None:
    with pytest.raises(AssistantError, match="the network is forbidden: silero-vad"):
        run("pull", "silero-vad")
    with pytest.raises(ModelError, match="did you mean 'silero-vad'"):
        run("pull", "silero-vat")
    with pytest.raises(InputError, match="say which model"):
        run("remove")
    with pytest.raises(InputError, match="which files"):
        run("import", "mine")


def test_path_of_a_missing_model_fails_after_the_others(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("pull", "mine")
    assert run("path", "far", "mine") == 1
    captured = capsys.readouterr()
    assert captured.out.strip().endswith("mine") and "assistant models pull far" in captured.err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="assistant")
    models.add(parser.add_subparsers(parser_class=Parser))
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["models", "--help"])
    assert ended.value.code == 0 and "assistant models pull" in capsys.readouterr().out
