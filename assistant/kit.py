"""The stages that the settings ask for, each made when it is first needed."""

from __future__ import annotations

import dataclasses
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from .config import Settings
from .plugins import Plugins
from .tools import Toolbox

if TYPE_CHECKING:
    from .stages import Brain, Eyes, Fuser, Hearer, Reader, Recognizer, Session, Voice, VoiceActivity
    from .store import Store
    from .voices import Voices


log = logging.getLogger(__name__)


class Kit:
    """One set of stages; models are loaded once and shared by everything that uses the kit."""

    def __init__(self, settings: Settings, plugins: Plugins, store: Store) -> None:
        self.settings, self.plugins, self.store = settings, plugins, store

    def make(self, kind: str, name: str, settings: Settings | None = None) -> Any:
        """Make one stage by its kind and the name of its engine, as the kit's settings ask for, or others."""
        return self.plugins.make(kind, name, self.store, settings=settings)

    @cached_property
    def activity(self) -> VoiceActivity:
        """Voice activity detection."""
        return cast("VoiceActivity", self.make("vad", self.settings.vad.engine))

    @cached_property
    def recognizer(self) -> Recognizer:
        """Speech to text, with what is heard beside the words where the settings ask for that."""
        return self._attentive(self._words)

    @cached_property
    def _words(self) -> Recognizer:
        return cast("Recognizer", self.make("asr", self.settings.asr.engine))

    def _attentive(self, recognizer: Recognizer) -> Recognizer:
        if self.hearer is None:
            return recognizer
        from .overtones import Attentive

        return Attentive(recognizer, self.hearer)

    @cached_property
    def hearer(self) -> Hearer | None:
        """What hears how something is said, or what a sound is; ``None`` where no model for it is named."""
        if not self.settings.sounds.model:
            return None
        from .overtones import engine_of

        made = self.plugins.make("hearer", engine_of(self.settings.sounds), self.store, self._words)
        return cast("Hearer", made)

    @cached_property
    def live_recognizer(self) -> Recognizer:
        """Speech to text while somebody speaks: quicker for English where the settings name a model for that."""
        asr = self.settings.asr
        if not asr.quick or asr.quick == asr.model:
            return self.recognizer
        from .relay import Relay

        # A model so small is no quicker on two cores, and the turn detector wants one at the same time.
        small = dataclasses.replace(asr, model=asr.quick, threads=asr.threads or 1)
        settings = dataclasses.replace(self.settings, asr=small)
        quick = cast("Recognizer", self.make("asr", small.engine, settings))
        return self._attentive(Relay(self._words, quick))

    @cached_property
    def eyes(self) -> Eyes:
        """Picture encoder."""
        return cast("Eyes", self.make("eyes", self.settings.eyes.engine))

    @cached_property
    def readers(self) -> dict[str, Reader]:
        """Text and codes in pictures, by name; each is made when it is first asked for."""
        return _Lazy(self, "reader")

    @cached_property
    def fuser(self) -> Fuser | None:
        """What turns a percept into captions, visual words, answers and soft tokens; ``None`` if switched off."""
        engine = self.settings.fusion.engine
        return None if engine in ("", "off") else cast("Fuser", self.make("fuser", engine))

    @cached_property
    def session(self) -> Session:
        """The language model."""
        return cast("Session", self.make("session", self.settings.brain.engine))

    @cached_property
    def brain(self) -> Brain:
        """The engine that answers by itself, or the language model with its prompt, tools and soft tokens."""
        engine = self.settings.brain.engine
        if ("brain", engine) in self.plugins.backends:
            return cast("Brain", self.plugins.make("brain", engine, self.store, self.toolbox.specs))
        from .brain import LanguageBrain

        fuser, session = self.fuser, self.session
        soften = None if fuser is None else lambda percept: fuser.soften(percept, session)
        return LanguageBrain(session, self.toolbox.specs, self.settings, soften)

    @cached_property
    def voices(self) -> Voices:
        """Text to speech: the voice of the settings, and others for what it does not speak."""
        from .voices import Voices

        return Voices(self.settings, self._voice)

    def _voice(self, settings: Settings) -> Voice:
        return cast("Voice", self.make("voice", settings.voice.engine, settings))

    @cached_property
    def toolbox(self) -> Toolbox:
        """The tools of the plugins that are in use."""
        return Toolbox(self.plugins.tools, self.settings.plugins.timeout, self.plugins.news.statements)


class _Lazy(dict[str, Any]):
    """Makes a stage when its name is first looked up."""

    def __init__(self, kit: Kit, kind: str) -> None:
        super().__init__()
        self._kit, self._kind = kit, kind

    def __missing__(self, name: str) -> Any:
        self[name] = made = self._kit.make(self._kind, name)
        return made
