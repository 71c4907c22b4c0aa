"""The same ruler for others: recorded questions to a server that speaks the OpenAI Realtime protocol.

Sound goes out in real time in chunks of 20 ms, quiet included; the first audio that comes
back after the end of speech is what counts.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DeviceError, ExtraMissing
from ..types import Samples
from .devices import RATE
from .talk import MOST, QUESTIONS, Recording, made_recordings, read_recordings, spread

if TYPE_CHECKING:
    from ..kit import Kit

SERVER_RATE = 24_000
"""Samples per second of pcm16 in the protocol."""
CHUNK = SERVER_RATE // 50  # 20 ms
LONGEST_WAIT = 30.0
AUDIO = ("response.audio.delta", "response.output_audio.delta")
"""Events that carry sound: the name of the beta protocol, and the one it has now."""
DONE = "response.done"
KEY = "ASSISTANT_REALTIME_KEY"
"""Environment variable with the server's key, where it wants one."""


@dataclass(slots=True)
class Heard:
    """What came back for one question."""

    name: str
    first_audio: float | None = None
    """Seconds from the end of speech to the first sound of the answer."""
    cut_off: bool = False
    """Whether the server spoke before the person had finished."""


def measure(
    kit: Kit, url: str, utterances: Path | None, progress: Callable[[str], None] = lambda text: None, most: int = MOST
) -> dict[str, Any]:
    """Return the seconds from end of speech to first audio of the server at ``url``.

    Where it fails after some questions, what they gave is returned with the reason as ``error``. Raises
    :class:`DeviceError` where it answers none, :class:`ExtraMissing` without ``websockets``.
    """
    recordings = read_recordings(kit, utterances, most) if utterances else made_recordings(kit, QUESTIONS)
    return asyncio.run(_measure(url, recordings, progress))


async def _measure(url: str, recordings: list[Recording], progress: Callable[[str], None]) -> dict[str, Any]:
    try:
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException
    except ModuleNotFoundError as error:
        raise ExtraMissing("websockets", "serve") from error
    key = os.environ.get(KEY, "").strip()
    turns: list[Heard] = []
    fault = {}
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with connect(url, max_size=None, additional_headers=headers) as socket:
            for recording in recordings:
                progress(recording.name)
                turns.append(await _ask(socket, recording))
    except (OSError, WebSocketException, ValueError) as error:
        reason = " ".join(str(error).split())
        if not turns:
            advice = f"start the server, mend the address, or give its key in {KEY}"
            raise DeviceError(f"no answer from {url} ({reason}); {advice}") from error
        fault = {"error": f"failed after {len(turns)} of {len(recordings)} questions: {reason}"}
    first = [turn.first_audio for turn in turns if turn.first_audio is not None]
    return {
        "url": url,
        "questions": len(turns),
        "answered": len(first),
        "cut_off": sum(turn.cut_off for turn in turns),
        "first_audio_s": spread(first),
        "turns": [{"name": turn.name, "first_audio_s": turn.first_audio, "cut_off": turn.cut_off} for turn in turns],
    } | fault


async def _ask(socket: Any, recording: Recording) -> Heard:
    """Say one question in real time and hear its answer.

    A response that sounds before the end of speech cuts the person off and is no answer; one after it may be.
    """
    end = time.monotonic() + recording.seconds
    speaking = asyncio.create_task(_say(socket, recording.samples))
    heard, early = Heard(recording.name), False
    try:
        async with asyncio.timeout(recording.seconds + LONGEST_WAIT):
            while True:
                event, over = _event(await socket.recv()), time.monotonic() - end
                if event.get("type") in AUDIO and event.get("delta"):
                    early = early or over < 0
                    heard.cut_off = heard.cut_off or early
                    if not early and heard.first_audio is None:
                        heard.first_audio = round(over, 4)
                elif event.get("type") == DONE:
                    early = False
                    if over > 0:
                        break
    except TimeoutError:
        pass
    finally:
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
    return heard


def _event(message: str | bytes) -> dict[str, Any]:
    """Return what the server tells. Raises ``ValueError`` where it is no event, or tells of an error."""
    try:
        event = json.loads(message)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise ValueError("it does not speak the Realtime protocol")
    if event.get("type") == "error":
        error = event.get("error")
        raise ValueError(error.get("message", error) if isinstance(error, dict) else error)
    return event


async def _say(socket: Any, samples: Samples) -> None:
    """Send the question and then quiet, in real time, until cancelled."""
    from ..sound import resample
    from ..types import AudioChunk

    sound = resample(AudioChunk(samples, RATE), SERVER_RATE).samples
    begun, number = time.monotonic(), 0
    while True:
        piece = sound[number * CHUNK : (number + 1) * CHUNK]
        pcm = (np.clip(np.pad(piece, (0, CHUNK - len(piece))), -1, 1) * 32767).astype("<i2").tobytes()
        audio = base64.b64encode(pcm).decode()
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        number += 1
        await asyncio.sleep(max(0.0, begun + number * CHUNK / SERVER_RATE - time.monotonic()))
