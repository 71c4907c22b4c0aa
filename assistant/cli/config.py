"""``assistant config``: show, find and change the settings."""

from __future__ import annotations

import argparse
from typing import Any

from .. import config
from ..errors import InputError
from . import App, add_command, note, print_json


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "config",
        "show or change the settings",
        "  assistant config show\n"
        "  assistant config set voice.speed 1.2\n"
        "  assistant config set profile embedded\n"
        "  assistant config path",
    )
    parser.add_argument("action", choices=("show", "path", "set"), help="what to do")
    parser.add_argument("key", nargs="?", help="section.key (for show: only this one)")
    parser.add_argument("value", nargs="?", help="the new value (for set)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Show, find or change."""
    if arguments.action == "path":
        path = config.user_file()
        print_json({"path": str(path), "exists": path.is_file()}) if arguments.json else print(path)
        return 0
    if arguments.action == "set":
        if arguments.key is None or arguments.value is None:
            raise InputError("say what to set: assistant config set SECTION.KEY VALUE")
        path = config.save(arguments.key, arguments.value)
        note(f"{arguments.key} = {arguments.value} is now in {path}")
        return 0
    flat = config.flatten(app.settings)
    if arguments.key is not None:
        if arguments.key not in flat:
            config.load(overrides=[f"{arguments.key}=?"])  # raises, with the nearest name
        flat = {arguments.key: flat[arguments.key]}
    if arguments.json:
        print_json({key: list(value) if isinstance(value, tuple) else value for key, value in flat.items()})
    else:
        for key, value in flat.items():
            print(f"{key} = {config.to_toml(value)}")
    return 0
