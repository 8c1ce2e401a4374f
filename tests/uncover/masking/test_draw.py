"""Masks drawn on faces: where they lie, what they leave alone, and that a style fixes them."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from skimage import data

from uncover.faces.drawn import draw_face
from uncover.masking import KINDS, WEAR, MaskStyle, draw_mask, mask_alpha, random_style
from uncover.masking.style import CUTS, PATTERNS

# 68 landmarks of skimage's astronaut, found once by dlib.
# fmt: off
ASTRONAUT = np.array([
    179, 104, 180, 116, 181, 127, 182, 139, 185, 150, 191, 160, 200, 168, 209, 176, 220, 178,
    232, 177, 243, 171, 253, 163, 260, 154, 265, 143, 268, 131, 270, 120, 272, 108, 186, 94,
    192, 88, 200, 87, 208, 89, 216, 92, 236, 93, 244, 91, 252, 91, 260, 92, 265, 99, 226, 102,
    225, 111, 225, 119, 225, 127, 214, 131, 219, 133, 224, 134, 229, 133, 234, 132, 195, 101,
    200, 98, 207, 98, 212, 104, 206, 104, 199, 104, 237, 106, 243, 100, 250, 100, 255, 105,
    250, 107, 244, 107, 201, 139, 209, 139, 218, 139, 224, 141, 230, 140, 238, 140, 246, 141,
    238, 151, 229, 155, 222, 156, 216, 155, 208, 150, 204, 141, 218, 143, 223, 144, 230, 143,
    243, 142, 229, 150, 223, 151, 217, 150,
], np.float32).reshape(68, 2)
# fmt: on


@cache
def faces() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    drawn = [draw_face(seed) for seed in range(3)]
    crop = data.astronaut()[50:210, 145:305]
    return (
        (crop, ASTRONAUT - np.float32((145, 50))),
        *((face.image, face.landmarks) for face in drawn),
    )


def value_at(alpha: np.ndarray, point: np.ndarray) -> float:
    x, y = np.clip(np.rint(point).astype(int), 0, np.array(alpha.shape[::-1]) - 1)
    return float(alpha[y, x])


def turned(points: np.ndarray, degrees: float, centre: tuple[float, float]) -> np.ndarray:
    turn = cv2.getRotationMatrix2D(centre, degrees, 1.0)
    return points @ turn[:, :2].T + turn[:, 2]


@pytest.mark.parametrize("wear", WEAR)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_and_wear_covers_what_it_should(kind: str, wear: str) -> None:
    rng = np.random.default_rng(KINDS.index(kind) * 10 + WEAR.index(wear))
    for image, points in faces():
        before = image.copy()
        style = random_style(rng, kind=kind, wear=wear)
        masked, alpha = draw_mask(image, points, style)
        assert np.array_equal(image, before)
        assert masked.shape == image.shape
        assert masked.dtype == np.uint8
        assert alpha.shape == image.shape[:2]
        assert alpha.dtype == np.float32
        assert alpha.min() >= 0.0
        assert alpha.max() <= 1.0
        assert (masked != image).any(-1)[alpha > 0.9].mean() > 0.8
        bare = mask_alpha(points, image.shape[:2], style)
        mouth = [value_at(bare, points[k]) for k in range(48, 60)]
        assert (value_at(bare, points[30]) > 0.5) == (wear == "worn")
        assert np.mean(mouth) < 0.1 if wear == "chin" else min(mouth) > 0.5
        assert value_at(bare, 0.9 * points[8] + 0.1 * points[57]) > 0.5
        both = np.minimum(alpha, bare).sum() / np.maximum(alpha, bare).sum()
        assert both > 0.85  # the same fabric, but for the photo's own blur


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_and_pattern_draws(kind: str) -> None:
    image, points = faces()[1]
    seen = set()
    for cut in CUTS[kind]:
        for pattern in PATTERNS:
            style = MaskStyle(kind=kind, cut=cut, pattern=pattern, accent=(200, 40, 40), valve=1)
            masked, _ = draw_mask(image, points, style)
            seen.add(masked.tobytes())
    assert len(seen) == len(CUTS[kind]) * len(PATTERNS)


@pytest.mark.parametrize("fastening", ["loops", "ties", "head", "wide"])
def test_straps_add_to_the_coverage_on_their_side_only(fastening: str) -> None:
    _, points = faces()[0]
    size = (400, 400)
    face = points * 1.2 + 100
    area = {
        sides: mask_alpha(
            face,
            size,
            MaskStyle(kind="cloth", fastening=fastening, strap_left=sides[0], strap_right=sides[1]),
        )
        for sides in ((False, False), (True, False), (False, True))
    }
    middle = int(face[30, 0])
    left = area[True, False] - area[False, False]
    right = area[False, True] - area[False, False]
    assert left[:, :middle].sum() > 20
    assert abs(left[:, middle:]).sum() < 1
    assert right[:, middle:].sum() > 20
    assert abs(right[:, :middle]).sum() < 1


def test_a_style_fixes_the_picture_and_styles_differ() -> None:
    image, points = faces()[1]
    styles = [random_style(np.random.default_rng(seed)) for seed in range(12)]
    assert styles == [random_style(np.random.default_rng(seed)) for seed in range(12)]
    pictures = [draw_mask(image, points, style) for style in styles]
    again = [draw_mask(image, points, style) for style in styles]
    for (masked, alpha), (same, same_alpha) in zip(pictures, again, strict=True):
        assert np.array_equal(masked, same)
        assert np.array_equal(alpha, same_alpha)
    assert len({masked.tobytes() for masked, _ in pictures}) == 12
    assert len({alpha.tobytes() for _, alpha in pictures}) == 12


def test_the_seed_alone_changes_the_picture() -> None:
    image, points = faces()[1]
    first, _ = draw_mask(image, points, MaskStyle(seed=1))
    second, _ = draw_mask(image, points, MaskStyle(seed=2))
    assert not np.array_equal(first, second)


def test_pixels_beyond_the_shadow_keep_their_bytes() -> None:
    rng = np.random.default_rng(5)
    for image, points in faces():
        eyes = np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0))
        reach = 2 * int(np.ceil(0.25 * eyes)) + 1
        for _ in range(4):
            masked, alpha = draw_mask(image, points, random_style(rng))
            near = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((reach, reach))) > 0
            assert np.array_equal(masked[~near], image[~near])
            assert (~near).any()


def test_skin_next_to_the_mask_is_never_brightened() -> None:
    image, points = faces()[2]
    masked, alpha = draw_mask(image, points, MaskStyle())
    outside = alpha == 0
    assert (masked[outside].astype(int) <= image[outside].astype(int) + 1).all()
    assert (masked[outside] < image[outside]).any()


@pytest.mark.parametrize("degrees", [-45, -20, 30, 90])
def test_a_turned_head_turns_the_mask(degrees: int) -> None:
    size, centre = (512, 512), (255.5, 255.5)
    for k, (_, points) in enumerate(faces()):
        face = points - points.mean(0) + 255.5
        style = random_style(np.random.default_rng(k), kind=KINDS[k % 4])
        upright = mask_alpha(face, size, style)
        turn = cv2.getRotationMatrix2D(centre, degrees, 1.0)
        expected = cv2.warpAffine(upright, turn, size) > 0.5
        got = mask_alpha(turned(face, degrees, centre), size, style) > 0.5
        assert (expected & got).sum() / (expected | got).sum() > 0.97


@pytest.mark.parametrize("scale", [0.5, 2.0, 4.0])
def test_a_larger_face_gets_a_larger_mask(scale: float) -> None:
    for k, (_, points) in enumerate(faces()):
        style = random_style(np.random.default_rng(k))
        side = round(256 * scale)
        small = mask_alpha(points, (256, 256), style)
        got = mask_alpha((points + 0.5) * scale - 0.5, (side, side), style) > 0.5
        expected = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR) > 0.5
        assert (expected & got).sum() / (expected | got).sum() > 0.96


@pytest.mark.parametrize("size", [64, 160, 1024])
def test_any_image_size(size: int) -> None:
    image, points = faces()[1]
    photo = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    face = (points + 0.5) * (size / 256) - 0.5
    masked, alpha = draw_mask(photo, face, MaskStyle(kind="n95", valve=1))
    assert masked.shape == (size, size, 3)
    assert 0.1 < alpha.mean() < 0.6


def test_a_face_partly_or_wholly_out_of_frame() -> None:
    image, points = faces()[1]
    for shift in ((-120, 0), (120, 40), (0, 130), (0, -150)):
        masked, alpha = draw_mask(image, points + np.float32(shift), MaskStyle())
        assert masked.shape == image.shape
        assert alpha.max() <= 1.0
    masked, alpha = draw_mask(image, points + 5000, MaskStyle())
    assert np.array_equal(masked, image)
    assert not alpha.any()


def test_a_grey_photo_gets_a_grey_mask() -> None:
    image, points = faces()[0]
    grey = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    masked, _ = draw_mask(grey, points, MaskStyle(colour=(20, 90, 220), fastening="wide"))
    assert np.ptp(masked.astype(int), axis=2).max() <= 12


def test_light_from_one_side_brightens_that_side_of_the_fabric() -> None:
    image, points = faces()[1]
    ramp = np.linspace(0.45, 1.0, image.shape[1])[None, :, None]
    lit = [(image * side).astype(np.uint8) for side in (ramp, ramp[:, ::-1])]
    style = MaskStyle(colour=(200, 200, 200), trim=False, fastening="none", wrinkles=0.0)
    x = points[30, 0]
    balance = []
    for photo in lit:
        masked, alpha = draw_mask(photo, points, style)
        body = (alpha > 0.95) & (np.abs(np.arange(image.shape[1])[None] - x) > 15)
        right = body & (np.arange(image.shape[1])[None] > x)
        balance.append(masked[right].mean() / masked[body & ~right].mean())
    assert balance[0] > 1.1 * balance[1]


def test_a_soft_photo_gets_a_soft_edge() -> None:
    image, points = faces()[0]
    soft = cv2.GaussianBlur(image, (0, 0), 2.5)
    rims = []
    for photo, face in ((image, points), (soft, points)):
        _, alpha = draw_mask(photo, face, MaskStyle())
        rims.append(((alpha > 0.02) & (alpha < 0.98)).sum())
    assert rims[1] > 1.4 * rims[0]
