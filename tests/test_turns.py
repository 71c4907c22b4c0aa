"""The turn-taking machine: examples of each rule, and properties of every path."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.turns import (
    RATE,
    Announce,
    Announced,
    Asked,
    Begin,
    Continue,
    Discard,
    Duck,
    End,
    Event,
    Heard,
    Hold,
    Interrupt,
    Judged,
    Patience,
    Pause,
    Pressed,
    Released,
    ReplyBegan,
    ReplyOver,
    Resume,
    State,
    Turns,
    Words,
    is_backchannel,
)

CHUNK = 512  # 32 ms


def feed(turns, seconds, speech):
    """Let so much sound pass; return the commands."""
    return [
        command for _ in range(round(seconds * RATE / CHUNK)) for command in turns.handle(Heard(CHUNK, speech=speech))
    ]


def kinds(commands):
    return [type(command) for command in commands]


def speaking():
    turns = Turns()
    feed(turns, 0.5, False)
    feed(turns, 1.0, True)
    feed(turns, 0.1, False)
    turns.handle(Judged(1.0, turns._last))
    feed(turns, 0.3, False)
    turns.handle(ReplyBegan())
    assert turns.state is State.SPEAKING
    return turns


def test_a_finished_sentence_ends_the_turn_quickly():
    turns = Turns()
    feed(turns, 1.0, False)
    begin, *_ = feed(turns, 2.0, True)
    assert begin == Begin(pytest.approx(RATE - turns.padding, abs=CHUNK))
    (pause,) = feed(turns, 0.1, False)
    assert isinstance(pause, Pause) and turns.state is State.PAUSED
    turns.handle(Judged(0.98, pause.end))
    (end,) = feed(turns, 0.2, False)
    assert end == End(pause.start, pause.end)
    assert turns.now - pause.end < 0.3 * RATE


def test_an_unfinished_sentence_is_waited_for():
    turns = Turns()
    feed(turns, 2.0, True)
    (pause,) = feed(turns, 0.1, False)
    turns.handle(Judged(0.1, pause.end))
    assert feed(turns, 1.2, False) == []
    assert kinds(feed(turns, 0.5, True)) == [Continue]
    assert turns.state is State.LISTENING
    (again,) = feed(turns, 0.1, False)
    assert again.start == pause.start, "the utterance keeps its beginning"


def test_a_judgement_on_an_earlier_pause_does_not_count():
    turns = Turns()
    feed(turns, 1.0, True)
    (pause,) = feed(turns, 0.1, False)
    feed(turns, 0.5, True)
    feed(turns, 0.1, False)
    turns.handle(Judged(1.0, pause.end))
    assert feed(turns, 1.0, False) == []


@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_without_a_detector_silence_decides(seconds):
    turns = Turns(Patience(detector=False, silence=0.6))
    feed(turns, seconds, True)
    commands = feed(turns, 0.7, False)
    assert kinds(commands) == [Pause, End]


def test_patience_falls_as_the_sentence_seems_finished():
    waits = [Patience().wait(p / 20) for p in range(21)]
    assert waits == sorted(waits, reverse=True)
    patience = Patience()
    assert waits[0] == int(patience.patient * RATE) and waits[-1] == int(patience.quick * RATE)


def test_a_click_is_no_turn():
    turns = Turns()
    assert feed(turns, 0.064, True) == []
    assert kinds(feed(turns, 0.1, False)) == [Discard]
    assert turns.state is State.IDLE


def test_sound_without_words_is_dropped():
    turns = Turns()
    feed(turns, 0.5, True)
    (pause,) = feed(turns, 0.1, False)
    turns.handle(Words("", turns.now))
    turns.handle(Judged(1.0, pause.end))
    assert kinds(feed(turns, 0.7, False)) == [Discard]
    assert turns.state is State.IDLE


def test_speech_while_thinking_goes_on_with_the_question():
    turns = Turns()
    feed(turns, 1.0, True)
    (pause,) = feed(turns, 0.1, False)
    turns.handle(Judged(1.0, pause.end))
    feed(turns, 0.4, False)
    assert turns.state is State.THINKING
    assert kinds(feed(turns, 0.2, True)) == [Continue]
    assert feed(turns, 0.1, False)[0].start == pause.start


def test_real_speech_over_the_reply_ducks_holds_and_stops():
    turns = speaking()
    commands = feed(turns, 1.0, True)
    assert kinds(commands) == [Duck, Hold, Interrupt, Begin]
    assert turns.state is State.LISTENING


def test_words_confirm_a_barge_in_before_its_length_does():
    turns = speaking()
    feed(turns, 0.3, True)
    assert kinds(turns.handle(Words("stop it", turns.now))) == [Interrupt, Begin]


def test_words_confirm_a_barge_in_that_has_already_ended():
    turns = speaking()
    feed(turns, 0.4, True)
    feed(turns, 0.3, False)
    assert turns.state is State.INTERRUPTED
    assert kinds(turns.handle(Words("stop", turns.now))) == [Interrupt, Begin]
    assert kinds(feed(turns, 0.1, False)) == [Pause]


@pytest.mark.parametrize("text", ["uh-huh", "Okay.", "Mm, yeah.", ""])
def test_a_backchannel_lets_the_reply_go_on(text):
    turns = speaking()
    assert kinds(feed(turns, 0.4, True)) == [Duck, Hold]
    assert turns.handle(Words(text, turns.now)) == []
    assert kinds(feed(turns, 0.4, False)) == [Discard, Resume]
    assert turns.state is State.RESUMED
    feed(turns, 0.6, False)
    assert turns.state is State.SPEAKING


def test_a_long_backchannel_that_is_known_as_one_does_not_interrupt():
    turns = speaking()
    feed(turns, 0.5, True)
    turns.handle(Words("mm-hmm, I see", turns.now))
    assert feed(turns, 0.5, True) == []
    turns.handle(Words("mm-hmm, I see", turns.now))
    assert kinds(feed(turns, 0.3, False)) == [Discard, Resume]


def test_a_reply_goes_on_when_the_whole_burst_was_read():
    """What was read of its first half says little: "St-" is no "Yeah"."""
    turns = speaking()
    feed(turns, 0.3, True)
    half = turns.now
    feed(turns, 0.2, True)
    turns.handle(Words("yeah", half))
    assert feed(turns, 0.4, False) == []
    assert kinds(turns.handle(Words("stop", turns.now))) == [Interrupt, Begin]


def test_a_short_word_is_held_and_read_when_it_ends():
    turns = speaking()
    assert kinds(feed(turns, 0.16, True)) == [Duck]
    assert kinds(feed(turns, 0.12, False)) == [Hold]
    assert kinds(turns.handle(Words("wait", turns.now))) == [Interrupt, Begin]


def test_a_cough_only_ducks():
    turns = speaking()
    assert kinds(feed(turns, 0.1, True)) == [Duck]
    assert kinds(feed(turns, 0.3, False)) == [Discard, Resume]


def test_own_words_coming_back_are_no_barge_in():
    turns = speaking()
    feed(turns, 0.4, True)
    assert kinds(turns.handle(Words("the cup is on the table", turns.now, echo=True))) == [Discard, Resume]


def test_words_of_an_earlier_burst_do_not_interrupt():
    turns = speaking()
    earlier = turns.now
    feed(turns, 0.3, True)
    assert turns.handle(Words("what is that", earlier)) == []


def test_push_to_talk():
    turns = Turns()
    feed(turns, 1.0, False)
    assert kinds(turns.handle(Pressed())) == [Begin]
    assert feed(turns, 3.0, False) == [], "no silence ends it while the key is down"
    assert kinds(turns.handle(Released())) == [Pause, End]
    assert turns.state is State.THINKING


def test_push_to_talk_interrupts_at_once():
    turns = speaking()
    assert kinds(turns.handle(Pressed())) == [Interrupt, Begin]
    assert kinds(turns.handle(Released())) == [Discard], "a touch of the key is no question"


def test_what_is_typed_takes_the_turn_from_whoever_has_it():
    turns = Turns()
    assert turns.handle(Asked()) == [] and turns.state is State.THINKING
    assert kinds(turns.handle(Asked())) == [Interrupt], "the answer to the question before is not waited for"
    assert kinds(feed(turns, 0.5, True)) == [Interrupt, Begin], "what is said then is no end of what was typed"
    assert kinds(turns.handle(Asked())) == [Discard], "nor is what was being said answered"
    turns.handle(ReplyBegan())
    assert kinds(feed(turns, 0.1, True)) == [Duck]
    assert kinds(turns.handle(Asked())) == [Discard, Interrupt]
    assert feed(turns, 0.05, True) == [], "a burst of before is forgotten"
    turns.handle(ReplyOver())
    turns.handle(Pressed())
    turns.handle(Asked())
    assert turns.handle(Released()) == [] and turns.state is State.THINKING


def test_what_nobody_asked_for_is_said_where_nobody_speaks():
    assert kinds(Turns().handle(Announced())) == [Announce]
    assert speaking().handle(Announced()) == []
    turns = Turns()
    feed(turns, 0.3, True)
    assert turns.handle(Announced()) == []


def test_who_speaks_before_it_is_heard_begins_a_turn():
    turns = Turns()
    turns.handle(Announced())
    assert kinds(feed(turns, 0.5, True)) == [Interrupt, Begin]


def test_speech_without_end_is_answered_after_a_minute():
    turns = Turns()
    commands = feed(turns, 61, True)
    assert kinds(commands)[:3] == [Begin, Pause, End]


@pytest.mark.parametrize(
    "text, expected", [("uh-huh", True), ("Okay!", True), ("okay stop", False), ("what", False), ("", True)]
)
def test_backchannels(text, expected):
    assert is_backchannel(text) is expected


chunks = st.builds(lambda count, speech: [Heard(CHUNK, speech)] * count, st.integers(1, 60), st.booleans())
others = st.sampled_from(
    ["judged", "words", "backchannel", "echo", "began", "over", "announced", "press", "release", "asked"]
)


def make(name, turns, probability) -> Event:
    return {
        "judged": Judged(probability, turns._last),
        "words": Words("what is this", turns.now),
        "backchannel": Words("mhm", turns.now),
        "echo": Words("what is this", turns.now, echo=True),
        "began": ReplyBegan(),
        "over": ReplyOver(),
        "announced": Announced(),
        "press": Pressed(),
        "release": Released(),
        "asked": Asked(),
    }[name]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(chunks, st.tuples(others, st.floats(0, 1))), max_size=40))
def test_every_path_leads_home_and_accounts_for_every_spoken_sample(script):
    turns = Turns()
    spoken, spans, reply_open = [], [], False

    def take(event):
        nonlocal reply_open
        for command in turns.handle(event):
            match command:
                case End(start, end) | Discard(start, end):
                    assert 0 <= start <= end <= turns.now
                    spans.append((start, end))
                case Begin(start):
                    assert start <= turns.now
                case Hold() | Duck() | Resume() | Interrupt():
                    assert reply_open, "there is nothing to hold, lower, resume or interrupt"
        reply_open = turns.state in (State.THINKING, State.SPEAKING, State.INTERRUPTED, State.RESUMED)

    for step in script:
        for event in step if isinstance(step, list) else [make(step[0], turns, step[1])]:
            if isinstance(event, Heard) and event.speech:
                spoken.append((turns.now, turns.now + event.samples))
            reply_open = turns.state in (State.THINKING, State.SPEAKING, State.INTERRUPTED, State.RESUMED)
            take(event)
    take(Released())
    for _ in range(4 * RATE // CHUNK):
        take(Heard(CHUNK, speech=False))
    take(ReplyOver())
    assert turns.state is State.IDLE
    for first, last in spoken:
        assert any(start <= first and last <= end for start, end in merged(spans)), (first, last, spans)


def merged(spans):
    """Join spans that touch."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
