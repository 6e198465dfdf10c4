"""The networks: the refiner's, the generators of the rivals, their discriminator. Tensors in, tensors out.

All generators take lightness (N, 1, H, W), CIE L* 0..100, of any size, and give ``n_out`` planes of the same height and
width. That of the refiner takes planes of guidance and the place of a crop as well; the others pass over both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GENERATORS = ("unet", "unet-large", "resnet50", "lite0")
"""The generators of the rivals."""

# Seven halvings make one pixel of the 128 that rivals are trained on, as in pix2pix for its 256 with eight.
_LARGE_WIDTHS = (64, 128, 256, 512, 512, 512, 512)
# Five doublings undo the five halvings of an encoder.
_DECODER_WIDTHS = (256, 128, 64, 32, 32)

LITE_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""The stages of EfficientNet-Lite0: repeats, kernel, stride of the first, expansion, channels out."""

_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def make_generator(name: str, n_out: int) -> nn.Module:
    """Build a generator by name, with random weights from torch's global random state.

    Parameters
    ----------
    name : {"unet", "unet-large", "resnet50", "lite0"}
        A small U-Net (about 0.9 million weights), that of pix2pix (42 million), or a frozen encoder with a decoder of
        transposed convolutions: ResNet-50 (23.5 million frozen, 9.1 million trained) or EfficientNet-Lite0 (3.0 and
        2.0 million).
    n_out : int
        Planes to predict: 2 for a* and b*, or one per colour class.

    Raises
    ------
    ValueError
        There is no such generator.

    Examples
    --------
    >>> make_generator("unet", 2)(torch.full((1, 1, 20, 36), 50.0)).shape
    torch.Size([1, 2, 20, 36])
    """
    if name == "unet":
        return SmallUNet(3, n_out, (32, 64, 96, 108), dropout=0.2)
    if name == "unet-large":
        return LargeUNet(n_out)
    if name in ENCODERS:
        return FrozenGenerator(ENCODERS[name](), n_out)
    raise ValueError(f"generator must be one of {', '.join(GENERATORS)}, got {name!r}")


class SmallUNet(nn.Module):
    """A U-Net at half the resolution: colour is smooth, so every second pixel is enough, at a quarter of the cost.

    Blocks of 2 x 2 pixels become channels, four levels of residual blocks follow, the mean over the whole picture joins
    at the bottom (the tint of a scene is decided there), and the result is enlarged. The last layer starts at zero, so
    that an untrained network answers zero.

    Parameters
    ----------
    n_in : int
        Input planes with the two coordinates that the network adds by itself: a network of one plane has 3.
    n_out : int
    widths : sequence of int
        Channels per level, from fine to coarse.
    dropout : float
        Share of the channels at the bottom that training leaves out at random.

    References
    ----------
    Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015. Liu et al., "An intriguing failing of convolutional neural
    networks and the CoordConv solution", NeurIPS 2018 (coordinates as planes).
    """

    def __init__(self, n_in: int, n_out: int, widths: Sequence[int], *, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem = nn.Conv2d(4 * n_in, widths[0], 3, padding=1, bias=False)
        self.down = nn.ModuleList(_ConvBlock(narrow, wide, stride=2) for narrow, wide in pairwise(widths))
        self.encode = nn.ModuleList(_ResidualBlock(width) for width in widths)
        self.context = nn.Linear(widths[-1], widths[-1])
        self.dropout = nn.Dropout2d(dropout)
        # Narrowed before they are enlarged: a quarter of the products.
        self.up = nn.ModuleList(nn.Conv2d(wide, narrow, 1, bias=False) for narrow, wide in pairwise(widths))
        self.decode = nn.ModuleList(_ResidualBlock(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], n_out, 3, padding=1)
        _start_at_zero(self.head)
        # One halving by the blocks, one between any two levels.
        self._multiple = 2 ** len(widths)

    def forward(self, lightness: Tensor, guide: Tensor | None = None, place: Tensor | None = None) -> Tensor:
        """Planes for a batch, shape (N, n_out, H, W).

        Parameters
        ----------
        lightness : Tensor, shape (N, 1, H, W)
        guide : Tensor, shape (N, C, H, W), optional
            Further planes, of about unit size.
        place : Tensor, shape (N, 2, H, W), optional
            Row and column of every pixel in its whole photograph, -1..1. By default the batch holds whole photographs.
        """
        # A convolution does not know where it is; skies are above and floors below. Hence planes of coordinates.
        height, width = lightness.shape[-2:]
        planes = [lightness / 50 - 1, place if place is not None else coordinates(lightness)]
        x = _padded(torch.cat(planes if guide is None else [*planes, guide], 1), self._multiple)
        x = self.stem(F.pixel_unshuffle(x, 2))
        skips = []
        for level, encode in enumerate(self.encode):
            x = encode(x if level == 0 else self.down[level - 1](x))
            skips.append(x)
        x = self.dropout(x + self.context(x.mean((2, 3)))[..., None, None])
        for level in reversed(range(len(self.decode))):
            # Added and not joined: skips have the channels of their level already, and the decoder half the inputs.
            x = self.decode[level](skips[level] + F.interpolate(self.up[level](x), scale_factor=2.0, mode="bilinear"))
        x = F.interpolate(self.head(x), scale_factor=2.0, mode="bilinear")
        return x[..., :height, :width]


class LargeUNet(nn.Module):
    """The generator of pix2pix for 128 pixels: seven strided convolutions down, seven transposed ones up, skips.

    References
    ----------
    Isola, Zhu, Zhou and Efros, "Image-to-image translation with conditional adversarial networks", CVPR 2017, sec. 6.1.
    """

    def __init__(self, n_out: int) -> None:
        super().__init__()
        sizes = (1, *_LARGE_WIDTHS)
        last = len(_LARGE_WIDTHS) - 1
        # No normalisation at either end, as in pix2pix. At the last there is one value per picture and channel, of
        # which normalising would leave what the other pictures of the batch are like.
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.LeakyReLU(0.2) if level else nn.Identity(),
                nn.Conv2d(sizes[level], sizes[level + 1], 4, stride=2, padding=1, bias=level in (0, last)),
                nn.BatchNorm2d(sizes[level + 1]) if 0 < level < last else nn.Identity(),
            )
            for level in range(last + 1)
        )
        # Dropout in three levels is what pix2pix has instead of a noise input: asked for one answer to a question with
        # many, a generator learns to ignore such an input.
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(),
                nn.ConvTranspose2d(
                    sizes[level + 1] * (1 if level == last else 2), sizes[level], 4, stride=2, padding=1, bias=False
                ),
                nn.BatchNorm2d(sizes[level]),
                nn.Dropout(0.5 if 3 <= level < last else 0.0),
            )
            for level in range(1, last + 1)
        )
        self.head = nn.ConvTranspose2d(2 * sizes[1], n_out, 4, stride=2, padding=1)
        _start_at_zero(self.head)

    def forward(self, lightness: Tensor, guide: Tensor | None = None, place: Tensor | None = None) -> Tensor:
        """Planes for a batch, shape (N, n_out, H, W)."""
        height, width = lightness.shape[-2:]
        x = _padded(lightness / 50 - 1, 2 ** len(_LARGE_WIDTHS))
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        for level in reversed(range(len(self.up))):
            x = torch.cat([self.up[level](x), skips[level]], 1)
        return self.head(F.relu(x))[..., :height, :width]


class FrozenGenerator(nn.Module):
    """A frozen encoder, of which neither weights nor batch statistics ever move, and five transposed convolutions."""

    def __init__(self, encoder: ResNet50 | EfficientNetLite0, n_out: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.encoder.requires_grad_(False)
        sizes = (encoder.n_maps, *_DECODER_WIDTHS)
        self.decoder = nn.Sequential(*(_transposed(wide, narrow) for wide, narrow in pairwise(sizes)))
        self.head = nn.Conv2d(sizes[-1], n_out, 3, padding=1)
        _start_at_zero(self.head)

    def train(self, mode: bool = True) -> FrozenGenerator:
        """Switch the decoder; the encoder stays as it is in use."""
        super().train(mode)
        # Statistics of a batch normalisation move in training mode even where no weight may.
        self.encoder.eval()
        return self

    def forward(self, lightness: Tensor, guide: Tensor | None = None, place: Tensor | None = None) -> Tensor:
        """Planes for a batch, shape (N, n_out, H, W)."""
        height, width = lightness.shape[-2:]
        with torch.no_grad():
            features = self.encoder(_padded(_imagenet_gray(lightness), 32))
        return self.head(self.decoder(features))[..., :height, :width]


class ResNet50(nn.Module):
    """The convolutional part of ResNet-50, its weights named as in torchvision: ``layer1.0.conv1.weight`` and so on.

    Maps pictures (N, 3, H, W), normalised as for ImageNet, to features (N, 2048, H/32, W/32).

    References
    ----------
    He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016, table 1.
    """

    title, n_maps = "torchvision's ResNet-50", 2048
    classifier = ("fc.",)
    """How the names of the weights begin that are for naming things and have no place here."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _bottlenecks(64, 64, 3, stride=1)
        self.layer2 = _bottlenecks(256, 128, 4, stride=2)
        self.layer3 = _bottlenecks(512, 256, 6, stride=2)
        self.layer4 = _bottlenecks(1024, 512, 3, stride=2)

    def forward(self, pictures: Tensor) -> Tensor:
        """Features of a batch."""
        x = F.relu(self.bn1(self.conv1(pictures)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class EfficientNetLite0(nn.Module):
    """The convolutional part of EfficientNet-Lite0, its weights named as in the package `efficientnet-lite-pytorch`.

    Maps pictures (N, 3, H, W), normalised as for ImageNet, H and W multiples of 32, to features (N, 320, H/32, W/32).
    The encoder that the package ships (`colorize.features.encoder.see`) is another network with this trunk.

    References
    ----------
    Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019, table 1; the Lite
    variant has ReLU6 and no squeeze and excitation.
    """

    title, n_maps = "EfficientNet-Lite0", 320
    classifier = ("_conv_head.", "_bn1.", "_fc.")

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, 32, 3, stride=2)
        self._bn0 = _lite_norm(32)
        self._blocks = nn.ModuleList()
        n_in = 32
        for repeats, kernel, stride, expansion, n_out in LITE_STAGES:
            for repeat in range(repeats):
                self._blocks.append(_Inverted(n_in, n_out, kernel, 1 if repeat else stride, expansion))
                n_in = n_out

    def forward(self, pictures: Tensor) -> Tensor:
        """Features of a batch."""
        x = F.relu6(self._bn0(self._conv_stem(pictures)))
        for block in self._blocks:
            x = block(x)
        return x


ENCODERS: dict[str, type[ResNet50] | type[EfficientNetLite0]] = {"resnet50": ResNet50, "lite0": EfficientNetLite0}
"""The frozen encoders of the generators that have one."""


class PatchDiscriminator(nn.Module):
    """The conditional 70 x 70 PatchGAN: one score per overlapping patch of 70 pixels, from lightness and ab together.

    Parameters
    ----------
    normalize : bool
        Batch normalisation, as in pix2pix. A critic with a gradient penalty must go without, because the penalty is on
        each picture's own gradient (Gulrajani et al. 2017, sec. 4).

    References
    ----------
    Isola et al., CVPR 2017, sec. 6.1.2.

    Examples
    --------
    >>> critic = PatchDiscriminator(normalize=False)
    >>> critic(torch.zeros(1, 1, 128, 128), torch.zeros(1, 2, 128, 128)).shape
    torch.Size([1, 1, 14, 14])
    """

    def __init__(self, *, normalize: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        sizes = (3, 64, 128, 256, 512)
        for index, (narrow, wide) in enumerate(pairwise(sizes)):
            layers.append(nn.Conv2d(narrow, wide, 4, stride=2 if index < 3 else 1, padding=1))
            if index and normalize:
                layers.append(nn.BatchNorm2d(wide))
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers, nn.Conv2d(sizes[-1], 1, 4, padding=1))

    def forward(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """Scores (N, 1, h, w) for lightness (N, 1, H, W), L* 0..100, and ab (N, 2, H, W)."""
        return self.layers(torch.cat([lightness / 50 - 1, ab / 100], 1))


def coordinates(like: Tensor) -> Tensor:
    """Row and column of every pixel, each from -1 to 1, shape (N, 2, H, W)."""
    height, width = like.shape[-2:]
    rows = torch.linspace(-1, 1, height, dtype=like.dtype, device=like.device)
    columns = torch.linspace(-1, 1, width, dtype=like.dtype, device=like.device)
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    return grid.expand(len(like), -1, -1, -1)


class _ConvBlock(nn.Sequential):
    def __init__(self, n_in: int, n_out: int, *, stride: int = 1) -> None:
        # No bias: the normalisation behind it takes every constant out again and adds its own.
        super().__init__(
            nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.SiLU(inplace=True),
        )


class _ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _ConvBlock(width, width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x + self.norm(self.second(self.first(x))))


class _Bottleneck(nn.Module):
    def __init__(self, n_in: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        # The stride here and not in `conv1`, where the paper has it: a 1 x 1 convolution with a stride does not look at
        # three pixels of four. The weights that are loaded were trained this way.
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or n_in != 4 * width:
            shortcut = nn.Conv2d(n_in, 4 * width, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow's SAME does for even sizes: what is odd goes below and to the right.

    The weights of EfficientNet were trained so; with the padding of torch a stride of two would start a pixel off.
    """

    def __init__(self, n_in: int, n_out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self.is_even = before == after
        super().__init__(n_in, n_out, kernel, stride, padding=before if self.is_even else 0, groups=groups, bias=False)
        self.margin = (before, after, before, after)  # left, right, top, bottom

    def forward(self, x: Tensor) -> Tensor:
        """Pad only where the padding is uneven: a convolution does the rest itself, without a copy."""
        return super().forward(x if self.is_even else F.pad(x, self.margin))


class _Inverted(nn.Module):
    """Widen, look around, narrow (Sandler et al., "MobileNetV2", CVPR 2018)."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = n_in * expansion
        self.widens, self.adds = expansion > 1, stride == 1 and n_in == n_out
        if self.widens:
            self._expand_conv = nn.Conv2d(n_in, inner, 1, bias=False)
            self._bn0 = _lite_norm(inner)
        self._depthwise_conv = SameConv(inner, inner, kernel, stride=stride, groups=inner)
        self._bn1 = _lite_norm(inner)
        self._project_conv = nn.Conv2d(inner, n_out, 1, bias=False)
        self._bn2 = _lite_norm(n_out)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        # No activation behind it: in few channels a ReLU loses what it cuts off (MobileNetV2, sec. 3.2).
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


def _lite_norm(n_maps: int) -> nn.BatchNorm2d:
    # TensorFlow's epsilon, with which the weights were trained; that of torch is a hundredth of it.
    return nn.BatchNorm2d(n_maps, eps=1e-3)


def _bottlenecks(n_in: int, width: int, count: int, *, stride: int) -> nn.Sequential:
    first = _Bottleneck(n_in, width, stride=stride)
    return nn.Sequential(first, *(_Bottleneck(4 * width, width, stride=1) for _ in range(count - 1)))


def _transposed(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )


def _start_at_zero(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """An untrained network then answers zero: gray, no correction, or all classes alike."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


def _padded(x: Tensor, multiple: int) -> Tensor:
    """Enlarged to multiples of a number by repeating the last row and column."""
    # Repeated, because zeros are a black frame, and a frame is something to see.
    height, width = x.shape[-2:]
    below, right = -height % multiple, -width % multiple
    return F.pad(x, (0, right, 0, below), mode="replicate") if below or right else x


def _imagenet_gray(lightness: Tensor) -> Tensor:
    """Lightness as the gray sRGB picture it belongs to, normalised as ImageNet's pictures are, (N, 3, H, W)."""
    # CIE L* to luminance, luminance to the sRGB code that all three channels of a gray pixel have: an encoder expects
    # tones as files store them.
    fy = (lightness.clamp(0, 100) + 16) / 116
    linear = torch.where(fy > 6 / 29, fy**3, (fy - 4 / 29) * 3 * (6 / 29) ** 2)
    gray = torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    mean, deviation = (gray.new_tensor(values)[:, None, None] for values in (_IMAGENET_MEAN, _IMAGENET_DEVIATION))
    return (gray - mean) / deviation
