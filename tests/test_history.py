"""The record of past conversations: what goes in comes out, and what is deleted is gone."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant import sound
from assistant.config import HistorySettings, Settings
from assistant.dialogue import Happening
from assistant.errors import HistoryError, InputError
from assistant.history import Conversation, History, Media, database
from assistant.history.recorder import Recorder
from assistant.types import (
    AudioChunk,
    Frame,
    Label,
    Message,
    Percept,
    Reply,
    ToolCall,
    ToolResult,
    Turn,
    Utterance,
    Verdict,
)

from .fakes import tone

TIME = ToolResult(ToolCall("time", {"zone": "UTC"}), "12:00")
PERCEPT = Percept(
    "fake", np.zeros((1, 4), np.float32), labels=(Label("dog", 0.91, "left"),), caption="a dog", verdict=Verdict.OK
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "history.sqlite"


@pytest.fixture
def make(path: Path) -> Iterator[Callable[..., History]]:
    """Return a maker of histories over one file; the test closes none of them."""
    made: list[History] = []

    def history(**wishes: object) -> History:
        settings = dataclasses.replace(Settings(), history=HistorySettings(path=str(path), **wishes))
        made.append(History(settings))
        return made[-1]

    yield history
    for one in made:
        one.close()


def said(conversation: Conversation, question: str, answer: str = "I see.", at: float | None = None) -> None:
    conversation.add(question, Reply(answer, answer), at=at)


def test_what_was_said_comes_back(make: Callable[..., History]) -> None:
    conversation = make().begin()
    conversation.add(
        "What's that?",
        Reply("A dog. It is brown.", "A dog.", (TIME,), interrupted=True),
        language="en",
        latencies={"first_audio_s": 0.8},
        percept=PERCEPT,
        at=1_000.5,
    )
    past = make().show(conversation.id)
    [turn] = past.turns
    assert (turn.question, turn.reply, turn.heard) == ("What's that?", "A dog. It is brown.", "A dog.")
    assert (turn.language, turn.interrupted, turn.at) == ("en", True, 1_000.5)
    assert turn.results == (TIME,)
    assert turn.latencies == {"first_audio_s": 0.8}
    assert turn.seen == {
        "verdict": "ok",
        "labels": [{"label": "dog", "probability": 0.91, "place": "left"}],
        "caption": "a dog",
    }


def test_the_file_is_private_and_appears_with_the_first_turn(make: Callable[..., History], path: Path) -> None:
    history = make()
    conversation = history.begin()
    assert history.conversations() == [] and history.latest() is None and not path.exists()
    said(conversation, "hello")
    for file in path.parent.iterdir():  # with the files of the write-ahead log
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    path.chmod(0o644)
    make().conversations()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_latest_conversation_comes_first(make: Callable[..., History]) -> None:
    history = make()
    first, second = history.begin(), history.begin()
    said(first, "one", at=10)
    said(second, "two", at=20)
    said(second, "three", at=30)
    assert [(one.title, one.turns) for one in history.conversations()] == [("two", 2), ("one", 1)]
    assert len(history.conversations(1)) == 1
    said(first, "four", at=40)
    assert history.latest() == first.id


def test_messages_are_bounded_and_begin_with_a_question(make: Callable[..., History]) -> None:
    history = make()
    conversation = history.begin()
    for number in range(10):
        said(conversation, f"question {number}", "" if number == 8 else f"answer {number}")
    messages = history.messages(conversation.id, most=4)
    assert messages == (
        Message("user", "question 8"),
        Message("user", "question 9"),
        Message("assistant", "answer 9"),
    )
    assert len(history.messages(conversation.id)) == 19


def test_a_past_conversation_goes_on(make: Callable[..., History]) -> None:
    begun = make().begin()
    said(begun, "one")
    again = make().begin(continuing=begun.id)
    said(again, "two")
    assert [turn.question for turn in make().show(begun.id).turns] == ["one", "two"]
    with pytest.raises(InputError, match="no conversation 99"):
        make().begin(continuing=99)


@pytest.mark.parametrize("indexed", (True, False), ids=("fts5", "without fts5"))
def test_search(make: Callable[..., History], monkeypatch: pytest.MonkeyPatch, indexed: bool) -> None:
    if not indexed:
        monkeypatch.setattr(database, "INDEX", "CREATE VIRTUAL TABLE words USING no_such_thing(x)")
    history = make()
    conversation = history.begin()
    said(conversation, "Where is the red Lighthouse?", "On the “Ärmel” coast; 100% sure.")
    said(conversation, "这是什么？", "一只狗")
    for wanted in ("lighthouse", "RED light", 'coast "red', "ärmel", "100%"):
        assert [found.turn.question for found in history.search(wanted)] == ["Where is the red Lighthouse?"], wanted
    assert history.search("什么")[0].conversation == conversation.id  # a language without spaces
    assert history.search("green") == [] and history.search("red ship") == [] and history.search("x_%") == []
    with pytest.raises(InputError, match="what to look for"):
        history.search(' "* ')


def test_what_was_written_without_an_index_is_found_with_one(
    make: Callable[..., History], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(database, "INDEX", "CREATE VIRTUAL TABLE words USING no_such_thing(x)")
        said(make().begin(), "Where is the lighthouse?")
    later = make()
    said(later.begin(), "hello")
    assert [found.turn.question for found in later.search("lighthouse")] == ["Where is the lighthouse?"]
    with sqlite3.connect(later.path) as connection:
        assert connection.execute("SELECT count(*) FROM words_docsize").fetchone() == (2,)
    connection.close()


def test_deleted_words_are_gone_from_the_disk(make: Callable[..., History], path: Path) -> None:
    history = make(keep_media=True)
    kept, secret = history.begin(), history.begin()
    said(kept, "harmless")
    for number in range(50):
        secret.add(f"xylophone{number}", Reply("zymurgy", "zymurgy"), media=[Media("audio", ".flac", b"quagmire" * 99)])

    def on_disk() -> bytes:
        return b"".join(file.read_bytes() for file in path.parent.iterdir())

    assert all(word in on_disk() for word in (b"xylophone", b"zymurgy", b"quagmire"))
    assert history.delete([secret.id or 0]) == 1
    assert not any(word in on_disk() for word in (b"xylophone", b"zymurgy", b"quagmire"))
    assert b"harmless" in on_disk()
    assert history.search("xylophone7") == [] and len(history.conversations()) == 1


def test_delete_old_and_all(make: Callable[..., History], path: Path) -> None:
    history = make()
    assert history.delete_all() == 0 and not path.exists()
    for at in (10.0, 20.0, 30.0):
        said(history.begin(), "hello", at=at)
    assert history.delete_before(25) == 2
    assert [one.ended for one in history.conversations()] == [30.0]
    assert history.delete_all() == 1 and history.conversations() == []


def test_a_conversation_deleted_while_it_is_held_begins_again(make: Callable[..., History]) -> None:
    here, elsewhere = make(), make()
    conversation = here.begin()
    said(conversation, "one")
    elsewhere.delete_all()
    said(conversation, "two")
    said(elsewhere.begin(), "three")
    assert [one.title for one in here.conversations()] == ["three", "two"]


def test_two_processes_write_at_once(path: Path, make: Callable[..., History]) -> None:
    code = (
        "import dataclasses, sys\n"
        "from assistant.config import HistorySettings, Settings\n"
        "from assistant.history import History\n"
        "from assistant.types import Reply\n"
        "settings = dataclasses.replace(Settings(), history=HistorySettings(path=sys.argv[1]))\n"
        "conversation = History(settings).begin()\n"
        "for number in range(40): conversation.add(f'{sys.argv[2]} {number}', Reply('yes', 'yes'))\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("a", "b")]
    assert [process.wait(120) for process in running] == [0, 0]
    history = make()
    assert sorted(one.turns for one in history.conversations()) == [40, 40]
    for past in history.all():
        name = past.turns[0].question[0]
        assert [turn.question for turn in past.turns] == [f"{name} {number}" for number in range(40)]


@pytest.mark.parametrize("spoil", ("text", "middle"))
def test_a_damaged_file_is_told_in_one_line(make: Callable[..., History], path: Path, spoil: str) -> None:
    history = make()
    conversation = history.begin()
    for number in range(200):
        said(conversation, f"question {number}")
    history.close()
    whole = path.read_bytes()
    path.write_bytes(b"no database " * 1000 if spoil == "text" else whole[:4096] + os.urandom(len(whole) - 4096))
    with pytest.raises(HistoryError, match=r"damaged.*mv '.*history\.sqlite'") as raised:
        make().show(1)
    assert "\n" not in str(raised.value)


def test_a_file_of_another_program_is_left_alone(make: Callable[..., History], path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()
    with pytest.raises(HistoryError, match=r"no history of the assistant.*history\.path"):
        make().conversations()


def test_a_newer_format_is_refused(make: Callable[..., History], path: Path) -> None:
    said(make().begin(), "hello")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(HistoryError, match=r"newer assistant \(format 7"):
        make().conversations()


def test_a_full_disk_is_told_and_loses_nothing_older(make: Callable[..., History]) -> None:
    history = make()
    conversation = history.begin()
    said(conversation, "before")
    assert history._connection is not None
    history._connection.execute("PRAGMA max_page_count = 1")  # no page more than there are
    with pytest.raises(HistoryError, match="no space is left"):
        said(conversation, "long " * 100_000)
    assert [turn.question for turn in history.show(conversation.id or 0).turns] == ["before"]
    history._connection.execute("PRAGMA max_page_count = 1000000")
    said(conversation, "after")
    assert len(history.show(conversation.id or 0).turns) == 2


def test_an_unreadable_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    settings = dataclasses.replace(Settings(), history=HistorySettings(path=str(tmp_path / "file" / "history.sqlite")))
    with pytest.raises(HistoryError, match=r"history\.path"):
        said(History(settings).begin(), "hello")


def test_off_means_off(make: Callable[..., History], path: Path) -> None:
    with pytest.raises(HistoryError, match="switched off"):
        make(enabled=False).begin()
    assert Recorder.of(dataclasses.replace(Settings(), history=HistorySettings(False, str(path)))) is None
    assert not path.exists()


def test_half_a_surrogate_and_odd_results_are_kept(make: Callable[..., History]) -> None:
    history = make()
    conversation = history.begin()
    odd = ToolResult(ToolCall("odd", {}), {"when": Path("x")}, failed=True)
    conversation.add("cut \ud83d", Reply("a\x00b", "a", (odd,)))
    [turn] = history.show(conversation.id or 0).turns
    assert (turn.question, turn.reply, turn.results[0].failed) == ("cut ?", "a\x00b", True)


def remembered(text: str, **details: object) -> Happening:
    turn = Turn(Utterance(text, "de"), (PERCEPT,))
    return Happening(
        "remembered", 1.0, {"turn": turn, "reply": Reply("Ja.", "Ja."), "latencies": {"asr_s": 0.25}, **details}
    )


@pytest.mark.parametrize("keep", (False, True), ids=("words only", "with media"))
def test_the_recorder_keeps_what_it_observes(make: Callable[..., History], path: Path, keep: bool) -> None:
    settings = dataclasses.replace(Settings(), history=HistorySettings(path=str(path), keep_media=keep))
    recorder = Recorder.of(settings)
    assert recorder is not None
    recorder(Happening("state", 0.5, {"state": "thinking"}))
    recorder(
        remembered(" Ist das ein Hund? ", audio=AudioChunk(tone(0.5), 16_000), frame=Frame(np.zeros((8, 6, 3), "u1")))
    )
    recorder(remembered("  "))  # a voice command, or sound without words
    recorder.close()
    history = make()
    [turn] = history.show(recorder.conversation or 0).turns
    assert (turn.question, turn.language, turn.heard) == ("Ist das ein Hund?", "de", "Ja.")
    assert turn.latencies == {"asr_s": 0.25} and turn.seen is not None
    assert turn.media == (("audio", "picture") if keep else ())
    if keep:
        audio, picture = history.media(turn.id)
        assert abs(sound.read(io.BytesIO(audio.content)).seconds - 0.5) < 1e-6
        assert picture.content.startswith(b"\xff\xd8")


def test_a_reply_that_goes_on_is_one_turn_with_all_that_was_heard(make: Callable[..., History]) -> None:
    history = make()
    recorder = Recorder(history.begin(), False, print)
    recorder(remembered("", reply=Reply("Lost.", "Lost."), resumes=True))  # nothing to go on with
    recorder(remembered("Tell me a story.", reply=Reply("A fox. It ran home.", "A fox.", interrupted=True)))
    recorder(remembered("", reply=Reply("It ran home.", "It ran home."), resumes=True))
    recorder.close()
    [turn] = history.show(1).turns
    assert (turn.question, turn.heard) == ("Tell me a story.", "A fox. It ran home.")
    assert [found.turn.heard for found in history.search("home")] == ["A fox. It ran home."]


def test_what_is_forgotten_is_deleted_and_what_follows_is_a_new_conversation(
    make: Callable[..., History], path: Path
) -> None:
    history = make()
    recorder = Recorder(history.begin(), False, print)
    recorder(Happening("forgotten", 0.0))  # nothing was recorded yet
    recorder(remembered("My name is Ana.", reply=Reply("Hello Ana.", "Hello Ana.")))
    recorder(Happening("forgotten", 0.0))
    recorder(remembered("What is my name?", reply=Reply("I don't know.", "I don't know.")))
    recorder.close()
    assert [one.title for one in make().conversations()] == ["What is my name?"]
    assert b"Ana" not in path.read_bytes()


def test_trouble_with_the_record_is_told_once(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("no database " * 100)
    told: list[str] = []
    recorder = Recorder.of(dataclasses.replace(Settings(), history=HistorySettings(path=str(path))), told.append)
    assert recorder is not None
    recorder(remembered("one"))
    recorder(remembered("two"))
    recorder.close()
    assert len(told) == 1 and "damaged" in told[0] and "not recorded" in told[0]


def test_latencies_and_tools_are_plain_json_in_the_file(make: Callable[..., History], path: Path) -> None:
    make().begin().add("q", Reply("a", "a", (TIME,)), latencies={"decision_s": 0.3})
    with sqlite3.connect(path) as connection:
        results, latencies = connection.execute("SELECT results, latencies FROM turns").fetchone()
    connection.close()
    assert json.loads(results) == [{"tool": "time", "arguments": {"zone": "UTC"}, "result": "12:00", "failed": False}]
    assert json.loads(latencies) == {"decision_s": 0.3}
