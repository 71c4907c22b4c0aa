"""What colour something has: which questions ask for it, what pixels and captions teach, what is answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.config import Settings
from assistant.errors import InputError, SettingError
from assistant.fusion import checkpoint
from assistant.fusion.colour import COLOURS, asked, both, inside, lab, mentions, middle, plainly, shades
from assistant.fusion.grid import GridFuser
from assistant.store import Store
from assistant.types import Box, Frame, Label, Percept

from . import fusion_world as world

PATCHES = {
    "red": (200, 20, 25), "orange": (250, 140, 20), "yellow": (250, 225, 40), "green": (40, 130, 50),
    "blue": (30, 60, 180), "purple": (95, 30, 120), "pink": (245, 170, 190), "brown": (110, 65, 35),
    "black": (15, 15, 18), "white": (245, 245, 242), "grey": (128, 128, 130),
}  # fmt: skip


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("What colour is the soccer ball on the left?", "ball"),
        ("What color shirt am I wearing?", "shirt"),
        ("Can you tell me what colour my trousers are?", "trousers"),
        ("What's the colour of this?", ""),
        ("Which colour is it?", ""),
        ("What is the colour?", ""),
        ("Welche Farbe hat mein Hemd?", ""),
        ("De quelle couleur est-ce ?", ""),
        ("¿De qué color es esto?", ""),
        ("Di che colore è?", ""),
        ("What colour do you get when you mix red and blue?", None),
        ("What is my favourite colour?", None),
        ("What colour are bananas?", None),
        ("Welche Farbe hat der Himmel?", None),
        ("What is this?", None),
    ],
)
def test_which_questions_ask_for_a_colour_before_the_camera(question: str, thing: str | None) -> None:
    assert asked(question) == thing


def test_captions_tell_what_has_which_colour() -> None:
    assert mentions("A man in a gray hat holds two red and white balls .") == [
        ("hat", ["grey"]),
        ("balls", ["red", "white"]),
    ]
    assert mentions("The wall is green .") == []


@pytest.mark.parametrize("name", COLOURS)
def test_plain_colours_of_pixels(name: str) -> None:
    pixels = np.full((60, 80, 3), PATCHES[name], np.uint8)
    seen = lab(pixels, (3, 4))
    plain = plainly(*seen)
    assert plain.shape == (12, len(COLOURS))
    assert plain[:, COLOURS.index(name)] == pytest.approx(1), COLOURS[int(plain[0].argmax())]
    counted = shades(*seen)
    assert counted.sum(1) == pytest.approx(1)
    assert counted.max(1) == pytest.approx(1), "one shade everywhere"


def test_where_a_thing_is() -> None:
    centre = middle((9, 9)).reshape(9, 9)
    assert centre.sum() == pytest.approx(1, abs=1e-5)
    assert centre.argmax() == 40
    box = inside(Box(0.6, 0.0, 1.0, 0.4), (9, 9)).reshape(9, 9)
    assert box.sum() == pytest.approx(1, abs=1e-5)
    assert box[:4, 5:].sum() > 0.7


def test_two_colours_are_told_where_they_are_as_likely_as_each_other() -> None:
    chances = np.full(len(COLOURS), 0.02, np.float32)
    chances[[COLOURS.index("black"), COLOURS.index("white")]] = 0.45, 0.37
    assert both(chances)[0] == ("black and white", pytest.approx(0.82, abs=1e-3))
    chances[[COLOURS.index("black"), COLOURS.index("white")]] = 0.7, 0.12
    assert both(chances)[0] == ("black", pytest.approx(0.7, abs=1e-3))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Encoder and colour head of the tiny world, in one folder."""
    pytest.importorskip("torch")
    from assistant.fusion import task
    from assistant.fusion.training import Trainer

    folder = tmp_path_factory.mktemp("colour")
    data, heads = world.build(folder / "data", 96), folder / "heads"
    encoder = str(heads / "retrieval.safetensors")
    configs = {
        "retrieval": world.configuration(
            "retrieval", epochs=8, reduced=4, word_dim=8, bank=4, soft=0.1, mirror=0.0, word_pictures=4, least=2,
            calibrate=0.2,
        ),
        "colour": world.configuration("colour", epochs=25, retrieval=encoder, components=3, calibrate=0.2),
    }  # fmt: skip
    heads.mkdir()
    for name, config in configs.items():
        result = Trainer(task.make(config, world.material(data, folder / "cache", config)), folder / name).run()
        result.best.rename(heads / f"{name}.safetensors")
    return SimpleNamespace(data=data, heads=heads, figures=result.figures, configs=configs, root=folder)


def fuser_of(trained: SimpleNamespace, tmp_path: Path) -> GridFuser:
    base = Settings()
    settings = replace(
        base,
        eyes=replace(base.eyes, model="colours"),
        fusion=replace(base.fusion, checkpoint=str(trained.heads)),
        store=replace(base.store, path=str(tmp_path / "store")),
    )
    return GridFuser(settings, Store(settings))


def seen(colour: str, side: str, label: Label | None = None) -> Percept:
    frame = Frame(world.picture(colour, side, 7))
    return replace(world.ColourEyes().look(frame), frame=frame, labels=(label,) if label else ())


def test_colours_are_learned_from_captions_and_measured_again_from_the_file(trained: SimpleNamespace) -> None:
    from assistant.fusion import task

    assert trained.figures["accuracy"] > 0.9
    assert trained.figures["accuracy_nameless"] > 0.9
    saved = checkpoint.load(trained.heads / "colour.safetensors")
    restored = task.restore(saved, world.material(trained.data, trained.root / "cache", trained.configs["colour"]))
    figures = restored.validate()
    assert figures["accuracy"] == trained.figures["accuracy"]
    assert figures["loss"] == pytest.approx(trained.figures["loss"], abs=0.02), "half precision on the disk"
    assert restored.baseline()["accuracy"] < 0.6, "a square may have any colour"


@pytest.mark.parametrize("colour", world.COLOURS)
def test_the_colour_of_a_thing_is_answered(trained: SimpleNamespace, tmp_path: Path, colour: str) -> None:
    fuser = fuser_of(trained, tmp_path)
    percept = seen(colour, "left")
    assert fuser.answer(percept, "What colour is the square?")[0][0] == colour
    assert fuser.answer(percept, "What colour is the guitar?") == ()
    assert fuser.answer(percept, "What colour is a square?") == ()
    assert fuser.answer(replace(percept, frame=None), "What colour is the square?") == ()


def test_it_is_what_the_first_label_says(trained: SimpleNamespace, tmp_path: Path) -> None:
    fuser = fuser_of(trained, tmp_path)
    label = Label("square", 0.9, "left", Box(0.0, 0.33, 0.33, 0.67))
    assert fuser.answer(seen("blue", "left", label), "What colour is it?")[0][0] == "blue"


def test_a_thing_without_a_word_of_its_own_is_where_the_label_is_or_what_somebody_wears(
    trained: SimpleNamespace, tmp_path: Path
) -> None:
    fuser = fuser_of(trained, tmp_path)
    label = Label("cucumbers", 0.9, "left", Box(0.0, 0.33, 0.33, 0.67))
    percept = seen("green", "left", label)
    assert fuser.answer(percept, "What colour are the cucumbers?")[0][0] == "green"
    assert fuser.answer(percept, "What colour is the cardigan?") == ()
    assert fuser.answer(percept, "What colour is my cardigan?") != ()


def test_pixels_count_more_in_a_foreign_picture(trained: SimpleNamespace, tmp_path: Path) -> None:
    fuser = fuser_of(trained, tmp_path)
    assert fuser.colours is not None
    fuser.colours.weight = np.zeros_like(fuser.colours.weight)  # only what is usual is left of what was learned
    fuser.colours.bias = np.zeros_like(fuser.colours.bias)
    pixels = np.full((30, 30, 3), PATCHES["yellow"], np.uint8)
    percept = replace(world.ColourEyes().look(Frame(pixels)), frame=Frame(pixels))
    where, yellow = middle(percept.grid), COLOURS.index("yellow")
    at_home, foreign = (
        fuser.colours.probabilities(where, pixels, percept, familiar=familiar)[yellow] for familiar in (True, False)
    )
    assert at_home < 0.1, "no square was ever yellow"
    assert foreign > 20 * at_home > 0


def test_what_it_cannot_learn_from_is_told(trained: SimpleNamespace, tmp_path: Path) -> None:
    from assistant.fusion import task

    config = trained.configs["colour"]
    material = world.material(trained.data, trained.root / "cache", config)
    plain = [replace(example, captions=("A square .",)) for example in material.train]
    with pytest.raises(InputError, match="no caption of the training side says what colour"):
        task.make(config, replace(material, train=plain))
    own = str(trained.heads / "colour.safetensors")
    with pytest.raises(SettingError, match=r"options\.retrieval: .* is a colour checkpoint"):
        task.make(replace(config, options={**config.options, "retrieval": own}), material)
