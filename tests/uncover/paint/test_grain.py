"""What is painted takes on the grain of the skin above it, and only where there is some."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from uncover.crop.geometry import TEMPLATE_5, FaceCrop
from uncover.crop.patch import Patch, patch_from_crop
from uncover.paint.compositing import paste
from uncover.paint.grain import with_grain

SKIN = (190, 150, 130)
CROP = FaceCrop.from_points(TEMPLATE_5 * 400 + (60, 50), 256)
SMALL = FaceCrop.from_points(TEMPLATE_5 * 120 + (60, 50), 256)


def photo(deviation: float, blur: float = 0.0) -> np.ndarray:
    """Skin with grey noise of a standard deviation, uint8 (512, 512, 3)."""
    noise = np.random.default_rng(1).standard_normal((512, 512)).astype(np.float32)
    if blur:
        noise = cv2.GaussianBlur(noise, (0, 0), blur)
        noise /= noise.std()
    return np.clip(np.array(SKIN) + deviation * noise[..., None], 0, 255).round().astype(np.uint8)


def patch(crop: FaceCrop = CROP) -> Patch:
    alpha = np.zeros((256, 256), np.float32)
    cv2.ellipse(alpha, (128, 185), (70, 60), 0, 0, 360, 1.0, -1)
    found = patch_from_crop(alpha, crop, 512, 512)
    assert found is not None
    return found


def smooth(where: Patch) -> np.ndarray:
    return np.full((*where.alpha.shape, 3), SKIN, np.uint8)


def fine(pixels: np.ndarray) -> np.ndarray:
    grey = pixels.astype(np.float32).mean(-1)
    return grey - cv2.GaussianBlur(grey, (0, 0), 2.5)


@pytest.mark.parametrize("blur", [0.0, 0.8])
def test_smooth_paint_takes_on_the_photo_s_grain(blur: float) -> None:
    grainy, where = photo(2.5, blur), patch()
    added = fine(with_grain(smooth(where), grainy, CROP, where))[10:-10, 10:-10]
    true = fine(grainy)[100:300, 100:300]
    assert added.std() == pytest.approx(true.std(), rel=0.3)
    for shift in (1, 2):  # as coarse as the photo's
        neighbours = [
            np.corrcoef(a[shift:].ravel(), a[:-shift].ravel())[0, 1] for a in (added, true)
        ]
        assert neighbours[0] == pytest.approx(neighbours[1], abs=0.15)


def test_paint_that_is_as_grainy_stays_as_it_is() -> None:
    grainy, where = photo(2.5), patch()
    x0, y0, x1, y1 = where.rect
    own = np.ascontiguousarray(grainy[y0:y1, x0:x1])
    assert np.abs(with_grain(own, grainy, CROP, where).astype(int) - own).mean() < 1


def test_without_grain_or_on_a_small_face_nothing_is_added() -> None:
    where = patch()
    plain = smooth(where)
    assert with_grain(plain, photo(0), CROP, where) is plain
    where = patch(SMALL)
    plain = smooth(where)
    assert with_grain(plain, photo(2.5), SMALL, where) is plain


def test_strong_grain_is_held_back() -> None:
    where = patch()
    assert fine(with_grain(smooth(where), photo(20), CROP, where)).std() < 4


def test_a_face_that_leaves_the_photo_has_no_skin_to_go_by() -> None:
    away = FaceCrop.from_points(TEMPLATE_5 * 400 + (60, -330), 256)
    where = patch(away)
    plain = smooth(where)
    assert with_grain(plain, photo(2.5), away, where) is plain


def test_the_same_photo_gets_the_same_grain() -> None:
    pictures = []
    for _ in range(2):
        pixels = photo(2.5)
        paste(pixels, np.full((256, 256, 3), SKIN, np.uint8), CROP, patch())
        pictures.append(pixels)
    assert np.array_equal(*pictures)
    assert fine(pictures[0])[330:400, 200:300].std() > 1.5
