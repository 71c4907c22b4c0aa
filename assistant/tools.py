"""Tools: typed Python functions that the language model may call.

A function's annotations become a JSON schema, its docstring the description. A tool
has a time limit, and its failure is an answer that the model is told, never a stack.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import inspect
import logging
import re
import threading
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .danger import help_for
from .errors import PluginError, nearest
from .familiar import familiar
from .layout import rows
from .orders import bare, signed, unaccented
from .origin import REFUSED, borrowed
from .prompt import parse_call
from .types import Frame, Percept, ToolCall, ToolResult, Turn

if TYPE_CHECKING:
    from .stages import Brain, Reader

log = logging.getLogger(__name__)

MOST_CALLS = 4
"""Tool calls in one turn, after which the model has to answer with what it has."""
WORD_FOR_WORD = "word for word"
"""What a docstring says after ``Told:`` where what the tool returns is a whole English sentence for the person, or
after ``Told (de, en):`` where it is one in these languages."""
_GIVEN = ("context", "language", "utterance")
"""Parameters that the model does not see."""

_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True, eq=False)
class ToolContext:
    """What a tool may look at; given to functions with a parameter named ``context``."""

    frame: Frame | None = None
    """The picture of this turn."""
    percept: Percept | None = None
    readers: Mapping[str, Reader] = field(default_factory=dict)
    """By name: ``"rapidocr"`` reads text, ``"zxing"`` reads codes."""
    language: str = "en"
    """What the person speaks; given to functions with a parameter named ``language``."""
    utterance: str = ""
    """What the person said; given to functions with a parameter named ``utterance``."""

    def text(self) -> str:
        """Return what is written in the picture, a line a row, read now where nobody has; empty where nothing is."""
        if self.frame is None or self.percept is None:
            return ""
        percept = self.percept
        if percept.regions is None:
            percept = self.readers["rapidocr"].read(self.frame, percept)
        return "\n".join(" ".join(region.text for region in row) for row in rows(percept.regions or ()))


@dataclass(frozen=True, slots=True)
class Tool:
    """One function and what the model is told about it."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of the arguments."""
    function: Callable[..., Any]
    examples: tuple[dict[str, Any], ...] = ()
    """Uses that the model is shown: ``question``, its ``language`` and ``arguments``."""
    when: str = ""
    """Regular expression that the words of an English question must match, or the tool cannot be meant."""
    verbatim: str = ""
    """Regular expression of whole requests, in small letters without signs or with those inside them ("15% of 80"), to
    which the tool's answer is the reply as it stands, and no language model is asked. Its named groups are arguments of
    the tool; "place_2" is another group for "place"."""
    again: str = ""
    """The same of requests that can mean the tool only where the reply before used it, or another of its plugin:
    "And in Paris?"."""
    hidden: bool = False
    """Whether only such requests can mean it, so that the model is not told of it."""
    needs_text: bool = False
    """Whether, by these words alone, it is meant only where something is written in the picture: ``Needs: text``."""
    told: frozenset[str] = frozenset()
    """Languages in which a question is answered with what the tool says as it stands: a whole sentence."""

    @property
    def given(self) -> list[str]:
        """Parameters that come from the conversation and not from the model, in :data:`_GIVEN`."""
        return [name for name in inspect.signature(self.function).parameters if name in _GIVEN]

    @property
    def looks(self) -> bool:
        """Whether the tool takes the picture itself, so that words of the picture may stand in its arguments."""
        return "context" in self.given

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Tool:
        """Make a tool of a typed function. Raises :class:`PluginError` where it is not typed or not described."""
        name = getattr(function, "__name__", "tool")
        description = inspect.cleandoc(function.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
        if not description:
            raise PluginError(f"the tool {name} needs a docstring that tells the model what it does")
        hints = typing.get_type_hints(function)
        properties: dict[str, Any] = {}
        required = []
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name in _GIVEN:
                continue
            properties[parameter.name] = _schema(hints.get(parameter.name), name, parameter.name)
            if parameter.default is inspect.Parameter.empty:
                required.append(parameter.name)
        schema = {"type": "object", "properties": properties, "required": required}
        doc = inspect.cleandoc(function.__doc__ or "")
        only = _pattern(doc, "Verbatim only", name)
        patterns = _pattern(doc, "When", name), only or _pattern(doc, "Verbatim", name), _pattern(doc, "Again", name)
        for key, pattern in zip(("Verbatim", "Again"), patterns[1:], strict=True):
            for group in re.compile(pattern).groupindex:
                if properties.get(_argument(group), {}).get("type") != "string":
                    raise PluginError(f"the group {group!r} after {key}: of {name} is no argument that takes text")
        said = re.search(rf"\nTold(?: \(([\w, ]+)\))?: {WORD_FOR_WORD}", doc)
        told = frozenset((said[1] or "en").replace(",", " ").split() if said else ())
        text = "\nNeeds: text" in doc
        return cls(name, description, schema, function, _examples(doc, name), *patterns, bool(only), text, told)

    @property
    def spec(self) -> dict[str, Any]:
        """What a brain is told: name, description, the schema of the arguments, examples, whether it looks."""
        told: dict[str, Any] = {"name": self.name, "description": self.description, "parameters": self.parameters}
        if self.examples:
            told["examples"] = list(self.examples)
        if self.when:
            told["when"] = self.when
        return {**told, "looks": True} if self.looks else told


def _pattern(doc: str, key: str, tool: str) -> str:
    """Return the pattern that a docstring gives on a line ``key: pattern``, which may go on in lines after it.

    Whole requests are matched without accents.
    """
    written = "".join(map(str.strip, doc.partition(f"\n{key}:")[2].partition("\n\n")[0].splitlines()))
    try:
        re.compile(written)
    except re.error as error:
        raise PluginError(f"the pattern after {key}: of {tool} is no regular expression ({error})") from error
    return unaccented(written) if key != "When" else written


def _argument(group: str) -> str:
    """Return the argument that a group of a pattern stands for."""
    return re.sub(r"_\d+$", "", group)


def _as_written(value: str, text: str) -> str:
    """Return the part of a text that :func:`.orders.bare` or :func:`.orders.signed` made ``value`` of."""
    whole = " ".join(text.replace("’", "'").split())
    words = r"[^\w']+".join(map(re.escape, value.split()))
    found = re.search(re.escape(value), whole, re.IGNORECASE) or re.search(words, whole, re.IGNORECASE)
    return found[0] if found else value


def _examples(doc: str, tool: str) -> tuple[dict[str, Any], ...]:
    """Return the uses that a docstring shows, each as ``Example: question -> tool(x="y")``, or ``Example (de):``."""
    parts = re.split(r"\nExample(?: \((\w+)\))?:", doc)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return tuple(_example(written.partition("\n\n")[0], language or "en", tool) for language, written in pairs)


def _example(written: str, language: str, tool: str) -> dict[str, Any]:
    parts = " ".join(written.split()).split(" -> ")
    try:
        question, called = parts
        name, arguments = parse_call(called)
    except ValueError as error:
        raise PluginError(f"the example of {tool} must be: question -> {tool}(...)") from error
    if name != tool:
        raise PluginError(f"the example of {tool} calls {name}")
    return {"question": question, "language": language, "arguments": arguments}


def _schema(hint: Any, tool: str, parameter: str) -> dict[str, Any]:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) is typing.Literal:
        return {"type": "string", "enum": list(typing.get_args(hint))}
    if hint not in _JSON_TYPES:
        raise PluginError(f"the tool {tool} must annotate {parameter!r} as str, int, float, bool or Literal[...]")
    return {"type": _JSON_TYPES[hint]}


class Toolbox:
    """The tools of a conversation."""

    def __init__(self, tools: Mapping[str, Tool], timeout: float, known: Callable[[], tuple[str, ...]] = tuple) -> None:
        self.tools = dict(tools)
        self.timeout = timeout
        self.known = known
        """Returns what is remembered from conversation to conversation."""

    @property
    def specs(self) -> list[dict[str, Any]]:
        """What the model is told of the tools."""
        return [tool.spec for tool in self.tools.values() if not tool.hidden]

    def meant(self, turn: Turn, context: ToolContext) -> ToolCall | None:
        """Return the call whose answer is the reply as it stands, by the person's words alone, if there is one.

        A tool that looks can only be meant where there is a picture.
        """
        text = turn.utterance.text if turn.utterance is not None else ""
        language = turn.utterance.language if turn.utterance is not None else "en"
        plain = bare(text), signed(text)
        forms = dict.fromkeys((*plain, *(familiar(words, language) for words in plain)))
        said = [(unaccented(words), words) for words in forms]
        used = {self._plugin(result.call.name) for message in turn.history[-1:] for result in message.results}
        for tool in self.tools.values():
            patterns = [tool.verbatim, tool.again if self._plugin(tool.name) in used else ""]
            tried = ((one, plain, words) for one in patterns if one for plain, words in said)
            matches = ((found, words) for one, plain, words in tried if (found := re.fullmatch(one, plain)))
            asked, words = next(matches, (None, ""))
            if asked is not None and _sees(tool, context):
                given = {
                    _argument(name): _as_written(words[slice(*asked.span(name))], text)
                    for name, value in asked.groupdict().items()
                    if value
                }
                return ToolCall(tool.name, given)
        return None

    def settled(self, turn: Turn) -> bool:
        """Return whether the person's words alone mean a tool and are not likely to go on.

        "Remember that my keys" means one, too: where the tool would be given any other word behind them, there may be
        more.
        """
        said, context = turn.utterance, ToolContext()
        if said is None or (call := self.meant(turn, context)) is None:
            return False
        longer = dataclasses.replace(said, text=f"{said.text.rstrip(' .!?')} xyz")
        more = self.meant(dataclasses.replace(turn, utterance=longer), context)
        if more is None or more.name != call.name:
            return True
        return not all(more.arguments.get(name, "").startswith(given) for name, given in call.arguments.items())

    def _plugin(self, name: str) -> str:
        """Return the module that a tool comes from, its own name where it is not known."""
        return self.tools[name].function.__module__ if name in self.tools else name

    def run(self, call: ToolCall, context: ToolContext) -> ToolResult:
        """Run one call within the time limit; whatever goes wrong is told in the result."""
        tool = self.tools.get(call.name)
        if tool is None:
            return ToolResult(call, f"there is no tool {call.name!r}{nearest(call.name, list(self.tools))}", True)
        if problem := _mismatch(tool, call.arguments):
            return ToolResult(call, problem, True)
        known = {"context": context, "language": context.language, "utterance": context.utterance}
        arguments = dict(call.arguments) | {name: known[name] for name in tool.given}
        outcome: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def work() -> None:
            try:
                outcome.set_result(tool.function(**arguments))
            except Exception as error:  # a tool is anybody's code; its failure is told to the model
                outcome.set_exception(error)

        # A daemon thread: a tool that hangs must not keep the process from ending.
        threading.Thread(target=work, name=f"tool {call.name}", daemon=True).start()
        try:
            return ToolResult(call, outcome.result(self.timeout))
        except concurrent.futures.TimeoutError:
            return ToolResult(call, f"{call.name} took longer than {self.timeout:g} s and was given up", True)
        except Exception as error:  # as above
            log.info("tool %s failed", call.name, exc_info=True)
            return ToolResult(call, f"{call.name} failed: {error}", True)


def _sees(tool: Tool, context: ToolContext) -> bool:
    """Return whether a tool has what it wants to look at; asked last, as it may mean reading the picture."""
    return not tool.looks or (context.percept is not None and (not tool.needs_text or bool(context.text())))


def _mismatch(tool: Tool, arguments: Mapping[str, Any]) -> str:
    """Return what is wrong with the arguments, or an empty text."""
    properties, required = tool.parameters["properties"], tool.parameters["required"]
    for name in required:
        if name not in arguments:
            return f"{tool.name} needs the argument {name!r}"
    for name, value in arguments.items():
        if name not in properties:
            return f"{tool.name} has no argument {name!r}{nearest(name, list(properties))}"
        kind = properties[name]["type"]
        fits = {
            "string": isinstance(value, str),
            "integer": isinstance(value, int) and not isinstance(value, bool),
            "number": isinstance(value, int | float) and not isinstance(value, bool),
            "boolean": isinstance(value, bool),
        }[kind]
        if not fits or ("enum" in properties[name] and value not in properties[name]["enum"]):
            return f"{tool.name}: {name} must be {properties[name].get('enum', kind)}, not {value!r}"
    return ""


def think(brain: Brain, toolbox: Toolbox, turn: Turn, context: ToolContext) -> Iterator[str | ToolCall | ToolResult]:
    """Yield the reply's text as it is generated, and each tool call before it runs and its result after.

    A tool does not run before the next piece is asked for, and whatever the brain, never with words that only the
    picture holds. Closing the iterator stops the language model within one token. "Read this to me" is answered with
    what the tool says, word for word; the language model is asked only where it failed. Nor is it asked where somebody
    needs help at once.
    """
    if (said := turn.utterance) is not None:
        if answer := help_for(said.text, said.language):
            yield answer
            return
        context = dataclasses.replace(context, language=said.language, utterance=said.text)
    if (call := toolbox.meant(turn, context)) is not None:
        yield call
        result = toolbox.run(call, context)
        yield result
        if not result.failed:
            yield str(result.result)
            return
    for _ in range(MOST_CALLS):
        asked = None
        pieces = brain.reply(turn)
        try:
            for piece in pieces:
                if isinstance(piece, ToolCall):
                    asked = piece
                    break
                yield piece
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        if asked is None:
            return
        yield asked
        tool = toolbox.tools.get(asked.name)
        if (tool is None or not tool.looks) and borrowed(asked, turn):
            result = ToolResult(asked, REFUSED, True)
        else:
            result = toolbox.run(asked, context)
        yield result
        if tool is not None and not result.failed and said is not None and said.language in tool.told:
            yield str(result.result)
            return
        turn = dataclasses.replace(turn, results=(*turn.results, result))
    yield "I could not finish that with the tools I have."
