"""``assistant history``: past conversations."""

from __future__ import annotations

import argparse
import math
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from . import App, Parser, add_command, note, positive, print_json

if TYPE_CHECKING:
    from ..history import History, PastConversation

LONGEST = 18
"""Digits of a conversation's number; longer ones do not fit the record."""

EXAMPLE = """\
  assistant history list
  assistant history show 12
  assistant history search red lighthouse
  assistant history export --output talks.md
  assistant history delete 12
  assistant config set history.enabled false"""


def add(commands: Any) -> None:
    """Declare the command and its actions."""
    parser = add_command(commands, "history", "list, search, export or delete what was said in assistant talk", EXAMPLE)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)
    listing = add_command(
        actions, "list", "list conversations", "  assistant history list\n  assistant history list --limit 5 --json"
    )
    listing.add_argument("--limit", type=positive, metavar="N", help="list at most N")
    show = add_command(
        actions, "show", "show a conversation", "  assistant history show\n  assistant history show 12 --json"
    )
    show.add_argument("number", nargs="?", metavar="NUMBER", help="of the conversation; default: the latest")
    search = add_command(
        actions,
        "search",
        "find what was said",
        "  assistant history search red lighthouse\n  assistant history search --limit 5 lighthouse",
    )
    search.add_argument("words", nargs="+", metavar="WORD", help="to look for")
    search.add_argument("--limit", type=positive, default=20, metavar="N", help="find at most N (20)")
    export = add_command(
        actions,
        "export",
        "export conversations as JSON lines or Markdown",
        "  assistant history export --output talks.md\n  assistant history export --format jsonl 12\n"
        "  assistant history export --output talks.jsonl --media kept/",
    )
    export.add_argument("numbers", nargs="*", metavar="NUMBER", help="of the conversations; default: all")
    export.add_argument("--output", type=Path, metavar="FILE", help="export into a file: .jsonl or .md")
    export.add_argument("--format", choices=("jsonl", "markdown"), help="default: by the file's ending")
    export.add_argument("--media", type=Path, metavar="FOLDER", help="export sounds and pictures that were kept")
    delete = add_command(
        actions,
        "delete",
        "delete conversations for good",
        "  assistant history delete 12 13\n  assistant history delete --older-than 30\n"
        "  assistant history delete --all --yes",
    )
    delete.add_argument("numbers", nargs="*", metavar="NUMBER", help="of the conversations")
    delete.add_argument("--all", action="store_true", help="delete every conversation")
    delete.add_argument("--older-than", type=days, metavar="DAYS", help="delete what ended longer ago")
    delete.add_argument("--yes", action="store_true", help="do not ask before deleting all")
    for action in (listing, show, search, export, delete):
        action.add_argument("--json", action="store_true", help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    from ..history import History

    history = History(app.settings)
    try:
        actions = {"list": _list, "show": _show, "search": _search, "export": _export, "delete": _delete}
        return actions[arguments.action](history, arguments)
    finally:
        history.close()


def _list(history: History, arguments: argparse.Namespace) -> int:
    from ..history.export import iso

    found = history.conversations(arguments.limit)
    if arguments.json:
        rows = [
            {"conversation": one.id, "began": iso(one.began), "ended": iso(one.ended), "turns": one.turns}
            | {"title": one.title}
            for one in found
        ]
        print_json({"path": str(history.path), "conversations": rows})
        return 0
    for one in found:
        turns = f"{one.turns} turn{'' if one.turns == 1 else 's'}"
        print(f"{one.id:4}  {_minute(one.began)}  {turns:>9}  {_short(one.title)}")
    if not found:
        note("no conversation is recorded; `assistant talk` records, `assistant ask` does not")
    return 0


def _show(history: History, arguments: argparse.Namespace) -> int:
    from ..history.export import to_dict

    number = history.latest() if arguments.number is None else conversation_number(arguments.number)
    if number is None:
        raise InputError("no conversation is recorded; `assistant talk` records, `assistant ask` does not")
    conversation = history.show(number)
    if arguments.json:
        print_json(to_dict(conversation))
    else:
        _print(conversation)
    return 0


def _search(history: History, arguments: argparse.Namespace) -> int:
    from ..history.export import turn_to_dict

    found = history.search(" ".join(arguments.words), arguments.limit)
    if arguments.json:
        print_json({"found": [{"conversation": one.conversation, **turn_to_dict(one.turn)} for one in found]})
        return 0
    for one in found:
        print(f"{one.conversation:4}  {_minute(one.turn.at)}  {_short(f'{one.turn.question} → {one.turn.heard}')}")
    if not found:
        note("nothing was found")
    return 0


def _export(history: History, arguments: argparse.Namespace) -> int:
    from ..history import export

    numbers = [conversation_number(text) for text in arguments.numbers]
    form = arguments.format or _format_of(arguments.output)

    def chosen() -> Any:
        return map(history.show, numbers) if numbers else history.all()

    files = export.write_media(history, chosen(), arguments.media) if arguments.media else 0
    if arguments.output is None:
        if arguments.json:
            raise InputError("--json tells how an export into a file went; without --output the export is on stdout")
        for conversation in chosen():
            sys.stdout.write(export.rendered(conversation, form))
        return 0
    count = export.write(chosen(), arguments.output, form)
    if arguments.json:
        print_json({"output": str(arguments.output), "format": form, "conversations": count, "media": files})
    else:
        note(f"{count} conversation{'' if count == 1 else 's'} in {arguments.output}")
    return 0


def _delete(history: History, arguments: argparse.Namespace) -> int:
    numbers = [conversation_number(text) for text in arguments.numbers]
    if sum(map(bool, (numbers, arguments.all, arguments.older_than is not None))) != 1:
        raise InputError("say what to delete: NUMBERS, --older-than DAYS or --all")
    if arguments.all:
        if not arguments.yes and not _confirmed(len(history.conversations())):
            raise InputError("nothing was deleted; to delete all without being asked: --yes")
        deleted = history.delete_all()
    elif numbers:
        for number in numbers:
            history.show(number)  # a wrong number deletes nothing
        deleted = history.delete(numbers)
    else:
        deleted = history.delete_before(time.time() - arguments.older_than * 86_400)
    if arguments.json:
        print_json({"deleted": deleted})
    else:
        note(f"{deleted} conversation{'' if deleted == 1 else 's'} deleted")
    return 0


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"Delete all {count} conversations? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _print(conversation: PastConversation) -> None:
    print(f"conversation {conversation.id}, {_minute(conversation.began)}")
    for turn in conversation.turns:
        print(f"\nyou        {turn.question}")
        for result in turn.results:
            print(f"tool       {result.call.name}: {result.result}")
        cut = "  (interrupted)" if turn.interrupted else ""
        print(f"assistant  {turn.heard if turn.interrupted else turn.reply}{cut}")
        if turn.seen is not None:
            labels = ", ".join(label["label"] for label in turn.seen["labels"])
            print(f"saw        {labels or turn.seen['verdict']}")
        if "first_audio_s" in turn.latencies:
            print(f"first sound after {turn.latencies['first_audio_s']:.2f} s")


def conversation_number(text: str) -> int:
    """Return the number of a conversation that was given on the command line."""
    if not text.isdecimal():
        raise InputError(f"{text!r} is no number of a conversation; see: assistant history list")
    if len(text) > LONGEST:
        raise InputError(f"there is no conversation {text}; see: assistant history list")
    return int(text)


def days(text: str) -> float:
    """Return a number of days that was given on the command line."""
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError("must be a number of at least 0")
    return number


def _format_of(path: Path | None) -> str:
    endings = {".jsonl": "jsonl", ".md": "markdown"}
    if path is None:
        return "jsonl"
    if path.suffix.lower() not in endings:
        raise InputError(f"cannot tell the format of {path}; end it in .jsonl or .md, or give --format")
    return endings[path.suffix.lower()]


def _minute(moment: float) -> str:
    return datetime.fromtimestamp(moment).strftime("%Y-%m-%d %H:%M")


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
