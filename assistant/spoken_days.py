"""Days as people name them, in five languages: "next Friday", "am 4. Juli", "dans trois jours", "tra due settimane"."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

from .spoken_numbers import FEW, SPANS, number

_NAMES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "months": "January February March April May June July August September October November December",
        "date": "{weekday}, {day} {month} {year}",
    },
    "de": {
        "days": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "months": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "date": "{weekday}, {day}. {month} {year}",
    },
    "fr": {
        "days": "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "months": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "date": "{weekday} {day} {month} {year}",
    },
    "es": {
        "days": "lunes martes miércoles jueves viernes sábado domingo",
        "months": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "date": "{weekday}, {day} de {month} de {year}",
    },
    "it": {
        "days": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "months": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "date": "{weekday} {day} {month} {year}",
    },
}
"""Weekdays, months and a date by language; English where a person's language is none of these."""
_FEASTS: Mapping[str, str] = {
    "12-24": r"christmas eve|heiligabend|heiliger abend|la veille de noël|nochebuena|la vigilia di natale",
    "12-25": r"christmas(?: day)?|weihnachten|noël|navidad|natale",
    "12-31": r"new year'?s eve|silvester|la saint sylvestre|nochevieja|san silvestro",
    "01-01": r"new year(?:'?s)?(?: day)?|neujahr|nouvel an|año nuevo|capodanno",
    "02-14": r"valentine'?s(?: day)?|valentinstag|saint valentin|san valentín|san valentino",
    "10-31": r"halloween",
    "easter": r"easter(?: sunday)?|ostern|pâques|pascua|pasqua",
}
NEAR: Mapping[int, str] = {
    0: "today|heute|aujourd'hui|hoy|oggi",
    1: "tomorrow|morgen|demain|mañana|domani",
    2: "(?:the )?day after tomorrow|übermorgen|après demain|pasado mañana|dopodomani",
    -1: "yesterday|gestern|hier|ayer|ieri",
}
"""Days by their distance from today."""
_LENGTHS = {f"{name}s": SPANS[name] for name in ("day", "week", "month", "year")}
WEEKDAYS, _MONTHS = (
    [" ".join(said[key].split()[place].lower() for said in _NAMES.values()).replace(" ", "|") for place in range(count)]
    for key, count in (("days", 7), ("months", 12))
)
_LENGTH = "|".join(_LENGTHS.values())
_ARTICLE = r"(?:(?:the|on|next|this|den|der|dem|am|zu[mr]?|nächste[nr]?|le|la|el|il|l'|à|au|al?) )*"
DAY = (
    rf"{_ARTICLE}(?:{'|'.join((*_FEASTS.values(), *NEAR.values()))}|(?:{'|'.join(WEEKDAYS)})(?: prochain| prossimo)?|"
    rf"\d{{1,2}}(?:st|nd|rd|th|er|º)?(?: (?:of|de|di))? (?:{'|'.join(_MONTHS)})(?: (?:de )?\d{{4}})?|"
    rf"(?:{'|'.join(_MONTHS)}) (?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: \d{{4}})?|"
    rf"(?:in|dans|en|dentro de|tra|fra) (?:an?|{FEW}) (?:{_LENGTH})|"
    rf"(?:an?|{FEW}) (?:{_LENGTH}) (?:from (?:now|today)|ago))"
)
"""Regular expression of a day in any of the languages, in small letters."""


def day_in(said: str) -> str:
    """Return the first day that a text names, in small letters, empty where it names none."""
    found = re.search(rf"(?<!\S){DAY}(?!\S)", said.lower())
    return found[0] if found else ""


def said_weekday(day: int, language: str) -> str:
    """Return the name of a day of the week, of which Monday is 0."""
    return _NAMES.get(language, _NAMES["en"])["days"].split()[day]


def said_day(day: datetime.date, language: str, year: bool = True) -> str:
    """Return a day in words: "Friday, 4 December 2026"."""
    said = _NAMES.get(language, _NAMES["en"])
    weekday, month = said_weekday(day.weekday(), language), said["months"].split()[day.month - 1]
    pattern = said["date"] if year else re.sub(r"(?: de)? \{year\}", "", said["date"])
    return pattern.format(weekday=weekday, day=day.day, month=month, year=day.year)


def found_day(said: str, language: str) -> datetime.date:
    """Return the day that people mean by ``said``, which matches :data:`DAY`; from today on where no year is said.

    Raises :class:`ValueError` where there is no such day.
    """
    from dateutil.relativedelta import relativedelta

    today = datetime.date.today()
    text = re.sub(rf"^{_ARTICLE}", "", said.lower().replace(".", ""))
    for near, names in NEAR.items():
        if re.fullmatch(names, text):
            return today + datetime.timedelta(near)
    if span := re.search(rf"(an?|{FEW}) ({_LENGTH})\b", text):
        unit = next(name for name, names in _LENGTHS.items() if re.fullmatch(names, span[2]))
        count = 1 if span[1] in ("a", "an") else int(number(span[1], language))
        later: datetime.date = today + relativedelta(**{unit: -count if text.endswith("ago") else count})
        return later
    for place, names in enumerate(WEEKDAYS):
        if re.match(rf"(?:{names})\b", text):
            return today + datetime.timedelta((place - today.weekday() - 1) % 7 + 1)
    for date, names in _FEASTS.items():
        if re.fullmatch(names, text):
            return min(feast for year in (today.year, today.year + 1) if (feast := _feast(date, year)) >= today)
    month = next(place for place, names in enumerate(_MONTHS, 1) if re.search(rf"\b(?:{names})\b", text))
    day, year = re.search(r"\b\d{1,2}(?!\d)", text), re.search(r"\d{4}", text)
    wanted = datetime.date(int(year[0]) if year else today.year, month, int(day[0]) if day else 1)
    return wanted if year or wanted >= today else wanted.replace(year=today.year + 1)


def _feast(date: str, year: int) -> datetime.date:
    from dateutil.easter import easter

    if date != "easter":
        return datetime.date.fromisoformat(f"{year}-{date}")
    sunday: datetime.date = easter(year)
    return sunday
