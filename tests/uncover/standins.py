"""Small networks that stand in for the real ones where a test is about files, not pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from uncover.networks import Segmentation
from uncover.networks.generator import GeneratorConfig
from uncover.weights.registry import REGISTRY, Spec

SMALL_TOLD = GeneratorConfig(
    resolution=64,
    widths=(8, 12, 16),
    blocks=(1, 2, 1),
    detail_width=8,
    look=True,
    latent=4,
    coarse_widths=(8, 12),
    coarse_blocks=(1, 1),
    coarse_heads=2,
)

SMALL = GeneratorConfig(
    resolution=64,
    widths=(8, 16),
    blocks=(1, 1),
    detail_width=4,
    coarse_widths=(8,),
    coarse_blocks=(1,),
    coarse_heads=0,
)


@dataclass(frozen=True)
class TinyConfig:
    resolution: int = 32
    width: int = 4
    depth: int = 1


class Tiny(nn.Module):
    """A convolution with BatchNorm, so that integer buffers are stored too."""

    def __init__(self, config: TinyConfig = TinyConfig()) -> None:
        super().__init__()
        self.config = config
        self.body = nn.Sequential()
        for i in range(config.depth):
            self.body.append(nn.Conv2d(config.width if i else 3, config.width, 3))
        self.norm = nn.BatchNorm2d(config.width)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.body(image))


TINY = Spec("tests.uncover.standins", "Tiny", "TinyConfig")


def use_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register `Tiny` under all component names for one test."""
    for name in ("generator", "segmenter", "detector", "enlarger"):
        monkeypatch.setitem(REGISTRY, name, TINY)


def trained_tiny(seed: int = 0) -> Tiny:
    """A `Tiny` whose BatchNorm has seen data."""
    torch.manual_seed(seed)
    network = Tiny()
    for _ in range(3):
        network(torch.rand(2, 3, 8, 8))
    return network


class TinyDetector(Tiny):
    """Finds nothing."""

    def detect(self, images: Sequence[np.ndarray]) -> list[SimpleNamespace]:
        boxes, scores = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        return [SimpleNamespace(boxes=boxes, labels=[], scores=scores) for _ in images]


class TinySegmenter(Tiny):
    """Sees no mask."""

    def segment(self, crops: np.ndarray) -> Segmentation:
        probability = np.zeros(crops.shape[:3], np.float32)
        return Segmentation(probability=probability, points=np.zeros((len(crops), 5, 2)))


def use_tiny_finders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for detector and segmenter only."""
    where = "tests.uncover.standins"
    monkeypatch.setitem(REGISTRY, "detector", Spec(where, "TinyDetector", "TinyConfig"))
    monkeypatch.setitem(REGISTRY, "segmenter", Spec(where, "TinySegmenter", "TinyConfig"))
