"""The fuser that ships: captions, visual words, answers and soft tokens from the eyes' grid. Numpy only."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..config import Settings
from ..errors import ModelError
from ..store import Store
from ..types import Frame, Percept, Verdict
from . import checkpoint, heads
from .checkpoint import Checkpoint
from .colour import ColourHead, asked
from .config import FusionConfig
from .connector import EmbeddingConnector
from .denial import denied
from .judging import Judge, Sight
from .keywords import LEAST, Keyword, Lexicon, extract, named, seen
from .layers import Floats
from .matching import conflict
from .naming import Namer
from .retrieval import DualEncoder
from .runtime import NumpyCaptioner
from .sentences import spoken
from .visual import VisualWords

if TYPE_CHECKING:
    from ..stages import Session, SoftTokens

BELIEVED = 0.5
"""Chance that a caption fits its picture from which it is told."""

ANSWERERS: Mapping[str, str] = {"vqa": "assistant.fusion.vqa:Answerer"}
"""Task of a checkpoint → ``"module:class"`` with ``answer(features, question)``, imported on first use."""


class GridFuser:
    """Makes each head of its checkpoints when it is first needed."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Find the heads for the eyes in force, those in ``fusion.checkpoint`` before those that ship (:mod:`.heads`).

        Raises :class:`ModelError` where they are damaged, were trained for other eyes or are none at all.
        """
        self.encoder, self._store = settings.eyes.model, store
        self._files = heads.files(settings)
        self._configs = [FusionConfig.from_json(checkpoint.header(file)["config"]) for file in self._files.values()]
        if not self._files:
            raise ModelError(
                f"no head was trained for the eyes {self.encoder!r}; `assistant fusion train` trains one, "
                "fusion.checkpoint names it, and fusion.engine=off does without"
            )

    def read(self, frame: Frame, percept: Percept) -> Percept:
        """Return ``percept`` with learned names and, where it is a scene that the captioner knows, caption and words.

        It is returned as it was where the frame cannot be judged.
        """
        self._check(percept)
        if percept.verdict is not Verdict.OK:
            return percept
        percept = self.name(percept)
        words = self._visual.seen(percept.features) if self._visual is not None else ()
        if not self.knows(percept):
            # Words of a checkpoint of their own are not bound to the scenes of the captions.
            return dataclasses.replace(percept, words=words) if "words" in self._files else percept
        sight = self._judge.see(percept.features) if self._judge is not None else None
        caption = self._caption(percept, sight)
        if self._judge is not None and sight is not None and self._judge.chance(sight, caption) < BELIEVED:
            caption = ""
        return dataclasses.replace(percept, caption=caption, words=words)

    def name(self, percept: Percept) -> Percept:
        """Return ``percept`` with learned names among its labels."""
        return percept if self.namer is None else self.namer.name(percept)

    def knows(self, percept: Percept) -> bool:
        """Return whether the picture is of the kind that captions and visual words were learned from.

        A captioner that knows people and dogs outdoors sees them in a cup of coffee too, and is sure of it.
        """
        layer = self._captioner.weights if self._captioner else {}
        if self._captions is None or "scene.weight" not in layer:
            return True
        score = self._captions.standardise(percept.features.mean(0)) @ layer["scene.weight"]
        return bool(score + layer["scene.bias"][0] >= 0)

    def caption(self, percept: Percept) -> str:
        """Return the caption on which captioner, visual words and picture-sentence encoder agree, believed or not."""
        return self._caption(percept, self._judge.see(percept.features) if self._judge is not None else None)

    def _caption(self, percept: Percept, sight: Sight | None) -> str:
        if self._captioner is None:
            return ""
        judge, features = self._judge, percept.features
        if judge is None or sight is None:
            return spoken(self._captioner.caption(features))
        encoder, picture = judge.encoder, sight.vector.reshape(1, -1)

        def fits(sentences: Sequence[str]) -> Floats:
            return encoder.scores(encoder.texts(sentences), picture)[:, 0]

        return spoken(self._captioner.caption(features, fits, sight.memory))

    def answer(self, percept: Percept, question: str) -> tuple[tuple[str, float], ...]:
        """Return answers with calibrated probabilities, best first; none where no head was trained to answer.

        What the ``vqa`` head does not answer, a question for a colour, the ``colour`` head does.
        """
        self._check(percept)
        if percept.verdict is not Verdict.OK or not question.strip():
            return ()
        found: tuple[tuple[str, float], ...] = ()
        if self._answerer is not None:
            found = self._answerer.answer(percept.features, question)
        if found or asked(question) is None or self.colours is None or self._judge is None:
            return found
        return self.colours.answer(percept, question, self._judge.encoder, self.knows(percept))

    def missing(self, percept: Percept, question: str) -> tuple[str, ...]:
        """Return the thing that a question names and the picture contradicts, if there is one.

        In scenes like those of the captions their words decide (:mod:`.matching`), elsewhere the eyes' labels, and
        only about animals (:mod:`.denial`).
        """
        self._check(percept)
        if percept.verdict is not Verdict.OK:
            return ()
        if not self.knows(percept):
            return tuple(filter(None, [denied(percept, question)]))
        found = conflict(self._judge.encoder, percept.features, question) if self._judge is not None else None
        return (found.noun,) if found else ()

    def fits(self, percept: Percept, sentence: str) -> float | None:
        """Return how likely an English sentence is true of the picture.

        ``None`` where the frame cannot be judged, is no scene of the kind that was learned, or no word is known.
        """
        self._check(percept)
        if percept.verdict is not Verdict.OK or self._judge is None or not self.knows(percept):
            return None
        if not self._judge.encoder.text(sentence).any():
            return None
        return self._judge.chance(self._judge.see(percept.features), sentence)

    def keywords(
        self, percept: Percept | None, text: str = "", most: int = 8, least: float = LEAST
    ) -> tuple[Keyword, ...]:
        """Return what a picture, a text or both are about, the weightiest keyword first (:mod:`.keywords`).

        Of scenes like those of the captions the visual words tell, elsewhere the labels that the eyes are sure of; a
        frame that cannot be judged tells nothing. Raises :class:`ModelError` without a ``retrieval`` checkpoint.
        """
        picture: dict[str, float] = {}
        if percept is not None and percept.verdict is Verdict.OK:
            self._check(percept)
            if self.knows(percept):
                picture = seen(self.visual, self.encoder_of_words, percept.features)
            else:
                picture = named(self.name(percept), text)
        return extract(text, picture, self.lexicon, most, least)

    def soften(self, percept: Percept, session: Session) -> SoftTokens | None:
        """Return soft tokens that stand for the visual words in this language model's embedding space."""
        self._check(percept)
        return self._connector.soften(percept, session)

    def _check(self, percept: Percept) -> None:
        for config in self._configs:
            config.check(encoder=percept.encoder)

    def _saved(self, task: str) -> Checkpoint | None:
        """Return the checkpoint of a task, which is not kept: a head holds all that it needs of it."""
        return checkpoint.load(self._files[task]) if task in self._files else None

    @cached_property
    def _captioner(self) -> NumpyCaptioner | None:
        saved = self._saved("caption")
        return NumpyCaptioner(saved) if saved else None

    @cached_property
    def _judge(self) -> Judge | None:
        saved = self._saved("retrieval")
        return Judge(DualEncoder.of(saved, self._store), self._captioner, self._saved("judge")) if saved else None

    @cached_property
    def lexicon(self) -> Lexicon:
        """What the training captions tell of words. Raises :class:`ModelError` without a ``retrieval`` checkpoint."""
        return Lexicon.of(self.encoder_of_words)

    @property
    def encoder_of_words(self) -> DualEncoder:
        """Pictures and words in one space. Raises :class:`ModelError` without a ``retrieval`` checkpoint."""
        if self._judge is None:
            raise ModelError("this needs a retrieval checkpoint; train config/fusion/retrieval.toml")
        return self._judge.encoder

    @property
    def visual(self) -> VisualWords:
        """The visual words: of a ``words`` checkpoint, else of the captioner.

        Raises :class:`ModelError` where there is neither.
        """
        if self._visual is None:
            raise ModelError("no checkpoint with visual words; train config/fusion/words.toml or caption.toml")
        return self._visual

    @cached_property
    def _visual(self) -> VisualWords | None:
        saved = self._saved("words")
        return VisualWords.of(saved.arrays, saved.extras["visual_words"]) if saved else self._captions

    @cached_property
    def _captions(self) -> VisualWords | None:
        """The captioner's own visual words, for which its scene layer was fitted."""
        return self._captioner.visual if self._captioner else None

    @cached_property
    def namer(self) -> Namer | None:
        """The head that names what the eyes' classes lack."""
        saved = self._saved("naming")
        return Namer(saved) if saved else None

    @cached_property
    def colours(self) -> ColourHead | None:
        """The head that tells colours."""
        saved = self._saved("colour")
        return ColourHead(saved) if saved else None

    @cached_property
    def _answerer(self) -> Any:
        for task, place in ANSWERERS.items():
            if saved := self._saved(task):
                module, _, attribute = place.partition(":")
                return getattr(importlib.import_module(module), attribute)(saved)
        return None

    @cached_property
    def _connector(self) -> EmbeddingConnector:
        return EmbeddingConnector()
