"""A question is answered in a straight line, here with fakes of every stage."""

import dataclasses
import json
import types

import numpy as np
import pytest
from PIL import Image

from assistant import sound
from assistant.ask import LONGEST, NOT_HEARD, Asker, Question
from assistant.cli import App, main
from assistant.errors import InputError
from assistant.percepts import wanted_readers
from assistant.tools import Tool, Toolbox
from assistant.types import AudioChunk, Box, Frame, TextRegion, ToolCall, Utterance
from assistant.voices import Voices

from .fakes import RATE, FakeBrain, FakeEyes, FakeReader, FakeRecognizer, FakeVoice, silence, tone


def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@pytest.fixture
def kit(settings):
    region = TextRegion("EXIT", Box(0, 0, 1, 1), 0.9)
    voice = FakeVoice()
    return types.SimpleNamespace(
        settings=settings,
        recognizer=FakeRecognizer("what is this"),
        eyes=FakeEyes(("dog", 0.9)),
        fuser=None,
        brain=FakeBrain(),
        voices=Voices(settings, lambda _: voice),
        readers={"rapidocr": FakeReader(region), "zxing": FakeReader()},
        toolbox=Toolbox({"double": Tool.of(double)}, 1.0),
    )


@pytest.fixture
def files(tmp_path):
    sound.write(tmp_path / "question.wav", [AudioChunk(tone(1.0), RATE)])
    sound.write(tmp_path / "quiet.wav", [AudioChunk(silence(1.0), RATE)])
    Image.new("RGB", (64, 48), (200, 30, 30)).save(tmp_path / "photo.png")
    return tmp_path


def test_heard_saw_and_said(kit, files):
    kit.brain.enqueue(["It is", " a dog."])
    answer = Asker(kit).ask(Question(audio=files / "question.wav", image=files / "photo.png", say=files / "answer.wav"))
    assert answer.utterance.text == "what is this"
    assert answer.percept.labels[0].label == "dog"
    assert answer.reply == "It is a dog."
    (turn,) = kit.brain.turns
    assert turn.utterance.text == "what is this" and turn.percepts == (answer.percept,)
    assert sound.read(files / "answer.wav").seconds == pytest.approx(sum(map(len, kit.voices.usual.spoken)) / 50)
    assert all(seconds is not None for seconds in answer.timings.values())


def test_text_only_has_no_percept_and_no_sound(kit):
    answer = Asker(kit).ask(Question(text="Hello?"))
    assert answer.utterance is None and answer.percept is None and kit.voices.usual.spoken == []
    assert kit.brain.turns[0].percepts == ()
    assert answer.timings["asr_s"] is None and answer.timings["first_audio_s"] is None


def test_silence_is_told_and_the_model_is_not_asked(kit, files):
    answer = Asker(kit).ask(Question(audio=files / "quiet.wav", say=files / "answer.wav"))
    assert answer.reply == NOT_HEARD and kit.brain.turns == []
    assert kit.voices.usual.spoken and (files / "answer.wav").is_file()


def test_a_tool_runs_and_its_result_reaches_the_model(kit):
    kit.brain.enqueue([ToolCall("double", {"number": 21})], ["It is 42."])
    answer = Asker(kit).ask(Question(text="What is twice 21?"))
    assert [result.result for result in answer.results] == [42]
    assert kit.brain.turns[1].results == answer.results and answer.reply == "It is 42."


def test_text_is_read_only_when_asked_for(kit, files):
    asker = Asker(kit)
    assert asker.ask(Question(text="What animal is it?", image=files / "photo.png")).percept.text is None
    assert asker.ask(Question(text="What does the sign say?", image=files / "photo.png")).percept.text == "EXIT"


@pytest.mark.parametrize(
    ("question", "language", "probability", "times"),
    [
        ("Which shop is this from?", "en", 0.1, 1),  # a page has no name
        ("Von wem ist das hier?", "de", 0.1, 1),
        ("Which shop is this from?", "en", 0.9, 0),
        ("What is the capital of France?", "en", 0.1, 0),
    ],
)
def test_where_nothing_has_a_name_what_is_written_may_tell(kit, question, language, probability, times):
    kit.eyes = FakeEyes(("dog", probability))
    seen = Asker(kit).look(Frame(np.ones((8, 8, 3), np.uint8)), question, language)
    assert kit.readers["rapidocr"].calls == times
    assert (seen.text is not None) == bool(times)


@pytest.mark.parametrize(
    ("question", "readers"),
    [
        ("What colour is the dog?", []),
        ("Can you read this to me?", ["rapidocr"]),
        ("What is the total on this receipt?", ["rapidocr"]),
        ("Scan the QR code.", ["zxing"]),
        ("How many people are there?", []),
    ],
)
def test_wanted_readers(question, readers):
    assert wanted_readers(question) == readers


def test_a_lecture_is_no_question(kit, files):
    sound.write(files / "long.wav", [AudioChunk(silence(LONGEST + 1, 8000), 8000)])
    with pytest.raises(InputError, match=r"minutes long.*assistant transcribe"):
        Asker(kit).ask(Question(audio=files / "long.wav"))


def test_nothing_asked(kit):
    with pytest.raises(InputError, match="nothing is asked"):
        Asker(kit).ask(Question())
    with pytest.raises(InputError, match="empty"):
        Asker(kit).ask(Question(text="  "))


@pytest.fixture
def command(kit, monkeypatch):
    monkeypatch.setattr(App, "kit", kit)
    return lambda *arguments: main(["ask", *map(str, arguments)])


def test_json_is_one_object(command, kit, files, capsys):
    kit.brain.enqueue(["A dog."])
    assert command("--audio", files / "question.wav", "--image", files / "photo.png", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["id", "heard", "language", "sounds", "saw", "reply", "say", "tools", "timings", "models"]
    assert printed["heard"] == "what is this" and printed["reply"] == "A dog."
    assert printed["saw"]["labels"] == [{"label": "dog", "probability": 0.9, "place": "centre"}]
    assert list(printed["timings"]) == [
        "asr_s",
        "look_s",
        "first_token_s",
        "first_clause_s",
        "first_audio_s",
        "total_s",
    ]


def test_batch_answers_in_order_and_goes_on_after_a_failure(command, kit, files, capsys):
    kit.brain.enqueue(["One."], ["Three."])
    lines = [
        {"id": 1, "text": "First?", "image": "photo.png"},
        {"id": "two", "audio": "missing.wav"},
        {"id": 3, "audio": "question.wav", "say": "three.wav"},
        {"id": 4},
        {"id": 5, "text": 7},
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n{broken\n[]\n"
    (files / "items.jsonl").write_text(text, "utf-8")
    assert command("--batch", files / "items.jsonl") == 1
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [item["id"] for item in printed] == [1, "two", 3, 4, 5, None, None]
    assert [item.get("reply") for item in printed] == ["One.", None, "Three.", None, None, None, None]
    assert "there is no file" in printed[1]["error"] and "missing.wav" in printed[1]["error"]
    assert "nothing is asked" in printed[3]["error"] and "line 5" in printed[4]["error"]
    assert "line 6: not JSON" in printed[5]["error"]
    assert (files / "three.wav").is_file()


@pytest.mark.parametrize("words", [["What is it?"], ["What", "is", "it?"]])
def test_a_question_needs_no_option(command, kit, files, capsys, words):
    kit.brain.enqueue(["It is a dog."])
    assert command("--image", files / "photo.png", *words) == 0
    assert "said:  It is a dog." in capsys.readouterr().out
    assert kit.brain.turns[0].utterance.text == "What is it?"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--audio", "nowhere.wav"], "there is no file nowhere.wav"),
        (["--text", "Hi", "--image", "."], ". is not a file"),
        ([], "nothing is asked"),
        (["Who", "are", "you?", "--text", "Hi"], "two questions are asked"),
        (["--text", "Hi", "--say", "no/such/folder/out.wav"], "there is no folder"),
        (["--batch", "nowhere.jsonl"], "there is no file nowhere.jsonl"),
    ],
)
def test_bad_input_is_one_line(command, capsys, arguments, message):
    assert command(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and message in captured.err


def test_a_broken_picture_ends_with_one_line(command, files, capsys):
    (files / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    assert command("--text", "What is it?", "--image", files / "broken.jpg") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_unknown_option_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["aks"])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "did you mean 'ask'" in error


def test_language_is_passed_on(kit, files):
    kit.recognizer.enqueue(Utterance("was ist das", language="de"))
    Asker(kit).ask(Question(audio=files / "question.wav"))
    assert kit.brain.turns[0].utterance.language == "de"
    assert np.isfinite(sound.read(files / "question.wav").samples).all()


def test_the_language_of_typed_words_is_guessed(kit):
    answer = Asker(kit).ask(Question(text="Wie heißt die Hauptstadt von Italien?"))
    assert answer.language == kit.brain.turns[0].utterance.language == "de"
    assert Asker(kit).ask(Question(text="What is the capital of Italy?")).language == "en"


def test_a_language_that_is_set_is_not_guessed(kit):
    kit.settings = dataclasses.replace(kit.settings, asr=dataclasses.replace(kit.settings.asr, language="nl"))
    Asker(kit).ask(Question(text="What is the capital of Italy?"))
    assert kit.brain.turns[0].utterance.language == "nl"
