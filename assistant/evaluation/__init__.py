"""``assistant eval``: one module a task, found by its name in this package.

A task module has ``run(app, items, report) -> dict`` and may name the keys every
line of its data must have::

    FIELDS = ("audio", "text")

    def run(app: App, items: Items, report: Callable[[dict[str, Any]], None]) -> dict[str, Any]: ...

``run`` calls ``report`` once for each row, in order, with what it found, and returns
the metrics as fractions in [0, 1] unless their name says otherwise, each with its
95 % interval beside it (``"wer": 0.06, "wer_interval": [0.05, 0.07]``).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .. import jsonl
from ..errors import InputError, SettingError, nearest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Report = Callable[[dict[str, Any]], None]
"""Takes what came of one row."""

MEDIA = ("audio", "image")
"""Keys of a row that name a file, relative to the folder of the index."""


@dataclass(frozen=True)
class Items:
    """The rows of a checked ``index.jsonl``: every file that a row names exists."""

    root: Path
    """Folder of the index; paths in rows are relative to it."""
    rows: list[dict[str, Any]]

    def path(self, row: dict[str, Any], key: str) -> Path:
        """Return the file that ``row`` names under ``key`` (``"audio"`` or ``"image"``)."""
        return self.root / str(row[key])


def tasks() -> list[str]:
    """Return the names of all tasks."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def task(name: str) -> ModuleType:
    """Return the module of a task, or raise :class:`SettingError` with the nearest name."""
    if name not in tasks():
        raise SettingError(f"there is no evaluation {name!r}{nearest(name, tasks())}")
    return importlib.import_module(f"{__name__}.{name}")


def load(data: Path, fields: Sequence[str] = (), limit: int | None = None) -> Items:
    """Read ``data``, an index or a folder with an ``index.jsonl``; ``limit`` keeps the first rows only.

    Raises :class:`InputError` with file and line where a line is no JSON object or lacks one of
    ``fields``, and with their names where files are missing.
    """
    index = data / "index.jsonl" if data.is_dir() else data
    try:
        text = index.read_text("utf-8")
    except FileNotFoundError:
        raise InputError(f"there is no {index}; --data takes a folder with an index.jsonl, or such a file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{index} is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise InputError(f"cannot read {index}: {error.strerror}") from error
    rows = []
    for where, row in jsonl.rows(text, index):
        rows.append(_checked(row, fields, where))
        if limit is not None and len(rows) == limit:
            break
    if not rows:
        raise InputError(f"{index} holds no items")
    names = dict.fromkeys(row[key] for row in rows for key in MEDIA if row.get(key))
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise InputError(f"{index}: missing files: {', '.join(missing[:3])}{more}")
    return Items(index.parent, rows)


def part(items: Items, split: str | None = None, limit: int | None = None) -> Items:
    """Return the items of one split, or without ``split`` those of val and test where items name them; then the first.

    Raises :class:`InputError` where the split is empty.
    """
    wanted = (split,) if split else ("val", "test")
    rows = [row for row in items.rows if row.get("split") in wanted]
    if split and not rows:
        raise InputError(f"no item is of the split {split!r}")
    return Items(items.root, (rows or items.rows)[:limit])


def bootstrap(
    values: ArrayLike,
    statistic: Callable[[NDArray[Any]], float] = lambda sample: float(sample.mean()),
    n: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic over items (Efron, Annals of Statistics 7, 1979).

    ``values`` has one entry an item, (items,) or (items, k); items are drawn with replacement ``n``
    times and ``statistic`` gets each draw in the same shape. Both ends are NaN where there are no items.
    """
    import numpy as np

    array = np.asarray(values)
    if len(array) == 0:
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    draws = [statistic(array[generator.integers(0, len(array), len(array))]) for _ in range(n)]
    known = [draw for draw in draws if draw == draw]
    if not known:
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def _checked(row: dict[str, Any], fields: Sequence[str], where: str) -> dict[str, Any]:
    if lacking := [field for field in fields if field not in row]:
        raise InputError(f"{where}: {', '.join(map(repr, lacking))} is missing")
    for key in MEDIA:
        if key in row and not (row[key] is None or (isinstance(row[key], str) and row[key])):
            raise InputError(f"{where}: {key!r} must be the name of a file")
    return row
