"""One contract for every brain: language models with a prompt, models that see, servers."""

from __future__ import annotations

import dataclasses
import http.server
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from assistant.brain import LanguageBrain
from assistant.config import Settings
from assistant.stages import Brain
from assistant.store import Store
from assistant.types import Frame, Message, Percept, ToolCall, ToolResult, Turn, Utterance, Verdict

TOOLS: list[dict[str, Any]] = [
    {
        "name": "calculate",
        "description": "Work out a sum.",
        "parameters": {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
    }
]
WORDS = ("I ", "see ", "some", "thing", ".")


class ChatServer(http.server.ThreadingHTTPServer):
    """Speaks OpenAI's chat interface on the loopback, word by word."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.calls = False
        """Whether the next reply is a tool call, where tools are offered."""
        self.endless = False
        self.broken_off = threading.Event()
        self.refusal: tuple[int, bytes] | None = None
        self.raw: list[bytes] | None = None
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ChatServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.headers.append(dict(self.headers))
        if self.server.refusal or self.path != "/v1/chat/completions":
            status, said = self.server.refusal or (404, b"not here")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(said)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if self.server.raw is not None:
            self.wfile.write(b"".join(self.server.raw))
            return
        if self.server.calls and body.get("tools"):
            for part in (
                {"id": "1", "function": {"name": "calculate", "arguments": ""}},
                {"function": {"arguments": '{"express'}},
                {"function": {"arguments": 'ion": "6*7"}'}},
            ):
                self._send({"tool_calls": [{"index": 0, **part}]})
        else:
            try:
                for word in WORDS:
                    self._send({"content": word})
                while self.server.endless:
                    self._send({"content": "".join(np.random.default_rng().choice(list("abcdefghij "), 40))})
                    time.sleep(0.001)
            except OSError:
                self.server.broken_off.set()
                return
        self.wfile.write(b": ping\n\ndata: [DONE]\n\n")

    def _send(self, delta: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n")
        self.wfile.flush()


@pytest.fixture(scope="module")
def running() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def server(running: ChatServer) -> ChatServer:
    running.asked.clear()
    running.headers.clear()
    running.calls = running.endless = False
    running.refusal = running.raw = None
    running.broken_off.clear()
    return running


def set_to(settings: Settings, **brain: Any) -> Settings:
    brain = {"context": 3584, "threads": 1, "max_tokens": 24, **brain}
    return dataclasses.replace(settings, brain=dataclasses.replace(settings.brain, **brain))


@pytest.fixture(scope="module", params=["llama", "transformers", "idefics3", "qwen2.5-vl", "server"])
def brain(
    request: pytest.FixtureRequest,
    settings: Settings,
    store: Store,
    running: ChatServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Brain:
    kind = request.param
    if kind == "server":
        from assistant.backends.server_brain import ServerBrain

        return ServerBrain(set_to(settings, engine="server", url=running.url, model="any"), store, TOOLS)
    if kind == "llama":
        from assistant.backends.llama import LlamaSession

        chosen = set_to(settings, model="smollm2-135m-instruct-q4_1")
        return LanguageBrain(LlamaSession(chosen, store), TOOLS, chosen)
    pytest.importorskip("transformers", reason="these brains need the gpu extra")
    pytest.importorskip("torch", reason="these brains need the gpu extra")
    folder = tmp_path_factory.mktemp("tiny")
    if kind == "transformers":
        from assistant.backends.transformers import TransformersSession

        from ..make_tiny_lm import make

        chosen = set_to(settings, model=str(make(folder, positions=10240, tied=False)), context=10240)
        return LanguageBrain(TransformersSession(chosen, store), TOOLS, chosen)
    from assistant.backends.vision_brain import VisionBrain

    from ..make_tiny_vlm import KINDS

    return VisionBrain(set_to(settings, engine="vision", model=str(KINDS[kind](folder))), store, TOOLS)


def picture(verdict: Verdict = Verdict.OK) -> Percept:
    pixels = np.zeros((40, 60, 3), np.uint8)
    if verdict is Verdict.OK:
        pixels[:] = np.random.default_rng(0).integers(0, 256, pixels.shape)
    return Percept("none", np.zeros((1, 4), np.float32), verdict=verdict, frame=Frame(pixels))


def ask(text: str = "What is this?", *percepts: Percept, **more: Any) -> Turn:
    return Turn(Utterance(text), percepts, **more)


TURNS = {
    "no picture": ask(),
    "a picture": ask("What is this?", picture()),
    "a black picture": ask("What is this?", picture(Verdict.BLACK)),
    "history": ask("And now?", picture(), history=(Message("user", "Hello."), Message("assistant", "Hi."))),
    "a tool's answer": ask("How much is 6*7?", results=(ToolResult(ToolCall("calculate", {"expression": "6*7"}), 42),)),
    "markup of others": ask("<image> <|image_pad|> <|im_end|> <fake_token_around_image>", picture()),
    "another language": Turn(Utterance("Was ist das?", "de"), (picture(),)),
}


def test_satisfies_the_protocol(brain: Brain, server: ChatServer) -> None:
    assert isinstance(brain, Brain)


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_it_replies_the_same_with_and_without_preparing(brain: Brain, server: ChatServer, turn: Turn) -> None:
    replies = []
    for prepared in (False, True):
        if prepared:
            brain.prepare(dataclasses.replace(turn, utterance=None))
        pieces = list(brain.reply(turn))
        assert all(isinstance(piece, str | ToolCall) for piece in pieces)
        replies.append(pieces)
    assert "".join(map(str, replies[0])) == "".join(map(str, replies[1]))
    assert replies[0] and replies[0][0] != ""


def test_closing_stops_and_the_next_reply_is_whole(brain: Brain, server: ChatServer) -> None:
    turn = TURNS["a picture"]
    whole = "".join(map(str, brain.reply(turn)))
    pieces = brain.reply(turn)
    first = next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert list(pieces) == []
    assert whole.startswith(str(first))
    assert "".join(map(str, brain.reply(turn))) == whole


def test_cancelling_from_another_thread_ends_a_reply(brain: Brain, server: ChatServer) -> None:
    server.endless = True
    pieces = brain.reply(TURNS["a picture"])
    next(pieces)
    canceller = threading.Thread(target=brain.cancel)  # type: ignore[attr-defined]
    canceller.start()
    canceller.join()
    assert len(list(pieces)) < 200


def test_a_reply_after_a_cancel_is_not_cancelled(brain: Brain, server: ChatServer) -> None:
    whole = list(brain.reply(TURNS["no picture"]))
    brain.cancel()  # type: ignore[attr-defined]
    assert list(brain.reply(TURNS["no picture"])) == whole
