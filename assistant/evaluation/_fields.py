"""What the fields of a row must hold, by name: ``FIELDS = {"image": FILE, "captions": texts(1)}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InputError


@dataclass(frozen=True)
class Kind:
    """What a field holds."""

    name: str
    """As it is told: "a text"."""
    fits: Callable[[Any], bool]
    required: bool = True

    def or_null(self) -> Kind:
        """Return this kind, null allowed."""
        return replace(self, name=f"{self.name} or null", fits=lambda value: value is None or self.fits(value))

    def optional(self) -> Kind:
        """Return this kind, null allowed, of a field that may be missing."""
        return replace(self.or_null(), required=False)


Fields = Mapping[str, Kind]


def texts(least: int) -> Kind:
    """Return the kind of a list of at least so many texts."""
    return Kind(
        f"a list of at least {least} text{'s' if least > 1 else ''}",
        lambda value: isinstance(value, list) and len(value) >= least and all(isinstance(part, str) for part in value),
    )


FILE = Kind("the name of a file", lambda value: isinstance(value, str) and value != "")
"""Relative to the folder of the index; the file must exist."""
TEXT = Kind("a text", lambda value: isinstance(value, str))
TRUTH = Kind("true or false", lambda value: isinstance(value, bool))


def check(row: Mapping[str, Any], fields: Fields, where: str) -> None:
    """Raise :class:`InputError` where a field is missing or holds something else."""
    if lacking := [field for field, kind in fields.items() if kind.required and field not in row]:
        raise InputError(f"{where}: {', '.join(map(repr, lacking))} is missing")
    for field, kind in fields.items():
        if not kind.fits(row.get(field)):
            raise InputError(f"{where}: {field!r} must be {kind.name}")
