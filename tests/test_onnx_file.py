"""ONNX files of our own are ONNX files to the library that defines them."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from assistant.backends import onnx_file


def affine(weights: np.ndarray, size: int) -> bytes:
    """A graph with attributes of both kinds: its input turned on its side, times ``weights``."""
    nodes = [
        onnx_file.node("Transpose", ["x"], "turned", {"perm": [1, 0]}),
        onnx_file.node("MatMul", ["turned", "weights"], "product", {}),
        onnx_file.node("Softmax", ["product"], "y", {"axis": 1}),
    ]
    inputs = [onnx_file.value("x", onnx_file.FLOAT, (len(weights), "many"))]
    outputs = [onnx_file.value("y", onnx_file.FLOAT, ("many", size))]
    whole = onnx_file.graph("affine", nodes, [onnx_file.tensor("weights", weights)], inputs, outputs)
    return onnx_file.model(whole, opset=17, ir=8)


@pytest.mark.parametrize("shape", [(3, 2), (1, 1), (200, 300)])
def test_a_graph_computes_what_it_says(shape: tuple[int, int]) -> None:
    generator = np.random.default_rng(0)
    weights = generator.normal(size=shape).astype(np.float32)
    x = generator.normal(size=(shape[0], 5)).astype(np.float32)
    session = onnxruntime.InferenceSession(affine(weights, shape[1]), providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": x})
    powers = np.exp(x.T @ weights - (x.T @ weights).max(axis=1, keepdims=True))
    assert np.allclose(y, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)


def test_the_library_reads_the_same() -> None:
    onnx = pytest.importorskip("onnx", reason="compares with the onnx package, which is not needed otherwise")
    weights = np.arange(6, dtype=np.float32).reshape(3, 2)
    model = onnx.load_from_string(affine(weights, 2))
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, model.opset_import[0].version, model.graph.name) == (8, 17, "affine")
    assert [node.op_type for node in model.graph.node] == ["Transpose", "MatMul", "Softmax"]
    assert list(model.graph.node[0].attribute[0].ints) == [1, 0]
    assert np.array_equal(onnx.numpy_helper.to_array(model.graph.initializer[0]), weights)
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    assert (sizes[0].dim_value, sizes[1].dim_param) == (3, "many")


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**31, 2**62])
def test_large_numbers_are_written_in_groups_of_seven_bits(number: int) -> None:
    onnx = pytest.importorskip("onnx", reason="compares with the onnx package, which is not needed otherwise")
    assert onnx.load_from_string(onnx_file.model(b"", opset=number, ir=1)).opset_import[0].version == number
