"""A question about what is not there, over a real photo, to the reply of the real language model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant.ask import Asker, Question
from assistant.config import Settings
from assistant.kit import Kit
from assistant.plugins import Plugins
from assistant.store import Store


@pytest.fixture(scope="module")
def kit(settings: Settings, store: Store) -> Iterator[Kit]:
    for name in (settings.brain.model, f"{settings.eyes.model}-onnx", "sample-photo"):
        if problem := store.check(name, digests=False):
            pytest.skip(f"{name}: {problem}; fetch it with: assistant models pull {name}")
    kit = Kit(settings, Plugins(settings), store)
    yield kit
    kit.session.close()


@pytest.mark.parametrize(("thing", "there"), [("dog", False), ("cup", True)])
def test_the_reply_says_what_the_photo_of_a_cup_lacks(kit: Kit, thing: str, there: bool) -> None:
    photo = next(p for p in sorted(kit.store.require("sample-photo").iterdir()) if p.suffix in (".png", ".jpg"))
    answer = Asker(kit).ask(Question(text=f"What colour is this {thing}?", image=photo))
    assert answer.percept is not None and answer.percept.missing == (() if there else (thing,))
    reply = answer.reply.lower().replace("not sure", "")  # of its colour
    denies = thing in reply and any(f"{word} " in reply for word in ("no", "n't", "not"))
    assert denies is not there, answer.reply
