"""``assistant history`` as a user or a script calls it."""

from __future__ import annotations

import dataclasses
import io
import json
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.cli import App, Parser, history, main
from assistant.config import HistorySettings, Settings
from assistant.errors import InputError
from assistant.history import History, Media
from assistant.types import Reply, ToolCall, ToolResult

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``assistant history ARGUMENTS`` on a record of two conversations."""
    path = str(tmp_path / "history.sqlite")
    record = History(dataclasses.replace(Settings(), history=HistorySettings(path=path, keep_media=True)))
    first, second = record.begin(), record.begin()
    old = time.time() - 40 * 86_400
    first.add("What is that?", Reply("A red lighthouse. It is old.", "A red lighthouse.", interrupted=True), at=old)
    tool = ToolResult(ToolCall("clock", {}), "12:00")
    second.add("What time is *it*?", Reply("Noon.", "Noon.", (tool,)), latencies={"first_audio_s": 0.75}, language="en")
    second.add("Thanks", Reply("Any time.", "Any time."), media=[Media("audio", ".flac", b"fLaC")])
    record.close()

    def called(*arguments: str) -> int:
        parser = Parser()
        history.add(parser.add_subparsers(parser_class=Parser))
        return history.run(App(None, [f"history.path={path}"]), parser.parse_args(["history", *arguments]))

    return called


def test_list(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "2 turns  What time is *it*?" in lines[0] and "1 turn  What is that?" in lines[1]
    assert run("list", "--json", "--limit", "1") == 0
    [row] = json.loads(capsys.readouterr().out)["conversations"]
    assert (row["conversation"], row["turns"], row["title"]) == (2, 2, "What time is *it*?")
    with pytest.raises(SystemExit):
        run("list", "2")


def test_show(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "1") == 0
    assert "assistant  A red lighthouse.  (interrupted)" in capsys.readouterr().out
    assert run("show") == 0  # the latest
    out = capsys.readouterr().out
    assert "you        What time is *it*?" in out and "tool       clock: 12:00" in out and "0.75 s" in out
    assert run("show", "2", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["turns"][0]["tools"] == [{"tool": "clock", "arguments": {}, "result": "12:00", "failed": False}]
    for wrong in ("9", "two", "²", "9" * 20, "9" * 5000):
        with pytest.raises(InputError, match="history list"):
            run("show", wrong)


def test_search(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("search", "red", "light") == 0
    assert "What is that? → A red lighthouse." in capsys.readouterr().out
    assert run("search", "submarine", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"found": []}


def test_export(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export") == 0
    assert [json.loads(line)["conversation"] for line in capsys.readouterr().out.splitlines()] == [1, 2]
    target = tmp_path / "talks.md"
    assert run("export", "--output", str(target), "--json", "--media", str(tmp_path / "kept")) == 0
    assert json.loads(capsys.readouterr().out) == {
        "output": str(target),
        "format": "markdown",
        "conversations": 2,
        "media": 1,
    }
    text = target.read_text("utf-8")
    assert "**Assistant:** A red lighthouse. ~~It is old.~~" in text
    assert r"**You:** What time is \*it\*?" in text
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (tmp_path / "kept" / "2-2.flac").read_bytes() == b"fLaC"
    with pytest.raises(InputError, match="--format"):
        run("export", "--output", str(tmp_path / "talks.doc"))
    with pytest.raises(InputError, match="no conversation 9"):
        run("export", "1", "9", "--output", str(target))
    assert target.read_text("utf-8") == text and not list(tmp_path.glob(".*partial*"))


def test_delete(run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for unclear in ((), ("1", "--all"), ("--all", "--older-than", "3")):
        with pytest.raises(InputError, match="what to delete"):
            run("delete", *unclear)
    with pytest.raises(InputError, match="no conversation 9"):
        run("delete", "1", "9")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # nobody is there to be asked
    with pytest.raises(InputError, match="--yes"):
        run("delete", "--all")
    assert run("delete", "--older-than", "30", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"deleted": 1}
    assert run("delete", "--all", "--yes") == 0
    assert run("list") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("days", ["-5", "nan", "1e400", "-inf", "soon"])
def test_an_age_that_is_none_deletes_nothing(days: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("delete", "--older-than", days)
    assert capsys.readouterr().err.count("\n") == 1
    run("list")
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_options_stand_before_or_after_numbers(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for action in (["show", "--json"], ["export", "--format", "jsonl"], ["search", "--limit", "5"]):
        what = "red" if action[0] == "search" else "1"
        assert run(*action, what) == 0
        before = capsys.readouterr().out
        assert run(action[0], what, *action[1:]) == 0
        assert before and capsys.readouterr().out == before
    assert run("delete", "--yes", "1") == 0


def test_the_action_is_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["history"])
    assert "required: ACTION (see" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["list", "show", "search", "export", "delete"])
def test_every_action_has_examples(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["history", action, "--help"])
    assert f"examples:\n  assistant history {action}" in capsys.readouterr().out


def test_a_damaged_record_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "history.sqlite"
    path.write_text("no database " * 100)
    assert main(["history", "list", "--set", f"history.path={path}"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and "damaged" in captured.err
