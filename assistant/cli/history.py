"""``assistant history``: past conversations."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from . import App, add_command, note, positive, print_json

if TYPE_CHECKING:
    from ..history import History, PastConversation

ACTIONS = ("list", "show", "search", "export", "delete")

EXAMPLE = """\
  assistant history list
  assistant history show 12
  assistant history search red lighthouse
  assistant history export --output talks.md
  assistant history export 12 --format jsonl
  assistant history delete 12
  assistant history delete --older-than 30
  assistant config set history.enabled false"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(commands, "history", "list, search, export or delete what was said in assistant talk", EXAMPLE)
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument(
        "what", nargs="*", help="numbers of conversations (show, export, delete), or words to look for (search)"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="list or find at most N")
    parser.add_argument("--output", type=Path, metavar="FILE", help="export into a file: .jsonl or .md")
    parser.add_argument("--format", choices=("jsonl", "markdown"), help="of the export; default: by the file's ending")
    parser.add_argument("--media", type=Path, metavar="FOLDER", help="export sounds and pictures that were kept")
    parser.add_argument("--all", action="store_true", help="delete every conversation")
    parser.add_argument("--older-than", type=float, metavar="DAYS", help="delete what ended longer ago")
    parser.add_argument("--yes", action="store_true", help="do not ask before deleting all")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


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

    if arguments.what:
        raise InputError("list takes no numbers; to see one conversation: assistant history show NUMBER")
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

    numbers = _numbers(arguments.what)
    if len(numbers) > 1 or (not numbers and (latest := history.latest()) is None):
        raise InputError("say which conversation: assistant history show NUMBER (see: assistant history list)")
    conversation = history.show(numbers[0] if numbers else latest or 0)
    if arguments.json:
        print_json(to_dict(conversation))
    else:
        _print(conversation)
    return 0


def _search(history: History, arguments: argparse.Namespace) -> int:
    from ..history.export import turn_to_dict

    found = history.search(" ".join(arguments.what), arguments.limit or 20)
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

    numbers = _numbers(arguments.what)
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
    numbers = _numbers(arguments.what)
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


def _numbers(what: list[str]) -> list[int]:
    wrong = [word for word in what if not word.isdecimal()]
    if wrong:
        raise InputError(f"{wrong[0]!r} is no number of a conversation; see: assistant history list")
    return [int(word) for word in what]


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
