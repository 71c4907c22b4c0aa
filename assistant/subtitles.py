"""Words with times to subtitles: SubRip (.srt) and WebVTT (https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .types import Word

LONGEST = 6.0  # seconds a cue
WIDEST = 80  # letters a cue: two lines of 40
PAUSE = 0.8  # seconds of quiet that end a cue


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle."""

    start: float
    """Seconds."""
    end: float
    """Seconds."""
    text: str


def cues(words: Iterable[Word]) -> Iterator[Cue]:
    """Join words into cues that end with a sentence, at a pause, or before they get too long to read."""
    held: list[Word] = []
    for word in words:
        if held and (
            word.start - held[-1].end > PAUSE
            or word.end - held[0].start > LONGEST
            or sum(len(past.text) + 1 for past in held) + len(word.text) > WIDEST
        ):
            yield _cue(held)
            held = []
        held.append(word)
        if word.text.endswith((".", "?", "!", "。", "？", "！")):
            yield _cue(held)
            held = []
    if held:
        yield _cue(held)


def srt(lines: Iterable[Cue]) -> Iterator[str]:
    """Yield the blocks of a SubRip file."""
    for number, cue in enumerate(lines, 1):
        yield f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{cue.text}\n"


def vtt(lines: Iterable[Cue]) -> Iterator[str]:
    """Yield the blocks of a WebVTT file; ``&`` and ``<`` are escaped, as they begin markup there."""
    yield "WEBVTT\n"
    for cue in lines:
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        yield f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{text}\n"


def _cue(words: list[Word]) -> Cue:
    return Cue(words[0].start, max(words[-1].end, words[0].start + 0.1), " ".join(word.text for word in words))


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
