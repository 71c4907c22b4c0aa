"""The command line: the only package that prints or sets up logging.

Each command is one module with ``add(commands)``, which declares its parser, and
``run(app, arguments) -> int``. stdout carries results, stderr everything else.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import io
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import AssistantError, InputError, nearest
from ..interruption import abandoned

if TYPE_CHECKING:
    from ..config import Settings
    from ..kit import Kit
    from ..plugins import Plugins
    from ..store import Store

COMMANDS = (
    "talk",
    "ask",
    "transcribe",
    "listen",
    "look",
    "keywords",
    "find_picture",
    "say",
    "translate",
    "draw",
    "models",
    "config",
    "doctor",
    "plugins",
    "bench",
    "eval",
    "fusion",
    "history",
)
"""Modules of this package, in the order in which ``--help`` lists them."""


class App:
    """What a command works with; each part is made on first use."""

    def __init__(self, profile: str | None = None, overrides: Sequence[str] = ()) -> None:
        self._profile, self._overrides = profile, overrides

    @cached_property
    def settings(self) -> Settings:
        """The settings in force."""
        from ..config import load

        return load(self._profile, self._overrides)

    @cached_property
    def store(self) -> Store:
        """The model store."""
        from ..store import Store

        return Store(self.settings, progress=sys.stderr.isatty())

    @cached_property
    def plugins(self) -> Plugins:
        """Backends and tools."""
        from ..plugins import Plugins

        return Plugins(self.settings)

    @cached_property
    def kit(self) -> Kit:
        """The stages that the settings ask for."""
        from ..kit import Kit

        return Kit(self.settings, self.plugins, self.store)

    def make(self, kind: str, name: str) -> Any:
        """Make one stage by its kind and the name of its engine."""
        return self.kit.make(kind, name)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line and whose help keeps the examples' line breaks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line and exit with 2."""
        if "invalid choice: " in message and "(choose from" in message:
            wrong = message.split("invalid choice: ")[1].split(" ")[0].strip("'\"")
            known = [part.strip(" '\")") for part in message.split("(choose from")[1].split(",")]
            message = f"there is no {wrong!r}{nearest(wrong, known)}"
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def add_command(commands: Any, name: str, summary: str, example: str) -> Parser:
    """Declare a command with the options that all commands share; ``example`` is shown by ``--help``."""
    parser: Parser = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=f"examples:\n{example}"
    )
    add_shared(parser)
    return parser


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Add ``--profile``, ``--set`` and ``--verbose``."""
    shared = parser.add_argument_group("settings")
    shared.add_argument("--profile", default=argparse.SUPPRESS, help="embedded, gpu, or one of your own")
    shared.add_argument(
        "--set", action="append", metavar="SECTION.KEY=VALUE", default=argparse.SUPPRESS, help="override one setting"
    )
    shared.add_argument("-v", "--verbose", action="store_true", default=argparse.SUPPRESS, help="log what happens")


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add ``--language``."""
    parser.add_argument(
        "--language", metavar="CODE", help="ISO 639-1 code of what is said, such as en or de (default: detect it)"
    )


def in_language(settings: Settings, language: str | None) -> Settings:
    """Return settings in which that language is spoken, where one was given on the command line."""
    if language is None:
        return settings
    return dataclasses.replace(settings, asr=dataclasses.replace(settings.asr, language=language))


def print_json(value: object) -> None:
    """Print one JSON object on one line of stdout."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def note(text: str) -> None:
    """Tell the user something that is not the result."""
    print(text, file=sys.stderr, flush=True)


def positive(text: str) -> int:
    """Return a whole number of at least 1 that was given on the command line."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def given_text(given: str, purpose: str) -> str:
    """Return a text from the command line; ``"-"`` stands for standard input.

    Raises :class:`InputError` where there is none, or no UTF-8; ``purpose`` says what it is for.
    """
    if given == "-":
        try:
            given = sys.stdin.buffer.read().decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(f"the text is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    if not given.strip():
        raise InputError(f"there is nothing to {purpose}; give some words")
    return given


def typed_lines() -> Iterator[str]:
    """Yield the lines of standard input as they come. Raises :class:`InputError` where they are no UTF-8."""
    try:
        yield from iter(sys.stdin.readline, "")
    except UnicodeDecodeError as error:
        raise InputError(f"what is typed is not UTF-8 (byte {error.start}); send it as UTF-8") from None


def build() -> Parser:
    """Return the parser of the whole command line."""
    from .. import __version__

    parser = Parser(prog="assistant", description="A local assistant that listens, looks and speaks.")
    parser.add_argument("--version", action="version", version=f"assistant {__version__}")
    add_shared(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name in COMMANDS:
        importlib.import_module(f"{__name__}.{name}").add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # the name of a file need not be UTF-8
    code = _main(argv)
    if abandoned():  # the interpreter would wait for the library at its end, or crash in it
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _main(argv: Sequence[str] | None) -> int:
    arguments = build().parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if getattr(arguments, "verbose", False) else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for chatty in ("urllib3", "httpx", "numba", "matplotlib", "RapidOCR"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    app = App(getattr(arguments, "profile", None), getattr(arguments, "set", ()))
    try:
        return int(importlib.import_module(f"{__name__}.{arguments.command.replace('-', '_')}").run(app, arguments))
    except AssistantError as error:
        note(f"assistant: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        note("")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        note(f"assistant: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return 1
