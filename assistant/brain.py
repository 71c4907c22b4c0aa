"""The language model with its prompt, its tools and what the picture became.

A prompt is the constant instructions, then the history, then the picture, then the
question: whatever is known early stands early, so that only the last words are left
to be read when the user stops talking.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Protocol, runtime_checkable

from . import beginnings, prompt
from .config import Settings
from .danger import caution
from .errors import Interrupted, ModelError
from .origin import REFUSED, borrowed, without_words, written_words
from .prompt import ToolSpec
from .stages import Sampling, Session, SoftTokens, TokenIds, Urged, never
from .text import SIGNS
from .types import Percept, ToolCall, ToolResult, Turn, Verdict

log = logging.getLogger(__name__)

Piece = TokenIds | SoftTokens

_NATIVE_CALLS = ("<tool_call>", '{"name"', "```json")
"""How models begin a call that were trained on another form; it is replaced by ours."""

_NAME = re.compile(r"[a-z_]+")
"""What may be the name of a tool, or the beginning of one."""
_INVENTED = re.compile(r"[a-z]*(?:_|\()")
"""The beginning of a call of a tool that there is not, written as the others are."""

_ROOM_TO_ANSWER = 16
"""Fewest positions that must be left for a reply."""


@runtime_checkable
class Primed(Protocol):
    """A session that keeps constant prompts on disk."""

    def prime(self, tokens: TokenIds) -> None:
        """Make the cache hold exactly a constant prompt."""
        ...


class LanguageBrain:
    """Turn to reply, on any session."""

    def __init__(
        self,
        session: Session,
        tools: Sequence[ToolSpec],
        settings: Settings,
        soften: Callable[[Percept], SoftTokens | None] | None = None,
    ) -> None:
        self._session, self._tools, self._soften = session, list(tools), soften
        self._system = prompt.system(self._tools, settings.brain.instructions)
        self._looking = {tool["name"] for tool in self._tools if tool.get("looks")}
        self._told = {tool["name"] for tool in self._tools} - self._looking
        """Tools whose answers stay in the history; others the model is not told of, or they told of the picture."""
        self._when = {tool["name"]: re.compile(tool["when"], re.I) for tool in self._tools if tool.get("when")}
        self._starts = (*(tool["name"] for tool in self._tools), *_NATIVE_CALLS)
        self._examples = prompt.examples(self._tools)
        self._grammar = prompt.call_grammar(self._tools) if self._tools else ""
        self._limit, self._brief = settings.brain.max_tokens, settings.brain.brief
        self._tokens: dict[tuple[str, bool], TokenIds] = {}
        self._forgotten = 0
        self._prime()

    def prepare(self, turn: Turn, urged: Urged = never) -> bool:
        """Read what is already known of a turn into the cache; the utterance may be missing or unfinished.

        Returns false where it was urged to stop before all was read.
        """
        try:
            self._session.sync(self._fitting(turn, finished=False), urged)
        except Interrupted:
            log.debug("preparing was interrupted")
            return not urged()
        return True

    def complete(self, turn: Turn, urged: Urged = never) -> float | None:
        """Return the probability in [0, 1] that the words of a turn end a sentence, whatever sign stands after them.

        A recogniser sets a sign after half a question too. The prompt of the reply is read anyway, so this costs no
        more than one row of logits, and nothing where the words were read ahead: then the reply reads the rest.
        ``None`` where it was urged to stop, or cancelled, before all was read.
        """
        if turn.utterance is None or not (said := turn.utterance.text.rstrip(SIGNS)):
            return 0.0
        bare = dataclasses.replace(turn, utterance=dataclasses.replace(turn.utterance, text=said))
        try:
            return self._session.ending(self._fitting(bare, finished=False), self._fitting(turn, finished=True), urged)
        except Interrupted:
            return None

    def reply(self, turn: Turn) -> Iterator[str | ToolCall]:
        """Yield text pieces as they are generated, or a tool call, after which it is called again.

        Closing the iterator stops the model within one token. Raises :class:`ModelError` where the
        question alone does not fit the context.
        """
        try:
            self._session.sync(self._fitting(turn, finished=True))
            with contextlib.closing(self._generate(turn)) as pieces:
                yield from beginnings.unechoed(pieces, turn)
        except Interrupted:
            log.debug("the reply was cancelled")

    def cancel(self) -> None:
        """Stop the reading or generation that runs now, from any thread, where the session can."""
        cancel = getattr(self._session, "cancel", None)
        if cancel is not None:
            cancel()

    def _prime(self) -> None:
        constant = self._pieces(Turn(None), finished=False)
        if isinstance(self._session, Primed) and constant and not isinstance(constant[0], SoftTokens):
            self._session.prime(constant[0])

    def _generate(self, turn: Turn) -> Generator[str | ToolCall]:
        offered = any(self._offered(tool, turn) for tool in self._tools)
        refused = beginnings.refused(turn)
        grammar = beginnings.unlike(refused, calls=offered or not self._tools) if refused else None
        if not offered:
            grammar = grammar or (beginnings.NO_CALL if self._tools else None)
            yield from _spoken("", self._session.generate(Sampling(max_tokens=self._limit, grammar=grammar)))
            return
        start = self._session.length
        pieces = self._session.generate(Sampling(max_tokens=self._limit, grammar=grammar))
        try:
            opening = self._opening(pieces)
            invented = opening is not None and _INVENTED.match(opening.lstrip())
            if opening is not None and not invented:
                yield from _spoken(opening, pieces)
                return
        finally:
            _close(pieces)
        self._session.truncate(start)
        call = None if invented else self._call()
        if call is not None and (allowed := self._allowed(call, turn)) is not None:
            yield allowed
            return
        log.info("a tool call was refused: %s", call)
        if call is not None and not turn.results and written_words(turn):
            turn = dataclasses.replace(turn, results=(*turn.results, ToolResult(call, REFUSED, failed=True)))
        self._session.sync(self._fitting(turn, finished=True))
        yield from _spoken("", self._session.generate(Sampling(max_tokens=self._limit, grammar=beginnings.NO_CALL)))

    def _offered(self, tool: ToolSpec, turn: Turn) -> bool:
        """Tell whether a tool can be meant: small models call tools for questions that have nothing to do with them.

        A tool that looks needs a picture; one with a pattern needs English words that match it, in this
        question or the one before.
        """
        if tool.get("looks") and not turn.percepts:
            return False
        pattern = self._when.get(tool["name"])
        if pattern is None or turn.utterance is None or turn.utterance.language != "en":
            return True
        earlier = [message.text for message in turn.history if message.role == "user"][-1:]
        return any(pattern.search(text) for text in [*earlier, turn.utterance.text])

    def _opening(self, pieces: Iterator[str]) -> str | None:
        """Return the first words of a reply, or ``None`` where it begins a tool call."""
        text = ""
        for piece in pieces:
            text += piece
            head = text.lstrip()
            if any(_begins(head, start) for start in self._starts):
                return None
            if not any(start.startswith(head) for start in self._starts) and not _NAME.fullmatch(head):
                return text
        return None if text.strip() in self._starts else text

    def _call(self) -> ToolCall | None:
        """Let the model write one well-formed call at the end of the cache; leave the cache as it was."""
        start = self._session.length
        text = "".join(self._session.generate(Sampling(max_tokens=160, temperature=0, grammar=self._grammar)))
        self._session.truncate(start)
        try:
            return ToolCall(*prompt.parse_call(text))
        except ValueError:  # the limit of tokens cut it off
            return None

    def _allowed(self, call: ToolCall, turn: Turn) -> ToolCall | None:
        """Return the call that may be made, or ``None``.

        Words in the picture neither start a tool nor feed one: where there are such words, the call is made that
        the model wants without having read them. Reading anew is slow, so what plainly holds such words is
        refused before.
        """
        if any(earlier.call == call for earlier in turn.results):
            return None
        if not any(tool["name"] == call.name and self._offered(tool, turn) for tool in self._tools):
            return None
        if not written_words(turn):
            return call
        if call.name not in self._looking and borrowed(call, turn):
            return None
        innocent = self._wanted(without_words(turn))
        if innocent is None or innocent.name != call.name:
            return None
        return call if call.name in self._looking else innocent

    def _wanted(self, turn: Turn) -> ToolCall | None:
        """Return the call with which the model would begin its reply to a turn, if any."""
        self._session.sync(self._fitting(turn, finished=True))
        start = self._session.length
        pieces = self._session.generate(Sampling(max_tokens=8, temperature=0))
        try:
            if self._opening(pieces) is not None:
                return None
        finally:
            _close(pieces)
        self._session.truncate(start)
        return self._call()

    def _fitting(self, turn: Turn, finished: bool) -> list[Piece]:
        """Return the prompt; the oldest history is left out where it does not fit, and stays out."""
        room = self._session.context - min(self._limit, self._session.context // 4) - _ROOM_TO_ANSWER
        if not turn.history:
            self._forgotten = 0
        while True:
            forgotten = min(self._forgotten, len(turn.history))
            pieces = self._pieces(dataclasses.replace(turn, history=turn.history[forgotten:]), finished)
            if sum(len(p.vectors) if isinstance(p, SoftTokens) else len(p) for p in pieces) <= room:
                return pieces
            if forgotten >= len(turn.history):
                raise ModelError(
                    "the question does not fit into brain.context; ask a shorter one or raise brain.context"
                )
            # Half at once, so that the cache is not read anew at every turn from now on.
            self._forgotten = forgotten + max(1, (len(turn.history) - forgotten) // 2)

    def _pieces(self, turn: Turn, finished: bool) -> list[Piece]:
        """Return a turn as runs of tokens and soft tokens; unfinished, it ends where more may follow."""
        slots: list[str | SoftTokens] = []

        def slot(content: str | SoftTokens) -> str:
            slots.append(content)
            return f"\x02{len(slots) - 1}\x03"

        messages: list[dict[str, object]] = [{"role": "system", "content": self._system}]
        messages += [{"role": role, "content": slot(text)} for role, text in self._examples]
        for message in turn.history:
            for answer in message.results:
                if not answer.failed and answer.call.name in self._told:
                    messages += self._called(answer, f"[tool] {slot(prompt.result(answer))}", slot)
            messages.append({"role": message.role, "content": slot(prompt.plain(prompt.shortened(message.text)))})
        if turn.history or turn.percepts or turn.utterance or finished:
            messages.append(
                {"role": "user", "content": self._now(turn, slot, finished) + slot(_OPEN if not finished else "")}
            )
        else:
            messages.append({"role": "user", "content": slot(_OPEN)})
        for answer in turn.results:
            messages += self._called(answer, self._answered(answer, turn, slot), slot)
        rendered = self._session.template(messages, [])
        return self._join(prompt.brief(rendered) if self._brief else rendered, slots)

    def _now(self, turn: Turn, slot: Callable[[str | SoftTokens], str], finished: bool) -> str:
        """Return the newest message: what is seen, then what was asked."""
        lines = []
        for percept in turn.percepts:
            soft = self._soften(percept) if self._soften and percept.verdict is Verdict.OK else None
            seen = slot(prompt.describe(percept, max(0.0, turn.now - percept.time)))
            lines.append(f"[camera] {slot(soft) + ' ' if soft else ''}{seen}\n")
        if turn.utterance:
            lines.append(slot(prompt.plain(turn.utterance.text)))
            if finished:
                question = turn.utterance.text
                language = turn.utterance.language
                previous = next((said.text for said in reversed(turn.history) if said.role == "user"), "")
                seen = "".join(prompt.guess(percept, question, language, previous) for percept in turn.percepts)
                told = prompt.reminder(question, turn.history, turn.known)
                careful = caution(question)
                if not turn.percepts and not told and not careful and prompt.about_scene(question, language):
                    seen = prompt.BLIND
                heard = prompt.heard(turn.utterance.sounds)
                shown = turn.percepts if prompt.about_scene(question, language) else ()
                lines.append(slot(told + seen + heard + careful + prompt.language(language, shown)))
        return "".join(lines)

    @staticmethod
    def _called(answer: ToolResult, told: str, slot: Callable[[str | SoftTokens], str]) -> list[dict[str, object]]:
        """Return a call as the model wrote it, and what it was told then."""
        asked = slot(prompt.plain(prompt.call(answer.call.name, answer.call.arguments)))
        return [{"role": "assistant", "content": asked}, {"role": "user", "content": told}]

    def _answered(self, answer: ToolResult, turn: Turn, slot: Callable[[str | SoftTokens], str]) -> str:
        """Return what a tool said, and the question again.

        A small model that reads a question as it stood before the call writes the call again, or repeats English
        words: the question goes first and what to do with the answer last. Failures are not retold, and text of the
        picture is read as it stands.
        """
        told = f"[tool] {slot(prompt.result(answer))}"
        if turn.utterance is None:
            return f"{told}\n"
        question, language = prompt.plain(turn.utterance.text), turn.utterance.language
        if answer.failed or answer.call.name in self._looking:
            return f"{told}\n{slot(question + prompt.language(language))}"
        return f"{slot(question)}\n{told}{slot(prompt.retell(language))}"

    def _join(self, rendered: str, slots: Sequence[str | SoftTokens]) -> list[Piece]:
        """Tokenise the template as markup and every slot as mere text."""
        pieces: list[Piece] = []
        for index, part in enumerate(re.split("\x02(\\d+)\x03", rendered)):
            content = slots[int(part)] if index % 2 else part
            if content is _OPEN:
                break
            if isinstance(content, SoftTokens):
                pieces.append(content)
                continue
            tokens = self._tokenize(content, special=index % 2 == 0)
            if pieces and not isinstance(pieces[-1], SoftTokens):
                pieces[-1] = [*pieces[-1], *tokens]
            else:
                pieces.append(tokens)
        return pieces

    def _tokenize(self, text: str, special: bool) -> TokenIds:
        if len(self._tokens) > 512:
            self._tokens.clear()
        if (text, special) not in self._tokens:
            self._tokens[text, special] = self._session.tokenize(text, special) if text else []
        return self._tokens[text, special]


def _begins(text: str, start: str) -> bool:
    """Return whether a reply begins a call: a tool's name, whatever follows it but letters."""
    return text.startswith(start) and (not start[-1].isalnum() or bool(re.match(r"\W", text[len(start) :])))


_OPEN = "\x04"
"""A slot at which an unfinished prompt ends."""


def _spoken(opening: str, pieces: Iterator[str]) -> Iterator[str]:
    """Yield a reply without space around it; end it where it goes round in circles."""
    text = opening.lstrip()
    if text:
        yield text
    for piece in pieces:
        new = piece if text else piece.lstrip()
        text += new
        if new:
            yield new
        if loops(text):
            log.info("the reply went round in circles and was ended")
            return


def loops(text: str) -> bool:
    """Tell whether a reply repeats itself: its last words came three times in a row, a few words six times."""
    words = text.split()
    for size in range(1, 25):
        times = 3 if size > 3 else 6
        tail = words[-size * times :]
        if len(tail) == size * times and all(tail[i] == tail[i % size] for i in range(len(tail))):
            return True
    return False


def _close(pieces: Iterator[str]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()
