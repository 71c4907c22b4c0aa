"""Vision-language models of the transformers library: SmolVLM, Qwen-VL and their kind see the picture themselves."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import jinja2
import torch
import transformers

from .. import pictures, prompt
from ..chat import INSTRUCTIONS, LONGEST_SIDE, ChatBrain, ChatMessage
from ..config import Settings
from ..errors import ModelError
from ..prompt import ToolSpec
from ..stages import Urged, never
from ..store import Store
from ..types import Frame, ToolCall, Turn
from .hub_model import Source, best_device, precision

log = logging.getLogger(__name__)


class VisionBrain(ChatBrain):
    """Turn to reply by one model of ``AutoModelForImageTextToText``, meant for a GPU.

    ``brain.model`` is a folder, an id of the store, or ``owner/name`` of the hub. Raises
    :class:`ModelError` where it is missing or is no vision-language model.
    """

    def __init__(self, settings: Settings, store: Store, tools: Sequence[ToolSpec] = ()) -> None:
        super().__init__(settings, tools, prompt.system(tools, settings.brain.instructions, INSTRUCTIONS))
        source = Source.of(settings.brain.model, "brain.model", settings, store)
        self.processor = source.load(_processor)
        model = source.load(transformers.AutoModelForImageTextToText.from_pretrained, dtype=precision())
        self.model = model.to(best_device()).eval()
        added = sorted(self.processor.tokenizer.get_added_vocab(), key=len, reverse=True)
        self._markers = re.compile("|".join(map(re.escape, added)) or "(?!)")
        self._lock = threading.Lock()
        self._stop = threading.Event()
        if self.model.device.type == "cpu" and self.model.num_parameters() > 1e9:
            log.warning("%s runs without a GPU; a reply will take minutes", settings.brain.model)

    def prepare(self, turn: Turn, urged: Urged = never) -> bool:
        """Nothing: picture and question are read together."""
        return True

    def cancel(self) -> None:
        """End the generation that runs now, from any thread, within one token."""
        self._stop.set()

    def _stream(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> Generator[str | ToolCall]:
        with self._lock:
            self._stop = stop = threading.Event()
            yield from _calls(self._generate(self._inputs(messages), stop), tools)

    def _generate(self, inputs: Any, stop: threading.Event) -> Generator[str]:
        """Yield text; the model runs in a thread of its own, which has ended when this generator is closed."""
        streamer = transformers.TextIteratorStreamer(
            self.processor.tokenizer, skip_prompt=True, skip_special_tokens=True
        )
        failures: list[Exception] = []
        temperature = self._settings.brain.temperature
        sampling = {"do_sample": True, "temperature": temperature} if temperature > 0 else {"do_sample": False}

        def work() -> None:
            try:
                self.model.generate(
                    **inputs,
                    **sampling,
                    max_new_tokens=self._settings.brain.max_tokens,
                    streamer=streamer,
                    stopping_criteria=transformers.StoppingCriteriaList([_Stop(stop)]),
                )
            except Exception as error:  # whatever a model's code raises is told where the reply is awaited
                failures.append(error)
                streamer.end()

        worker = threading.Thread(target=work, name="vision-language model", daemon=True)
        worker.start()
        try:
            yield from streamer
        finally:
            stop.set()
            worker.join()
        if failures:
            raise ModelError(f"{self._settings.brain.model} failed: {_line(failures[0])}") from failures[0]

    def _inputs(self, messages: Sequence[ChatMessage]) -> Any:
        """Return the tensors of a conversation; its oldest messages are left out where it does not fit."""
        messages = list(messages)
        room = self._settings.brain.context - min(self._settings.brain.max_tokens, self._settings.brain.context // 4)
        while True:
            inputs = self._tensors(messages)
            if inputs["input_ids"].shape[1] <= room:
                return inputs
            now = max(place for place, message in enumerate(messages) if message.role == "user")
            if now == 1:
                raise ModelError("the picture and the question do not fit into brain.context; raise brain.context")
            del messages[1 : 1 + now // 2]

    def _tensors(self, messages: Sequence[ChatMessage]) -> Any:
        frames = [part for message in messages for part in message.parts if isinstance(part, Frame)]
        images = [pictures.image(frame, LONGEST_SIDE) for frame in frames]
        try:
            text = self.processor.apply_chat_template(
                [self._message(message) for message in messages], add_generation_prompt=True, tokenize=False
            )
        except (jinja2.TemplateError, ValueError) as error:
            raise ModelError(f"{self._settings.brain.model} has no usable chat template: {_line(error)}") from error
        inputs = self.processor(text=[text], images=images or None, return_tensors="pt")
        return inputs.to(self.model.device, self.model.dtype)

    def _message(self, message: ChatMessage) -> dict[str, Any]:
        if message.role == "tool":
            text = "".join(part for part in message.parts if isinstance(part, str))
            return _said("user", f"[tool] {self._plain(text)}")
        if message.call is not None:
            return _said("assistant", self._plain(prompt.call(message.call.name, message.call.arguments)))
        parts = [
            {"type": "text", "text": self._plain(part)} if isinstance(part, str) else {"type": "image"}
            for part in message.parts
        ]
        return {"role": message.role, "content": parts}

    def _plain(self, text: str) -> str:
        """Return text without the model's own markers: nobody can write markup."""
        while (cleaned := self._markers.sub(" ", text)) != text:
            text = cleaned
        return text


class _Stop(transformers.StoppingCriteria):  # type: ignore[misc]
    """Ends a generation after the token during which it was told to."""

    def __init__(self, told: threading.Event) -> None:
        self._told = told

    def __call__(self, input_ids: Any, scores: Any, **more: Any) -> Any:
        return torch.full((input_ids.shape[0],), self._told.is_set(), device=input_ids.device, dtype=torch.bool)


class _NoVideos(dict[str, Any]):
    """Stands where a processor wants one for videos, which needs torchvision; no video is ever given.

    A dictionary, because a processor writes all of its parts as JSON.
    """

    num_frames, fps, merge_size = 0, 0, 1


def _processor(source: str, **hub: Any) -> Any:
    """Return the processor of a model, with Pillow for its pictures and, without torchvision, none for videos."""
    if transformers.utils.is_torchvision_available():
        return transformers.AutoProcessor.from_pretrained(source, backend="pil", **hub)
    kind = transformers.AutoConfig.from_pretrained(source, **hub).model_type
    name = transformers.models.auto.processing_auto.PROCESSOR_MAPPING_NAMES.get(kind)
    if name is None:
        raise ValueError(f"transformers knows no processor for models of type {kind!r}")
    processor = _for_pictures(getattr(transformers, name))
    makers: dict[str, Callable[[], Any]] = {
        "image_processor": lambda: transformers.AutoImageProcessor.from_pretrained(source, backend="pil", **hub),
        "tokenizer": lambda: transformers.AutoTokenizer.from_pretrained(source, **hub),
        "video_processor": _NoVideos,
    }
    if unknown := [part for part in processor.get_attributes() if part not in makers]:
        raise ValueError(f"its processor also wants: {', '.join(unknown)}")
    parts = [makers[part]() for part in processor.get_attributes()]
    settings, _ = processor.get_processor_dict(source, **hub)
    return processor.from_args_and_dict(parts, settings)


def _for_pictures(processor: Any) -> Any:
    """Return a class of processors that does not ask what its video processor is."""

    def check(self: Any, name: str, argument: Any) -> Any:
        return None if name == "video_processor" else processor.check_argument_for_proper_class(self, name, argument)

    return type(processor.__name__, (processor,), {"check_argument_for_proper_class": check})


def _calls(pieces: Generator[str], tools: Sequence[ToolSpec]) -> Iterator[str | ToolCall]:
    """Hand text on; a reply that begins with the name of a tool and a bracket becomes its call."""
    starts = [f"{tool['name']}(" for tool in tools]
    head = ""
    try:
        for piece in pieces:
            head += piece
            if not any(start.startswith(head.lstrip()) or head.lstrip().startswith(start) for start in starts):
                yield head
                yield from pieces
                return
            if (call := _call(head)) is not None:
                yield call
                return
        if any(head.lstrip().startswith(start) for start in starts):
            yield ToolCall(head.strip().partition("(")[0])  # not whole: the tool says what it lacks
        elif head:
            yield head
    finally:
        pieces.close()


def _call(text: str) -> ToolCall | None:
    try:
        return ToolCall(*prompt.parse_call(text.strip()))
    except ValueError:  # not whole yet
        return None


def _said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
