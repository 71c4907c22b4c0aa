"""Reads a PyTorch state dict (``.pth``) without PyTorch and without running anything that the file asks for.

Both layouts of ``torch.save`` are read: the zip of raw tensors (since PyTorch 1.6) and the older
stream of pickles followed by raw tensors. Of the pickled index only tensors, ordered dicts and
plain values are allowed.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError

Weights = dict[str, NDArray[Any]]

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of the older layout."""

_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}


def read(path: Path) -> Weights:
    """Return the tensors of a state dict by name.

    Raises :class:`ModelError` where the file is damaged, holds anything but named tensors, or its
    pickle asks for anything but tensors.
    """
    try:
        state = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    # What the unpickler and numpy raise on damaged bytes; a refused global is a ModelError already.
    except (
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        EOFError,
        OverflowError,
        MemoryError,
    ) as error:
        raise ModelError(f"{path} is no intact PyTorch checkpoint ({type(error).__name__}); fetch it again") from error
    if not isinstance(state, dict) or not state or not all(isinstance(value, np.ndarray) for value in state.values()):
        raise ModelError(f"{path} holds no state dict of named tensors")
    return {str(name): value for name, value in state.items()}


class _Storage:
    """The numbers that one or more tensors are cut from; filled after the index was read in the older layout."""

    def __init__(self, dtype: str, numel: int) -> None:
        self.dtype, self.numel = np.dtype(dtype), numel
        self.data: NDArray[Any] = np.empty(0, self.dtype)


class _Tensor:
    """Where a tensor lies in its storage."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self) -> NDArray[Any]:
        """Return the tensor as an array of its own; raises ValueError where it leaves its storage."""
        data = self.storage.data
        if math.prod(self.shape) == 0:
            return np.empty(self.shape, data.dtype)
        if self.offset < 0 or min((*self.shape, *self.strides), default=0) < 0:
            raise ValueError("negative offset, size or stride")
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if last >= len(data):
            raise ValueError("tensor outside its storage")
        steps = [stride * data.itemsize for stride in self.strides]
        return np.array(np.lib.stride_tricks.as_strided(data[self.offset :], self.shape, steps))


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor: _Tensor, *_: object) -> _Tensor:
    return tensor


class _Index(pickle.Unpickler):
    """An unpickler that can make tensors, ordered dicts and plain values, and nothing else."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream, encoding="utf-8")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _rebuild_parameter
        raise ModelError(f"the checkpoint asks for {module}.{name}, which no tensor needs; do not use it")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, numel = pid[:5]
        if kind != "storage" or not isinstance(dtype, str) or (len(pid) > 5 and pid[5] is not None):
            _refuse("unknown storage")
        return self.storages.setdefault(str(key), _Storage(dtype, int(numel)))


def _refuse(what: str) -> NoReturn:
    raise pickle.UnpicklingError(what)


def _arrays(state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    return {name: value.array() if isinstance(value, _Tensor) else value for name, value in state.items()}


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        index = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if index is None:
            _refuse("no data.pkl")
        folder = index.removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            _refuse("big-endian")
        unpickler = _Index(io.BytesIO(archive.read(index)))
        state = unpickler.load()
        for key, storage in unpickler.storages.items():
            storage.data = np.frombuffer(archive.read(f"{folder}data/{key}"), storage.dtype)
        return _arrays(state)


def _read_legacy(path: Path) -> Any:
    with path.open("rb") as stream:
        if _Index(stream).load() != LEGACY_MAGIC:
            _refuse("unknown magic number")
        _Index(stream).load()  # version of the layout
        system = _Index(stream).load()
        if not (isinstance(system, dict) and system.get("little_endian") is True):
            _refuse("big-endian")
        unpickler = _Index(stream)
        state = unpickler.load()
        for key in cast("list[str]", _Index(stream).load()):
            storage = unpickler.storages[key]
            if int.from_bytes(stream.read(8), "little") != storage.numel:
                _refuse("wrong size of a storage")
            raw = stream.read(storage.numel * storage.dtype.itemsize)
            if len(raw) != storage.numel * storage.dtype.itemsize:
                _refuse("truncated storage")
            storage.data = np.frombuffer(raw, storage.dtype)
        return _arrays(state)
