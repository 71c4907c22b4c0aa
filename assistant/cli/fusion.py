"""``assistant fusion``: train, evaluate, compare and explain what turns features into words."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import output
from ..errors import ExtraMissing
from . import App, add_command, add_shared, note, print_json

if TYPE_CHECKING:
    from ..fusion.config import FusionConfig
    from ..fusion.data import Example
    from ..fusion.encoders import PictureEncoder, SoundEncoder
    from ..fusion.features import Features
    from ..fusion.task import Task
    from ..fusion.training import Progress

TABLES = (".md",)
"""Endings of tables; the same stands beside them as JSON."""

EXAMPLE = """\
  assistant fusion train --config config/fusion/caption.toml --data captions/ --out runs/caption
  assistant fusion train --config config/fusion/caption.toml --data captions/ --out runs/caption --resume
  assistant fusion train --config config/fusion/sounds.toml --data sounds/ --out runs/sounds
  assistant fusion evaluate --checkpoint runs/caption/best.safetensors --data captions/ --json
  assistant fusion compare runs/*/best.safetensors --data matching/ --out table.md
  assistant fusion explain photo.jpg "what is the dog doing?" --out map.png"""

CONFIG = """\
a TOML file as in config/fusion; its encoder is the eyes' own, or CLIP, SigLIP 2, DINOv2 or ViT by a hub's name
(openai/clip-vit-base-patch32) or a folder, with that model's encoder_dim and grid"""


def add(commands: Any) -> None:
    """Declare the command and its four parts."""
    parser = add_command(commands, "fusion", "train, evaluate, compare and explain the fusion of modalities", EXAMPLE)
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True, parser_class=type(parser))
    train = _part(parts, "train", "train on your own data; a run can be resumed at any time")
    train.add_argument("--config", type=Path, required=True, metavar="F", help=CONFIG)
    train.add_argument("--out", type=Path, metavar="DIR", help="folder of the run; default: runs/NAME-OF-CONFIG")
    train.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    train.add_argument(
        "--all",
        action="store_true",
        help="hold nothing back, for weights to use once the recipe was measured: the last epoch's are kept",
    )
    _data(train)
    evaluate = _part(parts, "evaluate", "measure one checkpoint on the validation part of data")
    evaluate.add_argument("--checkpoint", type=Path, required=True, metavar="F")
    _data(evaluate)
    compare = _part(parts, "compare", "measure checkpoints and baselines on the same data, in one table")
    compare.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT")
    compare.add_argument("--out", type=Path, metavar="F.md", help="write the table here too, and as JSON beside it")
    _data(compare)
    explain = _part(parts, "explain", "show which places of a picture the words come from")
    explain.add_argument("image", type=Path, metavar="IMAGE")
    explain.add_argument("question", metavar="QUESTION")
    explain.add_argument("--out", type=Path, default=Path("explained.png"), metavar="F.png", help="where the map goes")
    explain.add_argument("--json", action="store_true", help="print one JSON object")


def _part(parts: Any, name: str, summary: str) -> Any:
    example = "\n".join(line for line in EXAMPLE.splitlines() if f"fusion {name} " in line)
    parser = parts.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=f"examples:\n{example}"
    )
    add_shared(parser)
    return parser


def _data(parser: Any) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="folders or files: index.jsonl, COCO captions, VQA v2, a folder a class (pictures or sounds)",
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where features are kept; default: the user's cache")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Run one part."""
    parts: dict[str, Callable[[App, argparse.Namespace], int]] = {
        "train": _train,
        "evaluate": _evaluate,
        "compare": _compare,
        "explain": _explain,
    }
    if arguments.part != "explain":
        _need_torch()
    return parts[arguments.part](app, arguments)


def _train(app: App, arguments: argparse.Namespace) -> int:
    from ..fusion import config as configuration
    from ..fusion import minilm, task
    from ..fusion.training import Trainer

    config = configuration.load(arguments.config)
    if arguments.all:
        config = replace(config, training=replace(config.training, everything=True))
    folder = arguments.out or Path("runs") / arguments.config.stem
    sentences = minilm.find(config.sentences, app.store)
    features, examples = _encoded(app, arguments, config)
    material = task.gather(config, examples, features, sentences)
    with _progress() as report:
        result = Trainer(task.make(config, material), folder, report).run(arguments.resume)
    summary = {
        "checkpoint": str(result.best),
        "figures": result.figures,
        "steps": result.position.step,
        "epochs": result.position.epoch,
        "stopped_early": result.stopped_early,
        "skipped": [str(path) for path, _ in material.features.skipped],
    }
    if arguments.json:
        print_json(summary)
    else:
        figures = ", ".join(f"{name} {value:.4f}" for name, value in result.figures.items())
        print(f"{result.best}: {figures or 'trained on everything, so it was not measured'}")
    return 0


def _evaluate(app: App, arguments: argparse.Namespace) -> int:
    from ..fusion import checkpoint, minilm, task

    saved = checkpoint.load(arguments.checkpoint)
    _warn(arguments.checkpoint, saved.config)
    sentences = minilm.find(saved.config.sentences, app.store)
    features, examples = _encoded(app, arguments, saved.config)
    restored = task.restore(saved, task.measured([saved.config], examples, features, sentences))
    figures = _figures(restored)
    if arguments.json:
        print_json({"checkpoint": str(arguments.checkpoint), "task": saved.config.task, **figures})
    else:
        print(", ".join(f"{name} {value:.4f}" for name, value in figures.items()))
    return 0


def _compare(app: App, arguments: argparse.Namespace) -> int:
    from ..fusion import checkpoint, minilm, task

    if arguments.out:
        output.check(arguments.out, TABLES)  # before anything is measured, not after
    files = [(path, checkpoint.load(path)) for path in arguments.checkpoints]
    configs = [saved.config for _, saved in files]
    encoded: dict[str, tuple[Features, list[Example]]] = {}
    rows, baselines = list[dict[str, Any]](), dict[str, dict[str, Any]]()
    for path, saved in files:
        _warn(path, saved.config)
        config, size = saved.config, sum(array.size for array in saved.arrays.values())
        if config.encoder not in encoded:
            encoded[config.encoder] = _encoded(app, arguments, config)
        features, examples = encoded[config.encoder]
        sentences = minilm.find(config.sentences, app.store)
        restored = task.restore(saved, task.measured(configs, examples, features, sentences))
        row = {"checkpoint": str(path), "task": config.task}
        fuses = {"strategy": config.model.strategy} if restored.fuses else {}
        rows.append({**row, **fuses, "parameters": size, **_figures(restored)})
        if figures := restored.baseline():
            baselines[config.task] = {"checkpoint": "baseline", "task": config.task, "parameters": 0, **figures}
    rows += baselines.values()
    table = markdown(rows)
    if arguments.out:
        arguments.out.write_text(table, "utf-8")
        arguments.out.with_suffix(".json").write_text(json.dumps(rows, indent=1), "utf-8")
    if arguments.json:
        print_json({"rows": rows})
    else:
        print(table, end="")
    return 0


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return rows as a Markdown table; a figure that a row lacks is a dash."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for row in rows:
        cells = [f"{row[name]:.4f}" if isinstance(row.get(name), float) else str(row.get(name, "–")) for name in names]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _explain(app: App, arguments: argparse.Namespace) -> int:
    from .. import pictures
    from ..fusion.explanation import Explainer

    frame = pictures.read(arguments.image)
    output.check(arguments.out, pictures.WRITTEN)  # before a model is loaded, not after
    explanation = Explainer(app.kit.eyes, app.make("fuser", "grid")).explain(frame, arguments.question)
    pictures.write(arguments.out, explanation.drawn(frame.pixels))
    found = {"map": str(arguments.out), **explanation.to_dict()}
    if arguments.json:
        print_json(found)
    else:
        print(explanation.text())
        print(f"wrote: {arguments.out}")
    return 0


def _warn(checkpoint: Path, config: FusionConfig) -> None:
    if config.training.everything:
        note(f"{checkpoint} held nothing back: on the data that it learned from its figures are too good")


def _figures(restored: Task) -> dict[str, float]:
    import torch

    with torch.no_grad():
        return restored.validate()


def _encoded(app: App, arguments: argparse.Namespace, config: FusionConfig) -> tuple[Features, list[Example]]:
    """Read the data and encode its pictures or sounds, those that are not in the cache yet."""
    from rich.console import Console
    from rich.progress import track

    from ..fusion import data, task
    from ..fusion.features import Features

    examples = data.read(arguments.data)
    files = task.files(config, examples)
    encoder = _encoder(app, config)
    config.check(encoder=encoder.layout.name, modality=encoder.layout.modality)
    features = Features(encoder, **({"folder": arguments.cache} if arguments.cache else {}))
    for file in track(files, "encoding", console=Console(stderr=True), transient=True):
        features.add(file)
    for path, reason in features.skipped:
        note(f"skipped: {path}: {reason}")
    if features.skipped:
        note(f"skipped {len(features.skipped)} of {len(files)} {config.modality}s that cannot be read")
    return features, examples


def _encoder(app: App, config: FusionConfig) -> PictureEncoder | SoundEncoder:
    """Return the ears, the eyes, or the hub's model or the folder that the configuration names."""
    from ..fusion.encoders import EarsEncoder, EyesEncoder, HubPictureEncoder

    if config.modality == "sound":
        return EarsEncoder(app.make("asr", app.settings.asr.engine))
    if "/" in config.encoder or (Path(config.encoder) / "config.json").is_file():
        return HubPictureEncoder.load(config.encoder, app.settings.store.offline)
    return EyesEncoder(app.kit.eyes)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """Show loss, learning rate, speed and time left: live on a terminal, a line every ten seconds elsewhere."""
    import time

    last = 0.0

    def show(progress: Progress) -> None:
        nonlocal last
        minutes, seconds = divmod(int(progress.left), 60)
        text = (
            f"epoch {progress.epoch + 1}, step {progress.step}/{progress.steps}: loss {progress.loss:.4f}, "
            f"lr {progress.lr:.2e}, {progress.rate:.1f} samples/s, {minutes}:{seconds:02d} left"
        )
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last >= 10:
            last = time.monotonic()
            note(text)

    try:
        yield show
    finally:
        if sys.stderr.isatty():
            note("")


def _need_torch() -> None:
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise ExtraMissing("torch", "train") from error
