"""What the views of a conversation say: nothing that is not so."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from assistant.cli.terminal import LiveView, Opening, PlainView
from assistant.happening import Happening

from .conversation import Conversation, quiet, speech


def drawn(view: LiveView) -> str:
    console = Console(width=120, file=io.StringIO())
    with console.capture() as capture:
        console.print(view)
    return capture.get()


def told(view: LiveView, name: str, **details: object) -> str:
    view(Happening(name, 0.0, details))
    return drawn(view)


def test_asleep_and_awake() -> None:
    view = LiveView(Opening.WAKE_WORD)
    told(view, "ready")
    asleep = told(view, "asleep", word="")
    assert "asleep, say the wake word" in asleep and "speak" not in asleep
    assert "ready, just speak" in told(view, "awake", word="computer")
    assert "thinking" in told(view, "state", state="thinking")


def test_a_key_is_asked_for_where_only_a_key_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    assert "ready, just speak" in told(LiveView(), "ready")
    assert "ready, press space or Enter" in told(LiveView(Opening.KEY), "ready")
    assert "loading" in drawn(LiveView())
    for opening in Opening:
        PlainView(opening)(Happening("ready", 0.0))
        assert opening in capsys.readouterr().err


def test_orders_and_tools_are_shown() -> None:
    view = LiveView()
    assert "quieter" in told(view, "order", order="quieter")
    assert "clock" in told(view, "tool", tool="clock", arguments={})


@pytest.mark.parametrize(("opening", "lines"), [(Opening.KEY, ["Listening.", "Thinking."]), (Opening.SPEAK, [])])
def test_a_press_is_answered(opening: Opening, lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    talk = Conversation(quiet(0.5), speech(1.0), quiet(3.0))
    talk.brain.enqueue(["Yes."])
    view = PlainView(opening)

    def hold() -> None:
        talk.dialogue.observers.append(view)
        talk.dialogue.hands_free = False
        talk.dialogue.press()
        assert capsys.readouterr().err.splitlines() == lines[:1]

    talk.ears.at = {1: hold, 50: lambda: talk.dialogue.release()}
    talk.run()
    captured = capsys.readouterr()
    assert captured.err.splitlines() == lines[1:]
    assert captured.out == "You: what is this\nAssistant: Yes.\n"
