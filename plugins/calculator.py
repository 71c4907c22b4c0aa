"""Arithmetic, by walking the syntax tree of an expression; nothing is ever evaluated as code."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping

from assistant import hookimpl
from assistant.spoken_numbers import NUMBER, number, said_number

LONGEST = 200
"""Characters of an expression."""

LARGEST = 1e15
"""Amount from which a number is no longer exact when it is spoken."""

_TWO = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_ONE = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_FUNCTIONS = {"sqrt": math.sqrt, "abs": abs, "round": round, "min": min, "max": max, "sin": math.sin, "cos": math.cos}
_CONSTANTS = {"pi": math.pi, "e": math.e}

_WORDS = (
    (r"(?<=\d),(?=\d{3}\b)", ""),
    (r"(?<=[\d) ])[×x](?=\s*[\d(])|\btimes\b|\bmultiplied by\b", "*"),
    (r"÷|\bdivided by\b|\bover\b", "/"),
    (r"\bplus\b", "+"),
    (r"−|\bminus\b", "-"),
    (r"\bto the power of\b|\^", "**"),
    (r"\bsquared\b|²", "**2"),
    (r"\bcubed\b|³", "**3"),
    (r"(?:the )?square root of\s*(\d+(?:\.\d+)?)", r"sqrt(\1)"),
    (r"√\s*(\d+(?:\.\d+)?)", r"sqrt(\1)"),
    (r"(\d+(?:\.\d+)?)\s*(?:%|percent)\s*of\b", r"\1/100*"),
    (r"([+-])\s*(\d+(?:\.\d+)?)\s*(?:%|percent)(?!\s*\d)", r"*(1\1\2/100)"),
    (r"(\d+(?:\.\d+)?)\s*(?:%(?!\s*[\d(])|percent)", r"(\1/100)"),
)
"""How people write and say sums, and what Python writes instead."""


def calculate(expression: str) -> str:
    r"""Work out a sum such as "12.5 * (3 + 4)", "15% of 80", "sqrt(2)" or "2 ** 10".

    Example: How much is 14 times 32? -> calculate(expression="14 * 32")
    Example: How many years are in six centuries? -> calculate(expression="6 * 100")

    When: ^(?=.*(?:[+*×÷^√%=]|\d\s*[-/]\s*[\d(]|\b(?:plus|minus|times|multipl\w+|divid\w+|percent|squared?|cubed?|root|
    sum|total|add|subtract|calculat\w+|comput\w+|convert|split|share|left|work\sout|
    how\s(?:many|much|old|long|far|big|large|often)|what(?:'s|\s(?:is|are|do|does|did|will|would)))\b))
    (?=.*(?:\d|\b(?:half|quarter|thirds?|twice|double|dozen|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|
    (?:thir|four|fif|six|seven|eigh|nine)(?:teen|ty)|twenty|forty|hundred|thousand|million)\b))
    """
    if len(expression) > LONGEST:
        raise ValueError(f"the expression is longer than {LONGEST} characters")
    written = expression.strip().rstrip("=? ")
    for pattern, replacement in _WORDS:
        written = re.sub(pattern, replacement, written, flags=re.IGNORECASE)
    try:
        tree = ast.parse(written.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{expression!r} is not a sum") from None
    try:
        return _written(_value(tree.body))
    except ZeroDivisionError as error:
        raise ValueError("nothing can be divided by zero") from error
    except OverflowError:
        raise ValueError("the result is too large") from None


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _bounded(value)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _TWO:
            return _bounded(_TWO[type(op)](_value(left), _value(right)))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _ONE:
            return _ONE[type(op)](_value(operand))
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as arguments, keywords=[]) if name in _FUNCTIONS:
            return _bounded(_called(name, [_value(argument) for argument in arguments]))
    raise ValueError(f"only numbers, + - * / ** and {', '.join(_FUNCTIONS)} can be calculated")


def _called(name: str, values: list[float]) -> float:
    if name == "round" and len(values) == 2:
        values = [values[0], int(values[1])]
    elif name in ("min", "max") and len(values) == 1:
        return values[0]
    try:
        return _FUNCTIONS[name](*values)
    except (TypeError, ValueError):
        raise ValueError(f"{name} cannot be worked out for {', '.join(map(_written, values))}") from None


def _power(base: float, exponent: float) -> float:
    if base and abs(exponent) * abs(math.log10(abs(base))) > 300:
        raise OverflowError
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("a negative number has no such root")
    return _bounded(result)


def _bounded(value: float) -> float:
    if not math.isfinite(value) or abs(value) > 1e300:
        raise OverflowError
    return value


def _written(value: float) -> str:
    if abs(value) >= LARGEST or 0 < abs(value) < 1e-6:
        return f"{value:.6g}"
    rounded = round(value, 10)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.10f}".rstrip("0")


_PERCENT = r"(?:%|percent|prozent|pour ?cent|por ciento|per ?cento)"
_OF = r"(?:of|von|de|del|di)"
_SAYS = {
    "square root of ": r"√|(?:the )?square root of|(?:die )?(?:quadrat)?wurzel (?:aus|von)|"
    "(?:la )?racine (?:carrée )?de|"
    r"(?:la )?raíz (?:cuadrada )?de|(?:la )?radice (?:quadrata )?di",
    "0.5*": r"half of|die hälfte von|la moitié de|la mitad de|la metà di",
    "2*": r"(?:double|twice)(?: of)?|das doppelte von|le double de|el doble de|il doppio di",
    " squared": r"squared|zum quadrat|au carré|al cuadrado|al quadrato|²",
    " cubed": r"cubed|au cube|al cubo|³",
    "% of ": rf"{_PERCENT} {_OF}",
    "%": _PERCENT,
}
"""What :func:`calculate` reads, and how people say it in five languages."""
_BETWEEN = {
    "**": ("to the power of|hoch|puissance|elevado a|alla", r"\^|\*\*"),
    "+": ("plus|added to|más|più", r"\+"),
    "-": ("minus|take away|less|weniger|moins|menos|meno", "[-−]"),
    "*": (
        "times|multiplied by|mal|multipliziert mit|fois|multipliée? par|(?:multiplicado )?por|(?:moltiplicato )?per",
        "[*×x]",
    ),
    "/": (
        "divided by|over|(?:geteilt|dividiert) durch|divisée? par|(?:dividido )?entre|dividido por|diviso(?: per)?",
        "[/÷]",
    ),
}
"""The same between two numbers: words, which stand apart, and signs, which need not."""
_BETWEEN_WORDS, _BETWEEN_SIGNS = ("|".join(said) for said in zip(*_BETWEEN.values(), strict=True))
_SIGNS = {**_SAYS, **{sign: rf"(?<= )(?:{words})(?= )|{signs}" for sign, (words, signs) in _BETWEEN.items()}}
_TOKEN = re.compile(rf" *(?:{'|'.join(f'({pattern})' for pattern in _SIGNS.values())}|({NUMBER}))")
_BEFORE, _AFTER = (
    "|".join(_SAYS[sign] for sign in signs) for signs in (("square root of ", "0.5*", "2*"), (" squared", " cubed"))
)
_AMOUNT = rf"(?:(?:{_BEFORE}) ?)?{NUMBER}(?: ?(?:{_AFTER}|{_SAYS['% of ']} {NUMBER}|{_PERCENT}))?"
_MORE = rf"(?:(?:{_BETWEEN_WORDS}) |(?:{_BETWEEN_SIGNS}) ?){_AMOUNT}"
_SHARE = rf"{NUMBER} ?{_PERCENT}"
_OTHER = rf"{_OF} {NUMBER}"
_SUM = (
    rf"(?:{_AMOUNT}(?:(?: (?:{_BETWEEN_WORDS}) | ?(?:{_BETWEEN_SIGNS}) ?){_AMOUNT})+|(?:{_BEFORE}) ?{NUMBER}|"
    rf"{NUMBER} ?(?:{_AFTER}|{_SAYS['% of ']} {NUMBER}))"
)
_VERBS = {"divide": "divided by", "multiply": "times", "add": "plus", "subtract": "minus", "take": "minus"}
_DONE = rf"({'|'.join(_VERBS)}) ({NUMBER}) (?:by|and|to|with|from) ({NUMBER})"
"""A sum that begins with its verb: "divide 144 by 12"."""
_ASK = (
    r"(?:(?:please|can you|could you|tell me|and|so|okay|bitte|und|et|y|e) )*(?:(?:what(?:'s| is| are)|"
    r"how much (?:is|are)|calculate|work out|was (?:ist|sind|ergibt|macht)|wie ?viel (?:ist|sind|ergibt|macht)|rechne|"
    r"berechne|combien (?:font|fait)|calcule|(?:cuánto|qué) (?:es|son)|calcula|quanto (?:fa|fanno|è)|"
    r"calcola) )?(?:(?:el|il|le) )?"
)
_END = r"(?: ?=| equals?| makes?)?(?: please| bitte| por favor| per favore| s'il te plaît| s'il vous plaît)?"
_TELLS: Mapping[str, tuple[str, str, str]] = {
    "en": ("{sum} is {result}.", "about", "Nothing can be divided by zero."),
    "de": ("{sum} ist {result}.", "ungefähr", "Durch null kann man nicht teilen."),
    "fr": ("{sum} font {result}.", "environ", "On ne peut pas diviser par zéro."),
    "es": ("{sum} son {result}.", "aproximadamente", "No se puede dividir entre cero."),
    "it": ("{sum} fa {result}.", "circa", "Non si può dividere per zero."),
}


class Sums:
    """Sums that are said in so many words; what the last came to is remembered."""

    def __init__(self) -> None:
        self._last = self._result = ""

    def spoken_sum(self, question: str, language: str = "en") -> str:
        """Work out a sum that is said in words, or goes on from the last: "times 3", "and 20 percent"."""
        if done := re.fullmatch(_DONE, question.lower()):
            verb, *numbers = done.groups()
            question = f" {_VERBS[verb]} ".join(reversed(numbers) if _VERBS[verb] == "minus" else numbers)
        elif re.fullmatch(_MORE, question.lower()):
            question = f"{self._result} {question}"
        elif re.fullmatch(_SHARE, question.lower()):
            whole = re.search(rf" ?{_SAYS['% of ']} {NUMBER}$", self._last, re.IGNORECASE)
            question = re.sub(rf" ?{_PERCENT}$", whole[0] if whole else "", question, flags=re.IGNORECASE)
        elif re.fullmatch(_OTHER, question.lower()):
            question = re.sub(rf"\b{_OF} {NUMBER}$", question, self._last, flags=re.IGNORECASE)
        sentence, about, never = _TELLS.get(language, _TELLS["en"])
        try:
            result = float(calculate(_signs(question, language)))
        except ValueError as error:
            if isinstance(error.__cause__, ZeroDivisionError):
                return never
            raise
        self._last, (self._result, exact) = question, said_number(result, language)
        told = sentence.format(sum=question, result=self._result if exact else f"{about} {self._result}")
        return told[0].upper() + told[1:]

    spoken_sum.__doc__ = f"""{spoken_sum.__doc__}

        Verbatim only: {_ASK}(?P<question>{_SUM}|{_DONE}){_END}

        Again: (?:(?:and|what about|how about|then|now|okay|und|et|y|e) )*(?P<question>{_SHARE}|{_OTHER}|{_MORE}){_END}
        """


def _signs(said: str, language: str) -> str:
    """Return a sum in digits and signs."""
    said, written, place = said.lower(), "", 0
    while found := _TOKEN.match(said, place):
        *signs, numeral = found.groups()
        written += next((sign for sign, group in zip(_SIGNS, signs, strict=True) if group), "")
        written += f"{number(numeral, language):.15g}" if numeral else ""
        place = found.end()
    return written


@hookimpl
def assistant_tools() -> list[Callable[..., str]]:
    """Return the tools of this plugin."""
    return [calculate, Sums().spoken_sum]
