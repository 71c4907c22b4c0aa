"""Names, which a small model takes for a question; thanks and jokes in languages in which it knows neither."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from assistant import hookimpl
from assistant.topics import Topics

_PLEASE = r"(?:(?:bitte|kannst du|s'il te plaît|peux tu|por favor|puedes|per favore|puoi) )*"
_THANKED = Topics(
    {
        "thanks": {
            "de": r"(?:(?:vielen|herzlichen|besten) )?danke?(?: (?:schön|sehr|dir|ihnen|vielmals))*",
            "fr": r"merci(?: (?:beaucoup|bien|à toi|à vous|pour tout))*",
            "es": r"(?:muchas |mil )?gracias(?: por todo)?",
            "it": r"(?:grazie|ti ringrazio|la ringrazio)(?: (?:mille|tante|molto|di tutto))*",
        }
    }
)
_HELLO = (
    r"(?:(?:hi|hello|hey|so|well|by the way|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)|"
    r"bonjour|bonsoir|salut|hola|buenos días|buenas tardes|ciao|buongiorno|buonasera) )*"
)
_WORDS = r"[^\W\d_][\w'-]*(?: [^\W\d_][\w'-]*){0,3}"
_PARTICLES = "de del della der den van von zu di da dos la le lo ter ten bin al el y".split()
"""Small words within names."""
_MET = {
    "en": "Nice to meet you, {name}!",
    "de": "Freut mich, {name}!",
    "fr": "Enchanté, {name} !",
    "es": "Mucho gusto, {name}.",
    "it": "Piacere, {name}!",
}
_WELCOME = {"de": "Gern geschehen.", "fr": "Avec plaisir.", "es": "De nada.", "it": "Prego."}
_ASKED = Topics(
    {
        "joke": {
            "de": r"(?:erzähle?|sag)(?: mir| uns)?(?: bitte)? einen witz|kennst du einen (?:guten )?witz|"
            r"noch einen witz",
            "fr": r"raconte(?: moi| nous)? une (?:blague|autre blague)|dis(?: moi)? une blague|tu connais une blague",
            "es": r"(?:cuénta(?:me|nos)|dime) (?:un|otro) chiste|(?:te )?sabes (?:algún|un) chiste",
            "it": r"racconta(?:mi|ci)? (?:una|un'altra) (?:barzelletta|battuta)|conosci una barzelletta",
        }
    },
    _PLEASE,
)
JOKES: Mapping[str, tuple[str, ...]] = {
    "de": (
        "Was ist orange und geht über die Berge? Eine Wanderine.",
        "Warum können Geister so schlecht lügen? Man kann sie durchschauen.",
        "Was macht ein Pirat am Computer? Er drückt die Entertaste.",
        "Fragt eine Kerze die andere: Ist Wasser gefährlich? Sagt die andere: Davon kannst du ausgehen.",
        "Warum trinken Mäuse keinen Alkohol? Sie haben Angst vor dem Kater.",
        "Was sagt ein großer Stift zu einem kleinen? Wachsmalstift!",
    ),
    "fr": (
        "Pourquoi les plongeurs tombent-ils en arrière dans l'eau ? En avant, ils tomberaient dans le bateau.",
        "Quel est le comble pour un électricien ? De ne pas être au courant.",
        "Que dit un citron qui attaque une banque ? Plus un zeste !",
        "Pourquoi le hibou est-il heureux ? Parce que sa femme est chouette.",
        "Comment s'appelle un chat qui va partout ? Un cat-cat.",
        "Pourquoi le livre de maths est-il triste ? Il a trop de problèmes.",
    ),
    "es": (
        "¿Qué hace una abeja en el gimnasio? Zumba.",
        "¿Cuál es el colmo de un jardinero? Que su novia Rosa lo deje plantado.",
        "¿Qué le dice una iguana a su hermana gemela? Somos iguanitas.",
        "¿Por qué está triste el libro de matemáticas? Porque tiene muchos problemas.",
        "¿Cómo se despide un químico? Ácido un placer.",
        "¿Cuál es el colmo de un electricista? Que no le sigan la corriente.",
    ),
    "it": (
        "Che cosa fa un gallo in mare? Galleggia.",
        "Qual è il colmo per un elettricista? Non essere al corrente.",
        "Perché il libro di matematica è triste? Perché ha troppi problemi.",
        "Qual è il colmo per un giardiniere? Piantare la fidanzata.",
        "Qual è il dolce preferito dei fantasmi? Il tiramibù.",
        "Qual è il colmo per un orologiaio? Non avere mai un minuto.",
    ),
}


@hookimpl
def assistant_tools() -> list[Callable[..., str]]:
    """Return the tools of this plugin."""
    return [greet_by_name, answer_thanks, Jokes().tell_joke]


def greet_by_name(name: str, language: str = "en") -> str:
    """Greet somebody who tells their name. Raises :class:`ValueError` where it does not look like one."""
    if not all(word[0].isupper() or word in _PARTICLES for word in re.split("[ -]", name)) or not name[0].isupper():
        raise ValueError(f"{name!r} is no name")
    return _MET.get(language, _MET["en"]).format(name=name)


greet_by_name.__doc__ = f"""{greet_by_name.__doc__}

    Verbatim only: {_HELLO}(?:my name(?: is|'s) (?P<name>{_WORDS})|(?:mein name ist|ich heiße) (?P<name_2>{_WORDS})|
    (?:je m'appelle|mon nom est) (?P<name_3>{_WORDS})|(?:me llamo|mi nombre es) (?P<name_4>{_WORDS})|
    (?:mi chiamo|il mio nome è) (?P<name_5>{_WORDS}))
    """


def answer_thanks(question: str) -> str:
    """Answer thanks."""
    return _WELCOME[_THANKED.meant(question)[1]]


answer_thanks.__doc__ = f"{answer_thanks.__doc__}\n\n    Verbatim only: {_THANKED.pattern}\n"


class Jokes:
    """Tells every joke of a language before one comes again."""

    def __init__(self) -> None:
        self._left: dict[str, list[str]] = {}

    def tell_joke(self, question: str = "", language: str = "en") -> str:
        """Tell a joke."""
        wanted = language if not question else _ASKED.meant(question)[1]
        if not self._left.get(wanted):
            self._left[wanted] = random.sample(JOKES[wanted], len(JOKES[wanted]))
        return self._left[wanted].pop()

    tell_joke.__doc__ = f"""{tell_joke.__doc__}

        Verbatim only: {_ASKED.pattern}

        Again: (?:bitte )?noch (?:einen|einer)|(?:encore une|une autre)(?: blague)?|otro(?: más)?|
        (?:ancora una|un'altra)(?: barzelletta)?
        """
