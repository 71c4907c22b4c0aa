"""Put a conversation together from a kit and devices."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .dialogue import Dialogue
from .earcons import Chimes
from .ears import Ears
from .echo_filter import EchoFilter
from .errors import ExtraMissing
from .happening import Observer
from .interruption import leavable
from .memory import tidy
from .stages import Camera, EchoCanceller, Microphone, Speaker, TurnDetector
from .types import Message
from .wake import DrowsyEars

if TYPE_CHECKING:
    from .kit import Kit

log = logging.getLogger(__name__)


def converse(
    kit: Kit,
    microphone: Microphone,
    speaker: Speaker,
    camera: Camera | None = None,
    observers: Sequence[Observer] = (),
    history: Sequence[Message] = (),
    echo: bool = True,
    hands_free: bool = True,
) -> Dialogue:
    """Return a conversation that is ready to run; its models are loaded first.

    ``echo`` is false where the loudspeaker cannot be heard by the microphone (files), ``hands_free``
    with push-to-talk.
    """
    activity, echoes, wake = (
        kit.make("vad", kit.settings.vad.engine),
        canceller(kit) if echo else None,
        kit.settings.wake,
    )
    drowsy = DrowsyEars(microphone, activity, echoes, kit.make("wake", wake.engine), wake) if wake.enabled else None
    ears = drowsy or Ears(microphone, activity, echoes)
    if hasattr(speaker, "on_played") and echo:
        speaker.on_played = ears.played  # told at the moment of playing, which is nearer than the queue
        ears.timed = True
    detectors = detectors_of(kit)
    leavable(lambda: (kit.live_recognizer, kit.brain, kit.voices))
    if camera is not None:
        leavable(lambda: (kit.eyes, kit.fuser))
    dialogue = Dialogue(
        kit,
        ears,
        speaker,
        camera,
        detectors,
        [*observers, tidy],
        history,
        recognizer=kit.live_recognizer,
    )
    dialogue.hands_free = hands_free
    ears.trouble = dialogue.trouble_from_thread
    kit.plugins.news.told = dialogue.news_from_thread
    dialogue.observers.append(kit.plugins.news.observe)
    if echo:  # a person listens, who can be told what earlier conversations left
        kit.plugins.news.begin()
    if drowsy is not None:
        dialogue.observers.append(drowsy.observe)
        drowsy.told = lambda state, word: dialogue.tell_from_thread(state, word=word)
    if kit.settings.audio.earcons and echo:
        greets = hands_free and drowsy is None
        rate, volume = kit.voices.usual.rate, kit.settings.audio.volume
        dialogue.observers.append(Chimes(dialogue.chime, rate, volume, hands_free, greets))
    return dialogue


def detectors_of(kit: Kit) -> list[TurnDetector]:
    """Return the turn detectors that the settings name."""
    return [kit.make("turn", engine) for engine in kit.settings.turn.engines]


def canceller(kit: Kit) -> EchoCanceller | None:
    """Return the filter with the echo canceller behind it, if that is installed; ``None`` where it is off."""
    engine = kit.settings.talk.echo
    if engine in ("", "off"):
        return None
    behind: EchoCanceller | None = None
    try:
        behind = kit.make("echo", engine)
    except (ModuleNotFoundError, ExtraMissing) as error:
        log.warning("half an echo canceller (%s): use headphones, or install it", error)
    return EchoFilter(behind)
