"""The plugin that keeps lists."""

from __future__ import annotations

import dataclasses
import json
import stat
from pathlib import Path

import numpy as np
import pytest

from assistant.config import HistorySettings, Settings
from assistant.plugins import Plugins
from assistant.tools import Toolbox
from assistant.types import Label, Percept

from .direct import replies


def lists(settings: Settings, folder: Path, enabled: bool = True) -> Toolbox:
    kept = HistorySettings(path=str(folder / "history.sqlite"), enabled=enabled)
    return Toolbox(Plugins(dataclasses.replace(settings, history=kept)).tools, 5.0)


@pytest.mark.parametrize(
    ("language", "dialogue", "told"),
    [
        ("en", "What's on my shopping list? | Add milk, bread and some eggs to my shopping list. | And butter. | "
         "Is there butter on the list? | Add eggs to the list. | Take the egg off my grocery list, please. | "
         "Read the list.",
         ["There is nothing on your shopping list.", "Now on your shopping list: milk, bread and eggs.",
          "Now on your shopping list: butter.", "Yes, that is on your shopping list.",
          "Already on your shopping list: eggs.", "I took eggs off your shopping list.",
          "On your shopping list: milk, bread and butter."]),
        ("en", "I need eggs, put them on my shopping list. | We ran out of milk. Can you add it to the list? | "
         "We're out of butter, please write it down on my list. | Read the list.",
         ["Now on your shopping list: eggs.", "Now on your shopping list: milk.", "Now on your shopping list: butter.",
          "On your shopping list: eggs, milk and butter."]),
        ("de", "Ich brauche noch Brot, schreib es auf die Liste. | Sets Milch auf meine Einkaufsliste.",
         ["Auf der Einkaufsliste notiert: Brot.", "Auf der Einkaufsliste notiert: Milch."]),
        ("fr", "J'ai besoin de pain, ajoute-le à ma liste de courses.", ["Noté sur votre liste de courses : pain."]),
        ("es", "Necesito huevos, ponlos en mi lista de la compra.", ["Anotado en su lista de la compra: huevos."]),
        ("it", "Mi serve il pane, aggiungilo alla lista della spesa.", ["Segnato sulla sua lista della spesa: pane."]),
        ("en", "And mild eggs to my shopping list. | No, milk and eggs. | What did you add to my shopping list? | "
         "At tomatoes to the list. | No, I said potatoes. | No thanks. | Read the list.",
         ["Now on your shopping list: mild eggs.", "Now on your shopping list: milk and eggs.", "",
          "Now on your shopping list: tomatoes.", "Now on your shopping list: potatoes.", "",
          "On your shopping list: milk, eggs and potatoes."]),
        ("en", "Put call Tom and Anna on my to-do list. | What's on my to do list? | What are my lists? | "
         "Clear my to-do list. | What lists do I have?",
         ["Now on your to-do list: call Tom and Anna.", "On your to-do list: call Tom and Anna.",
          "You have these lists: to-do list.", "Your to-do list is empty now.",
          "You have no list yet. Say, for example: add milk to my shopping list."]),
        ("en", "Add bread to my shopping list. | And mild cake. | No, milk and cake. | Undo that.",
         ["Now on your shopping list: bread.", "Now on your shopping list: mild cake.",
          "Now on your shopping list: milk and cake.", "On your shopping list: bread and mild cake."]),
        ("en", "Add milk and eggs to my shopping list. | Delete my shopping list. | Undo that. | "
         "Take milk off the list. | Bring it back.",
         ["Now on your shopping list: milk and eggs.", "Your shopping list is empty now.",
          "On your shopping list: milk and eggs.", "I took milk off your shopping list.",
          "On your shopping list: milk and eggs."]),
        ("en", "I need you to add eggs to the shopping list. | Please put milk on the list, will you? | "
         "We ran out of butter, so put butter on my shopping list. | What happens if I add milk to my list?",
         ["Now on your shopping list: eggs.", "Now on your shopping list: milk.",
          "Now on your shopping list: butter.", ""]),
        ("en", "Take a note: the key is under the mat. | Make a note that Anna comes on Friday. | Read my notes. | "
         "Delete my notes. | What are my notes?",
         ["Now on your list of notes: the key is under the mat.", "Now on your list of notes: Anna comes on Friday.",
          "On your list of notes: the key is under the mat; Anna comes on Friday.",
          "Your list of notes is empty now.", "There is nothing on your list of notes."]),
        ("en", "Make a packing list. | Add socks to it. | Add socks to my packing list. | Read my party list. | "
         "Add something to the list. | Take socks off the list. | Read my packing list.",
         ["What shall go on your packing list? Say, for example: add milk to my packing list.", "",
          "Now on your packing list: socks.", "There is no such list.",
          "What shall go on your packing list? Say, for example: add milk to my packing list.",
          "I took socks off your packing list.", "There is nothing on your packing list."]),
        ("de", "Setz Milch und Brot auf die Einkaufsliste. | Und Butter. | Steht Brot auf der Liste? | "
         "Streich die Milch von der Liste. | Was steht auf meiner Einkaufsliste? | Füge Socken zur Packliste hinzu.",
         ["Auf der Einkaufsliste notiert: Milch und Brot.", "Auf der Einkaufsliste notiert: Butter.",
          "Ja, das steht auf der Einkaufsliste.", "Von der Einkaufsliste gestrichen: Milch.",
          "Auf der Einkaufsliste: Brot und Butter.", "Auf der Packliste notiert: Socken."]),
        ("fr", "Ajoute du lait et de l'eau à ma liste de courses. | Lis-moi ma liste de courses.",
         ["Noté sur votre liste de courses : lait et eau.", "Sur votre liste de courses : lait et eau."]),
        ("es", "Añade leche a la lista de la compra. | ¿Qué hay en mi lista?",
         ["Anotado en su lista de la compra: leche.", "En su lista de la compra: leche."]),
        ("it", "Aggiungi il latte alla lista della spesa. | Togli il latte dalla lista.",
         ["Segnato sulla sua lista della spesa: latte.", "Tolto dalla sua lista della spesa: latte."]),
    ],
)  # fmt: skip
def test_a_list_is_kept(settings: Settings, tmp_path: Path, language: str, dialogue: str, told: list[str]) -> None:
    assert replies(lists(settings, tmp_path), dialogue, language) == told


def test_lists_outlive_their_conversation_and_are_nobody_elses(settings: Settings, tmp_path: Path) -> None:
    first, second = lists(settings, tmp_path), lists(settings, tmp_path)
    replies(first, "Add milk to my shopping list.")
    replies(second, "Add bread to my shopping list.")
    assert replies(first, "What's on my shopping list?") == ["On your shopping list: milk and bread."]
    file = tmp_path / "lists.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text("utf-8")) == {"shopping": ["milk", "bread"]}


@pytest.mark.parametrize("written", ['["milk"]', '{"shopping": "milk"}', '{"shopping": [3]}', "{"])
def test_what_is_no_list_is_set_aside(settings: Settings, tmp_path: Path, written: str) -> None:
    (tmp_path / "lists.json").write_text(written)
    assert replies(lists(settings, tmp_path), "Read my shopping list.") == ["There is nothing on your shopping list."]
    assert (tmp_path / "lists.damaged").read_text() == written


def test_without_a_history_a_list_lasts_as_long_as_the_conversation(settings: Settings, tmp_path: Path) -> None:
    toolbox = lists(settings, tmp_path, enabled=False)
    dialogue = "Add milk to my shopping list. | Read my shopping list."
    assert replies(toolbox, dialogue)[-1] == "On your shopping list: milk."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("language", "said", "probability", "told"),
    [
        ("en", "Add this to my shopping list.", 0.9, "Now on your shopping list: banana."),
        ("de", "Setz das auf die Einkaufsliste.", 0.9, "Auf der Einkaufsliste notiert: Banane."),
        ("en", "Put this on the list, please.", 0.4, "I can't make out what that is. Please say its name."),
    ],
)
def test_what_is_shown_is_put_on_the_list(
    settings: Settings, tmp_path: Path, language: str, said: str, probability: float, told: str
) -> None:
    seen = Percept("e", np.zeros((1, 4), np.float32), labels=(Label("banana", probability),))
    assert replies(lists(settings, tmp_path), said, language, seen) == [told]


def test_without_a_picture_this_is_asked_for(settings: Settings, tmp_path: Path) -> None:
    (told,) = replies(lists(settings, tmp_path), "Add this to my shopping list.")
    assert told.startswith("What shall go on your shopping list?")
