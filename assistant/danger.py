"""What people say when somebody's health may hang on the reply, and what the language model is told then.

A small language model answers "My chest hurts and my left arm is numb" with "You may have a cold"; with a note that
tells it what to say, it says that. Each note is in English; the reply is in the language of the question. A question
about the word ("What is a heart attack?") is no emergency.
"""

from __future__ import annotations

import re

EMERGENCY = (
    "\n[Emergency. Say only: Please call the emergency number now, 112 in Europe or 911 in America, or shout for help.]"
)
DESPAIR = (
    "\n[Say only: I'm sorry that you feel so bad. Please talk to somebody now: call 112 in Europe or 988 in America, "
    "or somebody who is close to you.]"
)
MEDICINE = "\n[Say only: I can't judge medicine, please ask your doctor or a pharmacist.]"
SAFETY = (
    "\n[You cannot judge safety. Say only that you cannot tell whether it is safe and must not be relied on for that.]"
)

_DRUGS = (
    r"(?:medic\w*|drugs?|pills?|tablets?|aspirin|ibuprofen|paracetamol|acetaminophen|antibiotics?|insulin|"
    r"painkillers?|blood thinners?|medikament\w*|tabletten?|pillen?|schmerzmittel|médicaments?|comprimés?|"
    r"pastillas?|medicinas?|medicin\w+|pastiglie|compresse)"
)
_SIGNS = {
    DESPAIR: r"kill myself|end my life|(?:want|wish) (?:to die|(?:i|to) (?:was|were|be) dead)|suicid\w+|"
    r"(?:don't|do not|no longer) want to (?:live|be alive)|hurt myself|"
    r"mich umbringen|mir das leben nehmen|nicht mehr leben|sterben will|will sterben|"
    r"me suicider|me tuer|(?:veux|envie de) mourir|suicidarme|quiero morir|uccidermi|voglio morire",
    EMERGENCY: r"(?:can't|cannot|can not|hardly|not|trouble) breath\w*|(?:isn't|stopped) breathing|"
    r"chest (?:hurts|pains?)|pains? in my chest|having a (?:heart attack|stroke|seizure)|had a stroke|unconscious|"
    r"passed out|(?:doesn't|does not|won't) (?:answer|react|respond|wake(?: up)?|move|stop bleeding)|"
    r"bleed\w* (?:badly|heavily|a lot)|overdos\w+|poisoned|swallowed (?:bleach|poison|a battery)|"
    r"(?:can't|cannot) (?:get|stand) up|(?:is|are|am|i'm|he's|she's) (?:choking|drowning)|on fire|"
    r"there(?:'s| is) (?:a )?(?:fire|smoke)|smell (?:gas|smoke)|"
    r"(?:burn\w*|cut|hurt) (?:my|him|her)self (?:very )?badly|broken into|burglars?|(?:attack|threaten)ing me|"
    r"call (?:the )?(?:police|fire brigade|fire department)|call an? (?:ambulance|doctor)|face is drooping|"
    r"(?:bekomme?|kriege?|krieg) keine luft|(?:schmerzen in der|meine) brust|brustschmerzen|bewusstlos|atmet nicht|"
    r"(?:antwortet|reagiert) nicht|blutet stark|es brennt|feuer in|kann nicht (?:mehr )?(?:atmen|aufstehen)|"
    r"komme nicht (?:mehr )?hoch|vergiftet|einbrecher|(?:polizei|krankenwagen|notarzt|feuerwehr)|"
    r"(?:peux|arrive) (?:pas|plus) (?:à )?(?:respirer|me relever)|mal à la poitrine|inconscient\w*|"
    r"(?:il y a le|au) feu|(?:la police|une ambulance|les pompiers)|"
    r"no puedo (?:respirar|levantarme)|(?:duele|dolor en) el pecho|inconsciente|hay fuego|"
    r"(?:policía|ambulancia|bomberos)|non (?:riesco a|posso) (?:respirare|alzarmi)|(?:male|dolore) al petto|"
    r"incosciente|c'è un incendio|(?:polizia|ambulanza|pompieri)",
    MEDICINE: rf"(?:can|may|should|must|could|shall|do|how (?:many|much|often)|which|stop|darf|soll|kann|"
    rf"wie (?:viele?|oft)|puis|dois|combien|puedo|debo|cuánt\w+|posso|devo|quant\w+)\b.{{0,60}}\b{_DRUGS}|"
    rf"{_DRUGS}\b.{{0,40}}\b(?:together|alcohol|too many|zusammen|alkohol|dose)",
    SAFETY: r"safe(?:ly)?|cross(?:ing)?|traffic|poison\w*|edible|sicher|überqueren|giftig",
}
_QUESTION = re.compile(
    r"^(?:what (?:is|are|does|do|causes?|happens)|what's|who|when|where|why|which|"
    r"how (?:many|often|old|does|do|did|can)|"
    r"was (?:ist|sind)|wer|wann|wo|warum|welche\w*|qu'est|que|qui|quand|pourquoi|qué|quién|cuándo|por qué|"
    r"che|chi|quando|perché)\b(?!.*\b(?:my|me|i|mein\w*|ich|mon|ma|mi|mio|mia)\b)",
    re.IGNORECASE,
)
"""Questions about the world, which name a danger without being in it."""


def caution(question: str) -> str:
    """Return the note for what somebody's health may hang on; nothing for all else.

    >>> caution("My father is unconscious!") == EMERGENCY
    True
    >>> caution("What is a heart attack?")
    ''
    """
    said = question.replace("’", "'")
    asks = _QUESTION.search(said) is not None
    for note, signs in _SIGNS.items():
        if not (asks and note in (EMERGENCY, DESPAIR)) and re.search(rf"\b(?:{signs})\b", said, re.IGNORECASE):
            return note
    return ""
