"""The segmenter: shapes, the reading of heat maps, and what the shipped weights see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from uncover.networks.blocks import fold
from uncover.networks.segmenter import MaskSegmenter, SegmenterConfig, soft_argmax, whereabouts

SMALL = SegmenterConfig(resolution=64, widths=(8, 12, 16), detail_width=4)


@pytest.fixture(scope="module")
def segmenter() -> MaskSegmenter:
    torch.manual_seed(0)
    return MaskSegmenter(SMALL).eval()


@pytest.mark.parametrize(("count", "side"), [(0, 64), (1, 64), (3, 100), (18, 33)])
def test_crops_of_any_size_and_number(segmenter, count, side):
    crops = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    found = segmenter.segment(crops)
    assert found.probability.shape == (count, side, side)
    assert found.points.shape == (count, 5, 2)
    assert found.probability.dtype == found.points.dtype == np.float32
    assert ((found.probability >= 0) & (found.probability <= 1)).all()
    assert ((found.points >= -0.5) & (found.points <= side - 0.5)).all()


def test_a_crop_is_judged_alone(segmenter):
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    both, one = segmenter.segment(crops), segmenter.segment(crops[1:])
    np.testing.assert_allclose(both.probability[1], one.probability[0], atol=1e-5)
    np.testing.assert_allclose(both.points[1], one.points[0], atol=1e-3)


def test_folded_it_says_the_same_without_its_norms():
    torch.manual_seed(0)
    network = MaskSegmenter(SegmenterConfig(resolution=64, widths=(8, 16), presence=0.5))
    images = torch.rand(4, 3, 64, 64) * 2 - 1
    for _ in range(3):
        network(images)  # the norms' running means move
    network.eval()
    before = network(images)
    folded = fold(network)(images)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules())
    for old, new in zip(before, folded, strict=True):
        assert torch.allclose(old, new, atol=1e-4)


def test_presence_is_said_only_by_a_network_that_has_the_layer(segmenter):
    crops = np.random.default_rng(0).integers(0, 256, (18, 50, 50, 3), dtype=np.uint8)
    assert segmenter.segment(crops).presence is None
    able = MaskSegmenter(replace(SMALL, presence=0.4)).eval()
    torch.nn.init.normal_(able.presence.weight, std=0.1)
    said = able.segment(crops).presence
    assert said.shape == (18,)
    assert said.dtype == np.float32
    assert ((said > 0) & (said < 1)).all()
    assert len(np.unique(said)) > 10
    assert able.segment(crops[:0]).presence.shape == (0,)
    with torch.no_grad():
        able.presence.weight.zero_()
        able.presence.bias.fill_(2.0)
    assert able.segment(crops[:2]).presence == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-5)


def test_where_in_the_crop_something_is_reaches_the_layer():
    features = torch.zeros(1, 2, 8, 8)
    features[0, 1, 6:, :2] = 3.0  # the lower left part of the second channel
    parts = whereabouts(features).reshape(2, 4, 4)
    assert parts[1, 3, 0] == 3
    assert parts.sum() == 3


@pytest.mark.parametrize("presence", [-0.1, 1.0])
def test_presence_is_a_probability(presence):
    with pytest.raises(ValueError, match="presence"):
        SegmenterConfig(presence=presence)


def test_presence_sees_whole_parts_of_the_crop():
    with pytest.raises(ValueError, match="multiple of 128"):
        SegmenterConfig(resolution=96, presence=0.5)


@pytest.mark.parametrize("shape", [(2, 64, 64), (1, 64, 32, 3), (1, 64, 64, 4)])
def test_other_shapes_are_refused(segmenter, shape):
    with pytest.raises(ValueError):
        segmenter.segment(np.zeros(shape, np.uint8))


def test_floats_are_refused(segmenter):
    with pytest.raises(ValueError, match="uint8"):
        segmenter.segment(np.zeros((1, 64, 64, 3), np.float32))


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [(0, 0, (0.0625, 0.125)), (3, 7, (0.9375, 0.875)), (1, 4, (0.5625, 0.375))],
)
def test_a_sharp_peak_is_read_at_its_pixel(row, column, expected):
    heat = torch.zeros(1, 1, 4, 8)
    heat[0, 0, row, column] = 60.0
    assert soft_argmax(heat)[0, 0].tolist() == pytest.approx(expected, abs=1e-6)


def test_equal_peaks_are_averaged_and_flat_maps_give_the_middle():
    heat = torch.zeros(2, 1, 8, 8)
    heat[0, 0, 2, 1] = heat[0, 0, 2, 5] = 50.0
    points = soft_argmax(heat)[:, 0]
    assert points[0].tolist() == pytest.approx([3.5 / 8, 2.5 / 8], abs=1e-6)
    assert points[1].tolist() == pytest.approx([0.5, 0.5], abs=1e-6)


def test_network_keeps_the_side_and_two_levels_suffice():
    model = MaskSegmenter(SegmenterConfig(resolution=32, widths=(8, 8), detail_width=2)).eval()
    logits, points = model(torch.zeros(2, 3, 32, 32))
    assert logits.shape == (2, 1, 32, 32)
    assert points.shape == (2, 5, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"resolution": 100},
        {"widths": (8,)},
        {"widths": (8,) * 4000},
        {"threshold": 1.0},
        {"dilation": -0.1},
    ],
)
def test_impossible_configs_are_refused(wrong):
    with pytest.raises(ValueError):
        SegmenterConfig(**wrong)


def test_shipped_weights_see_no_mask_but_the_eyes_of_a_bare_face():
    from uncover.crop.geometry import FaceCrop
    from uncover.weights.components import load_bundle

    folder = Path(__file__).resolve().parents[3] / "weights"
    if not (folder / "segmenter.safetensors").is_file():
        pytest.skip("no segmenter weights in weights/")
    segmenter = load_bundle(folder, components=("segmenter",)).segmenter
    crop = FaceCrop.from_box((175, 65, 275, 190), 256)
    found = segmenter.segment(crop.extract(data.astronaut())[None])
    assert (found.probability[0] >= segmenter.config.threshold).mean() < 0.02
    eyes = crop.to_photo(found.points[0, :2])
    assert eyes[0] == pytest.approx([203, 102], abs=5)  # as dlib finds them
    assert eyes[1] == pytest.approx([247, 104], abs=5)
