"""EfficientNet-Lite as an ONNX graph, built from the published PyTorch state dict without PyTorch.

Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019; the Lite
variants have no squeeze-and-excitation and use ReLU6. Batch norms are folded into the convolutions and the
padding is TensorFlow's SAME. The classifier is applied at every place of the grid: the mean over the places
is the usual logits, the places are the class activation maps (Zhou et al., "Learning Deep Features for
Discriminative Localization", CVPR 2016). Beside the last map stands the one before it (hypercolumns: Hariharan et
al., CVPR 2015): the classifier has no use for a colour or a texture that tells no two of its classes apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ..errors import ModelError
from . import onnx_file
from .torch_weights import Weights

SIZE = 260
"""Width and height of the pictures that EfficientNet-Lite2 was trained on."""
GRID = 9
"""Rows and columns of the last feature maps: 260 halved five times, rounded up."""
LAST, EARLIER = 1280, 208
"""Channels of the last map and of the sixth stage's, in the order of the features."""
FAINTER = 0.2
"""The sixth stage's map is multiplied by this, so that its channels vary about as much as the last map's."""
MEAN, SCALE = 127.0, 128.0
EPSILON = 1e-3
"""Of the batch norms."""
STAGES = ((1, 1), (3, 2), (3, 2), (4, 2), (4, 1), (5, 2), (1, 1))
"""Blocks and stride of each stage of Lite2 (depth factor 1.2; first and last stage are not scaled)."""
OPSET, IR = 17, 8
MISFIT = "the checkpoint is not EfficientNet-Lite2: its tensors do not fit together"


def build(weights: Weights) -> bytes:
    """Return the ONNX file of EfficientNet-Lite2.

    Input ``pixels``: uint8 RGB, (batch, 260, 260, 3). Outputs: ``features`` (batch, 9, 9, 1488) and
    ``evidence`` (batch, 9, 9, 1000), float32. Raises :class:`ModelError` where a tensor is missing,
    has an unfitting shape, or is left over.
    """
    graph = _Graph(weights)
    try:
        graph.network()
    except KeyError as error:
        raise ModelError(f"the checkpoint is not EfficientNet-Lite2: it has no tensor {error}") from error
    except ValueError as error:
        raise ModelError(MISFIT) from error
    inputs = [onnx_file.value("pixels", onnx_file.UINT8, ("batch", SIZE, SIZE, 3))]
    outputs = [
        onnx_file.value(name, onnx_file.FLOAT, ("batch", GRID, GRID, dim))
        for name, dim in (("features", LAST + EARLIER), ("evidence", 1000))
    ]
    whole = onnx_file.graph("efficientnet-lite2", graph.nodes, graph.constants.values(), inputs, outputs)
    content = onnx_file.model(whole, OPSET, IR)
    _try(content)
    if left := graph.left:
        raise ModelError(f"the checkpoint is not EfficientNet-Lite2: nothing uses its tensor {min(left)}")
    return content


def _try(content: bytes) -> None:
    """Raise :class:`ModelError` where the graph does not run or gives other shapes than it should."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        made = session.run(None, {"pixels": np.zeros((1, SIZE, SIZE, 3), np.uint8)})
    except Exception as error:  # the library has no class of its own for what is wrong with a graph
        raise ModelError(MISFIT) from error
    if [array.shape for array in made] != [(1, GRID, GRID, LAST + EARLIER), (1, GRID, GRID, 1000)]:
        raise ModelError(MISFIT)


class _Graph:
    """Collects nodes and constants; each method adds a piece and returns the name of its output."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.left = {name for name in weights if not name.endswith("num_batches_tracked")}
        self.nodes: list[bytes] = []
        self.constants: dict[str, bytes] = {}

    def network(self) -> None:
        self.node("Cast", ["pixels"], "numbers", to=1)
        self.node("Sub", ["numbers", self.constant("mean", np.float32(MEAN))], "centred")
        self.node("Div", ["centred", self.constant("scale", np.float32(SCALE))], "scaled")
        self.node("Transpose", ["scaled"], "planes", perm=[0, 3, 1, 2])
        x, side = self.conv("planes", SIZE, "_conv_stem", "_bn0", stride=2)
        block = 0
        for repeats, stride in STAGES:
            earlier = x
            for repeat in range(repeats):
                x, side = self.block(x, side, f"_blocks.{block}", stride if repeat == 0 else 1, repeat > 0)
                block += 1
        x, side = self.conv(x, side, "_conv_head", "_bn1")
        self.node("Transpose", [x], "last", perm=[0, 2, 3, 1])
        self.node("Transpose", [earlier], "loud", perm=[0, 2, 3, 1])
        self.node("Mul", ["loud", self.constant("fainter", np.float32(FAINTER))], "earlier")
        self.node("Concat", ["last", "earlier"], "features", axis=3)
        classes = self.constant("classes", self.take("_fc.weight").T)
        self.node("MatMul", ["last", classes], "unbiased")
        self.node("Add", ["unbiased", self.constant("bias", self.take("_fc.bias"))], "evidence")

    def block(self, x: str, side: int, name: str, stride: int, skip: bool) -> tuple[str, int]:
        start = x
        if f"{name}._expand_conv.weight" in self.weights:
            x, side = self.conv(x, side, f"{name}._expand_conv", f"{name}._bn0")
        x, side = self.conv(x, side, f"{name}._depthwise_conv", f"{name}._bn1", stride, depthwise=True)
        x, side = self.conv(x, side, f"{name}._project_conv", f"{name}._bn2", relu=False)
        return (self.node("Add", [x, start], f"{name}.sum") if skip else x), side

    def conv(
        self, x: str, side: int, name: str, norm: str, stride: int = 1, depthwise: bool = False, relu: bool = True
    ) -> tuple[str, int]:
        """Add convolution, folded batch norm and ReLU6; return the output and the side of its maps."""
        kernel = self.take(f"{name}.weight")
        gain = self.take(f"{norm}.weight") / np.sqrt(self.take(f"{norm}.running_var") + EPSILON)
        bias = self.take(f"{norm}.bias") - self.take(f"{norm}.running_mean") * gain
        size = kernel.shape[-1]
        after = -(-side // stride)
        padding = max((after - 1) * stride + size - side, 0)
        first = padding // 2
        inputs = [
            x,
            self.constant(f"{name}.kernel", kernel * gain[:, None, None, None]),
            self.constant(f"{name}.bias", bias),
        ]
        x = self.node(
            "Conv",
            inputs,
            name,
            group=len(kernel) if depthwise else 1,
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[first, first, padding - first, padding - first],
        )
        if relu:
            x = self.node("Clip", [x, self.limit(0.0), self.limit(6.0)], f"{name}.relu6")
        return x, after

    def take(self, name: str) -> NDArray[np.float64]:
        self.left.discard(name)
        return self.weights[name].astype(np.float64)

    def limit(self, value: float) -> str:
        return self.constant(f"limit {value:g}", np.float32(value))

    def constant(self, name: str, value: NDArray[Any] | np.float32) -> str:
        self.constants[name] = onnx_file.tensor(name, np.asarray(value, np.float32))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: int | Sequence[int]) -> str:
        self.nodes.append(onnx_file.node(kind, inputs, output, attributes))
        return output
