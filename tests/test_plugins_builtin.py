"""The plugins that ship: date and time, calculator, spelling, timers, reading."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import time
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from assistant.config import HistorySettings, Settings, load
from assistant.happening import Happening
from assistant.plugins import Plugins
from assistant.spoken_days import said_day
from assistant.spoken_occasions import occasion
from assistant.spoken_times import next_time
from assistant.tools import Toolbox, ToolContext
from assistant.types import Box, Frame, Message, Percept, TextRegion, ToolCall, ToolResult, Turn, Utterance


@pytest.fixture(scope="module")
def toolbox(settings: Settings) -> Toolbox:
    return Toolbox(Plugins(settings).tools, 5.0)


def run(toolbox: Toolbox, name: str, **arguments: object) -> ToolResult:
    return toolbox.run(ToolCall(name, arguments), ToolContext())


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 1", "2"),
        ("12.5 * (3 + 4)", "87.5"),
        ("0.1 + 0.2", "0.3"),
        ("15% of 80", "12"),
        ("80 + 10%", "88"),
        ("50%", "0.5"),
        ("10 % 3", "1"),
        ("sqrt(16)", "4"),
        ("the square root of 2", "1.4142135624"),
        ("√9 + 3²", "12"),
        ("2^10", "1024"),
        ("1,000 × 3", "3000"),
        ("7 divided by 2 =", "3.5"),
        ("-5 minus -3", "-2"),
        ("2 ** 100", "1.26765e+30"),
        ("round(3.14159, 2)", "3.14"),
        ("max(1, 5, 3)", "5"),
    ],
)
def test_sums(toolbox: Toolbox, expression: str, result: str) -> None:
    assert run(toolbox, "calculate", expression=expression) == ToolResult(
        ToolCall("calculate", {"expression": expression}), result
    )


@pytest.mark.parametrize(
    "expression",
    ["9**9**9", "1/0", "sqrt(-1)", "(-8) ** 0.5", "__import__('os')", "(1).__class__", "'a' * 9", "[1]", "True + 1",
     "", "1 +", "lambda: 1", "1e308 * 10",
     "10 ** 400", "2 ** -1e9", "x" * 201, "(" * 150, "sqrt()", "round(1, 2, 3)", "\0"],
)  # fmt: skip
def test_what_is_no_sum_is_refused_in_one_line(toolbox: Toolbox, expression: str) -> None:
    result = run(toolbox, "calculate", expression=expression)
    assert result.failed
    assert "\n" not in str(result.result)


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.text("0123456789.+-*/()% ,sqrtpie^", max_size=40))
def test_any_expression_gives_a_number_or_a_reason(toolbox: Toolbox, expression: str) -> None:
    result = run(toolbox, "calculate", expression=expression)
    assert re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", result.result) or "failed: " in result.result


def test_the_time_is_now(toolbox: Toolbox) -> None:
    before = datetime.datetime.now()
    said = run(toolbox, "current_time")
    assert not said.failed
    told = datetime.datetime.strptime(said.result, "It is %H:%M on %A, %d %B %Y.")
    assert before.replace(second=0, microsecond=0) <= told <= datetime.datetime.now()


@pytest.mark.parametrize("place", ["Tokyo", "asia/tokyo", "Asia/Tokyo"])
def test_the_time_elsewhere(toolbox: Toolbox, place: str) -> None:
    zone = zoneinfo.ZoneInfo("Asia/Tokyo")
    before = datetime.datetime.now(zone)
    said = run(toolbox, "current_time", place=place).result
    told = datetime.datetime.strptime(said, f"In {place} it is %H:%M on %A, %d %B %Y.").replace(tzinfo=zone)
    assert before.replace(second=0, microsecond=0) <= told <= datetime.datetime.now(zone)


@pytest.mark.parametrize("place", ["Hogwarts", "Paros", "../../etc/passwd", "/", "  x"])
def test_the_time_at_an_unknown_place_is_not_guessed(toolbox: Toolbox, place: str) -> None:
    said = run(toolbox, "current_time", place=place).result
    assert said.startswith("I don't know a place called ")
    assert not re.search(r"\d", said)


@pytest.mark.parametrize(
    ("place", "called", "zone"),
    [
        ("San Francisco", "San Francisco, United States,", "America/Los_Angeles"),
        ("munich", "Munich, Germany,", "Europe/Berlin"),
        ("Mailand", "Mailand, Italy,", "Europe/Rome"),
        ("Tokio", "Tokio, Japan,", "Asia/Tokyo"),
        ("Naples", "Naples, Italy,", "Europe/Rome"),
        ("India", "India", "Asia/Kolkata"),
        ("california", "California", "America/Los_Angeles"),
        ("Russia", "Russia, that is in Moscow,", "Europe/Moscow"),
        ("the uk", "The Uk", "Europe/London"),
        ("washington d c", "Washington D C, United States,", "America/New_York"),
    ],
)
def test_cities_countries_and_states_have_their_time(toolbox: Toolbox, place: str, called: str, zone: str) -> None:
    before = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
    said = run(toolbox, "current_time", place=place).result
    times = (before, datetime.datetime.now(zoneinfo.ZoneInfo(zone)))
    assert said in [f"In {called} it is {now:%H:%M} on {now:%A}, {now.day} {now:%B} {now.year}." for now in times]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("And in Paris?", "Paris"),
        ("What about New York?", "New York"),
        ("And what about in Delhi?", "Delhi"),
        ("And you?", None),
        ("And thanks.", None),
    ],
)
def test_and_in_paris_is_about_the_time_only_after_the_time(toolbox: Toolbox, said: str, place: str | None) -> None:
    told = ToolResult(ToolCall("current_time"), "It is 12:00")
    history = (Message("user", "What time is it in London?"), Message("assistant", "It is 12:00", (told,)))
    call = toolbox.meant(Turn(Utterance(said), history=history), ToolContext())
    assert call == (ToolCall("current_time", {"place": place}) if place else None)
    assert toolbox.meant(Turn(Utterance(said)), ToolContext()) is None


@pytest.mark.parametrize("place", ["", "here", "Today "])
def test_no_place_is_here(toolbox: Toolbox, place: str) -> None:
    assert run(toolbox, "current_time", place=place).result.startswith("It is ")


@pytest.mark.parametrize(
    ("asked", "language", "told"),
    [
        ("Wie spät ist es?", "de", r"Es ist \d\d:\d\d Uhr, \w+tag, \d+\. \w+ \d{4}\.|Es ist .*Mittwoch.*"),
        ("Quelle heure est-il ?", "fr", r"Il est \d\d:\d\d, \w+ \d+ \w+ \d{4}\."),
        ("¿Qué hora es?", "es", r"Son las \d\d:\d\d del \w+, \d+ de \w+ de \d{4}\."),
        ("Che ore sono?", "it", r"Sono le \d\d:\d\d di \w+ \d+ \w+ \d{4}\."),
    ],
)
def test_the_time_is_told_in_the_persons_language(toolbox: Toolbox, asked: str, language: str, told: str) -> None:
    call = toolbox.meant(Turn(Utterance(asked, language)), ToolContext())
    assert call == ToolCall("current_time")
    assert re.fullmatch(told, toolbox.run(call, ToolContext(language=language)).result)


@pytest.mark.parametrize(("day", "after"), [("tomorrow", 1), (" Yesterday", -1)])
def test_another_day(toolbox: Toolbox, day: str, after: int) -> None:
    before = datetime.date.today()
    said = run(toolbox, "current_time", place=day).result
    name, _, date = said.partition(": ")
    told = datetime.datetime.strptime(date, "%A, %d %B %Y.").date() - datetime.timedelta(after)
    assert name == day.strip().capitalize()
    assert before <= told <= datetime.date.today()


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("How many hours are in 5 days?", True),
        ("What's half of ninety?", True),
        ("How old is someone who was born in 1984?", True),
        ("Add twelve and thirty.", True),
        ("If a pizza has 8 slices and we eat 3, how many are left?", True),
        ("12 + 30", True),
        ("Several hundred people came to the party.", False),
        ("What happened in 1969?", False),
        ("I have two dogs and three cats.", False),
        ("Name four animals that live in the sea.", False),
        ("One half of the team was sick.", False),
        ("Twenty-one people came.", False),
        ("What is the capital of France?", False),
    ],
)
def test_a_sum_is_meant_only_where_numbers_are_asked_about(toolbox: Toolbox, question: str, meant: bool) -> None:
    assert bool(re.search(toolbox.tools["calculate"].when, question, re.IGNORECASE)) is meant


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("Read this to me.", True),
        ("Can you read this, please?", True),
        ("Please read the letter to me.", True),
        ("What does it say?", True),
        ("What's written on the box?", True),
        ("Lies mir das bitte vor.", True),
        ("Was steht da?", True),
        ("Lis-moi ça, s'il te plaît.", True),
        ("¿Qué dice aquí?", True),
        ("Leggimi questo.", True),
        ("What does the dog say?", False),
        ("Read the total.", False),
        ("Can you read my mind?", False),
        ("What does this code say?", False),
        ("Read this and tell me whether it is spam.", False),
    ],
)
def test_who_wants_to_have_something_read_gets_it_word_for_word(toolbox: Toolbox, question: str, meant: bool) -> None:
    seen = Percept("e", np.zeros((1, 4), np.float32), regions=(TextRegion("Exit", Box(0, 0, 1, 1), 0.9),))
    context = ToolContext(Frame(np.zeros((2, 2, 3), np.uint8)), seen)
    assert toolbox.meant(Turn(Utterance(question), (seen,)), context) == (ToolCall("read_text") if meant else None)


@pytest.fixture
def timers(own: Settings) -> Iterator[tuple[Toolbox, list[str]]]:
    plugins = Plugins(own)
    told: list[str] = []
    plugins.news.told = lambda message, failed: told.append(message)
    toolbox = Toolbox(plugins.tools, 5.0)
    yield toolbox, told
    run(toolbox, "cancel_timers")


def until(told: list[str], number: int = 1) -> None:
    end = time.monotonic() + 10
    while len(told) < number and time.monotonic() < end:
        time.sleep(0.01)


def test_a_timer_tells_when_its_time_is_up(timers: tuple[Toolbox, list[str]]) -> None:
    toolbox, told = timers
    assert run(toolbox, "set_timer", number=1, unit="seconds").result == "The timer is running: 1 second."
    assert told == []
    until(told)
    assert told == ["Time is up: 1 second."]
    assert run(toolbox, "cancel_timers").result == "None was running."


def test_a_reminder_tells_what_it_is_for(timers: tuple[Toolbox, list[str]]) -> None:
    toolbox, told = timers
    said = run(toolbox, "set_timer", number=1, unit="seconds", purpose="to feed my cat.").result
    assert said == "The timer is running: 1 second to feed your cat."
    until(told)
    assert told == ["It is time to feed your cat."]


def test_an_alarm_without_a_time_is_asked_for_it(timers: tuple[Toolbox, list[str]]) -> None:
    toolbox, _ = timers
    history: tuple[Message, ...] = ()
    replies = []
    for said in ("Remind me tomorrow to call my son.", "At nine in the morning."):
        call = toolbox.meant(Turn(Utterance(said), history=history), ToolContext())
        assert call is not None
        result = toolbox.run(call, ToolContext())
        replies.append(result.result)
        history = (Message("user", said), Message("assistant", result.result, (result,)))
    assert replies == ["Please say at what time, too.", "The alarm is set to 09:00 tomorrow to call your son."]
    for said in ("Thanks.", "What is this?", "And my daughter?"):
        assert toolbox.meant(Turn(Utterance(said), history=history), ToolContext()) is None


@pytest.mark.parametrize(
    ("language", "said", "cancelled"),
    [
        ("de", "Der Timer läuft: 1 Stunde und 30 Minuten.", "Er ist gelöscht."),
        ("fr", "Le minuteur tourne : 1 heure et 30 minutes.", "Il est annulé."),
        ("es", "El temporizador está en marcha: 1 hora y 30 minutos.", "Está cancelado."),
        ("it", "Il timer è partito: 1 ora e 30 minuti.", "È annullato."),
        ("pl", "The timer is running: 1 hour and 30 minutes.", "It is cancelled."),
    ],
)
def test_a_timer_speaks_the_persons_language(
    timers: tuple[Toolbox, list[str]], language: str, said: str, cancelled: str
) -> None:
    toolbox, _ = timers
    run(toolbox, "cancel_timers")
    context = ToolContext(language=language)
    call = ToolCall("set_timer", {"number": 1.5, "unit": "hours"})
    assert toolbox.run(call, context).result == said
    assert toolbox.run(ToolCall("cancel_timers"), context).result == cancelled
    assert toolbox.tools["set_timer"].told == {"en", "de", "fr", "es", "it"}


def test_how_long_a_timer_still_runs(timers: tuple[Toolbox, list[str]]) -> None:
    toolbox, _ = timers
    run(toolbox, "cancel_timers")
    call = toolbox.meant(Turn(Utterance("How long is left on the timer?")), ToolContext())
    assert call == ToolCall("time_left")
    assert toolbox.run(call, ToolContext()).result == "No timer and no alarm is running."
    run(toolbox, "set_timer", number=2, unit="hours")
    assert re.fullmatch(
        r"1 hour and 59 minutes and 5\d seconds left\.|2 hours left\.", run(toolbox, "time_left").result
    )
    run(toolbox, "set_timer", number=1, unit="hours", purpose="for the soup")
    assert re.match(r".+ left for the soup\. .+ left\.$", run(toolbox, "time_left").result)
    run(toolbox, "set_alarm", at="noon in three days", purpose="to rest")
    for question in ("What reminders do I have?", "List my reminders.", "Do I have any alarms?", "What are my timers?"):
        assert toolbox.meant(Turn(Utterance(question)), ToolContext()) == ToolCall("time_left"), question
    assert re.search(r" left\. The alarm is set to 12:00 on \w+, .+ to rest\.$", run(toolbox, "time_left").result)


def test_timers_are_cancelled(timers: tuple[Toolbox, list[str]]) -> None:
    toolbox, told = timers
    run(toolbox, "set_timer", number=1.5, unit="hours")
    soon = datetime.datetime.now() + datetime.timedelta(hours=2)
    assert run(toolbox, "set_alarm", at=f"{soon:%H:%M}").result.startswith("The alarm is set to ")
    assert run(toolbox, "cancel_timers").result == "All 2 are cancelled."
    assert told == []


@pytest.mark.parametrize("purpose", ["", "to feed my cat"])
def test_what_rings_is_told_again_until_somebody_answers(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, purpose: str
) -> None:
    kept = dataclasses.replace(settings, history=HistorySettings(path=str(tmp_path / "history.sqlite")))
    plugins, told = Plugins(kept), []
    plugins.news.told = lambda message, failed: told.append(message)
    toolbox = Toolbox(plugins.tools, 5.0)
    inside: dict[str, Any] = toolbox.tools["set_timer"].function.__func__.__globals__  # type: ignore[attr-defined]
    monkeypatch.setitem(inside, "PAUSE", datetime.timedelta(milliseconds=20))
    run(toolbox, "set_timer", number=0.1, unit="seconds", purpose=purpose)
    times = 1 + (inside["FEW"] if purpose else inside["MANY"])
    until(told, times)
    time.sleep(0.3)
    assert len(told) == times and len(set(told)) == 1

    monkeypatch.setitem(inside, "PAUSE", datetime.timedelta(minutes=1))
    run(toolbox, "set_timer", number=3, unit="hours")
    told.clear()
    run(toolbox, "set_timer", number=0.1, unit="seconds", purpose=purpose)
    until(told)
    assert re.fullmatch(r"[^.]+ left\.", run(toolbox, "time_left").result), "only the other"
    plugins.news.observe(Happening("level", 0.0))
    assert len(json.loads((tmp_path / "reminders.json").read_text())) == 2
    plugins.news.observe(Happening("thinking", 0.0))
    assert len(json.loads((tmp_path / "reminders.json").read_text())) == 1
    for heard in ("Snooze.", "Please snooze.", "Let's news the alarm.", "Snooze it!"):
        assert toolbox.meant(Turn(Utterance(heard)), ToolContext()) == ToolCall("snooze"), heard
    assert toolbox.meant(Turn(Utterance("News.")), ToolContext()) is None
    call = toolbox.meant(Turn(Utterance("It's news for five minutes, please.")), ToolContext())
    assert call == ToolCall("snooze", {"lasts": "five minutes"})
    snoozed = toolbox.run(call, ToolContext()).result
    assert snoozed == f"I'll remind you in 5 minutes{' to feed your cat' * bool(purpose)}."
    assert run(toolbox, "snooze").result == "None was running."
    assert run(toolbox, "cancel_last").result.startswith("It is cancelled: 1 second"), "what was put off"
    run(toolbox, "set_timer", number=0.1, unit="seconds", purpose=purpose)
    until(told, 2)
    plugins.news.observe(Happening("order", 0.0))
    assert run(toolbox, "cancel_last").result.startswith("It is cancelled: 1 second"), "what has just rung"
    assert run(toolbox, "cancel_last").result == "It is cancelled: 3 hours."
    assert run(toolbox, "cancel_last").result == "None was running."


def test_reminders_outlive_their_conversation(settings: Settings, tmp_path: Path) -> None:
    kept = dataclasses.replace(settings, history=HistorySettings(path=str(tmp_path / "new" / "history.sqlite")))
    file = tmp_path / "new" / "reminders.json"

    def conversation() -> tuple[Toolbox, list[str]]:
        plugins, told = Plugins(kept), []
        toolbox = Toolbox(plugins.tools, 5.0)
        plugins.news.told = lambda message, failed: told.append(message)
        plugins.news.begin()
        return toolbox, told

    first, _ = conversation()
    run(first, "set_alarm", at="seven in the morning in three days", purpose="call my son")
    run(first, "set_timer", number=3, unit="hours")
    assert file.stat().st_mode & 0o077 == 0, "readable by nobody else"
    second, told = conversation()
    set_to = r"The alarm is set to 07:00 on .+ to call your son\."
    assert re.fullmatch(rf".+ left\. {set_to}", run(second, "time_left").result)
    assert told == []
    assert run(second, "cancel_last").result == "It is cancelled: 3 hours."
    ago = datetime.datetime.now() - datetime.timedelta(hours=2)
    late = [
        {"due": ago.isoformat(), "purpose": purpose, "name": "5 Minuten", "language": "de"} for purpose in ("", "Tee")
    ]
    file.write_text(json.dumps(late + json.loads(file.read_text())))
    third, told = conversation()
    until(told, 2)
    assert told == [f"Als ich aus war, um {ago:%H:%M} Uhr, war die Zeit um: 5 Minuten.",
                    f"Als ich aus war, um {ago:%H:%M} Uhr, war es Zeit: Tee."]  # fmt: skip
    assert re.fullmatch(set_to, run(third, "time_left").result)
    assert [entry["purpose"] for entry in json.loads(file.read_text())] == ["call my son"], "told once"
    file.write_text("{")
    fourth, told = conversation()
    assert run(fourth, "time_left").result == "No timer and no alarm is running."
    assert file.with_suffix(".damaged").read_text() == "{" and told == []


def test_without_a_history_no_reminder_is_kept(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    plugins = Plugins(dataclasses.replace(settings, history=HistorySettings(enabled=False, path=str(path))))
    plugins.news.told = lambda message, failed: None
    plugins.news.begin()
    toolbox = Toolbox(plugins.tools, 5.0)
    assert run(toolbox, "set_timer", number=3, unit="hours").result == "The timer is running: 3 hours."
    assert list(tmp_path.iterdir()) == []
    run(toolbox, "cancel_timers")


@pytest.mark.parametrize(
    ("at", "hour"),
    [("8", 20), ("08:00", 8), ("20:00", 20), ("7:00 p.m.", 19), ("2 am", 2), ("14:00", 14), ("24:00", 0), ("12", 0),
     ("half past six in the morning", 6), ("a quarter to eight", 19), ("seven tomorrow morning", 7), ("noon", 12),
     ("tomorrow at 7:30", 7), ("a quarter to eight tomorrow", 7), ("half an hour", 14),
     ("in 3 hours", 17), ("in an hour", 15), ("in twenty minutes", 14),
     ("eight in the evening", 20), ("six thirty", 18), ("six forty five", 18),
     ("twenty past 9", 21), ("19 Uhr", 19), ("midnight", 0), ("ten minutes from now", 14), ("alle sette", 19),
     ("sept heures", 19), ("sept heures et demie du matin", 7), ("a las siete de la mañana", 7),
     ("halb acht abends", 19), ("um sieben", 19), ("in zehn Minuten", 14),
     ("dans deux heures", 16), ("morgen um sieben", 7), ("9 30 pm", 21)],
)  # fmt: skip
def test_an_alarm_is_the_next_time_that_a_clock_shows_it(at: str, hour: int) -> None:
    now = datetime.datetime(2026, 11, 29, 14, 0)
    due = next_time(at, now)
    assert due.hour == hour and now < due <= now + datetime.timedelta(days=2)


@pytest.mark.parametrize(
    ("at", "language", "due"),
    [("tomorrow at twelve", "en", "01T12:00"), ("this evening at eight", "en", "30T20:00"),
     ("heute um acht", "de", "30T08:00"), ("heute Abend um acht", "de", "30T20:00"),
     ("morgen früh um acht", "de", "01T08:00"),
     ("morgen Abend um acht", "de", "01T20:00"), ("um viertel nach acht", "de", "30T08:15"),
     ("mañana a las siete de la tarde", "es", "01T19:00"), ("mañana a las ocho", "es", "01T08:00"),
     ("hoy a las ocho menos cuarto", "es", "30T07:45"), ("mañana por la mañana a las ocho y diez", "es", "01T08:10"),
     ("aujourd'hui à huit heures moins le quart", "fr", "30T07:45"), ("demain à midi", "fr", "01T12:00"),
     ("cet après-midi à trois heures", "fr", "30T15:00"), ("oggi alle otto e un quarto", "it", "30T08:15"),
     ("domani sera alle otto meno dieci", "it", "01T19:50")],
)  # fmt: skip
def test_a_time_of_some_part_of_some_day(at: str, language: str, due: str) -> None:
    now = datetime.datetime(2026, 11, 30, 7, 10)
    assert f"{next_time(at, now, language=language):%dT%H:%M}" == due


@pytest.mark.parametrize(
    ("said", "due", "every"),
    [("every half hour", "30 10:30", "FREQ=MINUTELY;INTERVAL=30"), ("every day at eight", "01 08:00", "FREQ=DAILY"),
     ("daily at eleven", "30 11:00", "FREQ=DAILY"),
     ("every four hours", "30 14:00", "FREQ=HOURLY;INTERVAL=4"),
     ("every monday at 9", "07 09:00", "FREQ=WEEKLY;BYDAY=MO"),
     ("on mondays and thursdays at eleven", "30 11:00", "FREQ=WEEKLY;BYDAY=MO,TH"),
     ("at nine on weekends", "05 09:00", "FREQ=WEEKLY;BYDAY=SA,SU"), ("every morning", "01 09:00", "FREQ=DAILY"),
     ("every other tuesday at nine", "01 09:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
     ("on the first of every month at nine", "01 09:00", "FREQ=MONTHLY;BYMONTHDAY=1"),
     ("friday next week at ten", "11 10:00", ""), ("next week", None, ""), ("every day", None, "FREQ=DAILY"),
     ("tomorrow morning", "01 09:00", ""), ("this morning", None, ""), ("tonight", "30 19:00", "")],
)  # fmt: skip
def test_what_is_said_of_when_is_understood(said: str, due: str | None, every: str) -> None:
    meant = occasion(said, datetime.datetime(2026, 11, 30, 10, 0))
    assert (meant.due and f"{meant.due:%d %H:%M}", meant.every) == (due, every)


def test_what_the_model_leaves_out_of_a_returning_reminder_is_taken_from_the_words(
    timers: tuple[Toolbox, list[str]],
) -> None:
    toolbox, _ = timers
    context = ToolContext(utterance="Could you make sure I'm reminded each morning, at eight, of my tablets?")
    call = ToolCall("set_alarm", {"at": "8 in the morning", "purpose": "take my tablets"})
    assert toolbox.run(call, context).result == "The alarm is set to 08:00 every day to take your tablets."
    context = ToolContext(utterance="I'd like an alarm each Monday at seven.")
    call = ToolCall("set_alarm", {"at": "seven in the morning", "purpose": "alarm each Monday"})
    assert toolbox.run(call, context).result == "The alarm is set to 07:00 every Monday."
    call = ToolCall("set_alarm", {"at": "seven every Tuesday", "purpose": ""})
    assert toolbox.run(call, context).result == "The alarm is set to 07:00 every Tuesday."


def test_what_is_to_be_changed_waits_until_there_is_another_time(own: Settings) -> None:
    plugins = Plugins(own)
    toolbox = Toolbox(plugins.tools, 5.0)
    plugins.news.told = lambda message, failed: None
    day = said_day(datetime.date.today() + datetime.timedelta(days=3), "en", year=False)
    run(toolbox, "set_alarm", at="tomorrow at nine", purpose="call Tom")
    assert run(toolbox, "move_alarm", at=day.partition(",")[0]).result == "Please say at what time, too."
    assert run(toolbox, "time_left").result.endswith("09:00 tomorrow to call Tom.")
    assert run(toolbox, "set_alarm", at="at ten").result == f"The alarm is set to 10:00 on {day} to call Tom."
    assert run(toolbox, "time_left").result == f"The alarm is set to 10:00 on {day} to call Tom."
    run(toolbox, "remind_at", at="tomorrow morning", purpose="eat")
    anew = ToolContext(utterance="I need an alarm for the plants at noon")
    toolbox.run(ToolCall("set_alarm", {"at": "noon in five days", "purpose": ""}), anew)
    toolbox.run(ToolCall("set_alarm", {"at": "noon in six days", "purpose": "water the plants"}), anew)
    assert "09:00 tomorrow to eat." in run(toolbox, "time_left").result
    plugins.news.told = None
    before = run(toolbox, "time_left").result
    assert run(toolbox, "move_alarm", lasts="ten minutes").result.startswith("Timers run only")
    assert run(toolbox, "time_left").result == before, "where nobody would hear it, nothing is taken away"


def test_what_returns_rings_on_its_next_day_whatever_was_missed(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "reminders.json"
    kept = dataclasses.replace(settings, history=HistorySettings(path=str(tmp_path / "history.sqlite")))
    plugins, told = Plugins(kept), list[str]()
    toolbox = Toolbox(plugins.tools, 5.0)
    plugins.news.told = lambda message, failed: told.append(message)
    long_ago = datetime.datetime.now().replace(hour=12, minute=0, second=0, microsecond=0) - datetime.timedelta(days=9)
    entry = {"due": long_ago.isoformat(), "purpose": "to take my pills", "name": "12:00", "every": "FREQ=DAILY"}
    file.write_text(json.dumps([entry]))
    plugins.news.begin()
    until(told, 1)
    assert told == ["While I was off, at 12:00, it was time to take your pills."]
    (waiting,) = json.loads(file.read_text())
    due = datetime.datetime.fromisoformat(waiting["due"])
    assert waiting | {"due": 0} == entry | {"due": 0, "language": "en", "rung": 0}
    assert due.hour == 12 and datetime.timedelta() < due - datetime.datetime.now() <= datetime.timedelta(days=1)
    soon = datetime.datetime.now() + datetime.timedelta(seconds=0.5)
    file.write_text(json.dumps([entry | {"due": soon.astimezone().isoformat()}]))
    run(toolbox, "set_timer", number=3, unit="hours")  # makes it look at the file at once
    run(toolbox, "cancel_last")
    until(told, 2)
    assert told[1:] == ["It is time to take your pills."], "a time with its zone is one of this machine"
    plugins.news.answered[0]()
    assert run(toolbox, "cancel_last").result == "It is off for now. It returns every day."
    assert [one["every"] for one in json.loads(file.read_text())] == ["FREQ=DAILY"]
    assert run(toolbox, "cancel_last").result.startswith("It is cancelled: 12:00")
    for wrong in ({"purpose": 3}, {"due": "soon"}, {"every": "FREQ=NOW"}, {"rung": "often"}):
        file.write_text(json.dumps([entry | wrong]))
        assert run(toolbox, "time_left").result == "No timer and no alarm is running."
        assert json.loads(file.with_suffix(".damaged").read_text()) == [entry | wrong]


@pytest.mark.parametrize("number", [0.0, -1.0, 1e9, float("nan")])
def test_an_impossible_span_is_refused(timers: tuple[Toolbox, list[str]], number: float) -> None:
    assert run(timers[0], "set_timer", number=number, unit="minutes").failed


@pytest.mark.parametrize("at", ["25:00", "13 pm", "soon", "in 0 minutes", "in 9999999999 hours"])
def test_an_impossible_time_is_refused(timers: tuple[Toolbox, list[str]], at: str) -> None:
    assert run(timers[0], "set_alarm", at=at).failed


def test_where_nobody_would_hear_it_there_is_no_timer(toolbox: Toolbox) -> None:
    said = run(toolbox, "set_timer", number=5, unit="minutes")
    assert said.result == "Timers run only in a conversation, with: assistant talk."


def test_a_reminder_may_wait_for_the_next_conversation(own: Settings) -> None:
    asked = Toolbox(Plugins(own).tools, 5.0)
    said = run(asked, "remind_at", at="tomorrow at nine", purpose="to call Tom")
    kept = "The alarm is set to 09:00 tomorrow to call Tom."
    assert said.result == f"{kept} It is told in a conversation, with: assistant talk."
    assert run(Toolbox(Plugins(own).tools, 5.0), "time_left").result == kept
    assert run(asked, "cancel_last").result == "It is cancelled: 09:00 to call Tom."
    off = dataclasses.replace(own, history=dataclasses.replace(own.history, enabled=False))
    said = run(Toolbox(Plugins(off).tools, 5.0), "remind_at", at="tomorrow at nine", purpose="to call Tom")
    assert said.result == "Timers run only in a conversation, with: assistant talk."


def test_of_several_times_all_are_set_or_none(own: Settings) -> None:
    toolbox = Toolbox(Plugins(own).tools, 5.0)
    assert run(toolbox, "remind_at", at="tomorrow at nine and yesterday at ten", purpose="to eat").failed
    assert run(toolbox, "time_left").result == "No timer and no alarm is running."


def test_a_time_that_is_stated_stays_in_the_purpose(own: Settings) -> None:
    toolbox = Toolbox(Plugins(own).tools, 5.0)
    for said, told in (
        ("Remind me that dinner is at six.", ": dinner is at six."),
        ("Please remind me that the shop opens at nine", ": the shop opens at nine."),
        ("Remind me tomorrow that the train leaves at nine.", " tomorrow: the train leaves at nine."),
        ("Erinnere mich daran, dass der Zug um neun fährt.", ": dass der Zug um neun fährt."),
    ):
        turn = Turn(Utterance(said, language="de" if "mich" in said else "en"), (), ())
        context = ToolContext(language=turn.utterance.language, utterance=said)
        call = toolbox.meant(turn, context)
        assert call is not None, said
        assert told in toolbox.run(call, context).result, said


@pytest.mark.parametrize(
    ("said", "word"),
    [("Spell the word necessary.", "necessary"), ("How do you spell Mississippi?", "Mississippi"), ("Spell that.", "")],
)
def test_a_word_is_spelled_without_the_language_model(toolbox: Toolbox, said: str, word: str) -> None:
    call = toolbox.meant(Turn(Utterance(said), (), ()), ToolContext())
    assert (dict(call.arguments) if call else {}) == ({"word": word} if word else {})


def test_letters_of_a_word(toolbox: Toolbox) -> None:
    assert run(toolbox, "spell", word="schröder").result == "Schröder: S, C, H, R, Ö, D, E, R."


@pytest.mark.parametrize(
    ("said", "meant"),
    [("What time is it?", True), ("What's the time, please?", True), ("What day is it today?", True),
     ("What time is it in Tokyo?", True), ("What's the date?", False), ("What time is it in two hours?", False)],
)  # fmt: skip
def test_the_time_is_told_without_the_language_model(toolbox: Toolbox, said: str, meant: bool) -> None:
    assert (toolbox.meant(Turn(Utterance(said), (), ()), ToolContext()) is not None) == meant


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("Are you a human?", "computer program"),
        ("Am I talking to a real person?", "computer program"),
        ("Bist du ein Mensch?", "kein Mensch"),
        ("Êtes-vous une personne ?", "pas une personne"),
        ("¿Eres una persona?", "no una persona"),
        ("Sei una persona?", "non una persona"),
        ("Who made you?", "free software"),
        ("Are you ChatGPT?", "no company"),
        ("Do you record me?", "stays on your own machine. Our words are written down"),
        ("Is anyone listening to us?", "stays on your own machine"),
        ("Do you need the internet?", "without the internet"),
        ("How do I stop you?", "Say stop"),
        ("What can you do?", "what the camera sees"),
    ],
)
def test_what_it_is_and_keeps_it_knows_without_the_language_model(toolbox: Toolbox, said: str, part: str) -> None:
    call = toolbox.meant(Turn(Utterance(said)), ToolContext())
    assert call is not None and call.name == "about_assistant"
    assert part in toolbox.run(call, ToolContext()).result
    assert "about_assistant" not in [spec["name"] for spec in toolbox.specs]


@pytest.mark.parametrize(
    "said",
    ["Are you a good cook?", "Is somebody watching me?", "Do you save water?", "What is this?", "Are you listening?"],
)
def test_other_questions_are_not_about_itself(toolbox: Toolbox, said: str) -> None:
    assert toolbox.meant(Turn(Utterance(said)), ToolContext()) is None


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"history.enabled": "false"}, ["stays on your own machine", "Nothing of it is kept"]),
        ({"history.keep_media": "true"}, ["the sound and the pictures are kept"]),
        ({"brain.engine": "server", "brain.url": "https://llm.example.org/v1"}, ["is sent to", "llm.example.org"]),
        ({"brain.engine": "server", "brain.url": "http://127.0.0.1:8080"}, ["stays on your own machine"]),
    ],
)
def test_what_becomes_of_words_and_pictures_follows_from_the_settings(
    changes: dict[str, str], parts: list[str]
) -> None:
    changed = load(overrides=[f"{key}={value}" for key, value in changes.items()])
    box = Toolbox(Plugins(changed).tools, 5.0)
    said = run(box, "about_assistant", question="do you record me").result
    assert all(part in said for part in parts)


@pytest.mark.parametrize(
    ("said", "language", "answer"),
    [
        ("My name is Tom.", "en", "Nice to meet you, Tom!"),
        ("Hi, my name's Ana de la Cruz", "en", "Nice to meet you, Ana de la Cruz!"),
        ("Hallo, ich heiße Jürgen.", "de", "Freut mich, Jürgen!"),
        ("Mein Name ist Anne-Marie Weiß.", "de", "Freut mich, Anne-Marie Weiß!"),
        ("Bonjour, je m'appelle Zoé.", "fr", "Enchanté, Zoé !"),
        ("Hola, me llamo Íñigo", "es", "Mucho gusto, Íñigo."),
        ("Il mio nome è D'Angelo.", "it", "Piacere, D'Angelo!"),
        ("My name is on the list.", "en", ""),
        ("My name is Tom and I need some help with my tax", "en", ""),
        ("My name is Tom and you?", "en", ""),
        ("What is my name?", "en", ""),
    ],
)
def test_who_tells_their_name_is_greeted(toolbox: Toolbox, said: str, language: str, answer: str) -> None:
    context = ToolContext(language=language, utterance=said)
    call = toolbox.meant(Turn(Utterance(said, language), (), ()), context)
    result = toolbox.run(call, context) if call is not None else None
    assert (result.result if result is not None and not result.failed else "") == answer
