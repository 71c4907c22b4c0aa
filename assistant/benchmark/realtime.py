"""The same ruler for others: recorded questions to a server that speaks the OpenAI Realtime protocol.

Sound goes out in real time in chunks of 20 ms, quiet included; the first audio that comes
back after the end of speech is what counts.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DeviceError, ExtraMissing
from ..types import Samples
from .devices import RATE
from .talk import QUESTIONS, Recording, made_recordings, read_recordings, spread

if TYPE_CHECKING:
    from ..kit import Kit

SERVER_RATE = 24_000
"""Samples per second of pcm16 in the protocol."""
CHUNK = SERVER_RATE // 50  # 20 ms
LONGEST_WAIT = 30.0
AUDIO = ("response.audio.delta", "response.output_audio.delta")
"""Events that carry sound: the name of the beta protocol, and the one it has now."""
DONE = "response.done"


def measure(
    kit: Kit, url: str, utterances: Path | None, progress: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Return the seconds from end of speech to first audio of the server at ``url``.

    Raises :class:`DeviceError` where it cannot be reached, :class:`ExtraMissing` without ``websockets``.
    """
    recordings = read_recordings(kit, utterances) if utterances else made_recordings(kit, QUESTIONS)
    return asyncio.run(_measure(url, recordings, progress))


async def _measure(url: str, recordings: list[Recording], progress: Callable[[str], None]) -> dict[str, Any]:
    try:
        from websockets.asyncio.client import connect
    except ModuleNotFoundError as error:
        raise ExtraMissing("websockets", "serve") from error
    first: list[float] = []
    turns = []
    try:
        async with connect(url, max_size=None) as socket:
            for recording in recordings:
                progress(recording.name)
                seconds = await _ask(socket, recording)
                turns.append({"name": recording.name, "first_audio_s": seconds})
                if seconds is not None:
                    first.append(seconds)
    except OSError as error:
        raise DeviceError(f"no answer from {url} ({error}); start the server, or mend the address") from error
    return {"url": url, "questions": len(turns), "answered": len(first), "first_audio_s": spread(first), "turns": turns}


async def _ask(socket: Any, recording: Recording) -> float | None:
    """Say one question in real time; return the seconds to the first audio, ``None`` where none came."""
    end = time.monotonic() + recording.seconds
    speaking = asyncio.create_task(_say(socket, recording.samples))
    first: float | None = None
    done = False
    try:
        while not done:
            message = await asyncio.wait_for(socket.recv(), LONGEST_WAIT + recording.seconds)
            event = json.loads(message)
            if event.get("type") in AUDIO and first is None and time.monotonic() > end and event.get("delta"):
                first = time.monotonic() - end
            done = event.get("type") == DONE and time.monotonic() > end
    except TimeoutError:
        pass
    finally:
        speaking.cancel()
    return None if first is None else round(first, 4)


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
