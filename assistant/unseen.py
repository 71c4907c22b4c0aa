"""What a question asks for and the eyes do not tell: a thing ("Is there a lamp?" over a bathtub), or how heavy it is.

The eyes do not know every thing, so this is no claim that it is not there; but told so, a small language model says
that it does not see it, where it would otherwise agree, or deny that it sees at all, or invent a size. English.
"""

from __future__ import annotations

import re

from .fusion.content import ENGLISH, IRREGULAR, singular

_ASKED = re.compile(
    r"\b(?:(?:is|are) there(?: also)?|(?:can|do|could|did) (?:you|i) see|see|where(?:'s| is| are)|find|how many|"
    r"what colou?rs? (?:is|are)|(?:what's|what is) the colou?r of|^(?:is|are)(?= (?:my|the|your)))"
    r"(?: (?:an?|any|the|my|your|our|some))? (?!(?:this|that|these|those)\b)(?P<thing>\w+)(?: (?P<more>\w+))?",
    re.IGNORECASE,
)
_SOMEBODY = re.compile(
    r"\b(?:what(?:'s| is| are| does| do)|is|are|does|how (?:old|tall) (?:is|are)) (?:he|she|the (?P<who>\w+)) "
    r"(?:\w+ )?(?:doing|wearing|holding|carrying|look\w*|smiling|alone|sitting|standing|old|young)\b|"
    r"\bhow (?:old|tall) (?:is|are) (?:he|she)\b|"
    r"\bwho(?:'s| is| are) (?:(?:in|on|at) (?:(?:the|this|my) )?"
    r"(?:picture|photo|image|room|front|door|background|scene)|(?:this|that|there|here|he|she)\W*$)|\bwhat clothes\b|"
    r"\b(?:his|her) (?:hair|clothes|face|shirt|jacket|eyes|hands?)\b",
    re.IGNORECASE,
)
"""A question about somebody, "he" or "she" or by a name that may be a person's."""
_PEOPLE = frozenset(
    "people person anybody anyone somebody someone man woman boy girl child kid lady adult baby toddler player "
    "skateboarder biker surfer skier crowd".split()
)
_CLOTHES = frozenset(
    "apron bathrobe belt bikini blouse boot cap clothe coat costume dres glasse glove hat helmet hoodie jacket jean "
    "jersey kimono outfit pajama pant parka robe scarf shirt shoe short skirt suit sunglasse sweater sweatshirt "
    "swimsuit top trunk tuxedo underwear uniform vest wetsuit".split()
)
"""Words for what people wear, as :func:`_single` leaves them."""
_HELD = re.compile(r"\bwhat\b.*\b(?:i|i'm)\b.*\b(?:holding|in my hands?)\b", re.IGNORECASE)
_HOLDING = frozenset("hold hand holding held carry carrie carrying".split())
"""A caption of people of whom none holds anything shows no hand of who asks."""
_KINDS = frozenset(
    "thing things anything something nothing object objects item items colour colours color colors kind animal animals "
    "furniture food fruit fruits vegetable vegetables drink drinks clothes clothing product room picture pictures "
    "photo camera light lights text word words letter letters number numbers code time way place side left right top "
    "bottom middle front back me it them one ones much more else here there "
    "earth world sun moon stars sky sea ocean weather universe internet heart liver brain lungs stomach".split()
)
"""Words that name no single thing, what the eyes give no name to and other means tell, and what nobody holds up."""
_UNTOLD = (
    (r"how (?:big|large|small|tall|wide|high|thick|deep)|how long (?:is|are)|what size|size (?:is|are|of)", "size"),
    (r"how heavy|weigh\w*|weight|heavier", "weight"),
    (r"how (?:far|close|near)|distance", "distance"),
    (r"how (?:old|young)", "age"),
    (r"how (?:hot|cold|warm)|(?:is|are) (?:it|this|that|they|these|those) (?:too |still |very )?(?:hot|cold|warm)|"
     r"temperature", "temperature"),
    (r"how much (?:is|are|does|do|did)|cost|expensive|worth", "price"),
    (r"made of|made from|material", "material"),
    (r"smell\w*|taste\w*", "smell and taste"),
    (r"(?:still )?(?:fresh|ripe|rotten|mou?ldy|gone off|gone bad|spoil\w*)|still good", "freshness"),
    (r"(?:can|could|may|should) (?:i|we|you|one|people) (?:eat|drink) (?:this|that|these|those|it|them|the)",
     "whether that can be eaten"),
    (r"(?:is|are|looks?) (?:\w+ )?(?:\w+ )?(?:clean|dirty)", "whether that is clean"),
)  # fmt: skip
"""Questions about what a picture as the eyes read it does not tell, and what they ask for."""
_THIS = re.compile(
    r"\b(?:this|these|here)\b(?! (?:week|month|year|morning|evening|afternoon|weekend|time|late|early)\b)",
    re.IGNORECASE,
)
_IT = re.compile(
    r"\b(?:it|that|those|they|them|he|she)\b(?!.* (?:take|to|until|till|from|since|outside|today)\b)", re.IGNORECASE
)
"""Words for something in the picture; "it" may stand for nothing: "How long does it take to boil an egg?"."""


def about_somebody(question: str) -> bool:
    """Return whether a question is about somebody whom it does not name: "What is he doing?"."""
    return _SOMEBODY.search(question) is not None


def untold(told: str, question: str, first: bool = True) -> str:
    """Return what a question asks of something in the picture that the eyes cannot tell of anything; else nothing.

    ``told`` is the note on the picture. "It" and "that" are something in the picture only in the ``first`` question, or
    where the one before was about the picture as well: the caller knows.

    >>> untold("probably a candle in the centre.", "How heavy is this?")
    'weight'
    >>> untold("probably a candle in the centre.", "How heavy is the candle?")
    'weight'
    >>> untold("probably a candle in the centre.", "How heavy is an elephant?")
    ''
    """
    asked = next((what for signs, what in _UNTOLD if re.search(rf"\b(?:{signs})\b", question, re.IGNORECASE)), "")
    if not asked or _THIS.search(question) or (first and _IT.search(question)):
        return asked
    things = {_single(word) for word in re.findall(r"(?<=\bthe )\w+", question.lower())}
    return asked if things & _named(told) else ""


def _named(told: str) -> set[str]:
    return {_single(word) for word in re.findall(r"\w+", told.lower())}


def unseen(told: str, question: str) -> str:
    """Return the thing that a question asks for and the note on the picture, ``told``, does not name; else nothing.

    >>> unseen("probably a bathtub at the left.", "Is there a lamp on the wall?")
    'lamp'
    >>> unseen("A man rides a horse.", "Are there any people?")
    ''
    """
    named = _named(told)
    if _HELD.search(question):
        return "hand" if named & _PEOPLE and not named & _HOLDING else ""
    if somebody := _SOMEBODY.search(question):
        if _single((somebody["who"] or "person").lower()) not in _PEOPLE:
            return ""
        if not named & _PEOPLE:
            return "person"
        return "clothes" if "wear" in question.lower() and not named & _CLOTHES else ""
    match = _ASKED.search(question)
    if match is None:
        return ""
    first, second = match["thing"].lower(), (match["more"] or "").lower()
    described = match[0].lower().startswith(("is there", "are there")) and second and second not in ENGLISH
    thing = second if described else first  # "a red car", but "my tie straight"
    if thing in _KINDS or thing in ENGLISH:
        return ""
    return "" if _single(thing) in named or (_single(thing) in _PEOPLE and named & _PEOPLE) else thing


def _single(word: str) -> str:
    return singular(word, _PEOPLE) if word in IRREGULAR else word.removesuffix("s")
