"""The detector: what goes in, what comes out, and what the shipped weights see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from uncover.networks.backbones import BACKBONES, BackboneWithPyramid
from uncover.networks.detections import LABELS
from uncover.networks.detector import DetectorConfig, MaskDetector

SMALL = DetectorConfig(
    pyramid_channels=16,
    head_channels=32,
    pool_size=5,
    proposals=30,
    shorter_side=96,
    longer_side=160,
    score_threshold=0.01,
    tile_above=300,
    tile_size=200,
)


@pytest.fixture(scope="module")
def detector() -> MaskDetector:
    torch.manual_seed(0)
    return MaskDetector(SMALL).eval()


@pytest.mark.parametrize("shape", [(120, 90), (1, 1), (40, 700), (350, 320)])
def test_detections_lie_in_the_photo_and_are_sorted(detector, shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    found = detector.detect([image])[0]
    assert found.boxes.shape == (len(found), 4)
    assert found.boxes.dtype == np.float32
    assert found.scores.dtype == np.float32
    assert set(found.labels) <= set(LABELS)
    assert (np.diff(found.scores) <= 0).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [shape[1], shape[0]] * 2).all()


def test_odds_of_a_face_whose_place_is_known(detector):
    crops = np.random.default_rng(2).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    odds = detector.odds(crops, (10, 5, 80, 90))
    assert odds.shape == (3, 1 + len(LABELS))
    np.testing.assert_allclose(odds.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(detector.odds(crops[1:2], (10, 5, 80, 90)), odds[1:2], atol=1e-5)
    assert abs(detector.odds(crops, (0, 0, 20, 20)) - odds).max() > 1e-6
    for wrong in (crops[:, :80, :80], crops[:, :32, :32], crops.astype(np.float32)):
        with pytest.raises(ValueError, match=r"crops|expected"):
            detector.odds(wrong, (10, 5, 80, 90))


@pytest.mark.parametrize("shape", [(70, 90), (128, 64), (65, 161)])
def test_the_short_way_finds_what_torchvision_finds(detector, shape):
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = detector.net([torch.from_numpy(image).permute(2, 0, 1) / 255])[0]
        found = detector._find(image)
    assert len(found["boxes"]) > 0
    assert torch.equal(found["labels"], expected["labels"])
    torch.testing.assert_close(found["boxes"], expected["boxes"], rtol=0, atol=1e-2)
    torch.testing.assert_close(found["scores"], expected["scores"], rtol=0, atol=1e-4)


def test_proposals_without_objectness_are_dropped():
    image = np.random.default_rng(1).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    counts = []
    for least in (0.0, 1.0):
        torch.manual_seed(0)
        counts.append(len(MaskDetector(replace(SMALL, objectness=least)).detect([image])[0]))
    assert counts[0] > counts[1] == 0


def test_no_images_no_detections(detector):
    assert detector.detect([]) == []


def test_nothing_scores_high_enough(detector):
    found = detector.detect([np.zeros((64, 64, 3), np.uint8)], min_score=1.1)[0]
    assert (len(found), found.boxes.shape, found.scores.shape) == (0, (0, 4), (0,))


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3), np.float32)],
)
def test_other_arrays_are_refused(detector, image):
    with pytest.raises(ValueError, match="uint8"):
        detector.detect([image])


def test_one_label_per_face_leaves_no_overlap(detector):
    image = data.astronaut()
    many = detector.detect([image], one_label_per_face=False)[0]
    few = detector.detect([image])[0]
    assert 0 < len(few) <= len(many)
    low = np.maximum(few.boxes[:, None, :2], few.boxes[None, :, :2])
    high = np.minimum(few.boxes[:, None, 2:], few.boxes[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = (few.boxes[:, 2:] - few.boxes[:, :2]).prod(axis=1)
    overlap = common / (areas[:, None] + areas[None] - common)
    assert (overlap[~np.eye(len(few), dtype=bool)] <= SMALL.nms_iou + 1e-6).all()


def test_detecting_leaves_the_mode_alone(detector):
    detector.train()
    detector.detect([np.zeros((64, 64, 3), np.uint8)])
    assert detector.training
    detector.eval()


@pytest.mark.parametrize("training", [True, False])
def test_the_network_sees_the_size_it_is_given(detector, training):
    detector.train(training)
    images, _ = detector.net.transform([torch.rand(3, 50, 70)])
    detector.eval()
    assert images.image_sizes == [(50, 70)]
    assert images.tensors.shape == (1, 3, 64, 96)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_gives_four_strides(name):
    with torch.device("meta"):
        backbone = BackboneWithPyramid(name, 16)
        maps = backbone(torch.zeros(1, 3, 256, 256))
    sides = [feature.shape[-1] for feature in maps.values()]
    assert [feature.shape[1] for feature in maps.values()] == [16] * 4
    assert sides == pytest.approx([32, 16, 8, 4], abs=1)
    backbone.freeze_stem()
    frozen = [p for p in backbone.parameters() if not p.requires_grad]
    assert 0 < len(frozen) < len(list(backbone.parameters()))


def test_unknown_backbone_is_named():
    with pytest.raises(ValueError, match="alexnet"):
        MaskDetector(DetectorConfig(backbone="alexnet"))


def test_anchor_levels_must_fit_the_pyramid():
    with pytest.raises(ValueError, match="anchors"):
        MaskDetector(DetectorConfig(anchors=((16,), (32,))))


def test_shipped_weights_find_a_bare_face():
    from uncover.weights.components import load_bundle

    folder = Path(__file__).resolve().parents[3] / "weights"
    if not (folder / "detector.safetensors").is_file():
        pytest.skip("no detector weights in weights/")
    detector = load_bundle(folder, components=("detector",)).detector
    found = detector.detect([data.astronaut()], min_score=0.5)[0]
    assert found.labels[0] == "without_mask"
    assert found.scores[0] > 0.9
    x0, y0, x1, y1 = found.boxes[0]
    assert 150 < x0 < 205
    assert 245 < x1 < 300
    assert 40 < y0 < 110
    assert 160 < y1 < 210
    assert detector.detect([np.full((300, 400, 3), 128, np.uint8)], min_score=0.5)[0].labels == []
