"""Cameras, videos and network streams through OpenCV: always the newest frame."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import Clock, WallClock
from ..errors import DeviceError, InputError, nearest
from ..types import Frame
from .quiet import quiet_stderr

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds between two attempts to find a lost camera."""

TIMEOUT = 5_000
"""Milliseconds that a network stream may take to open or to send a frame."""

STALE = 3.0
"""Seconds after which a frame no longer counts as what is before the camera."""

OTHERWISE = 30.0
"""Frames per second of a video that does not tell."""


class OpenCVCamera:
    """The camera ``camera.source``: a number, a name, a video file (played round and round), an RTSP or HTTP URL.

    A thread reads all frames, so that no old one waits in a driver's buffer. A lost camera
    gives ``None`` until it is back.
    """

    def __init__(self, settings: Settings, store: Store | None = None, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or WallClock()
        self._source, self.name = _resolve(settings.camera.source)
        self._file = isinstance(self._source, str) and "://" not in self._source
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._ended = threading.Event()
        capture = self._open()
        if capture is None:
            raise self._unusable()
        self._thread = threading.Thread(target=self._read, args=(capture,), name=f"camera {self.name}", daemon=True)
        self._thread.start()
        with self._changed:
            if not self._changed.wait_for(lambda: self._newest is not None, TIMEOUT / 1000):
                self._ended.set()
                raise self._unusable()

    def frame(self) -> Frame | None:
        """Return the newest frame, or ``None`` while the camera is lost."""
        with self._changed:
            newest = self._newest
        stale = newest is not None and self._clock.now() - newest.time > STALE
        return None if stale else newest

    def close(self) -> None:
        """Give the camera back."""
        self._ended.set()
        self._thread.join(TIMEOUT / 1000)
        self._newest = None

    def _open(self) -> Any:
        """Return an open capture, or ``None``."""
        import cv2

        with quiet_stderr():  # OpenCV and FFmpeg report every attempt
            if isinstance(self._source, int):
                capture = cv2.VideoCapture(self._source)
            else:
                limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT]
                capture = cv2.VideoCapture(self._source, cv2.CAP_FFMPEG, limits)
            if capture.isOpened():
                return capture
            capture.release()
        return None

    def _read(self, capture: Any) -> None:
        import cv2

        pause = 1 / (capture.get(cv2.CAP_PROP_FPS) or OTHERWISE) if self._file else 0.0
        due = self._clock.now()
        while not self._ended.is_set():
            seen, pixels = capture.read() if capture is not None else (False, None)
            if seen and pixels is not None:
                rgb = np.ascontiguousarray(pixels[:, :, ::-1])
                with self._changed:
                    self._newest = Frame(rgb, self._clock.now(), self.name)
                    self._changed.notify_all()
                due += pause
                self._clock.sleep(due - self._clock.now())
                continue
            capture = self._again(capture)
        if capture is not None:
            capture.release()

    def _again(self, capture: Any) -> Any:
        """Return a new capture in place of one that has ended, or ``None`` where it is not back yet."""
        if capture is not None:
            capture.release()
            if not self._file:
                log.warning("the camera %s was lost; looking for it", self.name)
                with self._changed:
                    self._newest = None
        if not self._file or capture is None:
            self._ended.wait(RETRY)
        if self._ended.is_set():
            return None
        found = self._open()
        if found is not None and not self._file:
            log.info("the camera %s is back", self.name)
        return found

    def _unusable(self) -> DeviceError | InputError:
        if self._file:
            return InputError(f"{self._source} is not a video that can be read")
        if isinstance(self._source, int):
            return DeviceError(f"the camera {self.name} gives no picture; close the program that uses it")
        return DeviceError(f"{self._source} gives no picture; check the address and that the camera is on")


def list_cameras() -> list[tuple[int, str]]:
    """Return number and name of every camera, where the system tells without opening them (Linux)."""
    found = []
    for path in sorted(Path("/sys/class/video4linux").glob("video*")):
        # A camera has several nodes; only the first, index 0, gives pictures.
        if (path / "index").read_text().strip() == "0" and os.path.exists(f"/dev/{path.name}"):
            found.append((int(path.name.removeprefix("video")), (path / "name").read_text().strip()))
    return sorted(found)


def _resolve(source: str) -> tuple[int | str, str]:
    """Return what OpenCV wants for a source, and its name."""
    if source.isdecimal():
        return int(source), source
    if "://" in source:
        return source, source
    if Path(source).expanduser().is_file():
        return str(Path(source).expanduser()), source
    cameras = list_cameras()
    if source in ("", "auto"):
        if cameras:
            return cameras[0]
        if sys.platform.startswith("linux"):
            raise DeviceError("there is no camera; plug one in, or set camera.source to a picture, video or URL")
        return 0, "0"
    for number, name in cameras:
        if source.lower() in name.lower():
            return number, name
    if Path(source).suffix:
        raise InputError(f"there is no file {source}")
    raise DeviceError(f"there is no camera {source!r}{nearest(source, [name for _, name in cameras])}")
