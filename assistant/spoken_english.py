"""English as it is read aloud: every rule turns one kind of writing into words.

The rules run from the most particular (an address) to the most general (a lone digit),
and each leaves no digit in what it wrote, so that no later rule touches it again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

_MONTHS = (
    "January February March April May June July August September October November December".split()
)  # fmt: skip
_MONTH_NAMES = "|".join([*_MONTHS, "Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sept?", "Oct", "Nov", "Dec"])

_DIGIT_NAMES = "zero one two three four five six seven eight nine".split()

_LETTERS = {"A": "ay"}
"""A lone "A" would be read as the article."""

_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "USD": ("US dollar", "US dollars", "cent", "cents"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "JPY": ("yen", "yen", "sen", "sen"),
}

_UNITS = {
    "km/h": ("kilometre per hour", "kilometres per hour"),
    "kph": ("kilometre per hour", "kilometres per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "m/s": ("metre per second", "metres per second"),
    "km": ("kilometre", "kilometres"),
    "m": ("metre", "metres"),
    "cm": ("centimetre", "centimetres"),
    "mm": ("millimetre", "millimetres"),
    "µm": ("micrometre", "micrometres"),
    "nm": ("nanometre", "nanometres"),
    "km²": ("square kilometre", "square kilometres"),
    "m²": ("square metre", "square metres"),
    "cm²": ("square centimetre", "square centimetres"),
    "m³": ("cubic metre", "cubic metres"),
    "cm³": ("cubic centimetre", "cubic centimetres"),
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "yd": ("yard", "yards"),
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"),
    "µg": ("microgram", "micrograms"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "l": ("litre", "litres"),
    "L": ("litre", "litres"),
    "ml": ("millilitre", "millilitres"),
    "mL": ("millilitre", "millilitres"),
    "cl": ("centilitre", "centilitres"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "s": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "ms": ("millisecond", "milliseconds"),
    "µs": ("microsecond", "microseconds"),
    "B": ("byte", "bytes"),
    "kB": ("kilobyte", "kilobytes"),
    "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "MiB": ("mebibyte", "mebibytes"),
    "GiB": ("gibibyte", "gibibytes"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "Mbit/s": ("megabit per second", "megabits per second"),
    "MB/s": ("megabyte per second", "megabytes per second"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "W": ("watt", "watts"),
    "kW": ("kilowatt", "kilowatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "V": ("volt", "volts"),
    "mA": ("milliampere", "milliamperes"),
    "mAh": ("milliampere hour", "milliampere hours"),
    "Ω": ("ohm", "ohms"),
    "N": ("newton", "newtons"),
    "J": ("joule", "joules"),
    "kJ": ("kilojoule", "kilojoules"),
    "kcal": ("kilocalorie", "kilocalories"),
    "cal": ("calorie", "calories"),
    "hPa": ("hectopascal", "hectopascals"),
    "kPa": ("kilopascal", "kilopascals"),
    "bar": ("bar", "bar"),
    "psi": ("pound per square inch", "pounds per square inch"),
    "dB": ("decibel", "decibels"),
    "px": ("pixel", "pixels"),
    "MP": ("megapixel", "megapixels"),
    "fps": ("frame per second", "frames per second"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "dpi": ("dot per inch", "dots per inch"),
}

_ABBREVIATIONS = {
    r"\bDr\.": "Doctor",
    r"\bMr\.": "Mister",
    r"\bMrs\.": "Missus",
    r"\bMs\.": "Miz",
    r"\bProf\.": "Professor",
    r"\bJr\.": "Junior",
    r"\bSr\.": "Senior",
    r"\bSt\.(?=\s+[A-Z])": "Saint",
    r"(?<=[a-z] )St\b\.?": "Street",
    r"(?<=[a-z] )Ave\b\.?": "Avenue",
    r"(?<=[a-z] )Rd\b\.?": "Road",
    r"(?<=[a-z] )Blvd\b\.?": "Boulevard",
    r"\be\.\s?g\.,?": "for example,",
    r"\bi\.\s?e\.,?": "that is,",
    r"\betc\b\.?": "et cetera",
    r"\bvs\b\.?": "versus",
    r"\bapprox\.": "approximately",
    r"\bca\.(?=\s*\d)": "about",
    r"\b[Nn]os?\.(?=\s*\d)": "number",
    r"№\s*": "number ",
    r"#(?=\d)": "number ",
    r"\bFig\.": "Figure",
    r"\bfig\.": "figure",
    r"\bpp\.(?=\s*\d)": "pages",
    r"\bp\.(?=\s*\d)": "page",
    r"\bVol\.(?=\s*\d)": "Volume",
    r"\bw/o\b": "without",
    r"\bw/(?=\s)": "with",
    r"\bInc\.": "Incorporated",
    r"\bLtd\.": "Limited",
    r"\bDept\.": "Department",
    r"\bmax\.(?=\s)": "maximum",
    r"(?<!\d )(?<!\d)\bmin\.(?=\s)": "minimum",
    r"\bMon\.?(?=,? (?:the )?\d|,? [JFMASOND][a-z]+ \d)": "Monday",
    r"\bTues?\.?(?=,? (?:the )?\d|,? [JFMASOND][a-z]+ \d)": "Tuesday",
    r"\bWed\.?(?=,? (?:the )?\d|,? [JFMASOND][a-z]+ \d)": "Wednesday",
    r"\bThu(?:rs)?\.?(?=,? (?:the )?\d|,? [JFMASOND][a-z]+ \d)": "Thursday",
    r"\bFri\.?(?=,? (?:the )?\d|,? [JFMASOND][a-z]+ \d)": "Friday",
    r"\band/or\b": "and or",
    r"\bOK\b": "okay",
}

_SPELLED = frozenset(
    "AI AC ADHD API ATM BBC CD CEO CIA CPU DIY DVD EU EV FAQ FBI GPU HIV IBM ICU ID IP IQ IT LED NHS OCR PIN PDA "
    "SMS TV UFO UK UN UI URL US USA USB UV VIP VR WHO XML AR EAN ISBN UPC IOU ETA FYI".split()
) - {"IT", "US", "WHO", "PIN", "AR"}
"""Acronyms with a vowel that are spelled all the same; those that are also plain words are left alone."""

_FRACTIONS = {2: ("half", "halves"), 4: ("quarter", "quarters")}

_SYMBOLS = {
    "&": " and ", "+": " plus ", "=": " equals ", "×": " times ", "÷": " divided by ", "±": " plus or minus ",
    "<": " less than ", ">": " greater than ", "≤": " at most ", "≥": " at least ", "≠": " is not equal to ",
    "≈": " about ", "~": " about ", "%": " percent ", "‰": " per mille ", "°": " degrees ", "@": " at ",
    "©": " copyright ",
    "®": " ", "™": " ", "→": " to ", "√": " the square root of ", "π": " pi ", "∞": " infinity ", "µ": " micro ",
    "€": " euros ", "£": " pounds ", "$": " dollars ", "¥": " yen ", "₹": " rupees ", "_": " ", "*": " times ",
    "^": " to the power of ", "\\": " backslash ", "|": ", ", "{": " ", "}": " ", "[": ", ", "]": ", ", "#": " hash ",
}  # fmt: skip

_NUM = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
"""A number with or without thousands' commas and decimals."""

_YEAR = r"(?:1[1-9]|20)\d\d"

_DASH = r"\s?[-–—]\s?"

_DOMAINS = r"com|org|net|edu|gov|io|co\.uk|de|fr|eu|uk|ai|dev|app"

_BEFORE = r"(?<![\w.,/])"
"""Not in the middle of a word or a longer number."""


def spoken(text: str) -> str:
    """Return an English text without Markdown as it is read aloud; no digit is left."""
    for pattern, rule in _RULES:
        text = pattern.sub(rule, text)
    for symbol, word in _SYMBOLS.items():
        text = text.replace(symbol, word)
    text = "".join(map(_leftover, text))
    text = re.sub(r"\s+([,.;:!?])", r"\1", re.sub(r"\s+", " ", text))
    return re.sub(r",(?=[,.;:!?])", "", text).strip(" ,") if re.search(r"\w", text) else ""


@lru_cache(maxsize=4096)
def _number(digits: str) -> str:
    """``"1,234.5"`` → "one thousand two hundred and thirty-four point five"."""
    whole, _, fraction = digits.replace(",", "").partition(".")
    words = _whole(whole or "0")
    return f"{words} point {_digits(fraction)}" if fraction else words


def _whole(digits: str) -> str:
    long = len(digits) >= 8 and not digits.endswith("000")
    if long or len(digits) > 15 or (len(digits) > 1 and digits.startswith("0")):
        return _digits(digits)
    import num2words

    return str(num2words.num2words(int(digits))).replace(",", "")


def _digits(digits: str) -> str:
    return " ".join(_DIGIT_NAMES[int(digit)] for digit in digits if digit.isdecimal())


def _ordinal(digits: str) -> str:
    import num2words

    return str(num2words.num2words(int(digits), to="ordinal")).replace(",", "")


def _year(digits: str) -> str:
    import num2words

    return str(num2words.num2words(int(digits), to="year"))


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and digits.isdecimal() and (1100 <= int(digits) < 2000 or 2000 <= int(digits) < 2100)


def _plural(words: str) -> str:
    return words[:-1] + "ies" if words.endswith("y") else words + "es" if words.endswith("x") else words + "s"


def _spell(text: str) -> str:
    """Spell letters and digits one by one."""
    return " ".join(_LETTERS.get(c.upper(), c.upper()) if c.isalpha() else _DIGIT_NAMES[int(c)] for c in text)


_ADDRESS_SIGNS = {
    ".": "dot", "-": "dash", "_": "underscore", "/": "slash", "@": "at", ":": "colon", "?": "question mark",
    "=": "equals", "&": "and", "+": "plus", "#": "hash", "%": "percent", "~": "tilde", ",": "comma",
}  # fmt: skip


def _address(match: re.Match[str]) -> str:
    """An e-mail address or URL, its signs by name and its digits one by one."""
    address = re.sub(r"^(?:https?|ftp)://", "", match[0])
    tail = re.search(r"[.,;:!?)]*$", address)
    end = tail[0] if tail else ""
    parts = re.findall(r"[^\W\d_]+|\d|.", address[: len(address) - len(end)].rstrip("/"))
    words = []
    for part in parts:
        if part.isascii() and part.isdigit():
            words.append(_DIGIT_NAMES[int(part)])
        elif part.lower() == "www" or (part.isalpha() and len(part) <= 3 and not re.search("[aeiouy]", part.lower())):
            words.append(_spell(part))
        else:
            words.append(_ADDRESS_SIGNS.get(part, part))
    return " ".join(words) + end.replace(")", "")


def _date(year: str, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{_MONTHS[month - 1]} {_ordinal(str(day))}, {_year(year) if _is_year(year) else _number(year)}"


def _iso_date(match: re.Match[str]) -> str:
    return _date(match[1], int(match[2]), int(match[3])) or match[0]


def _numeric_date(match: re.Match[str]) -> str:
    """Day, month and year in digits; where day and month cannot be told apart, read as written."""
    first, sign, second, year = int(match[1]), match[2], int(match[3]), match[4]
    if len(year) == 2:
        year = ("20" if int(year) < 70 else "19") + year
    if sign == "." or first > 12:
        said = _date(year, second, first)
    elif second > 12:
        said = _date(year, first, second)
    elif first == second:
        said = _date(year, first, second)
    else:
        said = f"{_number(str(first))} slash {_number(str(second))} slash {_year(year)}"
    return said or f"{_number(match[1])} {_number(match[3])} {_year(year)}"


def _month_day(match: re.Match[str]) -> str:
    name = match[1].rstrip(".")
    month = next(m for m in _MONTHS if m.startswith(name[:3]))
    return f"{month} {_ordinal(match[2])}"


def _day_month(match: re.Match[str]) -> str:
    month = next(m for m in _MONTHS if m.startswith(match[2][:3]))
    return f"the {_ordinal(match[1])} of {month}"


def _time(match: re.Match[str]) -> str:
    hour, minute, second = int(match[1]), int(match[2]), match[3]
    half = _half_of_day(match[4])
    if hour > 24 or minute > 59:
        return f"{_number(match[1])} {_number(match[2])}" + (f" {_number(second)}" if second else "")
    words = _number(str(hour))
    if minute == 0:
        words += "" if half else " o'clock" if 0 < hour <= 12 else " hundred"
    else:
        words += f" oh {_number(str(minute))}" if minute < 10 else f" {_number(str(minute))}"
    if second:
        words += f" and {_counted(str(int(second)), 'second', 'seconds')}"
    return f"{words} {half}".strip()


def _hour(match: re.Match[str]) -> str:
    return f"{_number(match[1])} {_half_of_day(match[2])}"


def _half_of_day(written: str | None) -> str:
    return "" if not written else "AM" if written[0] in "aA" else "PM"


def _counted(digits: str, one: str, many: str) -> str:
    return f"{_number(digits)} {one if digits in ('1', '-1') else many}"


def _money_before(match: re.Match[str]) -> str:
    return _money(match[1], match[2], match[3])


def _money_after(match: re.Match[str]) -> str:
    return _money(match[3], match[1], match[2])


def _money(sign: str, amount: str, scale: str | None) -> str:
    one, many, cent, cents = _CURRENCIES[sign]
    amount = amount.rstrip(",.")
    whole, _, fraction = amount.replace(",", "").partition(".")
    if scale:
        large = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion"}.get(scale.lower(), scale)
        return f"{_number(amount)} {large} {many}"
    if len(fraction) != 2:
        return _counted(amount.replace(",", ""), one, many)
    if int(fraction) == 0:
        return _counted(whole, one, many)
    small = _counted(str(int(fraction)), cent, cents)
    return small if int(whole or 0) == 0 else f"{_counted(whole, one, many)} and {small}"


def _unit(match: re.Match[str]) -> str:
    one, many = _UNITS[match[2].replace("μ", "µ").replace("^", "").translate(_SQUARES)]
    return _counted(match[1], one, many)


_SQUARES = str.maketrans({"2": "²", "3": "³"})


def _feet(match: re.Match[str]) -> str:
    feet = _counted(match[1], "foot", "feet")
    return f"{feet} {_number(match[2])}" if match[2] else feet


def _phone(match: re.Match[str]) -> str:
    """Digit by digit, with a breath where the groups part."""
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(_digits(group) for group in re.findall(r"\d+", match[0]))


def _fraction(match: re.Match[str]) -> str:
    whole, above, below = match[1], int(match[2]), int(match[3])
    return _said_fraction(whole, above, below) or f"{_number(match[2])} over {_number(match[3])}"


def _said_fraction(whole: str | None, above: int, below: int) -> str | None:
    if not (0 < above < below <= 100):
        return None
    named = _FRACTIONS.get(below)
    name = named[above > 1] if named else _ordinal(str(below)) if above == 1 else _plural(_ordinal(str(below)))
    if whole:
        amount = "a" if above == 1 else _number(str(above))
        return f"{_number(whole)} and {amount} {name}"
    return f"{_number(str(above))} {name}"


def _glyph_fraction(match: re.Match[str]) -> str:
    above, _, below = unicodedata.normalize("NFKC", match[2]).partition("⁄")
    return (_said_fraction(match[1], int(above), int(below or 0)) if below else None) or match[0]


def _version(match: re.Match[str]) -> str:
    """A version (1.2.3) or, with four parts, an Internet address, digit by digit."""
    parts = match[0].split(".")
    return " dot ".join(map(_digits, parts)) if len(parts) == 4 else " point ".join(map(_number, parts))


def _leftover(character: str) -> str:
    """Whatever digit no rule knew: other scripts, raised, circled."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return f" {_DIGIT_NAMES[digit]} "
    return "" if unicodedata.category(character) in ("No", "Nl") and not character.isalpha() else character


def _acronym(match: re.Match[str]) -> str:
    word = match[0]
    if word in _SPELLED or not re.search("[AEIOUY]", word):
        return _spell(word)
    return word


def _unit_pattern() -> str:
    names = sorted(_UNITS, key=len, reverse=True)
    written = [
        re.escape(name).replace("²", r"(?:²|\^?2)").replace("³", r"(?:³|\^?3)").replace("µ", "[µμ]") for name in names
    ]
    return rf"{_BEFORE}({_NUM})[ \u00a0-]?({'|'.join(written)})(?![\w/²³^]|[.]\w)"


_CURRENCY_SIGNS = "|".join(re.escape(sign) for sign in _CURRENCIES)
_SCALE = r"(?:\s?(thousand|million|billion|trillion|bn|[kKmMbB])\b)?"

_Rule = str | Callable[[re.Match[str]], str]
_WRITTEN: tuple[tuple[str, _Rule], ...] = (
    (r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+", _address),
    (r"\b(?:https?|ftp)://\S+", _address),
    (r"\bwww\.\S+", _address),
    (rf"\b[a-zA-Z][\w-]*(?:\.[\w-]+)*\.(?:{_DOMAINS})\b(?:/\S*)?", _address),
    (r"\b((?:1[1-9]|20)\d)0'?s\b", lambda m: _plural(_year(m[1] + "0"))),
    (r"(?<!\w)['’](\d)0s\b", lambda m: _plural(_whole(m[1] + "0"))),
    *((pattern, word) for pattern, word in _ABBREVIATIONS.items()),
    (rf"(?<=\d:\d\d){_DASH}(?=\d{{1,2}}:\d\d)|(?<=[ap]\.m\.){_DASH}(?=\d)|(?<=[apAP][mM]){_DASH}(?=\d)", " to "),
    (r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?:T(?=\d\d:)|(?![\d-]))", lambda m: _iso_date(m) + " "),
    (rf"{_BEFORE}(\d{{1,2}})([/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}})(?![\w/]|\.\d)", _numeric_date),
    (r"(?<![\d:])(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s?([ap]\.\s?m\.|[apAP]\.?[mM]\b))?(?![\d:])", _time),
    (r"\b(\d{1,2})\s?([ap]\.\s?m\.|[apAP][mM]\b)", _hour),
    (rf"\b({_MONTH_NAMES})\.? (\d{{1,2}})(?:st|nd|rd|th)?(?![\w:]|[.,]\d)", _month_day),
    (rf"\b(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH_NAMES})\b\.?", _day_month),
    (r"(?:(\d+)\s?)?([¼-¾⅐-⅞↉])", _glyph_fraction),
    (rf"(?<!\w)({_CURRENCY_SIGNS})\s?({_NUM}){_SCALE}", _money_before),
    (rf"{_BEFORE}({_NUM}){_SCALE}\s?({_CURRENCY_SIGNS})(?!\w)", _money_after),
    (rf"{_BEFORE}(\d+)['′](?:\s?(\d{{1,2}})(?:[\"″”]|''))?(?!\w)", _feet),
    (rf"{_BEFORE}({_NUM})(?:[\"″]|'')(?!\w)", lambda m: _counted(m[1], "inch", "inches")),
    (r"(?<![\w.])\+\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){1,6}(?!\w)", _phone),
    (r"(?<!\w)\(\d{2,5}\)[ -]?\d{3,4}(?:[ -]?\d{2,4}){0,3}(?!\w)", _phone),
    (r"(?<![\w.,-])\d{3}[-. ]\d{3}[-. ]\d{4}(?![\w-])", _phone),
    (r"(?<![\w.,-])0\d{1,4}(?:[ -]\d{2,4}){2,4}(?![\w-])", _phone),
    (r"(?<![\w.,-])\d{3}-\d{4}(?![\w-])", _phone),
    (r"(?<![\w.,])\d+(?:\.\d+){2,}(?![\w])", _version),
    (rf"{_BEFORE}({_NUM}){_DASH}({_NUM})(?=[ \u00a0]?[A-Za-zµ°%])(?![-–\d])", lambda m: f"{_number(m[1])} to {m[2]}"),
    (rf"(?<![\w.,/-])({_YEAR})(?:{_DASH}|/)({_YEAR})(?![\w-])", lambda m: f"{_year(m[1])} to {_year(m[2])}"),
    (rf"(?<![\w.,/-])({_NUM}){_DASH}({_NUM})(?![\w-])", lambda m: f"{_number(m[1])} to {_number(m[2])}"),
    (r"(?<=[\s(\[])[-−](?=\d)|^[-−](?=\d)", "minus "),
    (r"−", " minus "),
    (rf"({_NUM})\s?%", lambda m: f"{_number(m[1])} percent"),
    (_unit_pattern(), _unit),
    (r"\b24/7\b", "twenty-four seven"),
    (rf"{_BEFORE}(?:(\d+)\s)?(\d{{1,4}})[/⁄](\d{{1,4}})(?![\w/])", _fraction),
    (r"\b(\d{1,3}(?:,\d{3})+|\d{1,15})(?:st|nd|rd|th)\b", lambda m: _ordinal(m[1].replace(",", ""))),
    (rf"(?<![\w.,$€£/-])({_YEAR})(?![\w,]*\d|\.\d)(?=\D|$)", lambda m: _year(m[1])),
    (r"(?<=\d)\s?[*x×]\s?(?=\d)", " times "),
    (r"(?<=\d):(?=\d)", " to "),
    (r"(?<=\d) - (?=\d)", " minus "),
    (r"(?<=\d) / (?=\d)", " divided by "),
    (r"(?<=\w)\^2\b|²", " squared"),
    (r"(?<=\w)\^3\b|³", " cubed"),
    (r"(?<=[A-Za-z])-?(?=\d)", " "),
    (r"\b([A-Z])(?= \d)", lambda m: _LETTERS.get(m[1], m[1])),
    (r"(?<!\d)\.(\d+)", lambda m: f"point {_digits(m[1])}"),
    (r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?", lambda m: _number(m[0]) + " "),
    (r"(?<=\w) (?=-\w)", ""),
    (r"(?<=[A-Za-z])/(?=[A-Za-z])", " or "),
    (r"/", " slash "),
    (r"\b[A-Z]{2,5}(?=s?\b)", _acronym),
)  # fmt: skip

_RULES = [(re.compile(pattern), rule) for pattern, rule in _WRITTEN]
