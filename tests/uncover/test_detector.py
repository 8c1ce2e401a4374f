"""The detector: what goes in, what comes out, and what the shipped weights see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from uncover.backbones import BACKBONES, BackboneWithPyramid
from uncover.detector import (
    LABELS,
    Detections,
    DetectorConfig,
    MaskDetector,
    resize_for_detector,
    tile_starts,
    without_clutter,
    without_nested,
)

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


@pytest.mark.parametrize(
    ("boxes", "kept"),
    [
        ([[0, 0, 100, 100], [20, 40, 80, 99]], [0]),
        ([[20, 40, 80, 99], [0, 0, 100, 100]], [0]),
        ([[0, 0, 100, 100], [60, 0, 160, 100]], [0, 1]),
        ([[0, 0, 100, 100], [200, 0, 210, 10], [201, 1, 209, 9]], [0, 1]),
        ([], []),
    ],
)
def test_boxes_within_boxes_go(boxes, kept):
    array = np.float32(boxes).reshape(-1, 4)
    names = [str(i) for i in range(len(array))]
    found = without_nested(Detections(array, names, np.linspace(1, 0.5, len(array))))
    assert found.labels == [names[i] for i in kept]
    assert found.boxes.tolist() == array[kept].tolist()
    assert len(found.scores) == len(kept)


@pytest.mark.parametrize(
    ("scores", "kept"),
    [([0.95, 0.7, 0.6], "ac"), ([0.95, 0.9, 0.6], "abc"), ([0.8, 0.7, 0.6], "abc")],
)
def test_clutter_beside_a_sure_close_up_goes(scores, kept):
    boxes = np.float32([[0, 0, 80, 90], [85, 0, 95, 12], [60, 60, 100, 100]])
    found = without_clutter(Detections(boxes, ["a", "b", "c"], np.float32(scores)), 100, 100)
    assert "".join(found.labels) == kept
    assert len(found.boxes) == len(found.scores) == len(kept)
    far = without_clutter(Detections(boxes, ["a", "b", "c"], np.float32(scores)), 400, 400)
    assert far.labels == ["a", "b", "c"]


def test_above_keeps_rows_together():
    faces = Detections(
        np.arange(8, dtype=np.float32).reshape(2, 4), ["a", "b"], np.float32([0.9, 0.2])
    )
    kept = faces.above(0.5)
    assert kept.labels == ["a"]
    assert kept.boxes.tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((100, 100), (96, 96)),
        ((960, 1280), (96, 128)),
        ((50, 400), (20, 160)),
        ((1, 3000), (1, 160)),
    ],
)
def test_photo_is_scaled_between_the_bounds(shape, expected):
    resized = resize_for_detector(np.zeros((*shape, 3), np.uint8), 96, 160)
    assert resized.shape[:2] == expected


@pytest.mark.parametrize(
    ("length", "size", "expected"),
    [(100, 200, [0]), (200, 200, [0]), (300, 200, [0, 100]), (520, 200, [0, 160, 320])],
)
def test_tiles_cover_the_length(length, size, expected):
    assert tile_starts(length, size, 0.2) == expected


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
    from uncover.weights import load_bundle

    folder = Path(__file__).resolve().parents[2] / "weights"
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
