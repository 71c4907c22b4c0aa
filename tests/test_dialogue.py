"""The conversation as a whole, with fakes on every side and virtual time."""

import asyncio
import itertools
import random
import threading
import time

import numpy as np
import pytest

from assistant.config import Settings, TalkSettings
from assistant.ears import Sound
from assistant.errors import DeviceError, InputError, ModelError
from assistant.stages import never
from assistant.tools import Tool
from assistant.turns import RATE, State
from assistant.types import AudioChunk, Label, Message, ToolCall, Utterance

from .conversation import CHUNK, Conversation, quiet, speech
from .fakes import PONDER, FakeBrain, FakeCamera, tone

LONG = [
    "This is a long story ",
    "that goes on and on, ",
    "with a second part, ",
    "and with a third part ",
    "at its end.",
]


def test_a_question_is_answered_aloud_and_remembered():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(3.0))
    talk.brain.enqueue(["It is ", "a dog."])
    talk.run()
    assert talk.voice.spoken == ["It is a dog."]
    assert talk.dialogue.history == (Message("user", "what is this"), Message("assistant", "It is a dog."))
    states = [event.details["state"] for event in talk.happened if event.name == "state"]
    assert states == ["listening", "user paused", "thinking", "speaking", "idle"]
    assert np.abs(talk.speaker.played_samples).max() > 0.1


def test_who_speaks_german_is_answered_by_a_german_voice_at_the_speed_that_was_asked_for():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(3.0), speech(1.0, 880), quiet(3.0), speech(1.0), quiet(3.0),
                        words={440: "was ist das", 880: "langsamer bitte"})  # fmt: skip
    talk.recognizer.language = "de"
    talk.brain.enqueue(["Das ist ", "ein Hund."], ["Canberra."])
    talk.run()
    assert (talk.german.spoken, talk.voice.spoken) == (["Das ist ein Hund.", "Ist es so gut?", "Canberra."], [])
    assert talk.dialogue._manners.voices is not talk.stages.voices


def test_news_are_told_by_a_voice_of_their_language():
    talk = Conversation(quiet(5.0), news=["Es ist Zeit für den Tee.", "The tea is ready."])
    talk.run()
    assert (talk.german.spoken, talk.voice.spoken) == (["Es ist Zeit für den Tee."], ["The tea is ready."])


def test_the_answer_is_begun_on_trial_and_heard_only_when_the_turn_is_over():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(1.0), speech(1.0, 880), quiet(4.0),
                        words={440: "what is", 880: "what is that"}, finished=0.3)  # fmt: skip
    talk.brain.enqueue(["Wrong."], ["Right."])
    talk.run()
    assert [turn.utterance.text for turn in talk.brain.turns] == ["what is", "what is that"]
    assert [reply["heard"] for reply in talk.all("reply")] == ["Right."]
    assert [message.text for message in talk.dialogue.history] == ["what is that", "Right."]


@pytest.mark.parametrize(("pause", "asked"), [(0.5, ["what is that"]), (1.0, ["what is", "what is that"])])
def test_what_seems_unfinished_is_thought_over_on_trial_where_the_quiet_lasts(pause, asked):
    talk = Conversation(quiet(0.3), speech(1.0), quiet(pause), speech(1.0, 880), quiet(4.0),
                        words={440: "what is", 880: "what is that"}, finished=0.05)  # fmt: skip
    talk.brain.enqueue(*[["Wrong."]] * (len(asked) - 1), ["Right."])
    talk.run()
    assert [turn.utterance.text for turn in talk.brain.turns] == asked
    assert [reply["heard"] for reply in talk.all("reply")] == ["Right."]
    at = {event.name: event.at for event in talk.happened}
    assert at["speaking"] - at["thinking"] > 1.0, "ready before patience is over"


class ForeseeingBrain(FakeBrain):
    """Knows how complete the words are."""

    def __init__(self, complete: dict[str, float]) -> None:
        super().__init__()
        self.complete_words = complete

    def complete(self, turn, urged=never) -> float | None:
        return self.complete_words[turn.utterance.text]


def test_half_a_question_that_sounds_finished_is_waited_for_where_the_language_model_lacks_a_word():
    for foreseen, answered in ((0.002, "what is that"), (0.9, "what is")):
        talk = Conversation(quiet(0.3), speech(1.0), quiet(1.2), speech(1.0, 880), quiet(4.0), finished=0.97,
                            words={440: "what is", 880: "what is that"},
                            brain=ForeseeingBrain({"what is": foreseen, "what is that": 0.9}))  # fmt: skip
        talk.run()
        assert talk.dialogue.history[0].text == answered, foreseen
        first = talk.all("judged")[0]["finished"]
        assert first < 0.05 if foreseen < 0.1 else first == pytest.approx(0.97, abs=0.02)


def test_the_language_model_is_not_asked_about_what_sounds_unfinished_or_is_an_order():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(4.0), finished=0.1, brain=ForeseeingBrain({}))
    talk.run()
    assert talk.all("judged")[0]["finished"] == 0.1
    assert len(talk.brain.turns) == 1, "answered when patience was over"


def test_the_language_model_is_not_asked_about_what_a_tool_answers_by_itself():
    def lights() -> str:
        """Switch the lights.

        Verbatim: what is this
        """
        return "done"

    brain = ForeseeingBrain({})  # would fail if it were asked
    talk = Conversation(
        quiet(0.3), speech(1.0), quiet(4.0), finished=0.97, brain=brain, tools={"lights": Tool.of(lights)}
    )
    talk.run()
    assert talk.voice.spoken == ["done"] and talk.brain.turns == []
    assert talk.all("judged")[0]["finished"] > 0.9


def test_nothing_is_answered_on_trial_where_that_is_switched_off():
    settings = Settings(talk=TalkSettings(ahead=False))
    talk = Conversation(quiet(0.3), speech(1.0), quiet(0.5), speech(0.5), quiet(4.0), finished=0.3, settings=settings)
    talk.run()
    assert len(talk.brain.turns) == 1


@pytest.mark.parametrize("tool", [False, True])
def test_speech_right_after_the_turn_goes_on_with_the_question(tool):
    """The turn was taken for finished, but no sound of the reply was heard yet."""

    def lights() -> str:
        """Switch the lights."""
        return "done"

    talk = Conversation(quiet(0.3), speech(1.0), quiet(0.5), speech(1.0, 880), quiet(3.0), tools={"l": Tool.of(lights)},
                        words={440: "what is this", 880: "what is this on the left"})  # fmt: skip
    talk.brain.enqueue(*[[ToolCall("l")]] * tool, [PONDER], ["A cup."])
    talk.run()
    states = [event.details["state"] for event in talk.happened if event.name == "state"]
    assert states[2:4] == ["thinking", "listening"]
    whole = (Message("user", "what is this on the left"), Message("assistant", "A cup."))
    if not tool:
        assert talk.dialogue.history == whole and talk.brain.turns[-1].history == ()
        assert "interrupted" not in talk.names() and len(talk.all("reply")) == 1
    else:  # the tool has changed the world, so that the model has to know of it
        question, answer, *rest = talk.dialogue.history
        assert question.text == "what is this" and answer.results[0].result == "done" and tuple(rest) == whole


def test_barge_in_stops_the_reply_and_history_holds_what_was_heard():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(2.0), speech(1.5, 880), quiet(3.0),
                        words={440: "tell me a story", 880: "what is that over there"})  # fmt: skip
    talk.brain.enqueue(LONG, ["A cup."])
    talk.run()
    first, second = talk.all("reply")
    assert first["interrupted"] and not second["interrupted"]
    assert first["heard"] and first["text"].startswith(first["heard"].split(",")[0])
    assert len(first["heard"]) < len(first["text"])
    assert [message.text for message in talk.dialogue.history] == [
        "tell me a story", first["heard"], "what is that over there", "A cup."
    ]  # fmt: skip
    assert talk.names("ducked", "held", "interrupted") == ["ducked", "held", "interrupted"]
    onset = 0.3 + 1.0 + 2.0
    assert talk.when("ducked") - onset < 0.1
    assert talk.when("held") - onset < 0.35


def test_control_c_in_a_reply_keeps_what_was_heard_of_it():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(6.0), words={440: "tell me a story"})
    talk.brain.enqueue(LONG)
    talk.ears.at = {100: lambda: talk.held.cancel()}
    with pytest.raises(asyncio.CancelledError):
        talk.run()
    (reply,) = talk.all("reply")
    assert reply["interrupted"] and reply["heard"] and reply["text"].startswith(reply["heard"])
    assert talk.last("remembered")["reply"].heard == reply["heard"] == talk.dialogue.history[-1].text


def test_after_a_hold_nothing_more_is_played():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(2.0), speech(1.5, 880), quiet(0.1),
                        words={440: "tell me a story", 880: "what is that"})  # fmt: skip
    talk.brain.enqueue(LONG)
    played = []
    talk.ears.at = {number: lambda: played.append(len(talk.speaker.played_samples)) for number in range(120, 152)}
    talk.run()
    assert played[-1] == played[0], "the loudspeaker was silent from the hold on"


def test_a_backchannel_does_not_stop_the_reply():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(2.0), speech(0.4, 880), quiet(12.0),
                        words={440: "tell me a story", 880: "uh-huh"})  # fmt: skip
    talk.brain.enqueue(LONG)
    talk.run()
    (reply,) = talk.all("reply")
    assert not reply["interrupted"] and reply["heard"] == reply["text"]
    assert "resumed" in talk.names() and "interrupted" not in talk.names()
    spoken = sum(len(clause) for clause in talk.voice.spoken) * talk.voice.samples_per_character
    assert len(talk.speaker.played_samples) == pytest.approx(spoken, rel=0.08), "it went on where it stopped"


def test_its_own_words_coming_back_do_not_stop_it():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(2.0), speech(0.4, 880), quiet(12.0),
                        words={440: "tell me a story", 880: "a long story that goes"})  # fmt: skip
    talk.brain.enqueue(LONG)
    talk.run()
    assert [reply["interrupted"] for reply in talk.all("reply")] == [False]


def test_stop_is_obeyed_without_the_language_model():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(2.0), speech(0.4, 880), quiet(4.0),
                        words={440: "tell me a story", 880: "stop"})  # fmt: skip
    talk.brain.enqueue(LONG)
    talk.run()
    assert len(talk.brain.turns) == 1
    assert talk.last("order") == {"order": "stop"}
    assert talk.dialogue.turns.state.value == "idle"


def test_repeat_says_the_last_reply_again():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(3.0), speech(0.5, 880), quiet(3.0),
                        words={440: "what is this", 880: "Repeat that, please."})  # fmt: skip
    talk.brain.enqueue(["It is a dog."])
    talk.run()
    assert talk.voice.spoken == ["It is a dog.", "It is a dog."]
    assert len(talk.brain.turns) == 1


def test_louder_raises_the_volume():
    talk = Conversation(quiet(0.3), speech(0.6), quiet(3.0), words={440: "louder"})
    before = 0.5
    talk.run()
    assert np.abs(talk.speaker.played_samples).max() == pytest.approx(before * 1.4, rel=0.05)


def test_forget_everything_forgets_the_conversation_and_tells_its_observers():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(4.0), speech(0.6, 880), quiet(4.0),
                        words={440: "my name is Ana", 880: "Forget everything, please."})  # fmt: skip
    talk.brain.enqueue(["Hello Ana."])
    talk.run()
    assert talk.voice.spoken == ["Hello Ana.", "I have forgotten what we said,", "and nothing of it is kept."]
    assert talk.dialogue.history == () and len(talk.all("forgotten")) == 1


@pytest.mark.parametrize("order", ["louder", "quieter", "slower", "faster"])
def test_an_order_about_the_voice_does_not_take_the_rest_of_the_reply_away(order):
    talk = Conversation(quiet(0.3), speech(1.0), quiet(2.0), speech(0.5, 880), quiet(12.0), speech(0.5, 880), quiet(3),
                        words={440: "tell me a story", 880: order})  # fmt: skip
    talk.brain.enqueue(LONG)
    talk.run()
    first, second, third = talk.all("reply")
    assert first["interrupted"] and f"{first['heard']} {second['heard']}" == first["text"]
    assert third["heard"] == "Like this?", "nothing is left to go on with"
    assert talk.dialogue.history == (Message("user", "tell me a story"), Message("assistant", first["text"]))


def test_continue_goes_on_where_it_stopped_and_is_remembered():
    talk = Conversation(
        quiet(0.3), speech(1.0), quiet(2.0), speech(0.5, 880), quiet(2), speech(0.5, 1500), quiet(1.5),
        speech(0.5, 880), quiet(2), speech(0.5, 2500), quiet(2), speech(0.5, 1500), quiet(9.0),
        speech(0.5, 1500), quiet(4),
        words={440: "tell me a story", 880: "pause", 1500: "continue", 2500: "louder"},
    )  # fmt: skip
    talk.brain.enqueue(LONG)
    talk.run()
    parts = [reply["heard"] for reply in talk.all("reply")]
    assert parts[1] == parts[3] == "" and parts[4] == "Like this?" and all((parts[0], parts[2], parts[5]))
    assert " ".join((parts[0], parts[2], parts[5])) == "".join(LONG)
    assert parts[6] == "There is nothing to go on with."
    assert talk.dialogue.history == (Message("user", "tell me a story"), Message("assistant", "".join(LONG)))


def test_a_tool_does_not_run_on_trial():
    calls = []

    def lights(on: bool) -> str:
        """Switch the lights."""
        calls.append(len(talk.all("continued")))
        return "done"

    talk = Conversation(quiet(0.3), speech(1.0), quiet(0.8), speech(1.0), quiet(4.0), finished=0.3,
                        words={440: "switch the lights"}, tools={"lights": Tool.of(lights)})  # fmt: skip
    call = ToolCall("lights", {"on": True})
    talk.brain.enqueue([call], [call], ["They are on."])
    talk.run()
    assert calls == [1], "once, after the person had really finished"
    assert talk.dialogue.history[-1].results[0].result == "done"


def test_the_picture_is_encoded_while_the_person_speaks():
    talk = Conversation(quiet(1.5), speech(2.0), quiet(3.0), camera=FakeCamera())
    talk.brain.enqueue(["A dog."])
    talk.run()
    assert len(talk.eyes.looked) == 1, "the scene did not change"
    assert talk.names("seen", "thinking") == ["seen", "thinking"]
    assert talk.when("seen") < 2.5
    (turn,) = talk.brain.turns
    assert turn.percepts[0].labels[0].label == "dog" and turn.now - turn.percepts[0].time < 1.5
    prepared = [turn for turn in talk.brain.prepared if turn.percepts]
    assert prepared, "the picture was read into the cache before the question had ended"


class Bookworm(FakeBrain):
    """Reads words ahead until it is urged to stop."""

    def prepare(self, turn, urged=never):
        self.prepared.append(turn)
        if turn.utterance is None:
            return True
        self.pondering = True
        while not urged():
            time.sleep(0.001)
        self.pondering = False
        return False


def test_words_that_are_read_ahead_do_not_delay_those_that_are_said_next():
    talk = Conversation(quiet(0.5), speech(3.0), quiet(3.0), brain=Bookworm()).run()
    assert any(turn.utterance for turn in talk.brain.prepared), "something was read ahead"
    assert talk.names("reply") == ["reply"] and talk.last("turn")["words_s"] < 1.0


def test_what_is_held_up_while_somebody_speaks_is_told_in_a_few_words_and_in_full_once_they_are_answered():
    before, thing = np.full((48, 64, 3), 60, np.uint8), np.full((48, 64, 3), 200, np.uint8)
    camera = FakeCamera(before, before, before, thing, thing)
    talk = Conversation(quiet(2.5), speech(2.0), quiet(4.0), camera=camera)
    talk.eyes.labels = Label("cup", 0.9), Label("spoon", 0.7)
    talk.run()
    assert [int(frame.pixels[0, 0, 0]) for frame in talk.eyes.looked] == [60, 200]
    read = [turn for turn in talk.brain.prepared if turn.percepts and turn.percepts[0].frame is not None]
    shown = [(int(turn.percepts[0].frame.pixels[0, 0, 0]), len(turn.percepts[0].labels)) for turn in read]
    asked = talk.brain.turns[-1]
    assert int(asked.percepts[0].frame.pixels[0, 0, 0]) == 200 and len(asked.percepts[0].labels) == 1
    assert shown.index((200, 1)) < len(shown) - 1 and shown[0] == (60, 2) and shown[-1] == (200, 2)


def test_a_lost_camera_is_told_and_taken_up_again():
    camera = FakeCamera()
    talk = Conversation(quiet(1.5), speech(1.0), quiet(6.0), camera=camera)
    talk.ears.at = {
        90: lambda: setattr(camera, "unplugged", True), 150: lambda: setattr(camera, "unplugged", False)
    }  # fmt: skip
    talk.run()
    messages = [trouble["message"] for trouble in talk.all("trouble")]
    assert len(messages) == 2 and "no picture" in messages[0] and messages[1] == "the camera is back"


def test_words_are_read_ahead():
    talk = Conversation(quiet(0.3), speech(3.0), quiet(2.0))
    talk.run()
    ahead = [turn.utterance.text for turn in talk.brain.prepared if turn.utterance]
    assert ahead and set(ahead) == {"what is this"}, "the last word too, without the sign that may not follow it"


def test_speech_is_looked_for_until_words_were_read_of_it():
    talk = Conversation(quiet(0.3), speech(2.0), quiet(2.0), speech(0.4, 880), quiet(6.0),
                        words={440: "tell me a story", 880: "uh-huh"})  # fmt: skip
    talk.brain.enqueue(LONG)
    talk.run()
    readings = list(zip(talk.recognizer.heard, talk.recognizer.voiced, strict=True))
    question = [voiced for audio, voiced in readings if audio.start < 1 * RATE]
    assert len(question) > 1 and question == [False, *[True] * (len(question) - 1)]
    assert [voiced for audio, voiced in readings if audio.start > 3 * RATE] == [False], "over a reply it may be an echo"


def test_sound_without_words_is_not_answered():
    talk = Conversation(quiet(0.3), speech(0.5), quiet(2.0), words={440: ""})
    talk.run()
    assert talk.brain.turns == [] and talk.dialogue.turns.state.value == "idle"


def test_an_unplugged_loudspeaker_is_told_and_taken_up_again():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(6.0))
    talk.brain.enqueue(["It is a dog."])
    play, failures = talk.speaker.play, [DeviceError("the loudspeaker was unplugged")]

    def fails_once(chunk):
        if failures:
            raise failures.pop()
        play(chunk)

    talk.speaker.play = fails_once
    talk.run()
    assert [trouble["message"] for trouble in talk.all("trouble")] == [
        "the loudspeaker was unplugged", "the loudspeaker is back"
    ]  # fmt: skip
    assert talk.last("reply")["heard"] == "It is a dog."


def test_a_failing_brain_is_told_and_the_conversation_goes_on():
    class Failing(FakeBrain):
        def reply(self, turn):
            if not self.turns:
                self.turns.append(turn)
                raise ModelError("out of memory; lower brain.context")
            return super().reply(turn)

    talk = Conversation(quiet(0.3), speech(1.0), quiet(2.0), speech(1.0), quiet(2.0), brain=Failing())
    talk.brain.enqueue(["Here I am."])
    talk.run()
    assert talk.last("trouble") == {"message": "out of memory; lower brain.context"}
    assert talk.last("reply")["heard"] == "Here I am."


def test_what_is_typed_is_answered_whatever_goes_on():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(4.0), speech(1.0), quiet(3.0))
    talk.brain.enqueue(["This is a long answer that nobody hears to its end."], ["Four."], ["Five."])
    ask = lambda text, language="en": talk.dialogue.ask(Utterance(text, language))  # noqa: E731
    talk.ears.at = {70: lambda: ask("What is it?"), 197: lambda: ask("Und jetzt?", "de")}
    talk.run()
    first, second, third = talk.all("reply")
    assert first["question"] == "what is this" and first["interrupted"] and first["heard"] != first["text"]
    assert (second["question"], second["heard"], second["interrupted"]) == ("What is it?", "Four.", False)
    assert (third["question"], third["heard"]) == ("Und jetzt?", "Five."), "what was being said then is dropped"
    assert [turn.utterance.language for turn in talk.brain.turns] == ["en", "en", "de"]
    assert [message.text for message in talk.dialogue.history[-2:]] == ["Und jetzt?", "Five."]
    assert len(talk.all("reply")) == 3


def test_who_speaks_while_what_was_typed_is_answered_interrupts():
    talk = Conversation(quiet(1.0), speech(1.2), quiet(4.0))
    talk.brain.enqueue(["It is a very, very long story that begins here and goes on."], ["All right."])
    talk.ears.at = {3: lambda: talk.dialogue.ask(Utterance("Tell me a story."))}
    talk.run()
    told, heard = talk.all("reply")
    assert (told["question"], told["interrupted"]) == ("Tell me a story.", True)
    assert (heard["question"], heard["heard"]) == ("what is this", "All right.")
    assert "news" not in talk.names()


def test_a_typed_command_is_obeyed():
    talk = Conversation(quiet(3.0))
    talk.ears.at = {5: lambda: talk.dialogue.ask(Utterance("louder"))}
    talk.run()
    assert talk.last("order") == {"order": "louder"} and not talk.brain.turns


def test_push_to_talk():
    talk = Conversation(quiet(0.5), speech(1.0), quiet(3.0))
    talk.brain.enqueue(["Yes."])

    def hold():
        talk.dialogue.hands_free = False
        talk.dialogue.press()

    talk.ears.at = {1: hold, 50: lambda: talk.dialogue.release()}
    talk.run()
    assert talk.last("reply")["heard"] == "Yes."
    assert talk.when("thinking") == pytest.approx(50 * 0.032, abs=0.1)


def test_a_press_at_the_first_sound_of_a_reply_is_heard():
    """The old reply's task was woken already when it was dropped: it must not take the new question with it."""
    talk = Conversation(quiet(0.3), speech(1.0), quiet(1.0), speech(1.0), quiet(3.0))
    talk.brain.enqueue(["First."], ["Second."])

    def watch():
        began = talk.dialogue._playback.began
        begin = began.set

        def press_too():
            began.set = begin
            begin()
            talk.dialogue.press()

        began.set = press_too

    talk.ears.at = {1: watch, 110: lambda: talk.dialogue.release()}
    talk.run()
    assert talk.last("reply")["heard"] == "Second."
    assert len(talk.all("reply")) == 2


def test_a_failing_recogniser_is_told_and_the_conversation_goes_on():
    talk = Conversation(quiet(0.3), speech(0.4), quiet(3.0), speech(1.0), quiet(2.0))
    transcribe, failures = talk.recognizer.transcribe, [ModelError("the recogniser broke")]

    def fails_once(audio, options=None):
        if failures:
            raise failures.pop()
        return transcribe(audio, options)

    talk.recognizer.transcribe = fails_once
    talk.brain.enqueue(["Here I am."])
    talk.run()
    assert talk.all("trouble") == [{"message": "the recogniser broke"}]
    assert talk.last("reply")["heard"] == "Here I am."


def failing(work, at, error):
    """Return ``work``, which raises ``error`` in place of these calls (the first is 0); what was called is counted."""
    calls = itertools.count()

    def worked(*arguments, **named):
        if next(calls) in at:
            raise error
        return work(*arguments, **named)

    return worked


@pytest.mark.parametrize("at", [0, 1, 2], ids=["at the start", "when it forgets", "after a reply"])
def test_a_brain_that_cannot_read_ahead_is_told_and_the_conversation_goes_on(at):
    talk = Conversation(quiet(0.3), speech(0.4), quiet(2.0), speech(0.4), quiet(2.0))
    talk.brain.prepare = failing(talk.brain.prepare, {at}, ModelError("does not fit"))
    talk.ears.at = {1: lambda: talk.dialogue.forget()}
    talk.run()
    assert talk.all("trouble") == [{"message": "does not fit"}]
    assert talk.last("reply")["heard"] == "I have nothing to say." and len(talk.all("reply")) == 2


def test_a_recogniser_that_fails_over_a_reply_is_told_and_the_reply_goes_on():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(2.0), speech(0.4, 880), quiet(12.0),
                        words={440: "tell me a story", 880: "uh-huh"})  # fmt: skip
    talk.brain.enqueue(LONG)
    talk.ears.at = {
        90: lambda: setattr(
            talk.recognizer, "transcribe", failing(talk.recognizer.transcribe, {0}, ModelError("it broke"))
        )
    }
    talk.run()
    assert talk.all("trouble") == [{"message": "it broke"}]
    assert talk.last("reply")["heard"] == "".join(LONG) and not talk.last("reply")["interrupted"]


def test_eyes_and_cameras_that_fail_while_nobody_asks_are_told_once():
    talk = Conversation(quiet(6.0), camera=FakeCamera())
    talk.eyes.look = failing(talk.eyes.look, range(99), ModelError("the eyes broke"))
    talk.run()
    assert talk.all("trouble") == [{"message": "the eyes broke"}]
    talk = Conversation(quiet(6.0), camera=FakeCamera())
    talk.camera.frame = failing(talk.camera.frame, range(3), InputError("broken.jpg is no picture"))
    talk.run()
    assert [trouble["message"] for trouble in talk.all("trouble")] == ["broken.jpg is no picture", "the camera is back"]


def test_a_thousand_cancels_leave_no_thread_no_task_and_no_stale_sound():
    chance = random.Random(0)
    before = set(threading.enumerate())
    talk = Conversation(quiet(0.1))
    talk.speaker.instant = True
    replies = [[f"Reply {number} ", "goes on ", "and on, ", "until it ", "is stopped."] for number in range(1001)]
    talk.brain.enqueue(*replies)
    rest = []

    async def cancel_at_random():
        dialogue = talk.dialogue
        for number in range(1001):
            dialogue.press()
            for start in range(dialogue.turns.now, dialogue.turns.now + 4 * CHUNK, CHUNK):
                dialogue.hear(Sound(AudioChunk(tone(0.032), RATE, start), 1.0))
            dialogue.release()
            while number == 1000 and dialogue.turns.state is not State.IDLE:
                talk.loop.advance(0.02)
                await asyncio.sleep(0)
            for _ in range(chance.randrange(60)):
                talk.loop.advance(0.005)
                await asyncio.sleep(0)
        for _ in range(10):  # what follows a reply is read into the cache
            while dialogue.busy:  # noqa: ASYNC110 (virtual time: nothing else tells)
                await asyncio.sleep(0)
            await asyncio.sleep(0)
        rest.extend(task for task in asyncio.all_tasks() if "_reply" in repr(task) or "_recognise" in repr(task))
        dialogue.quit()

    talk.run(cancel_at_random)
    told = talk.all("reply")
    assert any(reply["interrupted"] for reply in told), (
        "some were cancelled while they were heard"
    )  # how many: the machine decides
    assert talk.brain.closed == len(talk.brain.turns), "every generation was closed"
    assert rest == [], "no task is left"
    assert set(threading.enumerate()) <= before, "no thread is left"
    last = told[-1]
    assert not last["interrupted"] and last["heard"] == last["text"] and last["text"]
    words = sum(len(clause) for clause in last["text"].split(", "))
    tail = talk.speaker.played_samples[-words * talk.voice.samples_per_character :]
    assert np.abs(tail).max() > 0.1


def test_a_scene_at_rest_is_looked_at_before_anybody_asks():
    light, dark = np.full((48, 64, 3), 200, np.uint8), np.full((48, 64, 3), 90, np.uint8)
    still = Conversation(quiet(4.5), camera=FakeCamera(light))
    still.run()
    assert len(still.eyes.looked) == 1 and still.brain.prepared[-1].percepts, "once, however long nothing changes"
    moving = Conversation(quiet(4.5), camera=FakeCamera(light, dark, light, dark, light, dark, light, dark))
    moving.run()
    assert moving.eyes.looked == [], "not while the camera moves"


def test_news_are_said_at_rest():
    talk = Conversation(quiet(4.0))
    talk.ears.at[2] = lambda: talk.dialogue.announce("The tea is ready.")
    talk.run()
    assert [reply["heard"] for reply in talk.all("reply")] == ["The tea is ready."]
    assert talk.dialogue.history == ()


def test_news_of_which_nothing_was_heard_are_said_after_the_reply():
    talk = Conversation(quiet(0.3), speech(1.0), quiet(6.0))

    def interrupt() -> None:
        talk.dialogue.announce("The tea is ready.")
        talk.dialogue.press()

    talk.ears.at[8] = interrupt
    talk.ears.at[41] = lambda: talk.dialogue.release()
    talk.run()
    assert [(reply["question"], reply["heard"]) for reply in talk.all("reply")] == [
        ("", ""), ("what is this", "I have nothing to say."), ("", "The tea is ready.")
    ]  # fmt: skip


def test_what_became_known_before_the_conversation_is_said_first():
    talk = Conversation(quiet(3.0), news=["It is time for tea."])
    talk.run()
    assert [reply["heard"] for reply in talk.all("reply")] == ["It is time for tea."]
    assert [news["message"] for news in talk.all("news")] == ["It is time for tea."]


@pytest.mark.parametrize("chunk", [20, 70], ids=["while one speaks", "in a reply"])
def test_news_wait_until_the_question_is_answered(chunk):
    talk = Conversation(quiet(0.3), speech(1.0), quiet(6.0))
    talk.ears.at[chunk] = lambda: talk.dialogue.announce("The tea is ready.")
    talk.run()
    first, second = talk.all("reply")
    assert first["question"] == "what is this" and second["heard"] == "The tea is ready."
    assert not talk.all("interrupted")


def test_news_can_be_interrupted_and_repeated():
    talk = Conversation(quiet(2.0), speech(1.0), quiet(3.0), speech(0.5, 880), quiet(4.0),
                        words={440: "what is this", 880: "repeat that"})  # fmt: skip
    talk.ears.at[50] = lambda: talk.dialogue.announce("The tea is ready, and so are the cakes in the oven.")
    talk.run()
    first = talk.all("reply")[0]
    assert first["interrupted"] and len(first["heard"]) < len(first["text"])
    assert talk.all("reply")[1]["question"] == "what is this"
