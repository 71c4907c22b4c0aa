"""The ruler itself: virtual devices, pauses, the client of the Realtime protocol."""

import asyncio
import base64
import json
import time

import numpy as np
import pytest

from assistant.benchmark.devices import RATE, VirtualMicrophone, VirtualSpeaker
from assistant.benchmark.talk import Recording, spread, with_pause
from assistant.types import AudioChunk

from .fakes import silence, tone


def test_the_microphone_says_what_it_is_given_in_order():
    microphone = VirtualMicrophone()
    chunks = microphone.chunks()
    first = next(chunks)
    microphone.say(tone(0.05))
    heard = [next(chunks) for _ in range(4)]
    microphone.close()
    assert np.abs(first.samples).max() < 0.01
    assert [bool(np.abs(chunk.samples).max() > 0.1) for chunk in heard] == [True, True, True, False]
    assert [chunk.start for chunk in heard] == [320, 640, 960, 1280]
    assert list(chunks) == []


def test_the_loudspeaker_knows_when_the_first_audible_sample_was_played():
    speaker = VirtualSpeaker()
    before = time.monotonic()
    speaker.play(AudioChunk(np.concatenate([silence(0.05), tone(0.05)]), RATE))
    assert speaker.drain() == RATE // 10
    assert speaker.first is not None and speaker.last is not None
    assert speaker.first - before >= 0.05 and speaker.last > speaker.first
    speaker.listen()
    assert speaker.first is None


def test_a_pause_is_put_where_it_is_quiet():
    samples = np.concatenate([tone(1.0), silence(0.1), tone(1.0)])
    paused = with_pause(samples, 0.8)
    assert len(paused) == len(samples) + int(0.8 * RATE)
    quiet = np.flatnonzero(np.abs(paused) > 0.01)
    assert np.diff(quiet).max() >= 0.85 * RATE, "the pause lies in the gap"


def test_spread():
    assert spread([1.0, 2.0, 3.0])["p50"] == 2.0
    assert spread([]) == {"p50": None, "p95": None}


def test_a_realtime_server_is_measured_by_the_same_ruler():
    websockets = pytest.importorskip("websockets.asyncio.server")
    from assistant.benchmark.realtime import _measure

    async def answer(socket):
        """Answer as soon as 0.2 s of quiet followed some sound."""
        quiet, spoken = 0, False
        async for message in socket:
            event = json.loads(message)
            loud = np.abs(np.frombuffer(base64.b64decode(event["audio"]), "<i2")).max() > 300
            spoken, quiet = spoken or bool(loud), 0 if loud else quiet + 1
            if spoken and quiet == 10:
                await socket.send(json.dumps({"type": "response.created"}))
                await socket.send(json.dumps({"type": "response.output_audio.delta", "delta": "AAAA"}))
                await socket.send(json.dumps({"type": "response.done"}))
                spoken = False

    async def main():
        async with websockets.serve(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await _measure(f"ws://127.0.0.1:{port}", [Recording("tone", tone(0.4))] * 2, lambda text: None)

    figures = asyncio.run(main())
    assert figures["answered"] == figures["questions"] == 2
    assert all(0.1 < turn["first_audio_s"] for turn in figures["turns"])


def test_a_realtime_server_that_is_not_there_is_told():
    pytest.importorskip("websockets")
    from assistant.benchmark.realtime import _measure
    from assistant.errors import DeviceError

    with pytest.raises(DeviceError, match="no answer from ws:"):
        asyncio.run(_measure("ws://127.0.0.1:9", [Recording("tone", tone(0.1))], lambda text: None))
