"""Date and time, here or in another time zone."""

from __future__ import annotations

import datetime
import re
import zoneinfo

from assistant import hookimpl

HERE = ("", "here", "now", "today", "local")
DAYS = {"yesterday": -1, "tomorrow": 1}
"""What a model writes for a place when none was named."""


def current_time(place: str = "") -> str:
    r"""Tell the current date, weekday and time, here or in a city or time zone such as "Tokyo" or "Europe/Paris".

    Example: What time is it in Tokyo? -> current_time(place="Tokyo")
    Example: What time is it? -> current_time()
    Example (de): Wie spät ist es? -> current_time()

    When: \b(times?|clock|o'clock|date|days?|today|tonight|tomorrow|yesterday|weekday|weekend|hours?|late|early|weeks?|
    months?|years?|noon|midnight)\b

    Verbatim: (?:(?:please|can you|could you|tell me|and) )*(?:what(?:'s| is) the time|what time is it|the time|
    what (?:day|date) is (?:it|today)|what(?:'s| is) (?:today's date|the date today)|what day of the week is it)
    (?: (?:now|today|please|right now|exactly))*
    """
    wanted = place.strip().lower()
    if wanted in DAYS:
        day = datetime.date.today() + datetime.timedelta(DAYS[wanted])
        return f"{wanted.capitalize()}: {day:%A}, {day.day} {day:%B} {day.year}"
    zone = _zone(place)
    now = datetime.datetime.now(zone).astimezone(zone)
    told = f"{now:%H:%M} on {now:%A}, {now.day} {now:%B} {now.year}"
    if zone is not None:
        return f"In {place.strip()} it is {told}"
    return f"It is {told}" if wanted in HERE else f"No time zone is named {place!r}. Here it is {told}"


def _zone(place: str) -> zoneinfo.ZoneInfo | None:
    """Return the time zone of a city, or ``None`` where there is none of that name."""
    wanted = place.strip().replace(" ", "_").lower()
    known = sorted(zoneinfo.available_timezones())
    for name in known:
        if wanted == name.lower():
            return zoneinfo.ZoneInfo(name)
    cities = [(name.rpartition("/")[2].lower(), name) for name in known if "/" in name]
    alike = [name for city, name in cities if city == wanted] or [
        name for city, name in cities if _sound(city) == _sound(wanted)
    ]
    return zoneinfo.ZoneInfo(alike[0]) if alike else None


def _sound(city: str) -> str:
    """Return a city's name as far as languages agree on it: Tokio and Tokyo, Kairo and Cairo, Athen and Athens."""
    return re.sub("[aeios]$", "", city.translate(str.maketrans("kyuwé", "ciove")))


@hookimpl
def assistant_tools():
    """Return the tools of this plugin."""
    return [current_time]
