"""The plugin that remembers what it is asked to."""

from __future__ import annotations

import dataclasses
import json
import stat
from pathlib import Path

import pytest

from assistant.config import HistorySettings, Settings
from assistant.happening import Happening
from assistant.plugins import Plugins
from assistant.tools import Toolbox

from .direct import replies


def opened(settings: Settings, folder: Path, enabled: bool = True) -> tuple[Plugins, Toolbox]:
    history = HistorySettings(path=str(folder / "history.sqlite"), enabled=enabled)
    plugins = Plugins(dataclasses.replace(settings, history=history))
    return plugins, Toolbox(plugins.tools, 5.0, plugins.news.statements)


@pytest.mark.parametrize(
    ("language", "dialogue", "told"),
    [
        ("en", "What do you remember? | Remember that my keys are on the kitchen table. | "
         "What do you remember about me? | Forget that. | What do you know about me?",
         ["You haven't asked me to remember anything.", "I'll remember: your keys are on the kitchen table.",
          "You asked me to remember: your keys are on the kitchen table.",
          "I have forgotten: your keys are on the kitchen table.", "You haven't asked me to remember anything."]),
        ("en", "Please remember my sister is called Ida. | Remember I parked the car on level three. | "
         "What did I ask you to remember? | Forget about my sister. | Forget about my brother. | "
         "Forget everything you know about me.",
         ["I'll remember: your sister is called Ida.", "I'll remember: you parked the car on level three.",
          "You asked me to remember: your sister is called Ida; you parked the car on level three.",
          "I have forgotten: your sister is called Ida.", "You haven't asked me to remember that.",
          "I have forgotten all that you asked me to remember."]),
        ("en", "Remember the milk. | Remember to buy milk. | Do you remember my name? | Remember that. | Forget that.",
         [""] * 5),
        ("de", "Merk dir, dass mein Arzt Müller heißt. | Vergiss das wieder. | Was weißt du über mich?",
         ["Ich merke mir: mein Arzt Müller heißt.", "Vergessen: mein Arzt Müller heißt.",
          "Ich soll mir nichts merken."]),
        ("fr", "Retiens que mes clés sont sur la table.", ["Je retiens : mes clés sont sur la table."]),
        ("es", "Recuerda que mi hermana se llama Ana.", ["Me acordaré: mi hermana se llama Ana."]),
        ("it", "Ricordati che le chiavi sono sul tavolo.", ["Me lo ricordo: le chiavi sono sul tavolo."]),
    ],
)  # fmt: skip
def test_it_remembers_what_it_is_asked_to(
    settings: Settings, tmp_path: Path, language: str, dialogue: str, told: list[str]
) -> None:
    assert replies(opened(settings, tmp_path)[1], dialogue, language) == told


def test_what_is_remembered_is_known_in_the_next_conversation(settings: Settings, tmp_path: Path) -> None:
    replies(opened(settings, tmp_path)[1], "Remember that the spare key is under the mat.")
    assert opened(settings, tmp_path)[1].known() == ("the spare key is under the mat",)
    file = tmp_path / "remembered.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text("utf-8")) == ["the spare key is under the mat"]


def test_what_this_conversation_told_is_forgotten_with_it(settings: Settings, tmp_path: Path) -> None:
    replies(opened(settings, tmp_path)[1], "Remember that the spare key is under the mat.")
    plugins, toolbox = opened(settings, tmp_path)
    replies(toolbox, "Remember that Tom is called Thomas.")
    plugins.news.observe(Happening("reply", 1.0))
    assert len(toolbox.known()) == 2
    plugins.news.observe(Happening("forgotten", 2.0))
    assert toolbox.known() == ("the spare key is under the mat",)


def test_without_a_history_nothing_is_written(settings: Settings, tmp_path: Path) -> None:
    _, toolbox = opened(settings, tmp_path, enabled=False)
    replies(toolbox, "Remember that Tom is called Thomas.")
    assert toolbox.known() == ("Tom is called Thomas",) and list(tmp_path.iterdir()) == []
