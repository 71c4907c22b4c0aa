"""Weights in eight bits on the disk: a scale a row, a quarter of the size, float32 again when loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Arrays

SCALE = ":scale"


def pack(arrays: Arrays, names: Iterable[str]) -> Arrays:
    """Return arrays with those named, each (rows, …), as int8 and their scale a row beside them (``NAME:scale``)."""
    chosen, packed = set(names), dict(arrays)
    for name in chosen:
        array = np.asarray(arrays[name], np.float32)
        rows = array.reshape(len(array), -1)
        scale = np.maximum(np.abs(rows).max(1), 1e-12) / 127
        packed[name] = np.round(rows / scale[:, None]).astype(np.int8).reshape(array.shape)
        packed[name + SCALE] = scale.astype(np.float32)
    return packed


def unpack(arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Return all arrays as float32, those of :func:`pack` at their scale."""
    plain: Arrays = {}
    for name, array in arrays.items():
        if name.endswith(SCALE):
            continue
        values = np.asarray(array, np.float32)
        if array.dtype == np.int8:
            scale = np.asarray(arrays[name + SCALE], np.float32)
            values = values * scale.reshape(-1, *[1] * (values.ndim - 1))
        plain[name] = values
    return plain
