"""Deeper networks from shallower ones, computing the same until they are trained on.

A residual block begins as the identity on what is rectified (Net2Net's deepening, Chen et al.
2016, arXiv:1511.05641), so `--init` may name weights with fewer blocks per level than the settings
ask for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

_LAYER = re.compile(r"(.*\b(?:encoder|decoder)\.\d+)\.(\d+)\.(.+)")
_BLOCK, _ATTENTION = "conv1.0.weight", "qkv.weight"


def deepened(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """`state` with the blocks that `network` has beyond it, as `network` was initialised.

    New blocks follow the old ones of their level; attention stays behind them. Everything else is
    left as it is, for a strict load to judge.
    """
    own = network.state_dict()
    had, has = _layers(state, _BLOCK), _layers(own, _BLOCK)
    before, after = _layers(state, _ATTENTION), _layers(own, _ATTENTION)
    out = {}
    for key, value in state.items():
        layer = _LAYER.fullmatch(key)
        if layer and int(layer[2]) in before.get(layer[1], ()) and layer[1] in after:
            (place,) = after[layer[1]]  # a level has attention once
            key = f"{layer[1]}.{place}.{layer[3]}"
        out[key] = value
    for key, value in own.items():
        layer = _LAYER.fullmatch(key)
        if layer is None or layer[1] not in had:
            continue
        if int(layer[2]) in has[layer[1]] - had[layer[1]]:
            out[key] = value.clone()
    return out


def _layers(state: Mapping[str, Tensor], ending: str) -> dict[str, set[int]]:
    """Per level of a U-Net, the numbers of its layers that have a tensor called `ending`."""
    found: dict[str, set[int]] = {}
    for key in state:
        layer = _LAYER.fullmatch(key)
        if layer and layer[3] == ending:
            found.setdefault(layer[1], set()).add(int(layer[2]))
    return found
