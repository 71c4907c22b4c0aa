"""The guard against own words, the echo canceller, and the rooms that both are measured in."""

import numpy as np
import pytest

from assistant.benchmark.echo import Room, echo_of, loss
from assistant.ears import FRAME
from assistant.echo import own_words
from assistant.turns import RATE
from assistant.types import AudioChunk

REPLY = "Once upon a time there was a small village at the edge of a great forest."


@pytest.mark.parametrize(
    "heard, own",
    [
        ("a small village at the edge", True),
        ("Once upon a time", True),
        ("small villages at the edge of", True),
        ("there was a small", True),
        ("stop please", False),
        ("what is that over there", False),
        ("a small question about something else entirely", False),
        ("", False),
    ],
)
def test_own_words(heard, own):
    assert own_words(heard, REPLY) is own


def test_nothing_is_an_echo_of_silence():
    assert not own_words("stop", "")


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.3])
def test_a_room_delays_and_attenuates(delay):
    click = np.zeros(RATE, np.float32)
    click[100] = 1.0
    heard = echo_of(click, Room("", delay, 0.05), -6.0, np.random.default_rng(0))
    assert int(np.argmax(np.abs(heard))) == 100 + int(delay * RATE)
    assert 10 * np.log10((heard**2).mean() / (click**2).mean()) == pytest.approx(-6, abs=0.1)


@pytest.mark.parametrize("room", [Room("near", 0.03, 0.2), Room("far", 0.15, 0.3)])
def test_the_canceller_takes_the_echo_out_and_leaves_the_person_in(room, settings, store):
    pytest.importorskip("livekit.rtc")
    from assistant.backends.webrtc import WebRtcEcho

    chance = np.random.default_rng(1)
    # Noise that comes and goes like syllables.
    played = chance.normal(0, 0.1, 10 * RATE) * (np.sin(np.arange(10 * RATE) / RATE * 2 * np.pi * 3) > 0)
    played = played.astype(np.float32)
    echo = echo_of(played, room, -6.0, chance)
    cleaned = cancel(WebRtcEcho(settings, store), played, echo)
    assert loss(echo, cleaned) > 20

    person = np.zeros_like(played)
    person[8 * RATE :] = chance.normal(0, 0.1, 2 * RATE)
    both = cancel(WebRtcEcho(settings, store), played, echo + person)
    assert np.abs(both[8 * RATE :]).mean() > 5 * np.abs(both[6 * RATE : 8 * RATE]).mean()


def cancel(canceller, played, heard):
    """Return what is left of what was heard, frame by frame."""
    left = []
    for start in range(0, len(played) - FRAME + 1, FRAME):
        canceller.played(AudioChunk(played[start : start + FRAME], RATE))
        left.append(canceller.clean(AudioChunk(heard[start : start + FRAME], RATE)).samples)
    return np.concatenate(left)
