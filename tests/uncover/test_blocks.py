"""The generator's parts: the smooth fill, a learned map, attention that starts as nothing."""

from __future__ import annotations

import torch

from uncover.blocks import Attention, Place, ResidualBlock, smooth_fill


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
    assert torch.equal(ResidualBlock(8, 8, 4)(x), x)
    assert torch.equal(Attention(8, 2)(x), x)
    assert torch.equal(Place(8, 6)(x), x)


def test_attention_reaches_every_position():
    layer = Attention(8, 2)
    torch.nn.init.normal_(layer.out.weight)
    x = torch.randn(1, 8, 5, 5, requires_grad=True)
    layer(x)[0, :, 0, 0].sum().backward()
    assert (x.grad.abs().sum(1) > 0).all()
