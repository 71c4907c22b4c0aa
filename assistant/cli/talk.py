"""``assistant talk``: the conversation."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AssistantError, SettingError
from . import App, add_command, add_language, in_language, note, print_json

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
        "  assistant talk\n  assistant talk --plain --push-to-talk\n  assistant talk --type --mute\n"
        "  assistant talk --input question.wav --image photo.jpg --say answer.wav\n"
        "  assistant talk --sample --say answer.wav",
    )
    parser.add_argument("--plain", action="store_true", help="lines of text only, for screen readers")
    asking = parser.add_mutually_exclusive_group()
    asking.add_argument("--push-to-talk", action="store_true", help="space or Enter before and after you speak; q ends")
    asking.add_argument("--type", action="store_true", help="type your questions, no microphone is needed")
    parser.add_argument("--once", action="store_true", help="end after the first answer")
    add_language(parser)
    parser.add_argument("--input", metavar="FILE", type=Path, help="a sound file in the place of the microphone")
    parser.add_argument("--image", metavar="FILE", type=Path, help="a picture or folder in the place of the camera")
    answering = parser.add_mutually_exclusive_group()
    answering.add_argument(
        "--say",
        metavar="OUT.wav",
        type=Path,
        help="write the spoken answers here instead of playing; with --input the default is answer.wav",
    )
    answering.add_argument("--mute", action="store_true", help="show the answers, at once, and speak none")
    parser.add_argument(
        "--continue", dest="resume", nargs="?", const="latest", metavar="ID", help="go on with a past conversation"
    )
    parser.add_argument("--sample", action="store_true", help="answer the recorded question, also with a microphone")
    parser.add_argument("--json", action="store_true", help="print one JSON object per event (one in all for a sample)")


def run(app: App, arguments: argparse.Namespace) -> int:
    """Hold the conversation, or answer the sample question."""
    from ..devices import sound_engine
    from ..errors import DeviceError
    from ..pacing import StillMicrophone

    if arguments.sample:
        return sample(app, arguments.say or Path("answer.wav"), arguments.json)
    if arguments.type and arguments.input:
        raise SettingError("--type and --input exclude each other; leave one away")
    app.settings = chosen(in_language(app.settings, arguments.language), arguments)
    if arguments.type:
        return live(app, arguments, StillMicrophone())
    try:
        engine = "file" if arguments.input else sound_engine(app.settings.audio.input)
        microphone: Microphone = app.make("microphone", engine)
    except DeviceError as error:
        if arguments.image or arguments.resume or arguments.push_to_talk or arguments.mute:  # the sample is no answer
            raise
        note(f"{error}. To type instead: assistant talk --type".replace("..", "."))
        return sample(app, arguments.say or Path("answer.wav"), arguments.json)
    return live(app, arguments, microphone)


def chosen(settings: Any, arguments: argparse.Namespace) -> Any:
    """Return the settings with the files of the command line in the place of devices, and without what is not there."""
    audio, camera, wake, live = settings.audio, settings.camera, settings.wake, settings.talk
    if arguments.input:
        audio = dataclasses.replace(audio, input=str(arguments.input))
    if arguments.say or arguments.input:
        audio = dataclasses.replace(audio, output=str(arguments.say or "answer.wav"))
    if arguments.image:
        camera = dataclasses.replace(camera, source=str(arguments.image))
    elif arguments.input and camera.source == "auto":
        camera = dataclasses.replace(camera, source="off")
    if arguments.type:
        wake = dataclasses.replace(wake, enabled=False)
    if arguments.type or arguments.mute:  # either hears nothing of the other
        live = dataclasses.replace(live, echo="off")
    return dataclasses.replace(settings, audio=audio, camera=camera, wake=wake, talk=live)


def open_speaker(app: App, engine: str) -> Speaker:
    """Return the loudspeaker, a file or nothing in its place; where there is none, the answers are only shown."""
    from ..errors import DeviceError
    from ..pacing import HurriedSpeaker, PacedSpeaker

    if engine == "mute":
        return HurriedSpeaker()
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
    from .keyboard import at_hand, push_to_talk, single_keys, type_to_talk
    from .terminal import LiveView, Opening, is_live, view

    if arguments.push_to_talk and app.settings.wake.enabled:
        raise SettingError("a wake word and --push-to-talk exclude each other; add: --set wake.enabled=false")
    past, recorder = open_history(app, arguments.resume)
    recorded = bool(arguments.say or arguments.input) or sound_engine(app.settings.audio.output) == "file"
    speaker = open_speaker(app, "mute" if arguments.mute else "file" if recorded else "sounddevice")
    camera = open_camera(app, needed=bool(arguments.image))
    note("Loading the models ...")
    keys = arguments.push_to_talk
    typing = arguments.type or (not (keys or arguments.input or arguments.json) and at_hand())
    speaking = Opening.WAKE_WORD if app.settings.wake.enabled else Opening.SPEAK_OR_TYPE if typing else Opening.SPEAK
    opening = Opening.KEY if keys else Opening.TYPE if arguments.type else speaking
    with contextlib.ExitStack() as stack:
        if keys or (typing and is_live(arguments.plain, arguments.json)):
            stack.enter_context(single_keys())  # first, so that what is typed meanwhile does not spoil the view
        show = stack.enter_context(view(arguments.plain, arguments.json, opening))
        dialogue = converse(app.kit, microphone, speaker, camera, [show], past, echo=not recorded, hands_free=not keys)
        if recorder is not None:
            dialogue.observers.append(recorder)
        if arguments.once:
            dialogue.observers.append(lambda happening: after_reply(dialogue, happening))
        try:
            if keys:
                asyncio.run(push_to_talk(dialogue))
            elif typing:
                shown = show.show_typed if isinstance(show, LiveView) else (lambda text: None)
                asyncio.run(type_to_talk(dialogue, app.settings.asr.language, shown))
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
    if recorded and not arguments.mute and Path(app.settings.audio.output).is_file():
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
