"""Several turn detectors, one judgement."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .orders import bare, is_order
from .stages import TurnDetector
from .types import AudioChunk

WEIGHTS = (0.35, 1.0)
"""Of sound and of words: read aloud, a half sentence often sounds finished, but seldom reads so."""
SUREST = 0.99
FORESEEN = (1.2, 0.6, 1.4)
"""Bias, and weights of sound and of the language model that lacks no word. Logistic regressions on halves and wholes
of spoken orders give (-0.9, 0.76, 1.82) to (-0.3, 0.44, 0.83) (``python -m benchmarks.turn_ends``); with so low a bias
short questions ("What time is it?"), which the model would make longer, would be waited for like halves."""
USUAL = 0.7
"""How whole a usual request is at least, whatever the language model would add to it."""
_USUAL = re.compile(
    r"(?:(?:hey|hi|hello|okay|ok|so|and|please|now) )*(?:(?:can|could|would) you (?:please )?)?(?:"
    r"what(?:'s| is| are|'re) (?:this|that|it|these|those)(?: (?:here|there))?"
    r"|what(?:'s| is) (?:there|in front of me|written (?:here|there|on (?:it|this|that)))"
    r"|what(?:'s| is) (?:the|its) (?:total|price|date|time)|what (?:time|day) is it"
    r"|what (?:does|do) (?:it|this|that|they) (?:say|mean|look like)"
    r"|what (?:do|can) you see|what am i (?:holding|looking at)|where am i|how are you|who are you|help me"
    r"|how (?:much|many) (?:is|are) (?:it|this|that|these|those|there)"
    r"|how (?:much|far|big|old|long|heavy|hot) (?:is|does) (?:it|this|that)(?: cost| weigh)?"
    r"|how many (?:\w+ ){1,2}(?:are|is) (?:there|here)|how many \w+ (?:do|can) you see"
    r"|what colou?r (?:is|are) (?:it|this|that|these|those|they)|which one is \w+"
    r"|who(?:'s| is| are) (?:this|that|there|it|they)|is (?:anyone|anybody|someone|somebody) (?:there|here)"
    r"|(?:is|are) (?:there|these|those|this|that|it) (?:an?|any) \w+"
    r"|(?:read|see|describe|explain|repeat|translate|identify|recogni[sz]e) (?:this|that|it|these|those)"
    r"(?: (?:to|for) me)?"
    r"|tell me what (?:this|that|it) (?:is|says)|do you (?:see|know) (?:what )?(?:this|that|it)(?: is)?"
    r")(?: please)?"
)
"""Requests that are made again and again, in English. "How many people are there" goes on in books, but seldom here."""


class Judges:
    """Turn detectors; those that only listen can be asked while the words are still being read."""

    def __init__(self, detectors: Sequence[TurnDetector]) -> None:
        self._detectors = tuple(detectors)
        self._listening = [detector for detector in detectors if detector.listens]

    def __bool__(self) -> bool:
        return bool(self._detectors)

    def listen(self, audio: AudioChunk) -> list[float]:
        """Return the judgements of the detectors that need no words."""
        return [detector.finished(audio, "") for detector in self._listening]

    def judge(self, listened: Sequence[float], audio: AudioChunk, text: str) -> float:
        """Return one probability that the turn is over, given what :meth:`listen` returned and the words.

        An order to the assistant itself, however short or sharp, is whole.
        """
        if is_order(text):
            return SUREST
        sounds = iter(listened)
        return combined(
            [next(sounds) if detector.listens else detector.finished(audio, text) for detector in self._detectors]
        )

    def foreseen(self, finished: float, listened: Sequence[float], text: str, complete: float | None) -> float:
        """Return a judgement after a language model was asked whether ``text`` is ``complete``; it can only lower it.

        A story's sentences are complete one by one, so what sounds or reads unfinished stays so.
        """
        if complete is None:
            return finished
        return min(finished, _certain(listened, max(complete, USUAL) if is_usual(text) else complete))


def is_usual(text: str) -> bool:
    """Return whether the whole of ``text`` is a request that is often made just so."""
    return _USUAL.fullmatch(bare(text)) is not None


def _certain(listened: Sequence[float], complete: float) -> float:
    bias, sound, words = FORESEEN
    heard = _log_odds(listened[0]) if listened else 0.0
    return 1 / (1 + math.exp(-bias - sound * heard - words * _log_odds(complete, 0.999)))


def combined(judgements: Sequence[float]) -> float:
    """Return one probability that the turn is over, from those of sound and of words in this order.

    Log-odds add up, each with its weight; a single detector is taken as it is.
    """
    if not judgements:
        return 1.0
    if len(judgements) == 1:
        return judgements[0]
    weights = WEIGHTS + (1.0,) * (len(judgements) - len(WEIGHTS))
    odds = sum(weight * _log_odds(judgement) for weight, judgement in zip(weights, judgements, strict=False))
    return 1 / (1 + math.exp(-odds))


def _log_odds(probability: float, surest: float = SUREST) -> float:
    bounded = min(surest, max(1 - surest, probability))
    return math.log(bounded / (1 - bounded))
