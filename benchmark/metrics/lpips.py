"""Learned perceptual distance over the whole crop.

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (2018),
through their package `lpips`. The bare face's feature maps are computed once for all models that
filled it, and each picture goes through the network alone, so that a value cannot depend on what
else is measured. A test compares the values with `lpips` called directly.
"""

from __future__ import annotations

import lpips
import numpy as np
import torch
from torch import Tensor

from benchmark.digests import code_digest
from uncover.errors import UncoverError
from uncover.images import load_lpips

NETS = ("alex", "squeeze", "vgg")


class LpipsScorer:
    """LPIPS 0.1 with one of `NETS`; 0 is identical."""

    columns = ("lpips",)
    of_truth = False

    def __init__(self, net: str = "alex", device: str | torch.device = "cpu") -> None:
        """Load the network.

        Raises:
            UncoverError: no such net, or its ImageNet weights can be neither found nor fetched.
        """
        if net not in NETS:
            raise UncoverError(f"--lpips {net} is unknown; there are: {', '.join(NETS)}, none")
        self.net = net
        self.key = f"lpips-{net}-{torch.device(device).type}-{code_digest(__file__)}"
        self.device = torch.device(device)
        try:
            self.model = load_lpips(net).to(self.device)
        except UncoverError as error:
            other = "--lpips squeeze" if net != "squeeze" else "--lpips none"
            raise UncoverError(f"{error}, or use {other}") from error

    @torch.inference_mode()
    def score(
        self,
        truth: np.ndarray,
        hole: np.ndarray,
        fills: list[np.ndarray],
        landmarks: np.ndarray | None = None,
    ) -> np.ndarray:
        """float64 (len(fills), 1); see `Scorer`. LPIPS sees the whole: the hole is not used."""
        target = self._maps(truth)
        rows = [[self._distance(self._maps(fill), target)] for fill in fills]
        return np.array(rows, np.float64)

    def _maps(self, image: np.ndarray) -> list[Tensor]:
        x = torch.from_numpy(np.ascontiguousarray(image)).to(self.device)
        x = x.permute(2, 0, 1)[None].float() / 127.5 - 1
        maps = self.model.net(self.model.scaling_layer(x))
        return [lpips.normalize_tensor(m) for m in maps]

    def _distance(self, a: list[Tensor], b: list[Tensor]) -> float:
        layers = zip(self.model.lins, a, b, strict=True)
        return float(sum(lin((x - y) ** 2).mean() for lin, x, y in layers))
