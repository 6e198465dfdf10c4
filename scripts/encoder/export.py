"""Writes the trained network as ONNX: normalisation folded into the convolutions, padding explicit, float16."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from encoder.network import LAST_BLOCKS, ConvNorm, Encoder, Inverted, Mixing

OPSET = 13


class Graph:
    """An ONNX graph that grows node by node; every method returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: NDArray[np.float32]) -> str:
        """Weights, kept in half precision and widened when the network is read."""
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values.astype(np.float16), f"{name}h"))
        self.nodes.append(helper.make_node("Cast", [f"{name}h"], [name], to=TensorProto.FLOAT))
        return name

    def exact(self, values: float | Sequence[float], dtype: type) -> str:
        """Numbers that an operation takes as an input, as they are."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def add(self, operation: str, *inputs: str, **attributes: object) -> str:
        """One operation."""
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def relu6(self, x: str) -> str:
        """ReLU6."""
        return self.add("Clip", x, self.exact(0.0, np.float32), self.exact(6.0, np.float32))

    def wide(self, x: str) -> str:
        """The same; OpenCV 5 takes every sum right behind a convolution for one of equal shapes."""
        return self.add("Clip", x, self.exact(-1e6, np.float32), self.exact(1e6, np.float32))

    def conv_norm(self, x: str, layer: ConvNorm) -> str:
        """Convolution and normalisation in one, behind its padding."""
        left, right, top, bottom = layer.conv.margin
        if left != right:
            x = self.add("Pad", x, self.exact([0, 0, top, left, 0, 0, bottom, right], np.int64))
            left = right = top = bottom = 0
        norm, weight = layer.norm, layer.conv.weight
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        folded = (weight * factor[:, None, None, None]).detach().numpy()
        bias = (norm.bias - norm.running_mean * factor).detach().numpy()
        x = self.add(
            "Conv",
            x,
            self.constant(folded),
            self.constant(bias),
            kernel_shape=list(weight.shape[2:]),
            strides=list(layer.conv.stride),
            group=layer.conv.groups,
            pads=[top, left, bottom, right],
        )
        return self.relu6(x) if layer.active else x

    def inverted(self, x: str, block: Inverted) -> str:
        """Inverted residual block."""
        y = self.conv_norm(x, block.expand) if isinstance(block.expand, ConvNorm) else x
        y = self.conv_norm(self.conv_norm(y, block.depthwise), block.project)
        return self.add("Add", x, y) if block.residual else y

    def mixing(self, x: str, block: Mixing) -> str:
        """One resolution of the decoder."""
        return self.relu6(self.add("Add", x, self.conv_norm(self.conv_norm(x, block.depthwise), block.mix)))


@torch.no_grad()
def mean_of(networks: Sequence[Encoder]) -> Encoder:
    """The mean of networks that started from the same weights and tell the same colours apart.

    Their mistakes differ, what they learnt from the start does not (Wortsman et al., "Model soups", ICML 2022).
    """
    states = [network.state_dict() for network in networks]
    mean = Encoder()
    mean.load_state_dict({name: torch.stack([state[name] * 1.0 for state in states]).mean(dim=0) for name in states[0]})
    return mean.eval()


@torch.no_grad()
def to_onnx(network: Encoder) -> bytes:
    """The network as a file: equal weights give equal bytes."""
    graph = Graph()
    x, maps = graph.conv_norm("lightness", network.stem), []
    for i, block in enumerate(network.blocks):
        x = graph.inverted(x, block)
        if i in LAST_BLOCKS:
            maps.append(x)
    scene = graph.wide(graph.conv_norm(graph.add("GlobalAveragePool", maps[3]), network.scene))
    coarse = graph.wide(graph.conv_norm(maps[3], network.lateral[3]))
    y = graph.mixing(graph.add("Add", coarse, scene), network.mixing[3])
    for level in (2, 1, 0):
        twice = graph.exact([1, 1, 2, 2], np.float32)
        y = graph.add(
            "Resize", y, "", twice, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        )
        y = graph.mixing(
            graph.add("Add", y, graph.conv_norm(maps[level], network.lateral[level])), network.mixing[level]
        )
    head = network.head
    scores = graph.add(
        "Conv", y, graph.constant(head.weight.numpy()), graph.constant(head.bias.numpy()), kernel_shape=[1, 1]
    )
    outputs = {"scores": scores, "features": y}
    for name, value in outputs.items():
        graph.nodes.append(helper.make_node("Identity", [value], [name]))
    size = ["n", 1, "height", "width"]
    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [helper.make_tensor_value_info("lightness", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", None, None, None]) for name in outputs],
        graph.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)
