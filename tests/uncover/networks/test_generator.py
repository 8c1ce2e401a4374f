"""The generator: shapes, what it may see, its numpy seam, its latent."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from tests.uncover.small_generator import small_generator
from tests.uncover.standins import SMALL_TOLD as SMALL
from uncover.networks.blocks import binomial, smooth_fill
from uncover.networks.coarse import shrink
from uncover.networks.context_encoder import ContextEncoder, ContextEncoderConfig
from uncover.networks.generator import Generator, GeneratorConfig, to_network


@pytest.mark.parametrize("coarse", [(), (8, 12)])
def test_forward_starts_close_to_the_smooth_fill(coarse):
    network = Generator(
        replace(SMALL, coarse_widths=coarse, coarse_blocks=(1,) * len(coarse), latent=0, look=False)
    )
    mask = torch.zeros(2, 1, 64, 64)
    mask[..., 20:50, 10:40] = 1
    image = (torch.rand(2, 3, 64, 64) * 2 - 1) * (1 - mask)
    out = network(image, mask)
    assert out.shape == (2, 3, 64, 64)
    assert (out - smooth_fill(image, mask)).abs().mean() < 0.12


def test_coarse_stage_sees_a_hole_wherever_any_of_a_pixel_is_missing():
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 5, 2] = 1
    small, hole = shrink(torch.ones(1, 3, 8, 8) * (1 - mask), mask, 4)
    assert hole[0, 0].tolist() == [[0, 0], [1, 0]]
    assert small[0, 0].tolist() == [[1, 1], [0, 1]]


def test_known_pixels_pass_the_coarse_stage_untouched():
    network = Generator(SMALL)
    torch.nn.init.normal_(network.coarse.to_rgb.weight)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:50, 10:40] = 1
    image = torch.rand(1, 3, 64, 64) * (1 - mask)
    base, features = network.start(image, mask)
    assert torch.equal(base * (1 - mask), image)
    assert features.shape == (1, 8, 8, 8)


def test_the_last_shuffle_leaves_no_checkerboard():
    row = torch.arange(64)
    board = ((row[:, None] + row) % 2 * 2.0 - 1)[4:-4, 4:-4]
    for smoothing, free in ((0, False), (1, True)):
        torch.manual_seed(0)
        network = Generator(replace(SMALL, smoothing=smoothing))
        torch.nn.init.normal_(network.to_rgb.weight)
        image, mask = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
        added = (network(image, mask) - image)[0, :, 4:-4, 4:-4]
        assert ((added * board).mean().abs() < 1e-3 * added.std()) == free


def test_the_shuffle_to_the_detail_stage_leaves_no_checkerboard():
    row = torch.arange(32)
    board = ((row[:, None] + row) % 2 * 2.0 - 1)[4:-4, 4:-4]
    for smoothing, free in ((0, False), (1, True)):
        torch.manual_seed(0)
        network = Generator(replace(SMALL, detail_smoothing=smoothing)).eval()
        torch.nn.init.normal_(network.to_detail.weight)
        seen: list[torch.Tensor] = []
        network.detail.register_forward_pre_hook(lambda _, given, to=seen: to.append(given[0]))
        network(torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64))
        h = seen[0][0, :16, 4:-4, 4:-4]
        assert ((h * board).mean((1, 2)).abs() < 1e-2 * h.std()).all() == free


def test_binomial_is_the_filter_of_opencv():
    image = np.random.default_rng(0).random((12, 9, 3), np.float32)
    kernel = np.array([1, 2, 1]) / 4
    expected = cv2.sepFilter2D(image, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    out = binomial(torch.from_numpy(image).permute(2, 0, 1)[None], 1)
    np.testing.assert_allclose(out[0].permute(1, 2, 0).numpy(), expected, atol=1e-6)


def test_start_then_refine_is_forward():
    network = Generator(SMALL).eval()
    image, mask = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    assert torch.equal(network(image, mask), network.refine(*network.start(image, mask), mask))


def test_a_latent_moves_the_answers_and_not_the_best_guess():
    network = small_generator()
    image, mask = torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)
    mask[..., 30:60, 10:50] = 1
    z = torch.randn(3, 2, 4)
    with torch.inference_mode():
        best, answers = network(image, mask), network(image, mask, z)
        assert answers.shape == (3, 2, 3, 64, 64)
        assert not torch.allclose(answers[1], answers[0])
        assert not torch.allclose(answers, network(image, mask, z + 1))
        assert torch.equal(network(image, mask), best)  # the best guess takes no latent


def test_every_parameter_learns():
    network = Generator(SMALL)
    network(torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)).mean().backward()
    assert not [n for n, p in network.named_parameters() if p.grad is None]


@pytest.mark.parametrize(
    "change", [{"latent": -1}, {"look": False}, {"latent": 4, "coarse_widths": ()}]
)
def test_a_latent_needs_a_look_and_a_coarse_stage(change):
    blocks = {"coarse_blocks": ()} if "coarse_widths" in change else {}
    with pytest.raises(ValueError, match="latent"):
        replace(SMALL, **change, **blocks)


def test_fill_does_not_see_masked_pixels():
    network = Generator(SMALL).eval()
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    holes = np.zeros((2, 64, 64), bool)
    holes[:, 30:60, 10:50] = True
    other = crops.copy()
    other[holes] = 255 - other[holes]
    first, second = network.fill(crops, holes), network.fill(other, holes)
    assert first.dtype == np.uint8
    assert first.shape == crops.shape
    assert np.array_equal(first, second)


def test_fill_in_a_batch_equals_one_by_one():
    network = Generator(SMALL).eval()
    crops = np.random.default_rng(1).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    holes = crops[..., 0] > 128
    single = np.concatenate([network.fill(crops[i : i + 1], holes[i : i + 1]) for i in range(3)])
    assert np.abs(network.fill(crops, holes).astype(int) - single).max() <= 1


def test_to_network_range_and_hole():
    crops = np.array([[[[0, 128, 255], [255, 255, 255]]]], dtype=np.uint8)
    known, hole = to_network(crops, np.array([[[False, True]]]))
    assert known[0, :, 0, 0].tolist() == pytest.approx([-1, 128 / 127.5 - 1, 1], abs=1e-6)
    assert known[0, :, 0, 1].tolist() == [0, 0, 0]
    assert hole[0, 0, 0].tolist() == [0, 1]


@pytest.mark.parametrize("shape", [(1, 32, 32, 3), (1, 64, 64, 4), (64, 64, 3)])
def test_fill_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="expected crops"):
        Generator(SMALL).fill(np.zeros(shape, np.uint8), np.zeros(shape[:3], bool))


@pytest.mark.parametrize(
    "changes",
    [
        {"resolution": 100},
        {"widths": (8,), "blocks": (1,)},
        {"blocks": (1, 1)},
        {"coarse_heads": 5},
        {"coarse_blocks": (1,)},
        {"coarse_widths": (8, 8, 8, 8, 8), "coarse_blocks": (1, 1, 1, 1, 1)},
        {"widths": (0, 8, 8)},
    ],
)
def test_config_refuses_nonsense(changes):
    base = {"resolution": 64, "widths": (8, 12, 16), "blocks": (1, 1, 1)}
    base |= {"coarse_widths": (8, 12), "coarse_blocks": (1, 1)}
    with pytest.raises(ValueError):
        GeneratorConfig(**(base | changes))


def test_context_encoder_is_the_size_of_the_original():
    with torch.device("meta"):
        network = ContextEncoder()
    total = sum(p.numel() for p in network.parameters())
    largest = max(p.numel() for p in network.parameters())
    assert total == pytest.approx(40.5e6, rel=0.01)
    assert largest == 4000 * 512 * 16


def test_context_encoder_ignores_the_mask():
    network = ContextEncoder(ContextEncoderConfig(resolution=64, bottleneck=8)).eval()
    image = torch.rand(1, 3, 64, 64)
    out = network(image, torch.zeros(1, 1, 64, 64))
    assert out.shape == (1, 3, 64, 64)
    assert torch.equal(out, network(image, torch.ones(1, 1, 64, 64)))
