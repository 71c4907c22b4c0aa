"""One question, one answer, in a straight line: listen, look, think, speak.

The live conversation overlaps the same stages; here they run one after the other,
so that a batch of questions gives the same answers every time.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import percepts, pictures, sound
from .devices import sound_engine
from .errors import InputError
from .interruption import leavable, pulled
from .stages import Recognition
from .text import clauses
from .tools import ToolContext, think
from .types import AudioChunk, Frame, Message, Percept, ToolCall, ToolResult, Turn, Utterance
from .utterance import typed

if TYPE_CHECKING:
    from .kit import Kit

T = TypeVar("T")

LONGEST = 5 * 60
"""Seconds that a spoken question may take."""

NOT_HEARD = "Sorry, I did not hear any words. Please say it again."


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: by voice or in text, with or without a picture."""

    audio: Path | None = None
    text: str | None = None
    image: Path | None = None
    say: Path | None = None
    """Where the spoken answer is written."""


@dataclass(slots=True)
class Answer:
    """What came of it."""

    utterance: Utterance | None = None
    """What was heard; ``None`` where the question was typed."""
    language: str | None = None
    """ISO 639-1 code of the language of the question, heard or guessed from typed words."""
    percept: Percept | None = None
    reply: str = ""
    results: tuple[ToolResult, ...] = ()
    say: Path | None = None
    timings: dict[str, float | None] = field(default_factory=dict)
    """Seconds: ``asr_s``, ``look_s``; from the start of thinking: ``first_token_s``, ``first_clause_s``,
    ``first_audio_s``; and ``total_s``."""


class Asker:
    """Answers questions with the stages of a kit; ``live`` reads sound as a conversation does, quickly."""

    def __init__(self, kit: Kit, live: bool = False) -> None:
        self.kit, self._wish = kit, Recognition(translate=kit.settings.asr.translate, live=live)

    def warm(self, questions: Sequence[Question], play: bool = False) -> None:
        """Load the models that these questions need, before anybody waits for an answer."""
        leavable(lambda: self._load(questions, play))

    def _load(self, questions: Sequence[Question], play: bool) -> None:
        if any(question.audio for question in questions):
            _ = self.kit.recognizer
        if any(question.image for question in questions):
            _ = self.kit.eyes, self.kit.fuser
        _ = self.kit.brain
        if play or any(question.say for question in questions):
            _ = self.kit.voices

    def ask(self, question: Question, history: tuple[Message, ...] = (), play: bool = False) -> Answer:
        """Answer one question.

        Raises :class:`InputError` where a file cannot be used or nothing is asked.
        """
        if question.audio is None and question.text is None:
            raise InputError("nothing is asked; give --audio FILE or --text TEXT")
        if question.text is not None and not question.text.strip():
            raise InputError("the question is empty; give some words")
        started = time.perf_counter()
        answer = Answer(timings=dict.fromkeys(("asr_s", "look_s", "first_token_s", "first_clause_s", "first_audio_s")))
        recording = _recording(question.audio) if question.audio else None
        frame = pictures.read(question.image) if question.image else None
        if recording is not None:
            answer.utterance = _timed(answer, "asr_s", lambda: self.kit.recognizer.transcribe(recording, self._wish))
        written = question.text.strip() if question.text else ""
        heard = answer.utterance.text if answer.utterance else ""
        words = " ".join(part for part in (heard, written) if part)
        said = answer.utterance or typed(words, self.kit.settings.asr.language)
        answer.language = said.language
        if frame is not None:
            language = answer.language or "en"
            answer.percept = _timed(answer, "look_s", lambda: leavable(lambda: self.look(frame, words, language)))
        reply = self._think(answer, words, frame, history) if words else iter((NOT_HEARD,))
        self._speak(answer, reply, question.say, play)
        answer.timings["total_s"] = time.perf_counter() - started
        return answer

    def look(self, frame: Frame, question: str = "", language: str = "en") -> Percept:
        """Return the percept of a frame, with text and codes where the question is about them."""
        return percepts.about(self.kit, frame, percepts.look(self.kit, frame), question, language)

    def _think(self, answer: Answer, words: str, frame: Frame | None, history: tuple[Message, ...]) -> Iterator[str]:
        utterance = answer.utterance or Utterance(words, answer.language or "en")
        seen = (answer.percept,) if answer.percept else ()
        turn = Turn(dataclasses.replace(utterance, text=words), seen, history, known=self.kit.toolbox.known())
        context = ToolContext(frame, answer.percept, self.kit.readers)
        started = time.perf_counter()
        for piece in think(self.kit.brain, self.kit.toolbox, turn, context):
            if isinstance(piece, ToolCall):
                continue
            if isinstance(piece, ToolResult):
                answer.results = (*answer.results, piece)
                continue
            if answer.timings["first_token_s"] is None:
                answer.timings["first_token_s"] = time.perf_counter() - started
            answer.reply += piece
            yield piece
        answer.reply = answer.reply.strip()

    def _speak(self, answer: Answer, reply: Iterator[str], say: Path | None, play: bool) -> None:
        started = time.perf_counter()
        spoken = self._clauses(answer, reply, started)
        if say is None and not play:
            for _ in pulled(spoken):
                pass
            return
        chunks = pulled(self._sound(answer, spoken, started))
        if play:
            chunks = self._played(chunks)
        if say is None:
            for _ in chunks:
                pass
            return
        sound.write(say, chunks)
        answer.say = say

    def _clauses(self, answer: Answer, reply: Iterator[str], started: float) -> Iterator[str]:
        for clause in clauses(reply):
            if answer.timings["first_clause_s"] is None:
                answer.timings["first_clause_s"] = time.perf_counter() - started
            yield clause
        if not answer.reply:
            answer.reply = NOT_HEARD

    def _sound(self, answer: Answer, spoken: Iterator[str], started: float) -> Iterator[AudioChunk]:
        for clause in spoken:
            for chunk in self.kit.voices.speak(clause, answer.language or "", answer.reply):
                if answer.timings["first_audio_s"] is None:
                    answer.timings["first_audio_s"] = time.perf_counter() - started
                yield chunk

    def _played(self, chunks: Iterator[AudioChunk]) -> Iterator[AudioChunk]:
        speaker = self.kit.make("speaker", sound_engine(self.kit.settings.audio.output))
        try:
            for chunk in chunks:
                speaker.play(chunk)
                yield chunk
            speaker.drain()
        finally:
            speaker.close()


def _recording(path: Path) -> AudioChunk:
    seconds = sound.length(path)
    if seconds is not None and seconds > LONGEST:
        raise InputError(
            f"{path} is {seconds / 60:.0f} minutes long; a question takes at most {LONGEST / 60:.0f}; "
            f"to write it down: assistant transcribe {path}"
        )
    return sound.read(path)


def _timed(answer: Answer, key: str, work: Callable[[], T]) -> T:
    started = time.perf_counter()
    result = work()
    answer.timings[key] = time.perf_counter() - started
    return result
