"""``assistant talk``: the conversation."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AssistantError, SettingError
from . import App, add_command, note, print_json

if TYPE_CHECKING:
    from ..dialogue import Dialogue
    from ..happening import Happening
    from ..history.recorder import Recorder
    from ..stages import Camera, Microphone, Speaker
    from ..types import Message


def add(commands: Any) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "talk",
        "talk with the assistant; without a microphone it answers a recorded question about a photo",
        "  assistant talk\n  assistant talk --plain --push-to-talk\n"
        "  assistant talk --input question.wav --image photo.jpg --say answer.wav\n"
        "  assistant talk --sample --say answer.wav",
    )
    parser.add_argument("--plain", action="store_true", help="lines of text only, for screen readers")
    parser.add_argument("--push-to-talk", action="store_true", help="space or Enter before and after you speak; q ends")
    parser.add_argument("--once", action="store_true", help="end after the first answer")
    parser.add_argument("--input", metavar="FILE", type=Path, help="a sound file in the place of the microphone")
    parser.add_argument("--image", metavar="FILE", type=Path, help="a picture or folder in the place of the camera")
    parser.add_argument(
        "--say",
        metavar="OUT.wav",
        type=Path,
        help="write the spoken answers here instead of playing; with --input the default is answer.wav",
    )
    parser.add_argument(
        "--continue", dest="resume", nargs="?", const="latest", metavar="ID", help="go on with a past conversation"
    )
    parser.add_argument("--sample", action="store_true", help="answer the recorded question, also with a microphone")
    parser.add_argument("--json", action="store_true", help="print one JSON object per event (one in all for a sample)")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Hold the conversation, or answer the sample question."""
    from ..devices import sound_engine
    from ..errors import DeviceError

    if arguments.sample:
        return sample(app, arguments.say or Path("answer.wav"), arguments.json)
    app.settings = with_files(app.settings, arguments)
    try:
        engine = "file" if arguments.input else sound_engine(app.settings.audio.input)
        microphone: Microphone = app.make("microphone", engine)
    except DeviceError as error:
        if arguments.image or arguments.resume or arguments.push_to_talk:  # the sample is no answer to these
            raise
        note(f"{error}.".replace("..", "."))
        return sample(app, arguments.say or Path("answer.wav"), arguments.json)
    return live(app, arguments, microphone)


def with_files(settings: Any, arguments: argparse.Namespace) -> Any:
    """Return the settings with the files of the command line in the place of devices."""
    audio, camera = settings.audio, settings.camera
    if arguments.input:
        audio = dataclasses.replace(audio, input=str(arguments.input))
    if arguments.say or arguments.input:
        audio = dataclasses.replace(audio, output=str(arguments.say or "answer.wav"))
    if arguments.image:
        camera = dataclasses.replace(camera, source=str(arguments.image))
    elif arguments.input and camera.source == "auto":
        camera = dataclasses.replace(camera, source="off")
    return dataclasses.replace(settings, audio=audio, camera=camera)


def open_speaker(app: App, engine: str) -> Speaker:
    """Return the loudspeaker, or a file in its place; where there is none, the answers are only shown."""
    from ..errors import DeviceError
    from ..pacing import PacedSpeaker

    if engine == "file":
        return PacedSpeaker(app.make("speaker", engine))
    try:
        speaker: Speaker = app.make("speaker", engine)
    except DeviceError as error:
        note(f"{error}. The answers are only shown.")
        return PacedSpeaker()
    return speaker


def open_camera(app: App, needed: bool) -> Camera | None:
    """Return the camera; where there is none, it is said once and the conversation does without, unless ``needed``."""
    from ..devices import camera_engine
    from ..errors import DeviceError

    source = app.settings.camera.source
    if source == "off":
        return None
    try:
        camera: Camera = app.make("camera", camera_engine(source))
    except DeviceError as error:
        if needed:
            raise
        note(f"{error}. Going on without a picture.")
        return None
    return camera


def live(app: App, arguments: argparse.Namespace, microphone: Microphone) -> int:
    """Hold the conversation until its end."""
    from ..devices import sound_engine
    from ..talking import converse
    from .terminal import Opening, single_keys, view

    if arguments.push_to_talk and app.settings.wake.enabled:
        raise SettingError("a wake word and --push-to-talk exclude each other; add: --set wake.enabled=false")
    past, recorder = open_history(app, arguments.resume)
    to_file = bool(arguments.say or arguments.input) or sound_engine(app.settings.audio.output) == "file"
    speaker = open_speaker(app, "file" if to_file else "sounddevice")
    camera = open_camera(app, needed=bool(arguments.image))
    note("Loading the models ...")
    keys = arguments.push_to_talk
    opening = Opening.KEY if keys else Opening.WAKE_WORD if app.settings.wake.enabled else Opening.SPEAK
    with view(arguments.plain, arguments.json, opening) as show:
        dialogue = converse(app.kit, microphone, speaker, camera, [show], past, echo=not to_file, hands_free=not keys)
        if recorder is not None:
            dialogue.observers.append(recorder)
        if arguments.once:
            dialogue.observers.append(lambda happening: after_reply(dialogue, happening))
        try:
            if keys:
                with single_keys():
                    asyncio.run(push_to_talk(dialogue))
            else:
                asyncio.run(dialogue.run())
        except BaseExceptionGroup as group:
            told: BaseException | None = group.subgroup((AssistantError, OSError))
            while isinstance(told, BaseExceptionGroup):
                told = told.exceptions[0]
            raise told or group from None
        finally:
            if camera is not None:
                camera.close()
            if recorder is not None:
                recorder.close()
    if to_file and Path(app.settings.audio.output).is_file():
        note(f"wrote: {app.settings.audio.output}")
    return 0


def open_history(app: App, resume: str | None) -> tuple[tuple[Message, ...], Recorder | None]:
    """Return what was said in the conversation to go on with, and what records this one, where that is on.

    ``resume`` is a conversation's number, ``"latest"`` or ``None``.
    """
    from ..history import History
    from ..history.recorder import Recorder
    from .history import conversation_number

    if resume is None:
        return (), Recorder.of(app.settings, note)
    kept = History(app.settings)
    number = kept.latest() if resume == "latest" else conversation_number(resume)
    return () if number is None else kept.messages(number), Recorder.of(app.settings, note, number)


def after_reply(dialogue: Dialogue, happening: Happening) -> None:
    """End the conversation after its first answer."""
    if happening.name == "reply" and happening.details["question"] and not happening.details["interrupted"]:
        dialogue.quit()


async def push_to_talk(dialogue: Dialogue) -> None:
    """Hold the conversation; space or Enter begins and ends a question."""
    from ..streams import flow

    talking = False

    def toggle(key: str) -> None:
        nonlocal talking
        if key in ("q", ""):
            dialogue.quit()
        elif key in (" ", "\n", "\r"):
            talking = not talking
            (dialogue.press if talking else dialogue.release)()

    async def keys() -> None:
        loop = asyncio.get_running_loop()
        if sys.stdin.isatty() and hasattr(loop, "add_reader"):
            try:
                loop.add_reader(sys.stdin.fileno(), lambda: toggle(sys.stdin.read(1)))
            except NotImplementedError:  # the event loop of Windows
                pass
            else:
                return
        async for line in flow(iter(sys.stdin.readline, "")):
            toggle(line[:1])
        dialogue.quit()

    reading = asyncio.create_task(keys())
    try:
        await dialogue.run()
    finally:
        reading.cancel()


def sample(app: App, say: Path, as_json: bool) -> int:
    """Answer the recorded question about the photo of the store."""
    from .. import sample
    from ..ask import Asker
    from .ask import show, to_dict

    note("This answers a recorded question about a photo.")
    asker = Asker(app.kit, live=True)
    question = sample.question(app.kit, say)
    asker.warm([question])
    answer = asker.ask(question)
    if as_json:
        print_json(to_dict(app, answer))
    else:
        print(f"question: {question.audio}\nphoto:    {question.image}")
        show(answer)
    return 0
