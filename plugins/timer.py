"""Timers, alarms and reminders, told aloud when the time has come, or in the next conversation if none is held."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from assistant import News, hookimpl
from assistant.config import Settings
from assistant.fusion.content import mentions
from assistant.orders import bare
from assistant.reminders import Reminder, Reminders
from assistant.spoken_days import DAY, day_in, found_day, said_day
from assistant.spoken_occasions import (
    EVERY,
    WHENEVER,
    each_time,
    following,
    occasion,
    often_in,
    recurrence,
    said_recurrence,
    within_a_day,
)
from assistant.spoken_times import AT, LASTS, SOME_DAY, WHEN, lasting, next_time, usual_hour

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
        "each": "I'll remind you {every}, first at {time}{purpose}.",
        "returns": "It is off for now. It returns {every}.",
        "nobody": "Timers run only in a conversation, with: assistant talk.",
        "there": "It is told in a conversation, with: assistant talk.",
        "when": "Please say at what time, too.",
        "none": "None was running.",
        "unknown": "I don't know of such a one.",
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
        "each": "Ich erinnere Sie {every}, zuerst um {time} Uhr{purpose}.",
        "returns": "Für diesmal ist er aus. Er kommt {every} wieder.",
        "nobody": "Timer laufen nur in einem Gespräch, mit: assistant talk.",
        "there": "Gesagt wird es in einem Gespräch, mit: assistant talk.",
        "when": "Bitte sagen Sie auch, um wie viel Uhr.",
        "none": "Es lief keiner.",
        "unknown": "So einen kenne ich nicht.",
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
        "each": "Je vous le rappelle {every}, d'abord à {time}{purpose}.",
        "returns": "C'est arrêté pour cette fois. Il revient {every}.",
        "nobody": "Les minuteurs ne tournent que dans une conversation, avec : assistant talk.",
        "there": "Ce sera dit dans une conversation, avec : assistant talk.",
        "when": "Dites aussi à quelle heure.",
        "none": "Aucun ne tournait.",
        "unknown": "Je n'en connais pas de tel.",
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
        "each": "Se lo recuerdo {every}, primero a las {time}{purpose}.",
        "returns": "Está apagado por ahora. Vuelve {every}.",
        "nobody": "Los temporizadores solo funcionan en una conversación, con: assistant talk.",
        "there": "Se dirá en una conversación, con: assistant talk.",
        "when": "Diga también a qué hora.",
        "none": "No había ninguno.",
        "unknown": "No conozco ninguno así.",
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
        "each": "Glielo ricordo {every}, la prima volta alle {time}{purpose}.",
        "returns": "Per ora è spento. Torna {every}.",
        "nobody": "I timer funzionano solo in una conversazione, con: assistant talk.",
        "there": "Sarà detto in una conversazione, con: assistant talk.",
        "when": "Dica anche a che ora.",
        "none": "Non ce n'era nessuno.",
        "unknown": "Non ne conosco uno così.",
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
_PLEASE = (
    r"(?:(?:please|can you|could you|would you|i want you to|i'd like you to|don't forget to|be sure to|bitte|"
    r"kannst du|tu peux|puedes|puoi|okay|and|und|et|y|e) )*"
)
_END = r"(?: (?:please|bitte|por favor|per favore|s'il te plaît|s'il vous plaît|stellen|ein))*"
_WAKE = r"(?:wake me(?: up)?|wecke? mich(?: auf)?|réveille moi|despiértame|svegliami)"
_REMIND = r"(?:remind me|erinner[et]? mich|rapp?ell?e moi|recuérda ?me|ricorda ?mi)"
_CANCEL = (
    r"(?:cancel|delete|get rid of|stop|turn off|switch off|remove|clear|forget|lösche?|stoppe?|annule|arrête|"
    r"supprime|éteins|cancela|borra|quita|apaga|cancella|annulla|ferma|spegni)"
)
_SNOOZE = "(?:snooze|news|zoom)"
"""Recognisers hardly know the word."""
_TIMER = r"(?:kurzzeit)?(?:timer|countdown|wecker|minuteur|temporizador)"
_SET = (
    r"(?:set(?: up)?|start|give me|make|create|put on|i need|stelle?|starte|mets(?: moi)?|règle|lance|"
    r"programme|pon(?:me)?|programa|inicia|imposta|metti(?:mi)?|avvia) "
    r"(?:(?:an?|another|the|my|mir|bitte|eine?n?|den|une?|le|la|el|il|lo) )*"
)
_OFTEN = "daily|weekly|monthly|tägliche[nr]?|wöchentliche[nr]?"
_TIMERS, _ALARMS = "timer|wecker|minuteur|temporizador", "alarm|wecker|réveil|alarma|sveglia"
_REMINDERS = "reminder|erinnerung|rappel|recordatorio|promemoria"
_REMINDER = rf"{_SET}(?:(?P<every>{_OFTEN}) )?(?:{_REMINDERS})(?: (?:for|für|pour|para))?"
_THAT = r"(?:an|daran|dass|de|di|que|che)"
_AT_TIME = rf"(?:at|um|à|a las?|alle) ({AT})"
_STATED = (
    r"\b(?:is|are|starts?|begins?|opens?|closes?|leaves?|ends?|ist|sind|beginnt|fährt|est|commence|part|ouvre|ferme|"
    r"es|empieza|sale|abre|cierra|è|comincia|inizia|parte|apre|chiude)$"
)
"""What is said of a time that follows: it is a part of the purpose."""
_MY = r"(?:(?:the|my|den|die|meinen?|le|la|mon|el|mi|il|lo) )?"
_KIND = rf"(?:{_TIMERS}|{_ALARMS}|{_REMINDERS})"
_ANEW = "remind|alarm|wake|weck|erinner|réveil|rappel|despiért|recuérd|svegli|ricord"
"""Words of a request for another alarm, and not of the time for one that was asked for before."""
_RATHER = (
    r"(?:(?:no|i mean|i said|sorry|rather|better|make (?:it|that)|nein|lieber|besser|non|plutôt|mejor|meglio|"
    r"(?:change|move|set|stell|verschieb) (?:it|that|ihn|es) (?:to|auf)) )+"
)


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """What was asked for without a time, or with one that was only guessed."""

    at: str = ""
    purpose: str = ""
    instead: Reminder | None = None
    """What is to be replaced once the time is said."""


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
        timers.move_alarm,
        timers.cancel_timers,
        timers.cancel_last,
        timers.cancel_named,
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
        self._unfinished = _Unfinished()
        self._undated: Reminder | None = None
        """The alarm that was set last where no day was named for it."""

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
            self._unfinished = _Unfinished(purpose=purpose)
            return _say("long", language)
        return self._run(_bounded(lasting(lasts, language)), purpose or self._unfinished.purpose, language)

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

        Verbatim only: {_PLEASE}(?:(?:(?:{_REMIND}|{_WAKE}|alert me) (?:in|dans|en|tra|fra)|
        {_SET}(?:alarm|reminder) (?:for|in)) (?P<lasts>{LASTS})(?: from now)?
        (?: (?:{_THAT}|à|a))?(?: (?P<purpose>.+?))?|
        {_REMIND} (?:(?P<purpose_2>(?:to|that|about) .+)|(?:{_THAT} |d')?(?P<purpose_3>.+))
        (?:in|dans|en|tra|fra) (?P<lasts_2>{LASTS})){_END}
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
        self._running.add(replace(rang, due=datetime.datetime.now() + span, rung=0, every=""))
        return _say("reminds", language, span=_length(span, language), purpose=rang.purpose)

    snooze.__doc__ = f"""{snooze.__doc__}

        Verbatim only: {_PLEASE}(?:(?:it's |let's )?{_SNOOZE}(?: it| the alarm)? (?:for|in) (?P<lasts>{LASTS})|
        (?:let's )?{_SNOOZE} (?:it|the alarm)|snooze|
        (?:remind|wake) me again in (?P<lasts_2>{LASTS})|(?:schlummern|schlummer)(?: (?P<lasts_3>{LASTS}))?|
        (?:erinnere|weck) mich (?:noch einmal|nochmal|wieder) in (?P<lasts_4>{LASTS})){_END}
        """

    def set_alarm(self, at: str, purpose: str = "", language: str = "en", utterance: str = "") -> str:
        r"""Set an alarm or a reminder at a time of day.

        Example: Remind me at six in the evening to water the plants.
        -> set_alarm(at="six in the evening", purpose="water the plants")
        Example (de): Weck mich um 19 Uhr 30. -> set_alarm(at="19:30")
        Example: Wake me tomorrow at a quarter to seven. -> set_alarm(at="a quarter to seven tomorrow")

        When: \b(remind\w*|alarms?|wake me)\b

        Told (en, de, fr, es, it): word for word
        """
        if (often := often_in(bare(utterance))) and not often_in(at):  # the model leaves it out
            at, purpose = f"{at} {often}", re.sub(rf" ?\b(?:alarm )?{often}", "", purpose, flags=re.IGNORECASE)
        if purpose or re.search(_ANEW, utterance.lower()):
            return self._set(at, purpose, language)
        before = self._unfinished
        return self._set(f"{at} {before.at}".strip(), before.purpose, language, instead=before.instead)

    set_alarm.__doc__ = f"""{set_alarm.__doc__}
        Again: (?:(?:okay|well|please|bitte) )*(?P<at>(?:{SOME_DAY} )?(?:(?:at|um|à|a|alle|las?) )*{AT}){_END}
        """

    def wake_at(self, at: str, every: str = "", language: str = "en") -> str:
        """Set an alarm that was asked for in the usual words: seven is in the morning, unless all else was said."""
        return self._set_each(f"{every} {at}", "", language, early=True)

    wake_at.__doc__ = f"""{wake_at.__doc__}

        Verbatim only: {_PLEASE}(?:{_WAKE}|(?:{_SET})?(?:(?P<every>{_OFTEN}) )?
        (?:alarm|wecker|réveil|alarma|despertador|sveglia))(?: (?:for|at|to))? (?P<at>{WHENEVER}|later){_END}
        """

    def remind_at(
        self, at: str = "", purpose: str = "", every: str = "", language: str = "en", utterance: str = ""
    ) -> str:
        """Set a reminder that was asked for in the usual words; where no time was said, it is asked for."""
        if (inside := re.fullmatch(rf"(.+) {_AT_TIME}", purpose.lower())) and not _timed(at):
            purpose, at = purpose[: len(inside[1])], f"{at} {inside[2]}"  # "tomorrow to meet Joe at five"
        elif not at and (inside := re.search(rf"^(?:that|dass|que|che) .*?(?<!\S){_AT_TIME}(?!\w)", purpose.lower())):
            at = inside[1]  # "dass der Zug um neun fährt"
        if at and re.search(_STATED, purpose.lower()) and (whole := utterance[utterance.find(purpose) :]) != utterance:
            purpose = re.sub(r"[.?!]+$", "", whole)  # "that dinner is at six"
        day = re.search(rf"^about .*?(?<!\S)({DAY})(?!\w)", purpose.lower())
        if day is not None and _timed(at) and not day_in(at):
            at = f"{at} {day[1]}"  # "about tomorrow's meeting at ten"
        return self._set_each(f"{every} {at}", purpose, language)

    remind_at.__doc__ = f"""{remind_at.__doc__}

        Verbatim only: {_PLEASE}(?:(?:{_REMIND}|{_REMINDER}) (?:(?:daran )?(?P<at>{WHENEVER}|later)
        (?: {_THAT})?(?: (?:d')?(?P<purpose>.+?))?|
        (?:(?P<purpose_2>(?:to|that|about|for|(?:(?<=dame )|(?<=da me ))\\w+[aei]r) .+?)|
        (?:{_THAT} |d')(?P<purpose_4>.+?))
        (?: (?:at )?(?P<at_2>{WHENEVER}))?)|
        (?P<at_3>{WHENEVER}) {_REMIND}(?: {_THAT})? (?P<purpose_3>.+?)){_END}
        """

    def move_alarm(self, at: str = "", lasts: str = "", language: str = "en") -> str:
        """Let what was set last ring at another time, the nearest to that of before, for the same purpose and days."""
        last = next((one for one in reversed([*self._running]) if not one.rung), None)
        if last is None:
            return _say("none", language)
        if lasts:
            return self._run(_bounded(lasting(lasts, language)), last.purpose, language, instead=last)
        if day_in(at) or often_in(at):
            return self._set(at, last.purpose, language, instead=last)
        now, half = datetime.datetime.now(), datetime.timedelta(hours=12)
        soon, later = (next_time(at, one, language=language) for one in (now, now + half))
        near = next_time(at, last.due - half / 2, language=language)
        due = datetime.datetime.combine(last.due, near.time())
        if last == self._undated and soon.time() == later.time():  # "No, six pm": today will do
            due = soon
        elif due <= now:
            due = following(last.every, due, now) or due if last.every else soon
        return self._alarm(due, last.purpose, language, last.every, instead=last)

    move_alarm.__doc__ = f"""{move_alarm.__doc__}

        Verbatim only: {_PLEASE}(?:change|move|reset|verschiebe?) {_MY}{_KIND} (?:to|auf) (?P<at>{WHEN}){_END}

        Again: {_RATHER}(?:(?:for|at|um|à|a las?|alle|auf|für|pour|para|per) )?
        (?:(?P<at>{WHEN})|(?P<lasts>{LASTS})){_END}
        """

    def _set_each(self, at: str, purpose: str, language: str, early: bool = False) -> str:
        """Set what is due at several times, all of them or, where one is past, none."""
        times = each_time(at.strip())
        for one in times:
            occasion(one, datetime.datetime.now(), early, language)
        return " ".join(self._set(one, purpose, language, early) for one in times)

    def _set(self, at: str, purpose: str, language: str, early: bool = False, instead: Reminder | None = None) -> str:
        """Set what is due at a time that was said, or ask for the time; with a purpose the usual hour will do.

        ``instead`` waits until then.
        """
        meant = occasion(at, datetime.datetime.now(), early, language)
        if meant.due is None or (meant.usual and not purpose):
            self._unfinished = _Unfinished("" if at == "later" else at, purpose, instead)
            return _say("when", language)
        said = self._alarm(meant.due, purpose, language, meant.every, instead)
        if self._news.told is None:
            return said
        last = next(reversed([*self._running]), None)
        self._undated = None if meant.every or day_in(at) else last
        if meant.usual:
            self._unfinished = _Unfinished(at, purpose, last)
        return said

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

    def cancel_last(self, kind: str = "", language: str = "en") -> str:
        """Cancel what was set last, when asked for in the usual words; of the kind that was named, if there is one."""
        silenced, self._silenced = self._silenced, None
        if silenced is not None and time.monotonic() - silenced[0] < JUST:
            last = silenced[1]
        else:
            waiting = [*self._running]
            named = [one for one in waiting if not kind or kind.lower() in _kinds(one)]
            if not waiting or not self._running.remove(last := (named or waiting)[-1]):
                return _say("none", language)
        if last.rung and last.every:
            return _say("returns", language, every=said_recurrence(last.every, language))
        return _say("one", language, purpose=f"{last.name} {last.purpose}")

    cancel_last.__doc__ = f"""{cancel_last.__doc__}

        Verbatim only: {_PLEASE}(?:{_CANCEL} {_MY}(?P<kind>{_KIND})|
        (?:mache?|schalte?|stelle?) {_MY}(?P<kind_2>{_KIND}) aus){_END}

        Again: (?:no )?{_PLEASE}{_CANCEL} (?:it|that|ihn|es|ça|eso){_END}
        """

    def cancel_named(self, which: str, language: str = "en") -> str:
        """Cancel what is called by its time, its length or its purpose, when asked for in the usual words."""
        named = [one for one in self._waiting() if _is_called(one, which, language)]
        cancelled = [one for one in named if self._running.remove(one)]
        if not cancelled:
            return _say("unknown", language)
        last = cancelled[-1]
        what = "one" if len(cancelled) == 1 else "all"
        return _say(what, language, number=str(len(cancelled)), purpose=f"{last.name} {last.purpose}")

    cancel_named.__doc__ = f"""{cancel_named.__doc__}

        Verbatim only: {_PLEASE}{_CANCEL} {_MY}(?:{_KIND}s? (?:set )?
        (?:for|at|on|to|about|that|um|für|am|an|zu|à|pour|de|a las?|para|alle|per|di) (?P<which>.+?)|
        (?P<which_2>(?!all|any|of|both|alle|tou|tod|tutt).+?) {_KIND}s?){_END}
        """

    def time_left(self, which: str = "", language: str = "en") -> str:
        """Tell how long the timers and alarms still run, or when they ring where that is far away."""
        now = datetime.datetime.now()
        waiting = self._waiting()
        named = (one for one in waiting if not which or _is_called(one, which, language))
        told = [
            _say("left", language, span=_length(one.due - now, language), purpose=one.purpose)
            if one.due - now < datetime.timedelta(hours=12) and not one.every
            else _set_to(one, language)
            for one in (waiting[:1] if which == "next" else named)
        ]
        return " ".join(told) or _say("unknown" if waiting else "nothing", language)

    time_left.__doc__ = f"""{time_left.__doc__}

        Verbatim only: (?:(?:please|and|tell me) )*(?:how (?:long|much time) (?:is|do i have|have i)
        (?: still| got)? left(?: on (?:the|my) (?:timers?|alarms?))?|how much longer|
        (?:what|which) (?:timers|alarms|reminders)(?: are (?:set|running|there|upcoming)| do i have| have i|
        i have)(?: (?:set|right now|for (?P<which>{SOME_DAY})))*|
        (?:(?:what are|list|read|check)(?: me)?(?: all)? )?my (?:timers|alarms|reminders)|
        (?:do i have|did i set) (?:any|an?) (?:timers?|alarms?|reminders?)
        (?: (?:set|on my list|right now|(?:for )?(?P<which_2>{SOME_DAY})))*|
        (?:when(?: is|'s|s)|what(?: is|'s|s)) (?:my|the) (?P<which_3>next) (?:timer|alarm|reminder)|
        when (?:does|do|will) (?:the|my) (?:timers?|alarms?)(?: ring| end| go off)?|
        (?:is|are) (?:there )?(?:an?|any|the|my) (?:timers?|alarms?|reminders?)(?: still)?(?: set| running| on)?)|
        welche (?:timer|wecker|erinnerungen) (?:habe ich|laufen|sind gestellt)|quels (?:sont mes )?(?:minuteurs|réveils|
        rappels)(?: ai je)?|qué (?:temporizadores|alarmas|recordatorios) tengo|(?:quali|che) (?:timer|sveglie|
        promemoria) ho|
        wie lange (?:läuft|geht) der (?:timer|wecker) noch|wie viel zeit (?:ist noch|bleibt noch|habe ich noch)|
        (?:il )?reste(?: t il)? combien de temps|combien de temps (?:reste t il|il reste)|
        cuánto (?:tiempo )?(?:queda|falta)(?: en el temporizador)?|quanto (?:tempo )?(?:manca|resta|rimane)
        """

    def _waiting(self) -> list[Reminder]:
        """Return what has not rung yet, the first first."""
        return sorted((one for one in self._running if not one.rung), key=lambda one: one.due)

    def _run(
        self,
        span: datetime.timedelta,
        purpose: str,
        language: str,
        told: str = "runs",
        instead: Reminder | None = None,
    ) -> str:
        purpose, length = _politely(purpose), _length(span, language)
        reminder = Reminder(datetime.datetime.now() + span, purpose, length, language)
        return self._begin(reminder, _say(told, language, span=length, purpose=purpose), instead)

    def _alarm(
        self, due: datetime.datetime, purpose: str, language: str, every: str, instead: Reminder | None = None
    ) -> str:
        reminder = Reminder(due, _politely(purpose), f"{due:%H:%M}", language, every=every)
        return self._begin(reminder, _set_to(reminder, language), instead)

    def _begin(self, reminder: Reminder, said: str, instead: Reminder | None) -> str:
        """Let a reminder wait, where somebody would hear it, and another one no longer."""
        self._unfinished = _Unfinished()
        if not (here := self._news.told is not None):
            if ":" not in reminder.name or not self._running.lasting:
                return _say("nobody", reminder.language)
            said = f"{said} {_say('there', reminder.language)}"
        self._running.add(reminder, here)
        if instead is not None:
            self._running.remove(instead)
        return said

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
    """Return a sentence of :data:`SAID`; a purpose follows as "to take your pills", ": your tax", ": die Nudeln"."""
    if language not in SAID:
        language = "en"
    purpose = parts.pop("purpose", "").strip().rstrip(".")
    if purpose and language == "en" and what != "one":
        stated = what not in ("reminds", "each") and re.match("(?:that|about) ", purpose)
        joined = ": " if stated else " " if re.match(r"(?:for|to|that|about) ", purpose) else " to "
        purpose = joined + purpose[stated.end() if stated else 0 :]
    elif purpose:
        purpose = f"{' ' if language == 'fr' else ''}: {purpose}"
    if language == "en":
        purpose = re.sub(r"\bmy\b", "your", re.sub(r"\bI\b", "you", purpose, flags=re.IGNORECASE))
    return SAID[language][what].format(purpose=purpose, **parts)


def _set_to(reminder: Reminder, language: str) -> str:
    """Return the sentence that tells when an alarm rings."""
    due, day, every = reminder.due, "", ""
    if reminder.every:
        every = " " + said_recurrence(reminder.every, language)
    if within_a_day(reminder.every):
        return _say("each", language, every=every.strip(), time=f"{due:%H:%M}", purpose=reminder.purpose)
    days = (due.date() - datetime.date.today()).days
    date = said_day(due, language, year=days > 300)
    if every and ("INTERVAL" in reminder.every or not re.search("DAILY|BYDAY", reminder.every)):
        day = _say("on", language, date=date).rstrip(",") + ","
    elif days > 0 and not every:
        day = _say("day", language) if days == 1 else _say("on", language, date=date)
    return _say("set", language, time=f"{due:%H:%M}", day=f"{day}{every}", purpose=reminder.purpose)


def _politely(purpose: str) -> str:
    """Return a purpose without the polite words behind it, and the "and" before it."""
    purpose = re.sub(r"^\s*(?:and|und|et|y|e) ", "", purpose, flags=re.IGNORECASE)
    return re.sub(rf"(?:^|(?<=\S)){_END}\.?$", "", f" {purpose.strip()}", flags=re.IGNORECASE).strip()


def _timed(at: str) -> bool:
    """Return whether a time of day is said, and not only a day or a part of one."""
    return re.fullmatch(rf"(?:{SOME_DAY}|later|)", at.lower()) is None


def _kinds(reminder: Reminder) -> tuple[str, ...]:
    """Return the words that somebody may call a reminder by."""
    kinds = _ALARMS if ":" in reminder.name else _TIMERS
    return (*kinds.split("|"), *(_REMINDERS.split("|") if reminder.purpose else ()))


def _is_called(reminder: Reminder, which: str, language: str) -> bool:
    """Return whether somebody may mean a reminder by its time, its length, how often it returns, or its purpose."""
    said = which.lower()
    if re.fullmatch(LASTS, said):
        return reminder.name == _length(lasting(said, language), language)
    if re.fullmatch(EVERY, said):
        return reminder.every == recurrence(said, language)
    if re.fullmatch(SOME_DAY, said):
        part, day = usual_hour(said), day_in(said)
        return (not day or found_day(day, language) == reminder.due.date()) and (
            part is None or (part < 12) == (reminder.due.hour < 12)
        )
    if re.fullmatch(WHEN, said):
        meant = next_time(said, datetime.datetime.now(), language=language)
        return (meant - reminder.due).total_seconds() % (12 * 3600) < 60
    return mentions(reminder.purpose, said, language)


def _length(span: datetime.timedelta, language: str = "en") -> str:
    """Return a time span in words, such as "1 hour and 30 minutes"; of more than a day only days and hours."""
    minutes, seconds = divmod(max(1, round(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    counts = (days, hours, 0, 0) if days else (0, hours, minutes, seconds)
    *units, joint = SAID.get(language, SAID["en"])["units"].split()
    parts = zip(counts, units[::2], units[1::2], strict=True)
    return f" {joint} ".join(f"{number} {one if number == 1 else many}" for number, one, many in parts if number)
