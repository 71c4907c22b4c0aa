"""Voice activity by Silero VAD (https://github.com/snakers4/silero-vad) on ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..types import AudioChunk, Samples

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

RATE = 16_000
CHUNK = 512  # 32 ms, the only size the network knows at 16 kHz
CONTEXT = 64  # samples of the chunk before, which the network wants in front of each chunk


class SileroActivity:
    """Tells speech from everything else, 32 ms at a time."""

    rate = RATE
    chunk = CHUNK

    def __init__(self, settings: Settings, store: Store) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(store.require("silero-vad") / "silero_vad.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._rate = np.array(RATE, np.int64)
        self._state: NDArray[np.float32] = np.zeros((2, 1, 128), np.float32)
        self._input: Samples = np.zeros((1, CONTEXT + CHUNK), np.float32)

    def probability(self, chunk: AudioChunk) -> float:
        """Return the probability that somebody speaks in 512 samples at 16 kHz.

        Raises :class:`InputError` for another size or rate.
        """
        if chunk.rate != RATE or len(chunk.samples) != CHUNK:
            raise InputError(f"Silero wants {CHUNK} samples at {RATE} Hz, not {len(chunk.samples)} at {chunk.rate}")
        self._input[0, CONTEXT:] = np.nan_to_num(chunk.samples)
        output, self._state = self._session.run(None, {"input": self._input, "state": self._state, "sr": self._rate})
        self._input[0, :CONTEXT] = self._input[0, -CONTEXT:]
        return float(output[0, 0])

    def reset(self) -> None:
        """Forget the stream so far."""
        self._state = np.zeros_like(self._state)
        self._input[:] = 0
