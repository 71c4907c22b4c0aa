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
SOME_DAY = (
    r"(?:tomorrow(?: morning| evening)?|today|tonight|morgen(?: früh)?|demain(?: matin)?|mañana|domani(?: mattina)?|"
    rf"{DAY})"
)
"""Regular expression of a day, or of a part of today or tomorrow."""
AT = (
    rf"(?:(?:half|an? quarter|quarter|{NUMBER}) (?:past|to) )?(?:noon|midnight|"
    rf"\d{{1,2}}(?:(?: ?[:h.] ?| (?:e |und |et |y )?)?\d\d)?|{NUMBER})"
    rf"(?! (?:{_SECOND}|{_MINUTE}|hours?|stunden?|horas?|ore)\b)"
    r"(?: o'clock| uhr(?: \d\d)?| heures?(?: \d\d)?)?(?: (?:et demie|y media|e mezz[ao]))?"
    r"(?: ?[ap][. ]?m\b)?(?: (?:in the (?:morning|afternoon|evening)|tonight|morgens|abends|du matin|du soir|"
    rf"de la (?:mañana|tarde|noche)|di mattina|di sera|{SOME_DAY}))*"
)
"""Regular expression of a time of day, perhaps with a day behind it."""
WHEN = rf"(?:(?:{SOME_DAY} )?(?:(?:at|um|auf|à|pour|sur|a|para|per|alle|le|las?|kurz) )*{AT}|{SOME_DAY})"
"""Regular expression of a day, a time of day or both; :func:`next_time` understands all times."""

_NEARBY = rf"(?:la )?(?:{NEAR[0]}|{NEAR[1]}|tonight)\b"
"""Days that :func:`next_time` looks for itself, since they are parts of the day, too."""
_NAMED = re.compile(rf"(?:^|(?<!\d)(?<=\s))(?!{_NEARBY}){DAY}$|^(?!{_NEARBY}){DAY}(?=\s)")
_BEFORE = datetime.timedelta(seconds=1)
_SHARES = {"quarter": 15, "half": 30}
_AM, _PM = (
    r"(?<![a-z])a[. ]?m\b\.?|(?:in the |this )?morning|morgens|(?:du )?matin|(?:de la )?mañana|(?:del |di )?mattin[ao]",
    r"(?<![a-z])p[. ]?m\b\.?|(?:in the |this )?(?:afternoon|evening)|(?:at |to)night|nachmittags|abends|"
    r"(?:de l')?après-midi|(?:du )?soir|(?:de la )?(?:tarde|noche)|(?:del |di )?(?:pomeriggio|sera)",
)
_TOMORROW = r"tomorrow|morgen\b|demain|domani"


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


def next_time(at: str, now: datetime.datetime, early: bool = False, language: str = "en") -> datetime.datetime:
    """Return the next moment at which a clock shows a time; without am, pm or an hour over 12 the next of both.

    ``early`` takes four to eleven for the morning; otherwise one to six on another day are in the afternoon.

    Understood are "7:30", "19.00", "7 pm", "half past six in the morning", "a quarter to eight", "noon",
    "half an hour", and the simpler of these in German, French, Spanish and Italian; before or after them a day.
    Raises :class:`ValueError` for all else and for what is past.
    """
    asked = now
    span = re.fullmatch(rf"((?:in|dans|en|tra|fra) )?({LASTS})(?: from now)?", at.lower().strip())
    if span and (span[1] or "heure" not in span[2]):  # "sept heures" is seven o'clock
        if length := lasting(span[2], language):
            return now + length
        raise ValueError(f"{at!r} is now")
    text = at.lower().strip().replace("midday", "noon").replace("noon", "12 pm").replace("midnight", "12 am")
    numbers = _numbers()
    text = re.sub(rf"\b(?:{'|'.join(numbers)})\b", lambda found: str(numbers[found[0]]), text)
    if (named := _NAMED.search(text)) is not None:
        now = datetime.datetime.combine(found_day(named[0], language), datetime.time()) - _BEFORE
        text = text.replace(named[0], " ").strip()
    elsewhen = named is not None or re.search(_TOMORROW, text) is not None
    half = "am" if re.search(_AM, text) else "pm" if re.search(_PM, text) else ""
    text = re.sub(
        rf"{_AM}|{_PM}|{_TOMORROW}|o'?clock|today|uhr|minutes?|"
        r"\b(?:at|a las?|an?|um|auf|à|alle|ore|for|pour|sur|para|per|le|las?)\b",
        " ",
        text,
    )
    text = re.sub(r"\bheures?\b", " ", text)
    text = re.sub(r"\b(?:et demie?|y media|e mezz[ao])\b", "30", text)
    text = re.sub(r"\bhalb (\d+)", lambda found: f"{(int(found[1]) - 1) % 12 or 12} 30", text)
    text = " ".join(text.split())
    if match := re.fullmatch(r"(\d{1,2}) (past|to) (\d{1,2})", text):
        hour, minute = int(match[3]), int(match[1])
        hour, minute = (hour, minute) if match[2] == "past" else ((hour - 1) % 24, 60 - minute)
    elif match := re.fullmatch(r"(\d{1,2})(?:\s*(?:[:.h]|\b(?:e|und|et|y)\b)?\s*(\d{2}))?", text):
        hour, minute = int(match[1]), int(match[2] or 0)
    if match is None or hour > 24 or minute > 59 or (half and not 0 <= hour <= 12):
        raise ValueError(f"{at!r} is no time of day such as 7:30 or 19:00")
    if half:
        hours = [hour % 12 + 12 * (half == "pm")]
    elif elsewhen and not early and 1 <= hour <= 6 and not text.startswith("0"):
        hours = [hour + 12]
    elif 1 <= hour <= 12 and not text.startswith("0") and not (early and 4 <= hour <= 11):
        hours = [hour, (hour + 12) % 24]
    else:
        hours = [hour % 24]
    if elsewhen and named is None:
        now = now.replace(hour=23, minute=59, second=59)
    moments = [now.replace(hour=one, minute=minute, second=0, microsecond=0) for one in hours]
    due = min(moment + datetime.timedelta(days=moment <= now) for moment in moments)
    if due <= asked:
        raise ValueError(f"{at!r} is past")
    return due
