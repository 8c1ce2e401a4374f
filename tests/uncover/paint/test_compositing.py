from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from uncover.crop.geometry import TEMPLATE_5, FaceCrop
from uncover.crop.patch import Patch, patch_from_crop, spared
from uncover.crop.regions import hole_in_crop, soft_region
from uncover.find.given_masks import whole_mask
from uncover.paint.compositing import match_colours, paste, with_edges

PHOTO = data.astronaut()
CROP = FaceCrop.from_points(TEMPLATE_5 * 170 + (140, 30), 128)


def hard(mask: np.ndarray) -> Patch:
    """Paints exactly where `mask`, bool (H, W), is True."""
    part = whole_mask(mask)
    return Patch(part.rect, part.painted.astype(np.float32))


def blob(size: int = 128) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    cv2.ellipse(mask, (size // 2, int(0.65 * size)), (size // 4, size // 4), 0, 0, 360, 1, -1)
    return mask > 0


def full(patch: Patch) -> np.ndarray:
    out = np.zeros(PHOTO.shape[:2], bool)
    x0, y0, x1, y1 = patch.rect
    out[y0:y1, x0:x1] = patch.painted
    return out


@pytest.mark.parametrize("blend", ["feather", "poisson"])
@pytest.mark.parametrize("place", [(140, 30, 170), (-60, -50, 200), (400, 380, 260), (200, 60, 40)])
def test_pixels_outside_the_patch_stay_byte_identical(
    blend: str, place: tuple[int, int, int]
) -> None:
    crop = FaceCrop.from_points(TEMPLATE_5 * place[2] + place[:2], 128)
    patch = patch_from_crop(soft_region(blob(), 0.02, 0.03), crop, 512, 512)
    assert patch is not None
    photo = PHOTO.copy()
    paste(photo, np.full((128, 128, 3), 90, np.uint8), crop, patch, blend)
    changed = (photo != PHOTO).any(-1)
    assert not (changed & ~full(patch)).any()
    assert changed.sum() > 0.5 * full(patch).sum()


def test_edges_of_an_enlarged_crop_come_nearer_to_the_photo_s() -> None:
    rect = (200, 60, 300, 180)
    truth = PHOTO[60:180, 200:300].astype(float)

    def enlarged(zoom: float) -> tuple[np.ndarray, FaceCrop]:
        crop = FaceCrop.from_points(TEMPLATE_5 * 128 * zoom + (110, 20), 128)
        assert crop.scale == pytest.approx(1 / zoom)
        return crop.place(crop.extract(PHOTO), rect), crop

    placed, crop = enlarged(1.8)
    sharp = with_edges(placed, crop)
    assert ((sharp - truth) ** 2).mean() < 0.95 * ((placed - truth) ** 2).mean()
    flat = np.full_like(placed, 90)
    np.testing.assert_array_equal(with_edges(flat, crop), flat)
    for zoom in (0.6, 1.0):
        placed, crop = enlarged(zoom)
        np.testing.assert_array_equal(with_edges(placed, crop), placed)


@pytest.mark.parametrize("blend", ["feather", "poisson"])
def test_pasting_the_same_picture_changes_almost_nothing(blend: str) -> None:
    smooth = cv2.GaussianBlur(PHOTO, (0, 0), 6)
    patch = patch_from_crop(soft_region(blob(), 0.02, 0.03), CROP, 512, 512)
    assert patch is not None
    photo = smooth.copy()
    paste(photo, CROP.extract(smooth), CROP, patch, blend)
    assert np.abs(photo.astype(int) - smooth).max() <= 3


@pytest.mark.parametrize("blend", ["feather", "poisson"])
def test_a_shift_in_brightness_leaves_no_step_at_the_border(blend: str) -> None:
    smooth = cv2.GaussianBlur(PHOTO, (0, 0), 6)
    exact = np.zeros((512, 512), bool)
    exact[80:150, 180:260] = True
    patch = hard(exact)
    photo = smooth.copy()
    shifted = np.clip(CROP.extract(smooth).astype(int) + 30, 0, 255).astype(np.uint8)
    if blend == "feather":
        shifted = match_colours(shifted, CROP.extract(smooth), hole_in_crop(CROP, exact))
    paste(photo, shifted, CROP, patch, blend)
    edge = exact & (cv2.erode(exact.astype(np.uint8), np.ones((3, 3))) == 0)
    step = (photo.astype(float) - smooth)[edge]
    assert abs(step.mean()) < 4
    if blend == "poisson":
        inside = (photo.astype(float) - smooth)[exact]
        assert np.abs(inside).mean() < 3


@pytest.mark.parametrize("blend", ["feather", "poisson"])
@pytest.mark.parametrize("rows", [slice(0, 512), slice(0, 90), slice(300, 512)])
def test_masks_at_the_picture_edge_and_over_all_of_it(blend: str, rows: slice) -> None:
    mask = np.zeros((512, 512), bool)
    mask[rows] = True
    crop = FaceCrop.whole(512, 512, 128)
    photo = PHOTO.copy()
    paste(photo, crop.extract(PHOTO), crop, hard(mask), blend)
    np.testing.assert_array_equal(photo[~mask], PHOTO[~mask])
    assert np.abs(photo.astype(float) - PHOTO)[mask].mean() < 25


def test_colours_without_a_border_to_compare_stay_as_they_are() -> None:
    filled = CROP.extract(PHOTO)
    for hole in (np.ones((128, 128), bool), np.zeros((128, 128), bool)):
        np.testing.assert_array_equal(match_colours(filled, filled[::-1].copy(), hole), filled)


def test_a_large_difference_is_not_taken_for_light() -> None:
    filled = np.full((128, 128, 3), 120, np.uint8)
    seen = filled.copy()
    seen[:, :64] = 255  # a white wall beside the face
    matched = match_colours(filled, seen, blob()).astype(int)
    assert np.abs(matched - 120).max() <= 56


def test_poisson_solves_laplace_for_the_difference() -> None:
    """A linear ramp is harmonic, so a picture that is off by a ramp comes back exactly."""
    ys, xs = np.mgrid[0:200, 0:200]
    photo = np.repeat((60 + 0.3 * xs + 0.2 * ys)[..., None], 3, 2).astype(np.uint8)
    flat = np.full((200, 200, 3), 100, np.uint8)
    mask = np.zeros((200, 200), np.uint8)
    cv2.circle(mask, (100, 90), 40, 1, -1)
    pasted = photo.copy()
    paste(pasted, flat, FaceCrop.whole(200, 200, 200), hard(mask > 0), "poisson")
    assert np.abs(pasted.astype(int) - photo).max() <= 2


def test_patch_outside_the_photo_is_none() -> None:
    far = FaceCrop.from_points(TEMPLATE_5 * 50 + 3000, 128)
    assert patch_from_crop(soft_region(blob(), 0.02, 0.03), far, 512, 512) is None
    assert patch_from_crop(np.zeros((128, 128), np.float32), CROP, 512, 512) is None


def test_a_whole_mask_is_one_part_of_exactly_its_pixels() -> None:
    mask = np.zeros((512, 512), bool)
    mask[7, 9] = mask[40, 80] = True
    patch = hard(mask)
    assert patch.rect == (9, 7, 81, 41)
    np.testing.assert_array_equal(full(patch), mask)


def test_spared_cuts_only_what_the_own_box_does_not_share() -> None:
    patch = Patch((10, 10, 20, 20), np.ones((10, 10), np.float32))
    left = spared(patch, (5, 5, 16, 25), [(14, 5, 40, 25)])
    assert left is not None
    np.testing.assert_array_equal(left.painted.any(0), [True] * 6 + [False] * 4)
    assert spared(patch, (0, 0, 5, 5), [(0, 0, 50, 50)]) is None
