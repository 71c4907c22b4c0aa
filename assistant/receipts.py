"""What a receipt says, picked from its lines by where they stand and by the words beside the amounts.

A till prints many amounts; the one to pay is found by its keyword, not by its size: what was handed over, the
change, taxes, savings and sums before rounding stand in the same column. Where both what was handed over and
the change are printed, their difference tells which of several totals is meant. English keywords.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from .layout import rows
from .types import TextRegion

AMOUNT = re.compile(r"(?<![\d./-])-?\d{1,3}(?:[, ]?\d{3})*[.,] ?\d{2}(?![\d%])(?!\s*%|[./-]\d)")
"""An amount of money: a number with two decimals that is no part of a date or a rate."""

_NO_TOTAL = re.compile(
    r"\b(?:qty|quantity|items?|ltem\w*|saving\w*|points?|count|pcs|pax)\b"
    r"|(?<!after )\bdisc(?:ounts?)?\b|\bexc\w*|\bb(?:e)?fore\b"
)
_TAX = re.compile(r"\b(?:gst|sst|vat|tax|taxes|service)\b")
_INCLUSIVE = re.compile(r"\binc\w*|\bwith\b|\bw/")
_FINAL = re.compile(r"\bround(?:ed|ing)?\b|\bnett?\b|\bgrand\b|\bpayable\b|\bdue\b|\ba[ft]ter\b|\bto pay\b|\bfinal\b")
_TOTAL = re.compile(r"\btotal|\b(?:amount|amt|balance) (?:due|payable)\b|\bnett? am(?:oun)?t\b|\bto pay\b")
_SUB = re.compile(r"\bsub[ -]?total|\btotal sub")
_ROUNDING = re.compile(r"\bround\w*(?: ?off)?(?: ?(?:adj\w*|amt|amount))?\b")
_PAID = re.compile(r"\b(?:cash|tender\w*|paid|payment|visa|master ?card|debit|credit|bank card)\b")
_NO_PAYMENT = re.compile(r"\bcash(?:ier|ler)|\bcash (?:sales?|bill|&)|\bcredit note\b")
_CHANGE = re.compile(r"\bchange\b")

_CURRENCY = re.compile(
    r"[$€£¥₹]|(?<![a-z])(?:rm|myr|sgd|s\$|usd|eur|gbp|chf|inr|aud|cad|nzd|jpy|cny|pln|sek|nok|dkk)(?=\W|\d|$)",
    re.IGNORECASE,
)

_MONTHS = "|".join(
    name for number in range(1, 13) for name in (calendar.month_name[number], calendar.month_abbr[number])
)
_DATE = re.compile(
    r"(?<![\d/.-])(?:"
    r"(?P<y>(?:19|20)\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"|(?P<d2>\d{1,2})(?P<sep>[-/.])(?P<m2>\d{1,2})(?P=sep)(?P<y2>(?:19|20)?\d\d)"
    rf"|\d{{1,2}}[ -]?(?:{_MONTHS})[a-z]*[ ,-]{{0,2}}'?(?:(?:19|20)\d\d|\d\d)"
    rf"|(?:{_MONTHS})[a-z]* \d{{1,2}},? (?:19|20)\d\d"
    r")(?!\d)",
    re.IGNORECASE,
)

_FIRM = re.compile(r"\b(?:sdn|bhd|s/b|enterprises?|trading|ltd|limited|inc|llc|gmbh|plc|corp\w*)\b")
_FIRM_ALONE = re.compile(rf"^\W*(?:{_FIRM.pattern}\W*)+(?:\([^)]*\))?\W*$")
_NO_FIRM = re.compile(
    r"\b(?:tax|invoice|receipt|welcome|bill|original|copy|cash sales?|date|time|tel|fax|table|thanks?|tq|gst|sst|vat|"
    r"roc|reg)\b|www|\.com|^[^a-z]*$"
)
_STREET = re.compile(
    r"\b(?:no|lot|jalan|jln|jl|lorong|lrg|taman|tmn|street|st|road|rd|avenue|ave|lane|drive|boulevard|blvd|square|"
    r"block|blk|level|floor|flr|plaza|persiaran|seksyen|section|sek|bandar|kampung|kg|batu|off|unit|suite|wisma|"
    r"bangunan|building|tower|city|km)\b|\b\d{5}\b|^\W*\d+[a-z]?(?:-\d+)?,"
)
_AFTER_ADDRESS = re.compile(
    r"\b(?:tel\w*|t:|phone|whatsapp|fax|gst|sst|vat|tax|invoice|receipt|bill|date|time|cashier|table|e-?mail|website|www|http\w*|"
    r"cash sales?|order|hotline|counter|salesperson|document|doc|welcome|customer|member)\b|@|\bwww"
)
_NUMBER_OF_FIRM = re.compile(r"\s*\(?\b(?:[A-Z]{0,3}\d{5,}-?[A-Z]?|\d{3,}-[A-Z])\)?\W*$")
_REGISTRATION = re.compile(
    r"^\W*(?:\(?\s*(?:co\.?|company|roc|reg\w*|business)\b.*|\(?[a-z]{0,4}\d{5,}[- ]?[a-z]?\W*(?:\([^)]*\))?)$|^\(.*\)$"
)
_MOST_ADDRESS_ROWS = 6
_TOP = 8
"""Rows at the top among which the name of the firm stands."""


def fields(regions: Sequence[TextRegion]) -> dict[str, str]:
    """Return ``total``, ``date``, ``company`` and ``address`` of a receipt as far as they are found, as printed.

    Empty where the text is no receipt: there is no amount beside a word for the total.
    """
    lines = [" ".join(region.text for region in row) for row in rows(regions)]
    amount = total(regions)
    if amount is None:
        return {}
    place, company = _company(lines)
    found = {"total": amount, "date": _date(lines), "company": company, "address": _address(lines[place + 1 :])}
    return {name: value for name, value in found.items() if value}


def total(regions: Sequence[TextRegion]) -> str | None:
    """Return the amount to pay as it is printed, without its currency; ``None`` where none is found."""
    candidates: list[tuple[int, str]] = []  # (rank, amount)
    paid: list[Decimal] = []
    change: Decimal | None = None
    for row in rows(regions):
        for words, amount in _labelled(" ".join(region.text for region in row)):
            if _CHANGE.search(words):
                change = _value(amount) if change is None else change
            elif (rank := _rank(words)) is not None:
                # What stands after the payment sums up taxes.
                candidates.append((rank if not paid and change is None else rank - 10, amount))
            elif _PAID.search(words) and not _NO_PAYMENT.search(words):
                paid.append(_value(amount))
    candidates = [one for one in candidates if _value(one[1])] or candidates  # a column read a row too high
    if not candidates:
        return None
    if change is not None:
        due = {value - abs(change) for value in paid} | {sum(paid, Decimal()) - abs(change)}
        if meant := [amount for _, amount in candidates if _value(amount) in due]:
            return _clean(meant[-1])
    best = max(rank for rank, _ in candidates)
    return _clean([amount for rank, amount in candidates if rank == best][-1])


def currency(regions: Sequence[TextRegion]) -> str:
    """Return the currency that most amounts of a receipt bear, as printed; empty where none does."""
    found = [match[0].upper() for region in regions for match in _CURRENCY.finditer(region.text)]
    return max(found, key=found.count) if found else ""


def _labelled(line: str) -> Iterator[tuple[str, str]]:
    """Yield each amount of a line with the words before it, in lower case; of amounts side by side only the last."""
    end, words, amount = 0, "", ""
    for match in AMOUNT.finditer(line):
        between = line[end : match.start()].lower()
        if amount and re.search(r"[a-z]{3}", between):
            yield words, amount
            words = ""
        words, amount, end = words + between, match[0], match.end()
    if amount:
        yield words, amount


def _rank(words: str) -> int | None:
    """Return how surely the words beside an amount mean the sum to pay; ``None`` where they do not."""
    if _NO_TOTAL.search(words):
        return None
    if _SUB.search(words):
        return 0
    if not _TOTAL.search(words):
        return None
    if _ROUNDING.search(words) and _ROUNDING.sub("", words).strip(" :") == "":
        return None
    if _TAX.search(words) and not _INCLUSIVE.search(words):
        return None
    return 3 if _FINAL.search(words) else 1 if _TAX.search(words) else 2


def _value(amount: str) -> Decimal:
    whole, cents = amount[:-2], amount[-2:]
    return Decimal(re.sub(r"[^\d-]", "", whole) + "." + cents)


def _clean(amount: str) -> str:
    return amount.replace(" ", "")


def _date(lines: Sequence[str]) -> str:
    """Return the first date, of those on a line that says "date" if there is one."""
    found = [(not re.search(r"\bdate\b", line, re.IGNORECASE), match[0]) for line in lines for match in _dates(line)]
    return min(found, key=lambda one: one[0])[1] if found else ""


def _dates(line: str) -> list[re.Match[str]]:
    return [match for match in _DATE.finditer(line) if _possible(match)]


def _possible(match: re.Match[str]) -> bool:
    numbers = [int(match[name]) for name in ("d", "m", "d2", "m2") if match[name]]
    return not numbers or (min(numbers) >= 1 and max(numbers) <= 31 and min(numbers) <= 12)


def _company(lines: Sequence[str]) -> tuple[int, str]:
    """Return the name of the firm and its last row: the first with a legal form, or else the first with words."""
    top = [(place, line) for place, line in enumerate(lines[:_TOP]) if not _NO_FIRM.search(line.lower())]
    for place, line in top:
        if _FIRM_ALONE.search(line.lower()) and place > 0:
            return place, _NUMBER_OF_FIRM.sub("", f"{lines[place - 1]} {line}")
        if _FIRM.search(line.lower()):
            return place, _NUMBER_OF_FIRM.sub("", line)
    first = next(((place, line) for place, line in top if not _STREET.search(line.lower())), (-1, ""))
    return first[0], _NUMBER_OF_FIRM.sub("", first[1])


def _address(lines: Sequence[str]) -> str:
    """Return the rows below the firm's name, from the first that looks like a street to what comes after addresses."""
    found: list[str] = []
    for line in lines[: _TOP + _MOST_ADDRESS_ROWS]:
        lower = line.lower()
        if _REGISTRATION.search(lower):
            continue
        if _AFTER_ADDRESS.search(lower) or AMOUNT.search(line) or _DATE.search(line):
            if found:
                break
            continue
        if found or _STREET.search(lower):
            found.append(line.strip())
        if len(found) == _MOST_ADDRESS_ROWS:
            break
    return " ".join(found)
