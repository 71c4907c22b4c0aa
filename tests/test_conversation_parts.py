"""The parts of a conversation that need no conversation: judgement, orders, frames, lanes, playback, ears."""

import asyncio
import dataclasses
import locale
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import rich
from PIL import Image, ImageDraw, ImageFont

from assistant.backends.words_turn import DANGLING, OPEN, SHORT_ANSWER, UNSTOPPED, WHOLE, WordsTurn
from assistant.cli.terminal import LiveView, PlainView
from assistant.ears import CALM, DOZING, Ears
from assistant.errors import DeviceError
from assistant.frames import FrameRing, moment_of
from assistant.judging import Judges, combined, is_usual
from assistant.listening import (
    COMMANDED,
    COMMANDS,
    GUESSED,
    INTERJECTIONS,
    SURE_AFTER_ALL,
    SURE_ENOUGH,
    SURE_ORDER,
    Listener,
    native,
    words_over_reply,
)
from assistant.looking import Gaze
from assistant.orders import Order, is_order, order_in
from assistant.pacing import PacedSpeaker
from assistant.playback import Playback
from assistant.plugins import Plugins
from assistant.relay import BELIEVED
from assistant.streams import Channel, Lane, Urgency, flow
from assistant.talking import converse
from assistant.tools import Toolbox
from assistant.turns import RATE, Patience, is_backchannel
from assistant.types import AudioChunk, Frame, Utterance
from assistant.utterance import Hearing, respelled
from assistant.voices import Voices

from .fakes import (
    FakeActivity,
    FakeBrain,
    FakeCamera,
    FakeEchoCanceller,
    FakeEyes,
    FakeMicrophone,
    FakeReader,
    FakeRecognizer,
    FakeSpeaker,
    FakeTurnDetector,
    FakeVoice,
    VirtualClock,
    silence,
    tone,
)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("What is this?", WHOLE),
        ("How many people are there?", WHOLE),
        ("Tell me about the dog in the picture.", WHOLE),
        ("Wie spät ist es?", WHOLE),
        ("Who wrote the play Romeo and Juliet.", WHOLE),
        ("What happened to the Titanic.", WHOLE),
        ("which team won the cup in 2014.", WHOLE),
        ("Read this, please.", WHOLE),
        ("Please.", SHORT_ANSWER),
        ("Put the milk on the list.", WHOLE),
        ("Who wrote the", DANGLING),
        ("Who the hell.", OPEN),
        ("What is the cap", UNSTOPPED),
        ("What is the", DANGLING),
        ("Can you tell me", DANGLING),
        ("Set a timer for", DANGLING),
        ("He went down to the river.", OPEN),
        ("When he came home", OPEN),
        ("Yes, please.", SHORT_ANSWER),
        ("Tell me what this is.", WHOLE),
        ("Please find out where my red keys are.", WHOLE),
        ("Tell me what this is", DANGLING),
        ("Tell me what colour is.", DANGLING),
        ("Tell me what is.", DANGLING),
    ],
)
def test_words_tell_a_whole_question(text, expected, settings):
    silent = AudioChunk(silence(1), 16_000)
    assert WordsTurn(settings, None).finished(silent, text) == expected


def test_an_unfinished_list_and_no_words_are_waited_for(settings):
    detector = WordsTurn(settings, None)
    silent = AudioChunk(silence(1), 16_000)
    assert detector.finished(silent, "I need eggs, milk,") < 0.2
    assert detector.finished(silent, "") == 0.0


def test_sound_and_words_together_decide():
    wait = Patience().wait
    second = 16_000
    assert wait(combined([0.95, WHOLE])) < 0.3 * second, "finished in sound and words"
    assert wait(combined([0.05, WHOLE])) < 0.7 * second, "a short question that sounds unfinished"
    assert wait(combined([0.99, OPEN])) > 1.2 * second, "a story's pause is no end"
    assert wait(combined([0.99, DANGLING])) > 1.5 * second
    assert combined([0.3]) == 0.3


def test_the_language_model_can_only_lower_a_judgement(settings):
    judges = Judges([WordsTurn(settings, None)])
    assert judges.foreseen(0.9, [0.9], "", None) == 0.9
    assert judges.foreseen(0.9, [0.9], "", 0.99) == 0.9
    assert judges.foreseen(0.9, [0.9], "", 0.002) < 0.05
    assert judges.foreseen(0.3, [], "", 0.99) == 0.3
    assert judges.foreseen(0.97, [], "", 0.3) < judges.foreseen(0.97, [0.98], "", 0.3)


@pytest.mark.parametrize(
    "text",
    "What is this?|What does it say?|Can you read this?|Could you please read it to me?|How many people are there?|"
    "Who is that?|How much does it cost?|Is there a chair?|Are there any cars?|Can you tell me what this is?|"
    "What's the total?|Read this, please.|How far is it?|Hey, what colour is it?|Which one is bigger?".split("|"),
)
def test_a_usual_request_that_sounds_finished_is_not_waited_for(text, settings):
    """A language model would make it longer: "How many people are there in the world?"."""
    judges = Judges([WordsTurn(settings, None)])
    finished = judges.judge([], AudioChunk(silence(1), RATE), text)
    assert Patience().wait(judges.foreseen(finished, [0.7], text, 0.01)) < 0.3 * RATE
    assert Patience().wait(judges.foreseen(finished, [0.02], text, 0.01)) > 1.0 * RATE, "the voice goes on"


@pytest.mark.parametrize("text", ["What does it say on the", "What is the", "Can you read the", "Is there", ""])
def test_the_beginning_of_a_request_is_no_usual_one(text):
    assert not is_usual(text)


@pytest.mark.parametrize("text", ["Wait.", "Too fast", "A bit slower", "Stop."])
def test_an_order_is_waited_for_no_longer_than_a_whole_sentence(text, settings):
    judges = Judges([WordsTurn(settings, None)])
    finished = judges.judge([], AudioChunk(silence(1), RATE), text)
    assert Patience().wait(finished) == Patience().quick * RATE


@pytest.mark.parametrize(
    "text, order",
    [
        ("Stop.", Order.STOP),
        ("Okay, stop, please.", Order.STOP),
        ("Stop! Stop!", Order.STOP),
        ("Never mind. Never mind.", Order.STOP),
        ("Stop. Louder.", None),
        ("Cancel that.", Order.STOP),
        ("Pause", Order.PAUSE),
        ("Could you repeat that?", None),
        ("Repeat that, please.", Order.REPEAT),
        ("A bit slower please", Order.SLOWER),
        ("A little too fast.", Order.SLOWER),
        ("A bit quiet", None),
        ("Slower, please.", Order.SLOWER),
        ("Louder!", Order.LOUDER),
        ("Turn the volume up.", Order.LOUDER),
        ("Not so loud, please.", Order.QUIETER),
        ("Forget everything.", Order.FORGET),
        ("Bitte etwas lauter!", Order.LOUDER),
        ("Noch einmal, bitte.", Order.REPEAT),
        ("Vergiss alles, was ich gesagt habe.", Order.FORGET),
        ("Parle plus lentement, s'il te plaît.", Order.SLOWER),
        ("Arrête !", Order.STOP),
        ("Más despacio, por favor.", Order.SLOWER),
        ("Espera.", Order.PAUSE),
        ("Ripeti, per favore.", Order.REPEAT),
        ("Più forte.", Order.LOUDER),
        ("Forget it was me", None),
        ("Lower the volume", Order.QUIETER),
        ("Stop the music in the kitchen", None),
        ("", None),
    ],
)
def test_orders(text, order):
    assert order_in(text) is order


def picture(value, sharp=False):
    pixels = np.full((60, 80, 3), value, np.uint8)
    if sharp:
        pixels[::4] = 255 - value
    return pixels


def test_the_sharpest_frame_around_the_moment_is_taken():
    ring = FrameRing()
    for second, sharp in ((1.0, False), (2.0, False), (2.3, True), (4.0, True)):
        ring.add(Frame(picture(100, sharp), second))
    assert ring.at(2.0).frame.time == 2.3
    assert ring.at(9.0).frame.time == 4.0, "the nearest where none is near"
    ring.add(Frame(picture(100), 30.0))
    assert ring.at(2.0).frame.time == 30.0, "old frames are forgotten"
    assert FrameRing().at(1.0) is None


def test_a_scene_is_the_same_until_something_changes():
    ring = FrameRing()
    for second, value in ((1.0, 100), (2.0, 103), (9.0, 180)):
        ring.add(Frame(picture(value), second))
    first, second, third = ring.at(1.0), ring.at(2.0), ring.at(9.0)
    assert first.same_scene(second) and not first.same_scene(third)


def page(text):
    """Return a sheet of white paper with lines of writing, (480, 640, 3)."""
    sheet = Image.new("RGB", (640, 480), "white")
    ImageDraw.Draw(sheet).multiline_text((40, 40), text.replace(". ", ".\n"), "black", ImageFont.load_default(24))
    return np.asarray(sheet)


LETTER = page("Dear Ms Miller, your appointment is on Monday. Please bring your insurance card. Yours, Doctor Brown.")
INVOICE = page("Invoice number 4711. The amount of 230 euros is due in June. Please transfer it to the account below.")


def test_another_page_or_thing_is_another_scene_but_noise_light_and_a_shaking_hand_are_not():
    thing = LETTER.copy()
    thing[360:460, 480:620] = 90
    noise = np.random.default_rng(0).normal(0, 8, LETTER.shape)
    noisy, darker = np.clip(LETTER + noise, 0, 255).astype(np.uint8), (LETTER * 0.97).astype(np.uint8)
    ring = FrameRing()
    shown = (LETTER, INVOICE, thing, noisy, darker, np.roll(LETTER, 3, axis=1))
    for second, pixels in enumerate(shown):
        ring.add(Frame(pixels, float(second)))
    letter, *others = (ring.at(float(second)) for second in range(len(shown)))
    assert [letter.same_scene(other) for other in others] == [False, False, True, True, True]


def test_what_a_question_asks_of_a_resting_scene_is_asked_of_its_newest_frame(settings):
    eyes, reader, lane = FakeEyes(), FakeReader(), Lane("test")
    stages = SimpleNamespace(settings=settings, eyes=eyes, fuser=None, readers={"rapidocr": reader})
    gaze = Gaze(stages, FakeCamera(), lane, lambda name, **details: None)

    async def main():
        for second in (1.0, 2.0):
            gaze._ring.add(Frame(LETTER, second))
            await gaze.look(second)
        return await gaze.about("Read this to me.")

    try:
        frame, percept = asyncio.run(main())
    finally:
        gaze.close()
        lane.close()
    assert frame.time == percept.time == 2.0
    assert len(eyes.looked) == 1 and reader.calls == 1


def test_what_stays_before_the_camera_is_as_old_as_its_newest_frame(settings):
    """And what was taken away is as old as the last frame that showed it."""
    eyes, lane, clock, ticked = FakeEyes(), Lane("test"), [0.0], asyncio.Event()
    shown = [LETTER]
    camera = SimpleNamespace(frame=lambda: Frame(shown[0]))
    gaze = Gaze(
        SimpleNamespace(settings=settings, eyes=eyes, fuser=None, readers={}), camera, lane, lambda *a, **k: None
    )

    def now():
        clock[0] += 1.0
        ticked.set()
        return clock[0]

    async def until(moment):
        while clock[0] < moment:
            ticked.clear()
            await ticked.wait()

    async def look():
        await gaze.look(clock[0])

    async def main():
        watching = asyncio.create_task(gaze.watch(now, lambda: True, look))
        await until(1.0)
        await look()
        await until(4.0)
        still = gaze.percepts[0].time
        shown[0] = 255 - LETTER
        await until(7.0)
        watching.cancel()
        return still, gaze.percepts[0].time

    try:
        still, away = asyncio.run(main())
    finally:
        gaze.close()
        lane.close()
    assert still >= 3.0
    assert still <= away <= 5.0
    assert len(eyes.looked) == 1


@pytest.mark.parametrize(
    ("earlier", "later", "text"),
    [
        ("What should I", "what should i wear", "What should I wear"),
        ("How many?", "How many legs", "How many legs"),
        ("The read", "the red car", "The red car"),
        ("", "Hello there", "Hello there"),
        ("One two three", "one two", "One two"),
    ],
)
def test_a_capital_letter_is_no_other_word(earlier, later, text):
    assert respelled(earlier, later) == text


def test_this_is_pointed_at_when_it_is_said():
    assert moment_of("what is this thing on the table", 10.0, 13.0) == pytest.approx(11.0, abs=0.2)
    assert moment_of("how are you", 10.0, 13.0) == 13.0


def test_urgent_work_goes_first_and_one_at_a_time():
    async def main():
        lane, order = Lane("test"), []
        gate = threading.Event()
        blocking = asyncio.create_task(lane.run(Urgency.THOUGHT, gate.wait))
        await asyncio.sleep(0)
        jobs = [
            asyncio.create_task(lane.run(urgency, lambda urgency=urgency: order.append(urgency)))
            for urgency in (Urgency.THOUGHT, Urgency.VOICE, Urgency.EAR)
        ]
        await asyncio.sleep(0)
        urged = [lane.urged(urgency) for urgency in (Urgency.THOUGHT, Urgency.VOICE, Urgency.EAR)]
        gate.set()
        await asyncio.gather(blocking, *jobs)
        lane.close()
        return order, urged, lane.urged(Urgency.EXIT)

    order = [Urgency.EAR, Urgency.VOICE, Urgency.THOUGHT]
    assert asyncio.run(main()) == (order, [True, True, False], False)


def test_a_clause_is_spoken_before_the_next_token_is_thought_of():
    async def scenario():
        lane, order = Lane("test"), []
        clauses: Channel[str] = Channel(4)

        def steps(name, count):
            for number in range(count):
                order.append(f"{name} {number}")
                time.sleep(0.005)
                yield f"{name} {number}"

        async def think():
            async for token in lane.iterate(Urgency.THOUGHT, lambda: steps("token", 4)):
                if token == "token 1":
                    await clauses.put(token)
            clauses.close()

        async def speak():
            async for _ in clauses:
                async for _ in lane.iterate(Urgency.VOICE, lambda: steps("sound", 1)):
                    pass

        await asyncio.gather(speak(), think())
        lane.close()
        return order

    for _ in range(10):
        assert asyncio.run(scenario()) == ["token 0", "token 1", "sound 0", "token 2", "token 3"]


def test_a_draft_that_heard_all_and_is_no_guess_is_not_read_again():
    hearing = Hearing(0)
    assert not hearing.knows(0)
    hearing.read, hearing.until = Utterance("What is this?", confidence=BELIEVED), 16_000
    assert hearing.knows(16_000) and not hearing.knows(16_001)
    hearing.read = Utterance("What is this?", confidence=BELIEVED - 0.01)
    assert not hearing.knows(16_000)


def test_cancelled_work_never_begins_and_an_iterator_is_closed():
    closed, ran = [], []

    def numbers():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    async def main():
        lane = Lane("test")
        gate = threading.Event()
        blocking = asyncio.create_task(lane.run(Urgency.EAR, gate.wait))
        await asyncio.sleep(0)
        task = asyncio.create_task(lane.run(Urgency.EAR, lambda: ran.append(1)))
        await asyncio.sleep(0)
        task.cancel()
        gate.set()
        await blocking
        numbers_seen = []
        stream = lane.iterate(Urgency.THOUGHT, numbers)
        async for number in stream:
            numbers_seen.append(number)
            if number == 2:
                break
        await stream.aclose()
        await lane.run(Urgency.EXIT, lambda: None)
        lane.close()
        return numbers_seen

    assert asyncio.run(main()) == [0, 1, 2]
    assert closed == [True] and ran == []


def test_a_blocking_iterator_flows_and_its_error_arrives():
    def source():
        yield 1
        yield 2
        raise DeviceError("unplugged")

    async def main():
        seen = []
        with pytest.raises(DeviceError, match="unplugged"):
            async for item in flow(source()):
                seen.append(item)
        return seen

    assert asyncio.run(main()) == [1, 2]


def test_a_channel_is_bounded_and_ends_like_an_iterator():
    async def main():
        channel, put = Channel(2), []

        async def produce():
            for number in range(5):
                await channel.put(number)
                put.append(number)
            channel.close()

        task = asyncio.create_task(produce())
        for _ in range(10):
            await asyncio.sleep(0)
        assert put == [0, 1]
        got = [item async for item in channel]
        await task
        return got

    assert asyncio.run(main()) == [0, 1, 2, 3, 4]


def test_heard_counts_whole_words_only():
    async def main():
        speaker = FakeSpeaker(instant=False)
        playback = Playback(speaker)
        feeding = asyncio.create_task(playback.run())
        playback.add(None, "one two three four", AudioChunk(tone(1.8), 16_000))
        await playback.began.wait()
        heard = {}
        for seconds in (0.0, 0.5, 0.5):
            while playback._sent - playback.position < 0.25 * 16_000:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            for _ in range(int(seconds * 50)):
                speaker.advance(320)
                while playback._sent - playback.position < 0.25 * 16_000 and playback._sent < playback._length:  # noqa: ASYNC110
                    await asyncio.sleep(0.002)
            heard[round(playback.position / 16_000, 1)] = playback.heard()
        said = playback.stop()
        feeding.cancel()
        playback.close()
        return heard, said

    heard, said = asyncio.run(main())
    assert heard[0.0] == "" and heard[0.5] == "one" and heard[1.0] == said == "one two"


def test_a_chime_between_two_clauses_neither_holds_up_the_reply_nor_counts_as_heard():
    class Ringing(FakeSpeaker):
        """Takes its time over what it drains."""

        over = threading.Event()

        def drain(self):
            self.over.wait(10)
            return super().drain()

    async def main():
        speaker = Ringing()
        playback = Playback(speaker)
        feeding = asyncio.create_task(playback.run())

        async def all_sent():
            while playback.active:  # noqa: ASYNC110
                await asyncio.sleep(0.002)

        playback.add(None, "one two", AudioChunk(tone(1.0), 16_000))
        await all_sent()
        ringing = asyncio.create_task(playback.chime(AudioChunk(tone(0.25), 16_000)))
        await asyncio.sleep(0.02)
        playback.add(None, "three four", AudioChunk(tone(1.0), 16_000))
        await asyncio.sleep(0.02)
        before, during = playback.position, playback.heard()
        speaker.over.set()
        await ringing
        await asyncio.wait_for(all_sent(), 5)
        after = playback.position
        await playback.chime(AudioChunk(tone(0.25), 16_000))
        rung = len(speaker.played_samples) - after
        said = playback.stop()
        feeding.cancel()
        playback.close()
        return before, during, after, rung, said

    seconds = 16_000
    assert asyncio.run(main()) == (seconds, "one two", 2 * seconds, seconds // 2, "one two three four")


def test_a_paced_speaker_takes_its_time_and_hands_on_what_was_played():
    clock, inner = VirtualClock(), FakeSpeaker()
    speaker = PacedSpeaker(inner, clock.now)
    speaker.play(AudioChunk(tone(1.0), 16_000))
    clock.advance(0.25)
    assert speaker.played == 4000 and len(inner.played_samples) == 4000
    assert speaker.stop() == 4000
    clock.advance(5)
    assert speaker.played == 0 and len(inner.played_samples) == 4000


def test_ears_cut_chunks_for_the_detector_and_give_the_echo_canceller_its_reference():
    echo = FakeEchoCanceller()
    microphone = FakeMicrophone(silence(0.2), tone(0.2), silence(0.2))
    ears = Ears(microphone, FakeActivity(), echo)
    ears.played(AudioChunk(tone(0.1, 22_050), 22_050))
    sounds = list(ears.sounds())
    assert {len(sound.chunk.samples) for sound in sounds} == {512}
    assert [sound.chunk.start for sound in sounds] == list(range(0, 512 * len(sounds), 512))
    assert {sound.probability for sound in sounds} == {0.0, 1.0}
    loud = [chunk for chunk in echo.references if chunk.samples.any()]
    assert 8 <= len(loud) <= 10, "100 ms of the reply, in frames of 10 ms"


def test_ears_doze_in_a_long_silence_and_wake_at_a_voice_or_a_reply():
    microphone = FakeMicrophone(silence(3.0), tone(1.0), silence(3.0))
    listened: list[int] = []

    class Activity(FakeActivity):
        def probability(self, chunk):
            listened.append(round(microphone.clock.now() * RATE))
            return super().probability(chunk)

    ears = Ears(microphone, Activity())
    sounds = list(ears.sounds())
    assert [sound.chunk.start for sound in sounds] == list(range(0, 512 * len(sounds), 512))
    late = [given - sound.chunk.start - 512 for given, sound in zip(listened, sounds, strict=True)]
    assert max(late[: CALM // 512]) < 512, "awake at first"
    assert 2 * 512 < max(late[CALM // 512 : 3 * RATE // 512]) <= DOZING * 512, "then it dozes"
    awake = [wait for wait, sound in zip(late, sounds, strict=True) if 3.2 < sound.chunk.start / RATE < 5.9]
    assert max(awake) < 512, "the voice woke it"
    ears = Ears(FakeMicrophone(silence(3.0)), FakeActivity())
    for _ in ears.sounds():
        ears.played(AudioChunk(tone(0.01), RATE))
    assert ears._calm < 2 * 512


def test_an_unplugged_microphone_is_told_and_taken_up_again(monkeypatch):
    monkeypatch.setattr("assistant.ears.RETRY", 0.0)
    microphone = FakeMicrophone(tone(0.5))
    microphone.failures[3200] = DeviceError("the microphone was unplugged")
    told = []
    ears = Ears(microphone, FakeActivity(), trouble=told.append)
    assert sum(len(sound.chunk.samples) for sound in ears.sounds()) >= 15 * 512
    assert told == ["the microphone was unplugged", "the microphone is back"]


def test_what_plugins_tell_reaches_the_conversation_from_their_thread_and_hurts_nobody_after_its_end(settings, capsys):
    told = Plugins(settings)
    made = {"vad": FakeActivity, "turn": FakeTurnDetector}
    kit = SimpleNamespace(
        settings=settings, plugins=told, make=lambda kind, name: made[kind](), recognizer=FakeRecognizer(),
        live_recognizer=FakeRecognizer(), brain=FakeBrain(), voices=Voices(settings, lambda _: FakeVoice()),
        readers={}, toolbox=Toolbox({}, 1.0),
    )  # fmt: skip
    plain, live, happened = PlainView(), LiveView(), []

    def observe(happening):
        plain(happening)
        live(happening)
        happened.append(happening)
        if happening.name == "ready":
            worker = threading.Thread(target=told.news, args=("The tea is ready.",))
            worker.start()
            worker.join()

    dialogue = converse(kit, FakeMicrophone(silence(0.5)), FakeSpeaker(), observers=[observe], echo=False)
    asyncio.run(dialogue.run())
    told.news("Nobody is there any more.")
    assert [one.details for one in happened if one.name == "news"] == [
        {"message": "The tea is ready.", "failed": False}
    ]
    assert capsys.readouterr().out == "News: The tea is ready.\n"
    rich.print(live)
    assert "The tea is ready." in capsys.readouterr().out


@pytest.mark.parametrize("listened_to", [True, False])
def test_plugins_tell_what_earlier_conversations_left_only_to_somebody_who_listens(settings, listened_to):
    settings = dataclasses.replace(
        settings,
        talk=dataclasses.replace(settings.talk, echo="off"),
        audio=dataclasses.replace(settings.audio, earcons=False),
    )
    plugins = Plugins(settings)
    plugins.news.began.append(lambda: plugins.news("It was time for tea."))
    made = {"vad": FakeActivity, "turn": FakeTurnDetector}
    kit = SimpleNamespace(
        settings=settings, plugins=plugins, make=lambda kind, name: made[kind](), recognizer=FakeRecognizer(),
        live_recognizer=FakeRecognizer(), brain=FakeBrain(), voices=Voices(settings, lambda _: FakeVoice()),
        readers={}, toolbox=Toolbox({}, 1.0),
    )  # fmt: skip
    happened = []
    dialogue = converse(kit, FakeMicrophone(silence(0.5)), FakeSpeaker(), observers=[happened.append], echo=listened_to)
    asyncio.run(dialogue.run())
    assert [one.details["heard"] for one in happened if one.name == "reply"] == ["It was time for tea."] * listened_to


@pytest.mark.parametrize(
    "text, confidence, expected",
    [
        ("Mama.", SURE_ENOUGH - 0.01, ""),
        ("Mama.", SURE_ENOUGH, "Mama."),
        ("Stop!", SURE_ORDER, "Stop!"),
        ("Stop!", SURE_ORDER - 0.01, ""),
        ("", 0.9, ""),
    ],
)
def test_a_guess_over_a_reply_is_no_word_and_an_order_is_believed_sooner(text, confidence, expected):
    assert words_over_reply(Utterance(text, confidence=confidence)) == expected


@pytest.mark.parametrize(
    "before, text, confidence, expected",
    [
        ("Mm-hmm.", "In a month.", SURE_AFTER_ALL - 0.01, ""),
        ("Mm-hmm.", "In a month.", SURE_AFTER_ALL, "In a month."),
        ("Mm-hmm.", "Mm-hmm, but why?", SURE_ENOUGH, "Mm-hmm, but why?"),
        ("Mm-hmm.", "Stop.", SURE_ORDER, "Stop."),
        ("In a", "In a month.", SURE_ENOUGH, "In a month."),
        ("", "In a month.", SURE_ENOUGH, "In a month."),
    ],
)
def test_what_began_as_a_back_channel_must_be_surer_to_be_something_else(before, text, confidence, expected):
    assert words_over_reply(Utterance(text, confidence=confidence), before) == expected


def test_only_english_ears_are_told_what_people_say_while_they_listen():
    """A hint in English would have another language read as English."""

    async def hints(language):
        recognizer = FakeRecognizer("hm")
        lane = Lane("test")
        listener = Listener(recognizer, lane, language, translate=False)
        listener.take(AudioChunk(tone(1.0), RATE, 0))
        await listener.read(0, RATE)
        await listener.words_over_reply(0, RATE)
        recognizer.enqueue(Utterance("Was ist das?", language="de"))
        await listener.read(0, RATE)
        await listener.words_over_reply(0, RATE)
        lane.close()
        return [(options.language, options.hint) for options in recognizer.options]

    assert asyncio.run(hints("en")) == [("en", ""), ("en", INTERJECTIONS), ("en", ""), (None, "")]


def test_the_language_of_an_utterance_is_likely_for_the_next_one(monkeypatch):
    """What is taken for another language at first is not to hold for the rest of the same utterance."""
    monkeypatch.setattr(locale, "getlocale", lambda: ("de_AT", "UTF-8"))

    async def likely():
        recognizer = FakeRecognizer()
        lane = Lane("test")
        listener = Listener(recognizer, lane, "auto", translate=False)
        listener.take(AudioChunk(tone(6.0), RATE, 0))
        for start, text, language, confidence in (
            (0, "Que", "es", 0.9),
            (0, "Che ore sono?", "it", 0.9),
            (RATE, "Hm", "cy", 0.1),
            (2 * RATE, "What time is it?", "en", 0.9),
            (3 * RATE, "And in Paris?", "en", 0.9),
        ):
            recognizer.enqueue(Utterance(text, language, confidence=confidence))
            await listener.read(start, start + RATE)
        await listener.words_over_reply(0, RATE)
        lane.close()
        return [options.likely for options in recognizer.options]

    assert asyncio.run(likely()) == ["de", "de", "it", "it", "", ""]


@pytest.mark.parametrize(
    ("settings", "language"), [("fr_FR", "fr"), ("en_US", ""), ("C", ""), (None, ""), ("German_Germany", "")]
)
def test_the_language_of_the_computer(monkeypatch, settings, language):
    monkeypatch.setattr(locale, "getlocale", lambda: (settings, None))
    assert native() == language


def test_voice_commands_are_expected_over_a_reply_and_in_short_turns():
    async def expected():
        recognizer = FakeRecognizer("hm")
        lane = Lane("test")
        listener = Listener(recognizer, lane, "en", translate=False)
        listener.take(AudioChunk(tone(3.0), RATE, 0))
        await listener.words_over_reply(0, RATE)
        await listener.read(0, RATE)
        await listener.read(0, RATE, draft=True)
        await listener.read(0, 2 * RATE)
        lane.close()
        return [bool(options.expected and options.expected("Louder, please.")) for options in recognizer.options]

    assert asyncio.run(expected()) == [True, True, False, False]


@pytest.mark.parametrize(
    "guess, again, seconds, expected",
    [
        (Utterance("Baster.", confidence=GUESSED - 0.01), Utterance("Faster.", confidence=COMMANDED), 1.0, "Faster."),
        (Utterance("Baster.", confidence=GUESSED - 0.01), Utterance("Faster.", confidence=0.4), 1.0, "Baster."),
        (Utterance("Baster.", confidence=GUESSED - 0.01), Utterance("Master.", confidence=0.9), 1.0, "Baster."),
        (Utterance("Buster.", confidence=GUESSED), Utterance("Faster.", confidence=0.9), 1.0, "Buster."),
        (Utterance("Buster is it.", confidence=0.2), Utterance("Faster.", confidence=0.9), 2.0, "Buster is it."),
        (Utterance("Faster.", confidence=0.4), Utterance("Slower.", confidence=0.9), 1.0, "Faster."),
        (Utterance("Bester.", confidence=0.4, language="de"), Utterance("Faster."), 1.0, "Bester."),
        (Utterance("", confidence=0.1), Utterance("Faster.", confidence=0.9), 1.0, ""),
    ],
)
def test_a_guess_at_a_short_turn_may_be_a_command_after_all(guess, again, seconds, expected):
    async def read():
        recognizer = FakeRecognizer()
        recognizer.enqueue(guess, again)
        lane = Lane("test")
        listener = Listener(recognizer, lane, guess.language, translate=False)
        listener.take(AudioChunk(tone(3.0), RATE, 0))
        utterance = await listener.read(0, int(seconds * RATE))
        lane.close()
        return utterance.text, [options.hint for options in recognizer.options]

    text, hints = asyncio.run(read())
    assert text == expected
    assert hints in ([""], ["", COMMANDS])


def test_the_commands_that_are_hinted_at_are_commands():
    assert [said for said in COMMANDS.rstrip(".").split(". ") if not is_order(said)] == ["Yeah"]


def test_the_hint_names_nothing_that_would_stop_a_reply():
    assert all(is_backchannel(said) for said in INTERJECTIONS.split("."))
