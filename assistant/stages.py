"""One Protocol per stage. A backend satisfies a Protocol; nothing here imports one.

Stages are synchronous and small, so that they can be tested without an event loop.
``dialogue.py`` composes them and ``streams.py`` runs the blocking ones in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .types import AudioChunk, Features, Frame, Label, Percept, ToolCall, Turn, Utterance

if TYPE_CHECKING:
    from .config import Settings
    from .tools import Toolbox
    from .voices import Voices

TokenIds = list[int]

Urged = Callable[[], bool]
"""Tells whether something more urgent waits for the processor."""


Progress = Callable[[int, int], None]
"""Is told how many steps of how many are done; what it raises ends the work."""


def unseen(done: int, total: int) -> None:
    """Nobody watches; a :data:`Progress`."""


def never() -> bool:
    """Nothing more urgent waits; an :data:`Urged`."""
    return False


@dataclass(frozen=True, slots=True, eq=False)
class SoftTokens:
    """Vectors in the language model's embedding space, (tokens, dim), and a key for the cache."""

    vectors: Features
    key: str
    """Equal keys mean equal vectors: usually a hash of the picture and the connector."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """Wishes for one transcription; ``None`` is the setting's default."""

    language: str | None = None
    """ISO 639-1 code, or ``None`` to detect it."""
    translate: bool = False
    """Translate into English."""
    words: bool = False
    """Give word times (costs a second pass)."""
    live: bool = False
    """Somebody waits for the words: quick, by ``asr.live_beam`` and ``asr.short_context``."""
    draft: bool = False
    """More of it will be heard soon: rather quick than right."""
    voiced: bool = False
    """Somebody is known to speak in it: speech is not looked for again, where it fits one window."""
    hint: str = ""
    """What may be heard, as if it had been said before: the same is then spelt the same way. Of no use to some."""
    expected: Callable[[str], bool] | None = None
    """Whether a text is one that is likelier here than a recogniser knows; it is written where it may well have been
    said, although something else is a little more probable. Of no use to some."""
    likely: str = ""
    """What was spoken before, ISO 639-1: believed unless another language is far more probable."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Wishes for one generation; ``None`` is the model's default."""

    max_tokens: int = 256
    temperature: float | None = None
    """0 is greedy."""
    seed: int | None = None
    grammar: str | None = None
    """A GBNF grammar that every reply must satisfy."""
    stop: tuple[str, ...] = ()


@runtime_checkable
class VoiceActivity(Protocol):
    """Tells speech from everything else."""

    rate: int
    """Samples per second that :meth:`probability` expects."""
    chunk: int
    """Samples a chunk that :meth:`probability` expects."""

    def probability(self, chunk: AudioChunk) -> float:
        """Probability in [0, 1] that somebody speaks in this chunk; keeps state between chunks."""
        ...

    def reset(self) -> None:
        """Forget the stream so far."""
        ...


@runtime_checkable
class TurnDetector(Protocol):
    """Judges whether a person who paused has finished."""

    listens: bool
    """Whether it judges by the sound alone."""

    def finished(self, audio: AudioChunk, text: str) -> float:
        """Probability in [0, 1] that the turn is over, from its sound and its words so far."""
        ...


@runtime_checkable
class WakeWord(Protocol):
    """Waits for its name."""

    def heard(self, chunk: AudioChunk) -> str | None:
        """Return the wake word that ended in this chunk (16 kHz), or ``None``."""
        ...


@runtime_checkable
class EchoCanceller(Protocol):
    """Takes the loudspeaker's sound out of the microphone's."""

    def played(self, chunk: AudioChunk) -> None:
        """Tell it 10 ms that went to the loudspeaker."""
        ...

    def clean(self, chunk: AudioChunk) -> AudioChunk:
        """Return 10 ms of the microphone without what was played."""
        ...


@runtime_checkable
class Recognizer(Protocol):
    """Speech to text."""

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        """Return what was said; an empty text where nobody spoke."""
        ...


@runtime_checkable
class Ears(Protocol):
    """What of a recogniser the heads are trained on that know sounds."""

    name: str
    """Name of the encoder: that of the recogniser's model."""

    def states(self, audio: AudioChunk) -> Features:
        """Return the encoder's states of a sound, be it speech or not, (time, dim)."""
        ...


@runtime_checkable
class Hearer(Protocol):
    """Hears what is no word: what a sound is, or how something was said."""

    def hear(self, audio: AudioChunk) -> tuple[Label, ...]:
        """Return what it is or how it was said, most probable first; nothing where that is none of what it knows."""
        ...


@runtime_checkable
class Eyes(Protocol):
    """Picture to percept."""

    encoder: str
    """Name of the encoder, as in :attr:`Percept.encoder`."""

    def look(self, frame: Frame) -> Percept:
        """Return features, calibrated labels and the verdict on the frame."""
        ...


@runtime_checkable
class Reader(Protocol):
    """Adds something on demand to a percept: text, codes, a caption."""

    def read(self, frame: Frame, percept: Percept) -> Percept:
        """Return ``percept`` with what this reader found in ``frame``."""
        ...


@runtime_checkable
class Fuser(Protocol):
    """Percept to what a language model can be conditioned on: words, a caption, answers, soft tokens."""

    encoder: str
    """Name of the encoder whose features it was trained on."""

    def read(self, frame: Frame, percept: Percept) -> Percept:
        """Return ``percept`` with caption and visual words; as it was where the frame cannot be judged."""
        ...

    def answer(self, percept: Percept, question: str) -> tuple[tuple[str, float], ...]:
        """Return answers to a question about the picture with calibrated probabilities, best first."""
        ...

    def missing(self, percept: Percept, question: str) -> tuple[str, ...]:
        """Return the things that a question names and the picture contradicts; mostly none."""
        ...

    def fits(self, percept: Percept, sentence: str) -> float | None:
        """Return how likely a sentence is true of the picture, or ``None`` where that cannot be said."""
        ...

    def soften(self, percept: Percept, session: Session) -> SoftTokens | None:
        """Return soft tokens in that language model's space, or ``None`` where nothing was learned for it."""
        ...


@runtime_checkable
class Session(Protocol):
    """A language model with a cache over tokens *and* embeddings."""

    name: str
    dim: int
    """Width of the embedding space."""
    context: int
    """Most positions that fit."""

    @property
    def length(self) -> int:
        """Positions in the cache now."""
        ...

    def tokenize(self, text: str, special: bool = True) -> TokenIds:
        """Return token ids; markers in ``text`` (``<|im_start|>``) are parsed as such where ``special``.

        Text of others (a question, words in a picture) is tokenised with ``special=False``.
        """
        ...

    def embed(self, tokens: TokenIds) -> Features:
        """Return the input embeddings of ``tokens``, (tokens, dim)."""
        ...

    def template(self, messages: Sequence[dict[str, object]], tools: Sequence[dict[str, object]]) -> str:
        """Render messages with the model's own chat template, ending where the reply begins."""
        ...

    def append(self, piece: TokenIds | SoftTokens) -> None:
        """Read a piece into the cache (prefill); may be called while the user still talks."""
        ...

    def truncate(self, length: int) -> None:
        """Forget all positions from ``length`` on."""
        ...

    def sync(self, pieces: Sequence[TokenIds | SoftTokens], urged: Urged = never) -> None:
        """Make the cache hold exactly ``pieces``: keep the common prefix, read only the rest.

        Raises :class:`~assistant.errors.Interrupted` where it was urged to stop; what was read so far stays.
        """
        ...

    def logits(self) -> NDArray[np.float32]:
        """Return the logits after the last position, (vocabulary,)."""
        ...

    def ending(
        self,
        pieces: Sequence[TokenIds | SoftTokens],
        prompt: Sequence[TokenIds | SoftTokens],
        urged: Urged = never,
    ) -> float:
        """Read ``pieces`` as :meth:`sync` does; return the probability in [0, 1] that a sentence ends after them.

        Where ``prompt`` begins with them, all of it is read at once: a few more positions cost less than a second step.
        """
        ...

    def generate(self, options: Sampling | None = None) -> Iterator[str]:
        """Yield text pieces until the model ends its turn; closing the iterator stops within one token."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


@runtime_checkable
class Brain(Protocol):
    """Turn to reply."""

    def prepare(self, turn: Turn, urged: Urged = never) -> bool:
        """Read what is already known of a turn (it may be unfinished) into the cache.

        Where it is urged to, it stops between two steps and returns false: call it again to go on.
        """
        ...

    def reply(self, turn: Turn) -> Iterator[str | ToolCall]:
        """Yield text pieces as they are generated, or a tool call, after which it is called again."""
        ...


@runtime_checkable
class Foreseeing(Protocol):
    """A brain that can tell whether a person has more to say."""

    def complete(self, turn: Turn, urged: Urged = never) -> float | None:
        """Return the probability in [0, 1] that the words of a turn end a sentence; they are in the cache then.

        ``None`` where it was urged to stop before it had read them.
        """
        ...


@runtime_checkable
class Voice(Protocol):
    """Text to speech."""

    rate: int
    """Samples per second of its output."""

    def speak(self, clause: str) -> Iterator[AudioChunk]:
        """Yield the clause as sound, in pieces short enough to stop between."""
        ...


@runtime_checkable
class Painter(Protocol):
    """Words to picture."""

    steps: int
    """Steps that a picture takes."""

    def paint(self, text: str, seed: int, progress: Progress = unseen) -> Frame:
        """Return a picture of what the text says, the same for the same seed (0 or more).

        Raises :class:`~assistant.errors.ModelError` where it does not fit into memory or the model withholds it.
        """
        ...


@runtime_checkable
class Microphone(Protocol):
    """A source of sound: a device, a file, a test."""

    rate: int

    def chunks(self) -> Iterator[AudioChunk]:
        """Yield chunks of 20 ms until the source ends or :meth:`close` is called."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


@runtime_checkable
class Speaker(Protocol):
    """A sink of sound: a device, a file, a test."""

    def play(self, chunk: AudioChunk) -> None:
        """Queue a chunk; blocks while more than a little is waiting."""
        ...

    def stop(self) -> int:
        """Drop what waits, at once; return how many samples were really played since the last stop."""
        ...

    def drain(self) -> int:
        """Wait until all is played; return how many samples were played since the last stop."""
        ...

    @property
    def played(self) -> int:
        """Samples really played since the last stop, at the rate of the chunks given."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


@runtime_checkable
class Camera(Protocol):
    """A source of frames: a device, a video, a picture, a folder, a URL."""

    def frame(self) -> Frame | None:
        """Return the newest frame, or ``None`` where none can be had now."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


class Sight(Protocol):
    """The part of a :class:`~assistant.kit.Kit` that looks at pictures."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        ...

    @property
    def eyes(self) -> Eyes:
        """Picture encoder."""
        ...

    @property
    def fuser(self) -> Fuser | None:
        """Adds a caption, words and answers to a percept."""
        ...

    @property
    def readers(self) -> Mapping[str, Reader]:
        """What is read on demand, by name."""
        ...


class Stages(Sight, Protocol):
    """What the conversation needs of a :class:`~assistant.kit.Kit`."""

    @property
    def recognizer(self) -> Recognizer:
        """Speech to text."""
        ...

    @property
    def brain(self) -> Brain:
        """Turn to reply."""
        ...

    @property
    def voices(self) -> Voices:
        """Text to speech."""
        ...

    @property
    def toolbox(self) -> Toolbox:
        """Tools."""
        ...
