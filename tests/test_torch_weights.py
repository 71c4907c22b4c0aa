"""Checkpoints are read without PyTorch, and whatever is not a tensor is refused."""

from __future__ import annotations

import collections
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.backends import torch_weights
from assistant.backends.efficientnet import PUBLISHED, convert
from assistant.errors import ModelError


@pytest.mark.parametrize("zipped", [True, False])
def test_reads_what_torch_writes(tmp_path: Path, zipped: bool) -> None:
    torch = pytest.importorskip("torch")
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    state = collections.OrderedDict(
        whole=base,
        view=base.t()[1:3],
        half=base.half(),
        count=torch.tensor(7),
        empty=torch.zeros(0, 3),
        parameter=torch.nn.Parameter(base * 2),
    )
    torch.save(state, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    read = torch_weights.read(tmp_path / "x.pth")
    assert list(read) == list(state)
    for name, tensor in state.items():
        wanted = tensor.detach().numpy()
        assert read[name].dtype == wanted.dtype and read[name].shape == wanted.shape
        assert np.array_equal(read[name], wanted)


class Bomb:
    """Unpickled carelessly, it makes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_malicious_checkpoint_is_refused_and_does_nothing(tmp_path: Path, zipped: bool) -> None:
    body = pickle.dumps({"weight": Bomb(tmp_path / "harm")})
    path = tmp_path / "x.pth"
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", body)
    else:
        head = [torch_weights.LEGACY_MAGIC, 1001, {"little_endian": True}]
        path.write_bytes(b"".join(pickle.dumps(part, 2) for part in head) + body)
    with pytest.raises(ModelError, match=r"asks for \w+\.mkdir"):
        torch_weights.read(path)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", ["eval", "exec", "getattr", "__import__"])
def test_no_builtin_is_handed_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.pth").write_bytes(b"cbuiltins\n" + name.encode() + b"\n(S'1'\ntR.")
    with pytest.raises(ModelError, match=rf"builtins\.{name}"):
        torch_weights.read(tmp_path / "x.pth")


def test_damage_is_told_in_one_line(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for zipped in (True, False):
        torch.save({"a": torch.ones(300)}, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
        whole = (tmp_path / "x.pth").read_bytes()
        for end in (0, 1, 40, len(whole) // 2, len(whole) - 300):
            (tmp_path / "x.pth").write_bytes(whole[:end])
            with pytest.raises(ModelError) as caught:
                torch_weights.read(tmp_path / "x.pth")
            assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="cannot read"):
        torch_weights.read(tmp_path / "missing.pth")


def test_a_tensor_may_not_leave_its_storage(tmp_path: Path) -> None:
    storage = torch_weights._Storage("<f4", 4)
    storage.data = np.zeros(4, np.float32)
    for offset, shape, strides in ((0, (5,), (1,)), (2, (3,), (1,)), (-1, (2,), (1,)), (0, (2, 2), (4, 1))):
        with pytest.raises(ValueError, match=r"storage|negative"):
            torch_weights._Tensor(storage, offset, shape, strides).array()


def test_another_network_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"layer.weight": torch.ones(3)}, tmp_path / PUBLISHED)
    with pytest.raises(ModelError, match="not EfficientNet-Lite2"):
        convert(tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [PUBLISHED]
