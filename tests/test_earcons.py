"""Earcons: short, soft, without clicks, and told apart by their contour."""

from __future__ import annotations

import asyncio
import itertools

import numpy as np
import pytest

from assistant.dialogue import Happening
from assistant.earcons import LOUDNESS, NOTES, UNHEARD, Chimes, Earcon, earcon
from assistant.types import AudioChunk, Samples

from .conversation import VirtualLoop

RATES = (8_000, 16_000, 22_050, 48_000)

every = pytest.mark.parametrize("which", list(Earcon))
at_each_rate = pytest.mark.parametrize("rate", RATES)


def pitch(samples: Samples, rate: int) -> float:
    """Return the strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 15))
    return float(np.argmax(spectrum) * rate / (1 << 15))


def contour(which: Earcon, rate: int = 48_000) -> list[float]:
    samples = earcon(which, rate).samples
    ends = np.cumsum([round(note.seconds * rate) for note in NOTES[which]])
    return [pitch(part, rate) for part in np.split(samples, ends[:-1])]


@every
@at_each_rate
def test_short_and_soft(which: Earcon, rate: int) -> None:
    sound = earcon(which, rate)
    assert sound.rate == rate and sound.samples.dtype == np.float32
    assert 0.1 <= sound.seconds <= 0.25
    assert 0.02 < np.abs(sound.samples).max() <= LOUDNESS


@every
@at_each_rate
def test_no_clicks(which: Earcon, rate: int) -> None:
    samples = earcon(which, rate).samples
    assert abs(samples[0]) < 1e-6 and abs(samples[-1]) < 1e-3
    highest = max(note.hertz for note in NOTES[which])
    steepest = 2 * np.pi * highest / rate * 1.5 * LOUDNESS  # of a pure tone with its octave
    assert np.abs(np.diff(samples, prepend=0.0, append=0.0)).max() < steepest
    if rate == 48_000:  # a click is energy where no partial is
        spectrum = np.abs(np.fft.rfft(samples)) ** 2
        bin_of = len(samples) / rate
        assert spectrum[int(4_000 * bin_of) :].sum() < 1e-4 * spectrum.sum()


def test_contours_tell_them_apart() -> None:
    rising, falling = contour(Earcon.LISTENING), contour(Earcon.SLEEPING)
    steady, low, turning = contour(Earcon.THINKING), contour(Earcon.ERROR), contour(Earcon.NEWS)
    assert rising[1] > 1.3 * rising[0]
    assert falling[1] < falling[0] / 1.3
    assert abs(steady[1] / steady[0] - 1) < 0.01
    assert turning[1] > 1.3 * turning[0] and abs(turning[2] / turning[0] - 1) < 0.01
    assert low[1] < low[0] and max(low) < 0.6 * min(*rising, *falling, *steady)
    for one, other in itertools.combinations(Earcon, 2):
        ours, theirs = contour(one), contour(other)
        assert len(ours) != len(theirs) or not np.allclose(ours, theirs, rtol=0.05)


@at_each_rate
def test_the_notes_are_in_tune(rate: int) -> None:
    for which in Earcon:
        for note, heard in zip(NOTES[which], contour(which, rate), strict=True):
            assert abs(heard / note.hertz - 1) < 0.03


@every
def test_volume(which: Earcon) -> None:
    usual, soft = earcon(which, 16_000), earcon(which, 16_000, 0.5)
    np.testing.assert_allclose(soft.samples, usual.samples / 2, atol=1e-6)
    assert not earcon(which, 16_000, 0.0).samples.any()
    assert np.abs(earcon(which, 16_000, 9.0).samples).max() <= 2 * LOUDNESS


def test_news_wait_until_nobody_speaks_and_no_reply_is_made() -> None:
    sounded: list[AudioChunk] = []
    chimes = Chimes(sounded.append, 16_000)

    def heard(name: str, **details: object) -> list[Earcon]:
        sounded.clear()
        chimes(Happening(name, 0.0, details))
        return [which for sound in sounded for which in Earcon if np.array_equal(sound.samples, told[which].samples)]

    told = {which: earcon(which, 16_000) for which in Earcon}
    assert heard("news", message="", failed=False) == [Earcon.NEWS]
    assert heard("state", state="listening") == heard("news", message="", failed=True) == []
    assert heard("state", state="user paused") == heard("state", state="speaking") == []
    assert heard("state", state="idle") == [Earcon.ERROR]
    assert heard("state", state="interrupted") == heard("state", state="idle") == []


def test_chimes_follow_the_conversation() -> None:
    sounded: list[AudioChunk] = []

    def names() -> list[Earcon]:
        known = {earcon(which, 16_000).samples.tobytes(): which for which in Earcon}
        return [known[sound.samples.tobytes()] for sound in sounded]

    async def conversation() -> None:
        chimes = Chimes(sounded.append, 16_000)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)

        async def happens(name: str, after: float, **details: object) -> None:
            loop.advance(after)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            chimes(Happening(name, 0.0, details))

        await happens("asleep", 0)
        await happens("awake", 1)
        await happens("state", 1, state="listening")
        await happens("state", 1, state="thinking")
        await happens("state", UNHEARD / 2, state="speaking")  # a quick reply: no sound before it
        await happens("state", 9, state="thinking")
        await happens("level", UNHEARD + 0.1)  # a slow one
        assert names() == [Earcon.SLEEPING, Earcon.LISTENING, Earcon.THINKING]
        await happens("state", 1, state="idle")
        await happens("state", 1, state="thinking")
        await happens("tool", 0.1, tool="clock")
        await happens("trouble", UNHEARD + 1, message="the microphone was unplugged")

    loop = VirtualLoop()
    try:
        loop.run_until_complete(conversation())
    finally:
        loop.close()
    assert names()[3:] == [Earcon.THINKING, Earcon.ERROR]


def test_with_push_to_talk_the_key_is_answered() -> None:
    sounded: list[AudioChunk] = []
    for hands_free in (True, False):
        Chimes(sounded.append, 16_000, hands_free=hands_free)(Happening("listening", 0.0))
    [sound] = sounded
    np.testing.assert_array_equal(sound.samples, earcon(Earcon.LISTENING, 16_000).samples)


def test_one_hears_that_it_is_ready() -> None:
    sounded: list[AudioChunk] = []
    for greets in (True, False):
        Chimes(sounded.append, 16_000, greets=greets)(Happening("ready", 0.0))
    [sound] = sounded
    np.testing.assert_array_equal(sound.samples, earcon(Earcon.LISTENING, 16_000).samples)
