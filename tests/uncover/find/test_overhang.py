"""What of a mask lies outside the crop, straps and overhang, and how it is painted."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tests.uncover.fake_networks import CLOTH, SKIN, draw_scene, make
from uncover.crop.geometry import FaceCrop
from uncover.crop.patch import Patch
from uncover.find.overhang import (
    OVERHANG,
    Overhang,
    apart,
    find_overhang,
    is_cut_off,
    is_scarf,
    overhang_patch,
    pulled_down,
    wider,
)
from uncover.find.tasks import joined
from uncover.images import read_image
from uncover.paint.painting import paint_over
from uncover.results import Face

S = 256
FEATHER = 0.03
NOTHING = np.zeros((S, S), bool)


def scene() -> tuple[np.ndarray, FaceCrop, np.ndarray]:
    """A mask with a strap to image right, as float32 (600, 600); the face's crop; its mask."""
    photo = np.zeros((600, 600), np.float32)
    cv2.rectangle(photo, (220, 320), (400, 420), 1.0, -1)
    cv2.line(photo, (395, 330), (470, 300), 1.0, 5)  # runs out of the crop
    crop = FaceCrop(np.array([[1.0, 0, -172], [0, 1.0, -172]]), S)
    mask = photo[172 : 172 + S, 172 : 172 + S] > 0.5
    return photo, crop, mask


def seen_wider(photo: np.ndarray, crop: FaceCrop) -> np.ndarray:
    return wider(crop).extract((photo * 255).astype(np.uint8)).astype(np.float32) / 255


def found(photo: np.ndarray, crop: FaceCrop, mask: np.ndarray) -> Overhang:
    frame = wider(crop)
    visible = frame.shows(photo.shape[1], photo.shape[0])
    return find_overhang(seen_wider(photo, crop), mask, 0.5, FEATHER, visible)


def face_in(photo: np.ndarray) -> Face:
    return Face(box=(180, 180, 420, 430), label="with_mask", score=1.0, size=photo.shape[:2])


def test_the_wider_frame_has_the_same_centre() -> None:
    _, crop, _ = scene()
    frame = wider(crop)
    np.testing.assert_allclose(frame.corners().mean(0), crop.corners().mean(0))
    assert frame.scale == pytest.approx(crop.scale / OVERHANG.reach)


def test_a_mask_that_reaches_its_crop_s_edge_is_cut_off() -> None:
    _, _, mask = scene()
    assert is_cut_off(mask)
    inside = np.zeros((S, S), bool)
    inside[150 : S - 10, 100:150] = True
    assert not is_cut_off(inside)
    inside[S - 10 : S - 4, 120:130] = True  # a tip that the segmenter lost just before the edge
    assert is_cut_off(inside)


@pytest.mark.parametrize(("length", "painted"), [(20, True), (40, True), (160, False)])
def test_a_mask_s_tip_below_the_crop_is_painted_and_a_scarf_is_not(
    length: int, painted: bool
) -> None:
    photo, crop, _ = scene()
    bottom = 172 + S
    photo[400 : bottom + length, 260:340] = 1.0
    mask = photo[172:bottom, 172 : 172 + S] > 0.5
    overhang = found(photo, crop, mask)
    assert not overhang.large.any()
    assert overhang.straps.any()  # the one at the side
    patch = overhang_patch(NOTHING, overhang.short, wider(crop), 0.012, FEATHER, face_in(photo))
    assert (patch is not None) == painted
    if patch is not None:
        tip = joined(face_in(photo), patch).mask[bottom + 3 : bottom + length, 260:340]
        assert tip.mean() > 0.98


def test_a_scarf_stays_below_the_chin() -> None:
    photo, crop, _ = scene()
    bottom = 172 + S
    photo[400:, 240:350] = 1.0
    mask = photo[172:bottom, 172 : 172 + S] > 0.5
    frame = wider(crop)
    visible = frame.shows(photo.shape[1], photo.shape[0])
    seen = (seen_wider(photo, crop) > 0.5) & visible
    assert is_scarf(seen, mask)
    kept = pulled_down(mask)
    assert not kept[-8:, 60:200].any()
    np.testing.assert_array_equal(kept[:190], mask[:190])  # cheeks, chin and strap
    middle, beside = (np.flatnonzero(kept[:, x])[-1] for x in (S // 2, 95))
    assert middle > beside  # an arc
    assert not is_scarf(seen, kept)
    narrow = mask.copy()
    narrow[249:, :110] = False
    assert not is_scarf(seen, narrow)  # a hand, or a mask's own corner


def test_what_ends_below_the_crop_or_with_the_photo_is_no_scarf() -> None:
    photo, crop, _ = scene()
    bottom = 172 + S
    photo[400 : bottom + 20, 240:350] = 1.0
    mask = photo[172:bottom, 172 : 172 + S] > 0.5
    assert not is_scarf(seen_wider(photo, crop) > 0.5, mask)
    cut = photo[: bottom + 12].copy()  # mirrored beyond the edge
    frame = wider(crop)
    seen = frame.extract((cut * 255).astype(np.uint8)) > 127
    assert is_scarf(seen, mask)
    assert not is_scarf(seen & frame.shows(cut.shape[1], cut.shape[0]), mask)


@pytest.mark.parametrize(
    ("length", "sure", "painted"),
    [(12, 0.8, True), (12, 0.65, False), (40, 0.8, False), (40, 0.95, True)],
)
def test_what_may_be_a_neck_is_left_alone(length: int, sure: float, painted: bool) -> None:
    photo, crop, _ = scene()
    bottom = 172 + S
    photo[400:bottom, 260:340] = 1.0
    photo[bottom - 12 : bottom + length, 260:340] = sure
    mask = photo[172:bottom, 172 : 172 + S] > 0.5
    overhang = found(photo, crop, mask)
    assert not overhang.large.any()
    assert overhang.short.any() == painted


def test_an_ear_between_loops_is_no_strap() -> None:
    photo, crop, mask = scene()
    strap = found(photo, crop, mask).straps
    cv2.rectangle(photo, (436, 306), (446, 330), 0.52, -1)  # beside the strap, faintly mask
    after = found(photo, crop, mask).straps
    assert strap.any()
    np.testing.assert_array_equal(after & ~strap, False)


def test_a_mask_that_reaches_out_at_the_side_is_overhang() -> None:
    photo, crop, _ = scene()
    cv2.rectangle(photo, (395, 285), (450, 400), 1.0, -1)
    mask = photo[172 : 172 + S, 172 : 172 + S] > 0.5
    overhang = found(photo, crop, mask)
    assert not overhang.short.any()
    patch = overhang_patch(NOTHING, overhang.large, wider(crop), 0.012, FEATHER, face_in(photo))
    assert patch is not None
    whole = joined(face_in(photo), patch).mask
    assert whole[290:395, 430:448].all()
    assert not whole[:, :400].any()  # the crop's own part
    assert overhang.straps.sum() < 0.05 * overhang.large.sum()


def test_a_strap_that_grows_out_of_overhang_is_found() -> None:
    photo, crop, _ = scene()
    cv2.rectangle(photo, (395, 320), (440, 400), 1.0, -1)
    cv2.rectangle(photo, (420, 250), (480, 315), 0.0, -1)
    cv2.line(photo, (435, 340), (462, 300), 1.0, 5)  # begins beyond the crop
    mask = photo[172 : 172 + S, 172 : 172 + S] > 0.5
    straps = found(photo, crop, mask).straps
    patch = overhang_patch(straps, NOTHING, wider(crop), 0.012, FEATHER, face_in(photo))
    assert patch is not None
    assert joined(face_in(photo), patch).mask[302, 461]


def test_what_mirrors_the_photo_beyond_its_edge_is_no_overhang() -> None:
    photo, crop, _ = scene()
    cv2.rectangle(photo, (395, 285), (599, 400), 1.0, -1)
    cut = np.ascontiguousarray(photo[:, :430])  # the crop ends at 428
    mask = cut[172 : 172 + S, 172 : 172 + S] > 0.5
    frame = wider(crop)
    visible = frame.shows(430, 600)
    overhang = found(cut, crop, mask)
    assert not (overhang.short | overhang.large)[~visible].any()
    x = frame.to_photo([[0.0, 128.0], [S - 1.0, 128.0]])[:, 0]
    share = (430 - 0.5 - x[0]) / (x[1] - x[0])
    assert visible[128].mean() == pytest.approx(share, abs=0.01)


def test_a_strap_that_begins_at_the_mask_is_found_to_its_end() -> None:
    photo, crop, mask = scene()
    overhang = found(photo, crop, mask)
    assert not (overhang.short | overhang.large).any()
    patch = overhang_patch(overhang.straps, NOTHING, wider(crop), 0.012, FEATHER, face_in(photo))
    assert patch is not None
    whole = joined(face_in(photo), patch).mask
    outside = photo > 0.5
    outside[:, : 172 + S] = False
    assert outside.sum() > 150
    assert whole[outside].mean() > 0.98
    assert whole.sum() < 12 * outside.sum()
    assert not whole[:, :350].any()


@pytest.mark.parametrize("kind", ["apart", "other face"])
def test_what_is_no_strap_is_left(kind: str) -> None:
    photo, crop, mask = scene()
    if kind == "apart":
        cv2.rectangle(photo, (405, 150), (560, 500), 0.0, -1)
        cv2.line(photo, (440, 250), (490, 250), 1.0, 5)
    overhang = found(photo, crop, mask)
    assert not (overhang.short | overhang.large).any()
    spare = [(421.0, 200.0, 600.0, 500.0)] if kind == "other face" else []
    patch = overhang_patch(
        overhang.straps, NOTHING, wider(crop), 0.012, FEATHER, face_in(photo), spare
    )
    middle = np.zeros(photo.shape, bool) if patch is None else joined(face_in(photo), patch).mask
    assert not middle[:, 450:].any()


def test_a_mask_given_by_hand_comes_apart_into_body_and_straps() -> None:
    photo, crop, _ = scene()
    painted = photo > 0.5
    body, straps = apart(painted[250:450, 200:500], crop, (200, 250))
    assert not (body & straps).any()
    np.testing.assert_array_equal(body | straps, painted[250:450, 200:500])
    assert straps.any()
    assert not straps[:, : 172 + S - 200].any()


def test_what_is_thin_is_painted_in_the_colours_beside_it() -> None:
    rng = np.random.default_rng(0)
    skin = np.clip(rng.normal(SKIN, 3, (80, 120, 3)), 0, 255).astype(np.uint8)
    photo = skin.copy()
    cv2.line(photo, (5, 40), (114, 30), (250, 250, 250), 4)
    alpha = np.zeros((30, 120), np.float32)
    cv2.line(alpha, (5, 20), (114, 10), 1.0, 9)
    crop = FaceCrop(np.array([[1.0, 0, 0], [0, 1.0, 0]]), S)
    before = photo.copy()
    paint_over(photo, Patch((0, 20, 120, 50), alpha), crop)
    assert np.abs(photo.astype(float) - SKIN).max() < 25
    kept = np.ones(photo.shape[:2], bool)
    kept[20:50][alpha > 0] = False
    np.testing.assert_array_equal(photo[kept], before[kept])


BOX = (70, 30, 130, 110)


def strapped() -> np.ndarray:
    """A drawn face with a mask of which a strap leaves the crop to image right."""
    box = BOX
    photo = draw_scene([box], seed=3)
    cv2.rectangle(photo, (0, 0), (199, 159), SKIN, -1)
    crop = FaceCrop.from_box(box, 64)
    cloth = crop.to_photo([[18, 28], [46, 28], [44, 52], [20, 52]]).round().astype(np.int32)
    cv2.fillPoly(photo, [cloth], CLOTH)
    right = crop.to_photo([[45, 34], [71, 31]]).round().astype(int)
    cv2.line(photo, tuple(map(int, right[0])), tuple(map(int, right[1])), CLOTH, 5)
    return photo


def test_the_pipeline_paints_straps_beyond_the_crop_over() -> None:
    photo = strapped()
    result = make([BOX])(photo)
    (face,) = result.faces
    assert face.reason is None
    left = np.abs(np.asarray(result.image).astype(int) - CLOTH).sum(-1) < 60
    assert not left.any()
    changed = (np.asarray(result.image) != photo).any(-1)
    assert not changed[~face.mask].any()


def test_a_correction_by_hand_keeps_the_straps() -> None:
    uncoverer, photo = make([BOX]), read_image(strapped())
    first = uncoverer(photo)
    grown = cv2.dilate(first.faces[0].mask.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    again = uncoverer.refill(first, masks={0: grown})
    assert np.array_equal(again.faces[0].mask, grown)
    assert again.faces[0].crop is not None
    assert again.faces[0].crop.scale == pytest.approx(first.faces[0].crop.scale, rel=0.05)
    assert not (np.abs(again.pixels.astype(int) - CLOTH).sum(-1) < 60).any()


def winged() -> np.ndarray:
    """A drawn face with a mask whose side leaves the crop to image right."""
    photo = draw_scene([BOX], seed=3)
    cv2.rectangle(photo, (0, 0), (199, 159), SKIN, -1)
    crop = FaceCrop.from_box(BOX, 64)
    cloth = crop.to_photo([[18, 28], [68, 24], [68, 48], [20, 52]]).round().astype(np.int32)
    cv2.fillPoly(photo, [cloth], CLOTH)
    return photo


@pytest.mark.parametrize("blend", ["feather", "poisson"])
def test_the_pipeline_paints_overhang_in_the_wider_frame(blend: str) -> None:
    photo = winged()
    result = make([BOX])(photo, blend=blend)
    (face,) = result.faces
    assert face.reason is None
    left = np.abs(result.pixels.astype(int) - CLOTH).sum(-1) < 60
    assert not left.any()
    assert (result.pixels == photo)[~face.mask].all()


@pytest.mark.parametrize("scene", [strapped, winged])
def test_what_was_painted_outside_is_painted_again(scene: Callable[[], np.ndarray]) -> None:
    uncoverer = make([BOX])
    first = uncoverer(scene())
    again = uncoverer.refill(first)
    np.testing.assert_array_equal(again.pixels, first.pixels)
