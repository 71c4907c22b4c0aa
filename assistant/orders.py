"""What may be said to the assistant itself, at any moment, without the language model."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from .familiar import LANGUAGES, familiar


class Order(StrEnum):
    """A voice command that acts at once."""

    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    REPEAT = "repeat"
    SLOWER = "slower"
    FASTER = "faster"
    LOUDER = "louder"
    QUIETER = "quieter"
    FORGET = "forget"
    """All that was said in this conversation."""


_PHRASES = {
    Order.STOP: "stop|stop it|stop that|stop talking|cancel|cancel that|be quiet|quiet|shut up|enough|that's enough|"
    "never mind|nevermind|stopp|halt|hör auf|sei still|ruhe|genug|schluss|arrête|arrête toi|arrêtez|tais toi|ça suffit|"
    "para|basta|cállate|silencio|fermati|ferma|silenzio|zitto",
    Order.PAUSE: "pause|wait|hold on|one moment|just a moment|pause that|warte|warte mal|einen moment|moment|attends|"
    "attendez|un moment|un instant|espera|un momento|aspetta|un attimo|pausa",
    Order.RESUME: "resume|continue|go on|carry on|keep going|weiter|mach weiter|weitermachen|continuez|vas y|reprends|"
    "continúa|sigue|adelante|continua|vai avanti",
    Order.REPEAT: "repeat|repeat that|repeat it|say that again|say it again|again|once more|what did you say|pardon|"
    "come again|noch einmal|nochmal|noch mal|wiederhole|wiederhole das|wiederhol das|sag das noch einmal|wie bitte|"
    "répète|répétez|encore une fois|repite|repítelo|otra vez|cómo|ripeti|ripetilo|ancora una volta|come hai detto",
    Order.SLOWER: "slower|speak slower|talk slower|slow down|speak more slowly|more slowly|too fast|not so fast|"
    "langsamer|"
    "sprich langsamer|zu schnell|nicht so schnell|moins vite|plus lentement|parle plus lentement|trop vite|"
    "más despacio|habla más despacio|más lento|demasiado rápido|più piano|più lento|parla più lentamente|"
    "più lentamente|"
    "troppo veloce",
    Order.FASTER: "faster|speak faster|talk faster|speed up|too slow|schneller|sprich schneller|zu langsam|plus vite|"
    "parle plus vite|trop lent|más rápido|habla más rápido|demasiado lento|più veloce|parla più veloce|troppo lento",
    Order.LOUDER: "louder|speak up|speak louder|talk louder|volume up|turn it up|turn up the volume|turn the volume up|"
    "lauter|sprich lauter|zu leise|plus fort|parle plus fort|más alto|más fuerte|habla más alto|più forte|"
    "parla più forte|"
    "più alto",
    Order.QUIETER: "quieter|softer|speak more quietly|more quietly|volume down|turn it down|too loud|not so loud|"
    "lower the volume|turn down the volume|turn the volume down|leiser|sprich leiser|zu laut|nicht so laut|moins fort|"
    "parle moins fort|trop fort|más bajo|habla más bajo|demasiado alto|più basso|abbassa la voce|troppo forte",
    Order.FORGET: "forget everything|forget all of it|forget what i said|forget everything i said|"
    "forget this conversation|"
    "forget what i told you|forget everything i told you|forget everything we said|delete this conversation|"
    "delete everything i said|clear the conversation|clear this conversation|start over|start a new conversation|"
    "new conversation|vergiss alles|vergiss alles was ich gesagt habe|vergiss was ich gesagt habe|"
    "lösche dieses gespräch|neues gespräch|oublie tout|oublie ce que j'ai dit|oublie tout ce que j'ai dit|"
    "efface cette conversation|nouvelle conversation|olvida todo|olvídalo todo|olvida lo que he dicho|"
    "borra esta conversación|nueva conversación|dimentica tutto|dimentica quello che ho detto|"
    "cancella questa conversazione|nuova conversazione",
}
"""In five languages."""
_POLITE = re.compile(
    r"^(?:(?:please|okay|ok|hey|now|assistant|computer|and|oh|no|bitte|etwas|ein bisschen|un peu|por favor|un poco|"
    r"per favore|un po'|a (?:bit|little)(?= (?:\w+er|more|too)\b))\b\s*)+"
    r"|\s*\b(?:please|now|a bit|a little|thanks|thank you|bitte|danke|s'il te plaît|s'il vous plaît|merci|por favor|"
    r"gracias|per favore|grazie)$"
)


def bare(text: str) -> str:
    """Return the words of a text in small letters, without the signs between them."""
    return " ".join(re.findall(r"[\w']+", text.lower().replace("’", "'")))


def signed(text: str) -> str:
    """Return a text in small letters without the signs of its sentences; those of numbers stay: "what's 3.5 + 2"."""
    plain = re.sub(r"[¿¡]|[.,;:!?]+(?!\d)", " ", text.lower().replace("’", "'"))
    return " ".join(plain.split())


_ACCENTS = {ord(letter): unicodedata.normalize("NFD", letter)[0] for letter in map(chr, range(0xC0, 0x180))}


def unaccented(text: str) -> str:
    """Return a text without the accents of its letters, as long as before: recognisers leave them out.

    >>> unaccented("qué año für Élise")
    'que ano fur Elise'
    """
    return text.translate(_ACCENTS)


_ORDERS = {unaccented(phrase): order for order, phrases in _PHRASES.items() for phrase in phrases.split("|")}


def order_in(text: str) -> Order | None:
    """Return the voice command that the whole of ``text`` is, if it is one; polite words do not matter."""
    said = bare(text)
    for _ in range(3):
        for form in (said, *(familiar(said, language) for language in LANGUAGES)):
            if (plain := unaccented(form)) in _ORDERS:
                return _ORDERS[plain]
        said = _POLITE.sub("", said).strip()
    # "Stop, stop!" is said by somebody who means it.
    words = said.split()
    for size in range(1, len(words) // 2 + 1):
        if words[size:] == words[:-size]:
            return _ORDERS.get(unaccented(" ".join(words[:size])))
    return None


def is_order(text: str) -> bool:
    """Return whether the whole of ``text`` is a voice command."""
    return order_in(text) is not None
