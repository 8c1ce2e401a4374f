from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from uncover.crop.geometry import TEMPLATE_5, FaceCrop
from uncover.crop.similarity import fit_similarity
from uncover.errors import UncoverError

POINTS = TEMPLATE_5 * 120 + (40, 30)


def rotated(points: np.ndarray, degrees: float, about: tuple[float, float]) -> np.ndarray:
    a = np.deg2rad(degrees)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return (points - about) @ turn.T + about


@pytest.mark.parametrize("degrees", [-170, -120, -91, -45, 0, 30, 90, 135, 179])
def test_points_land_on_the_template_at_any_roll(degrees: float) -> None:
    crop = FaceCrop.from_points(rotated(POINTS, degrees, (100, 80)), 256)
    np.testing.assert_allclose(
        crop.to_crop(rotated(POINTS, degrees, (100, 80))), TEMPLATE_5 * 256, atol=1e-6
    )
    assert crop.roll == pytest.approx(degrees, abs=1e-6)


def test_fit_equals_umeyama_by_svd() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        src = rng.normal(size=(5, 2)) * 40 + 100
        dst = rng.normal(size=(5, 2)) * 40 + 100
        ours = fit_similarity(src, dst)
        s, d = src - src.mean(0), dst - dst.mean(0)
        u, sing, vt = np.linalg.svd(d.T @ s / 5)
        sign = np.diag([1.0, np.sign(np.linalg.det(u @ vt))])
        turn = u @ sign @ vt
        scale = np.trace(np.diag(sing) @ sign) / s.var(0).sum()
        shift = dst.mean(0) - scale * turn @ src.mean(0)
        np.testing.assert_allclose(ours, np.column_stack([scale * turn, shift]), atol=1e-8)


def test_mirrored_points_never_give_a_reflection() -> None:
    mirrored = POINTS * (-1, 1) + (300, 0)
    assert np.linalg.det(FaceCrop.from_points(mirrored, 256).matrix[:, :2]) > 0


@pytest.mark.parametrize(
    "points",
    [np.zeros((5, 2)), np.full((5, 2), np.nan), np.zeros((4, 2)), np.full((5, 2), 7.0)],
)
def test_degenerate_points_are_refused(points: np.ndarray) -> None:
    with pytest.raises(UncoverError):
        FaceCrop.from_points(points, 256)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (5, 5, 4, 9), (0, 0, np.inf, 3)])
def test_empty_box_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(UncoverError):
        FaceCrop.from_box(box, 256)


def test_points_go_there_and_back() -> None:
    crop = FaceCrop.from_points(rotated(POINTS, 33, (90, 90)), 256)
    pts = np.array([[0.0, 0.0], [17.5, 3.0], [400.0, -20.0]])
    np.testing.assert_allclose(crop.to_photo(crop.to_crop(pts)), pts, atol=1e-9)


def test_resized_equals_a_fit_at_that_size() -> None:
    np.testing.assert_allclose(
        FaceCrop.from_points(POINTS, 256).resized(96).matrix,
        FaceCrop.from_points(POINTS, 96).matrix,
        atol=1e-12,
    )


def test_whole_square_image_is_returned_unchanged() -> None:
    photo = data.astronaut()
    np.testing.assert_array_equal(FaceCrop.whole(512, 512, 512).extract(photo), photo)


def test_extract_matches_a_plain_warp_when_not_shrinking() -> None:
    photo = data.astronaut()
    crop = FaceCrop.from_points(rotated(TEMPLATE_5 * 180 + (150, 60), 20, (200, 120)), 256)
    plain = cv2.warpAffine(photo, crop.matrix, (256, 256), borderMode=cv2.BORDER_REFLECT_101)
    difference = np.abs(crop.extract(photo).astype(int) - plain)
    assert difference.max() <= 2  # the warp's fixed-point coordinates differ by a shift


@pytest.mark.parametrize("offset", [(-150, -120), (420, 380), (-60, 430)])
def test_outside_the_photo_is_filled_by_reflection(offset: tuple[int, int]) -> None:
    photo = data.astronaut()
    crop = FaceCrop.from_points(TEMPLATE_5 * 240 + offset, 256)
    plain = cv2.warpAffine(photo, crop.matrix, (256, 256), borderMode=cv2.BORDER_REFLECT_101)
    difference = np.abs(crop.extract(photo).astype(int) - plain)
    assert difference.max() <= 3


def test_shrinking_is_anti_aliased() -> None:
    checks = np.indices((1200, 1200)).sum(0) % 2 * 255
    photo = np.repeat(checks[..., None], 3, 2).astype(np.uint8)
    small = FaceCrop.from_points(TEMPLATE_5 * 1000 + 90.3, 128).extract(photo)
    assert small.std() < 12
    assert abs(small.mean() - 127.5) < 3


def test_shrinking_does_not_shift_the_picture() -> None:
    ramp = np.tile(np.arange(1000) / 4, (1000, 1)).astype(np.uint8)
    crop = FaceCrop.from_points(TEMPLATE_5 * 800 + 100, 100)
    row = crop.extract(np.dstack([ramp] * 3))[50, :, 0].astype(float)
    expected = crop.to_photo(np.column_stack([np.arange(100), np.full(100, 50)]))[:, 0] / 4
    assert np.abs(row - expected)[3:-3].mean() < 0.8


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 50, 3), (50, 1, 3)])
def test_tiny_photos_can_be_cropped(shape: tuple[int, int, int]) -> None:
    photo = np.full(shape, 9, np.uint8)
    out = FaceCrop.from_points(TEMPLATE_5 * 30, 64).extract(photo)
    assert out.shape == (64, 64, 3)
    assert (out == 9).all()


def test_a_crop_far_outside_the_photo_still_has_pixels() -> None:
    out = FaceCrop.from_points(TEMPLATE_5 * 30 + 5000, 64).extract(data.astronaut())
    assert out.shape == (64, 64, 3)
    assert FaceCrop.from_points(TEMPLATE_5 * 30 + 5000, 64).rect(512, 512) == (0, 0, 0, 0)


@pytest.mark.parametrize("side", [60, 250, 700])
def test_place_puts_a_crop_back_where_it_came_from(side: int) -> None:
    photo = cv2.GaussianBlur(cv2.resize(data.astronaut(), (900, 900)), (0, 0), 8)
    crop = FaceCrop.from_points(rotated(TEMPLATE_5 * side + 120, 15, (300, 300)), 256)
    x0, y0, x1, y1 = rect = crop.rect(900, 900)
    back = crop.place(crop.extract(photo), rect)
    inside = crop.place(np.ones((256, 256), np.float32), rect, beyond=0) > 0.99
    difference = np.abs(back.astype(float) - photo[y0:y1, x0:x1])[inside]
    assert difference.mean() < 1.5


def test_box_crop_frames_the_face_and_follows_the_roll() -> None:
    level = FaceCrop.from_box((100, 100, 180, 200), 256)
    assert level.roll == pytest.approx(0)
    assert level.to_crop([[140, 150]])[0, 0] == pytest.approx(128)
    tilted = FaceCrop.from_box((100, 100, 180, 200), 256, roll=40)
    assert tilted.roll == pytest.approx(40)
    np.testing.assert_allclose(tilted.to_crop([[140, 150]]), level.to_crop([[140, 150]]))
