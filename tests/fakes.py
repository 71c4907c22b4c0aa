"""Stand-ins for every stage, each of which satisfies its Protocol. Time is virtual.

``brain.enqueue(["Hel", "lo."])``, run the conversation, then look at ``speaker.played_samples``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from assistant.stages import Recognition, Urged, never
from assistant.types import AudioChunk, Frame, Label, Percept, Samples, TextRegion, ToolCall, Turn, Utterance, Verdict

RATE = 16_000
CHUNK = RATE // 50  # 20 ms


@dataclass
class VirtualClock:
    """Time passes only when somebody sleeps or the test lets it."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.time += seconds

    def advance(self, seconds: float) -> None:
        self.time += seconds


def tone(seconds: float, rate: int = RATE, hertz: float = 440.0, loudness: float = 0.5) -> Samples:
    """Return a sine, which a fake voice activity takes for speech."""
    return (loudness * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def silence(seconds: float, rate: int = RATE) -> Samples:
    return np.zeros(round(seconds * rate), np.float32)


class FakeActivity:
    """Takes everything louder than ``level`` for speech."""

    rate, chunk = RATE, 512

    def __init__(self, level: float = 0.01) -> None:
        self.level, self.resets = level, 0

    def probability(self, chunk: AudioChunk) -> float:
        assert len(chunk.samples) == self.chunk and chunk.rate == self.rate
        return float(np.abs(chunk.samples).max(initial=0.0) > self.level)

    def reset(self) -> None:
        self.resets += 1


class FakeTurnDetector:
    """Gives the queued probabilities, then ``usual``."""

    listens = False

    def __init__(self, usual: float = 1.0) -> None:
        self.usual = usual
        self.queued: deque[float] = deque()
        self.asked: list[tuple[float, str]] = []

    def finished(self, audio: AudioChunk, text: str) -> float:
        self.asked.append((audio.seconds, text))
        return self.queued.popleft() if self.queued else self.usual


class FakeWakeWord:
    """Hears its name in the chunks whose start was given."""

    def __init__(self, at: Mapping[int, str] | None = None) -> None:
        self.at = dict(at or {})

    def heard(self, chunk: AudioChunk) -> str | None:
        return self.at.get(chunk.start)


class FakeEchoCanceller:
    """Subtracts nothing; keeps what it was told."""

    def __init__(self) -> None:
        self.references: list[AudioChunk] = []

    def played(self, chunk: AudioChunk) -> None:
        self.references.append(chunk)

    def clean(self, chunk: AudioChunk) -> AudioChunk:
        return chunk


class FakeRecognizer:
    """Gives the queued utterances in order, then ``usual``; nothing where there is only silence."""

    def __init__(self, usual: str = "") -> None:
        self.usual = usual
        self.queued: deque[Utterance] = deque()
        self.heard: list[AudioChunk] = []
        self.options: list[Recognition | None] = []

    def enqueue(self, *texts: str | Utterance) -> None:
        self.queued.extend(text if isinstance(text, Utterance) else Utterance(text) for text in texts)

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        self.heard.append(audio)
        self.options.append(options)
        if not np.any(audio.samples):
            return Utterance("", no_speech=1.0)
        return self.queued.popleft() if self.queued else Utterance(self.usual)


class FakeEars(FakeRecognizer):
    """A recogniser whose encoder is the loudness of some bands of the spectrum, every 20 ms."""

    def __init__(self, usual: str = "", name: str = "fake-ears", bands: int = 6) -> None:
        super().__init__(usual)
        self.name, self.bands = name, bands
        self.encoded: list[AudioChunk] = []

    def states(self, audio: AudioChunk) -> Samples:
        self.encoded.append(audio)
        size = max(1, audio.rate // 50)
        samples = np.pad(audio.samples, (0, max(0, size - len(audio.samples))))
        frames = samples[: len(samples) // size * size].reshape(-1, size)
        strength = np.abs(np.fft.rfft(frames))[:, 1:]
        return np.stack([np.log(band.mean(1) + 1e-3) for band in np.array_split(strength, self.bands, 1)], 1).astype(
            np.float32
        )


class FakeEyes:
    """Sees the given labels in every frame, and black in a black one."""

    encoder = "fake-eyes"

    def __init__(self, *labels: tuple[str, float]) -> None:
        self.labels = tuple(Label(name, probability, "centre") for name, probability in labels or (("dog", 0.9),))
        self.looked: list[Frame] = []

    def look(self, frame: Frame) -> Percept:
        self.looked.append(frame)
        black = not frame.pixels.any()
        return Percept(
            encoder=self.encoder,
            features=np.zeros((1, 4), np.float32),
            labels=() if black else self.labels,
            verdict=Verdict.BLACK if black else Verdict.OK,
            time=frame.time,
            source=frame.source,
        )


class FakeReader:
    """Reads the given lines in every frame."""

    def __init__(self, *regions: TextRegion) -> None:
        self.regions, self.calls = regions, 0

    def read(self, frame: Frame, percept: Percept) -> Percept:
        from dataclasses import replace

        self.calls += 1
        return replace(percept, regions=self.regions)


PONDER = "ponder"
"""In a queued reply: think on until the reply is dropped."""


class FakeBrain:
    """Says what was queued, one reply a turn; keeps the turns it saw and how many pieces were taken."""

    def __init__(self) -> None:
        self.queued: deque[Sequence[str | ToolCall]] = deque()
        self.turns: list[Turn] = []
        self.prepared: list[Turn] = []
        self.taken: list[str | ToolCall] = []
        self.closed = 0
        """Replies whose generator has ended or was closed."""
        self.pondering = False

    def enqueue(self, *replies: Sequence[str | ToolCall]) -> None:
        self.queued.extend(replies)

    def prepare(self, turn: Turn, urged: Urged = never) -> bool:
        self.prepared.append(turn)
        return True

    def reply(self, turn: Turn) -> Iterator[str | ToolCall]:
        self.turns.append(turn)
        pieces = self.queued.popleft() if self.queued else ("I", " have", " nothing", " to", " say", ".")
        try:
            for piece in pieces:
                self.pondering = piece is PONDER
                while self.pondering:
                    time.sleep(0.001)
                    yield ""
                self.taken.append(piece)
                yield piece
        finally:
            self.closed += 1
            self.pondering = False


class FakeVoice:
    """Speaks every character as ``samples_per_character`` samples of a tone, in pieces of 20 ms."""

    name = "fake-voice"

    def __init__(self, samples_per_character: int = CHUNK, language: str = "en", rate: int = RATE) -> None:
        self.samples_per_character, self.language, self.rate = samples_per_character, language, rate
        self.spoken: list[str] = []

    def speak(self, clause: str) -> Iterator[AudioChunk]:
        self.spoken.append(clause)
        samples = tone(len(clause) * self.samples_per_character / self.rate, self.rate)
        for start in range(0, len(samples), CHUNK):
            yield AudioChunk(samples[start : start + CHUNK], self.rate, start)


class FakeMicrophone:
    """Gives the samples it was made with in chunks of 20 ms, then ends; the clock moves along with them."""

    rate = RATE

    def __init__(self, *parts: Samples, clock: VirtualClock | None = None) -> None:
        self.samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        self.clock = clock or VirtualClock()
        self.closed = False
        self.failures: dict[int, Exception] = {}
        """Raised once, in place of the chunk that starts at this sample."""
        self._at = 0

    def chunks(self) -> Iterator[AudioChunk]:
        while self._at < len(self.samples) and not self.closed:
            if self._at in self.failures:
                raise self.failures.pop(self._at)
            piece = self.samples[self._at : self._at + CHUNK]
            start, self._at = self._at, self._at + CHUNK
            self.clock.sleep(CHUNK / self.rate)
            yield AudioChunk(np.pad(piece, (0, CHUNK - len(piece))), self.rate, start)

    def close(self) -> None:
        self.closed = True


class FakeSpeaker:
    """Plays at once, or only as :meth:`advance` lets it where ``instant`` is false."""

    def __init__(self, instant: bool = True) -> None:
        self.instant = instant
        self.waiting: list[AudioChunk] = []
        self.played_samples: Samples = np.zeros(0, np.float32)
        """All that was ever played."""
        self.dropped = 0
        """Samples that were queued but never played."""
        self.stops = 0
        self.closed = False
        self._since_stop = 0

    def play(self, chunk: AudioChunk) -> None:
        assert not self.closed, "played after close"
        self.waiting.append(chunk)
        if self.instant:
            self.advance(len(chunk.samples))

    def advance(self, samples: int) -> None:
        """Let the loudspeaker play so many samples of what waits."""
        queued = np.concatenate([chunk.samples for chunk in self.waiting]) if self.waiting else silence(0)
        rate = self.waiting[0].rate if self.waiting else RATE
        now, later = queued[:samples], queued[samples:]
        self.played_samples = np.concatenate([self.played_samples, now])
        self._since_stop += len(now)
        self.waiting = [AudioChunk(later, rate)] if len(later) else []

    def stop(self) -> int:
        self.dropped += sum(len(chunk.samples) for chunk in self.waiting)
        self.waiting = []
        self.stops += 1
        played, self._since_stop = self._since_stop, 0
        return played

    def drain(self) -> int:
        self.advance(sum(len(chunk.samples) for chunk in self.waiting))
        return self._since_stop

    @property
    def played(self) -> int:
        return self._since_stop

    def close(self) -> None:
        self.closed = True


class FakeCamera:
    """Shows the frames it was given one after the other, then keeps the last; ``None`` while unplugged."""

    def __init__(self, *pixels: np.ndarray, clock: VirtualClock | None = None) -> None:
        self.pixels = deque(pixels or (np.full((48, 64, 3), 128, np.uint8),))
        self.clock = clock or VirtualClock()
        self.unplugged = self.closed = False

    def frame(self) -> Frame | None:
        if self.unplugged or self.closed:
            return None
        pixels = self.pixels.popleft() if len(self.pixels) > 1 else self.pixels[0]
        return Frame(pixels, self.clock.now(), "fake camera")

    def close(self) -> None:
        self.closed = True
