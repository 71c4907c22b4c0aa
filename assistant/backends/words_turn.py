"""End of turn from words, by whether they are a whole question, order or answer.

Sound alone cannot tell a told story's pause from its end, and short questions often
sound unfinished; the words of English questions and orders can. Other languages are
judged by the recogniser's punctuation only.
"""

from __future__ import annotations

import re

from ..config import Settings
from ..store import Store
from ..types import AudioChunk

WHOLE, SHORT_ANSWER, UNSTOPPED, OPEN, ENUMERATING, DANGLING = 0.96, 0.9, 0.8, 0.2, 0.1, 0.04
"""Probability that the turn is over for each kind of ending."""

_DANGLING = frozenset(
    "a an the this's my your his her its our their and or but nor so because if unless although while whereas than "
    "of to in on at by for from with without into onto about between under over near like as is are am was were be "
    "been has have had do does did can could will would should shall may might must not very really quite more most "
    "i you he she we they it's i'm you're we're they're there's that's who's what's where's how's who whose which when "
    "um uh er hmm please tell describe explain also then maybe just some any every each".split()
)
"""Words after which an English sentence goes on."""

_MAY_END = frozenset(
    "in on for from with about to of at by over under near like do does did am is are was were can could will have "
    "it's you i he she we they who when which please then".split()
)
"""Dangling words that may end a whole question: "What is this for?", "What could I trip over?"."""

_ASKS = re.compile(
    r"^(?:(?:and|so|now|okay|ok|hey|hi|hello|well|oh|um|uh|please|then|but|assistant|computer)[, ]+)*"
    r"(?:"
    r"(?:what|who|whose|which|where|when|why|how)(?:'s|'re|'d|'ll)?\b.*\b(?:is|are|am|was|were|do|does|did|can|could|"
    r"will|would|should|has|have|had|may|might|isn't|aren't|don't|doesn't|didn't|can't)\b.+"
    r"|(?:what|who|where|when|how|why)(?:'s|'re|'d|'ll)\b.+"
    r"|who (?!the|a|an|i|you|he|she|we|they)\w+ .+|what (?:happen|caus|mak|made|com|came|mean|giv|hold|stand)\w* .+"
    r"|which \w+ \w+ .+|(?:how|where|what) to \w+ .+"
    r"|how (?:many|much|old|far|long|about)\b.+|what (?:about|else|time|kind|colou?r|now)\b.*|why not|which one"
    r"|(?:is|are|am|was|were|do|does|did|can|could|will|would|should|has|have|had|may|isn't|aren't|don't|doesn't|"
    r"didn't|can't|won't)\s+(?:it|this|that|these|those|there|he|she|you|we|they|i|the|my|your|his|her|our|their|"
    r"any|anyone|anybody|anything|someone|somebody|something|a|an)\b.+"
    r")",
    re.IGNORECASE,
)
"""English questions, by how they open."""

_ORDERS = re.compile(
    r"^(?:(?:and|so|now|okay|ok|hey|hi|hello|well|oh|um|uh|please|then|but|just|assistant|computer)[, ]+)*"
    r"(?:(?:can|could|would|will) you (?:please )?)?"
    r"(?:tell me|show me|give me|read|describe|explain|look at|find|count|name|spell|say|repeat|translate|add|"
    r"calculate|compute|convert|set|start|stop|open|close|turn|switch|play|pause|remind|call|help me|help|list|check|"
    r"compare|guess|summari[sz]e|write|sing|recommend|search|identify|let me know|get|make|bring|order|send|book|"
    r"put|take|remove|delete|create|change|save|define|cancel|look up|rate|reserve|schedule|solve|draw|pick|choose|"
    r"keep|teach|sort|scan|"
    r"(?:i|we)(?:'d| would) like|(?:i|we) (?:want|need)|(?:i|we)(?:'ll| will) (?:have|take))\b.+",
    re.IGNORECASE,
)
"""English orders, by how they open."""

_HALF = re.compile(
    r"(?:\b(?:tell me|show me|give me|can you|could you|do you know|do you think|i want|i want to know|i would like|"
    r"let me|let me know|look at|what about|how about|what kind|what colou?r|how many|how much|the one|kind of|"
    r"sort of|a lot of|going to|want to|need to|have to|in front|next|because of))$",
    re.IGNORECASE,
)
"""Openings that are not a whole question or order yet."""

_ASKED_ABOUT = re.compile(
    r"\b(?:what|who|where|when|why|how|which)\b(?: \w+)*? (?:it|this|that|these|those|he|she|they|we|you|i|"
    r"(?:the|my|your|his|her|our|their|this|that|these|those) \w+(?: \w+)?) (?:is|are|am|was|were)$"
)
"""A question inside an order, whole with its verb: "Tell me what this is", "Find out where my keys are"."""

_ANSWERS = frozenset(
    "yes no yeah yep nope okay ok sure thanks thank you please stop cancel pause continue resume repeat again slower "
    "faster louder quieter right wrong maybe never mind goodbye bye hello hi hey good morning evening that's all great "
    "not now go on of course".split()
)
"""Short answers are made of these."""


_STOPS = ("?", "？", "؟", ".", "!", "。", "！", "।")
"""Signs at the end of a sentence, those of questions first."""


class WordsTurn:
    """Judges a pause by what was said before it."""

    listens = False

    def __init__(self, settings: Settings, store: Store) -> None:
        pass

    def finished(self, audio: AudioChunk, text: str) -> float:
        """Return the probability in [0, 1] that a person who said ``text`` has finished; the sound is not used."""
        text = text.strip()
        words = re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower().replace("’", "'"))
        if not words:
            return 0.0
        if text.endswith(("...", "…", ",", "-", "–", ":")):
            return ENUMERATING
        said = " ".join(words)
        if len(words) <= 4 and all(word in _ANSWERS for word in words):
            return SHORT_ANSWER
        opens = _ASKS.match(said) is not None
        asks = opens or text.endswith(_STOPS[:3])
        whole = text.endswith(_STOPS if opens else "?")
        orders = _ORDERS.match(said) is not None
        stranded = words[-1] in _MAY_END and len(words) >= 3 and whole
        polite = words[-1] == "please"
        stranded |= orders and text.endswith(_STOPS) and (polite or _ASKED_ABOUT.search(said) is not None)
        if _HALF.search(said) or (words[-1] in _DANGLING and not stranded):
            return DANGLING
        if asks or orders:
            # A recogniser that hears the voice go on leaves out the sign at the end.
            return WHOLE if text.endswith(_STOPS) else UNSTOPPED
        return OPEN
