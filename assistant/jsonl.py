"""Files with one JSON object a line, as data sets keep their index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import InputError


def rows(text: str, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line's object with where it stands (``FILE, line 3``); empty lines are passed over.

    Raises :class:`InputError` with file and line where a line is no JSON object.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{where}: not JSON ({error.msg} at column {error.colno})") from error
        except RecursionError:
            raise InputError(f"{where}: brackets stand too deep in each other") from None
        if not isinstance(row, dict):
            raise InputError(f"{where}: a JSON object is wanted, not {type(row).__name__}")
        yield where, row
