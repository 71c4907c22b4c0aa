"""``assistant bench``: measurements of the assistant by itself, on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..errors import InputError, nearest
from . import App, Parser, add_command, note, positive, print_json


def add(commands: Any) -> None:
    """Declare the command and what it can measure."""
    parser = add_command(
        commands,
        "bench",
        "measure speed and memory on this machine: the whole of a question, or a live conversation",
        "  assistant bench\n  assistant bench talk --json\n  assistant bench talk --utterances questions/",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    kinds = parser.add_subparsers(dest="bench", metavar="WHAT", parser_class=Parser)
    talk = add_command(
        kinds,
        "talk",
        "play recorded speech in real time through the whole conversation",
        "  assistant bench talk\n  assistant bench talk --quick --utterances questions/ --images photos/\n"
        "  assistant bench talk --turns 200 --json\n  assistant bench talk --set wake.enabled=true\n"
        "  ASSISTANT_REALTIME_KEY=… assistant bench talk --realtime 'wss://server/v1/realtime?model=name'",
    )
    talk.add_argument("--utterances", metavar="DIR", type=Path, help="recordings of questions (default: synthesised)")
    talk.add_argument("--most", type=positive, metavar="N", help="recordings to ask, from all over DIR (default: 24)")
    talk.add_argument("--images", metavar="DIR", type=Path, help="pictures before the camera, one a question")
    talk.add_argument(
        "--held",
        type=seconds,
        metavar="SECONDS",
        help="how long each is held up before its question begins (default: 3; 0: shown as it begins)",
    )
    talk.add_argument(
        "--turns", type=positive, default=0, metavar="N", help="also ask N questions in a row: memory (from 11), drift"
    )
    talk.add_argument("--quick", action="store_true", help="only the questions, not pauses, interruptions, idling")
    talk.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")
    talk.add_argument(
        "--realtime",
        metavar="URL",
        help="measure a server that speaks the OpenAI Realtime protocol; its key stands in ASSISTANT_REALTIME_KEY",
    )
    echo = add_command(
        kinds,
        "echo",
        "simulated rooms: echo taken out, self-interruptions, missed barge-ins",
        "  assistant bench echo\n  assistant bench echo --minutes 5 --level -12 --json\n"
        "  assistant bench echo --room 'drifting clocks' --seed 3",
    )
    echo.add_argument("--minutes", type=float, default=30.0, help="of the assistant's speech in all rooms together")
    echo.add_argument("--level", type=float, default=-6.0, metavar="DB", help="of the echo, relative to the voice")
    echo.add_argument("--room", metavar="NAME", help="only this room (default: six and headphones)")
    echo.add_argument("--seed", type=positive, default=1, metavar="N", help="other walls and noise")
    echo.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Measure what is asked for."""
    if arguments.bench == "talk":
        return talk(app, arguments)
    if arguments.bench == "echo":
        return echo(app, arguments)
    return main_job(app, arguments.json)


def main_job(app: App, as_json: bool) -> int:
    """Measure one spoken question about a picture."""
    from ..benchmark.main_job import figures

    made = []
    for figure in figures(app.kit):
        made.append(figure.to_dict())
        if not as_json:
            sign = {True: "ok", False: "MISSED", None: ""}[figure.met]
            print(f"{figure.name:45} {figure.value:10.3f} {figure.unit:8} {figure.target:20} {sign}", flush=True)
    if as_json:
        print_json({"figures": made})
    return 0


def talk(app: App, arguments: argparse.Namespace) -> int:
    """Measure the live conversation, ours or a server's."""
    from ..benchmark.talk import HELD_UP, MOST, measure

    progress = note if sys.stderr.isatty() or not arguments.json else lambda text: None
    most = arguments.most or MOST
    if arguments.realtime:
        from ..benchmark.realtime import measure as measure_server

        figures = measure_server(app.kit, arguments.realtime, arguments.utterances, progress, most)
    else:
        held = HELD_UP if arguments.held is None else arguments.held
        given = arguments.utterances, arguments.images, arguments.turns, arguments.quick
        figures = measure(app.kit, *given, progress, held, most)
    show(figures, arguments.json)
    return 1 if "error" in figures else 0


def echo(app: App, arguments: argparse.Namespace) -> int:
    """Measure the echo canceller and the guard behind it."""
    from ..benchmark.echo import ROOMS, measure

    rooms = [room for room in ROOMS if arguments.room in (None, room.name)]
    if not rooms:
        known = [room.name for room in ROOMS]
        raise InputError(f"there is no room {arguments.room!r}{nearest(arguments.room, known)}")
    progress = note if sys.stderr.isatty() or not arguments.json else lambda text: None
    seconds = arguments.minutes * 60
    show(measure(app.kit, seconds, arguments.level, rooms, progress, arguments.seed - 1), arguments.json)
    return 0


def seconds(text: str) -> float:
    """Return a number of seconds below a minute; raise :class:`ValueError` for anything else."""
    if not 0 <= (number := float(text)) < 60:
        raise ValueError(text)
    return number


def show(figures: dict[str, Any], as_json: bool) -> None:
    """Print figures as JSON or one a line; single turns are told by JSON only."""
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        if name != "turns":
            for part, figure in value.items() if isinstance(value, dict) else [("", value)]:
                print(f"{f'{name} {part}'.strip():45} {figure}")
