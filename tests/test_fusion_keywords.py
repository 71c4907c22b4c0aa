"""Keywords: which words count, how picture and text join, the command and the evaluation."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from assistant import cli
from assistant.config import Settings
from assistant.errors import ModelError
from assistant.evaluation import Items, load
from assistant.evaluation import keywords as evaluation
from assistant.fusion import checkpoint, content
from assistant.fusion.checkpoint import Checkpoint
from assistant.fusion.grid import GridFuser
from assistant.fusion.keywords import DOUBTFUL, LEAST, SAYS, Keyword, Lexicon, Source, extract, seen
from assistant.fusion.retrieval import DualEncoder
from assistant.fusion.visual import VisualWords
from assistant.store import Store
from assistant.types import Frame, Label, Percept, TextRegion, Verdict

from . import fusion_world as world

LEXICON = Lexicon({"dog": 1.5, "man": 1.2, "snow": 2.5, "ball": 2.5, "sled": 6.0}, {"dog": 0.15, "man": 0.2}, 8.0)


def weights(found: tuple[Keyword, ...]) -> dict[str, float]:
    return {keyword.word: keyword.weight for keyword in found}


def sources(found: tuple[Keyword, ...]) -> dict[str, str]:
    return {keyword.word: keyword.source.value for keyword in found}


def sigmoid(x: float) -> float:
    return 1 / (1 + float(np.exp(-x)))


def logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


# Words


def test_function_words_numbers_and_clitics_are_no_content() -> None:
    assert content.words("The man's 2 dogs, and she isn’t in the snow-covered park with it!") == (
        ["man", "dogs", "snow-covered", "park"],
        True,
    )
    assert content.words("") == ([], True)
    assert content.words("12 – 7, a b !?")[0] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Der Mann hat einen Hund, und der Hund ist im Schnee", ["mann", "hund", "hund", "schnee"]),
        ("L’homme et le chien dans la neige", ["homme", "chien", "neige"]),
        ("Un perro corre por la nieve", ["perro", "corre", "nieve"]),
        ("Il pane e l'acqua sono sulla tavola", ["pane", "acqua", "tavola"]),
        ("Собака и человек на снегу", ["собака", "снегу"]),
    ],
)
def test_stop_words_are_those_of_the_texts_language(text: str, found: list[str]) -> None:
    words, english = content.words(text)
    assert not english and [word for word in words if word != "человек"] == found


def test_what_is_a_stop_word_elsewhere_is_a_word_in_english() -> None:
    """German has "man" and "hat", Swedish "men"."""
    assert content.words("a man in a red hat", {"man", "hat", "red"}) == (["man", "red", "hat"], True)
    assert content.words("two men", {"men", "two"})[0] == ["two", "men"]


def test_plurals_become_singulars_that_are_known() -> None:
    known = {"dog", "bush", "puppy", "bus", "glass", "race", "short"}
    plurals = {"dogs": "dog", "bushes": "bush", "puppies": "puppy", "races": "race", "women": "woman", "teeth": "tooth"}
    assert {word: content.singular(word, known) for word in plurals} == plurals
    for word in ("bus", "glass", "grass", "tennis", "shorts", "glasses", "quarks", "dog"):
        assert content.singular(word, known) == word
    assert content.singular("men", set(), english=False) == "men"


# One text, one picture, both


def test_a_word_of_the_text_weighs_by_how_rare_and_how_frequent_it_is() -> None:
    found = extract("a dog, a sled, a dog and a zyzzyva; a zyzzyva, the zyzzyva", {}, LEXICON)
    assert set(sources(found).values()) == {"text"}
    weight = weights(found)
    assert weight["dog"] == pytest.approx(sigmoid(logit(0.15) + SAYS * (1.5 + 2 * np.log(2))))
    usual = float(np.exp(-6.0)) / 5
    assert weight["sled"] == pytest.approx(sigmoid(logit(usual) + SAYS * 6.0))
    assert weight["zyzzyva"] > weights(extract("a zyzzyva", {}, LEXICON))["zyzzyva"] > DOUBTFUL
    assert [keyword.weight for keyword in found] == sorted(weight.values(), reverse=True)


def test_a_picture_alone_gives_the_words_of_enough_describers() -> None:
    found = extract("", {"dog": 0.9, "snow": 0.4, "man": LEAST - 0.01}, LEXICON)
    assert found == (Keyword("dog", 0.9, Source.PICTURE), Keyword("snow", 0.4, Source.PICTURE))
    assert len(extract("", {"dog": 0.9, "snow": 0.4}, LEXICON, most=1)) == 1
    assert len(extract("", {"dog": 0.9, "man": 0.01}, LEXICON, least=0)) == 2


def test_nothing_gives_nothing() -> None:
    assert extract("", {}, LEXICON) == () == extract("the and of it 12", {}, LEXICON)


def test_what_both_say_rises_above_either() -> None:
    picture = {"dog": 0.7, "snow": 0.5, "man": 0.6}
    alone, text = extract("", picture, LEXICON), extract("a dog", {}, LEXICON)
    both = extract("a dog", picture, LEXICON)
    assert weights(both)["dog"] == pytest.approx(1 - 0.3 * (1 - weights(text)["dog"]))
    assert weights(both)["dog"] > max(weights(alone)["dog"], weights(text)["dog"])
    assert weights(both)["snow"] == weights(alone)["snow"]
    assert sources(both) == {"dog": "both", "man": "picture", "snow": "picture"}


def test_a_word_that_the_picture_contradicts_falls() -> None:
    alone = weights(extract("a dog with a ball", {}, LEXICON))
    doubted = weights(extract("a dog with a ball", {"dog": 0.03, "man": 0.8}, LEXICON))
    assert doubted["dog"] < alone["dog"] / 3 and doubted["ball"] == alone["ball"]
    denied = extract("a dog with a ball", {"dog": 0.0001, "man": 0.8}, LEXICON)
    assert [keyword.word for keyword in denied] == ["man", "ball"]


def test_singular_and_plural_are_one_keyword() -> None:
    found = extract("Dogs! One dog and two more dogs. Gribbles: each gribble", {"dog": 0.5}, LEXICON)
    assert sources(found) == {"dog": "both", "gribble": "text", "two": "text"}
    assert weights(found)["dog"] == weights(extract("dog dog dog", {"dog": 0.5}, LEXICON))["dog"]


def test_a_name_of_several_words_is_one_keyword() -> None:
    found = extract("Our golden retrievers are golden.", {"golden retriever": 0.8}, LEXICON)
    assert sources(found) == {"golden retriever": "both", "golden": "text"}
    assert weights(found)["golden retriever"] > 0.8


def test_a_german_text_is_neither_contradicted_nor_stopped_short() -> None:
    picture = {"rock": 0.001, "ball": 0.6, "dog": 0.9}
    found = extract("Der Hund und der Ball und der Rock sind auf dem Rasen", picture, LEXICON)
    assert sources(found) == {"dog": "picture", "ball": "both", "hund": "text", "rock": "text", "rasen": "text"}
    assert weights(found)["rock"] == weights(found)["hund"] > DOUBTFUL


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_certainty_breaks_nothing(share: float) -> None:
    assert all(0 <= keyword.weight <= 1 for keyword in extract("a dog", {"dog": share}, LEXICON, least=0))


# The heads


def fake_encoder() -> DualEncoder:
    """Of the encoder only what keywords read: the word layer, the vocabulary and how rare its words are."""
    made = DualEncoder.__new__(DualEncoder)
    made.words = {"dog": 0, "dogs": 1, "sled": 2}
    made.vocabulary = SimpleNamespace(words=("", "", "", "", "dog", "dogs", "sled"))  # type: ignore[assignment]
    made.space = SimpleNamespace(rarity=np.array([0, 0, 0, 0, 1.5, 2.0, 6.0]))  # type: ignore[assignment]
    usual = np.array([0.2, 0.1, 0.001], np.float32)
    made.w = {"words.weight": np.eye(3, dtype=np.float32), "words.usual": usual, "words.centre": np.zeros(3)}
    return made


def test_the_share_of_describers_is_that_of_any_form_of_a_word() -> None:
    zero, one = np.zeros(3, np.float32), np.ones(3, np.float32)
    visual = VisualWords(("dog", "dogs"), zero, one, np.eye(3, dtype=np.float32)[:2], np.zeros(2, np.float32))
    found = seen(visual, fake_encoder(), np.array([[1.0, -1.0, 0.4], [1.0, -1.0, 0.6]], np.float32))
    assert found["dog"] == pytest.approx(1 - (1 - sigmoid(1)) * (1 - sigmoid(-1)))
    assert found["sled"] == pytest.approx(0.501) and found.keys() == {"dog", "sled"}
    none = seen(visual, fake_encoder(), np.array([[0.0, 0.0, -1.0]], np.float32))
    assert none["sled"] == pytest.approx(0.001)


def test_the_lexicon_merges_forms() -> None:
    lexicon = Lexicon.of(fake_encoder())
    assert lexicon.idf("dog") == 1.5 and lexicon.idf("zyzzyva") == lexicon.rarest == 6.0
    assert lexicon.share("dog") == pytest.approx(1 - 0.8 * 0.9)
    assert lexicon.share("zyzzyva") == pytest.approx(np.exp(-6.0) / 5)


@pytest.fixture(scope="module")
def fuser() -> GridFuser:
    return GridFuser(Settings(), Store(Settings()))


def scene(fuser: GridFuser, *words: str, known: bool = True, strength: float = 12, **more: Any) -> Percept:
    """A percept whose features point to visual words, or away from them, of a scene that is known or not."""
    visual = fuser.visual
    saved = fuser._saved("caption")
    assert saved is not None
    inwards = saved.arrays["scene.weight"].astype(np.float32)
    towards = visual.weight[[visual.words.index(word) for word in words]].sum(0)
    standard = strength * towards / np.linalg.norm(towards) + (20 if known else -20) * inwards / np.linalg.norm(inwards)
    seen = visual.mean + visual.deviation * standard
    usual = fuser.encoder_of_words.w["words.centre"]
    features = np.repeat(np.concatenate([seen, usual[len(seen) :]])[None], 81, 0).astype(np.float32)
    percept = Percept("efficientnet-lite2", features, (9, 9), **more)
    assert fuser.knows(percept) is known
    return percept


def test_the_heads_that_ship_give_visual_words_and_never_function_words(fuser: GridFuser) -> None:
    percept = scene(fuser, "dog", labels=(Label("collie", 0.9),))
    found = fuser.keywords(percept, "The dogs are in the snow with a kettle")
    assert sources(found)["dog"] == "both" and sources(found)["kettle"] == "text" and "collie" not in sources(found)
    everything = [keyword.word for keyword in fuser.keywords(percept, "", 10_000, 0.0)]
    assert len(everything) > 500 and len(set(everything)) == len(everything)
    assert not {"dogs", "men", "a", "the", "with"} & set(everything)


def test_a_thing_that_the_scene_contradicts_falls(fuser: GridFuser) -> None:
    text = "a dog"
    alone = fuser.keywords(None, text)
    against = fuser.keywords(scene(fuser, "dog", "dogs", strength=-12), text)
    assert weights(against).get("dog", 0.0) < weights(alone)["dog"] / 2


def test_elsewhere_only_sure_labels_count_and_deny(fuser: GridFuser) -> None:
    labels = (Label("coffee mug", 0.97), Label("saucer", 0.3))
    percept = scene(fuser, "dog", known=False, labels=labels)
    assert fuser.keywords(percept) == (Keyword("coffee mug", 0.97, Source.PICTURE),)
    found = fuser.keywords(percept, "my dogs and a coffee mug")
    assert sources(found) == {"coffee mug": "both"} and weights(found)["coffee mug"] > 0.97
    unsure = scene(fuser, "dog", known=False, labels=(Label("coffee mug", 0.3),))
    assert fuser.keywords(unsure) == () and "dog" in weights(fuser.keywords(unsure, "my dogs"))


@pytest.mark.parametrize("verdict", sorted(set(Verdict) - {Verdict.OK}))
def test_a_frame_that_cannot_be_judged_says_nothing(fuser: GridFuser, verdict: Verdict) -> None:
    percept = scene(fuser, "dog", labels=(Label("collie", 0.99),), verdict=verdict)
    assert fuser.keywords(percept) == ()
    assert fuser.keywords(percept, "snow and a cat") == fuser.keywords(None, "snow and a cat") != ()


def test_other_features_and_missing_heads_are_refused(fuser: GridFuser, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not 'clip'"):
        fuser.keywords(Percept("clip", np.zeros((9, 4), np.float32)))
    one = np.ones(4, np.float32)
    visual = VisualWords(("red",), one, one, one[None], one[:1])
    saved = Checkpoint(world.configuration("words"), visual.arrays(), {"visual_words": ["red"]})
    checkpoint.save(tmp_path / "words.safetensors", saved)
    settings = Settings()
    settings = replace(
        settings,
        fusion=replace(settings.fusion, checkpoint=str(tmp_path)),
        eyes=replace(settings.eyes, model="colours"),
    )
    with pytest.raises(ModelError, match="retrieval checkpoint"):
        GridFuser(settings, Store(settings)).keywords(None, "a red square")


# The command


class Eyes:
    """Sees one percept; "unusable" in a file's name makes it black."""

    encoder = "efficientnet-lite2"

    def __init__(self, percept: Percept) -> None:
        self.percept = percept

    def look(self, frame: Frame) -> Percept:
        return replace(self.percept, verdict=Verdict.BLACK) if "unusable" in frame.source else self.percept


class Reader:
    def read(self, frame: Frame, percept: Percept) -> Percept:
        from assistant.types import Box

        return replace(percept, regions=(TextRegion("Lemonade 20 cents", Box(0, 0, 1, 1), 0.9),))


@pytest.fixture
def photo(fuser: GridFuser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    made = {
        ("eyes", "efficientnet"): Eyes(scene(fuser, "dog")),
        ("fuser", "grid"): fuser,
        ("reader", "rapidocr"): Reader(),
    }
    monkeypatch.setattr("assistant.plugins.Plugins.make", lambda self, kind, name, store, settings: made[kind, name])
    for name in ("photo", "unusable"):
        Image.new("RGB", (8, 8), (90, 90, 90)).save(tmp_path / f"{name}.png")
    return str(tmp_path / "photo.png")


def test_json_is_one_object(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keywords", photo, "--text", "A dog, its kettle and a shoe", "--most", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found.keys() == {"image", "verdict", "keywords"} and found["image"] == photo and found["verdict"] == "ok"
    assert len(found["keywords"]) == 2 and err == ""
    first = found["keywords"][0]
    assert first.keys() == {"word", "weight", "source"} and first["word"] == "dog" and first["source"] == "both"
    assert all(0 <= one["weight"] <= 1 for one in found["keywords"])


def test_a_text_may_come_from_standard_input(
    photo: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SimpleNamespace(buffer=io.BytesIO("Hund und Katze, und der Hund ist müde\n".encode()))
    monkeypatch.setattr("sys.stdin", given)
    assert cli.main(["keywords", "--text", "-"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1:] for line in lines] == [["hund", "(text)"], ["katze", "(text)"], ["müde", "(text)"]]


def test_the_text_in_the_picture_joins_on_request(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keywords", photo, "--json"]) == 0
    assert cli.main(["keywords", photo, "--read", "--json"]) == 0
    without, read = (json.loads(line)["keywords"] for line in capsys.readouterr().out.splitlines())
    assert not [one for one in without if one["source"] == "text"]
    assert [one["word"] for one in read if one["source"] == "text"] == ["lemonade", "cents"]


def test_an_unusable_frame_is_told(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    unusable = photo.replace("photo.png", "unusable.png")
    assert cli.main(["keywords", unusable, "--read"]) == 0
    assert capsys.readouterr() == ("", "The picture is black; I cannot tell what it shows.\n")
    assert cli.main(["keywords", unusable, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"image": unusable, "verdict": "black", "keywords": []}


def test_a_text_that_says_nothing_is_told(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keywords", "--text", "it is as it was"]) == 0
    assert capsys.readouterr() == ("", "I found no keyword that I am sure of.\n")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "give a picture, --text or both"),
        (["--read", "--text", "a dog"], "give a picture"),
        (["--text", ""], "there is nothing to take keywords from; give some words"),
        (["--text", "  \n"], "there is nothing to take keywords from; give some words"),
        (["/nowhere.png"], "there is no file /nowhere.png"),
    ],
)
def test_bad_input_is_one_line(photo: str, given: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keywords", *given]) == 2
    assert capsys.readouterr() == ("", f"assistant: {message}\n")


def test_help_has_examples_and_a_number_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["keywords", "--help"])
    assert ended.value.code == 0 and "assistant keywords photo.jpg" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(["keywords", "photo.jpg", "--most", "0"])
    assert ended.value.code == 2 and "must be at least 1" in capsys.readouterr().err


# Real pictures


def test_black_blank_and_blurred_pictures_give_no_keyword(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = map(json.loads, (shared_data / "captions" / "index.jsonl").read_text("utf-8").splitlines())
    rows = [row for row in rows if row["split"] == "val"][:3]
    blank = Image.new("RGB", (224, 224), (128, 128, 128))
    unusable = {"black": Image.new("RGB", (224, 224)), "blank": blank}
    for number, row in enumerate(rows):
        with Image.open(shared_data / "captions" / row["image"]) as image:
            unusable[f"blurred{number}"] = image.filter(ImageFilter.GaussianBlur(12))
    for name, image in unusable.items():
        image.save(tmp_path / f"{name}.png")
        assert cli.main(["keywords", str(tmp_path / f"{name}.png"), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["keywords"] == [] and found["verdict"] != "ok", name


def test_joining_gains_on_real_pictures(shared_data: Path) -> None:
    items = load(shared_data / "captions", evaluation.FIELDS)
    items = Items(items.root, [row for row in items.rows if row["split"] == "val"][:40])
    found = evaluation.run(cli.App(), items, lambda row: None)
    assert found["both_average_precision"] > 0.45 and found["gain_average_precision_interval"][0] > 0
    assert found["both_f1"] > max(found["picture_f1"], found["text_f1"])


# The evaluation


def test_a_list_is_measured_against_its_gold() -> None:
    found = evaluation.measure(["dog", "cat", "snow", "hat", "sled", "man"], {"dog", "snow", "man", "ball"})
    assert found == pytest.approx((2 / 5, 2 / 4, 4 / 9, (1 / 1 + 2 / 3 + 3 / 6) / 4))
    assert evaluation.measure(["dog"], {"dog"}) == (1, 1, 1, 1) and evaluation.measure([], {"dog"}) == (0, 0, 0, 0)


def test_gold_is_what_two_others_hold() -> None:
    captions = ["A dog in snow .", "Two dogs run .", "The snow is deep, deep .", "A dog and the dog"]
    assert evaluation.agreed(captions, LEXICON) == {"dog", "snow"}


def test_the_evaluation_gives_each_system_its_own_evidence(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "0.png")
    percept = Percept("fake", np.zeros((1, 1), np.float32))

    class Fuser:
        lexicon = LEXICON

        def keywords(self, percept: Percept | None, text: str = "", **_: Any) -> tuple[Keyword, ...]:
            words = [*(["dog"] if percept else []), *(["snow", "ball"] if text == "first" else [])]
            return tuple(Keyword(word, 0.5, Source.TEXT) for word in words)

    app: Any = SimpleNamespace(
        kit=SimpleNamespace(eyes=SimpleNamespace(look=lambda frame: percept)), make=lambda kind, name: Fuser()
    )
    captions = ["first", "a dog in snow", "the dog and snow", "a cat"]
    rows = [{"image": "0.png", "captions": captions}, {"image": "0.png", "captions": ["first", "cat", "dog"]}]
    reported: list[dict[str, Any]] = []
    found = evaluation.run(app, Items(tmp_path, rows), reported.append)
    assert found["pictures"] == 1 and len(reported) == 2 and reported[0]["gold"] == ["dog", "snow"]
    assert (found["picture_recall"], found["text_recall"], found["both_recall"]) == (0.5, 0.5, 1.0)
    assert found["text_precision"] == 0.5 and found["gain_recall"] == 0.5
    assert found["both_average_precision"] == 1.0 and found["both_recall_interval"] == (1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wie spät ist es in Tokio?", "de"),
        ("Quelle heure est-il ?", "fr"),
        ("Was siehst du?", "de"),
        ("Was ist 12 mal 13?", "de"),
        ("Que vois-tu ?", "fr"),
        ("Quanto fa 25 per 18?", "it"),
        ("Raccontami una barzelletta", "it"),
        ("今何時ですか", "ja"),
        ("Which time is it in Paris", "en"),
        ("¿Qué hora es?", "es"),
        ("¿Cuál es la capital de Italia?", "es"),
        ("Hoe laat is het?", "nl"),
        ("Która jest godzina?", "pl"),
        ("What time is it in Zürich?", "en"),
        ("play me the song Für Elise", "en"),
        ("tell me today's headlines and reply to mark's email", "en"),
        ("Tokyo", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_typed_question(text: str, language: str) -> None:
    assert content.language_of(text) == language
