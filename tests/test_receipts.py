"""What is to pay, when, where and to whom, from the lines of a receipt."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.receipts import currency, fields, total
from assistant.types import Box, TextRegion


def printed(text: str) -> list[TextRegion]:
    """Lines from the top; two blanks or more part columns."""
    regions = []
    for row, line in enumerate(text.strip().split("\n")):
        for place, column in enumerate(re.split(r" {2,}", line.strip())):
            regions.append(TextRegion(column, Box(place / 4, row / 60, (place + 1) / 4, (row + 0.8) / 60), 0.9))
    return regions


RECEIPT = """
    CORNER BAKERY LTD (884213-K)
    12, HIGH STREET,
    30250 NORTHTOWN
    TEL: 05-255 1234
    TAX INVOICE
    DATE: 04/11/2023  TIME 10:32
    2 ROLLS  1.20  2.40
    CAKE  10.04
    SUBTOTAL  12.44
    ROUNDING ADJ  0.01
    TOTAL  12.45
    CASH  20.00
    CHANGE  7.55
    GST SUMMARY  AMOUNT  TAX
    TOTAL  11.74  0.71
"""


def test_the_fields_of_a_receipt() -> None:
    assert fields(printed(RECEIPT)) == {
        "total": "12.45",
        "date": "04/11/2023",
        "company": "CORNER BAKERY LTD",
        "address": "12, HIGH STREET, 30250 NORTHTOWN",
    }


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ("TOTAL  8.70\nROUNDING  0.03\nTOTAL ROUNDED  8.75", "8.75"),
        ("SUB-TOTAL  8.70\nSERVICE TAX  0.52\nTOTAL  9.22", "9.22"),
        ("TOTAL QTY  3.00\nTOTAL SAVING  1.00\nTOTAL  14.10", "14.10"),
        ("TOTAL (EXCL. GST)  94.34\nTOTAL GST  5.66\nTOTAL (INCL. GST)  100.00", "100.00"),
        ("TOTAL  1,234.50\nCASH  1,300.00\nCHANGE  65.50", "1,234.50"),
        ("TOTAL  30.00\nTOTAL AFTER DISC  27.00\nCASH  50.00\nCHANGE  23.00", "27.00"),
        ("SUBTOTAL  28.60\nCASH  30.00\nCHANGE  1.40", "28.60"),
        ("TOTAL SAVING  0.50  TOTAL  77.20", "77.20"),
        ("BALANCE DUE  $15.99", "15.99"),
        ("TOTAL  3.00  12,50", "12,50"),
        ("TOTAL SALES  327.00\nTOTAL  0.00", "327.00"),
        ("CASH  20.00\nCHANGE  7.55", None),
        ("OPEN DAILY 10.00 TO 18.00", None),
        ("", None),
    ],
)
def test_the_sum_to_pay(lines: str, wanted: str | None) -> None:
    assert total(printed(lines)) == wanted


@pytest.mark.parametrize(
    "date", ["29-12-2017", "2018-01-05", "24 MAR 18", "24-MAR-2018", "5/1/19", "March 24, 2018", "14.03.2018"]
)
def test_dates(date: str) -> None:
    assert fields(printed(f"SHOP\nTEL 03-55-1234\nDATE {date} 10:15\nTOTAL  1.00"))["date"] == date


@pytest.mark.parametrize(
    ("text", "found"),
    [("TOTAL RM 12.00\nCASH RM20.00\nUSD 3", "RM"), ("Total €5.50", "€"), ("FORM 12\nTOTAL 3.00", ""), ("", "")],
)
def test_the_currency_that_most_amounts_bear(text: str, found: str) -> None:
    assert currency(printed(text)) == found


def test_what_is_no_receipt_has_no_fields() -> None:
    assert fields(printed("EXIT\nPlease mind the step")) == {}
    assert fields([]) == {}


@given(st.text("TOAL CHNGES0123456789.,/-:$\n ", max_size=200))
def test_any_text_gives_fields_or_none(text: str) -> None:
    found = fields(printed(text))
    assert set(found) <= {"total", "date", "company", "address"}
    assert all(found.values())


def test_receipts_that_were_not_looked_at_when_the_rules_were_written(shared_data: Path) -> None:
    index = (shared_data / "ocr" / "index.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in index][40:]
    right = {"total": 0, "date": 0}
    for row in rows:
        regions = [TextRegion(line["text"], Box(*map(float, line["box"])), 1.0) for line in row["lines"]]
        found = fields(regions)
        for name in right:
            digits = (re.sub(r"[^\dA-Z.]", "", text.upper()) for text in (found.get(name, ""), row["fields"][name]))
            right[name] += len(set(digits)) == 1 or row["fields"][name].strip("$RM ") == found.get(name)
    assert right["total"] >= 0.85 * len(rows)
    assert right["date"] >= 0.9 * len(rows)
