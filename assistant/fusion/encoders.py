"""Encoders behind one shape: a name, a width, a token layout, a preprocessing, and vectors out.

The embedded profile uses :class:`EyesEncoder` (EfficientNet's grid). The others run through
transformers (extra ``gpu``): CLIP, SigLIP 2, DINOv2 and ViT for pictures, BERT for texts. Whole sentences are
encoded by :class:`~.minilm.MiniLM`. Sound is encoded by the recogniser: :class:`EarsEncoder` encodes any sound, and the
states of speech that was recognised are in :attr:`Utterance.features`. Text for the language model comes from
:meth:`Session.embed`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from ..errors import ExtraMissing, InputError, ModelError, SettingError, nearest
from ..types import AudioChunk, Features, Frame, Pixels, Utterance

if TYPE_CHECKING:
    from ..stages import Eyes, Recognizer, Session


@dataclass(frozen=True, slots=True)
class Layout:
    """What an encoder gives and how it wants its input."""

    name: str
    modality: Literal["picture", "sound", "text"]
    dim: int
    tokens: tuple[int, ...]
    """(rows, columns) of a grid, (n,) of a sequence, () where the length varies."""
    preprocessing: str
    """In words: size, range, normalisation. Features are kept apart by it."""


class PictureEncoder(Protocol):
    """Picture to vectors."""

    layout: Layout

    def encode(self, pixels: Pixels) -> Features:
        """Return (tokens, dim), row by row where the layout is a grid."""
        ...


class SoundEncoder(Protocol):
    """Sound to vectors."""

    layout: Layout

    def encode(self, audio: AudioChunk) -> Features:
        """Return (time, dim)."""
        ...


class SentenceEncoder(Protocol):
    """Sentences to vectors of their meaning."""

    name: str
    dim: int

    def embed(self, sentences: Sequence[str]) -> Features:
        """Return vectors of length one, (sentences, dim)."""
        ...


class EyesEncoder:
    """The eyes of the running assistant, so that training sees exactly what run time sees."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        probe = eyes.look(Frame(np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)))
        # Other eyes may bear the same name: those of another version, which prepare a picture differently.
        seen = hashlib.sha256(probe.features.round(1).astype(np.float32).tobytes()).hexdigest()[:8]
        preprocessing = f"as the eyes of the assistant do it ({seen})"
        self.layout = Layout(eyes.encoder, "picture", probe.features.shape[1], probe.grid, preprocessing)

    def encode(self, pixels: Pixels) -> Features:
        """Return the features per place, (rows * columns, dim)."""
        return self.eyes.look(Frame(pixels)).features


class EarsEncoder:
    """The recogniser of the running assistant, as an encoder of any sound."""

    def __init__(self, recognizer: Recognizer) -> None:
        """Take a recogniser. Raises :class:`SettingError` where it shows nothing of its encoder."""
        from ..stages import Ears

        if not isinstance(recognizer, Ears):
            raise SettingError("this recogniser gives no states of sounds; set asr.engine=faster-whisper")
        self.ears: Ears = recognizer
        probe = recognizer.states(AudioChunk(np.zeros(1600, np.float32), 16_000))
        self.layout = Layout(recognizer.name, "sound", probe.shape[1], (), "as the recogniser does it")

    def encode(self, audio: AudioChunk) -> Features:
        """Return the states of the sound's first 30 seconds, (time, dim)."""
        return self.ears.states(audio)


HUB_CLASSES = {
    "clip": "CLIPVisionModel",
    "clip_vision_model": "CLIPVisionModel",
    "siglip": "SiglipVisionModel",
    "siglip_vision_model": "SiglipVisionModel",
    "dinov2": "Dinov2Model",
    "vit": "ViTModel",
}
"""Model type in a hub's ``config.json`` → class of transformers. SigLIP 2 of fixed size is of type ``siglip``."""

NORMALISATION = {
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "siglip": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "dinov2": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "vit": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
"""Mean and standard deviation a channel, of pictures in [0, 1], that each family was trained with."""


class HubPictureEncoder:
    """CLIP, SigLIP 2, DINOv2 or ViT through transformers: patch tokens of the last layer."""

    def __init__(self, model: Any, name: str) -> None:
        kind = model.config.model_type.removesuffix("_vision_model")
        if kind not in NORMALISATION:
            raise ModelError(f"{name} is a {kind!r} model{nearest(kind, list(NORMALISATION))}")
        self.model = model.eval()
        self.size = int(model.config.image_size)
        side = self.size // int(model.config.patch_size)
        self.mean, self.deviation = (np.array(value, np.float32) for value in NORMALISATION[kind])
        self.layout = Layout(
            name,
            "picture",
            int(model.config.hidden_size),
            (side, side),
            f"{self.size} x {self.size}, [0, 1], minus {self.mean.tolist()}, over {self.deviation.tolist()}",
        )

    @classmethod
    def load(cls, source: str, offline: bool = False) -> HubPictureEncoder:
        """Load from a folder or a hub name, which is not asked ``offline``.

        Raises :class:`ModelError` where that is no such model.
        """
        transformers = _transformers()
        from ..backends.hub_model import Source

        folder = Path(source)
        if folder.is_absolute() and not folder.is_dir():
            raise ModelError(f"there is no folder {source}; name another encoder")
        model = Source(source, offline or folder.is_dir())
        kind = model.load(transformers.AutoConfig.from_pretrained).model_type
        if kind not in HUB_CLASSES:
            raise ModelError(f"{source} is a {kind!r} model{nearest(kind, list(HUB_CLASSES))}")
        return cls(model.load(getattr(transformers, HUB_CLASSES[kind]).from_pretrained), source)

    def encode(self, pixels: Pixels) -> Features:
        """Return the patch tokens, (side * side, dim); class tokens are left out."""
        import cv2
        import torch

        scaled = cv2.resize(pixels, (self.size, self.size), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
        values = torch.from_numpy(((scaled - self.mean) / self.deviation).transpose(2, 0, 1).copy())[None]
        device = next(self.model.parameters()).device
        with torch.inference_mode():
            states = self.model(pixel_values=values.to(device)).last_hidden_state[0]
        places = self.layout.tokens[0] * self.layout.tokens[1]
        features: Features = states[-places:].float().cpu().numpy()
        return features


def sound_features(utterance: Utterance) -> Features:
    """Return the recogniser's encoder states, (time, dim), computed when it listened.

    Raises :class:`InputError` where the engine gives none.
    """
    if utterance.features is None:
        raise InputError("the recogniser gave no encoder states; set asr.engine=openai-whisper or faster-whisper")
    return utterance.features


def text_features(session: Session, text: str) -> Features:
    """Return the language model's own input embeddings of a text, (tokens, dim)."""
    return session.embed(session.tokenize(text))


class HubTextEncoder:
    """A BERT-type encoder: states of the last layer, for classifier heads."""

    def __init__(self, model: Any, tokenizer: Any, name: str) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer
        self.layout = Layout(name, "text", int(model.config.hidden_size), (), "the model's own tokenizer")

    @classmethod
    def load(cls, source: str) -> HubTextEncoder:
        """Load from a folder or a hub name."""
        transformers = _transformers()
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)
        return cls(transformers.AutoModel.from_pretrained(source), tokenizer, source)

    def encode(self, texts: Sequence[str]) -> list[Features]:
        """Return the states of each text, (tokens, dim)."""
        import torch

        found = []
        for text in texts:
            ids = torch.tensor([self.tokenizer(text)["input_ids"]])
            with torch.inference_mode():
                found.append(self.model(input_ids=ids).last_hidden_state[0].float().numpy())
        return found


def _transformers() -> Any:
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise ExtraMissing("transformers", "gpu") from error
    return transformers
