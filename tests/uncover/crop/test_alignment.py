from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from uncover.crop.alignment import (
    face_box,
    frame_around_mask,
    is_same_face,
    mask_overlap,
    moved,
    overlap,
    refine,
    widened_to,
)
from uncover.crop.geometry import TEMPLATE_5, FaceCrop

ROUGH = FaceCrop.from_box((100, 100, 180, 210), 256)


def turned(degrees: float, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    a = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return ((TEMPLATE_5 - 0.5) @ turn.T + 0.5 + shift) * 256


@pytest.mark.parametrize("degrees", [-45, -20, 0, 30, 45, 80])
def test_believable_points_level_the_crop(degrees: float) -> None:
    crop = refine(ROUGH, turned(degrees, 1.1, 0.05))
    assert crop is not None
    assert crop.roll == pytest.approx(degrees, abs=1e-6)
    found = crop.to_crop(ROUGH.to_photo(turned(degrees, 1.1, 0.05)))
    np.testing.assert_allclose(found, TEMPLATE_5 * 256, atol=1e-6)


@pytest.mark.parametrize(
    "points",
    [
        turned(0, 0.3), turned(0, 2.5), turned(0, 1, 0.4), turned(170), np.zeros((5, 2)),
        np.full((5, 2), np.nan), turned(0)[:, ::-1], turned(0) * (-1, 1) + (256, 0),
    ],
    ids=["small", "large", "far", "upside down", "one place", "nan", "transposed", "mirrored"],
)  # fmt: skip
def test_points_that_cannot_be_right_are_refused(points: np.ndarray) -> None:
    assert refine(ROUGH, points) is None


@pytest.mark.parametrize(
    ("points", "far"),
    [
        (turned(0), False), (turned(0, 1.03), False), (turned(20), False),
        (turned(0, 1.08), True), (turned(0, 0.93), True), (turned(0, 1, 0.03), True),
        (turned(0, 0.3), False),  # cannot be right
    ],
    ids=["same", "hardly", "turned only", "larger", "smaller", "aside", "impossible"],
)  # fmt: skip
def test_a_frame_moves_only_where_a_second_look_lies_far_from_it(
    points: np.ndarray, far: bool
) -> None:
    found = moved(ROUGH, points)
    assert (found is not None) == far
    if found is not None:
        np.testing.assert_allclose(
            found.to_crop(ROUGH.to_photo(points)), TEMPLATE_5 * 256, atol=1e-6
        )


@pytest.mark.parametrize(
    ("box", "same"),
    [
        ((104, 98, 184, 208), True),
        ((96, 94, 184, 214), True),
        ((140, 100, 220, 210), False),  # a neighbour
        ((120, 110, 160, 165), False),  # a face on a placard held before it
    ],
)
def test_frames_that_nearly_coincide_are_of_one_face(box: tuple[float, ...], same: bool) -> None:
    assert is_same_face(ROUGH, FaceCrop.from_box(box, 256)) == same


def test_frame_around_a_mask_puts_it_on_the_lower_face() -> None:
    mask = np.zeros((400, 500), bool)
    mask[200:280, 100:190] = True
    crop = frame_around_mask(mask, 256)
    corners = crop.to_crop([[100, 200], [189, 279]]) / 256
    assert 0.3 < corners[0, 1] < 0.4
    assert 0.86 < corners[1, 1] < 0.95
    assert corners[:, 0].mean() == pytest.approx(0.5)


def test_widening_contains_the_mask_and_leaves_a_fitting_crop_alone() -> None:
    small = np.zeros((400, 500), bool)
    small[150:170, 130:150] = True
    assert widened_to(ROUGH, small) is ROUGH
    large = np.zeros((400, 500), bool)
    large[90:390, 20:480] = True
    crop = widened_to(ROUGH, large)
    inside = crop.to_crop([[20, 90], [479, 389]])
    assert inside.min() >= 0
    assert inside.max() <= 256
    assert crop.roll == pytest.approx(ROUGH.roll)


def test_face_box_and_overlap() -> None:
    box = face_box(FaceCrop.from_box((100, 100, 180, 200), 256), 500, 400)
    assert overlap(box, (100, 100, 180, 200)) > 0.7
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (5, 5, 6, 6)) == 0


def test_overlaps_are_those_of_torchvision() -> None:
    rng = np.random.default_rng(0)
    boxes = np.sort(rng.uniform(0, 10, (20, 2, 2)), axis=1).reshape(20, 4)
    expected = box_iou(torch.from_numpy(boxes), torch.from_numpy(boxes)).numpy()
    found = [[overlap(a, b) for b in boxes] for a in boxes]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert overlap((0, 0, 10, 10), (10, 10, 20, 20)) == 0


def test_masks_overlap() -> None:
    mask = np.zeros((4, 4), bool)
    assert mask_overlap(mask, mask) == 1
    mask[:2] = True
    assert mask_overlap(mask, mask.T) == pytest.approx(4 / 12)
