"""``assistant eval``: measure one ability on a folder of examples."""

from __future__ import annotations

import argparse
import inspect
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import output
from ..errors import SettingError
from . import add_command, note, positive, print_json

if TYPE_CHECKING:
    from . import App

EXAMPLE = """\
  assistant eval asr --data recordings/
  assistant eval asr --data recordings/ --baseline direct
  assistant eval caption --data photos/index.jsonl --limit 100 --json
  assistant eval naming --data photos/ --items answers.jsonl --set eyes.model=efficientnet-lite2"""

BASELINES = "asr: direct, live; caption: labels, names; vqa: language"
"""Of each task that has any; their modules are too slow to import for a help text."""


def add(commands: Any) -> None:
    """Declare the command."""
    from ..evaluation import tasks

    parser = add_command(commands, "eval", "measure one ability on a folder of examples", EXAMPLE)
    parser.add_argument("task", choices=tasks(), metavar="TASK", help=", ".join(tasks()))
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR_OR_INDEX", help="a folder with an index.jsonl, or such a file"
    )
    parser.add_argument(
        "--split", metavar="NAME", help="take the items of this split only; default: val or test where items name them"
    )
    parser.add_argument("--baseline", metavar="NAME", help=f"what it is compared with: {BASELINES}")
    parser.add_argument("--limit", type=positive, metavar="N", help="take the first N items only")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--items", type=Path, metavar="OUT.jsonl", help="write what came of every item, one a line")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Run one evaluation and print its metrics."""
    from .. import evaluation

    module = evaluation.task(arguments.task)
    items = evaluation.part(arguments.data, module.FIELDS, arguments.split, arguments.limit)
    options = {"baseline": arguments.baseline} if arguments.baseline else {}
    if options and "baseline" not in inspect.signature(module.run).parameters:
        raise SettingError(f"the evaluation {arguments.task!r} has no --baseline")
    with _progress(arguments.task, len(items.rows)) as advance, _writer(arguments.items) as write:
        items = replace(items, advance=advance)
        metrics = module.run(app, items, write, **options)
    skipped = len(items.skipped)
    for path, reason in dict(items.skipped).items():
        note(f"skipped: {path}: {reason}")
    if skipped:
        note(f"skipped {skipped} of {len(items.rows)} items that cannot be read")
    result = _plain({"task": arguments.task, "n": len(items.rows) - skipped, "skipped": skipped, **metrics})
    if arguments.json:
        print_json(result)
    else:
        _table(result)
    return 0


@contextmanager
def _progress(task: str, total: int) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(task, total=total)
        yield lambda: progress.advance(bar)


@contextmanager
def _writer(path: Path | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Give a function that writes one item; the file appears, whole, when all went well."""
    if path is None:
        yield lambda found: None
        return
    output.check(path)
    with output.whole(path) as partial, partial.open("w", encoding="utf-8") as file:
        yield lambda found: print(json.dumps(_plain(found), ensure_ascii=False), file=file)


def _plain(value: Any) -> Any:
    """Return ``value`` without numpy types; what is not finite becomes ``None``, as JSON has no word for it."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _table(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("metric", "value", "95 % interval", title=f"{result['task']}, {result['n']} items")
    for name, value in result.items():
        if name in ("task", "n") or name.endswith("_interval"):
            continue
        low_high = result.get(f"{name}_interval")
        table.add_row(
            name, _shown(value), " – ".join(map(_shown, low_high)) if low_high and None not in low_high else ""
        )
    Console().print(table)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
