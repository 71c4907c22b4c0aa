"""Text on its way to the voice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.text import Splitter, clauses, plain, speakable

SPOKEN = {
    "I have 1,234.5 apples.": "I have one thousand two hundred and thirty-four point five apples.",
    "In 1984 and 2026, the 1980s": "In nineteen eighty-four and twenty twenty-six, the nineteen eighties",
    "the 21st of 3.14": "the twenty-first of three point one four",
    "It is -5 outside": "It is minus five outside",
    "pages 3-5": "pages three to five",
    "10–12 kg": "ten to twelve kilograms",
    "3½ cups and ½ cup": "three and a half cups and one half cup",
    "3/4 or 5/8": "three quarters or five eighths",
    "Call 555-123-4567.": "Call five five five, one two three, four five six seven.",
    "+44 20 7946 0958": "plus four four, two zero, seven nine four six, zero nine five eight",
    "$3.50": "three dollars and fifty cents",
    "$1": "one dollar",
    "£0.99": "ninety-nine pence",
    "20 €": "twenty euros",
    "$3.5 million": "three point five million dollars",
    "12.5%": "twelve point five percent",
    "100 km/h": "one hundred kilometres per hour",
    "21°C": "twenty-one degrees Celsius",
    "1 kg, 5kg": "one kilogram, five kilograms",
    "16 GB": "sixteen gigabytes",
    "5'10\" tall": "five feet ten tall",
    "at 14:30": "at fourteen thirty",
    "at 9:05 am": "at nine oh five AM",
    "2026-11-22": "November twenty-second, twenty twenty-six",
    "22/11/2026": "November twenty-second, twenty twenty-six",
    "3/4/2026": "three slash four slash twenty twenty-six",
    "Nov 22, 2026": "November twenty-second, twenty twenty-six",
    "Dr. Smith vs. Mr. Jones": "Doctor Smith versus Mister Jones",
    "john.smith9@example.com": "john dot smith nine at example dot com",
    "https://example.org/a": "example dot org slash a",
    "a GPU and a QR code": "a G P U and a Q R code",
    "A4 paper": "ay four paper",
    "NASA": "NASA",
    "Version 1.2.3 at 10.0.0.1": "Version one point two point three at one zero dot zero dot zero dot one",
    "1 + 1 = 2": "one plus one equals two",
    "5901234123457": "five nine zero one two three four one two three four five seven",
    "a 10-year-old": "a ten-year-old",
    "**Bold** 😀 `code`": "Bold code",
    "🙂": "",
}


@pytest.mark.parametrize(("written", "said"), SPOKEN.items(), ids=SPOKEN.keys())
def test_english_is_written_out(written: str, said: str) -> None:
    assert speakable(written) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("de", "Es sind 42 Hunde", "Es sind zweiundvierzig Hunde"),
        ("de-AT", "3,5 Liter", "drei Komma fünf Liter"),
        ("fr", "J'ai 1.200 livres", "J'ai mille deux cents livres"),
        ("es", "-7 grados", "menos siete grados"),
        ("de", "um 14:30 Uhr", "um 14:30 Uhr"),
        ("de", "15% von 3,50 €, 20 °C", "fünfzehn Prozent von drei Euro fünfzig, zwanzig Grad Celsius"),
        ("de", "1 kg, 2.5 l, 1 min", "ein Kilogramm, 2.5 Liter, eine Minute"),
        ("fr", "120 km/h, 1.500 m, $12", "cent vingt kilomètres à l'heure, mille cinq cents mètres, douze dollars"),
        ("es", "1 kg y 250 g, 12,00 €", "un kilo y doscientos cincuenta gramos, doce euros"),
        ("it", "30 min, 1 m, €1,05", "trenta minuti, un metro, uno euro cinque"),
        ("de", "5 m2, 3 gatos, A4, 1/2 kg", "fünf m2, drei gatos, A4, 1/2 kg"),
        ("xx", "42 kg", "42 kg"),
    ],
)
def test_numbers_in_other_languages(language: str, written: str, said: str) -> None:
    assert speakable(written, language) == said


LIKELY = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.from_regex(r"[$€£+#'-]?\d{1,4}([.,:/-]\d{1,4}){0,4}(%|°C|km/h| kg| p\.m\.|th|s|\")?", fullmatch=True),
        st.sampled_from(
            ["Dr.", "e.g.", "and", "Nov", "GPU", "a@b.co", "www.x.y/1?2=3", "…", "½", "²", "٣", "$", "1e5"]
        ),
    ),
    max_size=12,
).map(" ".join)


@settings(max_examples=120, deadline=None)
@given(LIKELY)
def test_english_holds_no_digit_and_never_fails(text: str) -> None:
    assert not re.search(r"\d", speakable(text))


@settings(max_examples=60, deadline=None)
@given(LIKELY, st.sampled_from(["de", "fr", "es", "it", "pl", "ru", "ja", "zh", "ar", "pt_BR", "", "??"]))
def test_other_languages_never_fail(text: str, language: str) -> None:
    assert isinstance(speakable(text, language), str)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.integers(1, 20))
def test_clauses_do_not_depend_on_the_pieces(text: str, size: int) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert list(clauses(pieces)) == list(clauses([text]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.from_regex(r"[a-z]{1,8}[,.;!?]?", fullmatch=True), max_size=60))
def test_clauses_lose_no_word(words: list[str]) -> None:
    assert " ".join(clauses([" ".join(words)])).split() == words


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "3.5",
                "1,000",
                "3:30",
                "e.g.",
                "Dr.",
                "https://a.b/c,d.e?f=1",
                "a.b@c.org",
                "U.S.",
                "wait...",
                "dog",
                "and",
            ]
        ),
        min_size=1,
        max_size=40,
    )
)
def test_numbers_times_and_addresses_stay_whole(words: list[str]) -> None:
    assert " ".join(clauses([" ".join(words)])).split() == words


def test_no_clause_ends_on_an_abbreviation() -> None:
    text = "I met Dr. Smith, who paid 1,000.50 at 3:30 p.m. yesterday, e.g. for a U.S. stamp."
    assert not [c for c in clauses([text]) if c.endswith(("Dr.", "p.m.", "e.g.", "U.S."))]


def test_an_abbreviation_may_end_a_sentence() -> None:
    assert list(clauses(["No. It is a cat. No. 5 is alive."])) == ["No.", "It is a cat.", "No. 5 is alive."]


@pytest.mark.parametrize(
    ("reply", "first"),
    [
        ("Yes, I can see a dog.", "Yes,"),
        ("It is a dog. It sleeps.", "It is a dog."),
        ("In the picture, a dog sleeps.", "In the picture,"),
        ("The picture shows a brown dog sitting on a chair.", "The picture shows a brown dog"),
        ("I can see a cup and a book on the table.", "I can see a cup"),
        ("I live in New York City and like it.", "I live in New York City"),
    ],
)
def test_the_first_clause_is_short_and_natural(reply: str, first: str) -> None:
    heard = clauses(iter(reply))
    assert next(heard) == first


def test_the_first_clause_comes_before_the_rest_is_generated() -> None:
    taken: list[str] = []

    def tokens() -> Iterator[str]:
        for token in re.findall(r"\s*\S+", "Well, the picture shows a dog and it sleeps."):
            taken.append(token)
            yield token

    assert next(clauses(tokens())) == "Well,"
    assert taken == ["Well,"]


def test_later_clauses_are_neither_tiny_nor_endless() -> None:
    long = "one thing and " * 40
    lengths = [len(clause.split()) for clause in clauses([long])]
    assert all(4 <= length <= 22 for length in lengths[1:-1])


def test_closing_the_clauses_stops_the_tokens() -> None:
    stopped: list[bool] = []

    def tokens() -> Iterator[str]:
        try:
            while True:
                yield "word, word. "
        finally:
            stopped.append(True)

    heard = clauses(tokens())
    next(heard)
    heard.close()  # type: ignore[attr-defined]
    assert stopped == [True]


def test_markdown_and_emoji_are_left_out() -> None:
    head = "# Title\n\n- **First** _item_\n- [the docs](https://x.y)\n\n"
    text = head + "```python\nprint('hi')\n```\n| a | b |\n---\n🙂 Done <br>"
    assert list(clauses([text])) == ["Title", "First item", "the docs", "print('hi')", "a b", "Done"]
    assert plain("1. Open\n2. Close\n") == "1: Open 2: Close"
    assert plain("3*4 and 3 * 4 and snake_case") == "3*4 and 3 * 4 and snake_case"


def test_the_unfinished_tail_is_spoken() -> None:
    assert list(clauses(["It is", " a do"])) == ["It is a do"]
    assert list(clauses([])) == []
    assert list(clauses([" \n ", "…", "**"])) == []


def test_lines_of_a_page_are_apart_unless_a_sentence_or_an_amount_goes_on() -> None:
    page = "EXIT\nPlease mind the\nstep\nMilk\n1.20\nBread"
    assert list(clauses([page], first_short=False)) == ["EXIT", "Please mind the step", "Milk 1.20", "Bread"]


def test_what_never_ends_is_not_waited_for() -> None:
    scraps = "tell_a_story_" * 40
    cut = list(clauses(scraps))
    assert max(map(len, cut)) <= 120 and "".join(cut).replace("_", "") == scraps.replace("_", "")


def test_languages_without_spaces_are_split_too() -> None:
    assert next(iter(clauses(["你好。今天天气很好!我们去公园。"]))) == "你好。"


def test_a_full_clause_is_given_at_the_first_letter_after_it():
    splitter = Splitter()
    for character in "Romeo met young Juliet twice yesterday ":
        assert list(splitter.feed(character)) == []
    assert list(splitter.feed("l")) == ["Romeo met young Juliet twice yesterday"]


@pytest.mark.parametrize(
    ("pieces", "given"),
    [
        (["The", " fastest", " animal", " on"], ["The fastest animal"]),
        (["The", " fastest", " animal", " under"], ["The fastest animal"]),
        (["It", " is", " on"], []),
        (["Paris", "."], ["Paris."]),
        (["I", " don't", "."], ["I don't."]),
        (["Dr", "."], []),
        (["It", " is", " 3", "."], []),
        (["Ask", " Mr", "."], []),
        (["See", " www", "."], ["See www."]),
    ],
)
def test_what_is_probably_whole_is_not_waited_for(pieces: list[str], given: list[str]) -> None:
    splitter = Splitter()
    found: list[str] = []
    for piece in pieces:
        found += splitter.take(piece)
    assert found == given


def test_a_wrong_guess_loses_no_letter() -> None:
    splitter = Splitter()
    found: list[str] = []
    for piece in ["My", " little", " friend", " can", "aries", " sing", ".", "com", " too", "."]:
        found += splitter.take(piece)
    found += splitter.finish()
    assert found == ["My little friend", "canaries sing.", "com too."]
