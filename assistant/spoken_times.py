"""Times of day and lengths of time as people say them, in five languages: "half past six", "an hour and a half"."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from functools import cache

from .spoken_days import DAY, NEAR, found_day
from .spoken_numbers import LANGUAGES, NUMBER, SPANS, number

_SECOND, _MINUTE, _HOUR = (SPANS[name] for name in ("second", "minute", "hour"))
_HALF = r"(?:a half|demie|media|mezz[ao])"
_QUARTER = r"a quarter of an hour|(?:eine )?viertelstunde|un quart d'heure|un cuarto de hora|un quarto d'ora"
_SPANNED = rf"(?:an?|{NUMBER}) (?:{_SECOND}|{_MINUTE}|{_HOUR})|(?:un|mezz)'ora|{_QUARTER}"
LASTS = rf"(?:(?:{_SPANNED})(?: (?:and|et|y|e) {_HALF}| (?:(?:and|und|et|y|e) )?(?:{_SPANNED}))*)"
"""Regular expression of how long something lasts, in small letters: "an hour and a half", "2 Minuten"."""
_PARTS: Mapping[int, str] = {
    9: r"mornings?|morgens|früh|vormittags?|matins?|(?:sta)?mattin[aeo]",
    15: r"afternoons?|nachmittags?|après midi|tardes?|pomerigg(?:io|i)",
    19: r"evenings?|tonight|abends?|soirs?|(?:sta)?ser[ae]",
    21: r"nights?|nachts?|nuits?|noches?|(?:sta)?nott[ei]",
}
"""Parts of a day, by the hour that is usual where no time is said; "morgen" and "mañana" are tomorrow, too."""
PART = rf"(?:{'|'.join(_PARTS.values())}|morgen|mañanas?)"
"""Regular expression of a part of a day, in small letters."""
_IN = r"in the|this|at|am|du|de l'|de la|por la|en la|esta|del|della|di|nel|questa|questo|ce|cet|cette"
SOME_DAY = rf"(?:(?:{DAY})(?: (?:(?:{_IN}) )?{PART})?|(?:(?:{_IN}) )?{PART})"
"""Regular expression of a day, or of a part of one."""
_NOON, _MIDNIGHT = "noon|midday|midi|mediodía|mezzogiorno", "midnight|mitternacht|minuit|medianoche|mezzanotte"
_FIVES = r"\d\d?|cinq|dix|vingt(?: cinq)?|cinco|diez|veinte|veinticinco|cinque|dieci|venti|venticinque"
_CLOCK = (
    rf"(?:(?:half|an? quarter|quarter|viertel|{NUMBER}(?: minuten)?) (?:past|to|nach|vor) |halb )?"
    rf"(?:{_NOON}|{_MIDNIGHT}|\d{{1,2}}(?:(?: ?[:h.] ?| (?:e |und |et |y )?)?\d\d| ?h\b)?|{NUMBER})"
    rf"(?! (?:{_SECOND}|{_MINUTE}|hours?|stunden?|horas?|ore)\b)"
    r"(?: o'? ?clock| uhr(?: \d\d)?| heures?(?: \d\d)?)?"
    rf"(?: (?:et (?:demie|quart)|moins (?:le quart|{_FIVES})|(?:y|menos) (?:cuarto|media|{_FIVES})|"
    rf"(?:e|meno) (?:un quarto|mezz[ao]|{_FIVES})))?"
    r"(?: ?[ap][. ]?m\b)?"
)
AT = rf"{_CLOCK}(?: {SOME_DAY})*"
"""Regular expression of a time of day, perhaps with a day behind it."""
MOMENT = rf"(?:(?:(?:at|um|auf|à|pour|sur|al?|para|per|alle|le|las?|kurz) )*{_CLOCK}|{SOME_DAY})"
"""Regular expression of a day or a time of day."""


def in_turn(part: str) -> str:
    """Return a regular expression of one to six such parts with spaces or "and" between them.

    ``part`` stands in it once: what is written twice takes twice as long to compile.
    """
    return rf"(?:(?:(?<=\s)|(?<!.)| (?:(?:and|und|et|y|e) )?){part}){{1,6}}"


WHEN = in_turn(MOMENT)
"""Regular expression of a day, a time of day or both; :func:`next_time` understands all times."""

_NEARBY = rf"(?:la )?(?:{NEAR[0]}|{NEAR[1]})\b"
"""Days that :func:`next_time` looks for itself."""
_NAMED = re.compile(rf"(?:^|(?<!\d)(?<=\s))(?!{_NEARBY}){DAY}$|^(?!{_NEARBY}){DAY}(?=\s)")
_BEFORE = datetime.timedelta(seconds=1)
_SHARES = {"quarter": 15, "viertel": 15, "quart": 15, "cuarto": 15, "quarto": 15, "half": 30}
_LITTLE = r"o'? ?clock|uhr|minute[ns]?|at|al?|an?|um|auf|à|alle|ore|for|pour|sur|para|per|las?|les?|kurz|heures?|un"
"""Words that say nothing about when."""


def lasting(said: str, language: str = "en") -> datetime.timedelta:
    """Return how long people mean by "an hour and a half". Raises :class:`ValueError` where it is none."""
    said = re.sub(_QUARTER, "15 minutes", said.lower().replace("-", " "))
    said = said.replace("mezz'ora", "mezza ora").replace("un'ora", "una ora")
    seconds, size = 0.0, 0
    for part in re.finditer(rf"(?:({NUMBER}|an?) (?:({_HOUR})|({_MINUTE})|{_SECOND})\b)|(?:and|et|y|e) {_HALF}$", said):
        if part[1] is None:
            seconds += size / 2
            continue
        size = 3600 if part[2] else 60 if part[3] else 1
        seconds += number(part[1], language) * size
    return datetime.timedelta(seconds=seconds)


@cache
def _numbers() -> Mapping[str, int]:
    """Return what the words of the numbers on a clock mean in five languages, longest first."""
    from num2words import num2words

    words = {num2words(number, lang=language): number for language in LANGUAGES for number in range(60)}
    words |= {word.replace("-", " "): number for word, number in words.items()} | _SHARES
    return dict(sorted(words.items(), key=lambda pair: -len(pair[0])))


def usual_hour(said: str) -> int | None:
    """Return the hour that people mean by a part of a day: 9 by "tomorrow morning"; nothing where none is said."""
    text = _parted(said)
    return next((hour for hour, part in _PARTS.items() if re.search(rf"\b(?:{part})\b", text)), None)


def next_time(at: str, now: datetime.datetime, early: bool = False, language: str = "en") -> datetime.datetime:
    """Return the next moment at which a clock shows a time; without am, pm or an hour over 12 the next of both.

    ``early`` takes four to eleven for the morning; otherwise one to six on another day are in the afternoon, and
    twelve on another day is noon.

    Understood are "7:30", "19.00", "7 pm", "half past six in the morning", "a quarter to eight", "noon",
    "half an hour", and their like in German, French, Spanish and Italian; before or after them a day.
    Raises :class:`ValueError` for all else and for what is past.
    """
    asked = now
    span = re.fullmatch(rf"((?:in|dans|en|tra|fra) )?({LASTS})(?: from now)?", at.lower().strip())
    if span and (span[1] or "heure" not in span[2]):  # "sept heures" is seven o'clock
        if length := lasting(span[2], language):
            return now + length
        raise ValueError(f"{at!r} is now")
    text, half = _halved(_parted(at), language)
    if (named := _NAMED.search(text)) is not None:
        now = datetime.datetime.combine(found_day(named[0], language), datetime.time()) - _BEFORE
        text = text.replace(named[0], " ")
    elif re.search(rf"\b(?:{NEAR[1]})\b", text):
        now = now.replace(hour=23, minute=59, second=59)
    text = re.sub(rf"\b(?:{NEAR[0]}|{NEAR[1]}|{_IN}|on)(?= |$)", " ", text)
    hour, minute = _shown(text)
    if hour > 24 or minute > 59 or (half and hour > 12):
        raise ValueError(f"{at!r} is no time of day such as 7:30 or 19:00")
    if half:
        hours = [hour % 12 + 12 * (half == "pm")]
    elif now != asked and hour == 12:
        hours = [12]
    elif now != asked and not early and 1 <= hour <= 6 and not text.startswith("0"):
        hours = [hour + 12]
    elif 1 <= hour <= 12 and not text.startswith("0") and not (early and 4 <= hour <= 11):
        hours = [hour, (hour + 12) % 24]
    else:
        hours = [hour % 24]
    moments = [now.replace(hour=one, minute=minute, second=0, microsecond=0) for one in hours]
    due = min(moment + datetime.timedelta(days=moment <= now) for moment in moments)
    if due <= asked:
        raise ValueError(f"{at!r} is past")
    return due


def _parted(at: str) -> str:
    """Return a time in small letters, with "früh" where "morgen" and "mañana" are a morning."""
    text = re.sub(r"(?<=\d) ?h\b", " heures", re.sub(r"[-\s]+", " ", at.lower())).strip()
    morning = r"(?<![^ ])(?:(heute|jeden|am|\w+tag|mittwoch) morgen|(?:(?:de|por|en) la|esta|cada|las) mañanas?)\b"
    return re.sub(morning, r"\1 früh", text)


def _halved(text: str, language: str) -> tuple[str, str]:
    """Return a time without the part of the day that it names, and ``am``, ``pm`` or nothing for that.

    In German "am" stands before days.
    """
    text = re.sub(rf"(?<!après )\b(?:{_NOON})\b", "12 pm", text)
    text = re.sub(rf"\b(?:{_MIDNIGHT})\b", "12 am", text)
    morning, *others = _PARTS.values()
    am, pm = (
        (rf"(?<![a-z]){letter}[. ]?m\b\.?|" if language != "de" else "") + rf"\b(?:(?:{_IN}) )*(?:{part})\b"
        for letter, part in (("a", morning), ("p", "|".join(others)))
    )
    half = "am" if re.search(am, text) else "pm" if re.search(pm, text) else ""
    return " ".join(re.sub(rf"{am}|{pm}", " ", text).split()), half


def _shown(text: str) -> tuple[int, int]:
    """Return hour and minute of a time that names no day. Raises :class:`ValueError` where it is none."""
    numbers = _numbers()
    text = re.sub(rf"\b(?:{'|'.join(numbers)})\b", lambda found: str(numbers[found[0]]), text)
    text = re.sub(r"\b(?:et demie?|y media|e mezz[ao])\b", "30", re.sub(r"\b1 (?=15\b)", "", text))
    text = re.sub(r"\bhalb (\d+)", lambda found: f"{(int(found[1]) - 1) % 12 or 12} 30", text)
    text = " ".join(re.sub(rf"(?<!\S)(?:{_LITTLE})(?!\S)", " ", text).split())
    if match := re.fullmatch(r"(\d{1,2}) (past|nach|to|vor) (\d{1,2})", text):
        hour, minute = int(match[3]), int(match[1])
        return (hour, minute) if match[2] in ("past", "nach") else ((hour - 1) % 24, 60 - minute)
    if match := re.fullmatch(r"(\d{1,2}) (?:moins|menos|meno) (\d{1,2})", text):
        return (int(match[1]) - 1) % 24, 60 - int(match[2])
    if match := re.fullmatch(r"(\d{1,2})(?:\s*(?:[:.h]|\b(?:e|und|et|y)\b)?\s*(\d{1,2}))?", text):
        return int(match[1]), int(match[2] or 0)
    raise ValueError(f"{text!r} is no time of day such as 7:30 or 19:00")
