"""Drawing: the pipeline, what cannot be drawn, the command, and the tool of a conversation."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from assistant import drawing, output, pictures
from assistant.cli import main
from assistant.config import DrawSettings, Settings
from assistant.drawing import Easel, free_name
from assistant.errors import InputError, ModelError, SettingError
from assistant.happening import News
from assistant.plugins import Plugins
from assistant.stages import Painter
from assistant.store import Store
from assistant.tools import Toolbox, ToolContext
from assistant.types import Frame, ToolCall

from .conftest import interrupted

if TYPE_CHECKING:
    from assistant.backends.diffusers import DiffusersPainter

DOG = "a dog in the snow"
LIBRARIES = ("torch", "transformers", "diffusers")

Make = Callable[..., "DiffusersPainter"]


def wished(settings: Settings, **wishes: Any) -> Settings:
    return dataclasses.replace(settings, draw=dataclasses.replace(settings.draw, **wishes))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline of random weights."""
    for library in LIBRARIES:
        pytest.importorskip(library, reason="drawing needs the draw extra")
    from .make_tiny_painter import stable_diffusion

    return stable_diffusion(tmp_path_factory.mktemp("painter"))


@pytest.fixture(scope="module")
def make(tiny: Path, settings: Settings, store: Store) -> Make:
    """Makes a painter of three steps."""
    from assistant.backends.diffusers import DiffusersPainter

    def made(**wishes: Any) -> DiffusersPainter:
        return DiffusersPainter(wished(settings, **{"model": str(tiny), "steps": 3, **wishes}), store)

    return made


@pytest.fixture(scope="module")
def painter(make: Make) -> DiffusersPainter:
    return make()


# -- the pipeline ---------------------------------------------------------------


def test_a_picture_of_the_models_own_size(painter: DiffusersPainter) -> None:
    assert isinstance(painter, Painter) and painter.steps == 3
    pixels = painter.paint(DOG, 1).pixels
    assert (pixels.shape, pixels.dtype) == ((64, 64, 3), np.uint8)
    assert pixels.std() > 5


def test_the_seed_and_the_words_make_the_picture(painter: DiffusersPainter) -> None:
    first, again = painter.paint(DOG, 1).pixels, painter.paint(DOG, 1).pixels
    assert np.array_equal(first, again)
    assert not np.array_equal(first, painter.paint(DOG, 2).pixels)
    assert not np.array_equal(first, painter.paint("two red cars", 1).pixels)


def test_the_largest_seed_is_taken(painter: DiffusersPainter) -> None:
    assert painter.paint(DOG, drawing.SEEDS - 1).pixels.shape == (64, 64, 3)
    assert all(0 <= drawing.new_seed() < drawing.SEEDS for _ in range(100))
    assert drawing.new_seed() != drawing.new_seed() or drawing.new_seed() != drawing.new_seed()


def test_progress_is_told_once_a_step_and_can_end_the_work(painter: DiffusersPainter) -> None:
    told: list[tuple[int, int]] = []
    painter.paint(DOG, 1, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]

    def enough(done: int, total: int) -> None:
        told.append((done, total))
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        painter.paint(DOG, 1, enough)
    assert told[3:] == [(1, 3)]


def test_settings_change_steps_size_and_guidance(make: Make, painter: DiffusersPainter) -> None:
    assert make(steps=0).steps == 50
    larger = make(size=96, steps=2)
    assert larger.paint(DOG, 1).pixels.shape == (96, 96, 3)
    unguided = make(guidance=1.0)
    assert not np.array_equal(unguided.paint(DOG, 1).pixels, painter.paint(DOG, 1).pixels)


def test_a_picture_that_the_safety_checker_blackens_is_an_error(make: Make, tmp_path: Path) -> None:
    from .make_tiny_painter import stable_diffusion

    prim = make(model=str(stable_diffusion(tmp_path, prim=True)))
    with pytest.raises(ModelError, match="safety checker withholds") as caught:
        prim.paint(DOG, 1)
    assert "\n" not in str(caught.value)


def test_what_does_not_fit_into_memory_names_the_setting_to_lower(make: Make) -> None:
    huge = make(size=8_000_000)  # its noise alone is 16 TB
    with pytest.raises(ModelError, match=r"not enough memory.*lower draw\.size \(now 8000000\)"):
        huge.paint(DOG, 1)


def test_out_of_memory_on_a_gpu(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    made = make()

    def full(**options: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.\nmore")

    monkeypatch.setattr(made, "_pipeline", type("Full", (), {"components": {}, "__call__": staticmethod(full)})())
    with pytest.raises(ModelError, match="not enough memory"):
        made.paint(DOG, 1)


def test_what_the_pipeline_refuses_is_one_line(make: Make) -> None:
    with pytest.raises(ModelError, match=r"fails at this: .*1000") as caught:
        make(steps=2000).paint(DOG, 1)
    assert "\n" not in str(caught.value)


def test_a_text_that_is_too_long_is_drawn_with_a_warning(
    painter: DiffusersPainter, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        painter.paint(DOG, 1)
        assert not caplog.records
        painter.paint(f"{DOG} " * 10, 1)
    assert "too long" in caplog.text


def test_pickled_weights_are_not_read(make: Make, tiny: Path, tmp_path: Path) -> None:
    import shutil

    import torch
    from safetensors.torch import load_file

    folder = Path(shutil.copytree(tiny, tmp_path / "pickled"))
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(ModelError, match="does not load"):
        make(model=str(folder))


def test_no_torchvision_is_needed(make: Make) -> None:
    assert "torchvision" not in sys.modules


def test_a_damaged_model_is_one_line(make: Make, tiny: Path, tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(tiny, tmp_path / "damaged"))
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"\0" * 100)
    for place in (folder, tmp_path):
        with pytest.raises(ModelError, match="does not load") as caught:
            make(model=str(place))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("offline", [True, False])
def test_the_network_is_used_only_for_a_name_of_the_hub_and_only_where_it_is_allowed(
    offline: bool, tiny: Path, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.backends import diffusers as backend

    asked: list[tuple[str, bool, bool]] = []

    def loader(place: str, *, local_files_only: bool, use_safetensors: bool, **rest: object) -> None:
        asked.append((place, local_files_only, use_safetensors))
        raise OSError("that is enough")

    monkeypatch.setattr(backend.AutoPipelineForText2Image, "from_pretrained", loader)
    chosen = dataclasses.replace(settings, store=dataclasses.replace(settings.store, offline=offline))
    for model in (str(tiny), "owner/name"):
        with pytest.raises(ModelError, match="that is enough"):
            backend.DiffusersPainter(wished(chosen, model=model), store)
    assert asked == [(str(tiny), True, True), ("owner/name", offline, True)]


# -- where pictures go ------------------------------------------------------------


def test_a_file_is_named_by_its_words_and_never_one_that_exists(tmp_path: Path) -> None:
    first = free_name("A dog, in the snow!", tmp_path)
    assert first == tmp_path / "a-dog-in-the-snow.png"
    first.touch()
    assert free_name(DOG, tmp_path).name == "a-dog-in-the-snow-2.png"
    assert free_name("…", tmp_path).name == "picture.png"
    assert free_name("../../etc/passwd", tmp_path).parent == tmp_path
    assert len(free_name("word " * 100, tmp_path).stem) <= drawing.LONGEST_NAME


def test_the_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawing.folder(DrawSettings(folder=str(tmp_path / "a" / "b"))).is_dir()
    monkeypatch.setattr(drawing.platformdirs, "user_pictures_dir", lambda: str(tmp_path / "Pictures"))
    assert drawing.folder(DrawSettings()) == tmp_path / "Pictures" / "assistant"
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot make the folder .* set draw\.folder"):
        drawing.folder(DrawSettings(folder=str(tmp_path / "file" / "b")))


@pytest.mark.parametrize("ending", pictures.WRITTEN)
def test_a_written_picture_is_read_again(ending: str, tmp_path: Path) -> None:
    pixels = np.full((16, 24, 3), (200, 30, 30), np.uint8)
    pictures.write(tmp_path / f"red{ending}", Frame(pixels))
    read = pictures.read(tmp_path / f"red{ending}").pixels
    assert np.abs(read.astype(int) - pixels).max() <= (0 if ending == ".png" else 8)
    assert [path.name for path in tmp_path.iterdir()] == [f"red{ending}"]


def test_a_failed_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    def full(self: object, path: Path, **options: object) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    out = tmp_path / "old.png"
    out.write_bytes(b"old")
    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(InputError, match=r"cannot write .*: No space left"):
        pictures.write(out, Frame(np.zeros((8, 8, 3), np.uint8)))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("old.png", b"old")]


# -- the command -------------------------------------------------------------------


def command(tiny: Path, *arguments: str, steps: int = 2) -> list[str]:
    return ["draw", *arguments, "--steps", str(steps), "--set", f"draw.model={tiny}"]


def test_the_command_draws_looks_and_tells(
    tiny: Path, make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "dog.png"
    assert main(command(tiny, DOG, "--out", str(out), "--seed", "7", "--json")) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["file"], said["text"], said["seed"], said["steps"]) == (str(out), DOG, 7, 2)
    assert said["size"] == [64, 64] and said["model"] == str(tiny)
    assert said["saw"]["verdict"] and "labels" in said["saw"] and "caption" in said["saw"]
    assert said["fits"] is None or 0 <= said["fits"] <= 1
    assert set(said["timings"]) == {"load_s", "draw_s", "look_s"} and min(said["timings"].values()) > 0
    again = make(steps=2).paint(DOG, 7).pixels  # in another thread, where torch may use another number of cores
    assert np.abs(pictures.read(out).pixels.astype(int) - again).max() <= 1
    assert [path.name for path in tmp_path.iterdir()] == ["dog.png"]


def test_without_a_name_the_words_name_the_file_and_the_seed_is_told(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ["--set", f"draw.folder={tmp_path / 'drawn'}"]
    assert main(command(tiny, DOG, *place)) == 0
    captured = capsys.readouterr()
    first = tmp_path / "drawn" / "a-dog-in-the-snow.png"
    assert f"wrote {first} (64 × 64, 2 steps, seed " in captured.err
    assert captured.out.strip() and "Traceback" not in captured.err
    seed = captured.err.partition("seed ")[2].partition(",")[0]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{DOG}\n".encode())))
    assert main(command(tiny, "-", "--seed", seed, *place)) == 0
    second = first.with_name("a-dog-in-the-snow-2.png")
    assert second.read_bytes() == first.read_bytes()


class Fake:
    """A painter of grey."""

    steps = 1

    def paint(self, text: str, seed: int, progress: Callable[[int, int], None]) -> Frame:
        assert threading.current_thread() is not threading.main_thread()  # so that Ctrl-C can leave it
        progress(1, 1)
        return Frame(np.full((64, 64, 3), 120, np.uint8))


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every painter is a fake."""
    real = Plugins.make
    monkeypatch.setattr(
        Plugins,
        "make",
        lambda self, kind, *more, **named: Fake() if kind == "painter" else real(self, kind, *more, **named),
    )


@pytest.mark.usefixtures("faked")
def test_a_picture_that_cannot_be_looked_at_is_drawn_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, blind = tmp_path / "a.png", ["--set", "eyes.engine=none", "--set", "draw.model=any/model"]
    assert main(["draw", DOG, "--out", str(out), "--json", *blind]) == 0
    captured = capsys.readouterr()
    said = json.loads(captured.out)
    assert said["saw"] is None and said["fits"] is None and out.is_file()
    assert "could not be looked at: there is no eyes engine 'none'" in captured.err


@pytest.mark.usefixtures("faked")
@pytest.mark.parametrize(("chance", "told"), [(0.91, "seems to show"), (0.08, "may not show"), (None, "")])
def test_it_is_told_whether_the_picture_shows_what_was_asked_for(
    chance: float | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from assistant.fusion.grid import GridFuser

    asked: list[str] = []

    def fits(self: object, percept: object, sentence: str) -> float | None:
        asked.append(sentence)
        return chance

    monkeypatch.setattr(GridFuser, "fits", fits)
    assert main(["draw", DOG, "--out", str(tmp_path / "a.png"), "--set", "draw.model=any/model"]) == 0
    out = capsys.readouterr().out
    assert asked == [DOG]
    assert f"{told} what you asked for ({chance:.0%})" in out if chance is not None else "asked for" not in out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["draw", DOG], 2, "assistant config set draw.model FOLDER"),
        (["draw", "  ", "--set", "draw.model=a/b"], 2, "nothing to draw"),
        (["draw", DOG, "--size", "100", "--set", "draw.model=a/b"], 2, "multiple of 8, not 100; try 96"),
        (["draw", DOG, "--size", "-8", "--set", "draw.model=a/b"], 2, "multiple of 8, not -8; try 8"),
        (["draw", DOG, "--steps", "-1", "--set", "draw.model=a/b"], 2, "draw.steps must be"),
        (["draw", DOG, "--set", "draw.guidance=-1", "--set", "draw.model=a/b"], 2, "draw.guidance must be"),
        (["draw", DOG, "--set", "draw.guidance=nan", "--set", "draw.model=a/b"], 2, "draw.guidance must be"),
        (["draw", DOG, "--out", "dog.mp3", "--set", "draw.model=a/b"], 2, "must end in .png"),
        (["draw", DOG, "--out", "no/folder/dog.png", "--set", "draw.model=a/b"], 2, "there is no folder"),
        (["draw", DOG, "--out", ".png", "--set", "draw.model=a/b"], 2, "must end in .png"),
        (["draw", DOG, "--set", "draw.engine=difusers", "--set", "draw.model=a/b"], 2, "did you mean 'diffusers'"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_loaded(
    arguments: list[str], code: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--set", f"draw.folder={tmp_path}"]) == code
    captured = capsys.readouterr()
    assert told in captured.err and captured.err.count("\n") == 1 and not captured.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", ["-1", str(drawing.SEEDS), "x"])
def test_a_seed_that_is_none(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["draw", DOG, f"--seed={seed}"])
    assert "--seed" in capsys.readouterr().err


def test_a_model_that_is_not_there(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "a.png")
    for model, told in (("/no/such/folder", "draw.model"), ("no/such-model-anywhere", "does not load")):
        arguments = ["draw", DOG, "--out", out, "--set", f"draw.model={model}", "--set", "store.offline=true"]
        assert main(arguments) == 1
        captured = capsys.readouterr()
        assert told in captured.err and captured.err.count("\n") == 1 and not captured.out


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="cannot be written to; give another folder"):
        output.check(tmp_path / "a.png", pictures.WRITTEN)


def test_a_missing_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "assistant.backends.diffusers", raising=False)
    monkeypatch.setitem(sys.modules, "diffusers", None)
    assert main(["draw", DOG, "--out", str(tmp_path / "a.png"), "--set", "draw.model=a/b"]) == 1
    told = capsys.readouterr().err
    assert 'pip install "local-assistant[draw]"' in told and told.count("\n") == 1


STUCK = """
import ctypes, sys
from assistant.cli import App, main

class Stuck:  # a step that Python cannot break
    steps = 1

    def paint(self, text, seed, progress):
        print("inside", flush=True)
        ctypes.CDLL(None).sleep(600)

App.make = lambda self, kind, name: Stuck()
sys.exit(main(["draw", "a dog", "--out", sys.argv[1], "--set", "draw.model=a/b"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_a_picture_is_left_at_ctrl_c(tmp_path: Path) -> None:
    status, out, err = interrupted(STUCK, tmp_path / "a.png")  # the step itself would take ten minutes
    assert (status, out) == (130, "") and "Traceback" not in err
    assert not list(tmp_path.iterdir())


# -- in a conversation ---------------------------------------------------------------


def test_the_tool_is_offered_only_where_a_model_is_set(settings: Settings) -> None:
    assert "draw" not in Plugins(settings).tools
    tool = Plugins(wished(settings, model="a/b")).tools["draw"]
    assert tool.parameters["required"] == ["what"] and not tool.looks
    import re

    meant = ("Draw me a dog", "Can you paint a house?", "Make a picture of a boat")
    assert all(re.search(tool.when, text, re.IGNORECASE) for text in meant)
    assert not re.search(tool.when, "What is in this picture?", re.IGNORECASE)


def until(done: Callable[[], bool], seconds: float = 120) -> None:
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)


class Collected(News):
    """News that a test looks at."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[tuple[str, bool]] = []
        self.told = lambda message, failed: self.all.append((message, failed))


def test_the_tool_begins_a_picture_and_says_where_it_will_be(tiny: Path, settings: Settings, tmp_path: Path) -> None:
    chosen = wished(settings, model=str(tiny), steps=2, folder=str(tmp_path / "mine"))
    plugins, news = Plugins(chosen), Collected()
    plugins.news.told = news.told
    toolbox = Toolbox(plugins.tools, chosen.plugins.timeout)
    told = toolbox.run(ToolCall("draw", {"what": "-- a dog; in the snow"}), ToolContext())
    picture = tmp_path / "mine" / "a-dog-in-the-snow.png"
    assert not told.failed and picture.name in told.result and str(picture.parent) in told.result
    second = toolbox.run(ToolCall("draw", {"what": "a cat"}), ToolContext())
    assert second.failed and "a-dog-in-the-snow.png is still being drawn" in second.result
    until(lambda: bool(news.all))
    assert news.all == [(f"The picture is done: {picture.name} in the folder {picture.parent}.", False)]
    assert pictures.read(picture).pixels.shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ("sys.exit('assistant: there is not enough memory to draw this')", "there is not enough memory to draw this"),
        ("open(sys.argv[1]), sys.exit(1)", "No such file or directory"),
        ("sys.exit(3)", "it ended with 3"),
        pytest.param(
            "print('half', file=sys.stderr), os.kill(os.getpid(), 9)",
            "the system ended it, as it does where memory runs short",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL"),
        ),
    ],
)
def test_why_nothing_was_drawn_is_news(
    ends: str, told: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, news = drawing.subprocess.Popen, Collected()

    def begun(command: list[str], **options: Any) -> Any:
        return real([sys.executable, "-c", f"import os, sys; {ends}", command[5]], **options)

    monkeypatch.setattr(drawing.subprocess, "Popen", begun)
    easel = Easel(wished(settings, model="a/b", folder=str(tmp_path)), news)
    easel.begin(DOG)
    until(lambda: bool(news.all))
    ((message, failed),) = news.all
    assert failed and message.startswith("a-dog-in-the-snow.png was not drawn: ") and told in message
    assert told in easel.trouble and "\n" not in message


def test_a_picture_that_came_to_nothing_is_told_with_the_next(settings: Settings, tmp_path: Path) -> None:
    chosen = wished(settings, engine="none", model="a/b", folder=str(tmp_path))
    tool = Plugins(chosen).tools["draw"].function
    assert "nothing" not in tool(what=DOG)
    until(lambda: _began(tool, "a cat"))


def _began(tool: Callable[..., str], what: str) -> bool:
    try:
        told = tool(what=what)
    except InputError as error:
        assert "still being drawn" in str(error)
        return False
    return "came to nothing: there is no painter engine 'none'" in told


def test_what_cannot_be_drawn_is_refused_before_a_process_is_made(settings: Settings, tmp_path: Path) -> None:
    for wishes, text, error in (
        ({}, DOG, SettingError),
        ({"model": "a/b", "size": 7}, DOG, SettingError),
        ({"model": "a/b"}, " ", InputError),
    ):
        with pytest.raises(error):
            Easel(wished(settings, folder=str(tmp_path / "drawn"), **wishes)).begin(text)
    assert not list(tmp_path.iterdir())
