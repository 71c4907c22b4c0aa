"""The recorded question about a photo that is answered where there is no microphone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from . import sound
from .ask import Question
from .types import AudioChunk

if TYPE_CHECKING:
    from .kit import Kit

WORDS = "What do you see in this picture?"
PITCH = 1.16
"""The question is played faster than it was spoken, so that it is another voice than the answer's."""


def question(kit: Kit, say: Path) -> Question:
    """Return the sample question; its recording is synthesised once and kept in the platform's cache folder."""
    photos = sorted(path for path in kit.store.require("sample-photo").iterdir() if path.suffix in (".png", ".jpg"))
    recording = Path(platformdirs.user_cache_dir("assistant")) / f"sample-question-{kit.settings.voice.model}.wav"
    if not recording.is_file():
        recording.parent.mkdir(parents=True, exist_ok=True)
        voice = kit.voices.usual
        chunks = list(voice.speak(WORDS))
        samples = np.concatenate([chunk.samples for chunk in chunks])
        quiet = np.zeros(voice.rate // 2, np.float32)  # half a second before and after
        sound.write(recording, [AudioChunk(np.concatenate([quiet, samples, quiet]), round(voice.rate * PITCH))])
    return Question(audio=recording, image=photos[0], say=say)
