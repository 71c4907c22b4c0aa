"""When something is due, once or again and again, as people say it in five languages: "montags um neun", "ogni sera".

What returns is a recurrence rule of RFC 5545 (iCalendar), section 3.3.10, such as ``FREQ=WEEKLY;BYDAY=MO,TH``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .spoken_days import WEEKDAYS, day_in, said_weekday
from .spoken_numbers import FEW, SPANS, number
from .spoken_times import AT, MOMENT, PART, SOME_DAY, in_turn, next_time, usual_hour

_FREQUENCIES: Mapping[str, str] = {
    "minute": "MINUTELY",
    "hour": "HOURLY",
    "day": "DAILY",
    "week": "WEEKLY",
    "month": "MONTHLY",
    "year": "YEARLY",
}
_ADVERBS: Mapping[str, str] = {
    "hour": "hourly|stündlich",
    "day": "daily|täglich|quotidiennement|diariamente|a diario|quotidianamente",
    "week": "weekly|wöchentlich",
    "month": "monthly|monatlich",
    "year": "yearly|jährlich",
}
_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WORKDAYS = (
    r"(?:weekdays?|working days?|werktags?|wochentags?|werktage|wochentage|jours? (?:ouvrables?|de (?:la )?semaine)|"
    r"días? (?:laborables?|de (?:la )?semana|de entre semana)|giorn[oi] (?:feriali?|lavorativ[oi]))"
)
_WEEKEND = r"(?:week ?ends?|wochenenden?|fin(?:es)? de semana|fine settimana)"
_WEEKDAY = rf"(?:{'|'.join(WEEKDAYS)}|domeniche|sabati)s?"
_WEEKDAY_LIST = rf"{_WEEKDAY}(?: (?:(?:and|und|et|y|e|on|every|jeden|cada|ogni|le|les|el|los|il) )*{_WEEKDAY})*"
_MANY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days|(?:mon|diens|donners|frei|sams|sonn)tags|mittwochs"
_HALF_HOUR = r"(?:half(?: an)? hour|halbe stunde|demi heures?|media hora|mezz'ora)"
_UNIT = "|".join((_HALF_HOUR, *(SPANS[unit] for unit in _FREQUENCIES)))
_ON_A_DATE = (
    r"(?:(?:on|am|le|el|il) )?(?:(?:the|día|giorno) )?(first|\d\d?)(?:st|nd|rd|th|er|º)? (?:(?:day )?of |de |di )?"
    r"(?:every|each|jede[sn]|chaque|cada|ogni) (?:month|monats?|mois|mes|mese)"
)
EVERY = (
    rf"(?:{_ON_A_DATE}|(?:every(?: single)?|each|once an?|jede[nrs]?|alle|chaque|tou(?:te)?s les|cada|tod[oa]s l[oa]s|"
    rf"ogni|tutt[ie] (?:i|le|gli)) (?:(?:other|second|zweite[nrs]?|{FEW}) )?"
    rf"(?:{_UNIT}|{PART}|{_WORKDAYS}|{_WEEKEND}|{_WEEKDAY_LIST})"
    rf"|(?:on )?(?:{_MANY})(?: (?:and |und |on )*(?:{_MANY}))*|(?:on |at )?(?:weekdays|weekends|werktags|wochentags)"
    rf"|{'|'.join(_ADVERBS.values())})"
)
"""Regular expression of how often something returns, in small letters without signs."""
_VAGUE = (
    r"(?:next (?:week|month|year)|nächste[ns]? (?:woche|monat|jahr)|(?:la semaine|le mois|l'année) prochaine?|"
    r"(?:la próxima|el próximo) (?:semana|mes|año)|(?:la settimana|il mese|l'anno) prossim[ao])"
)
"""Of these it has to be said on which day."""
WHENEVER = in_turn(rf"(?:{EVERY}|{_VAGUE}|{MOMENT})")
"""Regular expression of what :func:`occasion` understands, in small letters."""
_SEVERAL = re.compile(
    rf" (?:and|und|et|y|e) (?=(?:at|um|à|a las?|alle) {AT}(?!\S))|(?<=\d) and (?=\d)|(?<=[ap]m) and (?=\d)",
    re.IGNORECASE,
)
"""What stands between two times, each of which counts: "a las ocho y diez" is one."""
_SAID: Mapping[str, Mapping[str, str]] = {
    "en": {
        "units": "minute minutes hour hours day days week weeks month months year years",
        "one": "every {unit}",
        "many": "every {number} {unit}",
        "days": "every {days}",
        "and": " and ",
        "workdays": "from Monday to Friday",
    },
    "de": {
        "units": "Minute Minuten Stunde Stunden Tag Tage Woche Wochen Monat Monate Jahr Jahre",
        "one": "jede {unit}",
        "many": "alle {number} {unit}",
        "days": "jeden {days}",
        "and": " und ",
        "workdays": "von Montag bis Freitag",
    },
    "fr": {
        "units": "minute minutes heure heures jour jours semaine semaines mois mois année ans",
        "one": "chaque {unit}",
        "many": "tous les {number} {unit}",
        "days": "chaque {days}",
        "and": " et ",
        "workdays": "du lundi au vendredi",
    },
    "es": {
        "units": "minuto minutos hora horas día días semana semanas mes meses año años",
        "one": "cada {unit}",
        "many": "cada {number} {unit}",
        "days": "cada {days}",
        "and": " y ",
        "workdays": "de lunes a viernes",
    },
    "it": {
        "units": "minuto minuti ora ore giorno giorni settimana settimane mese mesi anno anni",
        "one": "ogni {unit}",
        "many": "ogni {number} {unit}",
        "days": "ogni {days}",
        "and": " e ",
        "workdays": "dal lunedì al venerdì",
    },
}
_FEMININE = "Minuten Stunden Wochen minutes heures semaines".split()
"""Of which it is "toutes les", and which "jede" needs no other ending for."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """When something is due."""

    due: datetime.datetime | None = None
    """For the first time; nothing where no time of day was said."""
    every: str = ""
    """The rule by which it returns, empty where it does not."""
    usual: bool = False
    """Whether the hour was not said, but is what a part of the day usually means."""


def occasion(said: str, now: datetime.datetime, early: bool = False, language: str = "en") -> Occasion:
    """Return when people mean by "every Monday at nine", "tomorrow morning", "every four hours".

    ``early`` is that of :func:`.spoken_times.next_time`. Raises :class:`ValueError` for what is past, or no time.
    """
    when = re.sub(r"(?<=\d)\.(?= )", "", said.lower()).strip()  # "am 4. Juli"
    every, part, usual = "", usual_hour(when), False
    if often := often_in(when):
        every, when = recurrence(often, language), " ".join(when.replace(often, " ").split())
        if within_a_day(every):
            return Occasion(following(every, now, now), every)
        if when and part is not None and usual_hour(when) is None:
            when = f"{when} in the {'morning' if part < 12 else 'evening'}"
    if vague := re.search(rf"(?<!\S){_VAGUE}(?!\S)", when):
        when = " ".join(when.replace(vague[0], " ").split())
    dated = day_in(when)
    if (vague and not dated) or re.fullmatch(rf"{SOME_DAY}|later|now|", when):
        if vague or part is None or (not dated and not every and now.hour >= part):
            return Occasion(every=every)
        when, usual = f"{when} {part if usual_hour(when) is None else part % 12}:00", True
    if dated or not every:
        due = next_time(when, now, early, language)
        sooner = vague is not None and due.isocalendar()[:2] == now.isocalendar()[:2]  # "Friday next week"
        return Occasion(due + datetime.timedelta(weeks=sooner), every, usual)
    first = datetime.datetime.combine(now, next_time(f"tomorrow {when}", now, early, language).time())
    return Occasion(following(every, first, now), every, usual)


def often_in(said: str) -> str:
    """Return how often a text says that something returns, in small letters, empty where it does not say so."""
    found = re.search(rf"(?<!\S){EVERY}(?!\S)", said.lower())
    return found[0] if found else ""


def each_time(said: str) -> list[str]:
    """Return the times of "every day at eight and at six" one by one, each with the days of the first."""
    first, *others = _SEVERAL.split(said)
    shared = f"{often_in(first)} {day_in(first)}"
    return [first, *(other if often_in(other) or day_in(other) else f"{other} {shared}".strip() for other in others)]


def recurrence(said: str, language: str = "en") -> str:
    """Return the rule that people mean by ``said``, which matches :data:`EVERY`.

    Raises :class:`ValueError` where it says how often with a number that is none.
    """
    said = said.lower().replace("domeniche", "domenica").replace("sabati", "sabato")
    if dated := re.fullmatch(_ON_A_DATE, said):
        return f"FREQ=MONTHLY;BYMONTHDAY={1 if dated[1] == 'first' else int(dated[1])}"
    if re.search(_HALF_HOUR, said):
        return "FREQ=MINUTELY;INTERVAL=30"
    every = 1
    if re.search(r"\b(?:other|second|zweite[nrs]?) ", said):
        every = 2
    elif counted := re.search(rf"\b({FEW}) (?:{_UNIT})\b", said):
        every = max(1, int(number(counted[1], language)))
    days = {day for day, names in enumerate(WEEKDAYS) for _ in re.findall(rf"\b(?:{names})", said)}
    if re.search(_WORKDAYS, said):
        days = {0, 1, 2, 3, 4}
    elif re.search(_WEEKEND, said):
        days = {5, 6}
    if days:
        return _rule("WEEKLY", every) + f";BYDAY={','.join(_CODES[day] for day in sorted(days))}"
    for unit, frequency in _FREQUENCIES.items():
        if re.search(rf"\b(?:{SPANS[unit]}|{_ADVERBS.get(unit, SPANS[unit])})\b", said):
            return _rule(frequency, every)
    return _rule("DAILY", every)


def _rule(frequency: str, every: int) -> str:
    return f"FREQ={frequency}" + f";INTERVAL={every}" * (every > 1)


def within_a_day(rule: str) -> bool:
    """Return whether something returns several times a day, so that no time of day has to be said."""
    return "HOURLY" in rule or "MINUTELY" in rule


def following(rule: str, since: datetime.datetime, after: datetime.datetime) -> datetime.datetime | None:
    """Return the first moment after ``after`` at which what began at ``since`` returns, nothing where it ends before.

    Raises :class:`ValueError` where it is no rule.
    """
    from dateutil.rrule import rrulestr

    moment: datetime.datetime | None = rrulestr(rule, dtstart=since).after(after)
    return moment


def said_recurrence(rule: str, language: str) -> str:
    """Return a rule in words: "every Monday and Thursday", "alle 4 Stunden"."""
    language = language if language in _SAID else "en"
    words = _SAID[language]
    parts = dict(part.split("=") for part in rule.split(";"))
    every = int(parts.get("INTERVAL", 1))
    days = parts.get("BYDAY", "")
    if days == "MO,TU,WE,TH,FR" and every == 1:
        return words["workdays"]
    if days and every == 1:
        named = [said_weekday(_CODES.index(day), language) for day in days.split(",")]
        return words["days"].format(days=", ".join(named[:-1]) + words["and"] * (len(named) > 1) + named[-1])
    units = words["units"].split()
    place = 2 * list(_FREQUENCIES.values()).index(parts["FREQ"])
    one, many = units[place], units[place + 1]
    if every > 1:
        told = words["many"].format(number=every, unit=many)
        return told.replace("tous", "toutes") if many in _FEMININE else told
    if language == "de" and many not in _FEMININE:
        return "jedes Jahr" if one == "Jahr" else f"jeden {one}"
    return words["one"].format(unit=one)
