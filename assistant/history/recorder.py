"""Listens to a conversation and keeps it; trouble with the record never ends the conversation."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..errors import HistoryError
from ..types import AudioChunk, Frame, Reply, Turn, Utterance
from . import Conversation, History, Media

if TYPE_CHECKING:
    from ..config import Settings
    from ..happening import Happening

log = logging.getLogger(__name__)


class Recorder:
    """An observer of a :class:`~assistant.dialogue.Dialogue`; it writes in a thread of its own.

    It waits for the happening ``remembered``, whose details are ``turn`` (:class:`Turn`), ``reply``
    (:class:`Reply`), ``latencies`` (seconds by step) and, where there are any, ``audio``
    (:class:`AudioChunk`) and ``frame`` (:class:`Frame`), which are kept with ``history.keep_media``. With ``resumes``
    it is the rest of the reply before it. With ``forgotten`` the conversation is deleted and another one begins.
    """

    def __init__(self, conversation: Conversation, keep_media: bool, trouble: Callable[[str], None]) -> None:
        self._conversation, self._keep_media, self._trouble = conversation, keep_media, trouble
        self._thread = ThreadPoolExecutor(1, "history")
        self._failed = False

    @classmethod
    def of(
        cls, settings: Settings, trouble: Callable[[str], None] = log.warning, continuing: int | None = None
    ) -> Recorder | None:
        """Return a recorder of a new conversation, or of a past one that goes on; ``None`` where history is off.

        ``trouble`` is told, once and in the recorder's thread, why nothing is recorded. Raises
        :class:`~assistant.errors.AssistantError` where the conversation ``continuing`` cannot be read.
        """
        if not settings.history.enabled:
            return None
        return cls(History(settings).begin(continuing), settings.history.keep_media, trouble)

    @property
    def conversation(self) -> int | None:
        """Number of the conversation; ``None`` until its first turn is recorded."""
        return self._conversation.id

    def __call__(self, happening: Happening) -> None:
        """Take note of a finished or interrupted reply, and of all being forgotten; return at once."""
        if happening.name == "forgotten":
            self._thread.submit(self._attempt, self._conversation.forget)
        if happening.name != "remembered":
            return
        details = happening.details
        turn: Turn = details["turn"]
        reply: Reply = details["reply"]
        if details.get("resumes"):
            self._thread.submit(self._attempt, partial(self._conversation.lengthen, reply.heard))
        elif turn.utterance is not None and turn.utterance.text.strip():
            audio, frame = (details.get("audio"), details.get("frame")) if self._keep_media else (None, None)
            self._thread.submit(
                self._attempt, partial(self._add, turn.utterance, turn, reply, dict(details["latencies"]), audio, frame)
            )

    def close(self) -> None:
        """Wait until all is written and close the file."""
        self._thread.submit(self._conversation.close)
        self._thread.shutdown()

    def _attempt(self, write: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            write()
        except HistoryError as error:
            self._failed = True
            self._trouble(f"{error} (this conversation is not recorded)")

    def _add(
        self,
        utterance: Utterance,
        turn: Turn,
        reply: Reply,
        latencies: dict[str, float],
        audio: AudioChunk | None,
        frame: Frame | None,
    ) -> None:
        media = [made for made in (audio and flac(audio), frame and jpeg(frame)) if made]
        self._conversation.add(
            utterance.text.strip(),
            reply,
            language=utterance.language,
            latencies={step: round(seconds, 4) for step, seconds in latencies.items()},
            percept=turn.percepts[-1] if turn.percepts else None,
            media=media,
        )


def flac(audio: AudioChunk) -> Media | None:
    """Return a recording as a FLAC file; ``None`` where it is empty."""
    import soundfile

    if not len(audio.samples):
        return None
    file = io.BytesIO()
    soundfile.write(file, np.clip(audio.samples, -1, 1), audio.rate, "PCM_16", format="FLAC")
    return Media("audio", ".flac", file.getvalue())


def jpeg(frame: Frame) -> Media:
    """Return a picture as a JPEG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame.pixels).save(file, "JPEG", quality=90)
    return Media("picture", ".jpg", file.getvalue())
