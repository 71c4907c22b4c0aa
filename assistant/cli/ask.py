"""``assistant ask``: one question, or a batch of them, answered in text and aloud."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import output
from ..errors import AssistantError, InputError
from . import App, add_command, add_language, in_language, note, print_json

if TYPE_CHECKING:
    from ..ask import Answer, Asker, Question

log = logging.getLogger(__name__)

FIELDS = ("id", "audio", "text", "image", "say")
"""What a line of a batch may hold."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "ask",
        "ask one question, by voice or in text, about a picture or not",
        '  assistant ask "What is this?" --image photo.jpg\n'
        "  assistant ask --audio question.wav --image photo.jpg --say answer.wav --json\n"
        "  assistant ask --batch items.jsonl > answers.jsonl",
    )
    parser.add_argument("question", nargs="*", metavar="QUESTION", help="a typed question; the same as --text")
    parser.add_argument("--audio", metavar="FILE", help="a recorded question")
    parser.add_argument("--text", help="a typed question")
    parser.add_argument("--image", metavar="FILE", help="the picture it is about")
    parser.add_argument("--say", metavar="OUT.wav", help="write the spoken answer to this file")
    parser.add_argument("--play", action="store_true", help="play the answer on the loudspeaker")
    add_language(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--batch", metavar="FILE", help="JSON lines with id and any of audio, text, image, say; - for stdin"
    )


def run(app: App, arguments: argparse.Namespace) -> int:
    """Answer, print, return 1 if any item failed."""
    from ..ask import Asker, Question

    if arguments.question:
        if arguments.text is not None:
            raise InputError("two questions are asked: one with --text and one without; leave one of them out")
        arguments.text = " ".join(arguments.question)
    app.settings = in_language(app.settings, arguments.language)
    asker = Asker(app.kit)
    if arguments.batch:
        if any((arguments.audio, arguments.text, arguments.image, arguments.say)):
            raise InputError(
                "--batch takes its questions from the file; leave out question, --audio, --image and --say"
            )
        return _batch(app, asker, arguments.batch, arguments.play)
    question = Question(
        audio=_path(arguments.audio), text=arguments.text, image=_path(arguments.image), say=_path(arguments.say)
    )
    check(question)
    asker.warm([question], arguments.play)
    answer = asker.ask(question, play=arguments.play)
    if arguments.json:
        print_json(to_dict(app, answer))
    else:
        show(answer)
    return 0


def check(question: Question) -> None:
    """Raise :class:`InputError` before any model is loaded where a file is missing or nothing is asked."""
    if question.audio is None and question.text is None:
        raise InputError("nothing is asked; give a question in quotes, or --audio FILE")
    for path in (question.audio, question.image):
        if path is not None and not path.is_file():
            raise InputError(f"there is no file {path}" if not path.exists() else f"{path} is not a file")
    if question.say is not None:
        from .. import sound

        output.check(question.say, sound.WRITTEN)


def show(answer: Answer) -> None:
    """Print an answer for a person."""
    if answer.utterance is not None:
        beside = ", ".join(f"{label.label} {label.probability:.2f}" for label in answer.utterance.sounds)
        print(f"heard: {answer.utterance.text or '(no words)'}{f' ({beside})' if beside else ''}")
    if answer.percept is not None:
        print(f"saw:   {seen(answer)}")
    for result in answer.results:
        print(f"tool:  {result.call.name} -> {result.result}")
    print(f"said:  {answer.reply}")
    if answer.say is not None:
        print(f"wrote: {answer.say}")


def seen(answer: Answer) -> str:
    """Return in one line what the picture was taken for."""
    percept = answer.percept
    assert percept is not None
    parts = [] if percept.verdict == "ok" else [f"the picture is {percept.verdict}"]
    if percept.caption:
        parts.append(percept.caption)
    parts += [f"{label.label} {label.probability:.2f} {label.place}".strip() for label in percept.labels[:3]]
    if percept.text:
        parts.append(f"text {percept.text!r}")
    parts += [f"{code.format} {code.text!r}" for code in percept.codes or ()]
    return "; ".join(parts) or "nothing it is sure of"


def to_dict(app: App, answer: Answer, id: object = None) -> dict[str, Any]:
    """Return an answer as the JSON object that is documented in the README."""
    from .. import overtones
    from ..percepts import to_dict as percept_dict

    settings = app.settings
    utterance = answer.utterance
    return {
        "id": id,
        "heard": None if utterance is None else utterance.text,
        "language": answer.language,
        "sounds": [] if utterance is None else overtones.to_list(utterance.sounds),
        "saw": None if answer.percept is None else percept_dict(answer.percept),
        "reply": answer.reply,
        "say": None if answer.say is None else str(answer.say),
        "tools": [
            {"name": result.call.name, "arguments": dict(result.call.arguments), "result": _plain(result.result)}
            for result in answer.results
        ],
        "timings": {key: None if seconds is None else round(seconds, 4) for key, seconds in answer.timings.items()},
        "models": {
            "asr": settings.asr.model,
            "eyes": settings.eyes.model,
            "brain": settings.brain.model,
            "voice": settings.voice.model,
        },
    }


def _batch(app: App, asker: Asker, source: str, play: bool) -> int:
    failed = False
    items = list(_items(source))
    asker.warm([question for _, question in items if not isinstance(question, AssistantError)], play)
    for id, question in items:
        try:
            if isinstance(question, AssistantError):
                raise question
            check(question)
            print_json(to_dict(app, asker.ask(question, play=play), id))
        except (AssistantError, OSError) as error:
            failed = True
            print_json({"id": id, "error": str(error)})
        except Exception as error:  # whatever one item raises, the others are still answered
            failed = True
            log.exception("item %r", id)
            print_json({"id": id, "error": f"{type(error).__name__}: {error}"})
    if not items:
        note(f"assistant: {source} holds no questions")
    return 1 if failed else 0


def _items(source: str) -> Iterator[tuple[Any, Question | AssistantError]]:
    """Yield each line's id and question, or what is wrong with the line.

    A path is relative to the folder of the batch file, or else to the working directory.
    """
    from ..ask import Question

    lines, folder = _lines(source)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            yield None, InputError(f"{source}, line {number}: not JSON ({error.msg})")
            continue
        if not isinstance(item, dict):
            yield None, InputError(f"{source}, line {number}: not a JSON object")
            continue
        id = item.get("id")
        given = {name: item[name] for name in FIELDS[1:] if item.get(name) is not None}
        texts = {name: value for name, value in given.items() if isinstance(value, str)}
        if wrong := [name for name in given if name not in texts]:
            yield id, InputError(f"{source}, line {number}: {wrong[0]} must be a text")
            continue
        paths = {name: _resolve(folder, value, name) for name, value in texts.items() if name != "text"}
        yield id, Question(text=texts.get("text"), **paths)


def _resolve(folder: Path, value: str, name: str) -> Path:
    inside = folder / value
    there = inside.absolute().parent.is_dir() if name == "say" else inside.exists()
    return inside if there else Path(value)


def _lines(source: str) -> tuple[list[str], Path]:
    import sys

    if source == "-":
        return sys.stdin.read().splitlines(), Path()
    path = Path(source)
    if not path.is_file():
        raise InputError(f"there is no file {source}")
    try:
        return path.read_text("utf-8-sig").splitlines(), path.parent
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _plain(value: Any) -> Any:
    """Return a tool's result as something JSON can hold."""
    return value if isinstance(value, str | int | float | bool | type(None) | list | dict) else str(value)
