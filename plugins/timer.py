"""Timers and alarms, which tell aloud in the conversation when the time has come."""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal

from assistant import News, hookimpl

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}
LONGEST = 24 * 3600.0
"""Seconds."""
SAID: Mapping[str, Mapping[str, str]] = {
    "en": {
        "runs": "The timer of {span} runs{purpose}.",
        "set": "The alarm is set to {time}{purpose}.",
        "when": "Please say at what time, too.",
        "none": "None was running.",
        "one": "It is cancelled.",
        "all": "All {number} are cancelled.",
        "up": "Time is up: {name}.",
        "time": "It is time{purpose}.",
        "units": "hour hours minute minutes second seconds and",
    },
    "de": {
        "runs": "Der Timer läuft: {span}.",
        "set": "Der Wecker ist auf {time} Uhr gestellt.",
        "when": "Bitte sagen Sie auch, um wie viel Uhr.",
        "none": "Es lief keiner.",
        "one": "Er ist gelöscht.",
        "all": "Alle {number} sind gelöscht.",
        "up": "Die Zeit ist um: {name}.",
        "time": "Es ist Zeit: {purpose}.",
        "units": "Stunde Stunden Minute Minuten Sekunde Sekunden und",
    },
    "fr": {
        "runs": "Le minuteur tourne : {span}.",
        "set": "Le réveil est réglé sur {time}.",
        "when": "Dites aussi à quelle heure.",
        "none": "Aucun ne tournait.",
        "one": "Il est annulé.",
        "all": "Les {number} sont annulés.",
        "up": "C'est l'heure : {name}.",
        "time": "C'est l'heure : {purpose}.",
        "units": "heure heures minute minutes seconde secondes et",
    },
    "es": {
        "runs": "El temporizador está en marcha: {span}.",
        "set": "La alarma está puesta a las {time}.",
        "when": "Diga también a qué hora.",
        "none": "No había ninguno.",
        "one": "Está cancelado.",
        "all": "Los {number} están cancelados.",
        "up": "Ya es la hora: {name}.",
        "time": "Ya es la hora: {purpose}.",
        "units": "hora horas minuto minutos segundo segundos y",
    },
    "it": {
        "runs": "Il timer è partito: {span}.",
        "set": "La sveglia è impostata alle {time}.",
        "when": "Dica anche a che ora.",
        "none": "Non ce n'era nessuno.",
        "one": "È annullato.",
        "all": "Tutti e {number} sono annullati.",
        "up": "È ora: {name}.",
        "time": "È ora: {purpose}.",
        "units": "ora ore minuto minuti secondo secondi e",
    },
}
"""What is said, by language; English where the person's language is none of these."""


@hookimpl
def assistant_tools(news: News) -> list[Callable[..., Any]]:
    """Return the tools of this plugin."""
    timers = Timers(news)
    return [timers.set_timer, timers.set_alarm, timers.cancel_timers, timers.time_left]


class Timers:
    """The timers of one conversation; they end with it."""

    def __init__(self, news: News) -> None:
        self._news = news
        self._running: dict[threading.Timer, datetime.datetime] = {}
        self._unfinished = "", ""
        """Day and purpose of an alarm whose time was not said yet."""

    def set_timer(
        self, number: float, unit: Literal["seconds", "minutes", "hours"], purpose: str = "", language: str = "en"
    ) -> str:
        r"""Set a timer or a reminder that is told after so much time.

        Example: Set a timer for five minutes. -> set_timer(number=5, unit="minutes")
        Example (de): Stell einen Wecker auf zehn Sekunden. -> set_timer(number=10, unit="seconds")
        Example: Remind me in half an hour to feed the cat.
        -> set_timer(number=0.5, unit="hours", purpose="feed the cat")

        When: \b(timers?|remind\w*|alarms?|wake me|countdown)\b.*\b(seconds?|minutes?|hours?)\b|
        \b(seconds?|minutes?|hours?)\b.*\b(timers?|remind\w*|alarms?|wake me|countdown)\b

        Told (en, de, fr, es, it): word for word
        """
        span = _span(number, unit)
        length = _length(span, language)
        self._begin(datetime.datetime.now() + span, purpose, length, language)
        return _say("runs", language, span=length, purpose=purpose)

    def set_alarm(self, at: str, purpose: str = "", language: str = "en") -> str:
        r"""Set an alarm or a reminder at a time of day.

        Example: Remind me at six in the evening to water the plants.
        -> set_alarm(at="six in the evening", purpose="water the plants")
        Example (de): Weck mich um 19 Uhr 30. -> set_alarm(at="19:30")
        Example: Wake me tomorrow at a quarter to seven. -> set_alarm(at="a quarter to seven tomorrow")

        When: \b(remind\w*|alarms?|wake me)\b

        Verbatim: (?:(?:please|can you|could you) )*(?:remind me|wake me(?: up)?)
        (?: (?P<at>in (?:an?|half an?|\w+) (?:seconds?|minutes?|hours?)|tomorrow|today|later))(?: to (?P<purpose>.+))?

        Again: (?:(?:tomorrow|today|at|okay|well|please) )*(?P<at>(?:(?:half|a quarter|quarter|\w+) (?:past|to) )?
        (?:\d{1,2}(?: \d\d)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midnight)
        (?: o'clock| thirty| fifteen| forty five)?
        (?: (?:am|pm|a m|p m)| in the (?:morning|afternoon|evening)| tomorrow| tonight)*)(?: please)?

        Told (en, de, fr, es, it): word for word
        """
        if re.fullmatch(rf"(?:{_TOMORROW}|today|later|now|)", at.lower().strip()):
            self._unfinished = at, purpose
            return _say("when", language)
        (day, meant), self._unfinished = self._unfinished, ("", "")
        if not purpose:
            at, purpose = (f"{at} {day}" if re.fullmatch(_TOMORROW, day.lower()) else at), meant
        due = _next(at, datetime.datetime.now())
        self._begin(due, purpose, f"{due:%H:%M}", language)
        return _say("set", language, time=f"{due:%H:%M}", purpose=purpose)

    def cancel_timers(self, language: str = "en") -> str:
        r"""Cancel all timers, alarms and reminders.

        Example: Cancel the timer. -> cancel_timers()

        When: \b(timers?|remind\w*|alarms?)\b

        Told (en, de, fr, es, it): word for word
        """
        running, self._running = self._running, {}
        for timer in running:
            timer.cancel()
        return _say({0: "none", 1: "one"}.get(len(running), "all"), language, number=str(len(running)))

    def time_left(self) -> str:
        r"""Tell how long the timers and alarms still run.

        Verbatim only: (?:(?:please|and|tell me) )*(?:how (?:long|much time) (?:is|do i have|have i)
        (?: still| got)? left(?: on (?:the|my) (?:timers?|alarms?))?|how much longer|what (?:timers|alarms)
        (?: are (?:set|running)| do i have)|when (?:does|do|will) (?:the|my) (?:timers?|alarms?)(?: ring| end| go off)?|
        (?:is|are) (?:there )?(?:an?|any|the|my) (?:timers?|alarms?)(?: still)? (?:set|running|on))
        """
        now = datetime.datetime.now()
        left = [due - now for due in sorted(self._running.values())]
        if not left:
            return "No timer and no alarm is running."
        several = f"{len(left)} are running: " if len(left) > 1 else ""
        return f"{several}{', '.join(map(_length, left))} left."

    def _begin(self, due: datetime.datetime, purpose: str, name: str, language: str) -> None:
        if self._news.told is None:
            raise ValueError("nobody would hear it; timers and alarms run in a conversation, assistant talk")

        def ring() -> None:
            running = self._running
            if running.pop(timer, None) is not None:
                self._news(_say("time" if purpose.strip() else "up", language, purpose=purpose, name=name))

        timer = threading.Timer((due - datetime.datetime.now()).total_seconds(), ring)
        timer.daemon = True
        self._running[timer] = due
        timer.start()


def _span(number: float, unit: str) -> datetime.timedelta:
    """Return a span of so many units. Raises :class:`ValueError` where a timer cannot run for so long."""
    seconds = number * UNITS[unit]
    if not 0 < seconds <= LONGEST:
        raise ValueError("a timer runs for more than 0 seconds and at most a day")
    return datetime.timedelta(seconds=seconds)


def _say(what: str, language: str, **parts: str) -> str:
    """Return a sentence of :data:`SAID`; in English a purpose follows as "to take your pills"."""
    if language not in SAID:
        language = "en"
    purpose = re.sub(r"^to ", "", parts.pop("purpose", "").strip().rstrip("."))
    if language == "en" and purpose:
        purpose = " to " + re.sub(r"\bmy\b", "your", purpose)
    return SAID[language][what].format(purpose=purpose, **parts)


def _length(span: datetime.timedelta, language: str = "en") -> str:
    """Return a time span in words, such as "1 hour and 30 minutes"."""
    seconds = max(1, round(span.total_seconds()))
    *units, joint = SAID.get(language, SAID["en"])["units"].split()
    parts = zip((seconds // 3600, seconds % 3600 // 60, seconds % 60), units[::2], units[1::2], strict=True)
    return f" {joint} ".join(f"{number} {one if number == 1 else many}" for number, one, many in parts if number)


_SHARES = {"quarter": 15, "half": 30}
_AM, _PM = (
    r"a\.?m\b\.?|(?:in the |this )?morning|morgens|(?:du )?matin|(?:de la )?mañana|(?:del |di )?mattin[ao]",
    r"p\.?m\b\.?|(?:in the |this )?(?:afternoon|evening)|(?:at |to)night|nachmittags|abends|(?:de l')?après-midi|"
    r"(?:du )?soir|(?:de la )?(?:tarde|noche)|(?:del |di )?(?:pomeriggio|sera)",
)
_TOMORROW = r"tomorrow|morgen\b|demain|domani"
_SPAN = (
    r"(?:in )?(?:an? )?(\d+(?:\.\d+)?)? ?(?:an? )?(second|minute|hour)s?(?: from now)?"
    r"|(?:in|dans|en|tra|fra) (\d+) (sekunde|minute|minuto|minuti|stunde|seconde|second|secondi|heure|hora|or[ae])n?s?"
)


@cache
def _numbers() -> Mapping[str, int]:
    """Return what the words of the numbers on a clock mean in five languages, longest first."""
    from num2words import num2words

    words = {num2words(number, lang=language): number for language in SAID for number in range(60)}
    words |= {word.replace("-", " "): number for word, number in words.items()} | _SHARES
    return dict(sorted(words.items(), key=lambda pair: -len(pair[0])))


def _next(at: str, now: datetime.datetime) -> datetime.datetime:
    """Return the next moment at which a clock shows a time; without am, pm or an hour over 12 the next of both.

    Understood are "7:30", "19.00", "7 pm", "half past six in the morning", "a quarter to eight", "noon",
    "half an hour", and the simpler of these in German, French, Spanish and Italian. Tomorrow is the first of both.
    """
    text = at.lower().strip().replace("midday", "noon").replace("noon", "12 pm").replace("midnight", "12 am")
    numbers = _numbers()
    text = re.sub(rf"\b(?:{'|'.join(numbers)})\b", lambda found: str(numbers[found[0]]), text)
    if span := re.fullmatch(_SPAN, text):
        count, unit = (span[1] or 1, span[2]) if span[2] else (span[3], span[4])
        number = 0.5 if "half" in at.lower() else float(count)
        return now + _span(number, {"sec": "seconds", "sek": "seconds", "min": "minutes"}.get(unit[:3], "hours"))
    half = "am" if re.search(_AM, text) else "pm" if re.search(_PM, text) else ""
    text = re.sub(
        rf"{_AM}|{_PM}|{_TOMORROW}|o'?clock|today|uhr|minutes?|\b(?:at|a las?|an?|um|à|alle|ore)\b", " ", text
    )
    text = re.sub(r"\bheures?\b", " ", text)
    text = re.sub(r"\b(?:et demie?|y media|e mezz[ao])\b", "30", text)
    text = re.sub(r"\bhalb (\d+)", lambda found: f"{(int(found[1]) - 1) % 12 or 12} 30", text)
    text = " ".join(text.split())
    if match := re.fullmatch(r"(\d{1,2}) (past|to) (\d{1,2})", text):
        hour, minute = int(match[3]), int(match[1])
        hour, minute = (hour, minute) if match[2] == "past" else ((hour - 1) % 24, 60 - minute)
    elif match := re.fullmatch(r"(\d{1,2})(?:\s*[:.h ]\s*(\d{2}))?", text):
        hour, minute = int(match[1]), int(match[2] or 0)
    if match is None or hour > 24 or minute > 59 or (half and not 0 <= hour <= 12):
        raise ValueError(f"{at!r} is no time of day such as 7:30 or 19:00")
    if half:
        hours = [hour % 12 + 12 * (half == "pm")]
    elif 1 <= hour <= 12 and not text.startswith("0"):
        hours = [hour, (hour + 12) % 24]
    else:
        hours = [hour % 24]
    if re.search(_TOMORROW, at.lower()):
        now = now.replace(hour=23, minute=59, second=59)
    moments = [now.replace(hour=one, minute=minute, second=0, microsecond=0) for one in hours]
    return min(moment + datetime.timedelta(days=moment <= now) for moment in moments)
