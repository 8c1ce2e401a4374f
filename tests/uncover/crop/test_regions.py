from __future__ import annotations

import cv2
import numpy as np
import pytest

from uncover.crop.geometry import FaceCrop
from uncover.crop.regions import (
    clean_mask,
    hole_in_crop,
    is_on_chin,
    outline,
    rounded_out,
    soft_region,
)


def drawn(y0: float = 0.42, y1: float = 0.85, side: int = 128) -> np.ndarray:
    out = np.zeros((side, side), np.float32)
    out[int(y0 * side) : int(y1 * side), int(0.25 * side) : int(0.75 * side)] = 0.9
    return out


def test_holes_are_filled_and_far_pieces_dropped() -> None:
    probability = drawn()
    probability[70:80, 60:70] = 0.1  # a printed spot
    probability[0:12, 0:40] = 0.9  # a neighbour's mask in the corner
    probability[100:103, 60:63] = 0.9
    np.testing.assert_array_equal(clean_mask(probability, 0.5), drawn() > 0.5)


def test_a_mask_split_in_two_is_kept_whole() -> None:
    probability = drawn()
    probability[:, 62:66] = 0.0  # a finger or a strap across it
    assert clean_mask(probability, 0.5).sum() == (probability > 0.5).sum()


def test_dark_glasses_are_no_mask() -> None:
    both = drawn()
    side = len(both)
    both[int(0.24 * side) : int(0.37 * side), int(0.25 * side) : int(0.45 * side)] = 0.9
    np.testing.assert_array_equal(clean_mask(both, 0.5), drawn() > 0.5)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_nothing_is_found_where_there_is_nothing(value: float) -> None:
    probability = np.full((128, 128), value, np.float32)
    probability[80:84, 60:64] = 0.9  # a speck
    assert not clean_mask(probability, 0.5).any()


@pytest.mark.parametrize(
    ("y0", "y1", "chin"), [(0.42, 0.9, False), (0.55, 0.9, False), (0.72, 0.95, True)]
)
def test_a_mask_on_the_chin_is_told_from_one_below_the_nose(
    y0: float, y1: float, chin: bool
) -> None:
    assert is_on_chin(drawn(y0, y1) > 0.5) is chin


def test_soft_region_covers_the_dilated_mask_and_falls_to_zero() -> None:
    mask = drawn(0.45, 0.75) > 0.5
    alpha = soft_region(mask, 0.03, 0.04)
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    assert (alpha[distance <= 0.03 * 128 - 0.5] == 1).all()
    assert (alpha[distance >= 0.07 * 128 + 0.5] == 0).all()
    assert 0 < alpha[(distance > 5) & (distance < 8)].mean() < 1


def test_soft_region_fades_at_the_edge_of_the_crop() -> None:
    alpha = soft_region(np.ones((128, 128), bool), 0.02, 0.04)
    assert alpha[64, 64] == 1
    assert alpha[0, 64] < 0.2


def test_outline_is_in_photo_pixels() -> None:
    crop = FaceCrop.from_box((100, 100, 180, 200), 128)
    mask = drawn() > 0.5
    polygon = np.array(outline(mask, crop))
    inside = crop.to_crop(polygon)
    assert inside.min() >= 30
    assert inside.max() <= 110
    assert len(polygon) >= 4
    assert outline(np.zeros((9, 9), bool)) == []


def test_a_hole_covers_every_masked_photo_pixel() -> None:
    mask = np.zeros((300, 300), bool)
    mask[150:170, 120:160] = True
    for size in (48, 128, 400):
        crop = FaceCrop.from_box((90, 80, 200, 220), size)
        hole = hole_in_crop(crop, mask)
        back = crop.place(hole.astype(np.float32), (120, 150, 160, 170))
        assert back.min() > 0.2


def test_a_body_with_a_bite_out_of_it_is_made_whole() -> None:
    whole = np.zeros((256, 256), np.uint8)
    cv2.ellipse(whole, (128, 170), (80, 60), 0, 0, 360, 1, -1)
    bitten = whole.copy()
    cv2.circle(bitten, (128, 130), 45, 0, -1)
    assert bitten.sum() < 0.85 * whole.sum()
    mended = rounded_out(bitten > 0)
    assert mended[bitten > 0].all()
    assert (mended & (whole > 0)).sum() > 0.87 * whole.sum()
    assert (mended & (whole == 0)).sum() < 100  # the polygon's rim


def test_straps_do_not_make_a_hull() -> None:
    mask = np.zeros((256, 256), np.uint8)
    cv2.ellipse(mask, (128, 170), (70, 50), 0, 0, 360, 1, -1)
    cv2.line(mask, (70, 150), (20, 90), 1, 6)
    cv2.line(mask, (186, 150), (236, 90), 1, 6)
    np.testing.assert_array_equal(rounded_out(mask > 0), mask > 0)


def test_nothing_but_a_strap_stays_as_it_is() -> None:
    mask = np.zeros((256, 256), bool)
    mask[100:104, 20:200] = True
    np.testing.assert_array_equal(rounded_out(mask), mask)
    assert not rounded_out(np.zeros((64, 64), bool)).any()
