"""Layers of trained networks in numpy: the same as torch's, over a table of named weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Weights = Mapping[str, Floats]


def linear(weights: Weights, name: str, x: Floats) -> Floats:
    """Return ``x @ weight.T + bias``, (…, out), with the weight, (out, in), and bias under ``name``."""
    result: Floats = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
    return result


def norm(weights: Weights, name: str, x: Floats) -> Floats:
    """Return x with mean 0 and deviation 1 over the last axis, scaled and shifted (Ba et al., 2016)."""
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    result: Floats = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return result


def softmax(x: Floats, axis: int = -1) -> Floats:
    """Return positive numbers that sum to 1 over ``axis``."""
    raised = np.exp(x - x.max(axis, keepdims=True))
    result: Floats = raised / raised.sum(axis, keepdims=True)
    return result


def log_softmax(x: Floats) -> Floats:
    """Return the logarithm of :func:`softmax` over the last axis."""
    shifted = x - x.max(-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result


def log_mean(log_p: Sequence[Floats] | Floats) -> Floats:
    """Return the logarithm of the mean of probabilities over the first axis; some may be 0, not all."""
    if len(log_p) == 1:
        return log_p[0]
    log_p = np.asarray(log_p)
    highest = np.maximum(log_p.max(0), np.float32(-1e4))
    result: Floats = highest + np.log(np.exp(log_p - highest).mean(0))
    return result


def units(x: Floats) -> Floats:
    """Return vectors, (…, dim), at length one; zeros stay zeros."""
    result: Floats = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-6)
    return result


def quick_gelu(x: Floats) -> Floats:
    """Return x * sigmoid(1.702 x), the quick form of the Gaussian error linear unit (Hendrycks & Gimpel, 2016)."""
    result: Floats = x / (1 + np.exp(-1.702 * x))
    return result


def attend(query: Floats, keys: Floats, values: Floats, mask: NDArray[np.bool_] | None = None) -> Floats:
    """Return scaled dot-product attention, (…, queries, width), over (…, keys, width); ``mask`` is what may be seen."""
    scores = query @ keys.swapaxes(-1, -2) / np.float32(query.shape[-1] ** 0.5)
    if mask is not None:
        scores = np.where(mask, scores, np.float32(-1e9))
    result: Floats = softmax(scores) @ values
    return result


def shrink(features_PD: NDArray[np.floating[Any]], grid: tuple[int, int], side: int) -> Floats:
    """Return the grid averaged to (side * side, dim), windows overlapping where the sizes do not divide."""
    result: Floats = (pooling(grid, side) @ features_PD).astype(np.float32)
    return result


def pooling(grid: tuple[int, int], side: int) -> Floats:
    """Return the weights that average a grid's places into windows, (side * side, places)."""
    weights: Floats = np.kron(windows(grid[0], side), windows(grid[1], side))
    return weights


def windows(length: int, side: int) -> Floats:
    """Return the weights that average ``length`` into ``side`` windows, (side, length), which may overlap."""
    weights = np.zeros((side, length), np.float32)
    for part in range(side):
        start, end = part * length // side, -(-(part + 1) * length // side)
        weights[part, start:end] = 1 / (end - start)
    return weights
