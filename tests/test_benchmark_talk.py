"""The ruler itself: virtual devices, pauses, the client of the Realtime protocol."""

import asyncio
import base64
import contextlib
import json
import time
from http import HTTPStatus
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from assistant.benchmark import realtime, talk
from assistant.benchmark.devices import RATE, VirtualMicrophone, VirtualSpeaker
from assistant.benchmark.talk import Recording, read_pictures, read_recordings, spread, with_pause
from assistant.cli import main
from assistant.config import Settings
from assistant.errors import InputError
from assistant.sound import write
from assistant.stages import never
from assistant.tools import Toolbox
from assistant.types import AudioChunk
from assistant.voices import Voices

from .fakes import FakeActivity, FakeBrain, FakeRecognizer, FakeVoice, silence, tone


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


@contextlib.asynccontextmanager
async def serving(handler, **options):
    """Serve the handler; give its address."""
    websockets = pytest.importorskip("websockets.asyncio.server")
    async with websockets.serve(handler, "127.0.0.1", 0, max_queue=None, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def measured(handler, questions=1, seconds=0.2, **options):
    """Return the figures of a server."""

    async def main():
        async with serving(handler, **options) as url:
            recordings = [Recording("tone", tone(seconds))] * questions
            return await realtime._measure(url, recordings, lambda text: None)

    return asyncio.run(main())


def test_a_realtime_server_is_measured_by_the_same_ruler():
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

    figures = measured(answer, questions=2, seconds=0.4)
    assert figures["answered"] == figures["questions"] == 2
    assert all(0.1 < turn["first_audio_s"] for turn in figures["turns"])


async def reply(socket, pieces=1, every=0.0):
    for _ in range(pieces):
        await socket.send(json.dumps({"type": "response.audio.delta", "delta": "AAAA"}))
        await asyncio.sleep(every)
    await socket.send(json.dumps({"type": "response.done"}))


def test_a_response_that_cuts_the_person_off_is_no_answer():
    async def goes_on(socket):
        await socket.recv()
        await reply(socket, pieces=8, every=0.1)  # 0.8 s, from the beginning of 0.4 s of speech
        await socket.wait_closed()

    figures = measured(goes_on, seconds=0.4)
    assert (figures["answered"], figures["cut_off"]) == (0, 1)

    async def answers_then(socket):
        await socket.recv()
        await reply(socket)
        await asyncio.sleep(0.6)
        await reply(socket)
        await socket.wait_closed()

    figures = measured(answers_then, seconds=0.4)
    assert (figures["answered"], figures["cut_off"]) == (1, 1)
    assert figures["turns"][0]["first_audio_s"] > 0.1


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("no JSON", "does not speak"),
        ("[]", "does not speak"),
        ('{"type": "error", "error": {"message": "there is no model x"}}', "there is no model x"),
        (1011, "crashed"),
        (1000, "1000"),
    ],
)
def test_a_realtime_server_that_fails_is_told(message, told):
    from assistant.errors import DeviceError

    async def fails(socket):
        await socket.recv()
        if isinstance(message, int):
            await socket.close(message, "crashed")
        else:
            await socket.send(message)
        await socket.wait_closed()

    with pytest.raises(DeviceError, match=told):
        measured(fails)

    async def fails_later(socket):
        await asyncio.sleep(0.3)
        await reply(socket)
        await fails(socket)

    figures = measured(fails_later, questions=2)
    assert (figures["questions"], figures["answered"]) == (1, 1) and told in figures["error"]


def test_the_key_of_a_realtime_server(monkeypatch):
    from assistant.errors import DeviceError

    def check(connection, request):
        if request.headers.get("Authorization") != "Bearer open sesame":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "no")

    async def answers(socket):
        await asyncio.sleep(0.3)
        await reply(socket)
        await socket.wait_closed()

    monkeypatch.delenv(realtime.KEY, raising=False)
    with pytest.raises(DeviceError, match="401"):
        measured(answers, process_request=check)
    monkeypatch.setenv(realtime.KEY, "open sesame")
    assert measured(answers, process_request=check)["answered"] == 1


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9", "http://127.0.0.1:9", "localhost:80", "ws://"])
def test_a_realtime_server_that_is_not_there_is_told(url):
    pytest.importorskip("websockets")
    from assistant.errors import DeviceError

    with pytest.raises(DeviceError, match=f"no answer from {url}"):
        asyncio.run(realtime._measure(url, [Recording("tone", tone(0.1))], lambda text: None))


def test_recordings_without_speech_are_told(tmp_path):
    write(tmp_path / "quiet.wav", [AudioChunk(silence(0.5), RATE)])
    kit = SimpleNamespace(settings=Settings(), make=lambda kind, name: FakeActivity())
    with pytest.raises(InputError, match="nobody speaks"):
        read_recordings(kit, tmp_path)


def test_of_many_recordings_some_of_2_to_5_s_are_taken_from_all_over_the_folder(tmp_path, caplog):
    for number in range(12):
        write(tmp_path / f"{number:02}.wav", [AudioChunk(tone(1.0 if number < 4 else 2.5), RATE)])
    kit = SimpleNamespace(settings=Settings(), make=lambda kind, name: FakeActivity())
    assert len(read_recordings(kit, tmp_path)) == 12 and not caplog.messages
    assert [recording.name for recording in read_recordings(kit, tmp_path, 4)] == ["04", "06", "08", "10"]
    assert "4 of the 12 recordings" in caplog.text
    assert [recording.name for recording in read_recordings(kit, tmp_path, 10)][:2] == ["00", "01"]


def test_pictures_are_read_by_name_and_no_more_than_needed(tmp_path):
    (tmp_path / "images").mkdir()
    for number in (3, 1, 2):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "images" / f"{number}.png")
    assert [int(pixels[0, 0, 0]) for pixels in read_pictures(tmp_path, 2)] == [1, 2]


def test_each_question_is_asked_about_the_next_picture(monkeypatch):
    shown, slept, compared = [], [], []

    @contextlib.asynccontextmanager
    async def session(kit, camera=None):
        yield SimpleNamespace(show=shown.append, rest=rest)

    async def rest():
        pass

    def alone(kit, detectors, recording, pixels):
        compared.append(pixels)
        return {"first_audio_s": 2.0}

    async def sleep(seconds):
        slept.append(seconds)

    async def ask(session, recording, brief=1.0):
        return talk.Asked(recording.name, first_audio=1.0)

    monkeypatch.setattr(talk, "session", session)
    monkeypatch.setattr(talk, "_ask", ask)
    monkeypatch.setattr(talk, "detectors_of", lambda kit: [])
    monkeypatch.setattr(
        talk, "one_after_the_other", lambda *given: compared.append(given[-1]) or {"first_audio_s": 2.0}
    )
    monkeypatch.setattr(talk.asyncio, "sleep", sleep)
    asked = [Recording("tone", tone(0.1))] * 3
    figures = asyncio.run(talk._measure(None, asked, ["a", "b"], 2.5, 0, True, lambda text: None))
    assert shown == compared == ["a", "b", "a"] and slept == [2.5] * 3
    assert figures["ratio_without_decision"] == 0.5


def test_the_floor_is_what_is_left_when_all_but_the_last_word_was_read():
    class Brain(FakeBrain):
        def complete(self, turn, urged=never):
            time.sleep(0.05)
            self.prepared.append(turn)
            return 1.0

    brain, voice = Brain(), FakeVoice()
    brain.enqueue(["A", " dog", " barks", "."])
    kit = SimpleNamespace(
        live_recognizer=FakeRecognizer("What does a dog do?"), activity=FakeActivity(), brain=brain,
        toolbox=Toolbox({}, 1.0), voices=Voices(Settings(), lambda language: voice),
    )  # fmt: skip
    floor = talk.what_must_wait(kit, Recording("dog", tone(0.5)))
    assert [turn.utterance.text for turn in brain.prepared] == ["What does a dog", "What does a dog do?"]
    assert voice.spoken == ["A dog barks."] and brain.closed == 1
    assert 0.05 <= floor["read_s"] < floor["decision_s"] < floor["first_audio_s"]
    assert floor["first_audio_s"] == pytest.approx(floor["decision_s"] + floor["first_clause_s"] + floor["voice_s"])


def test_the_floor_of_the_ratio_needs_no_luck():
    asked = [talk.Asked("one", {"decision_s": 0.5}, 1.5)]
    floor = [{"decision_s": 0.4, "first_audio_s": 1.2}]
    figures = talk._figures(asked, [{"first_audio_s": 2.0}], floor)
    assert figures["ratio"] == 0.6 and figures["floor"]["ratio"] == 0.5
    assert "floor" not in talk._figures(asked, [{"first_audio_s": 2.0}], [])


def test_asleep_until_the_wake_word_only_idling_is_measured(monkeypatch):
    """Nobody says the word there, so each question would be waited for in vain."""

    @contextlib.asynccontextmanager
    async def session(kit, camera=None):
        yield SimpleNamespace()

    async def idle(session):
        return 0.03

    monkeypatch.setattr(talk, "session", session)
    monkeypatch.setattr(talk, "_idle", idle)
    kit = SimpleNamespace(settings=SimpleNamespace(wake=SimpleNamespace(enabled=True)))
    told = []
    assert talk.measure(kit, progress=told.append).keys() == {"idle_cpu", "memory_mb"}
    assert told == ["asleep until the wake word: only idling is measured"]


@pytest.mark.parametrize("held", ["-1", "long", "nan", "1e9"])
def test_how_long_a_picture_is_held_up_is_checked(held, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "talk", "--held", held])
    assert "--held" in capsys.readouterr().err


@pytest.mark.parametrize(("turns", "grows"), [(3, False), (10, False), (11, True)])
def test_memory_grows_only_once_it_is_warm(turns, grows, monkeypatch):
    async def unanswered(session, recording, brief=1.0):
        return talk.Asked(recording.name)

    monkeypatch.setattr(talk, "_ask", unanswered)
    figures = asyncio.run(talk._endure(None, [Recording("tone", tone(0.1))], turns, lambda text: None))
    assert (figures["memory_growth_mb"] is not None) == grows and figures["latency_drift"] is None


@pytest.mark.parametrize("kind", ["talk", "echo"])
def test_help_has_examples(kind, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["bench", kind, "--help"])
    assert f"examples:\n  assistant bench {kind}" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "talk", "--turns", "-1"])
