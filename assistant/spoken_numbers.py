"""Numbers as people say them and as recognisers write them, in five languages: "12.5", "zwölf", "two and a half"."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS = {
    "en": r"zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|eighteen|"
    r"(?:four|six|seven|nine)teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|(?:a )?hundred|(?:a )?thousand",
    "de": r"(?:null|eine?[nmrs]?|zwei|drei|vier|fünf|sechs?|sieb(?:en)?|acht|neun|zehn|elf|zwölf|zwanzig|dreißig|"
    r"(?:vier|fünf|sech|sieb|acht|neun)zig|und|hundert|tausend)+(?:einhalb)?|anderthalb",
    "fr": r"zéro|une?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingts?|"
    r"trente|quarante|cinquante|soixante|cents?|mille",
    "es": r"cero|un[oa]?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|"
    r"dieci(?:séis|siete|ocho|nueve)|veinte|veinti(?:ún|un[oa]|dós|trés|cuatro|cinco|séis|siete|ocho|nueve)|treinta|"
    r"cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien(?:to)?|(?:dos|tres|cuatro|seis|ocho)cientos|quinientos|"
    r"setecientos|novecientos|mil",
    "it": r"zero|un[oa]?|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|undici|dodici|tredici|quattordici|quindici|"
    r"sedici|diciassette|diciotto|diciannove|(?:vent|trent|quarant|cinquant|sessant|settant|ottant|novant)[aieo]?"
    r"(?:uno?|due|tr[eé]|quattro|cinque|sei|sette|otto|nove)?|(?:due|tre|quattro|cinque|sei|sette|otto|nove)?cento|"
    r"mille",
}
LANGUAGES = tuple(_WORDS)
"""Those that are understood."""
_WORD = "|".join(_WORDS.values())
_HALF = r"(?:(?:and |und |et |y |e )?(?:an? |eine[nrs]? |une? |un[ao]? )?(?:half|halbe[nrs]?|demie?|medi[oa]|mezz[oa]))"
_ONE = ("a", "an", "ein", "eine", "einen", "einer", "einem", "eines", "une", "una", "un'")
NUMBER = rf"(?:(?:-?\d+(?:[.,]\d+)*|(?:{_WORD})(?:[ -](?:(?:and|et|y|e) )?(?:{_WORD}))*)(?: {_HALF})?|{_HALF}(?: an?)?)"
"""Regular expression of a number of any of the languages, in small letters."""
FEW = (
    r"(?:\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|zwei|drei|vier|fünf|sechs|sieben|acht|"
    r"neun|zehn|elf|zwölf|deux|trois|quatre|cinq|sept|huit|neuf|dix|douze|quinze|dos|tres|cuatro|cinco|seis|siete|"
    r"ocho|nueve|diez|doce|quince|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|dodici|quindici|eine?[nmrs]?|une?|"
    r"un[oa])"
)
"""The same of a number that people do not count far to: :data:`NUMBER` makes long expressions slow to compile."""

SPANS: Mapping[str, str] = {
    "second": "seconds?|sekunden?|secondes?|segundos?|second[oi]",
    "minute": "minutes?|minuten?|minutos?|minut[oi]",
    "hour": "hours?|stunden?|heures?|horas?|or[ae]",
    "day": "days?|tagen?|tage?|jours?|días?|giorn[oi]",
    "week": "weeks?|wochen?|semaines?|semanas?|settiman[ae]",
    "month": "months?|monate?n?|mois|mes(?:es)?|mes[ei]",
    "year": "years?|jahre?n?|ans?|années?|años?|ann[oi]",
}
"""Regular expressions of what lengths of time are called in all the languages."""


def number(text: str, language: str = "en") -> float:
    """Return the number that ``text`` says, all of which matches :data:`NUMBER`, or is an article.

    Digits are read as ``language`` writes them ("1,500" is 1.5 in German), words in any of the languages.
    Raises :class:`ValueError` where it is none.
    """
    said = text.lower().strip()
    if said.endswith("einhalb") or said == "anderthalb":
        return 0.5 + (1 if said == "anderthalb" else number(said.removesuffix("einhalb"), "de"))
    whole = re.sub(rf"\s*\b{_HALF}(?: an?)?$", "", said)
    half = 0.5 if whole != said else 0.0
    return half + (_whole(whole, language) if whole or not half else 0.0)


def _whole(said: str, language: str) -> float:
    from text_to_num import text2num

    if re.fullmatch(r"-?\d+(?:[.,]\d+)*", said):
        thousands, point = (",", ".") if language == "en" else (".", ",")
        if re.fullmatch(rf"-?\d+\{point}?\d*|-?\d{{1,3}}(?:\{thousands}\d{{3}})+(?:\{point}\d+)?", said):
            return float(said.replace(thousands, "").replace(point, "."))
        return float(said.replace(",", "."))
    if said in _ONE:
        return 1.0
    said = re.sub(r"^a (?=hundred|thousand)", "one ", said)
    for each in (language, *_WORDS):
        if each in _WORDS:
            try:
                return float(text2num(said, each))
            except ValueError:
                continue
    raise ValueError(f"{said!r} is no number")


def said_number(value: float, language: str = "en") -> tuple[str, bool]:
    """Return a number as one would say it, in digits, and whether it is exactly that.

    At most three decimals are kept, of what is smaller than one three digits.
    """
    shown = float(f"{value:.3g}") if abs(value) < 1 else round(value, 3)
    exact = abs(shown - value) <= 1e-9 * abs(value)
    text = str(int(shown)) if shown == int(shown) and abs(shown) < 1e15 else f"{shown:.15g}"
    return (text if language == "en" else text.replace(".", ",")), exact
