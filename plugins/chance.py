"""Coins, dice and numbers by chance; a language model that is asked for one always says the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from assistant import hookimpl
from assistant.spoken_numbers import NUMBER, number

SIDES: Mapping[str, tuple[str, str]] = {
    "en": ("Heads.", "Tails."),
    "de": ("Kopf.", "Zahl."),
    "fr": ("Face.", "Pile."),
    "es": ("Cara.", "Cruz."),
    "it": ("Testa.", "Croce."),
}
LARGEST = 1_000_000_000
_BEFORE = r"(?:(?:please|can you|could you|bitte|kannst du|tu peux|puedes|puoi|and|okay|now) )*"
_END = r"(?: (?:for me|for us|please|bitte|again|noch einmal|encore|otra vez|por favor|per favore|ancora))*"


@hookimpl
def assistant_tools() -> list[Callable[..., str]]:
    """Return the tools of this plugin."""
    return [flip_coin, roll_dice, pick_number]


def flip_coin(language: str = "en") -> str:
    """Flip a coin."""
    return random.choice(SIDES.get(language, SIDES["en"]))


flip_coin.__doc__ = f"""{flip_coin.__doc__}

    Verbatim only: {_BEFORE}(?:(?:flip|toss|throw) (?:a|the) coin|heads or tails|wirf eine münze|kopf oder zahl|
    lance une pièce|pile ou face|lanza una moneda|cara o cruz|lancia una moneta|testa o croce){_END}

    Again: {_BEFORE}(?:again|once more|another|flip it again|one more time|noch einmal|encore|otra vez|ancora){_END}
    """


def roll_dice(count: str = "") -> str:
    """Roll one die, or several."""
    most = min(20, int(number(count)) if count else 1)
    thrown = [random.randint(1, 6) for _ in range(max(1, most))]
    return f"{thrown[0]}." if len(thrown) == 1 else f"{', '.join(map(str, thrown))}: {sum(thrown)}."


roll_dice.__doc__ = f"""{roll_dice.__doc__}

    Verbatim only: {_BEFORE}(?:roll|throw|würfle|wirf|lance|lanza|lancia|tira)
    (?: (?:mit )?(?:(?:a|the|einen|un|le|el|il)|(?P<count>{NUMBER})))? (?:die|dice|würfeln?|dés?|dados?|dad[oi]){_END}|
    {_BEFORE}würfle{_END}
    """


def pick_number(low: str = "1", high: str = "100", language: str = "en") -> str:
    """Pick a number by chance."""
    ends = sorted(int(number(end, language)) for end in (low, high))
    if max(map(abs, ends)) > LARGEST:
        raise ValueError(f"the numbers must be below {LARGEST}")
    return f"{random.randint(*ends)}."


pick_number.__doc__ = f"""{pick_number.__doc__}

    Verbatim only: {_BEFORE}(?:(?:give|pick|choose|think of|say|tell|generate)(?: me)?|
    (?:nenne?|gib|sag|wähle)(?: mir)?|donne(?: moi)?|choisis|dime|dame|elige|dimmi|dammi|scegli)
    (?: (?:a|the|any|eine|une?) (?:random )?(?:number|(?:zufalls)?zahl|nombre|chiffre|número|numero))
    (?: (?:au hasard|al azar|a caso))?(?: (?:between|from|zwischen|entre|tra|fra) (?:el )?(?P<low>{NUMBER})
    (?: (?:and|to|und|et|y|e)(?: el)?) (?P<high>{NUMBER}))?{_END}
    """
