"""Speech to text by OpenAI's own Whisper on PyTorch (https://github.com/openai/whisper).

It runs the same weights as the CTranslate2 engine: :func:`convert` writes them as an
OpenAI checkpoint once.
"""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .. import output
from ..errors import ModelError
from ..recognition import BEST_OF, RATE, Piece, WindowedRecognizer, joined, language_heard, padded, settled
from ..sound import resample
from ..stages import Recognition
from ..types import AudioChunk, Features, Samples, Word
from .silero import SileroActivity

if TYPE_CHECKING:
    from ..config import Settings
    from ..store import Store

CHECKPOINT = "openai-whisper.pt"
FULL = 480_000  # samples Whisper was trained on, 30 s
STATES = 320  # samples an encoder state, 20 ms
HOP = 160  # samples a mel frame, 10 ms
VERSION = 6  # of CTranslate2's binary format
TYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
"""numpy types by the type numbers of that format."""


class OpenAIWhisper(WindowedRecognizer):
    """Whisper in 32-bit arithmetic on a processor and 16-bit on a CUDA device."""

    def __init__(self, settings: Settings, store: Store, model: str | None = None) -> None:
        import torch
        import whisper
        from whisper.tokenizer import LANGUAGES

        name = model or settings.asr.model
        folder = store.require(name)
        checkpoint = next(iter(sorted(folder.glob("*.pt"))), None) or convert(folder, folder)
        if settings.asr.threads:
            torch.set_num_threads(settings.asr.threads)
        try:
            self._model = whisper.load_model(str(checkpoint))  # reads tensors only: torch.load(weights_only=True)
            extra = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
        except (RuntimeError, OSError, KeyError, TypeError) as error:
            problem = str(error).splitlines()[0]
            raise ModelError(f"{checkpoint} cannot be loaded ({problem}); delete it to have it made again") from error
        if heads := extra.get("alignment_heads"):
            mask = torch.zeros(self._model.dims.n_text_layer, self._model.dims.n_text_head, dtype=torch.bool)
            mask[tuple(torch.tensor(heads).T)] = True
            self._model.register_buffer("alignment_heads", mask.to_sparse().to(self._model.device), persistent=False)
        languages = tuple(LANGUAGES) if self._model.is_multilingual else ("en",)
        super().__init__(name, settings, SileroActivity(settings, store), languages)

    def direct(self, audio: AudioChunk) -> str:
        """Return what ``whisper.transcribe`` writes with the same weights, beam width and language."""
        with self._lock:
            result = self._model.transcribe(
                resample(audio, RATE).samples,
                beam_size=self._beam(live=False),
                language=None if self.settings.language in ("", "auto") else self.settings.language,
                fp16=self._model.device.type == "cuda",
            )
        return str(result["text"]).strip()

    def _states(self, samples: Samples, fade: int) -> Features:
        import torch
        import whisper

        encoder, frames = self._model.encoder, len(samples) // HOP + 1
        mel = whisper.log_mel_spectrogram(padded(samples, FULL), self._model.dims.n_mels).to(self._model.device)
        with torch.inference_mode():
            # The encoder's own forward takes nothing but 30 s.
            x = torch.nn.functional.gelu(encoder.conv1(mel[None, :, : frames + fade // HOP].to(encoder.conv1.weight)))
            x = torch.nn.functional.gelu(encoder.conv2(x)).permute(0, 2, 1)
            x = (x + encoder.positional_embedding[: x.shape[1]]).to(x.dtype)
            for block in encoder.blocks:
                x = block(x)
            states: Features = encoder.ln_post(x)[0, : max(1, frames // 2)].float().cpu().numpy()
        return states

    def _hear(self, samples: Samples, wish: Recognition) -> Piece:
        import torch
        import whisper

        mel = whisper.log_mel_spectrogram(padded(samples, FULL), self._model.dims.n_mels).to(self._model.device)
        half = self._model.device.type == "cuda"
        with torch.inference_mode():
            encoded = self._model.embed_audio((mel.half() if half else mel)[None])[0]
            language = wish.language or language_heard(whisper.detect_language(self._model, encoded)[1], wish.likely)

        def attempt(temperature: float) -> Piece:
            options = whisper.DecodingOptions(
                task="translate" if wish.translate else "transcribe",
                language=language,
                temperature=temperature,
                beam_size=None if temperature > 0 else self._beam(wish.live),
                best_of=BEST_OF if temperature > 0 else None,
                without_timestamps=True,
                prompt=wish.hint or None,
                fp16=half,
            )
            with torch.inference_mode(), torch.random.fork_rng():
                torch.manual_seed(0)  # a recording gives the same text every time
                result = whisper.decode(self._model, encoded, options)
            piece = Piece(
                text=result.text.strip(),
                language=result.language,
                tokens=len(result.tokens) + 1,
                log_probability=result.avg_logprob,
                no_speech=result.no_speech_prob,
                features=encoded.float().cpu().numpy()[: len(samples) // STATES],
            )
            return replace(piece, words=self._words(result, mel, len(samples) // HOP, wish)) if wish.words else piece

        return attempt(0.0) if wish.live else settled(attempt)

    def _beam(self, live: bool) -> int | None:
        """Return the beam width as the library wants it: ``None`` is greedy."""
        beam = self.settings.live_beam if live else self.settings.beam
        return beam if beam > 1 else None

    def _words(self, result: Any, mel: Any, frames: int, wish: Recognition) -> tuple[Word, ...]:
        """Align the text with the sound by the decoder's cross-attention."""
        from whisper.timing import find_alignment
        from whisper.tokenizer import get_tokenizer

        tokenizer = get_tokenizer(
            self._model.is_multilingual,
            num_languages=self._model.num_languages,
            language=result.language,
            task="translate" if wish.translate else "transcribe",
        )
        tokens = [token for token in result.tokens if token < tokenizer.eot]
        aligned = find_alignment(self._model, tokenizer, tokens, mel, frames)
        parts = ((part.word, part.start, part.end, part.probability) for part in aligned)
        return joined(parts, result.language)


def convert(source: Path, target: Path) -> Path:
    """Write the CTranslate2 Whisper model in ``source`` as an OpenAI checkpoint into ``target``; return its path.

    The checkpoint holds ``dims``, ``model_state_dict`` in 16 or 32 bits as they were, and the
    ``alignment_heads`` that word times need. It appears when it is whole. Raises
    :class:`ModelError` where ``model.bin`` is not a whole, unquantised Whisper model.
    """
    import torch

    variables = _variables(source / "model.bin")
    try:
        state = {name: torch.from_numpy(array) for name, array in _renamed(variables).items()}
        dims = _dims(variables)
    except KeyError as error:
        raise ModelError(f"{source / 'model.bin'} is not a Whisper model: it has no {error.args[0]}") from error
    if not all(tensor.is_floating_point() for tensor in state.values()):
        raise ModelError(f"{source / 'model.bin'} is quantised; the openai-whisper engine wants float16 or float32")
    heads = json.loads((source / "config.json").read_text("utf-8")).get("alignment_heads", [])
    path = target / CHECKPOINT
    with output.whole(path) as partial:
        torch.save({"dims": dims, "model_state_dict": state, "alignment_heads": heads}, partial)
    return path


def _variables(path: Path) -> dict[str, NDArray[Any]]:
    """Read CTranslate2's binary model file, version 6 (``ctranslate2.specs.model_spec`` writes it)."""
    variables: dict[str, NDArray[Any]] = {}
    try:
        with path.open("rb") as file:
            (version,) = _unpack(file, "<I")
            if version != VERSION:
                raise ModelError(f"{path} has format {version}; this converter reads format {VERSION}")
            _text(file)
            _unpack(file, "<I")
            (count,) = _unpack(file, "<I")
            for _ in range(count):
                name = _text(file)
                (rank,) = _unpack(file, "<B")
                shape = _unpack(file, f"<{rank}I")
                kind, size = _unpack(file, "<BI")
                raw = file.read(size)
                variables[name] = np.frombuffer(bytearray(raw), TYPES[kind]).reshape(shape)
    except FileNotFoundError:
        raise ModelError(f"there is no {path}; run: assistant models pull {path.parent.name}") from None
    except (struct.error, ValueError, KeyError) as error:
        raise ModelError(f"{path} is damaged ({error}); run: assistant models verify {path.parent.name}") from error
    return variables


def _unpack(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _text(file: BinaryIO) -> str:
    (length,) = _unpack(file, "<H")
    return file.read(length).rstrip(b"\0").decode()


def _dims(variables: dict[str, NDArray[Any]]) -> dict[str, int]:
    """Return OpenAI's ``ModelDimensions`` from the shapes of the weights."""
    conv, audio = variables["encoder/conv1/weight"], variables["encoder/position_encodings/encodings"]
    words, text = variables["decoder/embeddings/weight"], variables["decoder/position_encodings/encodings"]
    return {
        "n_mels": conv.shape[1],
        "n_audio_ctx": audio.shape[0],
        "n_audio_state": audio.shape[1],
        "n_audio_head": int(variables["encoder/num_heads"]),
        "n_audio_layer": _layers(variables, "encoder"),
        "n_vocab": words.shape[0],
        "n_text_ctx": text.shape[0],
        "n_text_state": text.shape[1],
        "n_text_head": int(variables["decoder/num_heads"]),
        "n_text_layer": _layers(variables, "decoder"),
    }


def _layers(variables: dict[str, NDArray[Any]], part: str) -> int:
    return len({name.split("/")[1] for name in variables if name.startswith(f"{part}/layer_") and name.count("/") > 2})


def _renamed(variables: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return OpenAI's state dict: its names, with fused projections split; keys have no bias there."""
    state: dict[str, NDArray[Any]] = {}

    def put(theirs: str, ours: str, *leaves: tuple[str, str]) -> None:
        for leaf, name in leaves:
            state[f"{ours}.{name}"] = variables[f"{theirs}/{leaf}"]

    def split(theirs: str, ours: str, parts: tuple[str, ...]) -> None:
        weights = np.split(variables[f"{theirs}/weight"], len(parts))
        biases = np.split(variables[f"{theirs}/bias"], len(parts))
        for part, weight, bias in zip(parts, weights, biases, strict=True):
            state[f"{ours}.{part}.weight"] = np.ascontiguousarray(weight)
            if part != "key":
                state[f"{ours}.{part}.bias"] = np.ascontiguousarray(bias)

    linear = ("weight", "weight"), ("bias", "bias")
    norm = ("gamma", "weight"), ("beta", "bias")
    for conv in ("conv1", "conv2"):
        put(f"encoder/{conv}", f"encoder.{conv}", *linear)
    put("encoder/layer_norm", "encoder.ln_post", *norm)
    put("decoder/layer_norm", "decoder.ln", *norm)
    state["decoder.token_embedding.weight"] = variables["decoder/embeddings/weight"]
    for part in ("encoder", "decoder"):
        state[f"{part}.positional_embedding"] = variables[f"{part}/position_encodings/encodings"]
        for number in range(_layers(variables, part)):
            theirs, ours = f"{part}/layer_{number}", f"{part}.blocks.{number}"
            put(f"{theirs}/self_attention/layer_norm", f"{ours}.attn_ln", *norm)
            split(f"{theirs}/self_attention/linear_0", f"{ours}.attn", ("query", "key", "value"))
            put(f"{theirs}/self_attention/linear_1", f"{ours}.attn.out", *linear)
            if part == "decoder":
                put(f"{theirs}/attention/layer_norm", f"{ours}.cross_attn_ln", *norm)
                split(f"{theirs}/attention/linear_0", f"{ours}.cross_attn", ("query",))
                split(f"{theirs}/attention/linear_1", f"{ours}.cross_attn", ("key", "value"))
                put(f"{theirs}/attention/linear_2", f"{ours}.cross_attn.out", *linear)
            put(f"{theirs}/ffn/layer_norm", f"{ours}.mlp_ln", *norm)
            put(f"{theirs}/ffn/linear_0", f"{ours}.mlp.0", *linear)
            put(f"{theirs}/ffn/linear_1", f"{ours}.mlp.2", *linear)
    return state
