"""``assistant eval``: one module a task, found by its name in this package.

A task module has ``run(app, items, report) -> dict`` and names what every line of
its data must hold::

    FIELDS = {"audio": FILE, "text": TEXT}

    def run(app: App, items: Items, report: Report) -> dict[str, Any]: ...

``run`` goes through ``items.each``, which passes over files that cannot be read and moves
the progress bar; it calls ``report`` with what it found, mostly once a row, and returns
the metrics as fractions in [0, 1] unless their name says otherwise, each with its
95 % interval beside it (``"wer": 0.06, "wer_interval": [0.05, 0.07]``). Counts, times
and tables by format, field, keyword or kind have none.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from .. import jsonl
from ..errors import InputError, SettingError, nearest
from ._fields import FILE, Fields, check

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

T = TypeVar("T")
Row = dict[str, Any]
Report = Callable[[dict[str, Any]], None]
"""Takes what came of one row."""

NO_FIELDS: Fields = {}


@dataclass(frozen=True)
class Items:
    """The rows of a checked ``index.jsonl``: every field holds what it must, and every file that a row names exists."""

    root: Path
    """Folder of the index; paths in rows are relative to it."""
    rows: list[Row]
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    """Files that could not be read, one a row, with the reason."""
    advance: Callable[[], None] = lambda: None
    """Called whenever a row is done."""

    def path(self, row: Row, key: str) -> Path:
        """Return the file that ``row`` names under ``key`` (``"audio"`` or ``"image"``)."""
        return self.root / str(row[key])

    def each(self, key: str, read: Callable[[Path], T], rows: Sequence[Row] | None = None) -> Iterator[tuple[Row, T]]:
        """Yield all rows, or those given, with what ``read`` makes of the file that each names under ``key``.

        Rows whose file cannot be read go to :attr:`skipped`. Raises :class:`InputError` where that is all of them.
        """
        rows = self.rows if rows is None else rows
        read_any = False
        for row in rows:
            path = self.path(row, key)
            try:
                content = read(path)
            except InputError as error:
                self.skipped.append((path, str(error)))
            else:
                read_any = True
                yield row, content
            self.advance()
        if not read_any:
            raise InputError(f"not one of {len(rows)} items can be read; the first: {self.skipped[0][1]}")


def tasks() -> list[str]:
    """Return the names of all tasks."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def task(name: str) -> ModuleType:
    """Return the module of a task, or raise :class:`SettingError` with the nearest name."""
    if name not in tasks():
        raise SettingError(f"there is no evaluation {name!r}{nearest(name, tasks())}")
    return importlib.import_module(f"{__name__}.{name}")


def load(data: Path, fields: Fields = NO_FIELDS) -> Items:
    """Read ``data``, an index or a folder with an ``index.jsonl``.

    Raises :class:`InputError` with file and line where a line is no JSON object or does not hold what
    ``fields`` say, and with their names where files are missing.
    """
    index = _index(data)
    return _checked(index, _rows(index), fields)


def part(data: Path, fields: Fields = NO_FIELDS, split: str | None = None, limit: int | None = None) -> Items:
    """Read one split, or without ``split`` val and test where items name them; ``limit`` keeps the first only.

    Raises :class:`InputError` as :func:`load`, for what was chosen alone, and where the split is empty.
    """
    index = _index(data)
    rows = _rows(index)
    wanted = (split,) if split else ("val", "test")
    chosen = [(where, row) for where, row in rows if row.get("split") in wanted]
    if split and not chosen:
        raise InputError(f"no item is of the split {split!r}")
    return _checked(index, (chosen or rows)[:limit], fields)


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


def _index(data: Path) -> Path:
    return data / "index.jsonl" if data.is_dir() else data


def _rows(index: Path) -> list[tuple[str, Row]]:
    """Return all rows with where they stand."""
    try:
        text = index.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"there is no {index}; --data takes a folder with an index.jsonl, or such a file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{index} is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise InputError(f"cannot read {index}: {error.strerror}") from error
    rows = list(jsonl.rows(text, index))
    if not rows:
        raise InputError(f"{index} holds no items")
    return rows


def _checked(index: Path, rows: list[tuple[str, Row]], fields: Fields) -> Items:
    for where, row in rows:
        check(row, fields, where)
    files = [field for field, kind in fields.items() if kind is FILE]
    names = dict.fromkeys(row[field] for _, row in rows for field in files)
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise InputError(f"{index}: missing files: {', '.join(missing[:3])}{more}")
    return Items(index.parent, [row for _, row in rows])
