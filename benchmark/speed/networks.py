"""The generator beside two others on one crop: how fast each paints, with random weights or not."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmark.speed import FFC, ORIGINAL, OURS
from benchmark.speed.clock import summary, timed
from benchmark.speed.ffc import FfcConfig, FfcInpainter
from uncover.networks import ContextEncoder, ContextEncoderConfig
from uncover.onnx import OnnxGenerator, PainterSettings, open_session


def build(generator: Any) -> dict[str, Any]:
    """The comparison: this generator, the original project's, and an FFC inpainter, in PyTorch.

    Args:
        generator: ours; the others are built with random weights for its resolution.
    """
    side = generator.config.resolution
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        original = ContextEncoder(ContextEncoderConfig(side)).eval()
        ffc = FfcInpainter(FfcConfig(side)).eval()
    return {OURS: generator, ORIGINAL: original, FFC: ffc}


def measure(painters: Mapping[str, Any], runs: int, warmup: int) -> dict[str, dict[str, float]]:
    """Times of `fill` on one crop; the networks take turns, so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in painters}
    for turn in range(warmup + runs):
        for name, painter in painters.items():
            crops, holes = _example(painter.config.resolution)
            seconds = timed(lambda p=painter, c=crops, h=holes: p.fill(c, h))
            if turn >= warmup:
                times[name].append(seconds)
    return {name: summary(taken) for name, taken in times.items()}


def describe(networks: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Parameters and operations of one `fill` of each PyTorch network.

    Counted are convolutions and matrix products; an FFC's Fourier transforms come on top.
    """
    found = {}
    for name, network in networks.items():
        with FlopCounterMode(display=False) as mode:
            network.fill(*_example(network.config.resolution))
        parameters = sum(p.numel() for p in network.parameters())
        found[name] = {"parameters": parameters, "flops": float(mode.get_total_flops())}
    return found


def as_onnx(networks: Mapping[str, Any], threads: int, runtime: Any) -> dict[str, Any]:
    """The networks on an ONNX runtime; those that ONNX cannot hold (FFC) are left out."""
    found: dict[str, Any] = {}
    for name, network in networks.items():
        if name == FFC:
            continue
        side = network.config.resolution
        image, mask = torch.zeros(1, 3, side, side), torch.zeros(1, 1, side, side)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            path = Path(folder) / "network.onnx"
            torch.onnx.export(
                network if name == OURS else _KeepsMask(network),
                (image, mask),
                str(path),
                dynamo=False,
                opset_version=17,
                input_names=["image", "mask"],
                output_names=["face"],
            )
            session = open_session(path.read_bytes(), name, threads, runtime)
        found[name] = OnnxGenerator(session, PainterSettings(side))
    return found


class _KeepsMask(nn.Module):
    """A network that may ignore the mask, with the mask as an input all the same."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        return self.network(image, mask) + 0 * mask


def _example(side: int) -> tuple[np.ndarray, np.ndarray]:
    """One noisy crop uint8 (1, S, S, 3) and its hole bool (1, S, S), the lower half."""
    crop = np.random.default_rng(0).integers(0, 256, (1, side, side, 3)).astype(np.uint8)
    hole = np.zeros((1, side, side), bool)
    hole[:, side // 2 :] = True
    return crop, hole
