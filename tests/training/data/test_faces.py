"""Training draws: pure functions of (seed, number), landmarks that stay on the face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.data.faces import (
    AugmentSettings,
    FaceDraws,
    evaluation_set,
    mirror,
    mouth_map,
    random_crop,
)
from training.data.holes import _rounded, _stretched, _swept, random_hole
from training.data.opening import data_summary, load_faces
from training.data.sampling import Balance
from training.gan.evaluate import draw_sheet, predict, val_scores
from uncover.errors import UncoverError
from uncover.faces import LIPS, MIRROR_68
from uncover.faces.drawn import draw_face, write_drawn_faces
from uncover.masking import mask_alpha, random_style
from uncover.networks.generator import Generator, GeneratorConfig


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_drawn_faces(tmp_path_factory.mktemp("drawn"), 10, seed=1)


@pytest.fixture(scope="module")
def faces(drawn):
    return load_faces([drawn], 64)


def draws(faces, **changes):
    options = {
        "size": 64,
        "length": 50,
        "seed": 3,
        "balance": Balance(),
        "augment": AugmentSettings(),
    }
    return FaceDraws(faces, **(options | changes))


def test_mirror_is_its_own_inverse():
    assert sorted(MIRROR_68) == list(range(68))
    assert np.array_equal(MIRROR_68[MIRROR_68], np.arange(68))
    face = draw_face(0, 64)
    twice = mirror(*mirror(face.image, face.landmarks))
    assert np.array_equal(twice[0], face.image)
    assert np.allclose(twice[1], face.landmarks)


def test_a_draw_depends_only_on_seed_and_number(faces):
    first, second = draws(faces[0]), draws(faces[0])
    for key, value in first[17].items():
        assert np.array_equal(value, second[17][key])
    assert not np.array_equal(first[17]["image"], first[18]["image"])
    assert not np.array_equal(first[17]["image"], draws(faces[0], seed=4)[17]["image"])


def test_items_have_the_promised_shapes(faces):
    item = draws(faces[0])[0]
    assert item["image"].shape == (3, 64, 64)
    assert item["hole"].shape == item["valid"].shape == item["mouth"].shape == (1, 64, 64)
    assert item["look"].shape == (3,)
    assert item["look"].dtype == np.float32
    assert all(item[name].dtype == np.uint8 for name in ("image", "hole", "valid", "mouth"))
    assert set(np.unique(item["hole"])) == {0, 1}


def test_the_mouth_s_map_lies_on_the_lips_and_nowhere_else():
    face = draw_face(0, 128)
    drawn = mouth_map(face.landmarks, 128)
    x, y = face.landmarks[LIPS].mean(0).round().astype(int)
    assert drawn[y, x] == 255
    for other in (*face.landmarks[:17:4], face.landmarks[30], face.landmarks[36]):
        x, y = np.clip(other.round().astype(int), 0, 127)
        assert drawn[y, x] == 0
    assert (drawn > 0).mean() < 0.2


def test_without_jitter_the_crop_is_the_canonical_frame(faces):
    still = AugmentSettings(scale=1, zoom=1, shift=0, roll=0, light=0, colour=0, grey=0)
    from uncover.crop.geometry import FaceCrop
    from uncover.faces.landmarks import five_points

    face = faces[0][0]
    crop = FaceCrop.from_points(five_points(face.landmarks), 64)
    rng = np.random.default_rng(1)  # its first number is above one half: not mirrored
    image, landmarks, _ = random_crop(face, 64, rng, still)
    assert np.allclose(landmarks, crop.to_crop(face.landmarks), atol=1e-3)
    assert image.shape == (64, 64, 3)


def test_jitter_moves_the_face_and_marks_what_does_not_exist(faces):
    wild = AugmentSettings(shift=0.3)
    valids = [
        random_crop(faces[0][0], 64, np.random.default_rng(k), wild)[2].mean() for k in range(20)
    ]
    assert min(valids) < 0.9
    assert max(valids) <= 1


@pytest.mark.parametrize("variety", [True, False])
def test_holes_cover_part_of_the_lower_face(variety):
    face = draw_face(5, 128, yaw=0.0)
    mouth = face.landmarks[48:60].mean(0).round().astype(int)
    covered = 0
    for k in range(40):
        hole = random_hole(face.landmarks, 128, np.random.default_rng(k), variety)
        assert hole.dtype == bool
        assert 0.01 < hole.mean() < 0.75
        covered += hole[mouth[1], mouth[0]]
    assert covered > 30


def test_a_hole_is_found_even_when_the_mask_lies_outside():
    away = draw_face(5, 64).landmarks + np.array([0, 58])
    assert random_hole(away.astype(np.float32), 64, np.random.default_rng(0)).dtype == bool


def test_a_mask_that_stands_off_covers_the_face_s_outline_too():
    landmarks = draw_face(5, 128, yaw=0.0).landmarks
    rng, outline = np.random.default_rng(0), np.zeros((128, 128), np.uint8)
    cv2.fillConvexPoly(outline, cv2.convexHull(np.round(landmarks).astype(np.int32)), 1)
    plain = (mask_alpha(landmarks, (128, 128), random_style(rng)) > 0.5).astype(np.uint8)
    for make in (_swept, _stretched, _rounded):
        wider = [make(plain, 128, np.random.default_rng(k)) for k in range(20)]
        assert all(bool((w[plain > 0] == 1).all()) for w in wider)  # it only grows
        beyond = [int((w[outline == 0] > 0).sum()) for w in wider]
        assert np.median(beyond) > 1.2 * (plain[outline == 0] > 0).sum()


def test_evaluation_masks_are_fixed_by_the_photo(faces):
    _, val = faces
    images, holes = evaluation_set(val, 64, seed=0)
    again = evaluation_set(val[::-1], 64, seed=0)
    assert np.array_equal(images, again[0][::-1])
    assert np.array_equal(holes, again[1][::-1])
    assert not np.array_equal(holes, evaluation_set(val, 64, seed=1)[1])


def test_scores_of_truth_and_of_a_known_error(faces, tmp_path):
    images, holes = evaluation_set(faces[1], 64, seed=0)
    perfect = val_scores(images, images, holes, None)
    assert perfect["ssim"] == pytest.approx(1)
    wrong = images.copy()
    wrong[holes] = np.where(wrong[holes] > 127, wrong[holes] - 10, wrong[holes] + 10)
    assert val_scores(images, wrong, holes, None)["psnr_hole"] == pytest.approx(28.13, abs=0.01)
    draw_sheet(tmp_path / "s" / "sheet.png", images, wrong, holes, columns=2)
    assert (tmp_path / "s" / "sheet.png").stat().st_size > 1000


def test_prediction_keeps_known_pixels(faces):
    images, holes = evaluation_set(faces[1], 64, seed=0)
    config = GeneratorConfig(
        64, (8, 12, 16), (1, 1, 1), detail_width=8, latent=0,
        coarse_widths=(8,), coarse_blocks=(1,), coarse_heads=0,
    )  # fmt: skip
    filled = predict(Generator(config), images, holes)
    assert np.array_equal(filled[~holes], images[~holes])
    assert not np.array_equal(filled[holes], images[holes])


def test_summary_counts_every_face(drawn, faces):
    table = data_summary([drawn], faces[0])
    cells = table["by_ethnicity_and_pose"].values()
    assert sum(sum(row.values()) for row in cells) == table["photos"] == len(faces[0])


def test_empty_train_split_is_one_line():
    with pytest.raises(UncoverError, match="train split"):
        draws([])
