"""The guard against own words, the echo canceller, and the rooms that both are measured in."""

import numpy as np
import pytest

from assistant.benchmark.echo import Room, echo_of, loss
from assistant.cli import main
from assistant.ears import FRAME
from assistant.echo import own_words
from assistant.echo_filter import EchoFilter
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


@pytest.fixture(params=["filter", "webrtc", "both"])
def make_canceller(request, settings, store):
    """Return what makes each canceller, and both one behind the other as in the conversation."""

    def behind():
        pytest.importorskip("livekit.rtc")
        from assistant.backends.webrtc import WebRtcEcho

        return WebRtcEcho(settings, store)

    return {"filter": EchoFilter, "webrtc": behind, "both": lambda: EchoFilter(behind())}[request.param]


def syllables(seconds, chance):
    """Return noise that comes and goes like syllables."""
    noise = chance.normal(0, 0.1, seconds * RATE) * (np.sin(np.arange(seconds * RATE) / RATE * 2 * np.pi * 3) > 0)
    return noise.astype(np.float32)


@pytest.mark.parametrize("room", [Room("near", 0.03, 0.2), Room("far", 0.15, 0.3)])
def test_the_canceller_takes_the_echo_out_and_leaves_the_person_in(room, make_canceller):
    chance = np.random.default_rng(1)
    played = syllables(10, chance)
    echo = echo_of(played, room, -6.0, chance)
    cleaned = cancel(make_canceller(), played, echo)
    assert loss(echo, cleaned) > 20

    person = np.zeros_like(played)
    person[8 * RATE :] = chance.normal(0, 0.1, 2 * RATE)
    both = cancel(make_canceller(), played, echo + person)
    assert np.abs(both[8 * RATE :]).mean() > 5 * np.abs(both[6 * RATE : 8 * RATE]).mean()


def test_the_filter_keeps_a_person_apart_from_the_echo_of_a_long_room():
    chance = np.random.default_rng(2)
    played, person = syllables(12, chance), np.zeros(12 * RATE, np.float32)
    echo = echo_of(played, Room("bathroom", 0.04, 0.9), -6.0, chance)
    person[8 * RATE :] = np.roll(syllables(4, chance), RATE // 7)
    late = cancel(EchoFilter(), played, echo + person)[FRAME:]
    part = slice(8 * RATE, len(late))
    spoilt = late[part] - person[part]
    assert 10 * np.log10((person[part] ** 2).mean() / (echo[part] ** 2).mean()) < 7  # how it was heard
    assert 10 * np.log10((person[part] ** 2).mean() / (spoilt**2).mean()) > 12


def test_the_filter_learns_anew_when_the_echo_moves():
    chance = np.random.default_rng(3)
    played = syllables(12, chance)
    echo = echo_of(played, Room("", 0.05, 0.3), -6.0, chance)
    echo[6 * RATE :] = np.roll(echo, FRAME)[6 * RATE :]
    left = cancel(EchoFilter(), played, echo)
    power = [(part[8 * RATE :] ** 2).mean() for part in (echo[: len(left)], left)]
    assert 10 * np.log10(power[0] / power[1]) > 20


def test_the_filter_leaves_what_it_hears_alone_while_nothing_is_played():
    heard = np.random.default_rng(4).normal(0, 0.1, RATE).astype(np.float32)
    left = cancel(EchoFilter(), np.zeros_like(heard), heard)
    assert np.abs(left[FRAME:] - heard[: len(left) - FRAME]).max() < 1e-3


class Deaf:
    """A canceller that takes everything for an echo."""

    def played(self, chunk):
        pass

    def clean(self, chunk):
        return AudioChunk(np.zeros_like(chunk.samples), chunk.rate)


def test_with_headphones_a_person_is_heard_unchanged():
    chance = np.random.default_rng(5)
    played, person = syllables(8, chance), np.zeros(8 * RATE, np.float32)
    person[RATE : 3 * RATE] = np.roll(syllables(2, chance), RATE // 7)
    heard = cancel(EchoFilter(Deaf()), played, person)
    part = slice(RATE, 3 * RATE)
    np.testing.assert_array_equal(heard[part], person[part])


def test_where_the_echo_comes_late_it_is_not_taken_for_headphones():
    chance = np.random.default_rng(6)
    played = syllables(4, chance)
    for delay in (0.0, 0.3, 0.6):
        assert not cancel(EchoFilter(Deaf()), played, echo_of(played, Room("", delay, 0.05), -20.0, chance)).any()


def test_loudspeakers_instead_of_headphones_are_noticed():
    chance = np.random.default_rng(7)
    played = syllables(12, chance)
    heard = echo_of(played, Room("", 0.05, 0.3), -6.0, chance)
    heard[: 4 * RATE] = 0
    left = cancel(EchoFilter(Deaf()), played, heard)
    assert left[5 * RATE : 6 * RATE].any() and not left[11 * RATE :].any()


def cancel(canceller, played, heard):
    """Return what is left of what was heard, frame by frame."""
    left = []
    for start in range(0, len(played) - FRAME + 1, FRAME):
        canceller.played(AudioChunk(played[start : start + FRAME], RATE))
        left.append(canceller.clean(AudioChunk(heard[start : start + FRAME], RATE)).samples)
    return np.concatenate(left)


def test_an_unknown_room_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "echo", "--room", "bath room"]) == 2
    assert capsys.readouterr().err == "assistant: there is no room 'bath room'; did you mean 'bathroom'?\n"
