"""Lengths, weights, volumes, temperatures and times in other units, asked for in the usual words of five languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from assistant import hookimpl
from assistant.spoken_numbers import NUMBER, SPANS, number, said_number

_DEGREES = r"(?:degrees?|grad|degrés?|grados?|gradi)"
UNITS: Mapping[str, str] = {
    "kilometer/hour": r"(?:kilomet(?:er|re)s?|km) (?:per|an) hour|km/h|kph|stundenkilometern?|kilomètres? (?:à l'|par )"
    r"heure|kilómetros por hora|chilometri all'ora",
    "mile/hour": r"miles? (?:per|an) hour|mph|meilen pro stunde|millas por hora|miglia all'ora",
    "kilometer": r"kilomet(?:er|re)s?|kilometern|km|kilomètres?|kilómetros?|chilometr[oi]",
    "centimeter": r"centimet(?:er|re)s?|cm|zentimetern?|centimètres?|centímetros?|centimetr[oi]",
    "millimeter": r"millimet(?:er|re)s?|millimetern|mm|millimètres?|milímetros?|millimetr[oi]",
    "meter": r"met(?:er|re)s?|metern|m|mètres?|metros?|metr[oi]",
    "mile": r"miles?|meilen?|milles|millas?|migli[oa]",
    "yard": r"yards?|yardas?",
    "foot": r"foot|feet|ft|fuß|pieds?|pies?|pied[ei]",
    "inch": r"inch(?:es)?|zoll|pouces?|pulgadas?|pollic[ei]",
    "kilogram": r"kilo(?:gram(?:me)?)?s?|kg|kilogramm|kilogramos?|chil[oi]|chilogramm[oi]",
    "milligram": r"milligram(?:me)?s?|mg|milligramm|miligramos?|milligramm[oi]",
    "gram": r"gram(?:me)?s?|g|gramm|gramos?|gramm[oi]",
    "fluid_ounce": r"fluid ounces?|fl\.? ?oz",
    "ounce": r"ounces?|oz|unzen?|onces|onzas?|onc[ei]",
    "pound": r"pounds?|lbs?|livres?|libras?|libbr[ae]",
    "stone": r"stones?",
    "tonne": r"metric tons?|tonnes?|tonnen?|toneladas?|tonnellat[ae]",
    "milliliter": r"millilit(?:er|re)s?|millilitern|ml|mililitros?|millilitr[oi]",
    "centiliter": r"centilit(?:er|re)s?|cl|zentilitern?|centilitros?|centilitr[oi]",
    "deciliter": r"decilit(?:er|re)s?|dl|dezilitern?|decilitros?|decilitr[oi]",
    "liter": r"lit(?:er|re)s?|litern|l|litros?|litr[oi]",
    "cup": r"cups?|tassen?|tasses?|tazas?|tazz[ae]",
    "tablespoon": r"tablespoons?|tbsp|esslöffeln?|cuillères? à soupe|cucharadas?|cucchiai?|cucchiaio",
    "teaspoon": r"teaspoons?|tsp|teelöffeln?|cuillères? à café|cucharaditas?|cucchiain[oi]",
    "pint": r"pints?|pintas?|pinte",
    "quart": r"quarts?",
    "gallon": r"gallons?|gallonen?|galones|galón|gallon[ei]",
    "degree_Fahrenheit": rf"(?:{_DEGREES} )?fahrenheit|°f",
    "degree_Celsius": rf"(?:{_DEGREES} )?(?:celsius|centigrade)|°c",
    "degree": _DEGREES,
    **{name: SPANS[name] for name in ("second", "minute", "hour", "day", "week")},
    "hectare": r"hectares?|hektar|hectáreas?|ettar[oi]",
    "acre": r"acres?",
    "kilocalorie": r"(?:kilo)?calories?|(?:kilo)?kalorien?|(?:kilo)?calorías?|kcal",
    "kilojoule": r"kilojoules?|kj|kilojulios?",
}
"""Names of units, by pint's; gallons, pints and cups are those of the USA."""
_UNIT = rf"(?:{'|'.join(UNITS.values())})"
_ONE = r"(?:an?|the|one|eine?[mnrs]?|une?|un|una|uno)"
_AMOUNT = rf"(?:{_ONE}|{NUMBER}) ?{_UNIT}(?:(?: (?:and|und|et|y|e))? {NUMBER}(?: ?{_UNIT})?)?"
_BEFORE = r"(?:(?:please|can you|could you|tell me|and|so|okay|bitte|und|et|y|e) )*"
_ASK = (
    r"(?:(?:convert|change|what(?:'s| is| are)|how much (?:is|are)|rechne|wandle|(?:was|wie viel) (?:ist|sind)|"
    r"convertis|combien (?:font|fait)|convierte|cuánto (?:es|son)|converti|quanto (?:fa|fanno|è|sono)) )?"
)
_MANY = r"(?:how many|how much|wie viele?|combien (?:de |d')|cuánt[oa]s?|quant[eio])"
_IN = (
    r"(?:(?:are|is|go|goes|does|do|make|makes|equals?|hat|haben|sind|ist|font|fait|il y a|y a t il|son|es|hay|tiene|"
    r"tienen|sono|fa|fanno|ci|there|in|into|to|and|dans|en|a) )+"
)
_END = r"(?: (?:equal|make|have|um|bitte|please|por favor|per favore|s'il te plaît|s'il vous plaît))*"
_IS = {"de": "{0} sind {1}.", "fr": "{0} font {1}.", "es": "{0} son {1}.", "it": "{0} sono {1}."}
_ABOUT = {"de": "ungefähr", "fr": "environ", "es": "unos", "it": "circa"}


@hookimpl
def assistant_tools() -> list[Callable[..., str]]:
    """Return the tool of this plugin."""
    return [Converter().convert]


class Converter:
    """Answers; the last amount and the last unit are remembered, for "And in feet?" and "And ten?"."""

    def __init__(self) -> None:
        self._amount = self._into = ""

    def convert(self, amount: str = "", into: str = "", language: str = "en") -> str:
        """Say an amount in another unit."""
        last = re.search(rf"\b{_UNIT}$", self._amount, re.IGNORECASE)
        if last and re.fullmatch(NUMBER, amount.lower()):
            amount = f"{amount} {last[0]}"
        self._amount, self._into = amount, into = amount or self._amount, into or self._into
        magnitude = _quantity(amount, into, language).to(_named(into)).magnitude
        value = float(f"{magnitude:.4g}")
        told, _ = said_number(value, language)
        exact = abs(value - magnitude) <= 1e-6 * abs(value)
        result = f"{told} {into}" if exact else f"{_ABOUT.get(language, 'about')} {told} {into}"
        sentence = _IS.get(language, "{0} is {1}.").format(amount, result)
        return sentence[0].upper() + sentence[1:]

    convert.__doc__ = f"""{convert.__doc__}

        Verbatim only: {_BEFORE}(?:{_MANY} ?(?P<into_2>{_UNIT}) {_IN}|{_ASK})(?P<amount>{_AMOUNT})
        (?(into_2)| (?:in|into|to|and|zu|en|a) (?P<into>{_UNIT})){_END}

        Again: (?:(?:and|what about|how about|und|et|y|e) )+(?:(?:in|into|en) (?P<into>{_UNIT})|
        (?:for )?(?P<amount>(?:{_ONE}|{NUMBER})(?: ?{_UNIT})?)){_END}
        """


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def _named(said: str) -> str:
    """Return pint's name of a unit."""
    return next(name for name, pattern in UNITS.items() if re.fullmatch(pattern, said.lower()))


def _quantity(said: str, into: str, language: str) -> Any:
    """Return what "5 feet 9 inches" or "5 foot 9" is; degrees of no name are the other kind than is asked for."""
    total = None
    for part in re.finditer(rf"({_ONE}|{NUMBER}) ?({_UNIT})?(?= |$)", said.lower()):
        unit = _named(part[2]) if part[2] else "inch"
        if unit == "degree":
            unit = "degree_Fahrenheit" if _named(into) == "degree_Celsius" else "degree_Celsius"
        count = 1.0 if re.fullmatch(_ONE, part[1]) else number(part[1], language)
        quantity = _registry().Quantity(count, unit)
        total = quantity if total is None else total + quantity
    if total is None or not total.is_compatible_with(_named(into)):
        raise ValueError(f"{said} cannot be told in {into}")
    return total
