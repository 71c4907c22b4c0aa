"""``assistant talk``: the conversation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from . import App, add_command, note, print_json


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "talk",
        "talk with the assistant; without a microphone it answers a recorded question about a photo",
        "  assistant talk\n  assistant talk --sample --say answer.wav",
    )
    parser.add_argument("--sample", action="store_true", help="answer the recorded question, also with a microphone")
    parser.add_argument("--say", metavar="OUT.wav", default="answer.wav", help="where the sample's answer is written")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Hold the conversation, or answer the sample question."""
    return sample(app, Path(arguments.say), arguments.json)


def sample(app: App, say: Path, as_json: bool) -> int:
    """Answer the recorded question about the photo of the store."""
    from .. import sample
    from ..ask import Asker
    from .ask import show, to_dict

    note("No microphone here, so this answers a recorded question about a photo.")
    asker = Asker(app.kit)
    question = sample.question(app.kit, say)
    asker.warm([question])
    answer = asker.ask(question)
    if as_json:
        print_json(to_dict(app, answer))
    else:
        print(f"question: {question.audio}\nphoto:    {question.image}")
        show(answer)
    return 0
