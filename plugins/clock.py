"""Date and time, here or in another time zone."""

from __future__ import annotations

import datetime
import zoneinfo

from assistant import hookimpl


def current_time(place: str = "") -> str:
    """Tell the current date, weekday and time, here or in a city or time zone such as "Tokyo" or "Europe/Paris".

    Example: What time is it? -> current_time()
    """
    zone = _zone(place) if place.strip() else None
    now = datetime.datetime.now(zone).astimezone(zone)
    where = f" in {place.strip()}" if zone else ""
    return f"{now:%A}, {now.day} {now:%B} {now.year}, {now:%H:%M}{where}"


def _zone(place: str) -> zoneinfo.ZoneInfo:
    wanted = place.strip().replace(" ", "_").lower()
    known = sorted(zoneinfo.available_timezones())
    for name in known:
        if wanted == name.lower():
            return zoneinfo.ZoneInfo(name)
    for name in known:
        if "/" in name and wanted == name.rpartition("/")[2].lower():
            return zoneinfo.ZoneInfo(name)
    raise ValueError(f"no time zone is named {place!r}; use one such as Europe/Paris")


@hookimpl
def assistant_tools():
    """Return the tools of this plugin."""
    return [current_time]
