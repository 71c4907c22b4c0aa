"""Lists that are kept: what to buy, what to do, notes, and whatever else somebody calls a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from assistant import ToolContext, hookimpl
from assistant.config import Settings
from assistant.fusion.content import mentions
from assistant.glossary import translate
from assistant.kept import Kept
from assistant.prompt import LIKELY

SAID: Mapping[str, Mapping[str, str]] = {
    "en": {
        "shopping": "shopping list",
        "to do": "to-do list",
        "notes": "list of notes",
        "other": "{name} list",
        "added": "Now on your {list}: {items}.",
        "there": "Already on your {list}: {items}.",
        "read": "On your {list}: {items}.",
        "empty": "There is nothing on your {list}.",
        "gone": "I took {items} off your {list}.",
        "yes": "Yes, that is on your {list}.",
        "no": "That is not on your {list}.",
        "cleared": "Your {list} is empty now.",
        "unknown": "There is no such list.",
        "unseen": "I can't make out what that is. Please say its name.",
        "begun": "What shall go on your {list}? Say, for example: add milk to my {list}.",
        "lists": "You have these lists: {items}.",
        "none": "You have no list yet. Say, for example: add milk to my shopping list.",
        "and": " and ",
    },
    "de": {
        "shopping": "Einkaufsliste",
        "to do": "Aufgabenliste",
        "notes": "Notizliste",
        "other": "{name}liste",
        "added": "Auf der {list} notiert: {items}.",
        "there": "Schon auf der {list}: {items}.",
        "read": "Auf der {list}: {items}.",
        "empty": "Auf der {list} steht nichts.",
        "gone": "Von der {list} gestrichen: {items}.",
        "yes": "Ja, das steht auf der {list}.",
        "no": "Das steht nicht auf der {list}.",
        "cleared": "Die {list} ist jetzt leer.",
        "unknown": "So eine Liste gibt es nicht.",
        "unseen": "Ich kann nicht erkennen, was das ist. Bitte sagen Sie, wie es heißt.",
        "begun": "Was soll auf die {list}? Sagen Sie zum Beispiel: Setz Milch auf die {list}.",
        "lists": "Es gibt diese Listen: {items}.",
        "none": "Es gibt noch keine Liste. Sagen Sie zum Beispiel: Setz Milch auf die Einkaufsliste.",
        "and": " und ",
    },
    "fr": {
        "shopping": "liste de courses",
        "to do": "liste de choses à faire",
        "notes": "liste de notes",
        "other": "liste de {name}",
        "added": "Noté sur votre {list} : {items}.",
        "there": "Déjà sur votre {list} : {items}.",
        "read": "Sur votre {list} : {items}.",
        "empty": "Votre {list} est vide.",
        "gone": "Rayé de votre {list} : {items}.",
        "yes": "Oui, c'est sur votre {list}.",
        "no": "Ce n'est pas sur votre {list}.",
        "cleared": "Votre {list} est vide maintenant.",
        "unknown": "Il n'y a pas de telle liste.",
        "unseen": "Je ne reconnais pas ce que c'est. Dites-moi son nom, s'il vous plaît.",
        "begun": "Que faut-il noter ? Dites par exemple : ajoute du lait à ma {list}.",
        "lists": "Vous avez ces listes : {items}.",
        "none": "Vous n'avez pas encore de liste. Dites par exemple : ajoute du lait à ma liste de courses.",
        "and": " et ",
    },
    "es": {
        "shopping": "lista de la compra",
        "to do": "lista de tareas",
        "notes": "lista de notas",
        "other": "lista de {name}",
        "added": "Anotado en su {list}: {items}.",
        "there": "Ya en su {list}: {items}.",
        "read": "En su {list}: {items}.",
        "empty": "Su {list} está vacía.",
        "gone": "Tachado de su {list}: {items}.",
        "yes": "Sí, está en su {list}.",
        "no": "No está en su {list}.",
        "cleared": "Su {list} está vacía ahora.",
        "unknown": "No hay ninguna lista así.",
        "unseen": "No distingo qué es. Dígame cómo se llama, por favor.",
        "begun": "¿Qué anoto? Diga por ejemplo: añade leche a mi {list}.",
        "lists": "Tiene estas listas: {items}.",
        "none": "Todavía no tiene ninguna lista. Diga por ejemplo: añade leche a mi lista de la compra.",
        "and": " y ",
    },
    "it": {
        "shopping": "lista della spesa",
        "to do": "lista delle cose da fare",
        "notes": "lista di note",
        "other": "lista di {name}",
        "added": "Segnato sulla sua {list}: {items}.",
        "there": "Già sulla sua {list}: {items}.",
        "read": "Sulla sua {list}: {items}.",
        "empty": "La sua {list} è vuota.",
        "gone": "Tolto dalla sua {list}: {items}.",
        "yes": "Sì, è sulla sua {list}.",
        "no": "Non è sulla sua {list}.",
        "cleared": "La sua {list} adesso è vuota.",
        "unknown": "Non c'è una lista così.",
        "unseen": "Non riesco a capire che cos'è. Mi dica come si chiama, per favore.",
        "begun": "Che cosa devo segnare? Dica per esempio: aggiungi il latte alla mia {list}.",
        "lists": "Ha queste liste: {items}.",
        "none": "Non ha ancora nessuna lista. Dica per esempio: aggiungi il latte alla lista della spesa.",
        "and": " e ",
    },
}
"""What is said, by language; English where the person's language is none of these."""

_KINDS: Mapping[str, str] = {
    "shopping": "shopping|grocery|groceries|einkaufs|(?:de )?courses|(?:de )?(?:la )?compra|(?:della )?spesa",
    "to do": "to ?dos?|tasks?|aufgaben|(?:de )?choses à faire|(?:de )?tâches|(?:de )?tareas|(?:delle )?cose da fare",
    "notes": "(?:of )?notes?|notiz(?:en)?|(?:de )?notas?|(?:di )?note",
}
"""Lists that have a name in every language."""
_NO_NAME = r"(?!(?:my|the|our|this|an?|new|me|play|contacts?|mailing)\b)"
_LIST: Mapping[str, str] = {
    "en": rf"(?:(?:my|the|our|this) )?(?:(?P<name>{_NO_NAME}\w+(?: {_NO_NAME}\w+){{0,2}}) )?list"
    r"(?: for (?:today|this week))?",
    "de": r"(?:(?:meine[rn]?|die|der|unsere[rn]?) )?(?P<name>\w*?)liste",
    "fr": r"(?:ma|la|notre) liste(?: d(?:e|es|u|') ?(?P<name>.+?))?",
    "es": r"(?:mi|la|nuestra) lista(?: de (?:la |las |los )?(?P<name>.+?))?",
    "it": r"(?:(?:la|mia) )*lista(?: d(?:i|ella|elle|ei|el|ell') ?(?P<name>.+?))?",
}
_PLEASE = (
    r"(?:(?:please|can you|could you|would you|i (?:want|need) (?:you )?to|i(?:'d| would) like (?:you )?to|we need to|"
    r"we should|go ahead and|let's|and|so|also|(?:we|i)(?:'re|'m| ran| are| am) out of \w+(?: \w+)?"
    r"(?! (?:\w+ ){0,3}(?:add|put|write) (?:it|them|that|some)\b)|bitte|kannst du|"
    r"und|tu peux|et|puedes|y|puoi|e|okay) )*"
)
_END = (
    r"(?: (?:please|too|as well|for me|will you|would you|bitte|auch|s'il te plaît|s'il vous plaît|por favor|"
    r"per favore))*"
)
_OTHERWISE = (
    "what|when|who|where|how|why|which|is|are|do|does|did|can|could|will|tell|set|read|show|remind|remove|delete|take|add|"
    "put|call|in|on|at|no|yes|then|now|you|i|it|that|this|was|wer|wo|wie|ist|que|qui|où|qué|quién|che|chi|cosa"
)
"""How something begins that is said after "and", or with no verb before it, and is nothing to put on a list."""
_VERBS = (
    "clear|empty|erase|wipe|check|open|list|make|create|start|begin|give|cross|drop|strike|scratch|get|listen|go|play|"
    "move|send|write|change|rename|copy|compare|let|and|i'd|i'll|we|please"
)
_WANTED: Mapping[str, Mapping[str, str]] = {
    "add": {
        # Recognisers write "and" or "at" for "add" at the very beginning.
        "en": r"(?:(?:add|put|write|place|include|jot(?: down)?) (?:{items} (?:to|on|onto|in|into|down on) {list}|"
        r"(?:to|on) {list} {items})|(?:at |ad |had |out )?"
        rf"(?!(?:{_OTHERWISE}|{_VERBS})\b){{items}} to (?=my |the ){{list}}|"
        r"(?:i|we)(?:'m|'re| am| are| have| should)? (?:need(?: to (?:buy|get))?|(?:r[au]n )?out of|buy|get) {items} "
        r"(?:(?:so|and|please|can you|could you) )*(?:add|put|write) (?:it|them|that|some)(?: down)? "
        r"(?:to|on|onto) {list})",
        "de": r"(?:(?:set[sz]e?|schreibe?|packe?|füge?|tu|notiere?) {items} (?:auf|zu|zur|in) {list}(?: hinzu)?|"
        r"(?:ich brauche|wir brauchen|(?:es|uns|mir) fehl(?:t|en))(?: noch)? {items} (?:bitte )?"
        r"(?:set[sz]e?|schreibe?|packe?|tu|notiere?) (?:es|sie|ihn|das|die) (?:bitte )?(?:auf|zu|zur) {list})",
        "fr": r"(?:(?:r?ajoute|mets|note|écris) {items} (?:à|sur|dans) {list}|"
        r"(?:j'ai besoin(?: de)?|il (?:me |nous )?(?:manque|faut)|(?:on|je) n'(?:a|ai) plus) {items} "
        r"(?:r?ajoute|mets|note) (?:le|la|les|ça) (?:à|sur|dans) {list})",
        "es": r"(?:(?:añade|agrega|pon|apunta|anota|mete) {items} (?:a|en) {list}|"
        r"(?:necesit(?:o|amos)|faltan?|no quedan?) {items} (?:añáde|agréga|pon|apúnta|anóta)l[oa]s? (?:a|en) {list})",
        "it": r"(?:(?:aggiungi|metti|scrivi|segna) {items} (?:a|alla|nella|sulla) {list}|"
        r"(?:ho bisogno di|mi serv(?:e|ono)|mancano?) {items} "
        r"(?:aggiungi|metti|scrivi|segna)l[oaie] (?:a|alla|nella|sulla) {list})",
    },
    "add_this": {
        "en": r"(?:add|put|write) (?:this|that|it|one of (?:this|these)|these)(?: \w+)? (?:to|on|onto|in) {list}",
        "de": r"(?:set[sz]e?|schreibe?|packe?|füge?|tu) (?:das|dies|dieses)(?: hier)? (?:auf|zu|zur) {list}(?: hinzu)?",
        "fr": r"(?:r?ajoute|mets|note) (?:ça|ceci|cela) (?:à|sur) {list}",
        "es": r"(?:añade|agrega|pon|apunta) (?:esto|eso) (?:a|en) {list}",
        "it": r"(?:aggiungi|metti|scrivi) (?:questo|quello) (?:a|alla|sulla) {list}",
    },
    "remove": {
        "en": r"(?:remove|delete|take|cross(?: out)?|strike|scratch|drop|erase|get) {items} "
        r"(?:from|off(?: of)?|out of) {list}",
        "de": r"(?:streiche?|lösche?|nimm|entferne?) {items} (?:von|aus) {list}(?: (?:he)?runter)?",
        "fr": r"(?:enlève|retire|supprime|raye|efface) {items} de {list}",
        "es": r"(?:quita|borra|elimina|tacha) {items} de {list}",
        "it": r"(?:togli|rimuovi|cancella|elimina) {items} (?:da|dalla) {list}",
    },
    "holds": {
        "en": r"(?:is|are|do i have|have i got) (?:there )?(?!anything|any ){items} (?:already )?(?:on|in) {list}",
        "de": r"(?:steht|stehen|ist|sind) (?!was|etwas){items} (?:schon )?auf {list}",
        "fr": r"(?:est ce que|est ce qu'il y a) {items}(?: (?:est|sont))? sur {list}",
        "es": r"(?:está|están|hay) {items} en {list}",
        "it": r"(?:è|sono|c'è|ci sono) {items} (?:nella|sulla) {list}",
    },
    "clear": {
        "en": r"(?:clear|empty|delete|erase|wipe|remove)(?: out)?(?: (?:everything|all(?: items)?) (?:from|on|off))? "
        r"(?:{list}|(?:all )?(?:my|the) (?P<name>notes))",
        "de": r"(?:lösche?|leere?) (?:{list}|meine (?P<name>notizen))",
        "fr": r"(?:vide|efface|supprime) (?:{list}|mes (?P<name>notes))",
        "es": r"(?:borra|vacía|elimina) (?:{list}|mis (?P<name>notas))",
        "it": r"(?:svuota|cancella|elimina) (?:{list}|le mie (?P<name>note))",
    },
    "read": {
        "en": r"(?:(?:tell me )?(?:what(?:'s| is| are)?(?: (?:the )?(?:items|things|next|left|else))?"
        r"(?: (?:do )?i have| are| is| have i)?(?: got)?|do i have any(?:thing|\w* items)|is there anything|"
        r"how many (?:items|things)(?: are(?: there)?| do i have)?) (?:on|in) {list}|"
        r"(?:read|show|check|open|list|tell|give)(?: me)?(?: out| back)?(?: the items on)? {list}(?: (?:to|for) me)?|"
        r"what does {list} (?:say|contain)|what(?:'s| is) {list})(?: (?:today|right now))?",
        "de": r"(?:was (?:steht|ist|habe ich) (?:alles )?auf {list}|(?:lies|zeige?)(?: mir)? {list}(?: vor)?)",
        "fr": r"(?:qu'est ce qu'il y a sur {list}|qu'y a t il sur {list}|lis(?: moi)? {list})",
        "es": r"(?:qué (?:hay|tengo) en {list}|lee(?:me)? {list})",
        "it": r"(?:(?:che )?cosa (?:c'è|ho) (?:nella|sulla) {list}|leggi(?:mi)? {list})",
    },
    "begin": {
        "en": r"(?:make|create|start|begin)(?: me)?(?: a)?(?: new)? {list}",
        "de": r"(?:mache?|erstelle?|beginne?)(?: mir)?(?: eine)?(?: neue)? {list}",
        "fr": r"(?:fais|crée)(?: une)?(?: nouvelle)? liste(?: d(?:e|es|u) (?P<name>.+?))?",
        "es": r"(?:haz|crea)(?: una)?(?: nueva)? lista(?: de (?:la |las )?(?P<name>.+?))?",
        "it": r"(?:fai|crea)(?: una)?(?: nuova)? lista(?: d(?:i|ella|elle) (?P<name>.+?))?",
    },
    "note": {
        "en": r"(?:(?:take|make)(?: a)? note(?: (?:that|to|of|about))?|note down) (?!this|that|it\b){items}",
        "de": r"(?:notiz|notiere?(?: mir)?(?: dass)?|mach(?:e mir)? eine notiz) {items}",
        "fr": r"(?:prends note(?: que| de)?|note que) {items}",
        "es": r"(?:toma nota|anota)(?: que| de)? {items}",
        "it": r"(?:prendi nota|annota)(?: che| di)? {items}",
    },
}
"""How each thing is asked for, in small letters without signs."""
_NOTES = (
    r"(?:(?:read|show|tell)(?: me)? (?:my|the) notes|what(?:'s| is| are)(?: in)? my notes|(?:lies|zeige?)(?: mir)? "
    r"meine notizen(?: vor)?|lis(?: moi)? mes notes|lee(?:me)? mis notas|leggi(?:mi)? le mie note)"
)
_SOMETHING = (
    r"something|(?:an|this|that|the) item|items|it|this|that|etwas|das|quelque chose|ça|algo|esto|qualcosa|questo"
)
_FILLER = re.compile(
    r"(?:some|the|any|etwas|die|der|das|den|du|de la|des|le|la|les|el|los|las|il|lo|gli|i|del|dello|della|dei|degli|"
    r"delle) (?=\w)|(?:de l'|l'|dell')(?=\w)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*,\s*(?:(?:and|und|et|y|e)\s+)?|\s+(?:and|und|et|y|e)\s+", re.IGNORECASE)


@hookimpl
def assistant_tools(settings: Settings) -> list[Callable[..., Any]]:
    """Return the tools of this plugin."""
    kept = Lists(settings)
    return [
        kept.add_this_to_list,
        kept.add_to_list,
        kept.correct_list,
        kept.take_note,
        kept.remove_from_list,
        kept.is_on_list,
        kept.read_list,
        kept.clear_list,
        kept.begin_list,
        kept.restore_lists,
        kept.name_lists,
    ]


def _patterns(wanted: str) -> str:
    """Return a regular expression of all ways to ask for something, in which each group has a number of its own."""
    ways = []
    for number, (language, way) in enumerate(_WANTED[wanted].items()):
        written = way
        for repeated in range(way.count("{items}")):
            written = written.replace("{items}", rf"(?P<items_{number}{repeated}>.+?)", 1)
        for repeated in range(way.count("{list}")):
            named = _LIST[language].replace("<name>", f"<name_{number}{repeated}>")
            written = written.replace("{list}", named, 1)
        ways.append(written.replace("<name>", f"<name_{number}9>"))
    return rf"{_PLEASE}(?:{'|'.join(ways)}){_END}"


class Lists:
    """The lists of this and earlier conversations; "the list" is the one that was spoken of last."""

    def __init__(self, settings: Settings) -> None:
        self._kept = Kept("lists", settings, dict[str, list[str]](), _read)
        self._last = "shopping"
        self._added: tuple[str, list[str]] = "shopping", []
        """The list to which something was put last, and what."""
        self._before: dict[str, list[str]] = {}
        """All lists as they were before the last change."""

    def add_to_list(self, items: str, name: str = "", language: str = "en") -> str:
        """Put something on a list."""
        return self._add(items, self._key(name), language)

    def _add(self, items: str, key: str, language: str, instead: Collection[str] = ()) -> str:
        parts = _parts(items, key)
        if any(re.fullmatch(_SOMETHING, part.lower()) for part in parts):
            return self._say("begun", key, language)
        with self._kept.alone():
            lists = self._kept.load()
            there = [one for one in lists.get(key, []) if one not in instead]
            new = [part for part in parts if part.lower() not in map(str.lower, there)]
            self._keep({**lists, key: [*there, *new]})
            self._added = key, new
        return self._say("added" if new else "there", key, language, new or parts)

    def correct_list(self, items: str, language: str = "en") -> str:
        """Put something else on the list than what was put there last."""
        key, before = self._added
        return self._add(items, key, language, before)

    def add_this_to_list(self, context: ToolContext, name: str = "", language: str = "en") -> str:
        """Put on a list what the camera sees, where its name is sure enough."""
        labels = context.percept.labels if context.percept is not None else ()
        if not labels or labels[0].probability < LIKELY:
            return _said("unseen", language)
        seen = translate(labels[0].label, language) or labels[0].label
        return self.add_to_list(re.sub(r"^(?:eine?n?|une?|un[ao]|un') ?(?=\w)", "", seen), name, language)

    def remove_from_list(self, items: str, name: str = "", language: str = "en") -> str:
        """Take something off a list."""
        if (key := self._known(name)) is None:
            return _said("unknown", language)
        parts = _parts(items, key)
        with self._kept.alone():
            lists = self._kept.load()
            gone = [one for one in lists.get(key, []) if any(mentions(one, part, language) for part in parts)]
            self._keep({**lists, key: [one for one in lists.get(key, []) if one not in gone]})
        return self._say("gone" if gone else "no", key, language, gone)

    def is_on_list(self, items: str, name: str = "", language: str = "en") -> str:
        """Tell whether something is on a list."""
        if (key := self._known(name)) is None:
            return _said("unknown", language)
        there = self._kept.load().get(key, [])
        wanted = _parts(items, key)
        found = all(any(mentions(one, part, language) for one in there) for part in wanted)
        return self._say("yes" if found else "no", key, language)

    def take_note(self, items: str, language: str = "en") -> str:
        """Write a note down, on the list of notes."""
        return self.add_to_list(items, "notes", language)

    def read_list(self, name: str = "", language: str = "en") -> str:
        """Read a list."""
        if (key := self._known(name)) is None:
            return _said("unknown", language)
        there = self._kept.load().get(key, [])
        return self._say("read" if there else "empty", key, language, there)

    def clear_list(self, name: str = "", language: str = "en") -> str:
        """Delete a list."""
        if (key := self._known(name)) is None:
            return _said("unknown", language)
        with self._kept.alone():
            self._keep({name: items for name, items in self._kept.load().items() if name != key})
        return self._say("cleared", key, language)

    def begin_list(self, name: str = "", language: str = "en") -> str:
        """Ask what shall stand on a new list."""
        key = self._key(name)
        with self._kept.alone():
            lists = self._kept.load()
            there = lists.get(key, [])
            self._keep({**lists, key: there})
        return self._say("read" if there else "begun", key, language, there)

    def restore_lists(self, language: str = "en") -> str:
        r"""Undo the last change of a list.

        Verbatim only: (?:please )?(?:restore|bring back) (?:my|the) (?:\w+ ){0,3}list

        Again: (?:no )?(?:please )?(?:undo(?: (?:that|it))?|(?:put|bring) it back|no don't|mach das rückgängig|
        annule ça|deshazlo|annulla)
        """
        with self._kept.alone():
            self._keep(self._before)
        return self.read_list("", language)

    def name_lists(self, language: str = "en") -> str:
        r"""Tell which lists there are.

        Verbatim only: (?:(?:please|can you|tell me) )*(?:(?:what|which)(?: are my)? lists?
        (?: do i have| have i(?: got)?| i have)?|(?:read|show)(?: me)? my lists|welche listen (?:habe ich|gibt es)|
        quelles listes (?:ai je|y a t il)|qué listas tengo|(?:quali|che) liste ho)
        """
        names = [name for name, items in self._kept.load().items() if items]
        if not names:
            return _said("none", language)
        return _said("lists", language, items=_joined([_called(name, language) for name in names], language))

    add_to_list.__doc__ = f"""{add_to_list.__doc__}

        Verbatim only: {_patterns("add")}

        Again: (?:and|also|und|et|y|e|auch) (?P<items>(?!(?:{_OTHERWISE})\\b)\\w+(?: \\w+){{0,4}}){_END}
        """
    correct_list.__doc__ = f"""{correct_list.__doc__}

        Verbatim only: {_PLEASE}(?:change|replace) the last (?:item|one|entry)(?: on (?:my|the) list)?
        (?: to| with| by) (?P<items_2>\\w+(?: \\w+){{0,4}}){_END}

        Again: (?:no|nein|non) (?:(?:i (?:said|meant)|ich (?:sagte|meinte)|j'ai dit|dije|ho detto) )?
        (?P<items>(?!(?:{_OTHERWISE}|thanks?|don't|need|more|not|problem|worries|danke|merci|gracias|grazie)\\b)
        \\w+(?: \\w+){{0,4}}){_END}
        """
    add_this_to_list.__doc__ = f"{add_this_to_list.__doc__}\n\n        Verbatim only: {_patterns('add_this')}\n"
    remove_from_list.__doc__ = f"{remove_from_list.__doc__}\n\n        Verbatim only: {_patterns('remove')}\n"
    is_on_list.__doc__ = f"{is_on_list.__doc__}\n\n        Verbatim only: {_patterns('holds')}\n"
    take_note.__doc__ = f"{take_note.__doc__}\n\n        Verbatim only: {_patterns('note')}\n"
    read_list.__doc__ = (
        f"{read_list.__doc__}\n\n        Verbatim only: {_patterns('read')}|{_PLEASE}(?P<name>{_NOTES}){_END}\n"
    )
    clear_list.__doc__ = f"{clear_list.__doc__}\n\n        Verbatim only: {_patterns('clear')}\n"
    begin_list.__doc__ = f"{begin_list.__doc__}\n\n        Verbatim only: {_patterns('begin')}\n"

    def _key(self, name: str) -> str:
        """Return the name of a list as it is kept."""
        said = " ".join(re.findall(r"[\w']+", name.lower()))
        if re.fullmatch(_NOTES, said):
            said = "notes"
        self._last = next((kind for kind, names in _KINDS.items() if re.fullmatch(names, said)), said or self._last)
        return self._last

    def _known(self, name: str) -> str | None:
        """Return the name of a list as it is kept, or ``None`` where there is none of that name."""
        before = self._last
        if (key := self._key(name)) in _KINDS or key in self._kept.load():
            return key
        self._last = before
        return None

    def _keep(self, lists: dict[str, list[str]]) -> None:
        self._before = self._kept.load()
        self._kept.save(lists)

    @staticmethod
    def _say(what: str, name: str, language: str, items: Any = ()) -> str:
        told = "; ".join(items) if name == "notes" else _joined(list(items), language)
        return _said(what, language, items=told, list=_called(name, language))


def _read(written: Any) -> dict[str, list[str]]:
    """Return the lists that stand in a file. Raises :class:`ValueError` where there are none."""
    if not all(isinstance(items, list) and all(isinstance(item, str) for item in items) for items in written.values()):
        raise ValueError("a list holds something else than words")
    return dict(written)


def _parts(items: str, name: str) -> list[str]:
    """Return the things that are named; what is to be done, or noted, stays whole."""
    parts = [items] if name in ("to do", "notes") else _BETWEEN.split(items)
    parts = [part.strip(" .,;:") for part in parts]
    if name != "shopping":
        return parts
    return [part[filler.end() :] if (filler := _FILLER.match(part)) else part for part in parts]


def _joined(items: list[str], language: str) -> str:
    return SAID.get(language, SAID["en"])["and"].join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def _called(name: str, language: str) -> str:
    said = SAID.get(language, SAID["en"])
    other = said["other"].format(name=name)
    return said.get(name, other[0].upper() + other[1:] if language == "de" else other)


def _said(what: str, language: str, **parts: str) -> str:
    return SAID.get(language, SAID["en"])[what].format(**parts)
