"""A tool that draws pictures, where a model to draw with is set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assistant import Easel, News, Settings, hookimpl


@hookimpl
def assistant_tools(settings: Settings, news: News) -> list[Callable[..., Any]]:
    """Return the tool of this plugin; none where ``draw.model`` is empty."""
    if not settings.draw.model:
        return []
    easel = Easel(settings, news)

    def draw(what: str) -> str:
        r"""Draw a new picture of something, told in English, into a file.

        Example: Draw me a dog in the snow. -> draw(what="a dog in the snow")
        Example (de): Zeichne einen Hund im Schnee. -> draw(what="a dog in the snow")

        When: \b(draw\w*|paint\w*|sketch\w*|illustrat\w*)\b|\b(make|create|generate)\b.*\b(picture|image|photo)s?\b
        """
        trouble = easel.trouble
        path = easel.begin(what)
        begun = f"The picture is being drawn, which takes a while. It will be {path.name} in the folder {path.parent}."
        return f"The picture before came to nothing: {trouble}. {begun}" if trouble else begun

    return [draw]
