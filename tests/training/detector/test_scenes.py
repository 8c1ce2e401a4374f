"""Training pictures of the detector: boxes follow the pixels, and a number means one picture."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.drawn_scenes import write_drawn_scenes
from training.data.coco import read_coco
from training.detector.scenes import (
    SceneComposer,
    SceneSettings,
    face_box,
    keep_visible,
    masked_face,
    transform_boxes,
)
from uncover.faces.drawn import draw_face, write_drawn_faces
from uncover.faces.manifest import read_manifest


@pytest.fixture(scope="module")
def composer(tmp_path_factory):
    root = tmp_path_factory.mktemp("scenes")
    write_drawn_scenes(root, "train", 4)
    faces = write_drawn_faces(root / "faces", 3, seed=5, size=96)
    photos = read_coco(root / "train.json", root / "train").photos
    records = [(r.file, r.landmarks) for r in read_manifest(faces)]
    return SceneComposer(photos[:2], photos[2:], records, masked_face, SceneSettings(), seed=1)


def test_a_picture_is_a_function_of_its_number(composer):
    for number in range(12):
        one, two = composer.compose(number, 160), composer.compose(number, 160)
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.boxes, two.boxes)


def test_boxes_lie_in_the_picture_and_are_not_tiny(composer):
    tiles = [composer.compose(number, 160) for number in range(30)]
    assert sum(len(tile.boxes) for tile in tiles) > 30
    for tile in tiles:
        assert tile.image.shape == (160, 160, 3)
        assert tile.image.dtype == np.uint8
        assert tile.boxes.shape == (len(tile.labels), 4)
        assert set(tile.labels.tolist()) <= {1, 2, 3}
        if len(tile.boxes):
            assert tile.boxes.min() >= 0
            assert tile.boxes.max() <= 160
            assert (tile.boxes[:, 2:] - tile.boxes[:, :2]).min() >= SceneSettings().min_side


def test_nothing_to_train_on_is_an_error():
    with pytest.raises(ValueError, match="no training pictures"):
        SceneComposer([], [], [], None, SceneSettings())


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[1, 0, 5], [0, 1, -2]], [15, 18, 35, 58]),
        ([[2, 0, 0], [0, 2, 0]], [20, 40, 60, 120]),
        ([[0, -1, 0], [1, 0, 0]], [-60, 10, -20, 30]),
        ([[-1, 0, 0], [0, 1, 0]], [-30, 20, -10, 60]),
    ],
)
def test_boxes_follow_affine_maps(matrix, expected):
    moved = transform_boxes(np.float32([[10, 20, 30, 60]]), np.float64(matrix))
    assert moved[0].tolist() == pytest.approx(expected)


def test_a_turned_round_face_keeps_its_size():
    turn = np.deg2rad(45)
    matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]])
    moved = transform_boxes(np.float32([[-10, -10, 10, 10]]), matrix)
    assert moved[0].tolist() == pytest.approx([-10, -10, 10, 10], abs=1e-5)


def test_hidden_and_tiny_faces_are_dropped_and_others_clipped():
    boxes = np.float32([[-5, 10, 15, 40], [-50, 10, 5, 40], [60, 60, 63, 63], [80, 80, 120, 110]])
    kept, labels = keep_visible(boxes, np.array([1, 2, 3, 2]), 100, 100, SceneSettings())
    assert kept.tolist() == [[0, 10, 15, 40]]
    assert labels.tolist() == [1]
    none, _ = keep_visible(np.zeros((0, 4), np.float32), np.zeros(0, int), 9, 9, SceneSettings())
    assert none.shape == (0, 4)


def test_the_box_holds_brows_eyes_mouth_and_chin():
    face = draw_face(3, 128)
    x0, y0, x1, y1 = face_box(face.landmarks)
    inner = face.landmarks[17:]
    assert x0 < inner[:, 0].min()
    assert inner[:, 0].max() < x1
    assert y0 < inner[:, 1].min()
    assert face.landmarks[8, 1] < y1


def test_drawn_masks_change_the_picture_and_name_how_they_are_worn():
    face = draw_face(3, 96)
    labels = set()
    for seed in range(12):
        masked, label = masked_face(face.image, face.landmarks, np.random.default_rng(seed))
        assert (masked != face.image).any()
        labels.add(label)
    assert "with_mask" in labels
    assert labels <= {"with_mask", "mask_worn_incorrectly"}
