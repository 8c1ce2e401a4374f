"""The discriminators and the window that follows the mask."""

from __future__ import annotations

import pytest
import torch

from training.gan.discriminators import (
    DiscriminatorConfig,
    PatchDiscriminator,
    cut_windows,
    hole_windows,
    looked_at,
    native_windows,
)


def hole_at(x0, y0, x1, y1, size=64):
    hole = torch.zeros(1, 1, size, size)
    hole[..., y0:y1, x0:x1] = 1
    return hole


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((16, 20, 36, 40), (16, 20, 36, 40)),  # square already
        ((10, 30, 50, 40), (10, 15, 50, 55)),  # grown to a square
        ((0, 50, 10, 64), (0, 50, 14, 64)),  # pushed back inside
        ((0, 0, 64, 64), (0, 0, 64, 64)),
        ((30, 30, 32, 32), (27, 27, 35, 35)),  # never under an eighth of the crop
    ],
)
def test_window_follows_the_hole(box, expected):
    assert hole_windows(hole_at(*box), 1.0)[0].tolist() == pytest.approx(expected)


def test_window_of_an_empty_hole_is_the_centre():
    window = hole_windows(torch.zeros(1, 1, 64, 64), 1.0)[0]
    assert window.tolist() == pytest.approx([28, 28, 36, 36])


def test_cut_at_native_size_is_a_slice():
    ramp = torch.arange(64.0).expand(1, 1, 64, 64)
    cut = cut_windows(ramp, torch.tensor([[8.0, 16.0, 40.0, 48.0]]), 32)
    assert torch.allclose(cut[0, 0, 0], torch.arange(8.0, 40.0), atol=1e-3)


def test_local_sees_only_its_window():
    config = DiscriminatorConfig(widths=(8, 8), unshuffle=1, window=32, margin=1.0)
    critic = PatchDiscriminator(config).eval()
    hole, valid = hole_at(16, 16, 48, 48), torch.ones(1, 1, 64, 64)
    image = torch.rand(1, 3, 64, 64)
    outside = image.clone()
    outside[..., :8, :] = 1

    def logits(x):
        views, h, v = looked_at(config, [x], hole, valid)
        return critic(views[0], h, v)[0]

    assert torch.equal(logits(image), logits(outside))
    inside = image.clone()
    inside[..., 30:34, 30:34] = -1
    assert not torch.equal(logits(image), logits(inside))


def test_pixels_that_do_not_exist_are_not_seen():
    critic = PatchDiscriminator(DiscriminatorConfig(widths=(8, 8))).eval()
    valid = torch.ones(1, 1, 64, 64)
    valid[..., 40:, :] = 0
    image = torch.rand(1, 3, 64, 64)
    other = image.clone()
    other[..., 40:, :] = -1
    hole = hole_at(16, 16, 48, 48)
    assert torch.equal(critic(image, hole, valid)[0], critic(other, hole, valid)[0])


def test_shapes_and_features():
    critic = PatchDiscriminator(DiscriminatorConfig(widths=(8, 16, 24), unshuffle=2))
    one = torch.ones(2, 1, 64, 64)
    logits, features = critic(torch.rand(2, 3, 64, 64), one, one)
    assert logits.shape == (2, 1, 4, 4)
    assert [f.shape[1] for f in features] == [8, 16, 24, 24]


def test_native_windows_show_the_hole_unresampled_and_alike():
    hole = torch.zeros(2, 1, 64, 64)
    hole[0, :, 10:60, 5:60] = 1
    hole[1, :, 2:6, 50:60] = 1  # smaller than the window
    image = torch.arange(64 * 64.0).reshape(1, 1, 64, 64).expand(2, 3, 64, 64)
    first, other = native_windows([image, image + 1], hole, 32, seed=3)
    assert first.shape == (2, 3, 32, 32)
    assert torch.equal(first + 1, other)
    for part, (x0, y0, x1, y1) in zip(first, [(5, 8, 60, 63), (48, 0, 64, 8)], strict=True):
        corner = int(part[0, 0, 0])
        x, y = corner % 64, corner // 64
        assert torch.equal(part[0], image[0, 0, y : y + 32, x : x + 32])
        assert x <= x1
        assert x + 32 >= x0
        assert y <= y1
        assert y + 32 >= y0
    again = native_windows([image], hole, 32, seed=3)[0]
    assert torch.equal(first, again)
