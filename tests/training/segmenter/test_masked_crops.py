"""Training crops of the segmenter: mask and points stay on the face wherever the frame goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.pseudo.command import RealMask
from training.segmenter.masked_crops import (
    CropSettings,
    MaskedCrops,
    dye_like_skin,
    jitter_frame,
    make_crop,
    make_real_crop,
    print_on,
)
from uncover.crop.geometry import TEMPLATE_5, FaceCrop
from uncover.faces.drawn import draw_face, write_drawn_faces
from uncover.faces.landmarks import five_points
from uncover.faces.manifest import read_manifest

STILL = CropSettings(
    bare=0, occluded=0, rough=0, near_shift=0, near_scale=1, near_roll=0, plain_border=0
)


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    folder = write_drawn_faces(tmp_path_factory.mktemp("faces"), 4, seed=3, size=96)
    return MaskedCrops(read_manifest(folder), 64, CropSettings(), 40, seed=7)


def test_a_crop_is_a_function_of_its_number(crops):
    assert len(crops) == 40
    for number in range(6):
        for one, two in zip(crops[number], crops[number], strict=True):
            assert one.equal(two)


def test_tensors_have_the_network_s_shapes(crops):
    image, mask, points, valid = crops[0]
    assert (image.shape, mask.shape, points.shape) == ((3, 64, 64), (1, 64, 64), (5, 2))
    assert valid.shape == mask.shape
    assert (str(image.dtype), str(mask.dtype)) == ("torch.uint8", "torch.uint8")


def test_some_faces_are_bare(crops):
    bare = [crops.make(i).mask.max() == 0 for i in range(40)]
    assert 0 < sum(bare) < 20


def test_without_jitter_the_points_lie_near_the_template():
    face = draw_face(4, 128)
    crop = make_crop(face.image, face.landmarks, 128, STILL, np.random.default_rng(0))
    assert np.abs(crop.points - TEMPLATE_5).max() < 0.12
    assert 0.05 < (crop.mask > 0.5).mean() < 0.7


def test_points_follow_the_frame():
    face = draw_face(4, 128)
    rng = np.random.default_rng(3)
    crop = make_crop(face.image, face.landmarks, 64, CropSettings(rough=1), rng)
    five = five_points(face.landmarks)
    mirrored = five[[1, 0, 2, 4, 3]] * [-1, 1] + [127, 0]
    scale = min(1, round(1.25 * 64) / 128)
    for points in (five, mirrored):
        moved = (crop.frame.to_crop((points + 0.5) * scale - 0.5) + 0.5) / 64
        if np.abs(moved - crop.points).max() < 0.02:
            return
    pytest.fail("points are neither the face's nor its mirror image's")


def test_jitter_stays_within_its_bounds():
    frame = FaceCrop.from_points(TEMPLATE_5 * 256, 256)
    settings = CropSettings(rough=1)
    frames = [jitter_frame(frame, settings, np.random.default_rng(i)) for i in range(60)]
    scales = [f.scale for f in frames]
    rolls = [abs(f.roll) for f in frames]
    assert 1 / settings.shrink - 1e-6 <= min(scales) < 0.85
    assert 1.2 < max(scales) <= settings.grow + 1e-6
    assert 35 < max(rolls) <= settings.roll + 1e-6


def test_a_real_mask_keeps_to_its_points_and_what_is_unknown_does_not_count():
    image = np.zeros((100, 100, 3), np.uint8)
    mask, known = np.zeros((100, 100), bool), np.ones((100, 100), bool)
    mask[55:90, 25:75], known[:, :10] = True, False
    points = (TEMPLATE_5 * 100).astype(np.float32)
    face = RealMask(image, mask, known, points)
    for seed in range(6):
        crop = make_real_crop(face, 64, STILL, np.random.default_rng(seed))
        assert np.abs(crop.points - TEMPLATE_5).max() < 0.02
        assert crop.mask[45, 32] == 1
        assert crop.mask[10, 32] == 0
        assert crop.valid[:, 32].all()
        assert not crop.valid[:, 1].any() or not crop.valid[:, 62].any()


def test_a_print_changes_the_mask_and_nothing_else():
    rng = np.random.default_rng(0)
    image = rng.integers(90, 110, (60, 50, 3), dtype=np.uint8)
    alpha = np.zeros((60, 50), np.float32)
    alpha[20:50, 5:45] = 1
    picture = rng.integers(0, 256, (80, 40, 3), dtype=np.uint8)
    out = print_on(image, alpha, picture, np.random.default_rng(1))
    assert out.dtype == np.uint8
    np.testing.assert_array_equal(out[alpha == 0], image[alpha == 0])
    assert np.abs(out[alpha > 0].astype(int) - image[alpha > 0]).mean() > 10
    np.testing.assert_array_equal(out, print_on(image, alpha, picture, np.random.default_rng(1)))
    np.testing.assert_array_equal(print_on(image, 0 * alpha, picture, rng), image)


def test_a_print_keeps_the_folds():
    image = np.full((60, 50, 3), 160, np.uint8)
    image[30:34] = 60  # a dark fold
    out = print_on(
        image, np.ones((60, 50), np.float32), np.full((9, 9, 3), 200, np.uint8),
        np.random.default_rng(0),
    )  # fmt: skip
    assert out[30:34].mean() < 0.6 * out[:30].mean()


def test_a_dye_like_skin_keeps_folds_and_comes_near_the_skin():
    image = np.full((60, 50, 3), (90, 160, 220), np.uint8)
    image[30:34] //= 3  # a dark fold
    alpha = np.zeros((60, 50), np.float32)
    alpha[20:, 5:] = 1
    skin = np.array([200, 150, 120], np.float32)
    out = dye_like_skin(image, alpha, skin, np.random.default_rng(0)).astype(float)
    np.testing.assert_array_equal(out[alpha == 0], image[alpha == 0])
    assert out[25, 25, 0] > out[25, 25, 1] > out[25, 25, 2] - 20
    assert out[32, 25].mean() < 0.7 * out[25, 25].mean()
    np.testing.assert_array_equal(
        dye_like_skin(image, 0 * alpha, skin, np.random.default_rng(0)), image
    )


def test_real_masks_are_printed_on_and_dyed_too():
    image = np.full((100, 100, 3), (200, 150, 120), np.uint8)
    mask = np.zeros((100, 100), bool)
    mask[55:90, 25:75] = True
    image[mask] = 20, 30, 220
    face = RealMask(image, mask, np.ones_like(mask), (TEMPLATE_5 * 100).astype(np.float32))
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    blue, noisy = {}, {}
    for name, share, given in (("plain", 0, None), ("dyed", 1, None), ("printed", 0, picture)):
        rng = np.random.default_rng(4)
        crop = make_real_crop(face, 64, replace(STILL, skinlike=share), rng, given)
        inside = crop.image[38:54, 20:44].astype(float)
        blue[name] = (inside[..., 2] - inside[..., 0]).mean()
        noisy[name] = inside.std(axis=(0, 1)).mean()
    assert blue["plain"] > 50
    assert blue["dyed"] < 20
    assert noisy["printed"] > 2 * noisy["plain"]


def test_as_many_masks_are_printed_as_asked(tmp_path):
    folder = write_drawn_faces(tmp_path / "faces", 4, seed=3, size=96)
    plain, printed = (
        MaskedCrops(read_manifest(folder), 64, replace(STILL, printed=share), 8, seed=7)
        for share in (0.0, 1.0)
    )
    for one, other in ((plain.make(i), printed.make(i)) for i in range(4)):
        assert not np.array_equal(one.image, other.image)
