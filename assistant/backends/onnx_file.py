"""ONNX files, as far as writing a network of our own needs them.

The format is a protocol buffer (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto); the numbers below are the
tags of its fields. The ``onnx`` package would be a tenth of the whole installation, for one graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FLOAT, UINT8 = 1, 2
"""Types of elements."""

_INT, _INTS = 2, 7  # types of attributes
_VARINT, _BYTES = 0, 2  # wire types


def model(graph: bytes, opset: int, ir: int) -> bytes:
    """Return a whole file; ``opset`` is the version of the operators, ``ir`` that of the format."""
    return _number(1, ir) + _part(7, graph) + _part(8, _part(1, b"") + _number(2, opset))


def graph(
    name: str, nodes: Iterable[bytes], constants: Iterable[bytes], inputs: Iterable[bytes], outputs: Iterable[bytes]
) -> bytes:
    """Return a graph of pieces that the functions below made, its nodes in the order in which they run."""
    parts = [_part(1, node) for node in nodes]
    parts.append(_text(2, name))
    parts += [_part(5, constant) for constant in constants]
    parts += [_part(11, value) for value in inputs]
    parts += [_part(12, value) for value in outputs]
    return b"".join(parts)


def node(kind: str, inputs: Sequence[str], output: str, attributes: Mapping[str, int | Sequence[int]]) -> bytes:
    """Return one operation."""
    parts = [_text(1, name) for name in inputs]
    parts += [_text(2, output), _text(4, kind)]
    for name, value in attributes.items():
        if isinstance(value, int):
            parts.append(_part(5, _text(1, name) + _number(3, value) + _number(20, _INT)))
        else:
            parts.append(_part(5, _text(1, name) + _part(8, _varints(value)) + _number(20, _INTS)))
    return b"".join(parts)


def tensor(name: str, values: NDArray[np.float32]) -> bytes:
    """Return a constant, of any shape."""
    raw = np.ascontiguousarray(values, "<f4").tobytes()
    return _part(1, _varints(values.shape)) + _number(2, FLOAT) + _text(8, name) + _part(9, raw)


def value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """Return the declaration of an input or output; a text in its shape names a size that is open."""
    sizes = (_number(1, size) if isinstance(size, int) else _text(2, size) for size in shape)
    form = b"".join(_part(1, size) for size in sizes)
    return _text(1, name) + _part(2, _part(1, _number(1, kind) + _part(2, form)))


def _number(tag: int, number: int) -> bytes:
    return _varint(tag << 3 | _VARINT) + _varint(number)


def _text(tag: int, text: str) -> bytes:
    return _part(tag, text.encode())


def _part(tag: int, content: bytes) -> bytes:
    return _varint(tag << 3 | _BYTES) + _varint(len(content)) + content


def _varints(numbers: Iterable[int]) -> bytes:
    return b"".join(map(_varint, numbers))


def _varint(number: int) -> bytes:
    """Return a number, zero or more, seven bits a byte, the lowest first."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
