"""The network: EfficientNet-Lite0 that sees lightness, and a light decoder that says which colours it expects where.

Photographs come in as L* / 100, shape (n, 1, H, W), H and W multiples of 32; out come scores of `N_COLORS` colours,
shape (n, N_COLORS, H / 4, W / 4). While it learns, a teacher that sees the colours shows it what there is to see.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from colorize.refine.networks import LITE_STAGES, SameConv

N_COLORS = 72
WIDTH = 96
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
GRAY_MEAN, GRAY_DEVIATION = 0.449, 0.226
"""Of ImageNet, by channel and of its gray: where the weights that the training starts from expect their input."""

LATERAL = {24: "stride 4", 40: "stride 8", 112: "stride 16", 320: "stride 32"}
"""Channels of the last map of every resolution."""


class ConvNorm(nn.Module):
    """Convolution, padded as TensorFlow's SAME does for even sizes, batch normalisation, and ReLU6 if wanted."""

    def __init__(self, n_in: int, n_out: int, kernel: int, *, stride: int = 1, groups: int = 1, active: bool = True):
        super().__init__()
        self.conv = SameConv(n_in, n_out, kernel, stride=stride, groups=groups)
        self.norm = nn.BatchNorm2d(n_out, eps=1e-3, momentum=0.02)
        self.active = active

    def forward(self, x: Tensor) -> Tensor:
        """Features of a batch."""
        x = self.norm(self.conv(x))
        return functional.relu6(x) if self.active else x


class Inverted(nn.Module):
    """Inverted residual block (Sandler et al., "MobileNetV2", CVPR 2018)."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        inner = n_in * expansion
        self.expand = ConvNorm(n_in, inner, 1) if expansion != 1 else nn.Identity()
        self.depthwise = ConvNorm(inner, inner, kernel, stride=stride, groups=inner)
        self.project = ConvNorm(inner, n_out, 1, active=False)
        self.residual = stride == 1 and n_in == n_out

    def forward(self, x: Tensor) -> Tensor:
        """Widen, look around, narrow, and add what came in where it fits."""
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class Mixing(nn.Module):
    """What the decoder does at every resolution: look around, mix channels, add."""

    def __init__(self, width: int):
        super().__init__()
        self.depthwise = ConvNorm(width, width, 5, groups=width)
        self.mix = ConvNorm(width, width, 1, active=False)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the surroundings say."""
        return functional.relu6(x + self.mix(self.depthwise(x)))


class Trunk(nn.Module):
    """EfficientNet-Lite0 without its classifier."""

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.stem = ConvNorm(n_in, 32, 3, stride=2)
        blocks, n_in = [], 32
        for repeats, kernel, stride, expansion, n_out in LITE_STAGES:
            for repeat in range(repeats):
                blocks.append(Inverted(n_in, n_out, kernel, stride if repeat == 0 else 1, expansion))
                n_in = n_out
        self.blocks = nn.ModuleList(blocks)

    def maps(self, x: Tensor) -> list[Tensor]:
        """The last map of every resolution, strides 4 to 32, of normalised photographs."""
        x, maps = self.stem(x), []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in LAST_BLOCKS:
                maps.append(x)
        return maps


class Encoder(Trunk):
    """Sees a gray photograph, and tells for every place which colours it expects there."""

    def __init__(self) -> None:
        super().__init__(1)
        self.lateral = nn.ModuleList(ConvNorm(n, WIDTH, 1, active=False) for n in LATERAL)
        self.scene = ConvNorm(320, WIDTH, 1, active=False)
        self.mixing = nn.ModuleList(Mixing(WIDTH) for _ in LATERAL)
        self.head = nn.Conv2d(WIDTH, N_COLORS, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Scores at stride 4, and the maps of the trunk."""
        maps = self.maps((x - GRAY_MEAN) / GRAY_DEVIATION)
        y = self.lateral[3](maps[3]) + self.scene(maps[3].mean(dim=(2, 3), keepdim=True))
        y = self.mixing[3](y)
        for level in (2, 1, 0):
            y = functional.interpolate(y, scale_factor=2.0, mode="nearest")
            y = self.mixing[level](y + self.lateral[level](maps[level]))
        return self.head(y), maps


class Teacher(Trunk):
    """The same network as ImageNet left it: it sees photographs clean and in colours, and never learns."""

    def __init__(self, weights: Path) -> None:
        super().__init__(3)
        start_from_imagenet(self, weights)
        self.eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None])

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """The maps of the trunk; sRGB in 0..1, shape (n, 3, H, W)."""
        with torch.no_grad():
            return self.maps((rgb - self.mean) / self.deviation)


def distance(maps: list[Tensor], taught: list[Tensor]) -> Tensor:
    """How far maps are from those of the teacher, in units of the spread of each of its channels.

    Of strides 8 to 32: what lies below is too near to the pixels, which differ. Distillation (Hinton, Vinyals and Dean
    2015) by hints in the middle of a network (Romero et al., "FitNets", ICLR 2015).
    """
    apart = []
    for ours, theirs in zip(maps[1:], taught[1:], strict=True):
        spread = theirs.var(dim=(0, 2, 3)) + 1e-3
        apart.append(((ours - theirs).square().mean(dim=(0, 2, 3)) / spread).mean())
    return torch.stack(apart).mean()


LAST_BLOCKS = (2, 4, 10, 15)
"""Blocks whose output is the last of its resolution."""


def start_from_imagenet(network: Trunk, file: Path) -> None:
    """Take over the weights of EfficientNet-Lite0; for gray the three channels of its first layer become one."""
    there = torch.load(file, map_location="cpu", weights_only=True)

    def fill(layer: ConvNorm, conv: str, norm: str) -> None:
        weight = there[f"{conv}.weight"]
        gray = layer.conv.weight.shape[1] == 1 and weight.shape[1] == 3
        layer.conv.weight.data.copy_(weight.sum(dim=1, keepdim=True) if gray else weight)
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(layer.norm, name).data.copy_(there[f"{norm}.{name}"])

    fill(network.stem, "_conv_stem", "_bn0")
    for i, block in enumerate(network.blocks):
        if isinstance(block.expand, ConvNorm):
            fill(block.expand, f"_blocks.{i}._expand_conv", f"_blocks.{i}._bn0")
        fill(block.depthwise, f"_blocks.{i}._depthwise_conv", f"_blocks.{i}._bn1")
        fill(block.project, f"_blocks.{i}._project_conv", f"_blocks.{i}._bn2")
