"""What people say when somebody's health may hang on the reply, and what is answered then.

A small language model answers "My chest hurts and my left arm is numb" with "You may have a cold". Where help is needed
at once it is not asked at all: the answer stands here. About medicine and safety it is told what to say. A question
about the word ("What is a heart attack?") is no emergency.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

EMERGENCY: Mapping[str, str] = {
    "en": "Please call the emergency number now, 112 in Europe or 911 in America, or shout for help.",
    "de": "Bitte rufen Sie jetzt den Notruf an, in Europa die 112, oder rufen Sie laut um Hilfe.",
    "fr": "Appelez maintenant le numéro d'urgence, le 112 en Europe, ou criez à l'aide.",
    "es": "Llame ahora al número de emergencias, el 112 en Europa o el 911 en América, o grite pidiendo ayuda.",
    "it": "Chiami subito il numero di emergenza, il 112 in Europa, oppure gridi per chiedere aiuto.",
}
FIRE: Mapping[str, str] = {
    "en": "Please get out of there first. Then call the fire brigade, 112 in Europe or 911 in America.",
    "de": "Bitte gehen Sie zuerst dort hinaus. Rufen Sie dann die Feuerwehr an, in Europa die 112.",
    "fr": "Sortez d'abord de là. Appelez ensuite les pompiers, le 112 en Europe.",
    "es": "Primero salga de ahí. Después llame a los bomberos, el 112 en Europa o el 911 en América.",
    "it": "Prima esca da lì. Poi chiami i vigili del fuoco, il 112 in Europa.",
}
DESPAIR: Mapping[str, str] = {
    "en": "I'm sorry that you feel so bad. Please talk to somebody now: "
    "call 112 in Europe or 988 in America, or somebody who is close to you.",
    "de": "Es tut mir leid, dass es Ihnen so schlecht geht. Bitte sprechen Sie jetzt mit jemandem: "
    "Rufen Sie die 112 an, oder einen Menschen, der Ihnen nahesteht.",
    "fr": "Je suis désolé que vous alliez si mal. Parlez à quelqu'un maintenant : "
    "appelez le 112, ou une personne qui vous est proche.",
    "es": "Siento que se encuentre tan mal. Hable con alguien ahora: "
    "llame al 112 en Europa o al 988 en Estados Unidos, o a una persona cercana.",
    "it": "Mi dispiace che stia così male. Parli subito con qualcuno: "
    "chiami il 112, oppure una persona che le è vicina.",
}
"""By language: what is answered in danger, where it burns, and to somebody who does not want to live."""
MEDICINE = "\n[Say only: I can't judge medicine, please ask your doctor or a pharmacist.]"
SAFETY = (
    "\n[You cannot judge safety. Say only that you cannot tell whether it is safe and must not be relied on for that.]"
)
"""Notes for a language model, in English; its reply is in the language of the question."""

_DRUGS = (
    r"(?:medic\w*|drugs?|pills?|tablets?|aspirin|ibuprofen|paracetamol|acetaminophen|antibiotics?|insulin|"
    r"painkillers?|blood thinners?|medikament\w*|tabletten?|pillen?|schmerzmittel|médicaments?|comprimés?|"
    r"pastillas?|medicinas?|medicin\w+|pastiglie|compresse)"
)
_DESPAIR = (
    r"kill myself|end my life|(?:want|wish) (?:to die|(?:i|to) (?:was|were|be) dead)|i\b.{0,30}\bsuicid\w+|"
    r"(?:don't|do not|no longer) want to (?:live|be alive)|(?:to|will|might|could|i'll) hurt myself|"
    r"mich umbringen|mir das leben nehmen|nicht mehr leben|sterben will|will sterben|"
    r"me suicider|me tuer|(?:veux|envie de) mourir|suicidarme|quiero morir|uccidermi|voglio morire"
)
_FIRE = (
    r"(?:is|are|am|i'm|it's|caught) on fire|"
    r"there(?:'s| is) (?:a )?(?:fire|smoke)(?! \w*(?:station|engine|place|alarm))|"
    r"smell(?:s|ing)? (?:of )?(?:gas|smoke)|call the fire (?:brigade|department)|"
    r"es brennt|feuer in (?:der|meine[rm]|unsere[rm])|riecht nach gas|(?:ruf\w*|hol\w*) .{0,8}feuerwehr|"
    r"il y a le feu|^au feu|ça sent le gaz|"
    r"appel\w+ les pompiers|hay (?:fuego|un incendio)|huele a gas|llam\w+ a los bomberos|"
    r"c'è un incendio|puzza di gas|chiam\w+ i (?:pompieri|vigili del fuoco)"
)
_SOMEBODY = (
    r"(?:he|she|husband|wife|partner|mother|father|mom|mum|dad|son|daughter|child|baby|brother|sister|grand\w+|friend|"
    r"neighbou?r|man|woman|person|somebody|someone)"
)
_JEMAND = (
    r"(?:er|sie|mann|frau|partner\w*|mutter|vater|mama|papa|sohn|tochter|kind|baby|bruder|schwester|oma|opa|freund\w*|"
    r"nachbar\w*|jemand)"
)
_EMERGENCY = (
    r"(?:can't|cannot|can not|hardly|not|trouble) breath(?:e|ing)?|(?:isn't|stopped) breathing|"
    r"chest (?:hurts|pains?)|pains? in my chest|having a (?:heart attack|stroke|seizure)|"
    r"had a (?:heart attack|stroke)(?!.*\b(?:ago|last|years?|once)\b)|"
    r"(?:is|are|lies|lying|fell|found .{0,20}) unconscious|passed out|i(?:'m| am) dying(?! to| of| for)|"
    rf"{_SOMEBODY}\b.{{0,50}} (?:doesn't|does not|won't) (?:answer|react|respond|wake|move|stop bleeding)"
    r"(?! (?:my|the|his|her|to|in|on))|"
    r"bleed\w* (?:badly|heavily|a lot)|(?:i|he|she|i've) (?:have |has )?overdosed|"
    r"(?:i'm|i am|i was|have been|has been) poisoned|swallowed (?:bleach|poison|a battery)|"
    rf"(?:took|taken|swallowed)\b.{{0,20}}\b(?:too many|too much|whole|all)\b.{{0,15}}\b{_DRUGS}|"
    r"(?:can't|cannot) (?:get|stand) up(?! (?:in|at|early))|fell down the stairs|"
    r"(?:is|are|am|i'm|he's|she's) (?:choking|drowning)|(?:throat|tongue) is swelling|anaphyla\w+|"
    r"(?:burn\w*|cut|hurt) (?:my|him|her)self (?:very )?badly|"
    r"(?:breaking|broke|broken) into (?:my|our|the) (?:house|home|flat|apartment|room)|"
    r"(?:burglar|intruder|stranger)s? in (?:my|our|the) |(?:attack|threaten)ing me|"
    r"(?:call|need|send|get) (?:me )?(?:the police|an ambulance|a doctor(?!'s))|face is drooping|"
    r"(?:bekomme?|kriege?|krieg) keine luft|(?:schmerzen in der|meine) brust|brustschmerzen|bewusstlos|atmet nicht|"
    rf"{_JEMAND}\b.{{0,50}} (?:antwortet|reagiert) nicht(?: mehr)?$|blutet stark|"
    r"kann nicht (?:mehr )?(?:atmen|aufstehen)|"
    r"komme nicht (?:mehr )?hoch|(?:ich|er|sie|mich|sich) .{0,20}vergiftet|einbrecher (?:in|im)|"
    r"(?:ruf\w*|hol\w*|brauch\w*) .{0,8}(?:polizei|krankenwagen|notarzt)|"
    r"(?:peux|arrive) (?:pas|plus) (?:à )?(?:respirer|me relever)|mal à la poitrine|est inconsciente?|"
    r"(?:appel\w+|besoin d') ?(?:la police|une ambulance)|"
    r"no puedo (?:respirar|levantarme)|(?:duele|dolor en) el pecho|está inconsciente|"
    r"(?:llam\w+|necesito) (?:a )?(?:la policía|una ambulancia)|"
    r"non (?:riesco a|posso) (?:respirare|alzarmi)|(?:male|dolore) al petto|"
    r"incosciente|(?:chiam\w+|serve) (?:la polizia|un'ambulanza)"
)
_MEDICINE = (
    rf"(?:can|may|should|must|could|shall|do|how (?:many|much|often)|which|stop|darf|soll|kann|"
    rf"wie (?:viele?|oft)|puis|dois|combien|puedo|debo|cuánt\w+|posso|devo|quant\w+)\b.{{0,60}}\b{_DRUGS}|"
    rf"{_DRUGS}\b.{{0,40}}\b(?:together|alcohol|too many|zusammen|alkohol|dose)"
)
_SAFETY = (
    r"safe(?:ly)?|cross(?:ing)?|traffic|poison\w*|edible|sicher|überqueren|giftig|"
    r"(?:is|are|do|does) (?:it|this|that|these|those|they)\b.{0,20} (?:dangerous|harmful)|"
    r"(?:ist|sind|sieht) (?:das|es|dies\w*|die)\b.{0,20} gefährlich|(?:c'est|est-ce) .{0,12}dangereux|"
    r"(?:es|son|parece) (?:est\w+ )?peligros[oa]s?|(?:è|sono|sembra) (?:quest\w+ )?pericolos[oaie]"
)
_QUESTION = re.compile(
    r"^(?:what (?:is|are|does|do|causes?|happens)|what's|who|when|where|why|which|"
    r"how (?:many|often|old|does|do|did|can)|"
    r"was (?:ist|sind|bedeutet|heißt)|wer|wann|wo|warum|welche\w*|qu'est|que|qui|quand|pourquoi|qué|quién|cuándo|"
    r"por qué|che|chi|quando|perché)\b(?!.*\b(?:my|me|i|mein\w*|ich|mon|ma|mi|mio|mia)\b)",
    re.IGNORECASE,
)
"""Questions about the world, which name a danger without being in it."""


def help_for(question: str, language: str) -> str:
    """Return what is answered where help is needed at once; nothing for all else.

    In English where the language is none of those of :data:`EMERGENCY`.

    >>> help_for("My father is unconscious!", "en") == EMERGENCY["en"]
    True
    >>> help_for("What is a heart attack?", "en")
    ''
    """
    if _QUESTION.search(_plain(question)):
        return ""
    for answers, signs in ((DESPAIR, _DESPAIR), (FIRE, _FIRE), (EMERGENCY, _EMERGENCY)):
        if _speaks_of(signs, question):
            return answers.get(language, answers["en"])
    return ""


def caution(question: str) -> str:
    """Return the note for a question about medicine or safety; nothing for all else.

    >>> caution("Is this mushroom edible?") == SAFETY
    True
    """
    return next((note for note, signs in ((MEDICINE, _MEDICINE), (SAFETY, _SAFETY)) if _speaks_of(signs, question)), "")


def _speaks_of(signs: str, question: str) -> bool:
    return re.search(rf"\b(?:{signs})(?!\w)", _plain(question), re.IGNORECASE) is not None


def _plain(question: str) -> str:
    return question.replace("’", "'").strip(" .!?")
