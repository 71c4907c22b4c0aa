"""Signs and units after a number as they are said in German, French, Spanish and Italian.

Where English is spoken, :mod:`assistant.spoken_english` says them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SIGNS = "% °C °F km/h km cm mm m kg mg g ml l min € $ £".split()
_SAID: Mapping[str, str] = {
    "de": "Prozent|Grad Celsius|Grad Fahrenheit|Kilometer pro Stunde|Kilometer|Zentimeter|Millimeter|Meter|Kilogramm|"
    "Milligramm|Gramm|Milliliter|Liter|Minute/Minuten|Euro|Dollar|Pfund",
    "fr": "pour cent|degré/degrés Celsius|degré/degrés Fahrenheit|kilomètre/kilomètres à l'heure|kilomètre/kilomètres|"
    "centimètre/centimètres|millimètre/millimètres|mètre/mètres|kilo/kilos|milligramme/milligrammes|gramme/grammes|"
    "millilitre/millilitres|litre/litres|minute/minutes|euro/euros|dollar/dollars|livre/livres",
    "es": "por ciento|grado/grados Celsius|grado/grados Fahrenheit|kilómetro/kilómetros por hora|kilómetro/kilómetros|"
    "centímetro/centímetros|milímetro/milímetros|metro/metros|kilo/kilos|miligramo/miligramos|gramo/gramos|"
    "mililitro/mililitros|litro/litros|minuto/minutos|euro/euros|dólar/dólares|libra/libras",
    "it": "per cento|grado/gradi Celsius|grado/gradi Fahrenheit|chilometro/chilometri all'ora|chilometro/chilometri|"
    "centimetro/centimetri|millimetro/millimetri|metro/metri|chilo/chili|milligrammo/milligrammi|grammo/grammi|"
    "millilitro/millilitri|litro/litri|minuto/minuti|euro|dollaro/dollari|sterlina/sterline",
}
"""By language what each of the signs is called; after a slash its plural, where that is another."""

_ONE = {"de": ("ein", "eine"), "fr": ("un", "une"), "es": ("un", "una"), "it": ("un", "una")}
"""One of something, masculine and feminine."""
_FEMININE = frozenset("Minute minute livre libra sterlina".split())

_AMOUNT = re.compile(
    r"(?P<before>[€$£])? ?"
    r"(?P<number>(?<![\w.,:/])-?\d+(?:[.\u00a0\u202f ]\d{3})*(?:[.,](?P<rest>\d\d?)(?!\d)|,\d+)?)"
    rf"(?:[ \u00a0\u202f]?(?P<after>{'|'.join(map(re.escape, _SIGNS))})(?![\w/]))?"
)


def written_out(text: str, language: str) -> str:
    """Return a text with the signs after its numbers, and money before them, as words.

    Other numbers than 1 stay figures.

    >>> written_out("15% von 3,50 €, 20 °C", "de")
    '15 Prozent von 3 Euro 50, 20 Grad Celsius'
    """
    if language not in _SAID:
        return text
    names = dict(zip(_SIGNS, _SAID[language].split("|"), strict=True))

    def say(match: re.Match[str]) -> str:
        sign = match["after"] or match["before"]
        if sign is None or (match["before"] and match["after"]):
            return match[0]
        number, rest = match["number"], match["rest"]
        name = " ".join(_form(word, number) for word in names[sign].split(" "))
        space = " " if match[0].startswith(" ") else ""
        if number == "1":
            number = _ONE[language][name in _FEMININE]
        elif sign in "€$£" and rest and len(rest) == 2:
            return f"{space}{number[:-3]} {name}" + ("" if rest == "00" else f" {rest.lstrip('0')}")
        return f"{space}{number} {name}"

    return _AMOUNT.sub(say, text)


def _form(word: str, number: str) -> str:
    """Return a word that may have a plural after a slash as it is after a number."""
    one, _, many = word.partition("/")
    return one if not many or number in ("1", "-1") else many
