"""Arithmetic, by walking the syntax tree of an expression; nothing is ever evaluated as code."""

from __future__ import annotations

import ast
import math
import operator
import re

from assistant import hookimpl

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
    except ZeroDivisionError:
        raise ValueError("nothing can be divided by zero") from None
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


@hookimpl
def assistant_tools():
    """Return the tools of this plugin."""
    return [calculate]
