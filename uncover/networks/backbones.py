"""Feature extractors for the detector: a torchvision classifier's body with a small pyramid on top.

The pyramid is Lin et al., "Feature Pyramid Networks" (2017) as torchvision builds it.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.squeezenet import Fire
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

BACKBONES = ("squeezenet1_1", "mobilenet_v3_large", "resnet50")


class BackboneWithPyramid(nn.Module):
    """float (B, 3, H, W), normalised -> maps "0", "1", "2", "pool" at strides 8, 16, 32, 64.

    ``name`` is one of :data:`BACKBONES`. ImageNet weights are read (and downloaded when torch's
    hub cache lacks them) only with ``pretrained=True``: training wants that, inference never.
    """

    levels = ("0", "1", "2")

    def __init__(self, name: str, channels: int, pretrained: bool = False) -> None:
        super().__init__()
        self.body, widths = _body(name, "DEFAULT" if pretrained else None)
        self.pyramid = FeaturePyramidNetwork(
            list(widths), channels, extra_blocks=LastLevelMaxPool()
        )
        self.out_channels = channels
        self.to(memory_format=torch.channels_last)

    def freeze_stem(self) -> None:
        """Keeps the layers up to stride 4 as they are: what they see is the same everywhere."""
        body = self.body
        assert isinstance(body, SqueezeNetBody | TorchvisionBody)
        for module in body.stem():
            module.requires_grad_(False)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        # Pooling is six times as fast on a CPU when the channels lie next to each other.
        return self.pyramid(self.body(images.contiguous(memory_format=torch.channels_last)))


class SqueezeNetBody(nn.Module):
    """SqueezeNet 1.1 up to stride 16 (Iandola et al., 2016), plus two Fire blocks at stride 32."""

    def __init__(self, weights: str | None) -> None:
        super().__init__()
        self.features = models.squeezenet1_1(weights=weights).features
        self.coarse = nn.Sequential(
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            Fire(512, 64, 128, 128),
            Fire(256, 64, 192, 192),
        )

    def stem(self) -> list[nn.Module]:
        """The layers up to stride 4."""
        return list(self.features[:5])

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        eighth = self.features[:8](images) if self.training else self._to_eighth(images)
        sixteenth = self.features[8:](eighth)
        return OrderedDict([("0", eighth), ("1", sixteenth), ("2", self.coarse(sixteenth))])

    def _to_eighth(self, images: Tensor) -> Tensor:
        """The same to the bit, with pooling before rectifying and joining: a quarter to do."""
        conv, _, pool, fire, wide, pool_wide, *rest = self.features[:8]
        x = fire(F.relu(pool(conv(images))))
        x = wide.squeeze_activation(wide.squeeze(x))
        halves = [pool_wide(wide.expand1x1(x)), pool_wide(wide.expand3x3(x))]
        x = F.relu(torch.cat(halves, dim=1))
        for block in rest:
            x = block(x)
        return x


class TorchvisionBody(IntermediateLayerGetter):  # type: ignore[misc, unused-ignore]
    """Another torchvision classifier, cut after its stages of stride 8, 16 and 32."""

    def __init__(self, model: nn.Module, layers: dict[str, str], stem: tuple[str, ...]) -> None:
        super().__init__(model, layers)
        self.stem_names = stem

    def stem(self) -> list[nn.Module]:
        """The layers up to stride 4."""
        return [self[name] for name in self.stem_names]


def _body(name: str, weights: str | None) -> tuple[nn.Module, tuple[int, int, int]]:
    if name == "squeezenet1_1":
        return SqueezeNetBody(weights), (256, 512, 384)
    # The statistics of a detector's small batches are noise: keep the pretrained ones.
    if name == "mobilenet_v3_large":
        net = models.mobilenet_v3_large(weights=weights, norm_layer=FrozenBatchNorm2d).features
        layers = {"6": "0", "12": "1", "16": "2"}
        return TorchvisionBody(net, layers, ("0", "1", "2", "3")), (40, 112, 960)
    if name == "resnet50":
        net = models.resnet50(weights=weights, norm_layer=FrozenBatchNorm2d)
        layers = {"layer2": "0", "layer3": "1", "layer4": "2"}
        return TorchvisionBody(net, layers, ("conv1", "bn1", "layer1")), (512, 1024, 2048)
    raise ValueError(f"unknown backbone {name!r}: choose one of {', '.join(BACKBONES)}")
