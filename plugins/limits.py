"""What the assistant cannot do, in languages other than English, in which a small model asks tools about it instead.

A plugin of yours that can do one of these in your language: give it a line ``Verbatim:``, or put ``limits`` into
``plugins.disabled``.
"""

from __future__ import annotations

from collections.abc import Callable

from assistant import hookimpl
from assistant.topics import Topics

_WEATHER = {
    "de": r"wie (?:wird|ist)(?: (?:heute|morgen))? das wetter(?: (?:heute|morgen|draußen|am wochenende|hier))*"
    r"|(?:regnet|schneit) es(?: (?:heute|morgen|draußen))*"
    r"|wird es(?: (?:heute|morgen|noch))* (?:regnen|schneien|warm|kalt|heiß|sonnig)(?: werden)?"
    r"|wie (?:warm|kalt|heiß) (?:ist|wird) es(?: (?:heute|morgen|draußen))*"
    r"|brauche ich(?: (?:heute|morgen))* einen (?:regen)?schirm(?: (?:heute|morgen))*",
    "fr": r"quel temps (?:fait il|fera t il|va t il faire|il fait)(?: (?:aujourd'hui|demain|dehors|ce week end))*"
    r"|(?:quelle est la |donne moi la )?météo(?: (?:d'|de )?(?:aujourd'hui|demain))*"
    r"|(?:est ce qu'il va pleuvoir|est ce qu'il pleut|va t il pleuvoir|pleut il)(?: (?:aujourd'hui|demain|dehors))*",
    "es": r"qué (?:tiempo|clima) (?:hace|hará|va a hacer)(?: (?:hoy|mañana|fuera))*"
    r"|cómo (?:está|estará) el (?:tiempo|clima)(?: (?:hoy|mañana|fuera))*"
    r"|(?:va a llover|lloverá|llueve)(?: (?:hoy|mañana|fuera))*",
    "it": r"che tempo (?:fa|farà)(?: (?:oggi|domani|fuori))*|(?:com'è|come sarà) il tempo(?: (?:oggi|domani|fuori))*"
    r"|(?:pioverà|piove|va a piovere)(?: (?:oggi|domani|fuori))*",
}
_CALLS = {
    "de": r"rufe? (?:bitte )?(?:meine[nm]? |den |die |das |bei )?\w+(?: \w+)? an"
    r"|(?:schreibe?|schicke?|sende) (?:\w+ ){1,3}eine (?:nachricht|e ?mail|mail|sms)(?: .+)?"
    r"|(?:schreibe?|schicke?|sende) eine (?:nachricht|e ?mail|mail|sms) an .+",
    "fr": r"(?:appelle|téléphone à) (?!moi)(?:mon |ma |mes |le |la |un |une )?\w+(?: \w+)?"
    r"|(?:envoie|écris) un (?:message|mail|e mail|sms) à .+",
    "es": r"(?:llama|telefonea) a (?:mi |mis |la |un |una )?\w+(?: \w+)?"
    r"|(?:envía|manda|escribe)(?:le)? un (?:mensaje|correo|sms) a .+",
    "it": r"(?:chiama|telefona a) (?!mi\b)(?:mia |mio |il |la |un |una )?\w+(?: \w+)?"
    r"|(?:invia|manda|scrivi) un (?:messaggio|e ?mail|sms) a .+",
}
_DEVICES = {
    "de": r"(?:mache?|schalte?) (?:das |die |den |mein\w* )?(?!timer|wecker)\w+(?: im \w+| in der \w+)? (?:an|aus|ein)"
    r"|(?:mache?|öffne|schließe?) (?:das |die |den )?(?:fenster|tür|rollo|vorhang)(?: (?:auf|zu))?",
    "fr": r"(?:allume|éteins) (?!le (?:minuteur|réveil))(?:le |la |les |l')?\w+(?: \w+){0,3}"
    r"|(?:ouvre|ferme) (?:la |les |le )?(?:fenêtre|porte|volets|rideaux)",
    "es": r"(?:enciende|apaga) (?!la alarma|el (?:temporizador|despertador))(?:la |las |el |los )?\w+(?: \w+){0,3}"
    r"|(?:abre|cierra) (?:la |las |el )?(?:ventana|puerta|persiana|cortina)s?",
    "it": r"(?:accendi|spegni) (?!la sveglia|il timer)(?:la |le |il |i |l')?\w+(?: \w+){0,3}"
    r"|(?:apri|chiudi) (?:la |le |il )?(?:finestra|porta|tapparella|tenda)",
}
_MUSIC = {
    "de": r"(?:spiele?|mache?)(?: mir)?(?: etwas| bitte| die)? (?:musik|radio|ein lied|lieder)(?: .+)?",
    "fr": r"(?:joue|mets)(?: moi)?(?: de la| un peu de| la| une| des)? (?:musique|radio|chanson)s?(?: .+)?",
    "es": r"(?:pon|reproduce|toca)(?:me)?(?: algo de| un poco de| la| una| el)? (?:música|radio|canción)(?: .+)?",
    "it": r"(?:metti|riproduci|suona)(?:mi)?(?: un po' di| della| la| una)? (?:musica|radio|canzone)(?: .+)?",
}
_NEWS = {
    "de": r"was gibt(?:'s| es) neues(?: in der welt)?|(?:wie sind|was sind|lies mir) die nachrichten(?: vor)?",
    "fr": r"quelles sont les (?:nouvelles|actualités|infos)(?: du jour)?|donne moi les (?:nouvelles|infos|actualités)",
    "es": r"(?:cuáles son|dime|léeme) las noticias(?: de hoy)?|qué (?:noticias hay|hay de nuevo)",
    "it": r"(?:quali sono|dimmi|leggimi) le (?:notizie|novità)(?: di oggi)?|che notizie ci sono",
}
_TOPICS = Topics(
    {"weather": _WEATHER, "music": _MUSIC, "calls": _CALLS, "devices": _DEVICES, "news": _NEWS},
    r"(?:(?:bitte|und|kannst du|s'il te plaît|s'il vous plaît|et|por favor|y|per favore|e) )*",
    r"(?: (?:bitte|s'il te plaît|s'il vous plaît|por favor|per favore))*",
)
_ANSWERS = {
    ("weather", "de"): "Ich habe keinen Wetterbericht, weil ich ohne Internet arbeite.",
    ("weather", "fr"): "Je n'ai pas de bulletin météo, car je fonctionne sans internet.",
    ("weather", "es"): "No tengo el parte meteorológico, porque funciono sin internet.",
    ("weather", "it"): "Non ho le previsioni del tempo, perché funziono senza internet.",
    ("calls", "de"): "Ich kann nicht anrufen und keine Nachrichten schicken. Bitte nehmen Sie dafür Ihr Telefon.",
    ("calls", "fr"): "Je ne peux ni appeler ni envoyer de messages. Prenez votre téléphone pour cela, s'il vous plaît.",
    ("calls", "es"): "No puedo llamar ni enviar mensajes. Use su teléfono para eso, por favor.",
    ("calls", "it"): "Non posso telefonare né inviare messaggi. Usi il suo telefono, per favore.",
    ("devices", "de"): "Ich kann nichts ein- oder ausschalten und nichts öffnen, nur sprechen und sehen.",
    ("devices", "fr"): "Je ne peux rien allumer, éteindre ni ouvrir, seulement parler et regarder.",
    ("devices", "es"): "No puedo encender, apagar ni abrir nada, solo hablar y mirar.",
    ("devices", "it"): "Non posso accendere, spegnere o aprire niente, solo parlare e guardare.",
    ("music", "de"): "Ich kann keine Musik und kein Radio spielen, nur sprechen und sehen.",
    ("music", "fr"): "Je ne peux pas mettre de musique ni la radio, seulement parler et regarder.",
    ("music", "es"): "No puedo poner música ni la radio, solo hablar y mirar.",
    ("music", "it"): "Non posso mettere musica né la radio, solo parlare e guardare.",
    ("news", "de"): "Nachrichten habe ich keine, weil ich ohne Internet arbeite.",
    ("news", "fr"): "Je n'ai pas les nouvelles, car je fonctionne sans internet.",
    ("news", "es"): "No tengo noticias, porque funciono sin internet.",
    ("news", "it"): "Non ho notizie, perché funziono senza internet.",
}


@hookimpl
def assistant_tools() -> list[Callable[..., str]]:
    """Return the tool of this plugin."""
    return [tell_limits]


def tell_limits(question: str) -> str:
    """Tell that something is not possible."""
    return _ANSWERS[_TOPICS.meant(question)]


tell_limits.__doc__ = f"{tell_limits.__doc__}\n\n    Verbatim only: {_TOPICS.pattern}\n"
