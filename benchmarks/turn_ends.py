"""What tells half a sentence from a whole one: sound, words, and the language model that lacks a word.

Run: python -m benchmarks.turn_ends FOLDER… [--most N]
Folders hold recordings of whole questions and orders (WAV, FLAC); each is heard whole and up to the quietest moment of
its middle third. Prints which share of people who pause there for 0.7 to 1.2 s would be spoken over by a reply that
needs no time, and how long the conversation waits after the whole; then a logistic regression to compare with
``assistant.judging.FORESEEN``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.benchmark.talk import RATE, read_recordings, with_pause
from assistant.cli import App
from assistant.judging import SUREST, Judges
from assistant.stages import Foreseeing, Recognition
from assistant.talking import detectors_of
from assistant.turns import Patience
from assistant.types import AudioChunk, Samples, Turn

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
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--most", type=int, default=100, help="recordings of a folder")
    arguments = parser.parse_args()
    ear = Ear()
    everything: list[Judged] = []
    for folder in arguments.folders:
        recordings = [one for one in read_recordings(ear.kit, folder) if 1.5 <= one.seconds <= LONGEST]
        chosen = np.random.default_rng(0).permutation(len(recordings))[: arguments.most]
        judged = [judged for number in chosen for judged in ear.halves(recordings[number].samples)]
        everything += judged
        print(f"{folder}: {len(chosen)} recordings")
        for name in ("before", "after"):
            report(name, judged)
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
        return [self._judged(paused[:pause], False), self._judged(samples, True)]

    def _judged(self, samples: Samples, whole: bool) -> Judged:
        audio = AudioChunk(np.concatenate([samples, np.zeros(RATE * 64 // 1000, np.float32)]), RATE)
        utterance = self.kit.live_recognizer.transcribe(audio, Recognition("en", live=True, voiced=True))
        listened = self._judges.listen(audio)
        before = self._judges.judge(listened, audio, utterance.text)
        brain = self.kit.brain
        complete = brain.complete(Turn(utterance)) if isinstance(brain, Foreseeing) else None
        after = self._judges.foreseen(before, listened, utterance.text, complete)
        return Judged(whole, listened[0] if listened else 0.5, complete or 0.0, before, after)


def report(name: str, judged: list[Judged]) -> None:
    """Print how long is waited, by the judgements of this name."""
    waits = {
        whole: np.array([Patience().wait(getattr(one, name)) / RATE for one in judged if one.whole == whole])
        for whole in (False, True)
    }
    over = np.mean([(waits[False] < pause).mean() for pause in PAUSES])
    p25, p50, p75 = np.percentile(waits[True], (25, 50, 75))
    print(f"  {name:6} spoken over {over:.3f}; wait after the whole p25 {p25:.2f}, p50 {p50:.2f}, p75 {p75:.2f} s")


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
