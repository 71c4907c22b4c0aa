"""A whole conversation in virtual time: the event loop's clock, the microphone and the loudspeaker move together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from assistant.config import Settings
from assistant.dialogue import Dialogue
from assistant.ears import Sound
from assistant.happening import Happening
from assistant.stages import Recognition
from assistant.tools import Toolbox
from assistant.turns import RATE
from assistant.types import AudioChunk, Samples, Utterance
from assistant.voices import Voices

from .fakes import FakeBrain, FakeCamera, FakeEyes, FakeSpeaker, FakeTurnDetector, FakeVoice, silence, tone

CHUNK = 512  # 32 ms


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when the microphone makes it pass."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual = 0.0

    def time(self) -> float:
        return self.virtual

    def advance(self, seconds: float) -> None:
        self.virtual += seconds


class ToneRecognizer:
    """Knows what each tone means; hears the last one that sounds."""

    def __init__(self, words: dict[int, str]) -> None:
        self.words = words
        self.language = "en"
        self.heard: list[AudioChunk] = []
        self.voiced: list[bool] = []
        """Whether each was known to be speech."""

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        self.heard.append(audio)
        self.voiced.append(options is not None and options.voiced)
        loud = np.flatnonzero(np.abs(audio.samples) > 0.01)
        if len(loud) < RATE // 50:
            return Utterance("", no_speech=1.0)
        window = audio.samples[max(0, loud[-1] - 1600) : loud[-1]]
        hertz = float(np.argmax(np.abs(np.fft.rfft(window, 16_000)))) if len(window) else 0.0
        return Utterance(self.words[min(self.words, key=lambda known: abs(known - hertz))], self.language)


class PacedEars:
    """Hears one chunk after the other, each when everything that the one before set off has come to rest."""

    timed = False

    def __init__(self, sound: Sequence[Samples]) -> None:
        self.sound = np.concatenate(list(sound))
        self.references: list[AudioChunk] = []
        self.at: dict[int, Callable[[], object]] = {}
        """What to do on the event loop when this chunk is reached."""
        self.settle: Callable[[], None] = lambda: None
        self.closed = threading.Event()

    def played(self, block: AudioChunk) -> None:
        self.references.append(block)

    def sounds(self) -> Iterator[Sound]:
        for number, start in enumerate(range(0, len(self.sound) - CHUNK + 1, CHUNK)):
            if self.closed.is_set():
                return
            chunk = AudioChunk(self.sound[start : start + CHUNK], RATE, start)
            self.step(number)
            yield Sound(chunk, float(np.abs(chunk.samples).max() > 0.01))
        self.step(-1)

    def step(self, number: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed.set()


class Conversation:
    """Fakes on every side of a real :class:`Dialogue`."""

    def __init__(
        self,
        *sound: Samples,
        words: dict[int, str] | None = None,
        finished: float = 1.0,
        camera: FakeCamera | None = None,
        settings: Settings | None = None,
        tools: dict[str, Any] | None = None,
        brain: FakeBrain | None = None,
        news: Sequence[str] = (),
    ) -> None:
        settings = settings or Settings()
        settings = replace(settings, vad=replace(settings.vad, padding=0.1))
        self.recognizer = ToneRecognizer(words or {440: "what is this"})
        self.brain, self.speaker = brain or FakeBrain(), FakeSpeaker(instant=False)
        self.voice, self.german = FakeVoice(RATE // 20), FakeVoice(RATE // 20, "de")
        self.eyes, self.detector = FakeEyes(), FakeTurnDetector(finished)
        self.happened: list[Happening] = []
        self.ears = PacedEars(sound)
        self.loop = VirtualLoop()
        stages = SimpleNamespace(
            settings=settings, recognizer=self.recognizer, eyes=self.eyes, fuser=None, readers={}, brain=self.brain,
            voices=Voices(settings, self._voice), toolbox=Toolbox(tools or {}, 1.0),
        )  # fmt: skip
        self.stages = stages
        self.camera = camera
        self.news = news
        """What is known before it begins."""
        self.dialogue: Dialogue
        self.held: asyncio.Task[None]
        """The task that holds the conversation."""

    def _voice(self, settings: Settings) -> FakeVoice:
        return self.german if settings.voice.language == "de" else self.voice

    def run(self, drive: Callable[[], Coroutine[Any, Any, None]] | None = None) -> Conversation:
        """Hold the conversation to the end of its sound, or as ``drive`` does, which has to end it."""
        try:
            self.loop.run_until_complete(self._run(drive))
        finally:
            self.loop.close()
        return self

    async def _run(self, drive: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
        self.dialogue = Dialogue(
            self.stages,
            self.ears,
            self.speaker,
            self.camera,
            [self.detector],
            [self.happened.append],  # type: ignore[arg-type]
        )
        for message in self.news:
            self.dialogue.news_from_thread(message, failed=False)
        if drive is None:
            self.ears.step = self._step  # type: ignore[method-assign]
            self.held = asyncio.current_task()  # type: ignore[assignment]
            await self.dialogue.run()
            return
        self.ears.step = lambda number: self.ears.closed.wait(60)  # type: ignore[assignment, method-assign]
        talk = asyncio.create_task(self.dialogue.run())
        while "ready" not in self.names():  # noqa: ASYNC110 (virtual time: nothing else tells)
            await asyncio.sleep(0)
        await drive()
        await talk

    def _step(self, number: int) -> None:
        """Called in the ears' thread before each chunk: let the last one settle, then time pass."""
        asyncio.run_coroutine_threadsafe(self._settle(), self.loop).result(20)
        self.speaker.advance(CHUNK)
        self.loop.advance(CHUNK / RATE)
        if number in self.ears.at:
            self.loop.call_soon_threadsafe(self.ears.at[number])
        asyncio.run_coroutine_threadsafe(self._settle(), self.loop).result(20)
        if number == -1:
            self.loop.call_soon_threadsafe(self.dialogue.quit)

    async def _settle(self) -> None:
        lanes = [self.dialogue._aside, self.dialogue._playback._device, self.dialogue._gaze]
        quiet = 0
        while quiet < 6:
            await asyncio.sleep(0)
            busy = self.dialogue._lane._open > self.brain.pondering  # a thought that has no end is not waited for
            quiet = 0 if busy or any(lane is not None and lane.busy for lane in lanes) else quiet + 1

    def names(self, *wanted: str) -> list[str]:
        """Return the names of what happened, in order; all but levels, or only those wanted."""
        return [event.name for event in self.happened if (event.name in wanted if wanted else event.name != "level")]

    def last(self, name: str) -> dict[str, Any]:
        return [event.details for event in self.happened if event.name == name][-1]

    def all(self, name: str) -> list[dict[str, Any]]:
        return [event.details for event in self.happened if event.name == name]

    def when(self, name: str) -> float:
        return next(event.at for event in self.happened if event.name == name)


def speech(seconds: float, hertz: int = 440) -> Samples:
    return tone(seconds, hertz=hertz)


def quiet(seconds: float) -> Samples:
    return silence(seconds)


__all__ = ["Conversation", "quiet", "speech"]
