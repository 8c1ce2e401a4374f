"""What is done around a detector's network, whichever it is."""

from __future__ import annotations

import numpy as np
import pytest

from uncover.networks.detections import (
    Detections,
    DetectorConfig,
    PhotoDetector,
    pad_for_detector,
    resize_for_detector,
    tile_starts,
    without_clutter,
    without_nested,
)


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


@pytest.mark.parametrize(
    ("shape", "expected"), [((64, 80), (64, 80)), ((20, 100), (64, 100)), ((1, 1), (64, 64))]
)
def test_a_small_picture_is_padded_below_and_to_the_right(shape, expected):
    image = np.arange(shape[0] * shape[1] * 3, dtype=np.uint8).reshape(*shape, 3)
    padded = pad_for_detector(image)
    assert padded.shape[:2] == expected
    np.testing.assert_array_equal(padded[: shape[0], : shape[1]], image)
    np.testing.assert_array_equal(padded[-1, -1], image[-1, -1])


class WhiteSquares(PhotoDetector):
    """Finds the bounding box of what is white; the label is the tile's parity."""

    config = DetectorConfig(tile_above=300, tile_size=200, tile_overlap=0.2)

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def _look(self, image):
        self.seen.append(image.shape[:2])
        ys, xs = np.nonzero(image[..., 0] > 128)
        if not len(xs):
            return np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32)
        box = np.float32([[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]])
        return box, np.array([1]), np.float32([min(0.99, (box[0, 2] - box[0, 0]) / 100)])

    def _nms(self, boxes, scores, labels=None):
        order = np.argsort(-scores, kind="stable")
        _, first = np.unique(boxes[order], axis=0, return_index=True)
        return order[np.sort(first)]


def test_tiles_see_what_the_whole_sees_in_the_same_place():
    image = np.zeros((150, 500, 3), np.uint8)
    image[60:90, 380:420] = 255
    finder = WhiteSquares()
    (found,) = finder.detect([image])
    assert finder.seen == [(150, 500), (150, 200), (150, 200), (150, 200)]
    assert found.boxes.tolist() == [[380, 60, 420, 90]]
    assert found.labels == ["with_mask"]
    finder.seen.clear()
    finder.detect([image[:, :300]])
    assert finder.seen == [(150, 300)]


def test_what_a_tile_cuts_is_left_to_its_neighbour():
    image = np.zeros((150, 500, 3), np.uint8)
    image[60:90, 180:230] = 255  # the first tile ends at 200, the second goes from 150 to 350
    (found,) = WhiteSquares().detect([image])
    assert found.boxes.tolist() == [[180, 60, 230, 90]]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"longer_side": 10**9}, "longer_side must lie in 448..4096"),
        ({"shorter_side": 8}, "shorter_side must lie in 32..4096"),
        ({"longer_side": 100}, "longer_side"),
        ({"tile_size": 1}, "tile_size must lie in 128..8192"),
        ({"tile_overlap": 0.99}, "tile_overlap"),
        ({"tile_above": -1}, "tile_above"),
        ({"proposals": 10**9}, "proposals must lie in 1..2000"),
        ({"max_detections": 0}, "max_detections"),
        ({"score_threshold": -1.0}, "score_threshold"),
        ({"nms_iou": 2.0}, "nms_iou must lie in 0..1, not 2"),
    ],
)
def test_sizes_that_no_photo_needs_are_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        DetectorConfig(**wrong)
