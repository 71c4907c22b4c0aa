"""Speech to text by Whisper on CTranslate2 (https://github.com/SYSTRAN/faster-whisper)."""

from __future__ import annotations

import os
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError, SettingError, nearest
from ..recognition import Piece, Wish, joined, recognize, wishes
from ..stages import Recognition
from ..types import AudioChunk, Features, Samples, Utterance, Word
from .silero import SileroActivity

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

HOP = 160  # samples a mel frame, 10 ms
FULL = 3000  # mel frames that Whisper was trained on, 30 s
MARGIN, LEAST = 300, 1000  # frames of silence after a shortened recording, and in all; with fewer the decoder loops
UNSURE = 0.5  # a language less probable than this is not believed


class FasterWhisper:
    """Whisper with 8-bit weights on a processor and 16-bit weights on a CUDA device.

    ``model`` overrides ``settings.asr.model``: a small English model for partial
    results can stand beside the main one. ``hint`` is shown to the decoder as if it had been said
    before, so that it spells the same words the same way.
    """

    def __init__(self, settings: Settings, store: Store, model: str | None = None, hint: str = "") -> None:
        import ctranslate2
        from faster_whisper import WhisperModel

        self.name = model or settings.asr.model
        self.settings, self._hint = settings.asr, hint
        self._vad = settings.vad
        self._activity = SileroActivity(settings, store)
        self._lock = Lock()
        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        precision = settings.asr.precision
        if precision == "auto":
            precision = "int8" if device == "cpu" else "float16"
        elif precision not in (known := sorted(ctranslate2.get_supported_compute_types(device))):
            raise SettingError(f"asr.precision {precision!r} does not work on this {device}{nearest(precision, known)}")
        try:
            self._model = WhisperModel(
                str(store.require(self.name)),
                device=device,
                compute_type=precision,
                cpu_threads=settings.asr.threads or os.cpu_count() or 1,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            problem = str(error).splitlines()[0]
            raise ModelError(
                f"{self.name} cannot be loaded ({problem}); run: assistant models verify {self.name}"
            ) from error
        self.languages: tuple[str, ...] = tuple(self._model.supported_languages)
        self._tokenizers: dict[tuple[str, bool], Any] = {}

    def transcribe(self, audio: AudioChunk, options: Recognition | None = None) -> Utterance:
        """Return what was said; an empty text where nobody spoke.

        Raises :class:`~assistant.errors.SettingError` for a language the model does not know and
        :class:`~assistant.errors.InputError` for sound that is not finite.
        """
        with self._lock:
            wanted = wishes(options, self.settings, self.languages, self.name)
            return recognize(audio, wanted, self._activity, self._vad, self._hear)

    def _hear(self, samples: Samples, wish: Wish) -> Piece:
        """Hear one window; what comes out of a shortened context doubtful is heard again in a longer one."""
        mel = self._model.feature_extractor(samples, padding=HOP)[:, : len(samples) // HOP + 1]
        frames = max(LEAST, mel.shape[1] + MARGIN)
        if self.settings.short_context and frames < FULL and not (piece := self._written(mel, frames, wish)).degenerate:
            return piece
        return self._written(mel, FULL, wish)

    def _written(self, mel: NDArray[np.float32], frames: int, wish: Wish) -> Piece:
        """Encode ``mel``, (bands, time), filled up to ``frames`` with silence, and decode it."""
        content = min(mel.shape[1], frames)
        filled = np.pad(mel[:, :content], ((0, 0), (0, frames - content)), constant_values=mel.min(initial=0.0))
        encoded = self._model.encode(filled.astype(np.float32))
        language = wish.language or self._language(encoded)
        tokenizer = self._tokenizer(language, wish.translate)
        hint = [tokenizer.sot_prev, *tokenizer.encode(f" {self._hint}")] if self._hint else []
        prompt = [*hint, *tokenizer.sot_sequence, tokenizer.no_timestamps]
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=self.settings.beam,
            max_length=min(448, len(prompt) + 20 + 30 * content // 100),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        piece = Piece(
            text=tokenizer.decode(tokens).strip(),
            language=language,
            tokens=len(tokens) + 1,
            log_probability=result.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech=result.no_speech_prob,
            features=_states(encoded, content // 2),
        )
        return replace(piece, words=self._words(tokens, encoded, content, tokenizer)) if wish.words else piece

    def _language(self, encoded: Any) -> str:
        token, probability = self._model.model.detect_language(encoded)[0][0]
        return str(token[2:-2]) if probability >= UNSURE else "en"

    def _tokenizer(self, language: str, translate: bool) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        key = language, translate
        if key not in self._tokenizers:
            task = "translate" if translate else "transcribe"
            many = self._model.model.is_multilingual
            self._tokenizers[key] = Tokenizer(self._model.hf_tokenizer, many, task, language)
        return self._tokenizers[key]

    def _words(self, tokens: list[int], encoded: Any, frames: int, tokenizer: Any) -> tuple[Word, ...]:
        """Align the text with the sound by the decoder's cross-attention."""
        text = [token for token in tokens if token < tokenizer.eot]
        if not text:
            return ()
        aligned = self._model.find_alignment(tokenizer, [text], encoded, frames)[0]
        parts = ((part["word"], part["start"], part["end"], part["probability"]) for part in aligned)
        return joined(parts, tokenizer.language_code)


def _states(encoded: Any, time: int) -> Features | None:
    """Return the encoder's states of the sound itself, (time, dim), without those of the silence after it."""
    if encoded.device != "cpu":
        return None
    return np.array(encoded, np.float32)[0, :time]
