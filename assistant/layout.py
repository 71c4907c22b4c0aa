"""Lines of text as they lie on the page: rows from the top, each row from the left."""

from __future__ import annotations

from collections.abc import Sequence

from .types import Box, TextRegion


def rows(regions: Sequence[TextRegion]) -> list[list[TextRegion]]:
    """Return regions row by row from the top, each row from the left.

    A region belongs to a row where its middle lies within the height of the row's first region or
    the other way round.
    """
    found: list[list[TextRegion]] = []
    for region in sorted(regions, key=lambda region: region.box.top + region.box.bottom):
        row = next((row for row in reversed(found) if _level(row[0].box, region.box)), None)
        if row is None:
            found.append([region])
        else:
            row.append(region)
    return [sorted(row, key=lambda region: region.box.left) for row in found]


def in_reading_order(regions: Sequence[TextRegion]) -> tuple[TextRegion, ...]:
    """Return regions in the order in which they are read."""
    return tuple(region for row in rows(regions) for region in row)


def _level(first: Box, second: Box) -> bool:
    low, high = sorted((first, second), key=lambda box: box.bottom - box.top)
    return high.top < (low.top + low.bottom) / 2 < high.bottom
