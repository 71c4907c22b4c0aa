"""What `make` installs, judged without installing it."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]
TESTED = ["dependencies", "dev", "eval"]
"""The run time, and the extras that ``make test`` hands to pip."""


def name_of(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def closure(requirements: list[str]) -> set[str]:
    """Return the names of all packages that these requirements bring, as far as they are installed here."""
    found: set[str] = set()
    todo = [name_of(requirement) for requirement in requirements]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        try:
            asked = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        todo += [name_of(requirement) for requirement in asked if "extra ==" not in requirement]
    return found


@pytest.mark.parametrize("group", TESTED)
def test_nothing_that_every_machine_installs_brings_torch(group: str) -> None:
    requirements = PROJECT["dependencies"] if group == "dependencies" else PROJECT["optional-dependencies"][group]
    brought = closure(requirements)
    assert {name_of(requirement) for requirement in requirements} <= brought
    assert not {name for name in brought if name in ("torch", "triton") or name.startswith("nvidia-")}
