"""The eyes in time: a camera beside the conversation, looked at when it matters and when something changed."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from .errors import AssistantError
from .frames import FrameRing, Seen
from .percepts import about, glance, look
from .stages import Camera, Sight
from .streams import Lane, Urgency
from .types import Frame, Percept

LOOK_EVERY = 0.2
"""Seconds between two frames while somebody speaks."""
GLANCE_EVERY = 1.0
"""Seconds between two frames while nobody does."""
NO_PICTURE = "the camera gives no picture; plug it in again"


class Gaze:
    """What the conversation sees now; belongs to the event loop."""

    def __init__(self, stages: Sight, camera: Camera, lane: Lane, tell: Callable[..., None]) -> None:
        self._stages, self._camera, self._lane, self._tell = stages, camera, lane, tell
        self._shutter = Lane("camera")
        self._ring = FrameRing()
        self._seen: tuple[Seen, Percept] | None = None
        self._chosen: Seen | None = None  # shows what was seen, as it is now
        self._failed: Seen | None = None  # could not be looked at while nobody asked; it is not tried again
        self._hasty = False  # what was seen last was looked at while somebody waited for it

    @property
    def busy(self) -> bool:
        """Whether a frame is being taken."""
        return self._shutter.busy

    @property
    def percepts(self) -> tuple[Percept, ...]:
        """What was seen last; empty before anything was.

        Of what was first looked at in haste it is what a glance tells, until there was time for more.
        """
        if self._seen is None:
            return ()
        return (glance(self._seen[1]) if self._hasty else self._seen[1],)

    @property
    def new_scene(self) -> Seen | None:
        """What the camera has come to rest on, where it is another scene than the one that was looked at."""
        scene = self._ring.resting
        known = (self._seen[0] if self._seen else None, self._failed)
        return None if scene is None or any(one is not None and scene.same_scene(one) for one in known) else scene

    def forget(self) -> None:
        """Do as if nothing had ever been seen."""
        self._seen = self._chosen = self._failed = None
        self._hasty = False
        self._ring = FrameRing()

    def close(self) -> None:
        """End the camera's thread; the camera itself belongs to whoever opened it."""
        self._shutter.close()

    async def watch(
        self, now: Callable[[], float], hurried: Callable[[], bool], news: Callable[[], Awaitable[None]]
    ) -> None:
        """Keep the ring of frames fresh; ends by cancellation only.

        ``now`` tells the seconds of the audio clock, ``hurried`` whether somebody speaks. ``news`` is awaited
        when nobody does and the camera has come to rest on a scene that was not looked at yet, or only in haste.
        """
        lost, had = False, False
        while True:
            try:
                frame = await self._shutter.run(Urgency.EYE, self._camera.frame)
                problem = NO_PICTURE if frame is None and had else ""
            except AssistantError as error:
                frame, problem = None, str(error)
            if frame is not None:
                had = True
                self._ring.add(dataclasses.replace(frame, time=now()))
                self._renew(self._ring.newest)
                scene = self.new_scene
                if (scene is not None or self._hasty) and not hurried():
                    try:
                        await news()
                    except AssistantError as error:
                        self._failed = scene
                        self._tell("trouble", message=str(error))
            if bool(problem) != lost and (problem or frame is not None):
                lost = bool(problem)
                self._tell("trouble", message=problem or "the camera is back")
            rested = 0.0
            while rested < (LOOK_EVERY if hurried() else GLANCE_EVERY):
                await asyncio.sleep(LOOK_EVERY)
                rested += LOOK_EVERY

    async def look(self, moment: float, hasty: bool = False) -> None:
        """Look at the frame of a moment, unless the scene is the one that was looked at last.

        In haste, of a new scene only what a glance tells is handed on: to read more takes the language model
        longer than a short question lasts.
        """
        seen = self._ring.at(moment)
        if seen is None:
            return
        if self._renew(seen):
            self._hasty = self._hasty and hasty
            self._chosen = seen
            return
        await self.take(seen, hasty)

    def _renew(self, seen: Seen | None) -> bool:
        """Return whether a frame shows what was seen last; then that is no older than the frame.

        Or the language model would read every second anew how old the picture is, and all that stands behind it.
        """
        if seen is None or self._seen is None or not seen.same_scene(self._seen[0]):
            return False
        first, percept = self._seen
        self._seen = first, dataclasses.replace(percept, time=max(percept.time, seen.frame.time))
        return True

    async def take(self, seen: Seen, hasty: bool = False) -> None:
        """Look at a frame, whatever it shows."""
        percept = await self._lane.run(Urgency.EYE, lambda: self._encode(seen.frame))
        self._seen, self._chosen, self._hasty = (seen, percept), seen, hasty
        labels: list[dict[str, Any]] = [dataclasses.asdict(label) for label in percept.labels[:3]]
        self._tell("seen", labels=labels, verdict=percept.verdict.value, time=percept.time)

    async def about(self, question: str, language: str = "en") -> tuple[Frame, Percept] | None:
        """Return the frame of this turn and its percept, with what only this question asks of it."""
        if self._seen is None or self._chosen is None:
            return None
        frame, percept = self._chosen.frame, self._seen[1]
        percept = await self._lane.run(Urgency.EYE, lambda: about(self._stages, frame, percept, question, language))
        return frame, glance(percept) if self._hasty else percept

    def _encode(self, frame: Frame) -> Percept:
        return look(self._stages, frame)
