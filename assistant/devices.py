"""Which engine serves the microphone, loudspeaker or camera that the settings name."""

from __future__ import annotations

from pathlib import Path

SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".aiff")
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm")


def sound_engine(name: str) -> str:
    """Return ``"file"`` where ``audio.input`` or ``audio.output`` names a sound file, else ``"sounddevice"``."""
    return "file" if name.lower().endswith(SOUNDS) else "sounddevice"


def camera_engine(source: str) -> str:
    """Return ``"file"`` where ``camera.source`` is a picture or a folder, else ``"opencv"``."""
    local = "://" not in source
    return "file" if local and (source.lower().endswith(PICTURES) or Path(source).expanduser().is_dir()) else "opencv"
