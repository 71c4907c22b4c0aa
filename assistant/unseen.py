"""The thing that a question asks for and that the eyes do not name: "Is there a lamp?" over a bathtub.

The eyes do not know every thing, so this is no claim that it is not there; but told so, a small language model says
that it does not see it, where it would otherwise agree, or deny that it sees at all. English.
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
_PEOPLE = frozenset(
    "people person anybody anyone somebody someone man woman boy girl child kid lady adult baby toddler player "
    "skateboarder biker surfer skier crowd".split()
)
_KINDS = frozenset(
    "thing things anything something nothing object objects item items colour colours color colors kind animal animals "
    "furniture food fruit fruits vegetable vegetables drink drinks clothes clothing product room picture pictures "
    "photo camera light lights text word words letter letters number numbers code time way place side left right top "
    "bottom middle front back me it them one ones much more else here there "
    "earth world sun moon stars sky sea ocean weather universe internet heart liver brain lungs stomach".split()
)
"""Words that name no single thing, what the eyes give no name to and other means tell, and what nobody holds up."""


def unseen(told: str, question: str) -> str:
    """Return the thing that a question asks for and the note on the picture, ``told``, does not name; else nothing.

    >>> unseen("probably a bathtub at the left.", "Is there a lamp on the wall?")
    'lamp'
    >>> unseen("A man rides a horse.", "Are there any people?")
    ''
    """
    match = _ASKED.search(question)
    if match is None:
        return ""
    first, second = match["thing"].lower(), (match["more"] or "").lower()
    described = match[0].lower().startswith(("is there", "are there")) and second and second not in ENGLISH
    thing = second if described else first  # "a red car", but "my tie straight"
    if thing in _KINDS or thing in ENGLISH:
        return ""
    named = {_single(word) for word in re.findall(r"\w+", told.lower())}
    return "" if _single(thing) in named or (_single(thing) in _PEOPLE and named & _PEOPLE) else thing


def _single(word: str) -> str:
    return singular(word, _PEOPLE) if word in IRREGULAR else word.removesuffix("s")
