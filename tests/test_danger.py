"""What is said in danger, and what only sounds like it."""

import pytest

from assistant.danger import DESPAIR, EMERGENCY, MEDICINE, SAFETY, caution


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("I can't breathe.", EMERGENCY),
        ("I can’t breathe.", EMERGENCY),
        ("My chest hurts and my left arm is numb.", EMERGENCY),
        ("I fell and I can't get up.", EMERGENCY),
        ("There is a fire in my kitchen!", EMERGENCY),
        ("What should I do, my wife is unconscious?", EMERGENCY),
        ("Please call an ambulance!", EMERGENCY),
        ("Ich bekomme keine Luft.", EMERGENCY),
        ("Au feu !", EMERGENCY),
        ("No puedo respirar.", EMERGENCY),
        ("Ho un forte dolore al petto.", EMERGENCY),
        ("I don't want to live any more.", DESPAIR),
        ("Ich will sterben.", DESPAIR),
        ("Should I take aspirin with my blood thinner?", MEDICINE),
        ("How many of these tablets may I take?", MEDICINE),
        ("Which of these pills is it?", MEDICINE),
        ("Darf ich diese Tabletten mit Alkohol nehmen?", MEDICINE),
        ("Is it safe to cross now?", SAFETY),
        ("Is this mushroom edible?", SAFETY),
    ],
)
def test_what_somebodys_health_may_hang_on_is_marked(said: str, note: str) -> None:
    assert caution(said) == note


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
        "Read this medicine box to me.",
        "I can't stand garlic.",
        "My brother doesn't like fish.",
        "Tell me a story about a fire.",
    ],
)
def test_what_only_sounds_like_it_is_not(said: str) -> None:
    assert caution(said) == ""
