"""What is asked again and again in a few wordings, told apart by regular expressions in several languages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .orders import bare


class Topics:
    """Topics, each with a regular expression by language of whole requests, in small letters without signs."""

    def __init__(self, wordings: Mapping[str, Mapping[str, str]], before: str = "", after: str = "") -> None:
        self._wordings, self._before, self._after = wordings, before, after

    @property
    def pattern(self) -> str:
        """What stands after ``Verbatim only:`` in the docstring of a tool with an argument ``question``."""
        every = (wording for languages in self._wordings.values() for wording in languages.values())
        return rf"(?P<question>{self._before}(?:{'|'.join(every)}){self._after})"

    def meant(self, question: str) -> tuple[str, str]:
        """Return topic and language of a request. Raises :class:`ValueError` where it is about none of them."""
        said = bare(question)
        for topic, languages in self._wordings.items():
            for language, wording in languages.items():
                if re.fullmatch(rf"{self._before}(?:{wording}){self._after}", said):
                    return topic, language
        raise ValueError(f"this is about none of {', '.join(self._wordings)}: {question}")
