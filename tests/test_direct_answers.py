"""What is asked every day is answered by plugins at once, in five languages, and nothing else is taken for it."""

from __future__ import annotations

import datetime
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.config import Settings
from assistant.plugins import Plugins
from assistant.spoken_days import said_day
from assistant.tools import Toolbox, ToolContext
from assistant.types import Turn, Utterance

from .direct import replies


@pytest.fixture
def toolbox(own: Settings) -> Iterator[Toolbox]:
    plugins = Plugins(own)
    plugins.news.told = lambda message, failed: None
    toolbox = Toolbox(plugins.tools, 5.0)
    yield toolbox
    toolbox.tools["cancel_timers"].function()


@pytest.mark.parametrize(
    ("language", "dialogue", "told"),
    [
        ("en", "What's 15 percent of 80? | And 20 percent? | times 3 | divided by 7",
         ["15 percent of 80 is 12.", "20 percent of 80 is 16.", "16 times 3 is 48.",
          "48 divided by 7 is about 6.857."]),
        ("en", "What is 15% of 80? | What's 2+2? | 3.5 times 2, please. | 1,000 minus 1",
         ["15% of 80 is 12.", "2+2 is 4.", "3.5 times 2 is 7.", "1,000 minus 1 is 999."]),
        ("en", "How much is two and a half times four? | Half of 90 | What is the square root of 144? | 7 squared",
         ["Two and a half times four is 10.", "Half of 90 is 45.", "The square root of 144 is 12.",
          "7 squared is 49."]),
        ("en", "What's 15% of 80? | And of 200? | What's half of 80? | And of 120?",
         ["15% of 80 is 12.", "15% of 200 is 30.", "Half of 80 is 40.", "Half of 120 is 60."]),
        ("en",
         "Divide 144 by 12. | Multiply 3.5 by two. | Subtract five from eight. | What is two to the power of ten?",
         ["144 divided by 12 is 12.", "3.5 times two is 7.", "Eight minus five is 3.",
          "Two to the power of ten is 1024."]),
        ("en", "What is 5 divided by 0?", ["Nothing can be divided by zero."]),
        ("de", "Was ist zwölf mal 7? | Was sind 15 Prozent von 80? | 1,5 mal 3",
         ["Zwölf mal 7 ist 84.", "15 Prozent von 80 ist 12.", "1,5 mal 3 ist 4,5."]),
        ("fr", "Combien font quatre-vingt-dix moins deux ?", ["Quatre-vingt-dix moins deux font 88."]),
        ("es", "¿Cuánto es el 15 por ciento de 80?", ["15 por ciento de 80 son 12."]),
        ("it", "Quanto fa ventuno più due?", ["Ventuno più due fa 23."]),
        ("en", "Convert 5 miles to kilometres. | And 10? | And in feet?",
         ["5 miles is about 8.047 kilometres.", "10 miles is about 16.09 kilometres.", "10 miles is 52800 feet."]),
        ("en", "What's 180 degrees Celsius in Fahrenheit? | 350 degrees in Celsius | 5 foot 9 in centimetres",
         ["180 degrees Celsius is 356 Fahrenheit.", "350 degrees is about 176.7 Celsius.",
          "5 foot 9 is about 175.3 centimetres."]),
        ("en", "How many grams are in a pound? | How many hours are there in a week?",
         ["A pound is about 453.6 grams.", "A week is 168 hours."]),
        ("de", "Wie viele Kilometer sind 5 Meilen?", ["5 Meilen sind ungefähr 8,047 Kilometer."]),
        ("fr", "Combien de kilomètres font 5 milles ?", ["5 milles font environ 8,047 kilomètres."]),
        ("es", "Convierte 5 pies en metros.", ["5 pies son 1,524 metros."]),
        ("it", "Quanti grammi ci sono in una libbra?", ["Una libbra sono circa 453,6 grammi."]),
        ("en", "Spell necessary. | Spell it backwards.",
         ["Necessary: N, E, C, E, S, S, A, R, Y.", "Necessary: Y, R, A, S, S, E, C, E, N."]),
        ("de", "Wie buchstabiert man Fahrrad?", ["Fahrrad: F, A, H, R, R, A, D."]),
        ("en", "Count backwards from five. | Count from eight to ten, please. | Count to three.",
         ["5, 4, 3, 2, 1.", "8, 9, 10.", "1, 2, 3."]),
        ("de", "Zähle rückwärts von drei.", ["3, 2, 1."]),
        ("en", "Set a timer for 10 minutes for the pasta. | Cancel it. | Cancel the timer.",
         ["The timer is running: 10 minutes for the pasta.", "It is cancelled: 10 minutes for the pasta.",
          "None was running."]),
        ("en", "Set a timer. | Eight minutes. | And another for an hour and a half. | Cancel all timers.",
         ["For how long?", "The timer is running: 8 minutes.", "The timer is running: 1 hour and 30 minutes.",
          "All 2 are cancelled."]),
        ("en", "Remind me to take my pills in two hours. | Remind me in half an hour to call Anna.",
         ["I'll remind you in 2 hours to take your pills.", "I'll remind you in 30 minutes to call Anna."]),
        ("en", "Remind me every day at noon to take my pills. | Cancel the pills reminder.",
         ["The alarm is set to 12:00 every day to take your pills.", "It is cancelled: 12:00 to take your pills."]),
        ("en", "Every morning remind me to stretch. | No, at eight. | What reminders do I have?",
         ["The alarm is set to 09:00 every day to stretch.", "The alarm is set to 08:00 every day to stretch.",
          "The alarm is set to 08:00 every day to stretch."]),
        ("en", "Remind me every evening to lock the door. | At ten.",
         ["The alarm is set to 19:00 every day to lock the door.",
          "The alarm is set to 22:00 every day to lock the door."]),
        ("en", "Wake me on weekdays at seven. | Make it half past six.",
         ["The alarm is set to 07:00 from Monday to Friday.", "The alarm is set to 06:30 from Monday to Friday."]),
        ("en", "Remind me every day at eight in the morning and at six in the evening to take my pills.",
         ["The alarm is set to 08:00 every day to take your pills. The alarm is set to 18:00 every day to take your "
          "pills."]),
        ("en", "Wake me tomorrow at six and at half past six.",
         ["The alarm is set to 06:00 tomorrow. The alarm is set to 06:30 tomorrow."]),
        ("es", "Recuérdame cada día a las ocho y diez de la mañana llamar a Ana.",
         ["La alarma está puesta a las 08:10 cada día: llamar a Ana."]),
        ("it", "Ricordami ogni giorno alle otto e mezza e alle sei di bere.",
         ["La sveglia è impostata alle 08:30 ogni giorno: bere. La sveglia è impostata alle 18:00 ogni giorno: "
          "bere."]),
        ("en", "Set a daily alarm for seven.", ["The alarm is set to 07:00 every day."]),
        ("en", "Remind me every Monday and Thursday to put out the bins. | At 10.",
         ["Please say at what time, too.", "The alarm is set to 10:00 every Monday and Thursday to put out the bins."]),
        ("en", "Remind me tomorrow morning to call Tom. | At ten. | No, at eleven.",
         [f"The alarm is set to {hour}:00 tomorrow to call Tom." for hour in ("09", "10", "11")]),
        ("en", "Remind me tomorrow to meet Joe at five. | Cancel the alarm for tomorrow. | What reminders do I have?",
         ["The alarm is set to 17:00 tomorrow to meet Joe.", "It is cancelled: 17:00 to meet Joe.",
          "No timer and no alarm is running."]),
        ("en", "Remind me about tomorrow's meeting at ten. | Cancel the nine o'clock alarm.",
         ["The alarm is set to 10:00 tomorrow: tomorrow's meeting.", "I don't know of such a one."]),
        ("en", "Set a timer for five minutes. | No, ten minutes. | Cancel all timers.",
         ["The timer is running: 5 minutes.", "The timer is running: 10 minutes.", "It is cancelled."]),
        ("en", "Set a timer for ten minutes for the pasta. | Set a timer for five minutes. | Cancel the pasta timer. | "
         "Cancel the five minute timer.",
         ["The timer is running: 10 minutes for the pasta.", "The timer is running: 5 minutes.",
          "It is cancelled: 10 minutes for the pasta.", "It is cancelled: 5 minutes."]),
        ("en", "Wake me tomorrow at six. | Do I have any alarms for tomorrow morning? | Any alarms today? | "
         "What reminders do I have for tonight? | What's my next alarm?",
         ["The alarm is set to 06:00 tomorrow."] * 2 + ["", "I don't know of such a one.",
          "The alarm is set to 06:00 tomorrow."]),
        ("en", "Remind me at noon tomorrow to call Tom. | Change the reminder to eleven. | "
         "Delete the call Tom reminder. | What's my next alarm?",
         ["The alarm is set to 12:00 tomorrow to call Tom.", "The alarm is set to 11:00 tomorrow to call Tom.",
          "It is cancelled: 11:00 to call Tom.", "No timer and no alarm is running."]),
        ("en", "Set an alarm for five minutes from now, please.", ["I'll remind you in 5 minutes."]),
        ("de", "Erinnere mich jeden Abend um acht daran, die Tür abzuschließen.",
         ["Der Wecker ist auf 20:00 Uhr jeden Tag gestellt: die Tür abzuschließen."]),
        ("de", "Weck mich montags und donnerstags um halb sieben.",
         ["Der Wecker ist auf 06:30 Uhr jeden Montag und Donnerstag gestellt."]),
        ("fr", "Rappelle-moi tous les jours à huit heures et quart de sortir. | Non, à neuf heures.",
         ["Le réveil est réglé sur 08:15 chaque jour : sortir.",
          "Le réveil est réglé sur 09:00 chaque jour : sortir."]),
        ("es", "Despiértame todos los lunes a las siete menos cuarto.",
         ["La alarma está puesta a las 06:45 cada lunes."]),
        ("es", "Recuérdame mañana por la tarde llamar a Ana.",
         ["La alarma está puesta a las 15:00 de mañana: llamar a Ana."]),
        ("it", "Ricordami ogni sera di chiudere la porta.",
         ["La sveglia è impostata alle 19:00 ogni giorno: chiudere la porta."]),
        ("en", "Remind me to call Anna tomorrow at nine in the morning.",
         ["The alarm is set to 09:00 tomorrow to call Anna."]),
        ("de", "Stell bitte einen Timer auf anderthalb Stunden. | Lösche ihn.",
         ["Der Timer läuft: 1 Stunde und 30 Minuten.", "Er ist gelöscht: 1 Stunde und 30 Minuten."]),
        ("de", "Erinnere mich in einer halben Stunde daran, den Herd auszumachen.",
         ["Ich erinnere Sie in 30 Minuten: den Herd auszumachen."]),
        ("fr", "Mets un minuteur de cinq minutes.", ["Le minuteur tourne : 5 minutes."]),
        ("fr", "Rappelle-moi dans une demi-heure de sortir.", ["Je vous le rappelle dans 30 minutes : sortir."]),
        ("es", "Pon un temporizador de diez minutos.", ["El temporizador está en marcha: 10 minutos."]),
        ("it", "Svegliami tra mezz'ora.", ["Glielo ricordo tra 30 minuti."]),
        ("en", "What is the time difference between London and Tokyo?", ["Tokyo is 9 hours ahead of London."]),
    ],
)  # fmt: skip
def test_what_is_asked_every_day_is_answered_at_once(
    toolbox: Toolbox, language: str, dialogue: str, told: list[str]
) -> None:
    assert replies(toolbox, dialogue, language) == told


@pytest.mark.parametrize(
    ("language", "said", "time", "purpose"),
    [
        ("de", "Erinnere mich an meine Tabletten um 20 Uhr.", "20:00", "meine Tabletten"),
        ("de", "Erinnern Sie mich daran, um 20 Uhr Anna anzurufen.", "20:00", "Anna anzurufen"),
        ("de", "Können Sie mich um 20 Uhr an meine Tabletten erinnern?", "20:00", "meine Tabletten"),
        ("fr", "Rappelle-moi de prendre mes médicaments à 20h.", "20:00", "prendre mes médicaments"),
        ("fr", "Pouvez-vous me rappeler à 20h30 d'appeler Anna ?", "20:30", "appeler Anna"),
        ("fr", "Rappele-moi demain 8h de sortir.", "08:00", "sortir"),
        ("fr", "Réveillez-moi à 7h du matin.", "07:00", ""),
        ("es", "Recuérdame tomar mis pastillas a las 20.", "20:00", "tomar mis pastillas"),
        ("es", "Recuerda me a las 20:15 que llame a Ana.", "20:15", "llame a Ana"),
        ("es", "¿Puede despertarme a las 7?", "07:00", ""),
        ("it", "Ricordami di chiamare Anna alle 20.", "20:00", "chiamare Anna"),
        ("it", "Mi ricordi alle 20 di chiamare Anna.", "20:00", "chiamare Anna"),
        ("it", "Puoi svegliarmi alle 7?", "07:00", ""),
    ],
)
def test_reminders_in_usual_wordings_polite_or_not(
    toolbox: Toolbox, language: str, said: str, time: str, purpose: str
) -> None:
    (told,) = replies(toolbox, said, language)
    assert time in told and told.endswith(f"{purpose}." if purpose else told[-1:])


@pytest.mark.parametrize(
    ("language", "said", "told"),
    [
        ("es", "que hora es en tokio", "En Tokio"),
        ("es", "anade café a mi lista de la compra", "Anotado en su lista de la compra: café."),
        ("fr", "reveille moi a 7h du matin", "Le réveil est réglé sur 07:00"),
        ("fr", "Ajoute des pâtes à ma liste de courses", "Noté sur votre liste de courses : pâtes."),
        ("de", "wie spat ist es", "Es ist"),
        ("it", "che giorno e oggi", "Sono le"),
    ],
)
def test_recognisers_leave_accents_out_but_what_was_said_keeps_its_own(
    toolbox: Toolbox, language: str, said: str, told: str
) -> None:
    (answer,) = replies(toolbox, said, language)
    assert answer.startswith(told)


def test_the_timer_is_cancelled_and_not_the_alarm(toolbox: Toolbox) -> None:
    dialogue = "Set a timer for ten minutes. | Wake me at seven. | Cancel the timer. | Cancel the alarm. | Cancel it."
    assert replies(toolbox, dialogue)[2:] == [
        "It is cancelled: 10 minutes.",
        "It is cancelled: 07:00.",
        "None was running.",
    ]


@pytest.mark.parametrize(
    ("language", "dialogue", "days", "told"),
    [
        ("en", "Remind me to call Anna on {day}. | At six.", 5, "18:00 on {date} to call Anna."),
        ("en", "Remind me on {day} at 6 am to call Anna.", 3, "06:00 on {date} to call Anna."),
        ("en", "Wake me at half past five on {day}.", 6, "05:30 on {date}."),
        ("en", "Set an alarm for 7 am on {day}.", 2, "07:00 on {date}."),
        ("en", "Remind me in three days to water the plants. | 8 pm.", 3, "20:00 on {date} to water the plants."),
        ("en", "Remind me the day after tomorrow at ten to go out.", 2, "10:00 on {date} to go out."),
        ("en", "Remind me about the meeting on {month} {number}th at 3 p.m.", 40, "15:00 on {date}: the meeting."),
        ("de", "Erinnere mich am {day} um 18 Uhr an den Arzt.", 4, "18:00 Uhr am {date}, gestellt: den Arzt."),
        ("de", "Erinnere mich am {number}. {month} daran, zu packen. | Um acht.", 30,
         "08:00 Uhr am {date}, gestellt: zu packen."),
        ("fr", "Réveille-moi {day} à huit heures.", 3, "08:00 le {date}."),
        ("es", "Recuérdame el {day} a las seis de la tarde llamar a Ana.", 3, "18:00 del {date}: llamar a Ana."),
        ("it", "Svegliami {day} alle otto.", 3, "08:00 di {date}."),
        ("en", "Remind me on the {number}th of every month to pay the rent. | At nine.", 20,
         "09:00 on {date}, every month to pay the rent."),
        ("en", "Remind me every year on {month} {number}th at noon to call Tom.", 200,
         "12:00 on {date}, every year to call Tom."),
        ("de", "Erinnere mich am {day} Abend an den Arzt.", 4, "19:00 Uhr am {date}, gestellt: den Arzt."),
    ],
)  # fmt: skip
def test_a_reminder_may_be_days_away(toolbox: Toolbox, language: str, dialogue: str, days: int, told: str) -> None:
    due = datetime.date.today() + datetime.timedelta(days)
    date = said_day(due, language, year=False)
    parts = re.findall(r"[^\W\d]{3,}", date)
    day, month = parts[0], parts[1]
    assert replies(toolbox, dialogue.format(day=day, month=month, number=due.day), language)[-1].endswith(
        told.format(date=date)
    )


@pytest.mark.parametrize(
    ("language", "dialogue"),
    [
        ("en", "Add five minutes to the timer."),
        ("en", "Set a timer for ten minutes. | Add five minutes."),
        ("de", "Stell den Timer auf zehn Minuten. | Mach noch fünf Minuten."),
    ],
)
def test_a_timer_is_made_longer(toolbox: Toolbox, language: str, dialogue: str) -> None:
    *before, last = replies(toolbox, dialogue, language)
    if before:
        assert re.search(r"\b1[45]\b", last)
    else:
        assert last == "None was running."


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ("Wake me at seven.", 7), ("Wake me up at 7:30 a.m.", 7), ("Set an alarm for half past six.", 6),
        ("Set an alarm for 9 pm.", 21), ("Weck mich um 7 Uhr.", 7), ("Réveille-moi à 7 heures.", 7),
        ("Despiértame a las siete y media.", 7), ("Imposta la sveglia alle 7:30.", 7),
    ],
)  # fmt: skip
def test_an_alarm_between_four_and_eleven_is_in_the_morning(toolbox: Toolbox, said: str, hours: int) -> None:
    assert re.search(rf"\b{hours:02}:[03]0\b", replies(toolbox, said)[0])


def test_days_are_counted_and_named(toolbox: Toolbox) -> None:
    today = datetime.date.today()
    christmas = datetime.date(today.year + (today > datetime.date(today.year, 12, 25)), 12, 25)
    left = (christmas - today).days
    named = f"{christmas:%A}, 25 December {christmas.year}."
    first, second, third = replies(
        toolbox, "How many days until Christmas? | And what day is that? | When is Christmas?"
    )
    assert first == (f"{left} day{'s' * (left != 1)} until {named}" if left else "That is today.")
    assert second == third == named
    soon = today + datetime.timedelta(10)
    assert replies(toolbox, "What day will it be in ten days?") == [f"{soon:%A}, {soon.day} {soon:%B} {soon.year}."]
    assert replies(toolbox, "Wie viele Wochen bis zum 24. Dezember?", "de")[0].endswith(
        f"24. Dezember {christmas.year}."
    )
    assert replies(toolbox, "When is Easter?")[0].startswith("Sunday, ")
    friday = today + datetime.timedelta((4 - today.weekday() - 1) % 7 + 1)
    assert replies(toolbox, "What's the date next Friday?")[0].startswith(f"Friday, {friday.day} ")


@pytest.mark.parametrize(
    ("said", "settled"),
    [
        ("What time is it?", True), ("Set a timer for ten minutes, please.", True), ("Wake me at seven.", True),
        ("Add milk to my shopping list.", True), ("What is 15% of 80?", True), ("Danke!", True),
        ("Remember that my keys", False), ("Remember that my keys are on the table.", False),
        ("Remind me tomorrow to call", False), ("Take a note: Anna", False), ("Remind me in two hours", False),
        ("What is love?", False),
    ],
)  # fmt: skip
def test_what_may_go_on_is_not_settled(toolbox: Toolbox, said: str, settled: bool) -> None:
    assert toolbox.settled(Turn(Utterance(said))) == settled


@pytest.mark.parametrize(
    ("said", "pattern"),
    [
        ("Flip a coin.", r"Heads\.|Tails\."), ("Pile ou face ?", r"Pile\.|Face\."), ("Roll a die.", r"[1-6]\."),
        ("Roll three dice.", r"([1-6], ){2}[1-6]: \d+\."), ("Pick a number between one and ten.", r"([1-9]|10)\."),
        ("Nenne mir eine Zahl zwischen 5 und 6.", r"[56]\."),
    ],
)  # fmt: skip
def test_chance_is_fair(toolbox: Toolbox, said: str, pattern: str) -> None:
    language = {"P": "fr", "N": "de"}.get(said[0], "en") if said.startswith(("Pile", "Nenne")) else "en"
    told = Counter(replies(toolbox, said, language)[0] for _ in range(60))
    assert len(told) > 1 and all(re.fullmatch(pattern, one) for one in told)


@pytest.mark.parametrize(
    "said",
    [
        "What is love?", "What's one?", "What is the difference between a frog and a toad?", "What is a mile?",
        "How many legs do six spiders have?", "How many cups are there on the table?", "When is lunch?",
        "How many apples are in a pound?", "How long is it until we arrive?", "What is an alarm clock?",
        "Remind me of my mother.", "Wake me up before you go.", "Remind me one hour before the meeting.",
        "How do you spell that word?", "I am not blind.", "I can't see anything in this picture.", "Again.",
        "Count the chairs.", "Count to a million.", "Times 3.", "Cancel it.", "And in feet?", "Five minutes.",
        "At nine.",
    ],
)  # fmt: skip
def test_all_else_is_left_to_the_language_model(toolbox: Toolbox, said: str) -> None:
    assert replies(toolbox, said) == [""]


MEANT = {
    "about_assistant": {"general_quirky"},
    "add_time": {"alarm_set"},
    "cancel_all": {"alarm_remove", "calendar_remove"},
    "cancel_last": {"alarm_remove", "calendar_remove"},
    "convert": {"qa_maths", "cooking_recipe"},
    "current_time": {"datetime_query", "datetime_convert"},
    "days_until": {"datetime_query"},
    "add_to_list": {"AddToPlaylist", "lists_createoradd", "lists_query", "music_likeness"},
    "begin_list": {"lists_createoradd"},
    "clear_list": {"lists_remove"},
    "cancel_named": {"alarm_remove", "calendar_remove"},
    "is_on_list": {"email_querycontact", "lists_query"},
    "name_lists": {"lists_query", "query"},
    "read_list": {"lists_query", "lists_remove"},
    "remove_from_list": {"lists_remove"},
    "remind_at": {"calendar_set", "lists_createoradd"},
    "remind_in": {"alarm_set", "calendar_set"},
    "spell": {"qa_definition"},
    "spoken_sum": {"qa_maths"},
    "start_timer": {"calendar_set"},
    "time_between": {"datetime_convert"},
    "time_left": {"alarm_query", "calendar_query", "query"},
    "wake_at": {"alarm_set", "set"},
    "which_day": {"datetime_query"},
}
"""Intents of the recorded requests to other assistants that each tool may answer."""


def test_recorded_requests_of_other_kinds_are_not_taken_for_these(toolbox: Toolbox, shared_data: Path) -> None:
    taken: Counter[tuple[str, str]] = Counter()
    for line in (shared_data / "text" / "index.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if call := toolbox.meant(Turn(Utterance(row["text"])), ToolContext()):
            taken[call.name, row["intent"]] += 1
    assert sum(taken.values()) > 40
    assert [pair for pair in taken if pair[1] not in MEANT.get(pair[0], ())] == []
