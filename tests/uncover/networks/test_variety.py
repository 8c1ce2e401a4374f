"""The layers a latent vector passes through: shapes, and what they may depend on."""

from __future__ import annotations

import pytest
import torch

from uncover.networks.variety import Variety


def inputs(side: int) -> tuple[torch.Tensor, ...]:
    small, hole = torch.rand(2, 3, 2 * side, 2 * side), torch.zeros(2, 1, 2 * side, 2 * side)
    hole[..., side:, :] = 1
    return torch.randn(2, 6, side, side), small, hole


@pytest.mark.parametrize("side", [4, 8, 16, 32])
def test_the_shift_has_the_features_shape_and_starts_small(side: int) -> None:
    network = Variety(side, features=6, latent=3, width=8, groups=4)
    features, small, hole = inputs(side)
    shift = network(features, small, hole, torch.randn(2, 3))
    assert shift.shape == features.shape
    assert 0 < shift.abs().mean() < 0.5


def test_the_shift_depends_on_the_latent_and_on_the_face() -> None:
    torch.manual_seed(0)
    network = Variety(16, features=6, latent=3, width=8, groups=4).eval()
    for name, value in network.named_parameters():
        if "conv2.weight" in name or "shift" in name:
            torch.nn.init.normal_(value, std=0.3)
    features, small, hole = inputs(16)
    z = torch.randn(2, 3)
    with torch.inference_mode():
        shift = network(features, small, hole, z)
        assert not torch.allclose(shift, network(features, small, hole, z + 1))
        assert not torch.allclose(shift, network(features + 1, small, hole, z))
        assert not torch.allclose(shift, network(features, small, 1 - hole, z))


def test_a_side_that_cannot_be_reached_by_doubling_is_refused() -> None:
    with pytest.raises(ValueError, match="power of two"):
        Variety(24, features=6, latent=3, width=8, groups=4)
