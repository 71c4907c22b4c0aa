"""The fuser that ships, its soft tokens, its explanation and the command, on a tiny world."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

from assistant import pictures
from assistant.cli import App, main
from assistant.config import Settings
from assistant.errors import InputError, ModelError
from assistant.fusion import checkpoint
from assistant.fusion.checkpoint import SHIPPED, Checkpoint
from assistant.fusion.connector import EmbeddingConnector
from assistant.fusion.explanation import Explainer
from assistant.fusion.grid import GridFuser
from assistant.fusion.layers import Floats
from assistant.fusion.naming import Namer
from assistant.fusion.retrieval import DualEncoder
from assistant.fusion.runtime import NumpyCaptioner
from assistant.fusion.visual import VisualWords
from assistant.fusion.vqa import Answerer
from assistant.stages import Fuser
from assistant.store import Store
from assistant.types import Frame, Label, Percept, Verdict

from . import fusion_world as world


class TinySession:
    """Embeds a token as its number; one token a letter."""

    name, dim = "tiny", 2

    def tokenize(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    def embed(self, tokens: list[int]) -> np.ndarray:  # type: ignore[type-arg]
        return np.array([[token, 1.0] for token in tokens], np.float32)


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """A folder with a visual-word head that knows two colours by their pixels."""
    weight = np.array([[40, 0, 0, 0], [0, 0, 40, 0]], np.float32)
    mean, one = np.array([0.47, 0.47, 0.47, 1], np.float32), np.ones(4, np.float32)
    visual = VisualWords(("red", "blue"), mean, one, weight, np.array([-1, -1], np.float32))
    saved = Checkpoint(world.configuration("words"), visual.arrays(), {"visual_words": ["red", "blue"]})
    checkpoint.save(tmp_path / "heads" / "words.safetensors", saved)
    return tmp_path / "heads"


def fuser(folder: Path, eyes: str = "colours") -> GridFuser:
    settings = Settings()
    settings = replace(
        settings,
        fusion=replace(settings.fusion, checkpoint=str(folder)),
        eyes=replace(settings.eyes, model=eyes),
    )
    return GridFuser(settings, Store(settings))


def test_it_reads_words_and_claims_nothing_where_the_frame_cannot_be_judged(heads: Path) -> None:
    made = fuser(heads)
    assert isinstance(made, Fuser) and made.encoder == "colours"
    frame = Frame(world.picture("red", "left"))
    seen = made.read(frame, world.ColourEyes().look(frame))
    assert [word for word, _ in seen.words] == ["red"] and seen.caption == ""
    for verdict in set(Verdict) - {Verdict.OK}:
        dark = replace(world.ColourEyes().look(frame), verdict=verdict)
        assert made.read(frame, dark) is dark and made.answer(dark, "what colour is it?") == ()


def test_soft_tokens_are_the_words_embeddings(heads: Path) -> None:
    percept = Percept("colours", np.zeros((9, 4)), words=(("dog", 0.9), ("snow", 0.7), ("maybe", 0.1)))
    percept = replace(percept, caption="A dog runs.")
    soft = EmbeddingConnector().soften(percept, TinySession())  # type: ignore[arg-type]
    assert soft is not None and EmbeddingConnector().words(percept) == ["a", "dog", "runs", "snow"]
    assert soft.vectors.shape == (4, 2)
    assert soft.vectors[1].tolist() == pytest.approx([np.mean([ord(c) for c in " dog"]), 1])
    again = EmbeddingConnector().soften(percept, TinySession())  # type: ignore[arg-type]
    other = EmbeddingConnector().soften(replace(percept, caption="A cat."), TinySession())  # type: ignore[arg-type]
    assert again is not None and other is not None and again.key == soft.key != other.key
    blind = replace(percept, caption="", words=())
    assert fuser(heads).soften(blind, TinySession()) is None  # type: ignore[arg-type]


def test_another_encoder_is_refused(heads: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="wants features of 'colours', not 'efficientnet-lite2'"):
        fuser(heads, "efficientnet-lite2")
    with pytest.raises(ModelError, match="wants features of 'colours', not 'clip'"):
        fuser(heads).read(Frame(world.picture("red", "left")), Percept("clip", np.zeros((9, 4), np.float32)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="there is no checkpoint in"):
        fuser(tmp_path / "empty")


def test_a_head_of_ones_own_joins_those_that_ship(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A training run's folder also has the state that it is resumed from, which is no checkpoint."""
    run = tmp_path / "run"
    shipped = checkpoint.load(SHIPPED / "vqa.safetensors")
    checkpoint.save(run / "best.safetensors", replace(shipped, extras={**shipped.extras, "mine": True}))
    (run / "last.safetensors").write_bytes(safetensors.numpy.save({"w": np.zeros(2)}))
    caplog.set_level("DEBUG", "assistant.fusion.heads")
    eyes = Settings().eyes.model
    for place in (run / "best.safetensors", run):
        made = fuser(place, eyes)
        assert set(made._files) == {"caption", "colour", "judge", "naming", "retrieval", "vqa"}
        mine = made._saved("vqa")
        assert mine is not None and mine.extras["mine"] and made.visual.words
    assert "last.safetensors is no fusion checkpoint" in caplog.text
    with pytest.raises(ModelError, match=r"last\.safetensors is no fusion checkpoint"):
        fuser(run / "last.safetensors", eyes)
    with pytest.raises(ModelError, match="truncated or no checkpoint"):
        (run / "vqa.safetensors").write_bytes(b"half")
        fuser(run, eyes)


def test_heads_that_ship_are_not_applied_to_other_eyes(tmp_path: Path) -> None:
    settings = Settings()
    settings = replace(settings, eyes=replace(settings.eyes, model="colours"))
    with pytest.raises(ModelError, match="no head was trained for the eyes 'colours'"):
        GridFuser(settings, Store(settings))
    checkpoint.save(tmp_path / "pair.safetensors", Checkpoint(world.configuration("pair"), {}, {}))
    frame = Frame(world.picture("red", "left"))
    percept = world.ColourEyes().look(frame)
    told = fuser(tmp_path).read(frame, percept)  # no head has words, so nothing is told
    assert (told.words, told.caption, told.labels) == ((), "", ())


def test_words_of_ones_own_are_told_outside_the_scenes_of_the_captions(tmp_path: Path) -> None:
    one = np.ones(2, np.float32)
    visual = VisualWords(("brick",), one * 0, one, one[None] * 0, one[:1] * 5)
    config = replace(world.configuration("words"), encoder=Settings().eyes.model, encoder_dim=2)
    checkpoint.save(tmp_path / "words.safetensors", Checkpoint(config, visual.arrays(), {"visual_words": ["brick"]}))
    made = fuser(tmp_path / "words.safetensors", config.encoder)
    features = np.zeros((81, checkpoint.load(SHIPPED / "caption.safetensors").config.encoder_dim), np.float32)
    percept = Percept(config.encoder, features, (9, 9))
    assert made.knows(percept) is False and fuser(SHIPPED, config.encoder).knows(percept) is False
    told = made.read(Frame(world.picture("red", "left")), percept)
    assert [word for word, _ in told.words] == ["brick"] and told.caption == ""


def test_the_map_shows_where_and_the_deletion_test_agrees(heads: Path, tmp_path: Path) -> None:
    explainer = Explainer(world.ColourEyes(), fuser(heads))
    for side, column in (("left", 0), ("right", 2)):
        frame = Frame(world.picture("red", side))
        found = explainer.explain(frame, "Where is the red thing?")
        assert [word for word, _ in found.words] == ["red"]
        assert np.unravel_index(found.heat.argmax(), found.heat.shape) == (1, column)
        assert found.fall > found.random_fall + found.random_spread
        drawn = found.drawn(frame.pixels).pixels.astype(int)
        redder = drawn[10:20, :, 0] - drawn[10:20, :, 2]
        assert drawn.shape == frame.pixels.shape and redder.mean(0).argmax() // 10 == column
        assert "seen: red" in found.text() and json.dumps(found.to_dict())


def test_labels_are_explained_where_no_words_are_told(tmp_path: Path) -> None:
    """Names of a head of their own point by its weights, other labels by the eyes' evidence."""

    class NamingEyes(world.ColourEyes):
        def look(self, frame: Frame) -> Percept:
            percept = super().look(frame)
            blueness = float(np.clip(percept.features[:, 2].max() * 2 - 1, 0, 1))
            return replace(percept, labels=(Label("sky", max(blueness, 0.4)),))

        def places(self, frame: Frame, label: str) -> Floats:
            assert label == "sky"
            return np.asarray(self.look(frame).features[:, 2])

    weight = np.array([[40, 0, 0, 0], [0, 0, 0, 0]], np.float32)
    mean, bias = np.array([0.47, 0.47, 0.47, 1], np.float32), np.array([-1, 0], np.float32)
    arrays = {"standard.mean": mean, "standard.deviation": np.ones(4, np.float32)}
    arrays |= {"linear.weight": weight, "linear.bias": bias}
    extras = {"names": ["Red Apple"], "temperature": 1.0, "sure": 0.0}
    checkpoint.save(tmp_path / "naming.safetensors", Checkpoint(world.configuration("naming"), arrays, extras))
    made = fuser(tmp_path)
    made.knows = lambda percept: False  # type: ignore[method-assign]
    for colour, label, question in (("red", "Red Apple", "What is this?"), ("blue", "sky", "Where is the sky?")):
        frame = Frame(world.picture(colour, "right"))
        found = Explainer(NamingEyes(), made).explain(frame, question)
        assert found.words == found.seen[:1] and found.words[0][0] == label and f"map of: {label}" in found.text()
        assert np.unravel_index(found.heat.argmax(), found.heat.shape) == (1, 2)
        assert found.fall > found.random_fall + found.random_spread
    with pytest.raises(InputError, match="nothing is recognised"):
        Explainer(world.ColourEyes(), made).explain(Frame(np.zeros((30, 30, 3), np.uint8)), "What is this?")


def test_a_map_that_cannot_be_written_is_refused_before_the_work(
    heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.kit.Kit.eyes", world.ColourEyes())
    Image.fromarray(world.picture("red", "left")).save(tmp_path / "photo.png")
    settings = ["--set", f"fusion.checkpoint={heads}", "--set", "eyes.model=colours"]
    command = ["fusion", "explain", str(tmp_path / "photo.png"), "Where is it?", *settings, "--out"]
    assert main([*command, str(tmp_path / "map.png")]) == 0
    assert pictures.read(tmp_path / "map.png").pixels.shape == (30, 30, 3)
    assert "map of: red" in capsys.readouterr().out
    monkeypatch.setattr(Explainer, "explain", lambda *given: pytest.fail("the work was done"))
    for name, told in (("map", "the name must end in .png"), ("map.txt", ".png"), ("no/map.png", "there is no folder")):
        assert main([*command, str(tmp_path / name)]) == 2
        error = capsys.readouterr().err
        assert told in error and error.count("\n") == 1


def test_commands_from_training_to_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    monkeypatch.setattr("assistant.kit.Kit.eyes", world.ColourEyes())
    data = world.build(tmp_path / "data", 24)
    (data / "images" / "0.png").write_bytes(b"broken")
    text = 'task = "pair"\nencoder = "colours"\nencoder_dim = 4\ngrid = [3, 3]\n[model]\nstrategy = "{}"\ndim = 16\n'
    text += "layers = 1\nheads = 2\nhidden = 16\n[training]\nepochs = 1\nbatch = 8\n[options]\nleast = 1\n"
    best = []
    for name in ("early", "late"):
        (tmp_path / f"{name}.toml").write_text(text.format(name), "utf-8")
        common = ["--data", str(data), "--cache", str(tmp_path / "cache"), "--json"]
        out = ["--config", str(tmp_path / f"{name}.toml"), "--out", str(tmp_path / name)]
        assert main(["fusion", "train", *out, *common]) == 0
        told = capsys.readouterr()
        summary = json.loads(told.out)
        assert [Path(path).name for path in summary["skipped"]] == ["0.png"]
        assert "skipped 1 of 24 pictures" in told.err
        best.append(summary["checkpoint"])
    assert main(["fusion", "evaluate", "--checkpoint", best[0], *common]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["accuracy"] == pytest.approx(figures["accuracy"]) and figures["task"] == "pair"
    assert main(["fusion", "compare", *best, "--out", str(tmp_path / "table.md"), *common]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row.get("strategy") for row in rows] == ["early", "late", None], "the last is the baseline"
    assert (tmp_path / "table.md").read_text().count("\n") == 5
    assert json.loads((tmp_path / "table.json").read_text()) == rows
    assert main(["fusion", "train", *out, *common]) == 2
    assert "--resume" in capsys.readouterr().err


def test_the_heads_that_ship_describe_a_picture(store: Store) -> None:
    app = App()
    made = app.make("fuser", "grid")
    assert sum(file.stat().st_size for file in SHIPPED.glob("*.safetensors")) <= 20e6
    green = np.full((120, 120, 3), (60, 140, 60), np.uint8)
    noise = np.random.default_rng(0).integers(0, 60, green.shape).astype(np.uint8)
    frame = Frame(green + noise)
    percept = replace(app.kit.eyes.look(frame), verdict=Verdict.OK)
    told = made.read(frame, percept)
    assert told.caption == "" and told.words == ()  # no scene that the captioner knows, so nothing is claimed
    caption = made.caption(percept)
    assert caption.endswith(".") and 3 <= len(caption.split()) <= 22
    # Words of the fuser and words that the captioner reads are the same layer; most words are improbable.
    chances = made.visual.probabilities(percept.features)
    assert np.array_equal(chances, made._captioner.visual.probabilities(percept.features))
    assert np.median(chances) < 0.02 and chances.min() > 0


def test_shipped_heads_read_only_the_features_that_they_learned_from(store: Store) -> None:
    """The eyes may learn to give more: a head trained before that stays what it is."""
    random = np.random.default_rng(0)
    given = np.abs(random.standard_normal((81, 1600))).astype(np.float32)

    def found(head: str, features: Floats) -> list[Floats]:
        saved = checkpoint.load(SHIPPED / f"{head}.safetensors")
        if head == "caption":
            captioner = NumpyCaptioner(saved)
            shares = captioner.visual.probabilities(features), captioner.visual.places(features, "dog")
            return [captioner.likelihood(captioner.memory(features), "a dog"), *shares]
        if head == "retrieval":
            return [DualEncoder.of(saved, store).picture(features)]
        if head == "vqa":
            return [Answerer(saved).probabilities(features, "what is on the table")]
        return [Namer(saved).probabilities(features), Namer(saved).places(features, Namer(saved).names[0])]

    for head in ("caption", "retrieval", "vqa", "groceries"):
        read = checkpoint.load(SHIPPED / f"{head}.safetensors").config.encoder_dim
        assert read < given.shape[1]
        for all, known in zip(found(head, given), found(head, given[:, :read]), strict=True):
            assert np.allclose(all, known, atol=1e-6), head
