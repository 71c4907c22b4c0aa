"""What every Whisper engine does around its network: find the speech, cut it, join the words.

A network that is never shown silence cannot write "Thank you." on it.
"""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError, SettingError, nearest
from .interruption import leavable
from .sound import checked, resample
from .speech import speech_spans, windows
from .stages import Recognition
from .types import AudioChunk, Features, Samples, Utterance, Word

if TYPE_CHECKING:
    from .config import AsrSettings, Settings, VadSettings
    from .stages import VoiceActivity

RATE = 16_000
WINDOW = 29.0
"""Longest seconds that are shown to the network at once; it was trained on 30."""

REPETITIVE = 2.4
"""A text that deflates better than this is a loop (Radford et al., 2022, section 4.5)."""

DOUBTFUL = -1.0
"""Mean log-probability of the tokens below which a text is a guess (the same section)."""

NOBODY = 0.6
"""Probability of "no speech" above which a doubtful text is dropped (the same section)."""

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""At which a window of a recording is read, one after the other, until the text is no guess (the same section)."""

LONGEST_SOUND = 30.0
"""Seconds of a sound of which :meth:`WindowedRecognizer.states` gives the states."""

FADE = 1.0
"""Seconds of silence after such a sound. In Whisper's whole context of 30 s a few seconds take ten times as long."""

BEST_OF = 5
"""Texts that are drawn at a temperature above zero, of which the most probable is taken (the same section)."""

AGAIN = 4
"""Words that a sentence and a second beginning of it have in common, from which nobody says both."""

UNSURE = 0.5
"""Probability below which a language is not believed."""

STEADY = 30.0
"""How many times as probable another language must be than the one that was spoken before."""

SPACELESS = ("zh", "ja", "th", "lo", "my", "yue")
"""Languages written without spaces: there each aligned part is a word."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What a network made of one window."""

    text: str
    language: str
    tokens: int
    """Number of text tokens, including the one that ends the text."""
    log_probability: float
    """Mean over the tokens."""
    no_speech: float = 0.0
    words: tuple[Word, ...] = ()
    """Seconds since the start of the window."""
    features: Features | None = None

    @property
    def degenerate(self) -> bool:
        """Whether the text is empty, a loop or a guess."""
        return not self.text or self.log_probability < DOUBTFUL or looping(self.text)

    @property
    def silent(self) -> bool:
        """Whether the text is a guess about a window in which nobody seems to speak."""
        return self.log_probability < DOUBTFUL and self.no_speech > NOBODY


Hear = Callable[[Samples, Recognition], Piece]
"""Takes one window at 16 kHz, (samples,), of at most :data:`WINDOW` seconds."""


class WindowedRecognizer(ABC):
    """A recogniser around a network that hears one window at a time; one caller at a time has it."""

    def __init__(self, name: str, settings: Settings, activity: VoiceActivity, languages: Sequence[str]) -> None:
        self.name, self.settings, self.languages = name, settings.asr, tuple(languages)
        self._vad, self._activity, self._lock = settings.vad, activity, Lock()

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        """Return what was said; an empty text where nobody spoke.

        Raises :class:`~assistant.errors.SettingError` for a language the model does not know and
        :class:`~assistant.errors.InputError` for sound that is not finite.
        """
        with self._lock:
            wanted = wishes(options, self.settings, self.languages, self.name)
            return recognize(audio, wanted, self._activity, self._vad, self._leavably)

    def states(self, audio: AudioChunk) -> Features:
        """Return the encoder's states of a sound, be it speech or not, (time, dim), one for 20 ms.

        Only of its first :data:`LONGEST_SOUND` seconds, and none of the silence that fills up the network's window.
        Raises :class:`~assistant.errors.InputError` for sound that is empty or not finite.
        """
        samples = resample(checked(audio), RATE).samples[: round(LONGEST_SOUND * RATE)]
        if not len(samples):
            raise InputError("a sound without a single sample has no states")
        with self._lock:
            return leavable(lambda: self._states(samples, round(FADE * RATE)))

    def _leavably(self, samples: Samples, wish: Recognition) -> Piece:
        return leavable(lambda: self._hear(samples, wish))

    @abstractmethod
    def direct(self, audio: AudioChunk) -> str:
        """Return what the library's own ``transcribe`` writes with the same weights, beam width and language."""

    @abstractmethod
    def _states(self, samples: Samples, fade: int) -> Features:
        """Encode one window in a context that is longer by ``fade`` samples of silence, as :meth:`states`."""

    @abstractmethod
    def _hear(self, samples: Samples, wish: Recognition) -> Piece:
        """Hear one window, as :data:`Hear`."""


def recognize(
    audio: AudioChunk, options: Recognition, activity: VoiceActivity, vad: VadSettings, hear: Hear
) -> Utterance:
    """Find the speech in ``audio``, show it to ``hear`` window by window, and join what it wrote.

    The language of the first window holds for the others. Raises
    :class:`~assistant.errors.InputError` for sound that is not finite or not mono.
    """
    heard = resample(checked(audio), RATE)
    known = options.voiced and 0 < len(heard.samples) <= WINDOW * RATE
    spans = [(0, len(heard.samples))] if known else speech_spans(heard, activity, vad)
    pieces: list[Piece] = []
    words: list[Word] = []
    language = options.language
    for start, end in windows(spans, round(WINDOW * RATE)):
        piece = hear(heard.samples[start:end], replace(options, language=language))
        language = piece.language
        if piece.silent:
            piece = replace(piece, text="", words=())
        pieces.append(piece)
        words += _placed(piece.words, start / RATE, (start / RATE + vad.padding) if start else 0.0)
    tokens = sum(piece.tokens for piece in pieces)
    mean = sum(piece.log_probability * piece.tokens for piece in pieces) / max(1, tokens)
    return Utterance(
        text=" ".join(piece.text for piece in pieces if piece.text),
        language=language or "en",
        words=tuple(words),
        confidence=min(1.0, math.exp(mean)) if pieces else 0.0,
        no_speech=min((piece.no_speech for piece in pieces), default=1.0),
        features=pieces[0].features if len(pieces) == 1 else None,
    )


def language_heard(probabilities: Mapping[str, float], likely: str = "") -> str:
    """Return the language of what was said, ISO 639-1, by the probabilities of a network; English where it is unsure.

    People seldom change their language: the one that was ``likely`` before is believed for a short question, too,
    which a network alone takes for another language every second time.
    """
    best = max(probabilities, key=lambda code: probabilities[code])
    if probabilities.get(likely, 0.0) * STEADY >= probabilities[best]:
        return likely
    return best if probabilities[best] >= UNSURE else "en"


def wishes(options: Recognition | None, asr: AsrSettings, known: Sequence[str], model: str) -> Recognition:
    """Return the options with the settings' defaults filled in.

    ``known`` are the language codes of the model. Raises :class:`SettingError` for any other, and
    for a translation by a model that knows English only.
    """
    options = options or Recognition(translate=asr.translate)
    language = options.language or asr.language
    if language not in ("", "auto", *known):
        suggestion = nearest(language, list(known)) if len(known) > 1 else "; it knows English only"
        raise SettingError(f"{model} knows no language {language!r}{suggestion}")
    detect = language not in known and len(known) > 1
    if options.translate and len(known) == 1:
        raise SettingError(f"{model} knows English only and cannot translate; choose a multilingual asr.model")
    return replace(options, language=None if detect else language if language in known else known[0])


def settled(attempt: Callable[[float], Piece]) -> Piece:
    """Return what ``attempt`` reads at the first of :data:`TEMPERATURES` that gives neither a guess nor a loop.

    Where none does, the most probable reading is returned, loops last.
    """
    tried = []
    for temperature in TEMPERATURES:
        piece = attempt(temperature)
        if piece.silent or not (piece.log_probability < DOUBTFUL or repetitive(piece.text)):
            return piece
        tried.append(piece)
    return max(tried, key=lambda piece: (not repetitive(piece.text), piece.log_probability))


def repetitive(text: str) -> bool:
    """Return whether a text deflates so well that it must be a loop."""
    raw = text.encode()
    return len(raw) > REPETITIVE * len(zlib.compress(raw))


def looping(text: str) -> bool:
    """Return whether a text repeats itself: it deflates well, or the same four words come twice."""
    words = text.lower().split()
    fours = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    return repetitive(text) or len(set(fours)) < len(fours)


def unlooped(text: str) -> str:
    """Return a text that says the same over and over only once; the last time may have been cut off.

    In a shortened context the decoder does not always see where the sound ends. Where only the end of a text repeats
    itself, a person may have said it twice (a number, say), so there it takes more than two times. A second time that
    was cut off early begins again after the end of a sentence, with :data:`AGAIN` words at least.
    """
    words = text.split()
    bare = [word.rstrip(".,?!…") for word in words]
    for size in range(len(words) // 2 + 1, len(words) - AGAIN + 1):
        if words[size - 1].endswith((".", "?", "!")) and bare[size:] == bare[:-size]:
            return " ".join(words[:size])
    for size in range(3, len(words) // 2 + 1):
        for start in range(len(words) - 2 * size + 1):
            often = not start or len(words) - start > 2 * size
            if often and words[start + size :] == words[start:-size]:
                return " ".join(words[: start + size])
    return text


def joined(parts: Iterable[tuple[str, float, float, float]], language: str) -> tuple[Word, ...]:
    """Join aligned parts, (text, start, end, probability), into words.

    A part that begins without a space belongs to the word before it; in a language without spaces
    only punctuation does.
    """
    words: list[Word] = []
    for text, start, end, probability in parts:
        apart = text.startswith(" ") or (language in SPACELESS and any(map(str.isalnum, text)))
        if words and not apart:
            before = words.pop()
            text, start, probability = before.text + text, before.start, min(before.probability, probability)
        if text.strip():
            words.append(Word(text.strip(), float(start), float(end), float(probability)))
    return tuple(words)


def padded(samples: Samples, size: int) -> Samples:
    """Return exactly ``size`` samples, with silence at the end where there are fewer."""
    return samples[:size] if len(samples) >= size else np.pad(samples, (0, size - len(samples)))


def _placed(words: Sequence[Word], offset: float, earliest: float) -> list[Word]:
    """Move words to their place in the recording, in order, none before ``earliest``."""
    placed = []
    for word in words:
        start = max(word.start + offset, earliest)
        end = max(word.end + offset, start)
        placed.append(replace(word, start=round(start, 3), end=round(end, 3)))
        earliest = end
    return placed
