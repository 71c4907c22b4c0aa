"""Whose turn it is: an explicit state machine that does nothing but decide.

Events go in, commands come out; its only clock is the number of samples it was told
about. :mod:`assistant.dialogue` obeys the commands.

::

              speech            quiet             quiet and finished
      IDLE ──────────▶ LISTENING ────▶ PAUSED ─────────────────────▶ THINKING
        ▲                  ▲  ◀──────────┘ speech                       │ first sound
        │ reply over       │ real speech                                ▼
        ├──────────────────┼──────────── RESUMED ◀── false ── SPEAKING ─┤
        │                  └──────────────────────── INTERRUPTED ◀──────┘ any speech
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

RATE = 16_000
"""Samples per second of the machine's clock."""

ONSET = RATE * 96 // 1000
"""Speech that makes a turn begin: three chunks of voice activity."""
DUCK = RATE * 64 // 1000
"""Speech over a reply that lowers its volume."""
HOLD = RATE * 250 // 1000
"""Speech over a reply that holds it, until words or more speech tell what it was."""
SHORT_WORD = RATE * 128 // 1000
"""Speech over a reply that may have been a word ("Wait!") when it ends sooner: it is held, and read, then."""
GAP = RATE * 96 // 1000
"""Quiet that makes a pause."""
BURST_GAP = RATE * 200 // 1000
"""Quiet that ends a burst over a reply."""
UNDECIDED = RATE * 8 // 10
"""Longest time that a reply is held for a burst that ended before all of it was read."""
RESUMING = RATE // 2
"""How long RESUMED is shown before it is SPEAKING again."""
LONGEST = RATE * 60
"""Speech without any pause that is answered all the same."""
NOTHING = RATE * 6 // 10
"""Quiet after which a turn without words is dropped."""


class State(StrEnum):
    """Who does what."""

    IDLE = "idle"
    LISTENING = "listening"
    PAUSED = "user paused"
    THINKING = "thinking"
    SPEAKING = "speaking"
    INTERRUPTED = "interrupted"
    """Somebody makes sounds over the reply; whether it is a barge-in is not known yet."""
    RESUMED = "resumed"
    """It was none: the reply goes on where it stopped."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The clock: so many more samples of the microphone, and whether somebody spoke in them."""

    samples: int
    speech: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What a recogniser read up to sample ``end`` of the open utterance or burst."""

    text: str
    end: int
    echo: bool = False
    """They are the assistant's own words coming back."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the turn detector thinks of the pause that began at sample ``end``."""

    finished: float
    end: int


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """The first sound of the reply is being played."""


@dataclass(frozen=True, slots=True)
class Announced:
    """There is something to say that nobody asked for; it is a reply where nobody speaks, and void otherwise."""


@dataclass(frozen=True, slots=True)
class ReplyOver:
    """The reply was played to its end, or there was nothing to say."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """Push-to-talk: the key went down."""


@dataclass(frozen=True, slots=True)
class Released:
    """Push-to-talk: the key came up."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question came otherwise than by sound, and is being answered: a turn of its own, whoever has the turn."""


Event = Heard | Words | Judged | ReplyBegan | ReplyOver | Announced | Pressed | Released | Asked


@dataclass(frozen=True, slots=True)
class Begin:
    """An utterance begins at sample ``start``."""

    start: int


@dataclass(frozen=True, slots=True)
class Pause:
    """The person paused at sample ``end``: read the words, judge them, and answer on trial."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Continue:
    """The person goes on: whatever was answered on trial is void."""


@dataclass(frozen=True, slots=True)
class End:
    """The turn is over; it lies between these samples."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Discard:
    """What lies between these samples was no turn: a click, a cough, a back-channel, an echo."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Duck:
    """Lower the voice."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop playing but keep the place; read the words from sample ``start`` on."""

    start: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on where it stopped, at full volume."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Drop the reply: a person took the turn."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Nobody speaks: say what nobody asked for."""


Command = Begin | Pause | Continue | End | Discard | Duck | Hold | Resume | Interrupt | Announce


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a pause has to be before it ends a turn, in seconds."""

    quick: float = 0.25
    """Where the detector is sure that the sentence is finished."""
    patient: float = 1.8
    """Where it is sure that it is not."""
    silence: float = 0.6
    """Where there is no detector."""
    detector: bool = True
    """Whether judgements are to be expected."""
    interrupt: float = 0.7
    """Speech over a reply that is a barge-in whatever its words."""

    def wait(self, finished: float | None) -> int:
        """Return the samples of quiet to wait for, given the detector's probability if there is one."""
        if finished is None:
            return int(RATE * (self.patient if self.detector else self.silence))
        share = float(np.interp(finished, (0.0, 0.15, 0.3, 0.56, 0.85, 0.93), (1.0, 1.0, 0.78, 0.76, 0.14, 0.0)))
        return int(RATE * (self.quick + share * (self.patient - self.quick)))


BACKCHANNELS = frozenset(
    "uh huh uhhuh mhm m mm mmm hmm hm mmhmm mmhm um uhm ah oh ow ooh whoa aha yeah yes yep yup okay ok k right sure "
    "wow nice cool "
    "i see go on got it alright exactly really good great true ja oui si sí d'accord vale genau".split()
)
"""Words that tell a speaker to go on, in the languages of the voices that ship."""


def is_backchannel(text: str) -> bool:
    """Return whether a burst of words only tells the speaker to go on, or is no words at all."""
    words = re.findall(r"[\w']+", text.lower())
    return len(words) <= 4 and all(word in BACKCHANNELS for word in words)


class Turns:
    """The state machine. ``state`` is set in one place, :meth:`_become`."""

    def __init__(self, patience: Patience | None = None, padding: int = RATE // 5) -> None:
        self.patience = patience or Patience()
        self.padding = padding
        """Samples kept before the first sample of speech."""
        self.now = 0
        """Samples heard so far."""
        self.state = State.IDLE
        self._start = 0  # of the open utterance
        self._onset: int | None = None  # first sample of speech of a burst that is not a turn yet
        self._spoken = 0  # samples of speech in that burst
        self._last = 0  # end of the last speech
        self._finished: float | None = None  # judgement on the pause at _last
        self._words: str | None = None  # what was read of the utterance or burst
        self._read_to = 0  # where that ended
        self._held = False
        self._pressed = False
        self._unasked = False  # what is said next is no reply to the open utterance, for there is none
        self._since = 0  # when the state began

    def handle(self, event: Event) -> list[Command]:
        """Take one event; return what is to be done, in order."""
        match event:
            case Heard():
                self.now += event.samples
                return self._heard(event)
            case Words():
                return self._read(event)
            case Judged():
                if self.state is State.PAUSED and event.end == self._last:
                    self._finished = event.finished
                    return self._quiet()
                return []
            case ReplyBegan():
                if self.state is State.THINKING:
                    self._become(State.SPEAKING)
                return []
            case ReplyOver():
                return self._over()
            case Announced():
                if self.state is not State.IDLE:
                    return []
                self._unasked = True
                self._become(State.THINKING)
                return [Announce()]
            case Pressed():
                return self._press()
            case Released():
                return self._release()
            case Asked():
                commands, self._pressed, self._unasked = self._leave(), False, True
                self._become(State.THINKING)
                return commands

    def _become(self, state: State) -> None:
        self.state, self._since = state, self.now

    # -- sound ---------------------------------------------------------------

    def _heard(self, event: Heard) -> list[Command]:
        if self._pressed:
            return []
        if not event.speech:
            return self._quiet()
        if self.state is State.LISTENING:
            self._last = self.now
            return self._close() if self.now - self._start >= LONGEST else []
        if self._onset is None:
            self._onset, self._spoken = self.now - event.samples, 0
        self._spoken += event.samples
        return self._speech()

    def _speech(self) -> list[Command]:
        match self.state:
            case State.IDLE if self._spoken >= ONSET:
                return self._open(self._burst_start())
            case State.PAUSED if self._spoken >= DUCK:
                self._go_on()
                return [Continue()]
            case State.THINKING if self._spoken >= ONSET:
                if self._unasked or self.now - self._start >= LONGEST:
                    return self._barge_in()
                self._go_on()
                return [Continue()]
            case State.SPEAKING | State.RESUMED if self._spoken >= DUCK:
                self._held, self._words = False, None
                self._last = self.now
                self._become(State.INTERRUPTED)
                return [Duck()]
            case State.INTERRUPTED:
                self._last = self.now
                # Words that are known to be a back-channel may last longer.
                if self._spoken >= RATE * self.patience.interrupt * (2 if self._words else 1):
                    return self._barge_in()
                if self._spoken >= HOLD and not self._held:
                    return self._hold()
        return []

    def _quiet(self) -> list[Command]:
        quiet = self.now - self._last
        match self.state:
            case State.LISTENING if quiet >= GAP:
                self._finished, self._words = None, None
                self._become(State.PAUSED)
                return [Pause(self._start, self._last)]
            case State.PAUSED:
                return self._drop_blip() + self._decide(quiet)
            case State.INTERRUPTED:
                if quiet >= GAP and self._spoken >= SHORT_WORD and not self._held:
                    return self._hold()
                undecided = self._held and self._read_to < self._last
                if quiet >= (UNDECIDED if undecided else BURST_GAP):
                    return self._false_alarm()
                return []
            case State.RESUMED if self.now - self._since >= RESUMING:
                self._become(State.SPEAKING)
        if self.state in (State.IDLE, State.THINKING, State.SPEAKING, State.RESUMED):
            return self._drop_blip()
        return []

    def _drop_blip(self) -> list[Command]:
        """Account for a burst that was too short to be anything."""
        if self._onset is None:
            return []
        start, self._onset, self._spoken = self._onset, None, 0
        return [Discard(start, self.now)]

    def _decide(self, quiet: int) -> list[Command]:
        if self._words is not None and not self._words.strip():
            if quiet < NOTHING:
                return []
            self._become(State.IDLE)
            return [Discard(self._start, self._last)]
        if quiet < self.patience.wait(self._finished):
            return []
        self._become(State.THINKING)
        return [End(self._start, self._last)]

    def _close(self) -> list[Command]:
        """End the turn now, without waiting for quiet."""
        self._become(State.THINKING)
        return [Pause(self._start, self._last), End(self._start, self._last)]

    # -- transitions ---------------------------------------------------------

    def _burst_start(self) -> int:
        assert self._onset is not None
        return max(0, self._onset - self.padding)

    def _open(self, start: int) -> list[Command]:
        self._start, self._unasked = start, False
        self._go_on()
        return [Begin(start)]

    def _go_on(self) -> None:
        """The open utterance goes on (or begins): listen to it."""
        self._onset, self._spoken, self._last = None, 0, self.now
        self._finished, self._words = None, None
        self._become(State.LISTENING)

    def _hold(self) -> list[Command]:
        self._held = True
        return [Hold(self._burst_start())]

    def _barge_in(self) -> list[Command]:
        """The burst is a turn of its own."""
        last = self._last if self.state is State.INTERRUPTED else self.now
        begin = self._open(self._burst_start())
        self._last = last
        return [Interrupt(), *begin]

    def _false_alarm(self) -> list[Command]:
        assert self._onset is not None
        start, self._onset, self._spoken = self._onset, None, 0
        self._become(State.RESUMED)
        return [Discard(start, self._last), Resume()]

    # -- words, reply, key ---------------------------------------------------

    def _read(self, event: Words) -> list[Command]:
        if self.state is State.INTERRUPTED:
            if self._onset is None or event.end <= self._onset:
                return []
            if event.echo:
                return self._false_alarm()
            if not is_backchannel(event.text):
                return self._barge_in()
            self._words, self._read_to = event.text, event.end
        elif self.state is State.PAUSED and event.end >= self._last:
            self._words = event.text
        return []

    def _over(self) -> list[Command]:
        match self.state:
            case State.THINKING | State.SPEAKING | State.RESUMED:
                self._become(State.IDLE)
            case State.INTERRUPTED:
                # Nothing is left to interrupt: what was a burst is the beginning of a turn.
                return self._barge_in()[1:]
        return []

    def _press(self) -> list[Command]:
        if self._pressed:
            return []
        commands = self._leave()
        self._pressed = True
        return [*commands, *self._open(max(0, self.now - self.padding))]

    def _leave(self) -> list[Command]:
        """Give up whatever is being said, heard or answered."""
        commands: list[Command] = []
        if self.state is State.PAUSED or self.state is State.LISTENING:
            commands.append(Discard(self._start, self.now if self._pressed else self._last))
        elif self._onset is not None:
            commands.append(Discard(self._onset, self.now))
        if self.state in (State.THINKING, State.SPEAKING, State.INTERRUPTED, State.RESUMED):
            commands.append(Interrupt())
        self._onset, self._spoken = None, 0
        return commands

    def _release(self) -> list[Command]:
        if not self._pressed:
            return []
        self._pressed = False
        self._last = self.now
        if self.now - self._since < ONSET:
            self._become(State.IDLE)
            return [Discard(self._start, self.now)]
        return self._close()
