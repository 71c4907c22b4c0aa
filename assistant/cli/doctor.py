"""``assistant doctor``: what is there, what is missing, and the command that mends it."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import asdict
from typing import Any

from ..store.doctor import Finding, Health, examine
from . import App, add_command, note, print_json

COLOURS = {Health.OK: "green", Health.NOTE: "yellow", Health.FAIL: "red"}


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "doctor",
        "look this machine over and say how to mend what is wrong",
        "  assistant doctor\n  assistant doctor --deep       also load every stage and use it once\n"
        "  assistant doctor --json --profile gpu",
    )
    parser.add_argument("--deep", action="store_true", help="load every stage of the profile and use it once")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Print the report; 1 where something that the profile needs is missing or broken."""
    findings = list(examine(app.store, app.plugins, arguments.deep))
    failed = [finding for finding in findings if finding.health is Health.FAIL]
    if arguments.json:
        report = {"ok": not failed, "profile": app.settings.profile, "findings": [asdict(each) for each in findings]}
        print_json(report)
    else:
        _print(findings)
        counts = Counter(finding.health for finding in findings)
        note(f"{counts[Health.OK]} in order, {counts[Health.NOTE]} to note, {counts[Health.FAIL]} to mend")
    return 1 if failed else 0


def _print(findings: list[Finding]) -> None:
    """Print one line a finding and one a command; lines are not broken, so that commands can be copied."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    width = max(len(f"{each.area} {each.name}") for each in findings)
    for each in findings:
        health = Text(f"{each.health.value:<5} ", style=COLOURS[each.health])
        console.print(health + f"{f'{each.area} {each.name}':<{width}}  {each.detail}")
        if each.mend:
            console.print(Text(f"{'':<{width + 8}}to mend it: {each.mend}", style="bold"))
