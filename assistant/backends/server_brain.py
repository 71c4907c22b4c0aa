"""Any server with OpenAI's chat interface as a brain: llama.cpp's own, vLLM, Ollama, LM Studio, or one far away.

A GGUF vision-language model answers through the server that ships inside xllamacpp or llama.cpp; it is
started with the language model and its projector (mmproj), and the assistant is pointed at it::

    llama-server -m model.gguf --mmproj mmproj.gguf --port 8080
    assistant talk --set brain.engine=server --set brain.url=http://127.0.0.1:8080

The key, where the server wants one, stands in the environment variable ASSISTANT_BRAIN_KEY and nowhere else.
"""

from __future__ import annotations

import base64
import http.client
import io
import ipaddress
import json
import logging
import os
import socket
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from .. import pictures, prompt
from ..chat import INSTRUCTIONS, LONGEST_SIDE, ChatBrain, ChatMessage, shown
from ..config import Settings
from ..errors import ModelError, OfflineError, SettingError
from ..prompt import ToolSpec
from ..stages import Urged, never
from ..store import Store
from ..types import Frame, ToolCall, Turn

log = logging.getLogger(__name__)

KEY = "ASSISTANT_BRAIN_KEY"
CONNECT = 5.0
"""Seconds in which the server must take the connection."""
PATIENCE = 120.0
"""Seconds without a byte after which it counts as gone: a large model reads a picture before its first word."""
LONGEST_ERROR = 200
"""Characters of the server's own words in an error."""


class ServerBrain(ChatBrain):
    """Turn to reply by ``/v1/chat/completions``, streamed.

    Raises :class:`SettingError` where ``brain.url`` is no address, :class:`OfflineError` where
    ``store.offline`` is set and it leads to another machine. Replying raises :class:`ModelError` where
    the server cannot be reached or refuses.
    """

    def __init__(self, settings: Settings, store: Store, tools: Sequence[ToolSpec] = ()) -> None:
        super().__init__(settings, tools, prompt.system((), settings.brain.instructions, INSTRUCTIONS))
        self._address = _address(settings.brain.url)
        if settings.store.offline and not loopback(self._address.hostname or ""):
            raise OfflineError(
                f"brain.url leads to {self._address.hostname}, and the network is forbidden; "
                "use a server on this machine, or run without ASSISTANT_OFFLINE and store.offline"
            )
        self._urls: tuple[Frame, str] | None = None
        self._open: _Exchange | None = None

    def prepare(self, turn: Turn, urged: Urged = never) -> bool:
        """Encode the picture before the question is known; what a server remembers is its own affair."""
        for percept in turn.percepts:
            if (frame := shown(percept)) is not None:
                self._url(frame)
        return True

    def cancel(self) -> None:
        """End the reply that is being received, from any thread."""
        exchange = self._open
        if exchange is not None:
            exchange.cancel()

    def _stream(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> Generator[str | ToolCall]:
        brain = self._settings.brain
        body: dict[str, Any] = {
            "model": brain.model,
            "messages": [self._message(message, number) for number, message in enumerate(messages)],
            "stream": True,
            "max_tokens": brain.max_tokens,
            "temperature": brain.temperature,
        }
        if tools:
            body["tools"] = [{"type": "function", "function": _function(tool)} for tool in tools]
        self._open = exchange = _Exchange(self._address)
        try:
            yield from _pieces(exchange.post(body))
        finally:
            exchange.close()

    def _message(self, message: ChatMessage, number: int) -> dict[str, Any]:
        if message.role == "tool":
            return {"role": "tool", "tool_call_id": f"call_{number - 1}", "content": _joined(message)}
        if message.call is not None:
            function = {"name": message.call.name, "arguments": json.dumps(dict(message.call.arguments))}
            return {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": f"call_{number}", "type": "function", "function": function}],
            }
        if all(isinstance(part, str) for part in message.parts):
            return {"role": message.role, "content": _joined(message)}
        return {"role": message.role, "content": [self._part(part) for part in message.parts]}

    def _part(self, part: str | Frame) -> dict[str, Any]:
        if isinstance(part, str):
            return {"type": "text", "text": part}
        return {"type": "image_url", "image_url": {"url": self._url(part)}}

    def _url(self, frame: Frame) -> str:
        """Return a picture as a data URL; the last one is kept."""
        if self._urls is None or self._urls[0] is not frame:
            file = io.BytesIO()
            pictures.image(frame, LONGEST_SIDE).save(file, "JPEG", quality=85)
            self._urls = frame, "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
        return self._urls[1]


class _Exchange:
    """One request and the lines of its answer."""

    def __init__(self, address: SplitResult) -> None:
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._address = address
        self._connection = kind(address.hostname or "", address.port, timeout=CONNECT)
        self._socket: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None
        self._lock = threading.Lock()
        self._cancelled = False

    def post(self, body: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield the lines of the answer. Raises :class:`ModelError` where there is none."""
        where = f"{self._address.scheme}://{self._address.netloc.rpartition('@')[2]}"
        try:
            self._connection.connect()
            with self._lock:
                self._socket = self._connection.sock
                if self._cancelled:
                    return
            self._socket.settimeout(PATIENCE)
            self._connection.request("POST", f"{self._address.path}/chat/completions", json.dumps(body), _headers())
            self._response = response = self._connection.getresponse()
            if response.status != 200:
                raise ModelError(_refusal(where, response))
            while line := response.readline():
                yield line
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self._cancelled:
                return
            if self._response is None:
                raise ModelError(
                    f"no server answers at {where} ({_reason(error)}); start it, or set brain.url to another"
                ) from error
            raise ModelError(f"{where} broke off in the middle of its answer ({_reason(error)})") from error

    def cancel(self) -> None:
        """Break the connection from any thread: whoever waits for a line gets none."""
        with self._lock:
            self._cancelled = True
            if self._socket is not None:
                with suppress(OSError):  # it is closed already
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back; the server notices and stops."""
        self.cancel()
        if self._response is not None:
            self._response.close()
        self._connection.close()


def _pieces(lines: Iterator[bytes]) -> Iterator[str | ToolCall]:
    """Read the events of a streamed answer, or a whole answer from a server that does not stream."""
    calls: dict[int, dict[str, str]] = {}
    for line in lines:
        data = line.strip()
        if data.startswith(b"data:"):
            data = data[5:].strip()
        elif not data.startswith(b"{"):
            continue  # blank lines, comments and names of events
        if data == b"[DONE]":
            break
        choice = _choice(data)
        delta = choice.get("delta") or choice.get("message") or {}
        if text := delta.get("content"):
            yield str(text)
        for place, part in enumerate(delta.get("tool_calls") or ()):
            call = calls.setdefault(part.get("index", place), {"name": "", "arguments": ""})
            function = part.get("function") or {}
            call["name"] += function.get("name") or ""
            call["arguments"] += function.get("arguments") or ""
    for call in calls.values():
        yield ToolCall(call["name"], _arguments(call["arguments"]))


def _choice(data: bytes) -> dict[str, Any]:
    """Return the first choice of an event; raise :class:`ModelError` where it tells of an error."""
    try:
        event = json.loads(data)
    except ValueError as error:
        raise ModelError(f"the server at brain.url does not speak OpenAI's chat interface: {_short(data)}") from error
    if isinstance(event, dict) and event.get("error"):
        raise ModelError(f"the server at brain.url says: {_message_of(event['error'])}")
    choices = event.get("choices") if isinstance(event, dict) else None
    return choices[0] if choices else {}


def _arguments(text: str) -> dict[str, Any]:
    """Return the arguments of a call; none where they are not whole, which the tool then complains about."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _function(tool: ToolSpec) -> dict[str, Any]:
    return {name: tool[name] for name in ("name", "description", "parameters")}


def _joined(message: ChatMessage) -> str:
    return "".join(part for part in message.parts if isinstance(part, str))


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Connection": "close"}
    if key := os.environ.get(KEY, "").strip():
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _refusal(where: str, response: http.client.HTTPResponse) -> str:
    said = response.read(20_000)
    try:
        event = json.loads(said)
        words = _message_of(event.get("error", event.get("message", "")))
    except (ValueError, AttributeError):
        words = _short(said)
    hint = f"; put its key into {KEY}" if response.status in (401, 403) else ""
    hint = hint or ("; check brain.url and brain.model" if response.status == 404 else "")
    return f"{where} answers {response.status} {response.reason}{f': {words}' if words else ''}{hint}"


def _message_of(error: object) -> str:
    return _short(str(error.get("message", error) if isinstance(error, dict) else error).encode())


def _short(text: bytes) -> str:
    return " ".join(text.decode("utf-8", "replace").split())[:LONGEST_ERROR]


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _address(url: str) -> SplitResult:
    """Return the parsed base address; ``/v1`` is put after one without a path."""
    try:
        parts = urlsplit(url.strip())
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise SettingError(f"brain.url must be the address of a server, such as http://127.0.0.1:8080, not {url!r}")
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return parts._replace(path=path or "/v1", query="", fragment="")


def loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
