"""Turned photos are filled upright; where that is not clear they are left alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from tests.uncover.fake_networks import SKIN, FakeSegmenter, cloth_left, draw_scene, make
from uncover.crop.geometry import FaceCrop
from uncover.find.turning import Way, chosen, frame_of_box, turned_back
from uncover.networks import Segmentation
from uncover.results import Reason

BOX = (60, 30, 140, 135)
SCENE = draw_scene([BOX])


def lies_upright(photo: np.ndarray) -> bool:
    return photo.shape == SCENE.shape and np.array_equal(photo, SCENE)


@dataclass
class UprightDetector:
    """Is sure of the drawn face where the scene is upright, and else finds something amiss."""

    elsewhere: float = 0.6
    sure: float = 0.95
    seen: list[int] = field(default_factory=list)

    def detect(self, images: list[np.ndarray]) -> list[object]:
        self.seen.append(len(images))
        up = lies_upright(images[0])
        box = BOX if up else (60, 0, 140, 95)
        return make([box], ["with_mask"], [self.sure if up else self.elsewhere]).detector.detect(
            images
        )


@dataclass
class UprightSegmenter(FakeSegmenter):
    """Sees a face only where the crop shows more skin above the cloth than below."""

    def segment(self, crops: np.ndarray) -> Segmentation:
        found = super().segment(crops)
        presence = [
            0.99 if forehead(*each) else 0.3 for each in zip(crops, found.probability, strict=True)
        ]
        return Segmentation(found.probability, found.points, np.array(presence, np.float32))


def forehead(crop: np.ndarray, mask: np.ndarray) -> bool:
    """Whether most skin lies above the mask."""
    rows = np.flatnonzero(mask.any(1))
    if not len(rows):
        return False
    skin = np.abs(crop.astype(int) - SKIN).sum(-1) < 60
    above, below = skin[: rows[0]].sum(), skin[rows[-1] + 1 :].sum()
    return bool(above > 2 * below)


@pytest.mark.parametrize("quarter", [0, 1, 2, 3])
def test_a_turned_photo_is_filled_like_the_upright_one(quarter: int) -> None:
    uncoverer = make()
    uncoverer.detector, uncoverer.segmenter = UprightDetector(), UprightSegmenter()
    upright = uncoverer(SCENE)
    photo = np.ascontiguousarray(np.rot90(SCENE, quarter))
    result = uncoverer(photo)
    assert len(result.filled) == 1
    assert cloth_left(result.pixels) <= cloth_left(upright.pixels) + 5
    assert np.cos(np.deg2rad(result.filled[0].roll + 90 * quarter)) == pytest.approx(1)
    back = np.rot90(result.filled[0].mask, -quarter)
    assert (back != upright.filled[0].mask).mean() < 0.01
    box = turned_back(result.filled[0].box, quarter, SCENE.shape[1], SCENE.shape[0])
    np.testing.assert_allclose(box, BOX, atol=1e-6)


def test_where_it_is_not_clear_nothing_is_painted() -> None:
    uncoverer = make()
    uncoverer.detector, uncoverer.segmenter = UprightDetector(sure=0.8), UprightSegmenter()
    photo = np.ascontiguousarray(np.rot90(SCENE, 2))
    result = uncoverer(photo)
    assert [face.reason for face in result.faces] == [Reason.UNCLEAR]
    assert np.array_equal(result.pixels, photo)


def test_a_photo_with_a_sure_face_is_looked_at_once() -> None:
    uncoverer = make()
    uncoverer.detector, uncoverer.segmenter = UprightDetector(), UprightSegmenter()
    uncoverer(SCENE)
    assert uncoverer.detector.seen == [1]


@pytest.mark.parametrize("quarter", [0, 1, 2, 3])
def test_boxes_and_frames_turn_back(quarter: int) -> None:
    height, width = SCENE.shape[:2]
    turned_box = (20.0, 35.0, 70.0, 95.0)
    photo = np.zeros((height, width), np.uint8)
    np.rot90(photo, quarter)[35:95, 20:70] = 1
    x0, y0, x1, y1 = (int(v) for v in turned_back(turned_box, quarter, width, height))
    assert photo[y0:y1, x0:x1].all()
    assert photo.sum() == (y1 - y0) * (x1 - x0)
    frame = frame_of_box((x0, y0, x1, y1), 64, quarter)
    marks = np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)
    marks = cv2.GaussianBlur(marks, (0, 0), 8)
    upright = FaceCrop.from_box(turned_box, 64).extract(
        np.ascontiguousarray(np.rot90(marks, quarter))
    )
    off = np.abs(frame.extract(marks).astype(int) - upright)
    assert np.median(off) <= 2


@pytest.mark.parametrize(
    ("upright", "other", "way"),
    [
        (Way(0, 0.95, 0.95, 0.99), Way(2, 0.95, 0.95, 0.995), 0),
        (Way(0, 0.5, 0.1, 0.2), Way(2, 0.95, 0.95, 0.99), 2),
        (Way(0, 0.5, 0.1, 0.2), Way(2, 0.7, 0.95, 0.99), None),
        (Way(0), Way(2), 0),
    ],
)
def test_which_way_is_up(upright: Way, other: Way, way: int | None) -> None:
    found = chosen(upright, [other])
    assert (None if found is None else found.quarter) == way
