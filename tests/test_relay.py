"""Which of two recognisers hears what."""

import numpy as np
import pytest

from assistant.orders import is_order
from assistant.relay import BELIEVED, HOPELESS, Relay
from assistant.stages import Recognition, Recognizer
from assistant.types import AudioChunk, Utterance

AUDIO = AudioChunk(np.zeros(16_000, np.float32), 16_000)


class Known:
    def __init__(self, utterance: Utterance) -> None:
        self.utterance = utterance
        self.asked: list[Recognition | None] = []

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        self.asked.append(options)
        return self.utterance


@pytest.fixture
def careful():
    return Known(Utterance("Guten Tag.", "de"))


def test_it_is_a_recogniser(careful):
    assert isinstance(Relay(careful, careful), Recognizer)


@pytest.mark.parametrize("options", [None, Recognition(), Recognition("de"), Recognition("en", translate=True)])
def test_what_is_not_known_to_be_english_goes_to_the_careful_one(careful, options):
    quick = Known(Utterance("Good and tuck."))
    assert Relay(careful, quick).transcribe(AUDIO, options).text == "Guten Tag."
    assert quick.asked == [] and careful.asked == [options]


def test_english_goes_to_the_quick_one(careful):
    quick = Known(Utterance("Good day.", confidence=BELIEVED))
    assert Relay(careful, quick).transcribe(AUDIO, Recognition("en", live=True)).text == "Good day."
    assert careful.asked == []


def test_what_the_quick_one_only_guesses_is_heard_again_in_any_language(careful):
    quick = Known(Utterance("Good and tuck.", confidence=BELIEVED - 0.01))
    assert Relay(careful, quick).transcribe(AUDIO, Recognition("en", live=True)).language == "de"
    assert careful.asked == [Recognition(None, live=True)]


def test_what_was_expected_is_not_heard_again(careful):
    quick = Known(Utterance("Stop.", confidence=0.4))
    assert Relay(careful, quick).transcribe(AUDIO, Recognition("en", live=True, expected=is_order)).text == "Stop."
    assert careful.asked == []
    assert Relay(careful, quick).transcribe(AUDIO, Recognition("en", live=True)).text == "Guten Tag."


@pytest.mark.parametrize("options", [Recognition("en", draft=True), Recognition("en")])
def test_nothing_is_heard_twice_for_a_draft_or_for_silence(careful, options):
    quick = Known(Utterance("Good and" if options.draft else "", confidence=0.1))
    assert Relay(careful, quick).transcribe(AUDIO, options) == quick.utterance
    assert careful.asked == []


@pytest.mark.parametrize(
    ("confidence", "start", "asked"), [(HOPELESS - 0.01, 0, 1), (HOPELESS, 0, 2), (HOPELESS - 0.01, 512, 2)]
)
def test_after_a_hopeless_draft_the_same_utterance_goes_to_the_careful_one(careful, confidence, start, asked):
    quick = Known(Utterance("Good and tuck.", confidence=confidence))
    relay = Relay(careful, quick)
    relay.transcribe(AUDIO, Recognition("en", live=True, draft=True))
    whole = AudioChunk(AUDIO.samples, AUDIO.rate, start)
    assert relay.transcribe(whole, Recognition("en", live=True)).language == "de"
    assert len(quick.asked) == asked and len(careful.asked) == 1
