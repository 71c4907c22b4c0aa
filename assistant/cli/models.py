"""``assistant models``: list, fetch, check and remove models."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import AssistantError, InputError
from ..store import Condition, Store
from . import App, add_command, note, print_json


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "models",
        "list, fetch, check and remove models",
        "  assistant models list\n"
        "  assistant models pull                     what the settings need\n"
        "  assistant models pull faster-whisper-base\n"
        "  assistant models verify\n"
        "  assistant models import faster-whisper-base ~/Downloads/base/\n"
        "  assistant models remove qwen2.5-coder-0.5b-instruct-q4_k_m\n"
        "  assistant models path piper-en_US-joe-medium",
    )
    parser.add_argument("action", choices=tuple(ACTIONS), help="what to do")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="MODEL",
        help="ids as in the list; none: for pull what the settings need, for verify all in the store; "
        "for import: MODEL FILE…",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Do what the action says."""
    return ACTIONS[arguments.action](app.store, arguments.names, arguments.json)


def _list(store: Store, names: list[str], as_json: bool) -> int:
    for name in names:
        store.manifest[name]  # raises, with the nearest id
    entries = [entry for entry in store.entries() if not names or entry.model.id in names]
    if as_json:
        for entry in entries:
            model = entry.model
            print_json(
                {
                    "id": model.id,
                    "task": model.task,
                    "title": model.title,
                    "licence": model.licence,
                    "languages": list(model.languages),
                    "size": model.size,
                    "memory": model.memory,
                    "state": entry.condition.value,
                    "needed": entry.needed,
                    "made_from": model.source or None,
                    "problem": entry.problem or None,
                }
            )
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("model", "task", "state", "size", "licence"):
        table.add_column(name, justify="right" if name == "size" else "left", no_wrap=name != "licence")
    for entry in entries:
        mark = "* " if entry.needed else "  "
        size = f"{entry.model.size / 1e6:,.0f} MB"
        table.add_row(mark + entry.model.id, entry.model.task, entry.condition.value, size, entry.model.licence)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # nothing to fit into: keep each model on one line
    console.print(table)
    console.print(f"* needed by the profile {store.settings.profile}. The store: {store.root}", soft_wrap=True)
    return 0


def _pull(store: Store, names: list[str], as_json: bool) -> int:
    wanted = [store.manifest[name].id for name in names] or store.manifest.needed(store.settings)
    note(f"fetching into {store.root}")
    store.pull(wanted, note)
    for name in wanted:
        if as_json:
            print_json({"id": name, "state": Condition.READY.value, "path": str(store.path(name))})
    if not as_json:
        note(f"ready: {', '.join(wanted)}")
    return 0


def _verify(store: Store, names: list[str], as_json: bool) -> int:
    there = (Condition.READY, Condition.DAMAGED)
    wanted = names or [entry.model.id for entry in store.entries() if entry.condition in there]
    damaged = []
    for name in wanted:
        problem = store.verify(name)
        if problem:
            damaged.append(name)
        if as_json:
            print_json({"id": name, "ok": not problem, "problem": problem or None})
        else:
            print(f"{name}: {problem or 'intact'}")
    if damaged:
        note(f"assistant: fetch anew what is damaged: assistant models pull {' '.join(damaged)}")
    return 1 if damaged else 0


def _remove(store: Store, names: list[str], as_json: bool) -> int:
    for name in _named(store, names, "remove"):
        freed = store.remove(name)
        print_json({"id": name, "freed": freed}) if as_json else print(f"{name}: {freed / 1e6:,.1f} MB freed")
    return 0


def _path(store: Store, names: list[str], as_json: bool) -> int:
    if not names:
        print_json({"path": str(store.root)}) if as_json else print(store.root)
        return 0
    code = 0
    for name in names:
        try:
            path = store.path(name)
        except AssistantError as error:
            note(f"assistant: {error}")
            code = error.exit_code
            continue
        print_json({"id": name, "path": str(path)}) if as_json else print(path)
    return code


def _import(store: Store, names: list[str], as_json: bool) -> int:
    if len(names) < 2:
        raise InputError("say which model and which files: assistant models import MODEL FILE…")
    model, *paths = names
    missing = store.adopt(model, [Path(path).expanduser() for path in paths])
    state = Condition.PARTIAL if missing else Condition.READY
    if as_json:
        print_json({"id": model, "state": state.value, "missing": missing})
    elif missing:
        note(f"{model}: kept; still missing: {', '.join(missing)}")
    else:
        note(f"{model} is in the store")
    return 1 if missing else 0


def _named(store: Store, names: list[str], action: str) -> list[str]:
    if not names:
        raise InputError(f"say which model: assistant models {action} MODEL…")
    return [store.manifest[name].id for name in names]


ACTIONS = {
    "list": _list,
    "pull": _pull,
    "verify": _verify,
    "remove": _remove,
    "path": _path,
    "import": _import,
}
