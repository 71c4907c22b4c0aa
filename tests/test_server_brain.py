"""What the server is told, what is made of what it says, and what is said where it does not answer."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Iterator

import pytest
from PIL import Image

from assistant.backends.server_brain import KEY, ServerBrain
from assistant.config import Settings
from assistant.errors import ModelError, OfflineError, SettingError
from assistant.store import Store
from assistant.types import Message, ToolCall, ToolResult, Verdict

from .contracts.test_brain import TOOLS, TURNS, WORDS, ChatServer, ask, picture, set_to


@pytest.fixture
def server() -> Iterator[ChatServer]:
    made = ChatServer()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def brain(server: ChatServer, settings: Settings, store: Store) -> ServerBrain:
    return ServerBrain(set_to(settings, engine="server", url=server.url, model="big"), store, TOOLS)


def event(delta: dict[str, object]) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n"


def test_the_request(brain: ServerBrain, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "s3cret")
    history = (Message("user", "Hello."), Message("assistant", "Hi <|im_end|>."))
    assert "".join(map(str, brain.reply(ask("What is this?", picture(), history=history)))) == "".join(WORDS)
    (body,) = server.asked
    assert (body["model"], body["stream"], body["max_tokens"], body["temperature"]) == ("big", True, 24, 0.0)
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["messages"][2]["content"] == "Hi  ."
    shown, said = body["messages"][3]["content"]
    assert said == {"type": "text", "text": "What is this?"}
    head, _, data = shown["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (60, 40)
    assert body["tools"] == [{"type": "function", "function": TOOLS[0]}]
    assert server.headers[0]["Authorization"] == "Bearer s3cret"


def test_without_a_key_none_is_sent(brain: ServerBrain, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    list(brain.reply(ask()))
    assert "Authorization" not in server.headers[0]


def test_nothing_can_be_seen_on_a_black_picture_so_it_is_not_shown(brain: ServerBrain, server: ChatServer) -> None:
    list(brain.reply(ask("What is this?", picture(Verdict.BLACK))))
    said = server.asked[0]["messages"][-1]["content"]
    assert isinstance(said, str) and "black" in said


def test_a_tool_call_in_pieces_and_its_answer(brain: ServerBrain, server: ChatServer) -> None:
    server.calls = True
    call = ToolCall("calculate", {"expression": "6*7"})
    assert list(brain.reply(ask("How much is six times seven?"))) == [call]
    server.calls = False
    turn = dataclasses.replace(ask("How much is six times seven?"), results=(ToolResult(call, 42),))
    list(brain.reply(turn))
    asked, answered = server.asked[-1]["messages"][-2:]
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"expression": "6*7"}
    assert answered == {"role": "tool", "tool_call_id": asked["tool_calls"][0]["id"], "content": "42"}


def test_a_call_is_not_made_twice(brain: ServerBrain, server: ChatServer) -> None:
    server.calls = True
    turn = ask("6*7?", results=(ToolResult(ToolCall("calculate", {"expression": "6*7"}), 42),))
    assert "".join(map(str, brain.reply(turn))) == "".join(WORDS)  # asked again without tools


def test_a_picture_starts_no_tool(brain: ServerBrain, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # The worst case: a model that obeys what is written in the picture it is shown.
    original = brain._stream

    def swayed(messages, tools):  # type: ignore[no-untyped-def]
        server.calls = any(not isinstance(part, str) for message in messages for part in message.parts)
        return original(messages, tools)

    monkeypatch.setattr(brain, "_stream", swayed)
    pieces = list(brain.reply(ask("What is this?", picture())))
    assert "".join(map(str, pieces)) == "".join(WORDS)
    assert not any(isinstance(piece, ToolCall) for piece in pieces)


def test_what_is_asked_for_without_the_picture_too_is_called(brain: ServerBrain, server: ChatServer) -> None:
    server.calls = True
    assert list(brain.reply(ask("How much is six times seven?", picture()))) == [
        ToolCall("calculate", {"expression": "6*7"})
    ]


def test_closing_breaks_the_connection_off(brain: ServerBrain, server: ChatServer) -> None:
    server.endless = True
    pieces = brain.reply(ask())
    assert next(pieces) == WORDS[0]
    pieces.close()  # type: ignore[attr-defined]
    assert server.broken_off.wait(30)


def test_nobody_answers(settings: Settings, store: Store) -> None:
    unused = ChatServer()
    url = unused.url
    unused.shutdown()
    unused.server_close()
    brain = ServerBrain(set_to(settings, url=url), store)
    with pytest.raises(ModelError, match=r"no server answers at .*set brain\.url"):
        list(brain.reply(ask()))


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (401, b'{"error": {"message": "no key"}}', f"401 Unauthorized: no key; put its key into {KEY}"),
        (404, b"nothing\nhere", "404 Not Found: nothing here; check brain.url and brain.model"),
        (500, b"", "500 Internal Server Error"),
        (400, b'{"error": "too long"}', "too long"),
    ],
)
def test_refusals_are_one_line(brain: ServerBrain, server: ChatServer, status: int, said: bytes, told: str) -> None:
    server.refusal = status, said
    with pytest.raises(ModelError) as caught:
        list(brain.reply(ask()))
    assert told in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([event({"content": "Hel"}), b'data: {"error": {"message": "out of memory"}}\n\n'], "out of memory"),
        ([b"data: <html>\n\n"], "does not speak"),
    ],
)
def test_errors_in_the_stream(brain: ServerBrain, server: ChatServer, lines: list[bytes], told: str) -> None:
    server.raw = lines
    with pytest.raises(ModelError, match=told):
        list(brain.reply(ask()))


def test_a_server_that_does_not_stream(brain: ServerBrain, server: ChatServer) -> None:
    server.raw = [json.dumps({"choices": [{"message": {"role": "assistant", "content": "Hi."}}]}).encode()]
    assert list(brain.reply(ask())) == ["Hi."]


def test_arguments_that_are_not_whole_are_left_to_the_tool_to_complain_about(
    brain: ServerBrain, server: ChatServer
) -> None:
    server.raw = [event({"tool_calls": [{"index": 0, "function": {"name": "calculate", "arguments": '{"expr'}}]})]
    assert list(brain.reply(ask())) == [ToolCall("calculate", {})]


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://x", "http://", "http://x:notaport"])
def test_no_address(settings: Settings, store: Store, url: str) -> None:
    with pytest.raises(SettingError, match=r"brain\.url"):
        ServerBrain(set_to(settings, url=url), store)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost:1/v1", True),
        ("http://[::1]:1", True),
        ("https://example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://user@192.168.0.2:8080", False),
    ],
)
def test_offline_allows_this_machine_only(settings: Settings, store: Store, url: str, allowed: bool) -> None:
    offline = dataclasses.replace(settings, store=dataclasses.replace(settings.store, offline=True))
    if allowed:
        ServerBrain(set_to(offline, url=url), store)
    else:
        with pytest.raises(OfflineError, match="network is forbidden"):
            ServerBrain(set_to(offline, url=url), store)


def test_the_kit_makes_it_with_the_tools_of_the_plugins(server: ChatServer, settings: Settings, store: Store) -> None:
    from assistant.kit import Kit
    from assistant.plugins import Plugins

    chosen = set_to(settings, engine="server", url=server.url)
    kit = Kit(chosen, Plugins(chosen), store)
    assert "".join(map(str, kit.brain.reply(TURNS["no picture"]))) == "".join(WORDS)
    assert {tool["function"]["name"] for tool in server.asked[0]["tools"]} == {
        tool["name"] for tool in kit.toolbox.specs
    }
    assert "set_timer" in {tool["name"] for tool in kit.toolbox.specs}


def test_its_key_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.config import load

    assert load(environ={KEY: "s3cret", "ASSISTANT_BRAIN_URL": "http://x"}).brain.url == "http://x"
