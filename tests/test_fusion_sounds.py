"""Sounds and manners of speaking: learned from examples, heard beside the words, told to the language model."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant import prompt, sound
from assistant.chat import conversation
from assistant.cli import main
from assistant.config import Settings, SoundsSettings, load
from assistant.errors import InputError, ModelError, SettingError
from assistant.fusion import config as configuration
from assistant.fusion import data, task
from assistant.fusion.checkpoint import SHIPPED, Checkpoint
from assistant.fusion.config import FusionConfig
from assistant.fusion.encoders import EarsEncoder, Layout
from assistant.fusion.features import Features
from assistant.fusion.naming import Namer, pooled, width
from assistant.kit import Kit
from assistant.overtones import SHORTEST, Attentive, engine_of
from assistant.plugins import Plugins
from assistant.stages import Hearer, Recognition, Recognizer
from assistant.store import Store
from assistant.store.doctor import selected
from assistant.types import AudioChunk, Label, Samples, Turn, Utterance
from assistant.voices import Voices

from .fakes import RATE, FakeEars, FakeRecognizer, FakeVoice, silence, tone
from .test_brain import make as make_brain
from .test_brain import said

RECIPE = """
task = "naming"
modality = "sound"
encoder = "fake-ears"
encoder_dim = 6
[model]
dropout = 0.1
[training]
epochs = 25
batch = 16
lr = 5e-2
warmup = 4
average = 0.5
held_back = 0.3
patience = 99
[options]
field = "label"
folds = 2
precision = 0.9
"""


def beep(number: int) -> Samples:
    return tone(0.3 + 0.01 * (number % 20), hertz=1_000 + 37 * (number % 20))


def hiss(number: int) -> Samples:
    return np.random.default_rng(number).normal(0, 0.1, RATE // 2 + 160 * (number % 20)).astype(np.float32)


def rumble(number: int) -> Samples:
    """A sound that is none of those with a name."""
    return tone(0.5, hertz=60 + number % 20) + hiss(1_000 + number)[: RATE // 2] * np.float32(0.01)


def build(folder: Path, count: int = 30) -> Path:
    """Write an index in which beeps have a label, hisses a keyword and rumbles neither."""
    folder.mkdir()
    rows: list[dict[str, Any]] = []
    for name, made, named in (("beep", beep, "label"), ("hiss", hiss, "keyword"), ("rumble", rumble, "")):
        for number in range(count):
            file = f"{name}{number}.{'flac' if number % 2 else 'wav'}"
            sound.write(folder / file, [AudioChunk(made(number), RATE)])
            rows.append({"audio": file, **({named: name} if named else {"keyword": None})})
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> types.SimpleNamespace:
    """A head that was trained by the command on sounds, one of which cannot be read."""
    pytest.importorskip("torch", reason="training needs torch")
    folder = tmp_path_factory.mktemp("sounds")
    build(folder / "data")
    (folder / "data" / "beep3.flac").write_bytes(b"fLaC broken")
    (folder / "recipe.toml").write_text(RECIPE, "utf-8")
    out: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kit, "make", lambda self, kind, name: FakeEars())
        patch.setattr("assistant.cli.fusion.print_json", out.append)
        shared = ["--data", str(folder / "data"), "--cache", str(folder / "cache"), "--json"]
        code = main(["fusion", "train", "--config", str(folder / "recipe.toml"), "--out", str(folder / "run"), *shared])
        assert code == 0
        head = folder / "run" / "best.safetensors"
        assert main(["fusion", "evaluate", "--checkpoint", str(head), *shared]) == 0
        assert main(["fusion", "compare", str(head), str(head), *shared]) == 0
    return types.SimpleNamespace(head=head, folder=folder, trained=out[0], evaluated=out[1], compared=out[2])


def listening(world: types.SimpleNamespace, *overrides: str) -> Settings:
    return load(overrides=[f"sounds.model={world.head}", *overrides])


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeEars]:
    """The recognisers that kits make, by their model; the quick one has another encoder."""
    made: dict[str, FakeEars] = {}

    def make(self: Kit, kind: str, name: str, settings: Settings | None = None) -> FakeEars:
        assert kind == "asr"
        model = (settings or self.settings).asr.model
        made[model] = FakeEars(f"heard by {model}", *(() if "base" in model else ("quick-ears", 3)))
        return made[model]

    monkeypatch.setattr(Kit, "make", make)
    return made


def kit_of(settings: Settings, store: Store) -> Kit:
    return Kit(settings, Plugins(settings), store)


def test_training_evaluation_and_comparison(world: types.SimpleNamespace) -> None:
    figures = world.trained["figures"]
    assert figures["accuracy"] >= 0.9 and figures["false_alarms"] <= 0.2 and figures["ece"] <= 0.2
    assert [Path(path).name for path in world.trained["skipped"]] == ["beep3.flac"]
    assert world.evaluated["task"] == "naming" and world.evaluated["accuracy"] == pytest.approx(figures["accuracy"])
    first, second, baseline = world.compared["rows"]
    assert first == second and first["accuracy"] == world.evaluated["accuracy"]
    assert baseline["checkpoint"] == "baseline" and baseline["accuracy_closed"] < first["accuracy_closed"]


def test_the_head_hears_what_it_learned_and_nothing_else(
    world: types.SimpleNamespace, ears: dict[str, FakeEars], store: Store
) -> None:
    hearer = kit_of(listening(world), store).hearer
    assert isinstance(hearer, Hearer)
    for name, made in (("beep", beep), ("hiss", hiss)):
        (best, *others) = hearer.hear(AudioChunk(made(77), RATE))
        assert best.label == name and best.probability > 0.6
        assert all(other.probability < best.probability for other in others)
    assert hearer.hear(AudioChunk(rumble(77), RATE)) == ()


def test_it_hears_with_ears_of_its_own_where_nobody_lends_it_some(world: types.SimpleNamespace, store: Store) -> None:
    from assistant.backends.head_hearer import HeadHearer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plugins, "make", lambda self, kind, name, store: FakeEars())
        assert HeadHearer(listening(world), store).hear(AudioChunk(beep(5), RATE))[0].label == "beep"


def test_what_was_heard_reaches_the_language_model(
    world: types.SimpleNamespace, ears: dict[str, FakeEars], store: Store, settings: Settings
) -> None:
    utterance = kit_of(listening(world), store).recognizer.transcribe(AudioChunk(beep(50), RATE))
    assert utterance.text == "heard by faster-whisper-base" and utterance.sounds[0].label == "beep"
    brain, session = make_brain("Somebody rings.", settings)
    assert said(brain, Turn(utterance)) == "Somebody rings."
    assert f"{utterance.text}\n[microphone: beep]" in session.text
    said(brain, Turn(Utterance(utterance.text)))
    assert "[microphone" not in session.text


def test_the_quick_recogniser_of_a_conversation_lends_no_ears(
    world: types.SimpleNamespace, ears: dict[str, FakeEars], store: Store
) -> None:
    kit = kit_of(listening(world), store)
    english = Recognition("en", live=True)
    utterance = kit.live_recognizer.transcribe(AudioChunk(beep(50), RATE), english)
    assert utterance.text == "heard by faster-whisper-tiny.en"
    assert utterance.sounds[0].label == "beep"
    assert len(ears) == 2 and ears["faster-whisper-tiny.en"].encoded == []
    assert kit_of(listening(world, "asr.quick="), store).live_recognizer.transcribe(
        AudioChunk(hiss(50), RATE), english
    ).sounds[0].label == "hiss"  # fmt: skip


def test_it_is_off_by_default_and_costs_nothing(ears: dict[str, FakeEars], store: Store) -> None:
    settings = load()
    kit = kit_of(settings, store)
    assert settings.sounds == SoundsSettings() and kit.hearer is None and engine_of(settings.sounds) == ""
    kit.recognizer.transcribe(AudioChunk(beep(1), RATE))
    assert kit.recognizer is ears["faster-whisper-base"]
    assert ears["faster-whisper-base"].encoded == []
    assert "hearer" not in [kind for kind, _ in selected(store, kit.plugins)]


def test_a_head_on_other_ears_is_refused(world: types.SimpleNamespace, ears: dict[str, FakeEars], store: Store) -> None:
    settings = listening(world, "asr.model=faster-whisper-tiny.en")
    with pytest.raises(ModelError, match=r"'fake-ears', not 'quick-ears'; set asr.model=fake-ears"):
        _ = kit_of(settings, store).recognizer


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("groceries", "knows pictures, not sounds; name it in fusion.checkpoint"),
        ("caption", "is a caption checkpoint; sounds.model wants naming"),
        ("absent", "there is no checkpoint"),
    ],
)
def test_a_checkpoint_of_another_kind_is_refused(name: str, told: str, ears: dict[str, FakeEars], store: Store) -> None:
    with pytest.raises((ModelError, InputError), match=re.escape(told)):
        _ = kit_of(load(overrides=[f"sounds.model={SHIPPED / name}.safetensors"]), store).hearer


def test_a_head_of_sounds_is_no_head_of_pictures(world: types.SimpleNamespace, store: Store) -> None:
    from assistant.fusion.grid import GridFuser

    with pytest.raises(ModelError, match=r"knows sounds, not pictures; name it in sounds\.model"):
        GridFuser(load(overrides=[f"fusion.checkpoint={world.head}"]), store)


def test_a_sound_cannot_be_explained(world: types.SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fusion", "explain", str(world.folder / "data" / "beep0.wav"), "what is this?"]) == 2
    told = capsys.readouterr().err
    assert "is not a picture" in told and told.count("\n") == 1


def test_pictures_and_sounds_do_not_mix(
    world: types.SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"audio": "a.wav", "label": "a"}, {"image": "b.png", "label": "b"}, {"image": "c.png", "label": "c"}]
    (tmp_path / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    for recipe, told in (
        (RECIPE, "2 of 3 examples are pictures, but this learns from sounds"),
        (RECIPE.replace('"sound"', '"picture"'), "1 of 3 examples are sounds, but this learns from pictures"),
    ):
        (tmp_path / "recipe.toml").write_text(recipe, "utf-8")
        run = ["--config", str(tmp_path / "recipe.toml"), "--out", str(tmp_path / "run")]
        assert main(["fusion", "train", "--data", str(tmp_path), *run]) == 2
        captured = capsys.readouterr()
        assert told in captured.err and captured.err.count("\n") == 1


@pytest.mark.parametrize("modality", ["sound", "smell"])
def test_other_tasks_learn_from_pictures_only(modality: str) -> None:
    pytest.importorskip("torch", reason="tasks need torch")
    with pytest.raises(SettingError, match=f"the caption task learns from pictures, not from '{modality}'"):
        task.files(FusionConfig("caption", modality=modality), [])


def test_a_folder_a_class_may_hold_sounds(tmp_path: Path) -> None:
    for name in ("bell/1.wav", "bell/2.MP3", "bell/notes.txt", "dog/3.m4a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [(e.label, e.audio and e.audio.name, e.image) for e in data.read([tmp_path])]
    assert found == [("bell", "1.wav", None), ("bell", "2.MP3", None), ("dog", "3.m4a", None)]


def test_the_recipe_that_ships_is_for_sounds() -> None:
    recipe = configuration.load(Path(__file__).parent.parent / "config" / "fusion" / "sounds.toml")
    assert (recipe.task, recipe.modality, width(recipe)) == ("naming", "sound", 1024)
    assert recipe.encoder == load().asr.model


def test_sounds_are_encoded_once_and_their_beginning_only(tmp_path: Path) -> None:
    encoder = EarsEncoder(ears := FakeEars())
    assert encoder.layout == Layout("fake-ears", "sound", 6, (), "as the recogniser does it")
    ears.encoded.clear()
    for name in ("one.wav", "copy.wav"):
        sound.write(tmp_path / name, [AudioChunk(silence(31.0, 8_000), 8_000)])
    features = Features(encoder, tmp_path / "cache")
    features.fill([tmp_path / "one.wav", tmp_path / "copy.wav"])
    (encoded,) = ears.encoded
    assert (encoded.seconds, encoded.rate) == (30.0, 8_000)
    assert features.get(tmp_path / "copy.wav").shape == (1_500, 6)
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(InputError, match="not one of 1 sounds can be read"):
        Features(encoder, tmp_path / "cache").fill([tmp_path / "empty.wav"])


def test_a_recogniser_that_shows_no_states_is_refused() -> None:
    with pytest.raises(SettingError, match="gives no states"):
        EarsEncoder(FakeRecognizer())


@pytest.mark.parametrize(("sure", "names"), [(0.5, []), (0.35, ["bell", "dog"])])
def test_what_is_not_surely_of_its_kind_has_no_name(sure: float, names: list[str]) -> None:
    """The chances here are 0.3, 0.07, 0.03 and, of none of them, 0.6."""
    arrays: dict[str, Any] = {
        "standard.mean": np.zeros(4), "standard.deviation": np.ones(4),
        "linear.weight": np.zeros((4, 4)), "linear.bias": np.log([0.3, 0.07, 0.03, 0.6]),
    }  # fmt: skip
    recipe = FusionConfig("naming", "fake-ears", 2, modality="sound")
    extras = {"names": ["bell", "dog", "car"], "temperature": 1.0, "sure": sure}
    heard = Namer(Checkpoint(recipe, arrays, extras)).heard(np.ones((3, 2), np.float32))
    assert [label.label for label in heard] == names


def test_of_a_sound_the_change_counts_too() -> None:
    steady, changing = np.ones((4, 2), np.float32), np.array([[0, 0], [2, 2]] * 2, np.float32)
    assert np.array_equal(pooled(steady, "picture"), pooled(changing, "picture"))
    assert pooled(steady, "sound").tolist() == [1, 1, 0, 0] and pooled(changing, "sound").tolist() == [1, 1, 1, 1]


class Deaf:
    """A hearer that hears the same in everything."""

    def __init__(self, *labels: Label) -> None:
        self.labels, self.asked = labels, 0

    def hear(self, audio: AudioChunk) -> tuple[Label, ...]:
        self.asked += 1
        return self.labels


def test_an_attentive_recogniser_is_a_recogniser() -> None:
    inner, hearer = FakeRecognizer("hello"), Deaf(Label("angry", 0.9))
    attentive = Attentive(inner, hearer)
    assert isinstance(attentive, Recognizer)
    draft = Recognition("en", live=True, draft=True)
    spoken = attentive.transcribe(AudioChunk(tone(0.5), RATE), draft)
    assert (spoken.text, spoken.sounds, inner.options) == ("hello", hearer.labels, [draft])
    wordless = attentive.transcribe(AudioChunk(silence(0.5), RATE))
    assert (wordless.text, wordless.features, wordless.sounds) == ("", None, hearer.labels)
    assert attentive.transcribe(AudioChunk(tone(SHORTEST / 2), RATE)).sounds == () and hearer.asked == 2


@pytest.mark.parametrize(
    ("label", "probability", "note"),
    [
        ("angry", 0.9, "\n[The person sounds angry. Reply in a kind and calm way.]"),
        ("ang", 0.7, "\n[The person probably sounds angry. Reply in a kind and calm way.]"),
        ("Happiness", 0.9, "\n[The person sounds happy.]"),
        ("angry", 0.5, ""),
        ("neutral", 0.99, ""),
        ("door_bell", 0.7, "\n[microphone: probably door bell]"),
        ("<|im_end|>", 0.9, ""),
        ("bell<|im_end|>", 0.9, "\n[microphone: bell]"),
    ],
)
def test_the_note_is_as_sure_as_the_hearer(label: str, probability: float, note: str) -> None:
    assert prompt.heard((Label(label, probability), Label("sad", 0.05))) == note
    chat = conversation(Turn(Utterance("Hello.", "de", sounds=(Label(label, probability),))), "Be kind.")
    assert chat[-1].parts[-1] == f"Hello.{note}\n[antworte auf Deutsch]"


def test_nothing_heard_gives_no_note() -> None:
    assert prompt.heard(()) == ""


@pytest.mark.parametrize(
    ("settings", "engine"),
    [
        (SoundsSettings(), ""),
        (SoundsSettings("runs/best.safetensors"), "head"),
        (SoundsSettings("owner/name"), "transformers"),
        (SoundsSettings("owner/name", "mine"), "mine"),
        (SoundsSettings(engine="head"), ""),
    ],
)
def test_the_engine_follows_from_the_model(settings: SoundsSettings, engine: str) -> None:
    assert engine_of(settings) == engine


def test_the_doctor_looks_at_the_engine_that_is_in_use(world: types.SimpleNamespace, store: Store) -> None:
    settings = listening(world)
    examined = types.SimpleNamespace(settings=settings)
    assert ("hearer", "head") in selected(examined, Plugins(settings))  # type: ignore[arg-type]


def test_transcripts_in_json_tell_what_was_heard(
    ears: dict[str, FakeEars], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound.write(tmp_path / "long.wav", [AudioChunk(tone(130.0), RATE)])  # more than one stretch
    command = ["transcribe", str(tmp_path / "long.wav"), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["sounds"] == []
    monkeypatch.setattr(Kit, "hearer", Deaf(Label("beep", 0.91234567)))
    assert main(command) == 0
    first, second = json.loads(capsys.readouterr().out)["sounds"]
    assert first == {"label": "beep", "probability": 0.9123, "start": 0.0}
    assert second["start"] > 60


def test_answers_in_json_tell_what_was_heard(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hearer = Deaf(Label("angry", 0.91234567))
    brain, session = make_brain("I am sorry.", settings)
    parts = {
        "recognizer": Attentive(FakeRecognizer("Where is it?"), hearer),
        "brain": brain,
        "voices": Voices(settings, lambda _: FakeVoice()),
    }
    for name, part in parts.items():
        monkeypatch.setattr(Kit, name, part, raising=True)
    sound.write(tmp_path / "question.wav", [AudioChunk(tone(1.0), RATE)])
    assert main(["ask", "--audio", str(tmp_path / "question.wav"), "--text", "Tell me!", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["heard"], answer["reply"]) == ("Where is it?", "I am sorry.")
    assert answer["sounds"] == [{"label": "angry", "probability": 0.9123}]
    assert "Where is it? Tell me!\n[The person sounds angry." in session.text
    assert main(["ask", "--audio", str(tmp_path / "question.wav")]) == 0
    assert "heard: Where is it? (angry 0.91)" in capsys.readouterr().out
    assert main(["ask", "Where is it?", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sounds"] == []


@pytest.fixture(scope="module")
def hub() -> Any:
    for library in ("transformers", "torch"):
        pytest.importorskip(library, reason="classifiers of the hub need the gpu extra")
    from . import make_tiny_ear

    return make_tiny_ear


@pytest.mark.parametrize("kind", ["wav2vec2", "ast"])
def test_a_classifier_of_the_hub(kind: str, hub: Any, tmp_path: Path, store: Store) -> None:
    import torch
    from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

    from assistant.backends.hub_hearer import HubHearer

    hub.KINDS[kind](tmp_path)
    hearer = HubHearer(load(overrides=[f"sounds.model={tmp_path}"]), store)
    assert isinstance(hearer, Hearer) and "torchaudio" not in sys.modules
    audio = AudioChunk(hiss(3), RATE)
    inputs = AutoFeatureExtractor.from_pretrained(tmp_path)(audio.samples, sampling_rate=RATE, return_tensors="pt")
    with torch.inference_mode():
        scores = AutoModelForAudioClassification.from_pretrained(tmp_path)(**inputs).logits[0]
    wanted = (scores.sigmoid() if kind == "ast" else scores.softmax(0)).tolist()
    heard = {label.label: label.probability for label in hearer.hear(audio)}
    assert heard == pytest.approx(dict(zip(hub.EMOTIONS, wanted, strict=True)), abs=1e-4)
    assert list(heard.values()) == sorted(heard.values(), reverse=True)
    higher = hearer.hear(sound.resample(audio, 48_000))
    assert {label.label: label.probability for label in higher} == pytest.approx(heard, abs=0.02)
    long = AudioChunk(np.concatenate([silence(30.0), tone(5.0)]), RATE)
    assert hearer.hear(long) == hearer.hear(dataclasses.replace(long, samples=silence(30.0)))


def test_speech_emotion_by_a_classifier_of_the_hub(
    hub: Any, tmp_path: Path, ears: dict[str, FakeEars], store: Store, settings: Settings
) -> None:
    hub.wav2vec2(tmp_path, leaning=3.0)
    kit = kit_of(load(overrides=[f"sounds.model={tmp_path}"]), store)
    utterance = kit.recognizer.transcribe(AudioChunk(tone(1.0), RATE))
    assert utterance.sounds[0].label == "angry" and utterance.sounds[0].probability > 0.85
    assert ears["faster-whisper-base"].encoded == []
    brain, session = make_brain("I am sorry.", settings)
    said(brain, Turn(utterance))
    assert f"{utterance.text}\n[The person sounds angry. Reply in a kind and calm way.]" in session.text


def test_a_model_that_is_no_classifier_is_refused(hub: Any, tmp_path: Path, store: Store) -> None:
    from assistant.backends.hub_hearer import HubHearer

    hub.wav2vec2(tmp_path, head=False)
    with pytest.raises(ModelError, match="no audio classifier: it has no weights classifier"):
        HubHearer(load(overrides=[f"sounds.model={tmp_path}"]), store)
    with pytest.raises(ModelError, match="there is no folder"):
        HubHearer(load(overrides=[f"sounds.model={tmp_path / 'absent'}"]), store)
