"""The generator's parts: the smooth fill, a learned map, attention that starts as nothing."""

from __future__ import annotations

import pytest
import torch

from uncover.networks.blocks import (
    Attention,
    BasicBlock,
    ConvNorm,
    Place,
    UNet,
    fold,
    smooth_fill,
)


def test_smooth_fill_keeps_known_pixels_and_continues_them():
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:50, 10:40] = 1
    ramp = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    filled = smooth_fill(ramp * (1 - mask), mask)
    assert torch.equal(filled[mask.expand(1, 3, 64, 64) == 0], ramp[mask.expand(1, 3, 64, 64) == 0])
    assert (filled - ramp).abs().max() < 0.35
    assert torch.allclose(
        smooth_fill(0.4 * (1 - mask).expand(1, 3, 64, 64), mask)[mask.expand(1, 3, 64, 64) == 1],
        torch.tensor(0.4),
        atol=1e-5,
    )
    everything = torch.ones(1, 1, 64, 64)
    assert smooth_fill(0 * ramp, everything).abs().max() == 0


def test_blocks_start_as_the_identity():
    x = torch.randn(2, 8, 6, 6)
    assert torch.equal(BasicBlock(8)(x.relu()), x.relu())
    assert torch.equal(Attention(8, 2)(x), x)
    assert torch.equal(Place(8, 6)(x), x)


def used(network: torch.nn.Module) -> torch.nn.Module:
    """As after some training: no statistic or scale is left at what it begins with."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            for value in (layer.weight, layer.running_var):
                torch.nn.init.uniform_(value, 0.5, 2.0)
            for value in (layer.bias, layer.running_mean):
                torch.nn.init.normal_(value)
    return network.eval()


def test_fold_changes_nothing_but_the_number_of_layers():
    torch.manual_seed(0)
    network = used(UNet((8, 12), (1, 2), sides=(8, 4), heads=2)).double()
    x, guide = torch.randn(2, 8, 8, 8).double(), torch.randn(2, 12, 4, 4).double()
    with torch.no_grad():
        before = network(x, guide)
        after = fold(network)(x, guide)
    torch.testing.assert_close(after, before)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    assert torch.equal(fold(network)(x, guide), after)  # again: nothing left to do


def test_fold_refuses_a_network_that_learns():
    with pytest.raises(ValueError, match="eval mode"):
        fold(ConvNorm(3, 4, 3))


def test_a_guide_reaches_the_answer():
    network = used(UNet((8, 12), (1, 1)))
    x = torch.randn(1, 8, 8, 8)
    with torch.no_grad():
        assert not torch.equal(network(x, torch.ones(1, 12, 4, 4)), network(x))


def test_attention_reaches_every_position():
    layer = Attention(8, 2)
    torch.nn.init.normal_(layer.out.weight)
    x = torch.randn(1, 8, 5, 5, requires_grad=True)
    layer(x)[0, :, 0, 0].sum().backward()
    assert (x.grad.abs().sum(1) > 0).all()
