"""What is answered in danger, what the model is told about medicine and safety, and what only sounds like it."""

from collections.abc import Mapping

import pytest

from assistant.danger import DESPAIR, EMERGENCY, FIRE, MEDICINE, SAFETY, caution, help_for
from assistant.tools import Toolbox, ToolContext, think
from assistant.types import Turn, Utterance

from .fakes import FakeBrain


@pytest.mark.parametrize(
    ("said", "language", "answers"),
    [
        ("I can't breathe.", "en", EMERGENCY),
        ("I can’t breathe.", "en", EMERGENCY),
        ("My chest hurts and my left arm is numb.", "en", EMERGENCY),
        ("I fell and I can't get up.", "en", EMERGENCY),
        ("My husband is lying on the floor and doesn't answer.", "en", EMERGENCY),
        ("What should I do, my wife is unconscious?", "en", EMERGENCY),
        ("My son took too many of my tablets.", "en", EMERGENCY),
        ("I hurt myself badly.", "en", EMERGENCY),
        ("Please call an ambulance!", "en", EMERGENCY),
        ("I need the police.", "en", EMERGENCY),
        ("There is a fire in my kitchen!", "en", FIRE),
        ("I smell gas.", "en", FIRE),
        ("My sleeve is on fire!", "en", FIRE),
        ("I don't want to live any more.", "en", DESPAIR),
        ("I want to hurt myself.", "en", DESPAIR),
        ("Ich bekomme keine Luft.", "de", EMERGENCY),
        ("Mein Mann antwortet nicht mehr.", "de", EMERGENCY),
        ("Es brennt!", "de", FIRE),
        ("Es ist Feuer in meiner Küche.", "de", FIRE),
        ("Ich glaube, ich habe mich vergiftet.", "de", EMERGENCY),
        ("Somebody is breaking into my house!", "en", EMERGENCY),
        ("Ich will sterben.", "de", DESPAIR),
        ("Au feu !", "fr", FIRE),
        ("No puedo respirar.", "es", EMERGENCY),
        ("Ho un forte dolore al petto.", "it", EMERGENCY),
    ],
)
def test_who_needs_help_is_told_in_their_language_what_to_do(
    said: str, language: str, answers: Mapping[str, str]
) -> None:
    assert help_for(said, language) == answers[language]


def test_an_unknown_language_is_answered_in_english() -> None:
    assert help_for("I can't breathe.", "pl") == EMERGENCY["en"]


def test_every_answer_is_there_in_every_language() -> None:
    assert EMERGENCY.keys() == FIRE.keys() == DESPAIR.keys()


def test_no_language_model_is_asked_where_help_is_needed_at_once() -> None:
    brain, toolbox = FakeBrain(), Toolbox({}, 1.0)
    brain.enqueue(["You may have a cold."])
    said = [
        list(think(brain, toolbox, Turn(Utterance(text)), ToolContext()))
        for text in ("My chest hurts.", "My nose runs.")
    ]
    assert said == [[EMERGENCY["en"]], ["You may have a cold."]]
    assert len(brain.turns) == 1


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("Should I take aspirin with my blood thinner?", MEDICINE),
        ("How many of these tablets may I take?", MEDICINE),
        ("Which of these pills is it?", MEDICINE),
        ("Darf ich diese Tabletten mit Alkohol nehmen?", MEDICINE),
        ("Is it safe to cross now?", SAFETY),
        ("Is this mushroom edible?", SAFETY),
        ("Does it look dangerous?", SAFETY),
        ("¿Es peligroso?", SAFETY),
        ("Are tigers dangerous?", ""),
        ("Sind Tiger gefährlich?", ""),
    ],
)
def test_the_model_is_told_what_to_say_about_medicine_and_safety(said: str, note: str) -> None:
    assert caution(said) == note
    assert help_for(said, "en") == ""


@pytest.mark.parametrize(
    "said",
    [
        "What colour is the cup?",
        "What is a heart attack?",
        "Who invented the fire extinguisher?",
        "How many people die of a stroke every year?",
        "Was ist ein Herzinfarkt?",
        "What does the label say?",
        "Who is the chief of the police?",
        "How do I get up early?",
        "I can't get up in the morning.",
        "Read this medicine box to me.",
        "I can't stand garlic.",
        "My brother doesn't like fish.",
        "My phone doesn't respond.",
        "My sister doesn't answer my calls.",
        "The door won't move.",
        "My grandmother had a stroke ten years ago.",
        "Was Napoleon murdered?",
        "There is a fire station in our street.",
        "Tell me a story about a fire.",
        "Tell me about burglars in films.",
        "Quelle est la police de ce texte ?",
        "Die Polizei war gestern in der Schule.",
        "I'm dying of boredom.",
        "It's not breathtaking.",
        "Everybody was breaking into song.",
        "I need a doctor's appointment.",
        "Mein Handy antwortet nicht.",
        "Wurde Napoleon vergiftet?",
        "Was bedeutet bewusstlos?",
        "Comment faire un pot-au-feu ?",
        "Did Hemingway commit suicide?",
    ],
)
def test_what_only_sounds_like_it_is_not(said: str) -> None:
    assert caution(said) == ""
    assert help_for(said, "en") == ""
