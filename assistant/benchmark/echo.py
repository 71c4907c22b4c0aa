"""The loudspeaker in the microphone: how much of it is taken out, and whether the rest interrupts the reply.

Rooms are made in code: a direct path, early reflections and a tail of noise that decays
(Polack's model), a delay, a clock that drifts, a loudspeaker that distorts. The echo goes
through the same ears and the same state machine as in a conversation, faster than real
time; the recogniser and the guard against own words judge what is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import turns
from ..ears import Ears
from ..echo import own_words
from ..listening import wish_over_reply, words_over_reply
from ..talking import canceller
from ..turns import RATE, State, Turns
from ..types import AudioChunk, Samples
from .talk import INTERRUPTIONS, STORY, Recording, made_recordings

if TYPE_CHECKING:
    from ..kit import Kit

CHUNK = RATE // 50  # 20 ms
NOISE = 10 ** (-60 / 20)
"""Loudness of the room's own noise (-60 dB)."""
SETTLED = 5 * RATE
"""Samples after which the canceller must have found the echo; the loss is measured from then on."""
REPLY_PAUSE = 0.8
"""Seconds between two replies of the assistant."""
READ_AGAIN = 0.35
"""Seconds after which a burst that goes on is read again, about what a recogniser needs."""
EARLY = RATE
"""Samples of the first reply of a conversation after which somebody speaks over it already."""
ANSWERED = 1.5
"""Seconds in which speech over a reply has to interrupt it."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where loudspeaker and microphone stand."""

    name: str
    delay: float
    """Seconds from the sound card to the microphone."""
    reverberation: float
    """Seconds until the echo has fallen by 60 dB."""
    drift: float = 0.0
    """Relative difference of the two clocks; 1e-4 is 100 ppm."""
    distortion: float = 0.0
    """How hard the loudspeaker bends loud sounds, 0 to 1."""
    silent: bool = False
    """Whether nothing of the loudspeaker reaches the microphone."""

    def response(self, chance: np.random.Generator) -> Samples:
        """Return the impulse response of unit energy, (samples,)."""
        length = int((self.delay + self.reverberation) * RATE) + RATE // 100
        response = np.zeros(length, np.float32)
        start = int(self.delay * RATE)
        tail = np.arange(length - start) / RATE
        diffuse = chance.normal(0, 1, length - start) * 10 ** (-3 * tail / max(self.reverberation, 0.01))
        response[start:] = (0.15 * diffuse).astype(np.float32)
        response[start] = 1.0
        for _ in range(6):  # walls
            response[min(length - 1, start + int(chance.uniform(0.001, 0.03) * RATE))] += chance.uniform(-0.5, 0.5)
        return np.asarray(response / np.sqrt((response**2).sum()), np.float32)


ROOMS = (
    Room("laptop on a desk", 0.02, 0.15),
    Room("living room", 0.06, 0.4),
    Room("bathroom", 0.04, 0.9),
    Room("distorting loudspeaker", 0.08, 0.25, distortion=0.5),
    Room("drifting clocks", 0.12, 0.3, drift=8e-5),
    Room("slow sound card", 0.3, 0.3),
    Room("headphones", 0.0, 0.0, silent=True),
)


def echo_of(played: Samples, room: Room, level_db: float, chance: np.random.Generator) -> Samples:
    """Return what a microphone in ``room`` hears of what is ``played``, ``level_db`` below it, (samples,)."""
    if room.silent:
        return np.zeros_like(played)
    bent = played if not room.distortion else np.tanh(played * (1 + 4 * room.distortion)) / (1 + 2 * room.distortion)
    response = room.response(chance)
    size = 1 << int(np.ceil(np.log2(len(bent) + len(response))))
    heard = np.fft.irfft(np.fft.rfft(bent, size) * np.fft.rfft(response, size), size)[: len(played)]
    if room.drift:
        at = np.arange(len(heard)) * (1 + room.drift)
        heard = np.interp(at, np.arange(len(heard)), heard)
    loud, soft = float(np.sqrt(np.mean(played**2))), float(np.sqrt(np.mean(heard**2)))
    return np.asarray(heard * (loud / max(soft, 1e-9) * 10 ** (level_db / 20)), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What the assistant says, and when it says which words."""

    samples: Samples
    words: tuple[tuple[int, int, str], ...]
    """First sample, last sample, clause."""

    def around(self, start: int, end: int) -> str:
        """Return the words that were being said."""
        return " ".join(text for first, last, text in self.words if first < end and last > start)


def told(kit: Kit, seconds: float) -> Told:
    """Return ``seconds`` of the assistant's own speech at 16 kHz."""
    clauses = [f"{part.strip()}." for part in STORY.replace(",", ".").split(".") if part.strip()]
    spoken = [(clause, _spoken(kit, clause)) for clause in clauses]
    pieces: list[Samples] = []
    words: list[tuple[int, int, str]] = []
    length = number = 0
    while length < seconds * RATE:
        clause, samples = spoken[number % len(spoken)]
        words.append((length, length + len(samples), clause))
        pieces += [samples, np.zeros(int(REPLY_PAUSE * RATE) if number % 6 == 5 else RATE // 10, np.float32)]
        length += sum(len(piece) for piece in pieces[-2:])
        number += 1
    return Told(np.concatenate(pieces)[: int(seconds * RATE)], tuple(words))


def _spoken(kit: Kit, clause: str) -> Samples:
    from ..sound import resample

    chunks = list(kit.voices.usual.speak(clause))
    return resample(AudioChunk(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].rate), RATE).samples


class RoomMicrophone:
    """Hears a room chunk by chunk, and tells the ears what the loudspeaker plays at that moment."""

    rate = RATE

    def __init__(self, heard: Samples, played: Samples) -> None:
        self._heard, self._played = heard, played
        self.tell: Callable[[AudioChunk], None] = lambda block: None

    def chunks(self) -> Iterator[AudioChunk]:
        """Yield chunks of 20 ms as fast as they are taken."""
        for start in range(0, len(self._heard) - CHUNK + 1, CHUNK):
            self.tell(AudioChunk(self._played[start : start + CHUNK], RATE, start))
            yield AudioChunk(self._heard[start : start + CHUNK], RATE, start)

    def close(self) -> None:
        """Nothing is held."""


def measure(
    kit: Kit,
    seconds: float = 1800.0,
    level_db: float = -6.0,
    rooms: Sequence[Room] = ROOMS,
    progress: Callable[[str], None] = lambda text: None,
    seed: int = 0,
) -> dict[str, Any]:
    """Return loss, self-interruptions and missed barge-ins over ``seconds`` of speech in all rooms together.

    One room of a kind is a matter of luck: another ``seed`` has other walls. Early barge-ins are those after a second
    of a conversation's first reply, when the room is hardly known.
    """
    chance = np.random.default_rng(seed)
    people = [recording for recording in made_recordings(kit, INTERRUPTIONS) if recording.seconds > 1]
    reply = told(kit, seconds / len(rooms))
    per_room: dict[str, Any] = {}
    interrupted = missed = tried = too_early = 0
    for room in rooms:
        progress(room.name)
        echo = echo_of(reply.samples, room, level_db, chance)
        noise = chance.normal(0, NOISE, len(echo)).astype(np.float32)
        cleaned, own = listen(kit, echo + noise, reply)
        onsets, speech = double_talk(people, reply, chance)
        _, caught = listen(kit, echo + noise + speech, reply)
        late = [at for at in onsets if not _noticed(at, caught)]
        early = sum(not _noticed(EARLY, begun(kit, person, echo + noise, reply)) for person in people)
        per_room[room.name] = {
            "erle_db": None if room.silent else round(loss(echo + noise, cleaned), 1),
            "self_interruptions": len(own),
            "barge_ins": len(onsets),
            "missed": len(late),
            "early_barge_ins": len(people),
            "early_missed": early,
        }
        interrupted, missed, tried = interrupted + len(own), missed + len(late), tried + len(onsets)
        too_early += early
    hours = seconds / 3600
    return {
        "minutes": round(seconds / 60, 1),
        "level_db": level_db,
        "self_interruptions": interrupted,
        "self_interruptions_per_hour": round(interrupted / hours, 2),
        "barge_ins": tried,
        "missed_barge_ins": round(missed / tried, 4) if tried else None,
        "early_barge_ins": len(people) * len(rooms),
        "early_missed_barge_ins": round(too_early / (len(people) * len(rooms)), 4),
        "rooms": per_room,
    }


def loss(before: Samples, after: Samples) -> float:
    """Return the echo return loss enhancement in dB, after the canceller had time to settle."""
    length = min(len(before), len(after))
    power = [float(np.mean(part[SETTLED:length] ** 2)) for part in (before, after)]
    return 10 * float(np.log10(max(power[0], 1e-12) / max(power[1], 1e-12)))


def double_talk(
    people: Sequence[Recording], reply: Told, chance: np.random.Generator
) -> tuple[tuple[int, ...], Samples]:
    """Return where somebody speaks over the reply, and that speech as loud as the reply's echo or louder."""
    speech = np.zeros(len(reply.samples), np.float32)
    onsets: list[int] = []
    at = 2 * SETTLED
    while at + 4 * RATE < len(speech):
        samples = _as_loud(people[len(onsets) % len(people)], reply)
        speech[at : at + len(samples)] += samples * chance.uniform(0.6, 1.2)
        onsets.append(at)
        at += 3 * RATE + int(chance.uniform(6, 10) * RATE)
    return tuple(onsets), speech


def begun(kit: Kit, person: Recording, heard: Samples, reply: Told) -> list[int]:
    """Return the samples at which a person interrupts the first reply of a conversation, after :data:`EARLY`."""
    samples = _as_loud(person, reply)
    beginning = heard[: EARLY + len(samples) + 2 * RATE].copy()
    beginning[EARLY : EARLY + len(samples)] += samples
    return listen(kit, beginning, reply)[1]


def _as_loud(person: Recording, reply: Told) -> Samples:
    """Return the first three seconds of what a person says, as loud as the reply."""
    samples = person.samples[: 3 * RATE]
    loudness = np.sqrt(np.mean(reply.samples**2)) / max(1e-6, np.sqrt(np.mean(samples**2)))
    return np.asarray(samples * loudness, np.float32)


def _noticed(onset: int, caught: Sequence[int]) -> bool:
    """Return whether speech that began at a sample interrupted the reply in time."""
    return any(onset <= when <= onset + ANSWERED * RATE for when in caught)


def listen(kit: Kit, heard: Samples, reply: Told) -> tuple[Samples, list[int]]:
    """Send a room's sound through the ears while the assistant speaks.

    Returns what the ears heard, (samples,), and the samples at which the reply was interrupted.
    """
    microphone = RoomMicrophone(heard, reply.samples)
    ears = Ears(microphone, kit.make("vad", kit.settings.vad.engine), canceller(kit))
    microphone.tell = ears.played
    machine = speaking()
    cleaned: list[Samples] = []
    interrupted: list[int] = []
    speech = False
    held: int | None = None  # where the burst began that is being read
    read, before = 0, ""  # the sample up to which it was read, and what was read
    for sound in ears.sounds():
        cleaned.append(sound.chunk.samples)
        now = sound.chunk.start + len(sound.chunk.samples)
        speech = sound.probability >= kit.settings.vad.threshold - (0.15 if speech else 0.0)
        commands = machine.handle(turns.Heard(len(sound.chunk.samples), speech))
        for command in commands:
            if isinstance(command, turns.Hold):
                held, read, before = max(0, now - (machine.now - command.start)), 0, ""
        if held is not None and machine.state is State.INTERRUPTED and now - read >= READ_AGAIN * RATE:
            read = now
            audio = np.concatenate(cleaned[-(2 * RATE // len(sound.chunk.samples)) :])[-(now - held) :]
            utterance = kit.live_recognizer.transcribe(AudioChunk(audio, RATE), wish_over_reply("en"))
            text = words_over_reply(utterance, before)
            before = text or before
            echo = own_words(text, reply.around(now - 4 * RATE, now))
            commands += machine.handle(turns.Words(text, machine.now, echo))
        if any(isinstance(command, turns.Interrupt) for command in commands):
            interrupted.append(now)
        if machine.state not in (State.SPEAKING, State.INTERRUPTED, State.RESUMED):
            machine = speaking()
    return np.concatenate(cleaned), interrupted


def speaking() -> Turns:
    """Return a machine in the middle of a reply."""
    machine = Turns()
    for event in (turns.Pressed(), turns.Heard(RATE, True), turns.Released(), turns.ReplyBegan()):
        machine.handle(event)
    return machine
