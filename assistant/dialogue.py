"""START HERE. The conversation: listen → look → think → speak, overlapped, and stopped at any moment.

:class:`~assistant.turns.Turns` decides, this module obeys. While the person speaks, the
words so far are recognised, the picture is encoded and both are read into the language
model's cache; at every pause an answer is begun on trial, which is heard only if the
pause turns out to be the end of the turn. A reply is one task group,
``think → channel of clauses → speak``; to interrupt it is to cancel its task and to stop
the loudspeaker. Heavy work runs on one lane, so that no two engines fight for the cores.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, TypeVar

import numpy as np

from . import turns
from .ask import NOT_HEARD
from .ears import Ears, Sound
from .echo import own_words
from .errors import AssistantError
from .frames import moment_of
from .happening import Happening, Observer
from .judging import USUAL, Judges
from .listening import Listener
from .looking import LOOK_EVERY, Gaze
from .manners import Manners, lengthened
from .orders import Order, is_order, order_in
from .playback import Playback
from .stages import Camera, Foreseeing, Recognizer, Speaker, Stages, TurnDetector, Urged, never
from .streams import Channel, Lane, Urgency, flow
from .text import SIGNS, Splitter
from .tools import ToolContext, think
from .turns import RATE, Patience, State, Turns
from .types import AudioChunk, Message, Percept, Reply, ToolCall, ToolResult, Turn, Utterance
from .utterance import Hearing, Job, agreed, respelled

log = logging.getLogger(__name__)
T = TypeVar("T")

TAIL = RATE * 64 // 1000
"""Quiet that is shown to the recogniser after the last speech."""
SLIVER = RATE * 64 // 1000
"""Sound after a reading of all that was said which is too short for another word: the same may fade out twice."""
FADING = RATE * 96 // 1000
"""Sound before a silence in which nothing new is said: a reading that ends in it has heard all."""
WORTH_A_TRIAL = 0.2
"""Probability of a finished turn from which an answer is begun on trial at once."""
LINGERED = RATE * 6 // 10
"""Quiet after which one is begun on trial even where the sentence seems unfinished."""
REMEMBERED = 40
"""Messages of history that are kept."""


class Dialogue:
    """A conversation over one microphone, one loudspeaker and perhaps one camera.

    ``run`` ends when the microphone does and the last reply was heard, or by cancellation.
    """

    def __init__(
        self,
        stages: Stages,
        ears: Ears,
        speaker: Speaker,
        camera: Camera | None = None,
        detectors: Sequence[TurnDetector] = (),
        observers: Sequence[Observer] = (),
        history: Sequence[Message] = (),
        recognizer: Recognizer | None = None,
    ) -> None:
        settings = stages.settings
        self.stages, self._ears, self._judges = stages, ears, Judges(detectors)
        self.history = tuple(history)
        """What was really said and heard."""
        self.observers = list(observers)
        patience = Patience(
            settings.turn.quick,
            settings.turn.patient,
            settings.vad.silence,
            bool(detectors),
            settings.turn.interrupt,
        )
        self.turns = Turns(patience, int(settings.vad.padding * RATE))
        self.hands_free = True
        """False with push-to-talk: sound counts only between :meth:`press` and :meth:`release`."""
        self._threshold = settings.vad.threshold
        self._ahead, self._every = settings.talk.ahead, int(settings.talk.partials * RATE)
        self._playback = Playback(speaker, ears.played if not ears.timed else _nothing, self._trouble)
        self._lane, self._aside = Lane("engines"), Lane("judges")
        self._manners = Manners(stages, self._playback, self._lane, self.forget)
        self._listener = Listener(
            recognizer or stages.recognizer, self._lane, settings.asr.language, settings.asr.translate
        )
        self._gaze = Gaze(stages, camera, self._lane, self._tell) if camera is not None else None
        self._known: Turn | None = None
        self._hearing: Hearing | None = None
        self._job: Job | None = None
        self._news: list[str] = []
        """What is to be said, unasked, as soon as nobody speaks."""
        self._speaking = False  # hysteresis of the voice activity
        self._heard_at = time.monotonic()
        self._quitting = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- life ------------------------------------------------------------------

    async def run(self) -> None:
        """Hold the conversation."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                service = [self._tasks.create_task(self._playback.run())]
                if self._gaze is not None:
                    service.append(self._tasks.create_task(self._gaze.watch(self._now, self._attentive, self._notice)))
                await self._attempt(self._prepare(Turn(None, (), self.history)))
                self._tell("ready")
                for message in self._news:
                    self._tell("news", message=message, failed=False)
                self._announce()
                async with aclosing(flow(self._ears.sounds(), self._ears.close)) as sounds:
                    await self._listen_to(sounds)
                await self._finish()
                for task in service:
                    task.cancel()
        finally:
            self._drop_job()
            self._playback.close()
            self._hush_brain()
            self._lane.close()
            self._aside.close()
            if self._gaze is not None:
                self._gaze.close()

    def quit(self) -> None:
        """End the conversation as if the microphone had ended, without waiting for a reply."""
        self._quitting.set()
        self._ears.close()

    @property
    def busy(self) -> bool:
        """Whether anything is being worked on."""
        return self._lane.busy or self._aside.busy or self._hearing is not None or self._job is not None

    def forget(self) -> None:
        """Begin a new conversation: nothing that was said is remembered or kept."""
        self.history, self._manners.last = (), ""
        self._tell("forgotten")
        self._tasks.create_task(self._attempt(self._read_on()))

    def forget_picture(self) -> None:
        """Do as if the camera had never seen anything."""
        if self._gaze is not None:
            self._gaze.forget()

    def announce(self, message: str) -> None:
        """Say what nobody asked for, as soon as nobody speaks and no reply is made."""
        self._news.append(message)
        self._announce()

    def ask(self, utterance: Utterance) -> None:
        """Answer what was typed; what is being said or answered ends."""
        self._handle(turns.Asked())
        self._drop_hearing()
        self._reply_to(None, utterance, (self._now(), self._now()), time.monotonic())

    def press(self) -> None:
        """Push-to-talk: the person begins to speak."""
        self._handle(turns.Pressed())

    def release(self) -> None:
        """Push-to-talk: the person has spoken."""
        self._handle(turns.Released())

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what no answer depends on; where it fails, that is told and the conversation goes on."""
        try:
            await work
        except AssistantError as error:
            self._trouble(str(error))

    async def _listen_to(self, sounds: AsyncIterator[Sound]) -> None:
        async for sound in sounds:
            self.hear(sound)

    def hear(self, sound: Sound) -> None:
        """Take one chunk of what the ears hear."""
        self._heard_at = time.monotonic()
        self._listener.take(sound.chunk)
        # Speech that has begun goes on down to a lower probability, or it would be torn to pieces.
        spoke = self._speaking
        self._speaking = self.hands_free and sound.probability >= self._threshold - (0.15 if spoke else 0.0)
        if self._hearing is not None and spoke != self._speaking:
            self._hearing.hush = self.turns.now if spoke else None
        self._tell("level", level=float(np.sqrt(np.mean(sound.chunk.samples**2))), speech=self._speaking)
        self._handle(turns.Heard(len(sound.chunk.samples), self._speaking))
        if self._hearing is not None:
            self._hearing.wake.set()

    async def _finish(self) -> None:
        """The microphone has ended: let quiet pass until the open turn is answered."""
        chunk = 512
        while not self._quitting.is_set() and (self._hearing is not None or self._job is not None or self._news):
            self._announce()
            if self.turns.state in (State.LISTENING, State.PAUSED, State.INTERRUPTED):
                quiet = AudioChunk(np.zeros(chunk, np.float32), RATE, self.turns.now)
                self.hear(Sound(quiet, 0.0))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._quitting.wait(), chunk / RATE)
        self._drop_hearing()
        self._drop_job()

    # -- what the machine wants ------------------------------------------------

    def _handle(self, event: turns.Event) -> None:
        before = self.turns.state
        for command in self.turns.handle(event):
            self._obey(command)
        if self.turns.state is not before:
            self._tell("state", state=self.turns.state.value)
            self._announce()

    def _announce(self) -> None:
        if self._news and self._job is None:
            self._handle(turns.Announced())

    def _obey(self, command: turns.Command) -> None:
        match command:
            case turns.Begin(start):
                self._drop_hearing()
                self._drop_job()
                self._hearing = hearing = Hearing(start)
                hearing.task = self._tasks.create_task(self._recognise(hearing))
                self._tell("listening")
            case turns.Pause(_, end) if self._hearing is not None:
                self._hearing.pause = end
                self._hearing.wake.set()
            case turns.Continue() if self._hearing is not None:
                self._hearing.pause, self._hearing.ended = None, False
                self._withdraw()
                self._tell("continued")
            case turns.End():
                self._end(self._hearing)
            case turns.Discard(start, end):
                if self._hearing is not None and self._hearing.start == start:
                    self._drop_hearing()
                    self._drop_job()
                self._tell("discarded", seconds=(end - start) / RATE)
            case turns.Duck():
                self._playback.duck()
                self._tell("ducked")
            case turns.Hold(start):
                self._playback.hold()
                self._tasks.create_task(self._attempt(self._recognise_burst(start)))
                self._tell("held")
            case turns.Resume():
                self._playback.resume()
                self._tell("resumed")
            case turns.Interrupt():
                self._drop_job()
            case turns.Announce():
                self._job = job = Job(None, self._turn(None), speech_end=time.monotonic(), text=self._news.pop(0))
                job.allowed.set()
                job.task = self._tasks.create_task(self._reply(job, partial(self._say, job, job.text)))

    def _end(self, hearing: Hearing | None) -> None:
        if hearing is None:  # it could not be recognised, which was told
            self._handle(turns.ReplyOver())
            return
        hearing.ended = True
        if self._job is not None and self._job.hearing is hearing:
            self._allow(self._job)
        hearing.wake.set()

    def _allow(self, job: Job) -> None:
        """The turn is over: the reply may be heard."""
        self._mark(job, "decision_s")
        job.allowed.set()

    def _withdraw(self) -> None:
        """The turn is not over after all: drop the reply as if it had never been allowed, unless a tool has run."""
        if self._job is not None and not self._job.results:
            self._job.allowed.clear()
        self._drop_job()
        self._known = None
        self._hush_brain()  # what is said next is heard before the words so far are read on

    def _drop_hearing(self) -> None:
        hearing, self._hearing = self._hearing, None
        if hearing is not None and hearing.task is not None and hearing.task is not asyncio.current_task():
            hearing.task.cancel()

    def _drop_job(self) -> None:
        """Cancel the reply, be it heard or on trial, and remember what was heard of it."""
        job, self._job = self._job, None
        if job is None:
            return
        heard = self._playback.stop()
        if job.task is not None:
            job.task.cancel()
        self._hush_brain()
        if job.turn.utterance is None and not heard:
            self._news.insert(0, job.text)  # nobody has heard of it yet
        if job.allowed.is_set():
            self._tell("interrupted", heard=heard)
            self._remember(job, heard, interrupted=True)

    def _hush_brain(self) -> None:
        """Stop a reading or generation in the middle of a step, where the engine can."""
        cancel = getattr(self.stages.brain, "cancel", None)
        if cancel is not None:
            cancel()

    # -- hearing -----------------------------------------------------------------

    async def _recognise(self, hearing: Hearing) -> None:
        """Read an utterance again and again while it grows; judge and answer at its pauses."""
        try:
            async with asyncio.TaskGroup() as group:
                looking = group.create_task(self._look_along())
                await self._follow(hearing, group)
                looking.cancel()
        except* AssistantError as errors:
            self._trouble(str(errors.exceptions[0]))
            self._drop_hearing()

    async def _follow(self, hearing: Hearing, group: asyncio.TaskGroup) -> None:
        while self._hearing is hearing:
            await hearing.wake.wait()
            hearing.wake.clear()
            quiet = hearing.pause if hearing.pause is not None else hearing.hush
            if quiet is None:
                every = max(self._every, int(2 * hearing.cost * RATE))
                if self.turns.now - max(hearing.start, hearing.until) >= every:
                    await self._read(hearing, self.turns.now)
                    group.create_task(self._read_ahead(hearing))  # not awaited: what is said next goes first
            elif hearing.whole is None or quiet - hearing.whole > SLIVER:
                await self._read_whole(hearing, quiet)
                hearing.wake.set()
            elif hearing.pause is not None and hearing.judged != hearing.pause:
                await self._judge(hearing, hearing.pause)
            elif self._job is None and (read := hearing.read) is not None:
                if hearing.ended or self._worth_a_trial(hearing, read):
                    self._answer(hearing, read)

    async def _read_whole(self, hearing: Hearing, quiet: int) -> None:
        """Transcribe all that was said before the voice fell silent at sample ``quiet``.

        The silence may be no pause yet; meanwhile those judges listen who need no words.
        """
        audio = self._listener.between(hearing.start, quiet + TAIL)
        listening = self._aside.run(Urgency.EAR, partial(self._judges.listen, audio))
        if hearing.knows(quiet - FADING):
            hearing.listened = await listening
        else:
            _, hearing.listened = await asyncio.gather(self._read(hearing, self.turns.now), listening)
        hearing.whole = quiet

    async def _read(self, hearing: Hearing, end: int) -> None:
        """Transcribe the utterance up to sample ``end``."""
        began = time.monotonic()
        draft = hearing.pause is None and hearing.hush is None
        voiced = hearing.read is not None and bool(hearing.read.text)
        utterance = await self._listener.read(hearing.start, end, draft, voiced)
        hearing.cost = time.monotonic() - began
        if hearing.read is not None:
            hearing.stable = agreed(hearing.read.text, utterance.text)
        hearing.read, hearing.until = utterance, end
        self._tell("partial", text=utterance.text, stable=hearing.stable, seconds=hearing.cost)

    async def _judge(self, hearing: Hearing, pause: int) -> None:
        """The words of a pause are read: ask whether that was all."""
        utterance = hearing.read
        if hearing.pause != pause or utterance is None:
            return
        hearing.judged = pause
        self._handle(turns.Words(utterance.text, max(hearing.until, pause)))
        finished = 1.0
        if self._judges and not hearing.ended:
            audio = self._listener.between(hearing.start, pause + TAIL)
            judge = partial(self._judges.judge, hearing.listened, audio, utterance.text)
            finished = await self._aside.run(Urgency.EAR, judge)
            if finished >= WORTH_A_TRIAL and not is_order(utterance.text):
                complete = await self._foresee(hearing, utterance)
                finished = self._judges.foreseen(finished, hearing.listened, utterance.text, complete)
        if hearing.pause != pause or self._hearing is not hearing:
            return
        self._tell("judged", finished=finished, text=utterance.text)
        hearing.finished = finished
        self._handle(turns.Judged(finished, pause))
        hearing.wake.set()

    def _worth_a_trial(self, hearing: Hearing, read: Utterance) -> bool:
        """Return whether an answer is begun before the turn is over: it seems finished, or has been quiet for long."""
        if not self._ahead or hearing.pause is None or not read.text.strip() or is_order(read.text):
            return False
        return hearing.finished >= WORTH_A_TRIAL or self.turns.now - hearing.pause >= LINGERED

    async def _recognise_burst(self, start: int) -> None:
        """Read what was said over the reply: a barge-in, a back-channel, an echo, or nothing."""
        end, before = self.turns.now, ""
        while self.turns.state is State.INTERRUPTED:
            text = await self._listener.words_over_reply(start, end, before)
            if self.turns.state is not State.INTERRUPTED:
                return
            before = text or before
            echo = own_words(text, self._playback.recent(4.0))
            self._tell("burst", text=text, echo=echo)
            self._handle(turns.Words(text, end, echo))
            if self.turns.now == end:
                return
            end = self.turns.now

    # -- looking and thinking ahead ----------------------------------------------

    async def _look_along(self) -> None:
        """Look while the person speaks, and again whenever something else is held up before the reply begins."""
        if self._gaze is None:
            return
        await self._look_ahead(hasty=True)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._job is None and (scene := self._gaze.new_scene) is not None:
                await self._gaze.take(scene, hasty=True)
                if self._job is None:
                    await self._read_on()

    async def _look_ahead(self, hasty: bool = False) -> None:
        """Encode what the camera sees and read it into the cache."""
        if self._gaze is not None:
            await self._gaze.look(self._now(), hasty)
            await self._read_on()

    async def _read_on(self) -> None:
        """Read into the cache what is known before a question: what was said, and what is seen."""
        await self._prepare(self._turn(None))

    async def _notice(self) -> None:
        """Look at a new scene before anybody asks about it."""
        if self.turns.state is State.IDLE and not self.busy:
            await self._look_ahead()

    def _percepts(self) -> tuple[Percept, ...]:
        return () if self._gaze is None else self._gaze.percepts

    def _turn(self, utterance: Utterance | None) -> Turn:
        """Return what is known of a turn now."""
        return Turn(utterance, self._percepts(), self.history, known=self.stages.toolbox.known(), now=self._now())

    def _attentive(self) -> bool:
        """Whether somebody speaks, so that the camera matters."""
        return self.turns.state in (State.LISTENING, State.PAUSED)

    def _now(self) -> float:
        """Seconds of the microphone's stream."""
        return self.turns.now / RATE

    async def _prepare(self, turn: Turn) -> None:
        """Read what is known of a turn into the language model's cache."""
        await self._ponder(turn, lambda urged: self.stages.brain.prepare(turn, urged) or None)

    async def _ponder(
        self, turn: Turn, step: Callable[[Urged], T | None], void: Callable[[], bool] = never
    ) -> T | None:
        """Think about what is known of a turn until a step comes to something; ``None`` where it came to nothing.

        That is: until more is known, a reply begins, or it is ``void``. Whenever the ears or the voice want the lane,
        they have it at the next step.
        """
        self._known = turn

        def wanted() -> bool:
            return self._known is turn and not void()

        def urged() -> bool:
            return not wanted() or self._lane.urged(Urgency.THOUGHT)

        while wanted():
            if (made := await self._lane.run(Urgency.THOUGHT, partial(step, urged))) is not None:
                return made
        return None

    async def _read_ahead(self, hearing: Hearing) -> None:
        """Read the words so far into the cache while the person goes on speaking.

        What the next reading changes is rolled back then.
        """
        if hearing.pause is not None or hearing.hush is not None or hearing.read is None:
            return
        hearing.ahead = respelled(hearing.ahead, hearing.read.text.rstrip(SIGNS))
        if hearing.ahead:
            utterance = dataclasses.replace(hearing.read, text=hearing.ahead, words=())
            await self._prepare(self._turn(utterance))

    async def _foresee(self, hearing: Hearing, utterance: Utterance) -> float | None:
        """Read the words of a pause into the cache; return how likely they are a whole sentence, where that is known.

        Half a question with a sign after it, which sounds finished, still lacks words for a language model. It is not
        asked about a request that a tool answers by itself.
        """
        brain, pause = self.stages.brain, hearing.pause
        if not isinstance(brain, Foreseeing):
            return None
        turn = self._turn(dataclasses.replace(utterance, text=respelled(hearing.ahead, utterance.text)))
        if self.stages.toolbox.settled(turn):
            return USUAL
        return await self._ponder(turn, partial(brain.complete, turn), lambda: hearing.pause != pause)

    # -- replying ----------------------------------------------------------------

    def _answer(self, hearing: Hearing, utterance: Utterance) -> None:
        """Begin the reply to an utterance; on trial where its turn is not over yet."""
        end = hearing.pause if hearing.pause is not None else hearing.until
        speech_end = self._heard_at - (self.turns.now - end) / RATE
        utterance = dataclasses.replace(utterance, text=respelled(hearing.ahead, utterance.text))
        job = self._reply_to(hearing, utterance, (hearing.start / RATE, end / RATE), speech_end)
        job.split |= {"words_s": time.monotonic() - speech_end, "asr_s": hearing.cost}

    def _reply_to(
        self, hearing: Hearing | None, utterance: Utterance, span: tuple[float, float], speech_end: float
    ) -> Job:
        """Begin the reply to what was said in a span of the microphone's time, or typed."""
        turn = dataclasses.replace(self._turn(utterance), percepts=(), now=span[1])
        self._job = job = Job(hearing, turn, speech_end=speech_end)
        self._known = turn
        job.task = self._tasks.create_task(self._reply(job, partial(self._respond, job, utterance, span)))
        if hearing is None or hearing.ended:
            self._allow(job)
        return job

    async def _reply(self, job: Job, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Carry out one reply, or what nobody asked for, to its last sound."""
        try:
            await work()
            await self._playback.finished()
        except* AssistantError as errors:
            await job.allowed.wait()  # on trial nobody needs to know
            self._trouble(str(errors.exceptions[0]))
        if self._job is job:
            self._job = None
            self._drop_hearing()
            heard = self._playback.stop()
            self._remember(job, heard, interrupted=False)
            self._handle(turns.ReplyOver())
            await self._attempt(self._read_on())

    async def _respond(self, job: Job, utterance: Utterance, span: tuple[float, float]) -> None:
        """Do, or answer, what was said."""
        order = order_in(utterance.text)
        if order is not None or not utterance.text.strip():
            await job.allowed.wait()
            await self._carry_out(job, order, utterance)
        else:
            await self._think_and_speak(job, utterance, span)

    async def _think_and_speak(self, job: Job, utterance: Utterance, span: tuple[float, float]) -> None:
        context = ToolContext(readers=self.stages.readers)
        if self._gaze is not None:
            await self._gaze.look(moment_of(utterance.text, *span), hasty=True)
            about = await self._gaze.about(utterance.text, utterance.language)
            if about is not None:
                frame, percept = about
                job.turn = dataclasses.replace(job.turn, percepts=(percept,))
                context = ToolContext(frame, percept, self.stages.readers)
        self._tell("thinking", text=utterance.text)
        clauses: Channel[str] = Channel(4)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._think(job, context, clauses))
            group.create_task(self._speak(job, clauses))

    async def _think(self, job: Job, context: ToolContext, clauses: Channel[str]) -> None:
        """Turn into clauses, each handed on as soon as it is whole."""
        splitter = Splitter()
        made = self._lane.iterate(
            Urgency.THOUGHT, lambda: think(self.stages.brain, self.stages.toolbox, job.turn, context)
        )
        try:
            async with aclosing(made) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ToolCall):
                        await job.allowed.wait()  # a tool may change the world, so it does not run on trial
                        self._tell("tool", tool=piece.name, arguments=dict(piece.arguments))
                        continue
                    if isinstance(piece, ToolResult):
                        job.results = (*job.results, piece)
                        continue
                    self._mark(job, "first_token_s")
                    job.text += piece
                    for clause in splitter.take(piece):
                        await clauses.put(clause)
            for clause in splitter.finish():
                await clauses.put(clause)
            if not job.text.strip():
                await clauses.put(NOT_HEARD)
        finally:
            clauses.close()

    async def _speak(self, job: Job, clauses: Channel[str]) -> None:
        """Clauses into sound: the next one is made while the last one plays."""
        language = job.turn.utterance.language if job.turn.utterance else ""
        async for clause in clauses:
            self._mark(job, "first_clause_s")
            queued = None
            speak = partial(self._manners.voices.speak, clause, language, job.text)
            async with aclosing(self._lane.iterate(Urgency.VOICE, speak)) as chunks:
                async for chunk in chunks:
                    self._mark(job, "voice_s")
                    if not job.allowed.is_set():
                        await job.allowed.wait()
                    if self._job is not job:  # dropped; the cancellation is still on its way to this task
                        return
                    if queued is None:
                        self._tell("clause", text=clause)
                    queued = self._playback.add(queued, clause, chunk)
                    if "first_audio_s" not in job.split:
                        await self._playback.began.wait()
                        if self._job is job:
                            self._begin_speaking(job)

    def _begin_speaking(self, job: Job) -> None:
        """The first sound of a reply is heard: from now on speech interrupts it."""
        self._mark(job, "first_audio_s")
        self._drop_hearing()
        self._handle(turns.ReplyBegan())
        self._tell("speaking")

    def _mark(self, job: Job, step: str) -> None:
        job.split.setdefault(step, time.monotonic() - job.speech_end)

    def _remember(self, job: Job, heard: str, interrupted: bool) -> None:
        """Write into history what was really heard, and tell how the turn went."""
        utterance = job.turn.utterance
        question = utterance.text.strip() if utterance else ""
        if question:
            self.history = (*self.history, Message("user", question))
            if heard or job.results:
                self.history = (*self.history, Message("assistant", heard, job.results))
            self.history = self.history[-REMEMBERED:]
        if job.resumes:
            self.history = lengthened(self.history, heard)
        if job.text:
            self._manners.last = job.text.strip()
        self._manners.cut = interrupted and bool(heard)
        reply = Reply(job.text.strip(), heard, job.results, interrupted)
        self._tell("reply", text=reply.text, heard=reply.heard, interrupted=interrupted, question=question)
        self._tell("turn", **{name: round(seconds, 4) for name, seconds in job.split.items()})
        hearing, seen = job.hearing, job.turn.percepts[-1] if job.turn.percepts else None
        audio = self._listener.between(hearing.start, hearing.until) if hearing else None
        frame = seen.frame if seen else None
        latencies, resumes = dict(job.split), job.resumes
        self._tell(
            "remembered", turn=job.turn, reply=reply, latencies=latencies, resumes=resumes, audio=audio, frame=frame
        )

    # -- voice commands ----------------------------------------------------------

    async def _carry_out(self, job: Job, order: Order | None, utterance: Utterance) -> None:
        """Do what was said to the assistant itself."""
        job.turn = dataclasses.replace(job.turn, utterance=dataclasses.replace(utterance, text=""))
        if order is None:
            if not self.hands_free:
                await self._say(job, NOT_HEARD)
            return
        self._tell("order", order=order.value)
        heard = self.history[-1].text if self.history and self.history[-1].role == "assistant" else ""
        rest = self._manners.rest(heard)
        answer = await self._manners.obey(order, rest, utterance.language)
        job.resumes = bool(rest) and answer == rest
        if answer:
            await self._say(job, answer)

    async def _say(self, job: Job, text: str) -> None:
        """Speak a text that needs no thought."""
        splitter = Splitter()
        clauses: Channel[str] = Channel(64)
        for clause in [*(done for character in text for done in splitter.feed(character)), *splitter.finish()]:
            clauses.push(clause)
        clauses.close()
        await self._speak(job, clauses)

    # -- telling -----------------------------------------------------------------

    def _tell(self, name: str, **details: Any) -> None:
        happening = Happening(name, self._now(), details)
        for observer in self.observers:
            observer(happening)

    def news_from_thread(self, message: str, failed: bool) -> None:
        """Tell, and say, what became of the work of a tool; from another thread than the event loop's.

        Before the conversation has begun, it is kept until then.
        """
        if self._loop is None:
            self._news.append(message)
            return
        self._from_thread(partial(self._tell, "news", message=message, failed=failed))
        self._from_thread(partial(self.announce, message))

    def tell_from_thread(self, name: str, **details: Any) -> None:
        """Tell the observers of something from another thread than the event loop's."""
        self._from_thread(partial(self._tell, name, **details))

    def chime(self, sound: AudioChunk) -> None:
        """Play a short sound, unless the voice speaks; returns at once."""
        self._tasks.create_task(self._playback.chime(sound))

    def trouble_from_thread(self, message: str) -> None:
        """Tell of a trouble from another thread than the event loop's."""
        self._from_thread(partial(self._trouble, message))

    def _from_thread(self, tell: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # closed: the conversation is over
                loop.call_soon_threadsafe(tell)

    def _trouble(self, message: str) -> None:
        log.info("%s", message)
        self._tell("trouble", message=message)


def _nothing(block: AudioChunk) -> None:
    """The device itself tells what it plays."""
