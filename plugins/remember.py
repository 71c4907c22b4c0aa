"""What the person asked to remember, in this conversation and in later ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from assistant import News, hookimpl
from assistant.config import Settings
from assistant.fusion.content import mentions
from assistant.kept import Kept

MOST = 200
"""Statements that are kept; the oldest are forgotten."""
SAID: Mapping[str, Mapping[str, str]] = {
    "en": {
        "kept": "I'll remember: {what}.",
        "gone": "I have forgotten: {what}.",
        "unknown": "You haven't asked me to remember that.",
        "all": "You asked me to remember: {what}.",
        "none": "You haven't asked me to remember anything.",
        "cleared": "I have forgotten all that you asked me to remember.",
    },
    "de": {
        "kept": "Ich merke mir: {what}.",
        "gone": "Vergessen: {what}.",
        "unknown": "Das sollte ich mir nicht merken.",
        "all": "Ich soll mir merken: {what}.",
        "none": "Ich soll mir nichts merken.",
        "cleared": "Ich habe alles vergessen, was ich mir merken sollte.",
    },
    "fr": {
        "kept": "Je retiens : {what}.",
        "gone": "Oublié : {what}.",
        "unknown": "Vous ne m'avez pas demandé de retenir cela.",
        "all": "Vous m'avez demandé de retenir : {what}.",
        "none": "Vous ne m'avez rien demandé de retenir.",
        "cleared": "J'ai oublié tout ce que je devais retenir.",
    },
    "es": {
        "kept": "Me acordaré: {what}.",
        "gone": "Olvidado: {what}.",
        "unknown": "No me ha pedido recordar eso.",
        "all": "Me ha pedido recordar: {what}.",
        "none": "No me ha pedido recordar nada.",
        "cleared": "He olvidado todo lo que me pidió recordar.",
    },
    "it": {
        "kept": "Me lo ricordo: {what}.",
        "gone": "Dimenticato: {what}.",
        "unknown": "Non mi ha chiesto di ricordarlo.",
        "all": "Mi ha chiesto di ricordare: {what}.",
        "none": "Non mi ha chiesto di ricordare niente.",
        "cleared": "Ho dimenticato tutto quello che dovevo ricordare.",
    },
}
"""What is said, by language; English where the person's language is none of these."""
_PLEASE = r"(?:(?:please|can you|could you|would you|okay|and|also|bitte|und|et|y|e) )*"
_VERB = (
    r"(?:is|are|am|was|were|has|have|had|lives?|likes?|loves?|hates?|needs?|takes?|works?|comes?|goes|go|parked|left|put|"
    r"can|can't|cannot|don't|doesn't|will|want|wants|\w+'s|\w+'m|\w+'re|\w+'ve)"
)

_YOURS = {
    "my": "your",
    "mine": "yours",
    "I am|I'm": "you are",
    "I was": "you were",
    "I|me": "you",
    "myself": "yourself",
}


@hookimpl
def assistant_tools(settings: Settings, news: News) -> list[Callable[..., Any]]:
    """Return the tools of this plugin."""
    memory = Memory(settings)
    news.known.append(memory.statements)
    news.forgotten.append(memory.forget_conversation)
    return [memory.remember_statement, memory.forget_statement, memory.forget_statements, memory.tell_remembered]


class Memory:
    """Statements in the person's words, the last one last."""

    def __init__(self, settings: Settings) -> None:
        self._kept = Kept("remembered", settings, list[str](), _read)
        self._new: list[str] = []
        """Those of this conversation."""

    def statements(self) -> tuple[str, ...]:
        """Return all statements."""
        return tuple(self._kept.load())

    def remember_statement(self, what: str, language: str = "en") -> str:
        """Remember a statement, in later conversations, too."""
        said = what.strip(" .")
        self._change(lambda known: [*(one for one in known if one != said), said][-MOST:])
        self._new.append(said)
        return _say("kept", language, [said])

    def forget_statement(self, what: str = "", language: str = "en") -> str:
        """Forget what was remembered of something, or what was remembered last."""
        known = self.statements()
        gone = [one for one in known if mentions(one, what, language)] if what else list(known[-1:])
        if not gone:
            return _say("unknown", language)
        self._change(lambda known: [one for one in known if one not in gone])
        return _say("gone", language, gone)

    def forget_statements(self, language: str = "en") -> str:
        """Forget all statements.

        Verbatim only: (?:please )?(?:forget|delete) (?:everything|all)(?: that)?
        (?: you (?:know|remember|have remembered)(?: about me)?| i (?:asked|told) you to remember)|
        vergiss alles was du (?:über mich weißt|dir gemerkt hast)|
        oublie tout ce que tu (?:sais de moi|as retenu)|olvida todo lo que (?:sabes de mí|recuerdas)|
        dimentica tutto quello che (?:sai di me|ricordi)
        """
        self._change(lambda known: [])
        return _say("cleared", language)

    def tell_remembered(self, language: str = "en") -> str:
        """Tell what was asked to be remembered.

        Verbatim only: (?:please )?(?:what (?:do you (?:know about me|remember(?: about me)?)|should you remember|
        (?:did i|have i) (?:ask(?:ed)?|told|tell) you to remember)|
        (?:tell me|list) (?:what|everything) you (?:know|remember)(?: about me)?)|
        was (?:weißt du über mich|hast du dir gemerkt|solltest du dir merken)|que sais tu de moi|
        qu'est ce que tu (?:sais de moi|as retenu)|qué (?:sabes de mí|recuerdas(?: de mí)?)|
        (?:che )?cosa (?:sai di me|ricordi(?: di me)?)
        """
        known = self.statements()
        return _say("all" if known else "none", language, known)

    def forget_conversation(self) -> None:
        """Forget what was said in this conversation."""
        new, self._new = self._new, []
        if new:
            self._change(lambda known: [one for one in known if one not in new])

    def _change(self, change: Callable[[list[str]], list[str]]) -> None:
        with self._kept.alone():
            known = change(self._kept.load())
            self._kept.save(known)

    remember_statement.__doc__ = rf"""{remember_statement.__doc__}

        Verbatim only: {_PLEASE}(?:(?:remember|keep in mind|don't forget)(?: that (?P<what>.+)|
        (?: for me)? (?P<what_2>(?!to |this|that|me|when|what|how|the time)\w+(?: \w+){{0,5}}? {_VERB} .+))|
        (?:merke? dir|behalte|denk daran|vergiss nicht)(?: bitte)? dass (?P<what_3>.+)|
        (?:retiens|souviens toi|rappelle toi|n'oublie pas) qu(?:e |')(?P<what_4>.+)|
        (?:recuerda|acuérdate de|no olvides) que (?P<what_5>.+)|
        (?:ricorda(?:ti)?|tieni a mente|non dimenticare) che (?P<what_6>.+))
        """
    forget_statement.__doc__ = rf"""{forget_statement.__doc__}

        Verbatim only: {_PLEASE}(?:forget (?:that|about|what i (?:said|told you) about) (?P<what>\w+ .+)|
        vergiss dass (?P<what_2>.+)|oublie qu(?:e |')(?P<what_3>.+)|olvida que (?P<what_4>.+)|
        dimentica che (?P<what_5>.+))

        Again: {_PLEASE}(?:forget (?:that|it)(?: again)?|vergiss (?:das|es)(?: wieder)?|oublie ça|olvida eso|
        dimenticalo)
        """


def _read(written: Any) -> list[str]:
    """Return the statements that stand in a file. Raises :class:`TypeError` where there are none."""
    if not isinstance(written, list) or not all(isinstance(one, str) for one in written):
        raise TypeError("it holds something else than statements")
    return written


def _say(what: str, language: str, statements: Any = ()) -> str:
    if language not in SAID:
        language = "en"
    told = "; ".join(statements)
    if language == "en":
        for mine, yours in _YOURS.items():
            told = re.sub(rf"\b(?:{mine})\b", yours, told, flags=re.IGNORECASE)
    return SAID[language][what].format(what=told)
