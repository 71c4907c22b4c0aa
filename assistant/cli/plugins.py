"""``assistant plugins``: what is plugged in, and what is wrong with what is not."""

from __future__ import annotations

import argparse
from typing import Any

from . import App, add_command, print_json


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "plugins",
        "list plugins, tools and backends",
        "  assistant plugins list\n  assistant plugins list --json",
    )
    parser.add_argument("action", choices=("list",), nargs="?", default="list", help="what to do")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """List; return 1 if a plugin could not be loaded."""
    plugins = app.plugins
    tools = plugins.tools
    if arguments.json:
        print_json(
            {
                "plugins": [
                    {"name": found.name, "origin": found.origin, "problem": found.problem or None}
                    for found in plugins.found
                ],
                "tools": [tool.spec for tool in tools.values()],
                "backends": [
                    {"kind": backend.kind, "name": backend.name, "extra": backend.extra}
                    for backend in plugins.backends.values()
                ],
            }
        )
    else:
        for found in plugins.found:
            print(f"plugin {found.name:16} {found.origin}{f'  NOT LOADED: {found.problem}' if found.problem else ''}")
        for tool in tools.values():
            print(f"tool   {tool.name:16} {tool.description}")
        for backend in plugins.backends.values():
            extra = f'  (pip install "local-assistant[{backend.extra}]")' if backend.extra else ""
            print(f"engine {backend.kind + '/' + backend.name:24}{extra}")
    return 1 if any(found.problem and "disabled" not in found.problem for found in plugins.found) else 0
