"""What tells half a sentence from a whole one: sound, words, and the language model that lacks a word.

Run: python -m benchmarks.turn_ends [FOLDER…] [--most N]
First come short questions, which the voice speaks, and long ones, whole and in halves. Folders hold recordings of
whole questions and orders (WAV, FLAC); each is heard whole and up to the quietest moment of its middle third. Prints
which share of people who pause there for 0.7 to 1.2 s would be spoken over by a reply that needs no time, and how long
the conversation waits after the whole; then a logistic regression to compare with ``assistant.judging.FORESEEN``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.benchmark.talk import RATE, made_recordings, read_recordings, with_pause
from assistant.cli import App
from assistant.errors import AssistantError
from assistant.judging import SUREST, Judges
from assistant.stages import Foreseeing, Recognition
from assistant.talking import detectors_of
from assistant.turns import Patience
from assistant.types import AudioChunk, Samples, Turn

SHORT = (
    "What is this?|What does it say?|Can you read this?|Can you read it to me?|How many people are there?|"
    "What color is it?|What colour is my shirt?|Is the light on?|Is anyone there?|Where are my keys?|Who is that?|"
    "What time is it?|What day is it today?|What's the weather like?|How are you?|What's your name?|"
    "Can you hear me?|Can you see me?|What do you see?|What is in front of me?|Is it safe to walk?|"
    "What am I holding?|How much does it cost?|What's the total?|When was it made?|Does this look ripe?|"
    "Is this milk?|Is there a chair?|Which one is bigger?|What's on the table?|Are there any cars?|"
    "Read this, please.|Describe the picture.|Tell me a joke.|Set a timer for five minutes.|What is it made of?|"
    "How do I cook it?|What's two plus two?|How far is it?|Why is it blue?|Is that a dog?|Do you know him?|"
    "Have you seen this?|Would you help me?|What happened here?|Who won?|What does this mean?|How do you spell it?|"
    "Am I late?|Should I take an umbrella?"
).split("|")
"""Short questions by which the usual requests of :mod:`assistant.judging` were written."""
OTHERS = (
    "Is this the right bus?|What's that noise?|Can you describe it?|What does the sign say?|"
    "How many cups are there?|Who is at the door?|What's on the menu?|Is it ripe?|What brand is this?|"
    "Does it match?|What am I wearing?|Is it raining?|Which way is left?|Where is the door?|Is that my coat?|"
    "Can you help me?|What kind of soup is it?|What's the expiry date?|Is the stove off?|Are my shoes tied?|"
    "How old is he?|What is he doing?|What is she wearing?|Is my hair okay?|What time does it close?|Who wrote it?|"
    "Is it heavy?|How hot is it?|Tell me about it.|Read the label."
).split("|")
"""Short questions that were written after them."""
LONG = (
    "What is this thing on the table next to the lamp?|What does it say on the back of the box?|"
    "Can you read this letter from the bank to me?|How many people are there in the room behind the counter?|"
    "What color is the car that stands in front of the house?|Is the light on in the kitchen or in the hall?|"
    "Where are my keys and the wallet that I had yesterday?|Who is that man with the hat on the left?|"
    "What time is it in New York when it is noon in London?|What's the weather like in Berlin during the winter?|"
    "Can you see me if I stand next to the window?|What do you see behind the tree on the right side?|"
    "Is it safe to walk across the street at the corner?|How much does it cost to send a letter to Canada?|"
    "When was it made and who was the first to buy one?|Is this milk still good or should I throw it away?|"
    "Is there a chair that I could sit on near the door?|Are there any cars coming from the left side of the road?|"
    "Tell me a joke about a cat and a mouse.|What is the capital city of the country with the most people?|"
    "How do I cook rice so that it does not stick to the pot?|"
    "Why is the sky blue during the day and red in the evening?|Do you know the name of the man who painted this?|"
    "What does this word mean when it is used in a letter?|Should I take an umbrella if I go out in an hour?|"
    "What is the difference between a frog and a toad?|Who wrote the book about the whale and the captain?|"
    "Can you tell me what this is and where I can buy it?|Read the first line of the page and then the last one.|"
    "What is on the shelf above the sink next to the window?"
).split("|")
"""Long questions, which are cut in halves."""
PAUSES = np.linspace(0.7, 1.2, 11)
LONGEST = 9.0
"""Seconds of a recording; longer ones are stories."""


@dataclass(frozen=True)
class Judged:
    """What was thought of half a recording or a whole one."""

    whole: bool
    sound: float
    complete: float
    before: float
    """The judgement of sound and words."""
    after: float
    """The same after the language model was asked."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    parser.add_argument("--most", type=int, default=100, help="recordings of a folder")
    arguments = parser.parse_args()
    ear = Ear()
    try:
        given = {folder: read_recordings(ear.kit, folder) for folder in arguments.folders}
    except AssistantError as error:
        parser.error(str(error))
    for name, texts in (("short questions", SHORT), ("other short questions", OTHERS), ("long questions", LONG)):
        spoken = made_recordings(ear.kit, texts)
        print(f"{len(texts)} {name}, spoken by the voice")
        if texts is LONG:
            report([judged for one in spoken for judged in ear.halves(one.samples)])
        else:
            report([ear.judged(one.samples, whole=True) for one in spoken])
    everything: list[Judged] = []
    for folder, heard in given.items():
        recordings = [one for one in heard if 1.5 <= one.seconds <= LONGEST]
        chosen = np.random.default_rng(0).permutation(len(recordings))[: arguments.most]
        judged = [judged for number in chosen for judged in ear.halves(recordings[number].samples)]
        everything += judged
        print(f"{folder}: {len(chosen)} recordings")
        report(judged)
    if everything:
        bias, sound, words = fitted(everything)
        print(f"fitted to all: bias {bias:.2f}, sound {sound:.2f}, language model {words:.2f}")


class Ear:
    """Hears a recording as the conversation does at a pause."""

    def __init__(self) -> None:
        self.kit = App().kit
        self._judges = Judges(detectors_of(self.kit))

    def halves(self, samples: Samples) -> list[Judged]:
        """Return what is thought at a pause inside a recording and at its end."""
        paused = with_pause(samples, 1.0)
        pause = np.flatnonzero(np.convolve(paused == 0, np.ones(RATE // 2), "valid") > RATE // 2 - 0.5)[0]
        return [self.judged(paused[:pause], False), self.judged(samples, True)]

    def judged(self, samples: Samples, whole: bool) -> Judged:
        """Return what is thought at the end of ``samples``."""
        audio = AudioChunk(np.concatenate([samples, np.zeros(RATE * 64 // 1000, np.float32)]), RATE)
        utterance = self.kit.live_recognizer.transcribe(audio, Recognition("en", live=True, voiced=True))
        listened = self._judges.listen(audio)
        before = self._judges.judge(listened, audio, utterance.text)
        brain = self.kit.brain
        complete = brain.complete(Turn(utterance)) if isinstance(brain, Foreseeing) else None
        after = self._judges.foreseen(before, listened, utterance.text, complete)
        return Judged(whole, listened[0] if listened else 0.5, complete or 0.0, before, after)


def report(judged: list[Judged]) -> None:
    """Print how long is waited, by the judgements before and after the language model was asked."""
    for name in ("before", "after"):
        waits = {
            whole: np.array([Patience().wait(getattr(one, name)) / RATE for one in judged if one.whole == whole])
            for whole in (False, True)
        }
        if len(waits[False]):
            over = np.mean([(waits[False] < pause).mean() for pause in PAUSES])
            print(f"  {name:6} spoken over {over:.3f}")
        mean, (p25, p50, p75) = waits[True].mean(), np.percentile(waits[True], (25, 50, 75))
        print(
            f"  {name:6} wait after the whole p25 {p25:.2f}, p50 {p50:.2f}, p75 {p75:.2f}, mean {mean:.2f} s, "
            f"more than a second {(waits[True] > 1).mean():.2f}"
        )


def fitted(judged: list[Judged], penalty: float = 0.02, steps: int = 100) -> NDArray[np.float64]:
    """Return bias and weights of a logistic regression (by Newton's method) on log-odds of sound and language model."""

    def odds(values: list[float], surest: float) -> NDArray[np.float64]:
        bounded = np.clip(values, 1 - surest, surest)
        return np.log(bounded / (1 - bounded))

    x = np.stack(
        [
            np.ones(len(judged)),
            odds([one.sound for one in judged], SUREST),
            odds([one.complete for one in judged], 0.999),
        ],
        axis=1,
    )
    y = np.array([one.whole for one in judged], float)
    weights = np.zeros(3)
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (chance - y) + penalty * weights
        weights -= np.linalg.solve((x * (chance * (1 - chance))[:, None]).T @ x + penalty * np.eye(3), slope)
    return weights


if __name__ == "__main__":
    main()
