"""Recorded speech in real time through the whole conversation, timed to the first sound of the reply.

A virtual microphone says each utterance, a virtual loudspeaker knows when each sample of
the reply was heard. Barge-in and back-channels are measured with a brain that tells a fixed
story, because only the ears matter there; pauses with the real one, because it matters
whether it speaks before the person goes on.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import pictures, sound
from ..dialogue import Dialogue
from ..errors import InputError
from ..happening import Happening
from ..memory import resident_mb
from ..orders import order_in
from ..speech import speech_spans
from ..stages import Foreseeing, Recognition, TurnDetector, Urged, never
from ..talking import converse, detectors_of
from ..text import Splitter, clauses
from ..tools import ToolContext, think
from ..turns import State
from ..types import AudioChunk, Frame, Percept, Pixels, Samples, ToolCall, ToolResult, Turn, Utterance
from .devices import RATE, VirtualCamera, VirtualMicrophone, VirtualSpeaker

if TYPE_CHECKING:
    from ..kit import Kit

logger = logging.getLogger(__name__)

QUESTIONS = (
    "What is the capital city of France?",
    "How many legs does a spider have?",
    "Can you tell me what this is?",
    "What is the difference between a frog and a toad?",
    "Why is the sky blue during the day?",
    "Who wrote the play Romeo and Juliet?",
    "How do I boil an egg so that it stays soft?",
    "Tell me one interesting thing about the moon.",
    "What should I wear when it is raining outside?",
    "Is there anything in front of me that I could trip over?",
    "How far away is the sun from the earth?",
    "Which animal is the fastest on land?",
    "What can I cook with potatoes and cheese?",
    "Please describe what you can see in this picture.",
)
"""Asked where no recordings are given, in another voice than the reply's."""

BACKCHANNELS = ("Uh-huh.", "Mm-hmm.", "Okay.", "Yeah.", "Right.", "I see.", "Oh.", "Wow.", "Hmm.", "Really.")
INTERRUPTIONS = (
    "Stop, that is enough, thank you.",
    "Wait, I have another question for you.",
    "No, I meant the other one over there.",
    "Can you tell me something else instead?",
)
ORDERS = (
    "Stop!",
    "Wait!",
    "Quiet!",
    "Cancel.",
    "Pause.",
    "Enough.",
    "Hold on.",
    "Never mind.",
    "Slower.",
    "Faster.",
    "Louder.",
    "Softer.",
)
"""Commands said alone over a reply; none of them leaves its mark on what is measured after them."""
STORY = (
    "Once upon a time there was a small village at the edge of a great forest, and in that village lived a clock "
    "maker who had never once been late. Every morning he opened his shop when the bell rang seven times, and every "
    "evening he closed it when the sun went down behind the hills. One day a stranger came and brought him a watch "
    "that ran backwards, and nobody could tell him why. "
)
PITCHES = (0.92, 1.0, 1.08, 1.16)
"""How much faster a voice is played than it was spoken: other people."""
HELD_UP = 3.0
"""Seconds for which a thing is held before the camera until a question about it begins."""
SECONDS_OF_IDLE = 10.0
LONGEST_WAIT = 30.0
"""Seconds after which a question counts as not answered."""
ORDER_WAIT = 4.0
"""Seconds after which a command counts as not obeyed."""
MOST = 24
"""Recordings of a folder that are asked: each takes a quarter of a minute in all that is measured."""
WARM = 10
"""Questions in a row after which the growth of memory is counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Something to say, at 16 kHz, without quiet at its ends."""

    name: str
    samples: Samples

    @property
    def seconds(self) -> float:
        """Its duration."""
        return len(self.samples) / RATE


@dataclass(slots=True)
class Asked:
    """What became of one question."""

    name: str
    split: dict[str, float] = field(default_factory=dict)
    """Seconds from the end of speech to each step."""
    first_audio: float | None = None
    """Seconds from the last spoken sample to the first audible sample of the reply."""
    heard: str = ""


class Storyteller:
    """A brain that tells one story whatever is asked, at the pace of a small model."""

    def prepare(self, turn: Turn, urged: Urged = never) -> bool:
        """Nothing to prepare."""
        return True

    def reply(self, turn: Turn) -> Iterator[str | ToolCall]:
        """Yield the story, word by word."""
        for word in (STORY * 4).split():
            time.sleep(0.03)
            yield f"{word} "


class Session:
    """A conversation that runs beside the measuring, and what happened in it."""

    def __init__(self, kit: Kit, camera: VirtualCamera | None = None) -> None:
        self.microphone, self.speaker, self.camera = VirtualMicrophone(), VirtualSpeaker(), camera
        self.happened: list[tuple[float, Happening]] = []
        self.dialogue: Dialogue = converse(kit, self.microphone, self.speaker, camera, [self._note], echo=False)

    def _note(self, happening: Happening) -> None:
        if happening.name != "level":
            self.happened.append((time.monotonic(), happening))

    def since(self, moment: float, name: str) -> list[tuple[float, Happening]]:
        """Return what of this name happened since a moment of the wall clock."""
        return [(at, happening) for at, happening in self.happened if at >= moment and happening.name == name]

    async def until(self, done: Callable[[], Any], seconds: float = LONGEST_WAIT) -> bool:
        """Wait until something is the case; return whether it came to be."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.01)
        return True

    def state(self) -> State:
        """Whose turn it is."""
        return self.dialogue.turns.state

    async def rest(self) -> None:
        """Wait until nobody says anything and nothing is in work."""
        await self.until(lambda: self.state() is State.IDLE)
        await asyncio.sleep(0.5)
        await self.until(lambda: not self.dialogue.busy)
        self.speaker.listen()
        self.happened.clear()

    def show(self, pixels: Pixels | None) -> None:
        """Put a picture before the camera, or nothing, as if there had never been another."""
        assert self.camera is not None
        self.camera.pixels = pixels
        self.dialogue.forget_picture()

    async def hush(self) -> None:
        """End the reply, as by a key."""
        if self.state() is not State.IDLE:
            self.dialogue.press()
            self.dialogue.release()
        await self.until(lambda: self.state() is State.IDLE)


@asynccontextmanager
async def session(kit: Kit, camera: VirtualCamera | None = None) -> AsyncIterator[Session]:
    """Hold a conversation while the body runs."""
    made = Session(kit, camera)
    running = asyncio.create_task(made.dialogue.run())
    try:
        await made.until(lambda: made.since(0, "ready") or running.done(), 120)
        await asyncio.sleep(0.5)
        yield made
    finally:
        made.dialogue.quit()
        await running


def measure(
    kit: Kit,
    utterances: Path | None = None,
    images: Path | None = None,
    turns: int = 0,
    quick: bool = False,
    progress: Callable[[str], None] = lambda text: None,
    held: float = HELD_UP,
    most: int = MOST,
) -> dict[str, Any]:
    """Return all figures as one dictionary.

    ``utterances`` is a folder of recordings, of which at most ``most`` are asked, ``images`` one of pictures, which
    are shown in turn, each ``held`` seconds before its question; ``turns`` asks so many questions in a row for memory
    and drift. ``quick`` measures only the questions. Asleep until a wake word, no question would be answered, so there
    only idling and memory are measured. Raises :class:`InputError` for a folder without anything in it.
    """
    if kit.settings.wake.enabled:
        return asyncio.run(_asleep(kit, progress))
    recordings = read_recordings(kit, utterances, most) if utterances else made_recordings(kit, QUESTIONS)
    shown = read_pictures(images, len(recordings)) if images else []
    return asyncio.run(_measure(kit, recordings, shown, held, turns, quick, progress))


async def _measure(
    kit: Kit,
    recordings: Sequence[Recording],
    shown: Sequence[Pixels],
    held: float,
    turns: int,
    quick: bool,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    progress(f"{len(recordings)} questions, live, and each by the same stages one after the other")
    async with session(kit, VirtualCamera(shown[0]) if shown else None) as talk:
        idle = await _idle(talk) if not quick else None
        asked, sequential, floor = [], [], []
        detectors = detectors_of(kit)
        for number, recording in enumerate(recordings):
            if number and number % 10 == 0:
                progress(f"question {number} of {len(recordings)}")
            pixels = shown[number % len(shown)] if shown else None
            if pixels is not None:
                talk.show(pixels)
                await asyncio.sleep(held)
            asked.append(await _ask(talk, recording))
            await talk.rest()
            # At once, since a machine that others use is now quick, now slow.
            sequential.append(await asyncio.to_thread(one_after_the_other, kit, detectors, recording, pixels))
            if pixels is None:
                floor.append(await asyncio.to_thread(what_must_wait, kit, recording))
        blind: list[Asked] = []
        if shown and not quick:
            progress("the same questions without a picture")
            talk.show(None)
            blind = [await _ask(talk, recording) for recording in recordings]
        pauses = {}
        if not quick:
            progress("pauses inside sentences")
            pauses = await _pauses(talk, recordings)
        endurance = await _endure(talk, recordings, turns, progress) if turns else {}
    figures = _figures(asked, sequential, floor)
    figures |= {"idle_cpu": idle, "memory_mb": round(resident_mb(), 1), **pauses, **endurance}
    if blind:
        figures["picture_added_s"] = round(_median(asked) - _median(blind), 4)
    if not quick:
        figures |= await _turn_taking(kit, recordings, progress)
    return figures


def _figures(
    asked: Sequence[Asked], splits: Sequence[dict[str, float]], floors: Sequence[dict[str, float]]
) -> dict[str, Any]:
    answered = [one for one in asked if one.first_audio is not None]
    steps = ("decision_s", "words_s", "asr_s", "first_token_s", "first_clause_s", "voice_s")
    figures: dict[str, Any] = {"questions": len(asked), "answered": len(answered)}
    figures["first_audio_s"] = spread([one.first_audio for one in answered if one.first_audio is not None])
    for step in steps:
        figures[step] = spread([one.split[step] for one in answered if step in one.split])
    decision = figures["decision_s"]["p50"] or 0.0
    sequential = {step: spread([split[step] for split in splits]) for step in splits[0]}
    alone = sequential["first_audio_s"]["p50"] or 0.0
    figures["sequential"] = sequential | {"with_decision_s": round(alone + decision, 4)}
    live = figures["first_audio_s"]["p50"]
    if live is not None:
        figures["ratio"] = round(live / figures["sequential"]["with_decision_s"], 3)
        figures["ratio_without_decision"] = round(live / alone, 3)
    if floors:
        floor = {step: spread([split[step] for split in floors]) for step in floors[0]}
        least = (floor["first_audio_s"]["p50"] or 0.0) / (alone + (floor["decision_s"]["p50"] or 0.0))
        figures["floor"] = floor | {"ratio": round(least, 3)}
    figures["turns"] = [
        {"name": one.name, "heard": one.heard, "first_audio_s": one.first_audio, **one.split} for one in asked
    ]
    return figures


async def _ask(talk: Session, recording: Recording, brief: float = 1.0) -> Asked:
    """Ask one question as if it were the first; let the reply be heard for a moment."""
    talk.dialogue.forget()
    await talk.rest()
    said = talk.microphone.say(recording.samples)
    asked = Asked(recording.name)
    await asyncio.sleep(max(0.0, said.end - time.monotonic()))
    # A reply before the end of speech is a false cut-off and no answer.
    if await talk.until(lambda: talk.speaker.first is not None and talk.speaker.first >= said.end):
        assert talk.speaker.first is not None
        asked.first_audio = round(talk.speaker.first - said.end, 4)
        await asyncio.sleep(brief)
    await talk.hush()
    for _, happening in talk.since(said.begin, "turn"):
        asked.split |= happening.details
    for _, happening in talk.since(said.begin, "thinking"):
        asked.heard = happening.details["text"]
    return asked


async def _asleep(kit: Kit, progress: Callable[[str], None]) -> dict[str, Any]:
    """Return what it costs to wait for the wake word."""
    progress("asleep until the wake word: only idling is measured")
    async with session(kit, None) as talk:
        idle = await _idle(talk)
    return {"idle_cpu": idle, "memory_mb": round(resident_mb(), 1)}


async def _idle(talk: Session) -> float:
    """Return the share of one core that listening to a quiet room takes."""
    await talk.rest()
    before, began = time.process_time(), time.monotonic()
    await asyncio.sleep(SECONDS_OF_IDLE)
    return round((time.process_time() - before) / (time.monotonic() - began), 4)


async def _endure(
    talk: Session, recordings: Sequence[Recording], turns: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Ask many questions in a row; return how memory and latency change after the tenth."""
    shortest = sorted(recordings, key=lambda recording: recording.seconds)[:3]
    latencies: list[float] = []
    warm = 0.0
    for number in range(turns):
        asked = await _ask(talk, shortest[number % len(shortest)], brief=0.2)
        if asked.first_audio is not None:
            latencies.append(asked.first_audio)
        if number == WARM - 1:
            warm = resident_mb()
        if number % 20 == 0:
            progress(f"turn {number} of {turns}, {resident_mb():.0f} MB")
    return {
        "turns_in_a_row": turns,
        "memory_growth_mb": round(resident_mb() - warm, 1) if turns > WARM else None,
        "latency_drift": drift(latencies),
    }


def drift(latencies: Sequence[float]) -> float | None:
    """Return by how much the last quarter is slower than the first, relative to it; ``None`` without answers."""
    if not latencies:
        return None
    quarter = max(1, len(latencies) // 4)
    early, late = statistics.median(latencies[:quarter]), statistics.median(latencies[-quarter:])
    return round(late / early - 1, 4)


async def _turn_taking(kit: Kit, recordings: Sequence[Recording], progress: Callable[[str], None]) -> dict[str, Any]:
    told = _Told(kit)
    figures: dict[str, Any] = {}
    async with session(told) as talk:  # type: ignore[arg-type]
        progress("interruptions")
        figures |= await _interruptions(talk, made_recordings(kit, INTERRUPTIONS), recordings[0])
        progress("orders")
        figures |= await _orders(talk, made_recordings(kit, ORDERS), recordings[0])
        progress("back-channels")
        figures |= await _backchannels(talk, made_recordings(kit, BACKCHANNELS * 5), recordings[0])
    return figures


class _Told:
    """A kit whose brain is the :class:`Storyteller`."""

    def __init__(self, kit: Kit) -> None:
        self._kit, self.brain = kit, Storyteller()
        self.session = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kit, name)


async def _pauses(talk: Session, recordings: Sequence[Recording]) -> dict[str, Any]:
    """Say each utterance with a pause of 0.7 to 1.2 s inside; count the people who were spoken over.

    A turn that was thought to be over, and is taken up again before anything of the reply can be heard, cuts nobody
    off: its words are joined, the reply is void. How often that happened is ``turns_taken_up_again``.
    """
    chance = np.random.default_rng(0)
    cut = early = whole = 0
    for recording in recordings:
        if recording.seconds < 1.5:
            continue
        talk.dialogue.forget()
        await talk.rest()
        paused = with_pause(recording.samples, float(chance.uniform(0.7, 1.2)))
        said = talk.microphone.say(paused)
        await asyncio.sleep(max(0.0, said.end - time.monotonic()) - 0.05)
        whole += 1
        spoken_over = talk.speaker.first is not None
        cut += spoken_over
        thought = any(happening.details["state"] == "thinking" for _, happening in talk.since(said.begin, "state"))
        early += thought and not spoken_over
        await asyncio.sleep(0.1)
        await talk.hush()
    return {
        "false_cut_offs": round(cut / whole, 4) if whole else None,
        "turns_taken_up_again": round(early / whole, 4) if whole else None,
        "paused_utterances": whole,
    }


async def _story(talk: Session, question: Recording) -> bool:
    """Have the story told; return once it is being heard."""
    await talk.rest()
    talk.microphone.say(question.samples)
    begun = await talk.until(lambda: talk.speaker.first is not None)
    await asyncio.sleep(1.5)
    return begun


async def _interruptions(talk: Session, over: Sequence[Recording], question: Recording) -> dict[str, Any]:
    """Speak over the reply; return how long it went on, from the first sound of speech and from the decision."""
    ducked, silent, decided = [], [], []
    missed = 0
    for recording in over:
        if not await _story(talk, question):
            missed += 1
            continue
        said = talk.microphone.say(recording.samples)
        await talk.until(lambda begin=said.begin: talk.since(begin, "interrupted"), 4.0)  # type: ignore[misc]
        stopped = talk.since(said.begin, "interrupted")
        if stopped and talk.speaker.last is not None:
            ducked += [at - said.begin for at, _ in talk.since(said.begin, "ducked")[:1]]
            silent.append(talk.speaker.last - said.begin)
            held = talk.since(said.begin, "held")
            decided.append(max(0.0, talk.speaker.last - (held or stopped)[0][0]))
        else:
            missed += 1
        await asyncio.sleep(max(0.0, said.end - time.monotonic()) + 0.5)
        await talk.hush()
    return {
        "barge_in_s": spread(decided),
        "barge_in_from_first_sound_s": {"lowered": spread(ducked), "silent": spread(silent)},
        "barge_ins_missed": missed,
    }


async def _orders(talk: Session, over: Sequence[Recording], question: Recording) -> dict[str, Any]:
    """Say one command after the other over a reply; return the share of those obeyed, and how soon they were."""
    soon = []
    for recording in over:
        if not await _story(talk, question):
            continue
        said, order = talk.microphone.say(recording.samples), order_in(recording.name)
        await talk.until(lambda begin=said.begin: talk.since(begin, "order"), ORDER_WAIT)  # type: ignore[misc]
        done = [at for at, happening in talk.since(said.begin, "order") if happening.details["order"] == order]
        soon += [max(0.0, at - said.end) for at in done[:1]]
        await talk.hush()
    return {"orders_obeyed": round(len(soon) / len(over), 4), "orders": len(over), "order_s": spread(soon)}


async def _backchannels(talk: Session, over: Sequence[Recording], question: Recording) -> dict[str, Any]:
    """Say "uh-huh" and the like over the reply; count the replies that it stopped."""
    stopped = held = 0
    telling = False
    for recording in over:
        if not telling or talk.state() not in (State.SPEAKING, State.RESUMED):
            await talk.hush()
            telling = await _story(talk, question)
        said = talk.microphone.say(recording.samples)
        await asyncio.sleep(max(0.0, said.end - time.monotonic()) + 1.5)
        stopped += bool(talk.since(said.begin, "interrupted"))
        held += bool(talk.since(said.begin, "held"))
    await talk.hush()
    return {"backchannel_stops": round(stopped / len(over), 4), "backchannels": len(over), "backchannel_holds": held}


def one_after_the_other(
    kit: Kit, detectors: Sequence[TurnDetector], recording: Recording, pixels: Pixels | None
) -> dict[str, float]:
    """Return what the same stages take for a question without any overlap: recognise, detect, look, think, speak.

    As in :mod:`assistant.ask`, a clause is spoken once it is certain; the conversation guesses, a token earlier.
    """
    kit.brain.prepare(Turn(None))
    audio = AudioChunk(recording.samples, RATE)
    watch = _Watch()
    utterance = kit.live_recognizer.transcribe(audio, Recognition("en", live=True))
    watch.lap("asr_s")
    for detector in detectors:
        detector.finished(audio, utterance.text)
    watch.lap("detector_s")
    percepts: tuple[Percept, ...] = ()
    if pixels is not None:
        frame = Frame(pixels)
        percept = kit.eyes.look(frame)
        percepts = (kit.fuser.read(frame, percept) if kit.fuser else percept,)
    watch.lap("look_s")
    pieces = _texts(kit, Turn(Utterance(utterance.text), percepts))
    _speak(kit, next(clauses(pieces), "Nothing."), watch)
    pieces.close()
    return watch.split | {"first_audio_s": sum(watch.split.values())}


def what_must_wait(kit: Kit, recording: Recording) -> dict[str, float]:
    """Return what is left for the time after a question where all else was done before: the floor on this machine.

    That is: one chunk of quiet, the recogniser's reading of the whole, for its last word must have been said; the
    language model's reading of that word and of what stands before a reply, after which it is decided; the tokens up
    to the first clause, and the voice. The words before are in the cache.
    """
    audio = AudioChunk(recording.samples, RATE)
    watch = _Watch()
    text = kit.live_recognizer.transcribe(audio, Recognition("en", live=True)).text
    watch.lap("asr_s")
    kit.brain.prepare(Turn(Utterance(" ".join(text.split()[:-1]))))
    watch.pause()
    if isinstance(kit.brain, Foreseeing):
        kit.brain.complete(Turn(Utterance(text)))
    watch.lap("read_s")
    split = {"quiet_s": kit.activity.chunk / RATE} | watch.split
    pieces, splitter = _texts(kit, Turn(Utterance(text))), Splitter()
    _speak(kit, next((clause for piece in pieces for clause in splitter.take(piece)), "Nothing."), watch)
    pieces.close()
    return watch.split | {"decision_s": sum(split.values()), "first_audio_s": sum((split | watch.split).values())}


def _speak(kit: Kit, clause: str, watch: _Watch) -> None:
    """Speak up to the first sound of the first clause, which has just come."""
    watch.lap("first_clause_s")
    next(iter(kit.voices.usual.speak(clause)), None)
    watch.lap("voice_s")


def _texts(kit: Kit, turn: Turn) -> Any:
    def texts() -> Iterator[str]:
        for piece in think(kit.brain, kit.toolbox, turn, ToolContext()):
            if not isinstance(piece, ToolCall | ToolResult):
                yield piece

    return texts()


class _Watch:
    def __init__(self) -> None:
        self.split: dict[str, float] = {}
        self._at = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.split[name], self._at = now - self._at, now

    def pause(self) -> None:
        """Leave out what came after the last lap."""
        self._at = time.perf_counter()


# -- what is said and shown ------------------------------------------------------


def read_recordings(kit: Kit, folder: Path, most: int | None = None) -> list[Recording]:
    """Return the recordings of a folder by name, trimmed to their speech.

    Of more than ``most``, as many are taken from all over the folder, if it can be such of 2 to 5 s.
    """
    from ..devices import SOUNDS

    paths = _files(folder, SOUNDS)
    if not paths:
        raise InputError(f"there are no recordings in {folder}; give --utterances a folder of WAV or FLAC files")
    if most and len(paths) > most:
        logger.warning("%d of the %d recordings in %s are taken; --most N takes more", most, len(paths), folder)
        usual = [path for path in paths if 2 <= (sound.length(path) or 0) <= 5]
        fit = usual if len(usual) >= most else paths
        paths = [fit[number * len(fit) // most] for number in range(most)]
    made = [Recording(path.stem, trimmed(kit, sound.read(path, RATE))) for path in paths]
    spoken = [recording for recording in made if len(recording.samples)]
    if not spoken:
        raise InputError(f"nobody speaks in the recordings of {folder}; give --utterances a folder of spoken questions")
    return spoken


def made_recordings(kit: Kit, texts: Sequence[str]) -> list[Recording]:
    """Return texts as the voice speaks them, at several pitches."""
    made = []
    for number, text in enumerate(texts):
        samples = np.concatenate([chunk.samples for chunk in kit.voices.usual.speak(text)])
        pitch = PITCHES[number % len(PITCHES)]
        spoken = AudioChunk(samples, round(kit.voices.usual.rate * pitch))
        trim = trimmed(kit, sound.resample(spoken, RATE))
        # A very short "mm" may be no speech to the detector; it is said all the same.
        made.append(Recording(text, trim if len(trim) else sound.resample(spoken, RATE).samples))
    return made


def trimmed(kit: Kit, audio: AudioChunk) -> Samples:
    """Return the recording from its first to its last speech; nothing where there is none.

    The "st" of "Stop" is no speech to a detector of voices: what can be heard just before the first speech is kept.
    """
    vad = dataclasses.replace(kit.settings.vad, padding=0.0)
    spans = speech_spans(audio, kit.make("vad", kit.settings.vad.engine), vad)
    if not spans:
        return audio.samples[:0]
    start = max(0, spans[0][0] - RATE // 5)
    heard = np.flatnonzero(np.abs(audio.samples[start:]) > 0.02 * np.abs(audio.samples).max())
    return audio.samples[start + int(heard[0]) : spans[-1][1]]


def read_pictures(folder: Path, most: int) -> list[Pixels]:
    """Return the pictures of a folder and the folders in it by name, at most so many."""
    from ..devices import PICTURES

    paths = _files(folder, PICTURES)
    if not paths:
        raise InputError(f"there are no pictures in {folder}")
    return [pictures.read(path).pixels for path in paths[:most]]


def _files(folder: Path, endings: Sequence[str]) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in endings)


def with_pause(samples: Samples, seconds: float) -> Samples:
    """Return an utterance with a pause at the quietest moment of its middle third."""
    frame = RATE // 50
    loudness = np.array(
        [np.mean(np.abs(samples[at : at + 4 * frame])) for at in range(len(samples) // 3, 2 * len(samples) // 3, frame)]
    )
    at = len(samples) // 3 + int(np.argmin(loudness)) * frame + 2 * frame
    fade = np.linspace(1, 0, frame, dtype=np.float32)
    before, after = samples[:at].copy(), samples[at:].copy()
    before[-frame:] *= fade
    after[:frame] *= fade[::-1][: len(after[:frame])]
    return np.concatenate([before, np.zeros(int(seconds * RATE), np.float32), after])


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return median and 95th percentile."""
    if not values:
        return {"p50": None, "p95": None}
    return {"p50": round(float(np.percentile(values, 50)), 4), "p95": round(float(np.percentile(values, 95)), 4)}


def _median(asked: Sequence[Asked]) -> float:
    return statistics.median([one.first_audio for one in asked if one.first_audio is not None] or [0.0])
