"""Timers, alarms and reminders, told aloud when the time has come, or in the next conversation if none is held."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from assistant import News, hookimpl
from assistant.config import Settings
from assistant.reminders import Reminder, Reminders
from assistant.spoken_days import said_day
from assistant.spoken_times import AT, LASTS, SOME_DAY, WHEN, lasting, next_time

LONGEST = datetime.timedelta(days=1)
PAUSE = datetime.timedelta(seconds=30)
"""After so long what rang rings again, unless the person has said something."""
FEW, MANY = 2, 9
"""How often again: what has a purpose; an alarm that may have to wake somebody, or a timer."""
SNOOZE = datetime.timedelta(minutes=10)
JUST = 30.0
"""Seconds for which "cancel it" means what has just rung."""
SAID: Mapping[str, Mapping[str, str]] = {
    "en": {
        "runs": "The timer is running: {span}{purpose}.",
        "reminds": "I'll remind you in {span}{purpose}.",
        "left": "{span} left{purpose}.",
        "nothing": "No timer and no alarm is running.",
        "set": "The alarm is set to {time}{day}{purpose}.",
        "day": " tomorrow",
        "on": " on {date}",
        "long": "For how long?",
        "again": "I can remind you only once, on a day that you name.",
        "nobody": "Timers and alarms run only in a conversation, with: assistant talk.",
        "when": "Please say at what time, too.",
        "none": "None was running.",
        "one": "It is cancelled{purpose}.",
        "all": "All {number} are cancelled.",
        "up": "Time is up: {name}.",
        "time": "It is time{purpose}.",
        "missed": "While I was off, at {time}, it was time{purpose}.",
        "missed timer": "While I was off, at {time}, a timer ended: {name}.",
        "units": "day days hour hours minute minutes second seconds and",
    },
    "de": {
        "runs": "Der Timer läuft: {span}{purpose}.",
        "reminds": "Ich erinnere Sie in {span}{purpose}.",
        "left": "Noch {span}{purpose}.",
        "nothing": "Es läuft kein Timer und kein Wecker.",
        "set": "Der Wecker ist auf {time} Uhr{day} gestellt{purpose}.",
        "day": " morgen",
        "on": " am {date},",
        "long": "Für wie lange?",
        "again": "Ich kann Sie nur einmal erinnern, an einem Tag, den Sie nennen.",
        "nobody": "Timer und Wecker laufen nur in einem Gespräch, mit: assistant talk.",
        "when": "Bitte sagen Sie auch, um wie viel Uhr.",
        "none": "Es lief keiner.",
        "one": "Er ist gelöscht{purpose}.",
        "all": "Alle {number} sind gelöscht.",
        "up": "Die Zeit ist um: {name}.",
        "time": "Es ist Zeit{purpose}.",
        "missed": "Als ich aus war, um {time} Uhr, war es Zeit{purpose}.",
        "missed timer": "Als ich aus war, um {time} Uhr, war die Zeit um: {name}.",
        "units": "Tag Tage Stunde Stunden Minute Minuten Sekunde Sekunden und",
    },
    "fr": {
        "runs": "Le minuteur tourne : {span}{purpose}.",
        "reminds": "Je vous le rappelle dans {span}{purpose}.",
        "left": "Encore {span}{purpose}.",
        "nothing": "Aucun minuteur ni réveil ne tourne.",
        "set": "Le réveil est réglé sur {time}{day}{purpose}.",
        "day": " demain",
        "on": " le {date}",
        "long": "Pour combien de temps ?",
        "again": "Je ne peux vous le rappeler qu'une fois, un jour que vous nommez.",
        "nobody": "Les minuteurs et réveils ne tournent que dans une conversation, avec : assistant talk.",
        "when": "Dites aussi à quelle heure.",
        "none": "Aucun ne tournait.",
        "one": "Il est annulé{purpose}.",
        "all": "Les {number} sont annulés.",
        "up": "C'est l'heure : {name}.",
        "time": "C'est l'heure{purpose}.",
        "missed": "Quand j'étais éteint, à {time}, c'était l'heure{purpose}.",
        "missed timer": "Quand j'étais éteint, à {time}, le temps était écoulé : {name}.",
        "units": "jour jours heure heures minute minutes seconde secondes et",
    },
    "es": {
        "runs": "El temporizador está en marcha: {span}{purpose}.",
        "reminds": "Se lo recuerdo en {span}{purpose}.",
        "left": "Quedan {span}{purpose}.",
        "nothing": "No hay ningún temporizador ni alarma.",
        "set": "La alarma está puesta a las {time}{day}{purpose}.",
        "day": " de mañana",
        "on": " del {date}",
        "long": "¿Para cuánto tiempo?",
        "again": "Solo puedo recordárselo una vez, un día que usted diga.",
        "nobody": "Los temporizadores y alarmas solo funcionan en una conversación, con: assistant talk.",
        "when": "Diga también a qué hora.",
        "none": "No había ninguno.",
        "one": "Está cancelado{purpose}.",
        "all": "Los {number} están cancelados.",
        "up": "Ya es la hora: {name}.",
        "time": "Ya es la hora{purpose}.",
        "missed": "Cuando estaba apagado, a las {time}, era la hora{purpose}.",
        "missed timer": "Cuando estaba apagado, a las {time}, se acabó el tiempo: {name}.",
        "units": "día días hora horas minuto minutos segundo segundos y",
    },
    "it": {
        "runs": "Il timer è partito: {span}{purpose}.",
        "reminds": "Glielo ricordo tra {span}{purpose}.",
        "left": "Mancano {span}{purpose}.",
        "nothing": "Non c'è nessun timer e nessuna sveglia.",
        "set": "La sveglia è impostata alle {time}{day}{purpose}.",
        "day": " di domani",
        "on": " di {date}",
        "long": "Per quanto tempo?",
        "again": "Posso ricordarglielo solo una volta, in un giorno che mi dice.",
        "nobody": "Timer e sveglie funzionano solo in una conversazione, con: assistant talk.",
        "when": "Dica anche a che ora.",
        "none": "Non ce n'era nessuno.",
        "one": "È annullato{purpose}.",
        "all": "Tutti e {number} sono annullati.",
        "up": "È ora: {name}.",
        "time": "È ora{purpose}.",
        "missed": "Mentre ero spento, alle {time}, era ora{purpose}.",
        "missed timer": "Mentre ero spento, alle {time}, il tempo era scaduto: {name}.",
        "units": "giorno giorni ora ore minuto minuti secondo secondi e",
    },
}
"""What is said, by language; English where the person's language is none of these."""
_PLEASE = r"(?:(?:please|can you|could you|would you|bitte|kannst du|tu peux|puedes|puoi|okay|and|und|et|y|e) )*"
_END = r"(?: (?:please|bitte|por favor|per favore|s'il te plaît|s'il vous plaît|stellen|ein))*"
_WAKE = r"(?:wake me(?: up)?|wecke? mich(?: auf)?|réveille moi|despiértame|svegliami)"
_REMIND = r"(?:remind me|erinnere mich|rappelle moi|recuérdame|ricordami)"
_CANCEL = (
    r"(?:cancel|delete|stop|turn off|switch off|remove|clear|forget|lösche?|stoppe?|annule|arrête|supprime|cancela|"
    r"borra|quita|cancella|annulla|ferma|spegni)"
)
_SNOOZE = "(?:snooze|news|zoom)"
"""Recognisers hardly know the word."""
_TIMER = r"(?:kurzzeit)?(?:timer|countdown|wecker|minuteur|temporizador)"
_SET = (
    r"(?:set|start|give me|make|i need|stelle?|starte|mets(?: moi)?|règle|lance|programme|pon(?:me)?|programa|"
    r"inicia|imposta|metti(?:mi)?|avvia) (?:(?:an?|another|the|my|mir|bitte|eine?n?|den|une?|le|la|el|il|lo) )*"
)
_AGAIN = (
    r"\b(?:every|each|next (?:week|month|year)|(?:mon|tues|wednes|thurs|fri|satur|sun)days|jede[nrs]?|"
    r"nächste[ns]? (?:woche|monat|jahr)|(?:mon|diens|donners|frei|sams|sonn)tags|mittwochs|chaque|tous les|toutes les|"
    r"la semaine prochaine|cada|todos los|todas las|la próxima semana|ogni|tutt[ie] (?:i|le)|la settimana prossima)\b"
)
"""Nothing here rings more than once, or in some week."""
_EVERY = r"(?:(?:every|each|jede[nrs]?|chaque|cada|ogni|tous les|toutes les|todos los|todas las) \w+)"


@hookimpl
def assistant_tools(settings: Settings, news: News) -> list[Callable[..., Any]]:
    """Return the tools of this plugin."""
    timers = Timers(news, settings)
    return [
        timers.set_timer,
        timers.start_timer,
        timers.remind_in,
        timers.add_time,
        timers.snooze,
        timers.set_alarm,
        timers.wake_at,
        timers.remind_at,
        timers.cancel_timers,
        timers.cancel_last,
        timers.time_left,
    ]


class Timers:
    """The timers of this and earlier conversations."""

    def __init__(self, news: News, settings: Settings) -> None:
        self._news = news
        self._running = Reminders(self._tell, settings)
        self._ringing = True  # something may since before
        self._silenced: tuple[float, Reminder] | None = None
        """When a person answered to what rang, and what that was."""
        news.began.append(self._running.begin)
        news.answered.append(self._silence)
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
        return self._run(_bounded(datetime.timedelta(**{unit: number})), purpose, language)

    def start_timer(self, lasts: str = "", purpose: str = "", language: str = "en") -> str:
        """Set a timer that was asked for in the usual words; where its length was not said, it is asked for."""
        if not lasts:
            self._unfinished = "", purpose
            return _say("long", language)
        purpose, self._unfinished = purpose or self._unfinished[1], ("", "")
        return self._run(_bounded(lasting(lasts, language)), purpose, language)

    start_timer.__doc__ = f"""{start_timer.__doc__}

        Verbatim only: {_PLEASE}(?:(?:{_SET})?{_TIMER}
        (?: (?:for|of|to|auf|für|von|über|de|pour|sur|di|da|para|per|
        in))? (?P<lasts>{LASTS})(?: (?P<purpose>(?:for|to) .+?))?|
        (?:{_SET})?(?P<lasts_2>{LASTS}) timer(?: (?P<purpose_2>(?:for|to) .+?))?|
        {_SET}{_TIMER}(?: (?P<purpose_3>for .+?))?){_END}

        Again: {_PLEASE}(?:another (?:timer )?)?(?:(?:for|für|pour|para|por|per) )?(?P<lasts>{LASTS}){_END}
        """

    def remind_in(self, lasts: str, purpose: str = "", language: str = "en") -> str:
        """Set a reminder that was asked for in the usual words."""
        return self._run(_bounded(lasting(lasts, language)), purpose, language, "reminds")

    remind_in.__doc__ = f"""{remind_in.__doc__}

        Verbatim only: {_PLEASE}(?:(?:{_REMIND}|{_WAKE}) (?:in|dans|en|tra|fra) (?P<lasts>{LASTS})
        (?: (?:an|daran|dass|de|di|que|che|à|a))?(?: (?P<purpose>.+?))?|
        remind me (?P<purpose_2>(?:to|that|about) .+) in (?P<lasts_2>{LASTS})){_END}
        """

    def add_time(self, lasts: str, language: str = "en") -> str:
        """Let the timer that ends first run longer."""
        old = next(iter(self._waiting()), None)
        if old is None or not self._running.remove(old):
            return _say("none", language)
        due = old.due + _bounded(lasting(lasts, language))
        self._running.add(replace(old, due=due))
        return _say("left", language, span=_length(due - datetime.datetime.now(), language))

    add_time.__doc__ = f"""{add_time.__doc__}

        Verbatim only: {_PLEASE}(?:add|give it|(?:mach|stell) noch|ajoute|añade|
        aggiungi) (?:another )?(?P<lasts>{LASTS})
        (?: more)?(?: (?:to|zu|zum|au|à|al?) (?:the |it|my |dem )?(?:timer|minuteur|temporizador)?)?{_END}
        """

    def snooze(self, lasts: str = "", language: str = "en") -> str:
        """Let what has just rung ring again, after ten minutes where nothing else was said."""
        if self._silenced is None:
            return _say("none", language)
        span, (_, rang) = _bounded(lasting(lasts, language)) if lasts else SNOOZE, self._silenced
        self._silenced = None
        self._running.add(replace(rang, due=datetime.datetime.now() + span, rung=0))
        return _say("reminds", language, span=_length(span, language), purpose=rang.purpose)

    snooze.__doc__ = f"""{snooze.__doc__}

        Verbatim only: {_PLEASE}(?:(?:it's |let's )?{_SNOOZE}(?: it| the alarm)? (?:for|in) (?P<lasts>{LASTS})|
        (?:let's )?{_SNOOZE} (?:it|the alarm)|snooze|
        (?:remind|wake) me again in (?P<lasts_2>{LASTS})|(?:schlummern|schlummer)(?: (?P<lasts_3>{LASTS}))?|
        (?:erinnere|weck) mich (?:noch einmal|nochmal|wieder) in (?P<lasts_4>{LASTS})){_END}
        """

    def set_alarm(self, at: str, purpose: str = "", language: str = "en") -> str:
        r"""Set an alarm or a reminder at a time of day.

        Example: Remind me at six in the evening to water the plants.
        -> set_alarm(at="six in the evening", purpose="water the plants")
        Example (de): Weck mich um 19 Uhr 30. -> set_alarm(at="19:30")
        Example: Wake me tomorrow at a quarter to seven. -> set_alarm(at="a quarter to seven tomorrow")

        When: \b(remind\w*|alarms?|wake me)\b

        Told (en, de, fr, es, it): word for word
        """
        if re.fullmatch(rf"(?:{SOME_DAY}|later|now|)", at.lower().strip()):
            self._unfinished = at, purpose
            return _say("when", language)
        (day, meant), self._unfinished = self._unfinished, ("", "")
        if not purpose:
            at, purpose = (f"{at} {day}" if re.fullmatch(SOME_DAY, day.lower()) else at), meant
        return self._alarm(next_time(at, datetime.datetime.now(), language=language), purpose, language)

    set_alarm.__doc__ = f"""{set_alarm.__doc__}
        Again: (?:(?:okay|well|please|bitte) )*(?P<at>(?:{SOME_DAY} )?(?:(?:at|um|à|a|alle|las?) )*{AT}){_END}
        """

    def wake_at(self, at: str, language: str = "en") -> str:
        """Set an alarm that was asked for in the usual words: seven is in the morning, unless all else was said."""
        return self._asked(at, "", language, early=True)

    wake_at.__doc__ = f"""{wake_at.__doc__}

        Verbatim only: {_PLEASE}(?:{_WAKE}|(?:{_SET})?(?:alarm|wecker|réveil|alarma|despertador|sveglia))
        (?: (?:for|at|to))? (?P<at>{WHEN}|later){_END}
        """

    def remind_at(self, at: str = "", purpose: str = "", language: str = "en") -> str:
        """Set a reminder that was asked for in the usual words; where no time was said, it is asked for."""
        return self._asked(at, purpose, language)

    remind_at.__doc__ = f"""{remind_at.__doc__}

        Verbatim only: {_PLEASE}(?:{_REMIND} (?P<at>(?:{_EVERY} )?{WHEN}|{_EVERY}|later)
        (?: (?:daran|dass|de|di|que|che))?(?: (?P<purpose>.+?))?|
        remind me (?P<purpose_2>(?:to|that|about) .+?)(?: (?:at )?(?P<at_2>{WHEN}))?){_END}
        """

    def _asked(self, at: str, purpose: str, language: str, early: bool = False) -> str:
        self._unfinished = "", ""
        at = re.sub(r"(?<=\d)\.(?= )", "", at)  # "am 4. Juli"
        if re.search(_AGAIN, f"{at} {purpose}".lower()):
            return _say("again", language)
        if at and not re.fullmatch(rf"{SOME_DAY}|later", at.lower()):
            return self._alarm(next_time(at, datetime.datetime.now(), early, language), purpose, language)
        self._unfinished = at, purpose
        return _say("when", language)

    def cancel_timers(self, language: str = "en") -> str:
        r"""Cancel all timers, alarms and reminders.

        Example: Cancel the timer. -> cancel_timers()

        When: \b(timers?|remind\w*|alarms?)\b

        Told (en, de, fr, es, it): word for word
        """
        number = sum(self._running.remove(one) and not one.rung for one in self._running)
        return _say({0: "none", 1: "one"}.get(number, "all"), language, number=str(number), purpose="")

    cancel_timers.__doc__ = f"""{cancel_timers.__doc__}
        Verbatim: {_PLEASE}{_CANCEL} (?:(?:all|of|my|the|alle|meine|die|tous|toutes|mes|les|todos|todas|mis|
        los|las|tutti|tutte|i|le) )*(?:timers|alarms|reminders|timer(?<=alle timer)|wecker(?<=alle wecker)|
        minuteurs|réveils|rappels|temporizadores|alarmas|recordatorios|sveglie|promemoria|timer(?<=i timer)){_END}

        Again: {_PLEASE}{_CANCEL} (?:all|them(?: all)?|alle|tout|todos|tutti){_END}
        """

    def cancel_last(self, language: str = "en") -> str:
        """Cancel what was set last, when asked for in the usual words."""
        silenced, self._silenced = self._silenced, None
        if silenced is not None and time.monotonic() - silenced[0] < JUST:
            last: Reminder | None = silenced[1]
        else:
            last = next(reversed([*self._running]), None)
            if last is None or not self._running.remove(last):
                return _say("none", language)
        return _say("one", language, purpose=f"{last.name} {last.purpose}")

    cancel_last.__doc__ = f"""{cancel_last.__doc__}

        Verbatim only: {_PLEASE}{_CANCEL} (?:(?:the|my|den|meinen|le|mon|el|la|mi|il|lo) )?
        (?:timer|alarm|reminder|wecker|minuteur|réveil|rappel|temporizador|alarma|recordatorio|sveglia){_END}

        Again: (?:no )?{_PLEASE}{_CANCEL} (?:it|that|ihn|es|ça|eso){_END}
        """

    def time_left(self, language: str = "en") -> str:
        r"""Tell how long the timers and alarms still run, or when they ring where that is far away.

        Verbatim only: (?:(?:please|and|tell me) )*(?:how (?:long|much time) (?:is|do i have|have i)
        (?: still| got)? left(?: on (?:the|my) (?:timers?|alarms?))?|how much longer|
        (?:what|which) (?:timers|alarms|reminders)(?: are (?:set|running|there)| do i have| have i)(?: set)?|
        (?:(?:what are|list|read)(?: me)?(?: all)? )?my (?:timers|alarms|reminders)|
        do i have (?:any|an?) (?:timers?|alarms?|reminders?)(?: set)?|
        when (?:does|do|will) (?:the|my) (?:timers?|alarms?)(?: ring| end| go off)?|
        (?:is|are) (?:there )?(?:an?|any|the|my) (?:timers?|alarms?|reminders?)(?: still)?(?: set| running| on)?)|
        welche (?:timer|wecker|erinnerungen) (?:habe ich|laufen|sind gestellt)|quels (?:sont mes )?(?:minuteurs|réveils|
        rappels)(?: ai je)?|qué (?:temporizadores|alarmas|recordatorios) tengo|(?:quali|che) (?:timer|sveglie|
        promemoria) ho|
        wie lange (?:läuft|geht) der (?:timer|wecker) noch|wie viel zeit (?:ist noch|bleibt noch|habe ich noch)|
        (?:il )?reste(?: t il)? combien de temps|combien de temps (?:reste t il|il reste)|
        cuánto (?:tiempo )?(?:queda|falta)(?: en el temporizador)?|quanto (?:tempo )?(?:manca|resta|rimane)
        """
        now = datetime.datetime.now()
        told = [
            _say("left", language, span=_length(one.due - now, language), purpose=one.purpose)
            if one.due - now < datetime.timedelta(hours=12)
            else _set_to(one.due, one.purpose, language)
            for one in self._waiting()
        ]
        return " ".join(told) or _say("nothing", language)

    def _waiting(self) -> list[Reminder]:
        """Return what has not rung yet, the first first."""
        return sorted((one for one in self._running if not one.rung), key=lambda one: one.due)

    def _run(self, span: datetime.timedelta, purpose: str, language: str, told: str = "runs") -> str:
        if self._news.told is None:
            return _say("nobody", language)
        length = _length(span, language)
        self._running.add(Reminder(datetime.datetime.now() + span, purpose, length, language))
        return _say(told, language, span=length, purpose=purpose)

    def _alarm(self, due: datetime.datetime, purpose: str, language: str) -> str:
        if self._news.told is None:
            return _say("nobody", language)
        self._running.add(Reminder(due, purpose, f"{due:%H:%M}", language))
        return _set_to(due, purpose, language)

    def _tell(self, due: Reminder) -> None:
        missed = due.missed
        if due.purpose.strip():
            what, again = "missed" if missed else "time", FEW
        else:
            what, again = "missed timer" if missed else "up", MANY
        self._news(_say(what, due.language, purpose=due.purpose, name=due.name, time=f"{due.due:%H:%M}"))
        if not missed and due.rung < again:
            self._ringing = True
            self._running.add(replace(due, due=datetime.datetime.now() + PAUSE, rung=due.rung + 1))

    def _silence(self) -> None:
        """Somebody is there: what rang need not ring again."""
        if self._ringing:
            self._ringing = False
            for rung in [one for one in self._running if one.rung]:
                if self._running.remove(rung):
                    self._silenced = time.monotonic(), rung


def _bounded(span: datetime.timedelta) -> datetime.timedelta:
    """Return a span. Raises :class:`ValueError` where a timer cannot run for so long."""
    if not datetime.timedelta() < span <= LONGEST:
        raise ValueError("a timer runs for more than 0 seconds and at most a day")
    return span


def _say(what: str, language: str, **parts: str) -> str:
    """Return a sentence of :data:`SAID`; a purpose follows as "to take your pills" or ": die Nudeln"."""
    if language not in SAID:
        language = "en"
    purpose = parts.pop("purpose", "").strip().rstrip(".")
    if purpose and language == "en" and what != "one":
        joined = "" if re.match(r"(?:for|to|that|about) ", purpose) else "to "
        purpose = f" {joined}" + re.sub(r"\bmy\b", "your", re.sub(r"\bI\b", "you", purpose, flags=re.IGNORECASE))
    elif purpose:
        purpose = f"{' ' if language == 'fr' else ''}: {purpose}"
    return SAID[language][what].format(purpose=purpose, **parts)


def _set_to(due: datetime.datetime, purpose: str, language: str) -> str:
    """Return the sentence that tells when an alarm rings."""
    day = ""
    if (days := (due.date() - datetime.date.today()).days) > 0:
        day = _say("day", language) if days == 1 else _say("on", language, date=said_day(due, language))
    return _say("set", language, time=f"{due:%H:%M}", day=day, purpose=purpose)


def _length(span: datetime.timedelta, language: str = "en") -> str:
    """Return a time span in words, such as "1 hour and 30 minutes"; of more than a day only days and hours."""
    minutes, seconds = divmod(max(1, round(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    counts = (days, hours, 0, 0) if days else (0, hours, minutes, seconds)
    *units, joint = SAID.get(language, SAID["en"])["units"].split()
    parts = zip(counts, units[::2], units[1::2], strict=True)
    return f" {joint} ".join(f"{number} {one if number == 1 else many}" for number, one, many in parts if number)
