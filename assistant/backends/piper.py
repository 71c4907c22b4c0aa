"""Piper voices: VITS on ONNX Runtime, phonemes by the espeak-ng inside the piper-tts wheel.

piper-tts is licensed under GPL-3; nothing but this file knows it. The architecture is
Kim et al., "Conditional Variational Autoencoder with Adversarial Learning for
End-to-End Text-to-Speech", ICML 2021.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError, nearest
from ..text import speakable
from ..types import AudioChunk
from .voicing import pieces, within

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

THREADS = 2
"""Most threads of one synthesis; the language model needs the cores at the same time."""

SPEEDS = (0.25, 4.0)
"""Slowest and fastest speech."""


class PiperVoice:
    """A voice of the store: a folder with one ``*.onnx`` and its ``*.onnx.json``."""

    def __init__(self, settings: Settings, store: Store) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as faults
        from piper import PiperConfig, PiperVoice, SynthesisConfig

        speed = within(SPEEDS, settings)
        self.name = settings.voice.model
        self._volume = settings.audio.volume
        network, description = _files(self.name, store)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(THREADS, os.cpu_count() or 1)
        options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # every clause has another length, and each would keep a plan of its own
        # A thread that spins while it waits takes the core from the language model.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        damaged = f"the voice {self.name} is damaged; run: assistant models verify {self.name}"
        try:
            config = PiperConfig.from_dict(json.loads(description.read_text("utf-8")))
            session = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(damaged) from error
        except (faults.Fail, faults.InvalidProtobuf, faults.InvalidGraph, faults.InvalidArgument) as error:
            raise ModelError(damaged) from error
        self._voice = PiperVoice(session, config)
        # Piper's length scale is the inverse of the speed.
        self._synthesis = SynthesisConfig(length_scale=config.length_scale / speed)
        self.rate = int(config.sample_rate)
        """Samples per second of its output."""
        self.language = str(config.espeak_voice).partition("-")[0]
        """ISO 639-1 code of the language it speaks."""
        for _ in self._voice.synthesize("Ready.", self._synthesis):
            pass  # the first run of a network is slow

    def speak(self, clause: str) -> Iterator[AudioChunk]:
        """Yield the clause as sound in pieces of 0.1 s, sentence by sentence; nothing where it holds no word."""
        said = speakable(clause, self.language)
        if not any(character.isalnum() for character in said):
            return
        # Without a sign at its end the voice would let it fall like a sentence.
        written = said if said[-1] in ".!?,;:…" else said + ","
        start = 0
        for sentence in self._voice.synthesize(written, self._synthesis):
            for piece in pieces(sentence.audio_float_array, self.rate, said, self._volume):
                yield AudioChunk(piece.samples, self.rate, start)
                start += len(piece.samples)


def _files(name: str, store: Store) -> tuple[Path, Path]:
    """Return the network and the description of a voice."""
    folder = store.require(name)
    networks = sorted(folder.glob("*.onnx"))
    if len(networks) != 1 or not (description := Path(f"{networks[0]}.json")).is_file():
        voices = sorted(path.parent.name for path in store.root.glob("*/*.onnx.json"))
        raise ModelError(f"the model {name} is not a Piper voice{nearest(name, voices)}")
    return networks[0], description
