"""Speech to text by Whisper on CTranslate2 (https://github.com/SYSTRAN/faster-whisper)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError, SettingError, nearest
from ..recognition import BEST_OF, RATE, Piece, WindowedRecognizer, joined, language_heard, settled, unlooped
from ..sound import resample
from ..stages import Recognition
from ..types import AudioChunk, Features, Samples, Word
from .silero import SileroActivity

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

HOP = 160  # samples a mel frame, 10 ms
FULL = 3000  # mel frames that Whisper was trained on, 30 s
MARGIN, LEAST = 300, 1000  # frames of silence after a shortened recording, and in all; with fewer the decoder loops
HYPOTHESES = 5  # texts among which one that is expected is looked for
EXPECTED = 2.0  # log-probability by which what is expected may be less probable than the best of them


class FasterWhisper(WindowedRecognizer):
    """Whisper with 8-bit weights on a processor and 16-bit weights on a CUDA device.

    ``model`` overrides ``settings.asr.model``: a small English model for partial
    results can stand beside the main one.
    """

    def __init__(self, settings: Settings, store: Store, model: str | None = None) -> None:
        import ctranslate2
        from faster_whisper import WhisperModel

        name = model or settings.asr.model
        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        precision = settings.asr.precision
        if precision == "auto":
            precision = "int8" if device == "cpu" else "float16"
        elif precision not in (known := sorted(ctranslate2.get_supported_compute_types(device))):
            raise SettingError(f"asr.precision {precision!r} does not work on this {device}{nearest(precision, known)}")
        try:
            self._model = WhisperModel(
                str(store.require(name)),
                device=device,
                compute_type=precision,
                cpu_threads=settings.asr.threads or os.cpu_count() or 1,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            problem = str(error).splitlines()[0]
            raise ModelError(f"{name} cannot be loaded ({problem}); run: assistant models verify {name}") from error
        ctranslate2.set_random_seed(0)  # a recording gives the same text every time
        super().__init__(name, settings, SileroActivity(settings, store), self._model.supported_languages)
        self._tokenizers: dict[tuple[str, bool], Any] = {}

    def direct(self, audio: AudioChunk) -> str:
        """Return what ``WhisperModel.transcribe`` writes with the same weights, beam width and language."""
        language = None if self.settings.language in ("", "auto") else self.settings.language
        with self._lock:
            segments, _ = self._model.transcribe(
                resample(audio, RATE).samples, beam_size=self.settings.beam, language=language
            )
            return "".join(segment.text for segment in segments).strip()

    def _states(self, samples: Samples, fade: int) -> Features:
        from faster_whisper.transcribe import get_ctranslate2_storage

        mel = self._mel(samples)
        filled = self._filled(mel, min(FULL, mel.shape[1] + fade // HOP))
        encoded = self._model.model.encode(get_ctranslate2_storage(filled[None]), to_cpu=True)
        return np.array(encoded, np.float32)[0, : max(1, mel.shape[1] // 2)]

    def _hear(self, samples: Samples, wish: Recognition) -> Piece:
        """Hear one window: a recording as well as can be, live speech in a context that is no longer than needed.

        What comes out of a shortened context doubtful is heard again in the whole one.
        """
        mel = self._mel(samples)
        if not wish.live:
            encoded = self._encoded(mel, FULL)
            return settled(lambda temperature: self._written(encoded, mel.shape[1], wish, temperature))
        frames = max(LEAST, mel.shape[1] + MARGIN)
        if self.settings.short_context and frames < FULL:
            piece = self._written(self._encoded(mel, frames), mel.shape[1], wish)
            piece = replace(piece, text=unlooped(piece.text))
            if wish.draft or not piece.degenerate:
                return piece
        return self._written(self._encoded(mel, FULL), mel.shape[1], wish)

    def _mel(self, samples: Samples) -> NDArray[np.float32]:
        mel: NDArray[np.float32] = self._model.feature_extractor(samples, padding=HOP)[:, : len(samples) // HOP + 1]
        return mel

    def _encoded(self, mel: NDArray[np.float32], frames: int) -> Any:
        """Encode ``mel``, (bands, time), filled up to ``frames`` with silence."""
        return self._model.encode(self._filled(mel, frames))

    def _filled(self, mel: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
        content = mel[:, :frames]
        filled = np.pad(content, ((0, 0), (0, frames - content.shape[1])), constant_values=mel.min(initial=0.0))
        return filled.astype(np.float32)

    def _written(self, encoded: Any, content: int, wish: Recognition, temperature: float = 0.0) -> Piece:
        """Decode; ``content`` are the mel frames before the silence at the end."""
        language = wish.language or self._language(encoded, wish.likely)
        tokenizer = self._tokenizer(language, wish.translate)
        hint = [tokenizer.sot_prev, *tokenizer.encode(f" {wish.hint}")] if wish.hint else []
        prompt = [*hint, *tokenizer.sot_sequence, tokenizer.no_timestamps]
        beam = self.settings.live_beam if wish.live else self.settings.beam
        search: dict[str, Any] = {"beam_size": beam}
        if wish.expected:
            search = {"beam_size": HYPOTHESES, "num_hypotheses": HYPOTHESES}
        if temperature > 0:
            search = {
                "beam_size": 1,
                "num_hypotheses": BEST_OF,
                "sampling_topk": 0,
                "sampling_temperature": temperature,
            }
        result = self._model.model.generate(
            encoded,
            [prompt],
            **search,
            max_length=min(448, len(prompt) + (10 + content // 10 if wish.live else 20 + 30 * content // 100)),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        texts = [tokenizer.decode(tokens).strip() for tokens in result.sequences_ids]
        chosen = _expected(texts, result, wish.expected) if wish.expected and temperature == 0 else 0
        tokens = result.sequences_ids[chosen]
        piece = Piece(
            text=texts[chosen],
            language=language,
            tokens=len(tokens) + 1,
            log_probability=result.scores[chosen] * len(tokens) / (len(tokens) + 1),
            no_speech=result.no_speech_prob,
            features=_states(encoded, content // 2),
        )
        return replace(piece, words=self._words(tokens, encoded, content, tokenizer)) if wish.words else piece

    def _language(self, encoded: Any, likely: str) -> str:
        found = self._model.model.detect_language(encoded)[0]
        return language_heard({token[2:-2]: probability for token, probability in found}, likely)

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


def _expected(texts: list[str], result: Any, expected: Callable[[str], bool]) -> int:
    """Return the number of the first text that is expected and not much less probable than the best, or 0."""
    sums = [score * len(tokens) for score, tokens in zip(result.scores, result.sequences_ids, strict=True)]
    found = (n for n, text in enumerate(texts) if sums[n] >= sums[0] - EXPECTED and expected(text))
    return next(found, 0)


def _states(encoded: Any, time: int) -> Features | None:
    """Return the encoder's states of the sound itself, (time, dim), without those of the silence after it."""
    if encoded.device != "cpu":
        return None
    return np.array(encoded, np.float32)[0, :time]
