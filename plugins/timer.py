"""Timers and alarms, which tell aloud in the conversation when the time has come."""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Callable
from typing import Any, Literal

from assistant import News, hookimpl

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}
LONGEST = 24 * 3600.0
"""Seconds."""


@hookimpl
def assistant_tools(news: News) -> list[Callable[..., Any]]:
    """Return the tools of this plugin."""
    timers = Timers(news)
    return [timers.set_timer, timers.set_alarm, timers.cancel_timers]


class Timers:
    """The timers of one conversation; they end with it."""

    def __init__(self, news: News) -> None:
        self._news = news
        self._running: set[threading.Timer] = set()

    def set_timer(self, number: float, unit: Literal["seconds", "minutes", "hours"], purpose: str = "") -> str:
        r"""Set a timer or a reminder that is told after so much time.

        Example: Set a timer for five minutes. -> set_timer(number=5, unit="minutes")
        Example (de): Stell einen Wecker auf zehn Sekunden. -> set_timer(number=10, unit="seconds")
        Example: Remind me in half an hour to feed the cat.
        -> set_timer(number=0.5, unit="hours", purpose="feed the cat")

        When: \b(timers?|remind\w*|alarms?|wake me|countdown)\b.*\b(seconds?|minutes?|hours?)\b|
        \b(seconds?|minutes?|hours?)\b.*\b(timers?|remind\w*|alarms?|wake me|countdown)\b

        Told: word for word
        """
        span = _span(number, unit)
        self._begin(datetime.datetime.now() + span, purpose, f"the timer of {_length(span)}")
        return f"The timer of {_length(span)} runs{_purpose(purpose)}."

    def set_alarm(self, at: str, purpose: str = "") -> str:
        r"""Set an alarm or a reminder at a time of day.

        Example: Remind me at six in the evening to water the plants.
        -> set_alarm(at="six in the evening", purpose="water the plants")
        Example (de): Weck mich um 19 Uhr 30. -> set_alarm(at="19:30")
        Example: Wake me tomorrow at a quarter to seven. -> set_alarm(at="a quarter to seven tomorrow")

        When: \b(remind\w*|alarms?|wake me)\b

        Verbatim: (?:(?:please|can you|could you) )*(?:remind me|wake me(?: up)?)
        (?: (?P<at>in (?:an?|half an?|\w+) (?:seconds?|minutes?|hours?)))(?: to (?P<purpose>.+))?

        Told: word for word
        """
        due = _next(at, datetime.datetime.now())
        self._begin(due, purpose, f"the alarm of {due:%H:%M}")
        return f"The alarm is set to {due:%H:%M}{_purpose(purpose)}."

    def cancel_timers(self) -> str:
        r"""Cancel all timers, alarms and reminders.

        Example: Cancel the timer. -> cancel_timers()

        When: \b(timers?|remind\w*|alarms?)\b

        Told: word for word
        """
        running, self._running = self._running, set()
        for timer in running:
            timer.cancel()
        return {0: "None was running.", 1: "It is cancelled."}.get(len(running), f"All {len(running)} are cancelled.")

    def _begin(self, due: datetime.datetime, purpose: str, name: str) -> None:
        if self._news.told is None:
            raise ValueError("nobody would hear it; timers and alarms run in a conversation, assistant talk")

        def ring() -> None:
            running = self._running
            if timer in running:
                running.remove(timer)
                self._news(f"It is time{_purpose(purpose)}." if purpose.strip() else f"Time is up: {name}.")

        timer = threading.Timer((due - datetime.datetime.now()).total_seconds(), ring)
        timer.daemon = True
        self._running.add(timer)
        timer.start()


def _span(number: float, unit: str) -> datetime.timedelta:
    """Return a span of so many units. Raises :class:`ValueError` where a timer cannot run for so long."""
    seconds = number * UNITS[unit]
    if not 0 < seconds <= LONGEST:
        raise ValueError("a timer runs for more than 0 seconds and at most a day")
    return datetime.timedelta(seconds=seconds)


def _length(span: datetime.timedelta) -> str:
    """Return a time span in words, such as "1 hour and 30 minutes"."""
    seconds = max(1, round(span.total_seconds()))
    parts = ((seconds // 3600, "hour"), (seconds % 3600 // 60, "minute"), (seconds % 60, "second"))
    return " and ".join(f"{number} {unit}{'s' if number != 1 else ''}" for number, unit in parts if number)


def _purpose(purpose: str) -> str:
    """Return what a timer is for, as the person is told: "to take your pills"."""
    purpose = re.sub(r"\bmy\b", "your", purpose.strip().rstrip("."))
    return f" to {purpose.removeprefix('to ')}" if purpose else ""


_HOURS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_MINUTES = {"fifteen": 15, "twenty": 20, "thirty": 30, "forty five": 45, "forty-five": 45, "quarter": 15, "half": 30}
_AM, _PM = (
    r"a\.?m\b\.?|(?:in the |this )?morning",
    r"p\.?m\b\.?|(?:in the |this )?(?:afternoon|evening)|(?:at |to)night",
)


def _next(at: str, now: datetime.datetime) -> datetime.datetime:
    """Return the next moment at which a clock shows a time; without am, pm or an hour over 12 the next of both.

    Understood are "7:30", "19.00", "7 pm", "half past six in the morning", "a quarter to eight", "noon", and
    "half an hour". Tomorrow is the first of both.
    """
    text = at.lower().strip().replace("midday", "noon").replace("noon", "12 pm").replace("midnight", "12 am")
    for number, word in [*((number, word) for word, number in _MINUTES.items()), *enumerate(_HOURS)]:
        text = re.sub(rf"\b{word}\b", str(number), text)
    if span := re.fullmatch(r"(?:in )?(?:an? )?(\d+(?:\.\d+)?)? ?(?:an? )?(second|minute|hour)s?", text):
        number = 0.5 if "half" in at.lower() else float(span[1] or 1)
        return now + _span(number, f"{span[2]}s")
    half = "am" if re.search(_AM, text) else "pm" if re.search(_PM, text) else ""
    text = re.sub(rf"{_AM}|{_PM}|o'?clock|tomorrow|today|uhr|\bat\b|\ban?\b|minutes?", " ", text).strip()
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
    if "tomorrow" in at.lower():
        now = now.replace(hour=23, minute=59, second=59)
    moments = [now.replace(hour=one, minute=minute, second=0, microsecond=0) for one in hours]
    return min(moment + datetime.timedelta(days=moment <= now) for moment in moments)
