"""Batches, rectangles and one copy of the photo give what doing it the plain way gives."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from tests.uncover.fake_networks import CLOTH, SIZE, cloth_left, draw_scene, make
from uncover.crop.alignment import frame_around_mask, refine, widened_to
from uncover.crop.geometry import FaceCrop
from uncover.crop.patch import patch_from_crop
from uncover.crop.regions import clean_mask, outline, soft_region
from uncover.find.given_masks import split_mask, whole_mask
from uncover.find.given_tasks import from_mask
from uncover.find.tasks import (
    Found,
    Judged,
    Task,
    is_part_of,
    judge,
    margin_around,
    task_for,
    to_edges,
)
from uncover.networks import SegmenterConfig
from uncover.paint.compositing import match_colours, paste
from uncover.results import Face, Reason
from uncover.settings import Settings

BOXES = [(10, 20, 90, 125), (110, 20, 190, 125), (205, 60, 300, 180), (90, 140, 160, 230)]
SHAPE = (250, 330)


def cloth(photo: np.ndarray) -> np.ndarray:
    return np.abs(photo.astype(int) - CLOTH).sum(-1) < 40


@pytest.mark.parametrize("blend", ["feather", "poisson"])
def test_a_batch_gives_what_one_face_after_the_other_gives(blend: str) -> None:
    photo = draw_scene(BOXES, SHAPE)
    uncoverer = make(BOXES)
    segmenter, generator = uncoverer.segmenter, uncoverer.generator
    expected = photo.copy()
    for box in sorted(BOXES, key=lambda b: (b[2] - b[0]) * (b[3] - b[1])):
        rough = FaceCrop.from_box(box, SIZE)
        crop = refine(rough, segmenter.segment(rough.extract(photo)[None]).points[0])
        assert crop is not None
        seen = crop.extract(photo)
        probability = segmenter.segment(seen[None]).probability[0]
        mask = to_edges(clean_mask(probability, 0.5), probability, seen, 0.5)
        margin = margin_around(crop, segmenter.config.dilation)
        alpha = soft_region(mask, margin, uncoverer.settings.feather)
        patch = patch_from_crop(alpha, crop, SHAPE[1], SHAPE[0])
        hole = (alpha > 0) | ~crop.shows(SHAPE[1], SHAPE[0])
        filled = generator.fill(seen[None], hole[None])[0]
        if blend == "feather":
            filled = match_colours(filled, seen, hole)
        paste(expected, filled, crop, patch, blend)
    generator.batches.clear()
    segmenter.batches.clear()
    result = uncoverer(photo, blend=blend)
    np.testing.assert_array_equal(result.pixels, expected)
    assert generator.batches == [len(BOXES)]
    assert segmenter.batches == [len(BOXES)] * 2


def test_a_photo_is_copied_once_however_many_faces_it_has() -> None:
    boxes = [(60 + 300 * i, 60 + 300 * j, 160 + 300 * i, 190 + 300 * j)
             for i in range(5) for j in range(4)]  # fmt: skip
    photo = draw_scene(boxes, (1300, 1600))
    uncoverer = make(boxes)
    tracemalloc.start()
    result = uncoverer(photo)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(result.filled) == 20
    assert peak < 2 * photo.nbytes


def test_pixels_outside_the_rectangles_are_not_even_written(monkeypatch) -> None:
    photo = draw_scene(BOXES, SHAPE)
    touched = []
    real = cv2.copyTo

    def note(source: np.ndarray, mask: np.ndarray, target: np.ndarray) -> None:
        touched.append(target.shape)
        real(source, mask, target)

    monkeypatch.setattr("uncover.paint.compositing.cv2.copyTo", note)
    result = make(BOXES)(photo)
    rects = [face.rect for face in result.filled]
    assert sorted(touched) == sorted((y1 - y0, x1 - x0, 3) for x0, y0, x1, y1 in rects)


def test_a_mask_is_split_like_its_whole_planes_would_be() -> None:
    photo = draw_scene(BOXES, SHAPE)
    mask = cloth(photo)
    mask[240:245, 300:310] = True  # a piece on no face
    faces = [Found(tuple(map(float, box)), "with_mask", 0.9) for box in BOXES]
    parts = split_mask(mask, faces)
    assert sorted(str(part.found) for part in parts) == sorted(map(str, [*faces, None]))
    full = np.zeros_like(mask)
    for part in parts:
        x0, y0, x1, y1 = part.rect
        assert part.painted.any(0).all() or part.painted.any(1).all()
        assert not (full[y0:y1, x0:x1] & part.painted).any()
        full[y0:y1, x0:x1] |= part.painted
    np.testing.assert_array_equal(full, mask)


@pytest.mark.parametrize("at", [(0, 0), (70, 90), (255, 180)])
def test_a_rectangle_of_a_mask_is_as_good_as_the_whole(at: tuple[int, int]) -> None:
    photo = draw_scene(BOXES, SHAPE)
    mask = np.zeros(SHAPE, bool)
    x, y = at
    shape = cv2.ellipse(np.zeros((70, 75), np.uint8), (37, 35), (36, 34), 0, 0, 360, 1, -1) > 0
    mask[y : y + 70, x : x + 75] = shape
    part = whole_mask(mask)
    guess = frame_around_mask(part.painted, SIZE, part.at)
    np.testing.assert_array_equal(guess.matrix, frame_around_mask(mask, SIZE).matrix)
    small = FaceCrop(guess.matrix * 1.6, SIZE)
    crop = widened_to(small, mask)
    np.testing.assert_array_equal(widened_to(small, part.painted, at=part.at).matrix, crop.matrix)
    task = from_mask(part, crop, photo)
    np.testing.assert_array_equal(task.crop.matrix, crop.matrix)
    held = crop.shows(SHAPE[1], SHAPE[0])
    assert task.hole[~held].all()
    covered = crop.extract(mask.astype(np.uint8) * 255) > 0
    np.testing.assert_array_equal(task.hole[held], covered[held])
    np.testing.assert_array_equal(task.patch.alpha, whole_mask(mask).painted)
    assert task.patch.rect == whole_mask(mask).rect
    assert task.face.polygon == outline(mask)
    np.testing.assert_array_equal(task.face.mask, mask)


HANGING = {
    "gaiter": lambda m: m.__setitem__(np.s_[95:290, 70:130], True),
    "ties": lambda m: m.__setitem__(np.s_[100:104, 20:180], True),
    "a loose bow": lambda m: m.__setitem__(np.s_[150:158, 138:150], True),
    "band over the head": lambda m: m.__setitem__(np.s_[10:110, 128:133], True),
}


@pytest.mark.parametrize("what", HANGING)
def test_what_hangs_from_a_mask_does_not_move_the_face(what: str) -> None:
    box = (60, 30, 140, 135)
    photo = draw_scene([box], (300, 200))
    mask = cloth(photo)
    plain = make([box]).fill(photo, mask).faces[0]
    HANGING[what](mask)
    result = make([box]).fill(photo, mask)
    assert len(result.faces) == 1
    face = result.faces[0]
    np.testing.assert_allclose(face.crop.matrix, plain.crop.matrix)
    np.testing.assert_array_equal(face.mask, mask)
    assert cloth_left(result.pixels) == 0
    assert np.array_equal(result.pixels[~mask], photo[~mask])


@pytest.mark.parametrize("what", HANGING)
def test_a_frame_guessed_from_a_mask_does_not_follow_what_hangs_from_it(what: str) -> None:
    mask = cloth(draw_scene([(60, 30, 140, 135)], (300, 200)))
    plain = frame_around_mask(mask, SIZE)
    HANGING[what](mask)
    guess = frame_around_mask(mask, SIZE)
    assert guess.scale == pytest.approx(plain.scale, rel=0.4)
    assert np.abs(guess.to_photo([[32, 32]]) - plain.to_photo([[32, 32]])).max() < 20


def test_nothing_is_known_beyond_the_photos_edge() -> None:
    box = (-25.0, 40.0, 75.0, 170.0)
    photo = draw_scene([(60, 40, 160, 170)], (200, 230))
    photo = np.ascontiguousarray(photo[:, 85:])  # the photo's edge cuts the mask
    height, width = photo.shape[:2]
    crop = FaceCrop.from_box(box, SIZE)
    seen = crop.extract(photo)
    inside = crop.extract(np.full((height, width), 255, np.uint8)) > 0
    columns = crop.to_photo(np.stack([np.arange(SIZE), np.full(SIZE, SIZE / 2)], 1))[:, 0] >= 0
    probability = (cloth(seen) & inside & columns).astype(np.float32)  # the true side only
    face = Face(box=box, label="with_mask", score=0.99, size=(height, width))
    config = SegmenterConfig(threshold=0.5, dilation=0.0)
    found = judge(face, crop, seen, probability, config, Settings())
    assert isinstance(found, Judged)
    task = task_for(found, [], config, Settings())
    assert isinstance(task, Task)
    beyond = ~crop.shows(width, height)
    assert (cloth(seen) & beyond).sum() > 50  # the crop mirrors the mask there,
    assert (~cloth(seen) & beyond).sum() > 50  # and other things
    assert task.hole[beyond].all()
    assert not task.hole.all()


def worn_mask() -> tuple[np.ndarray, np.ndarray]:
    """A crop with a mask and a strap on it, and where they are."""
    cloth_at = np.zeros((256, 256), np.uint8)
    cv2.ellipse(cloth_at, (128, 168), (70, 56), 0, 0, 360, 1, -1)
    cv2.line(cloth_at, (60, 160), (20, 110), 1, 4)
    seen = np.where(cloth_at[..., None] > 0, (90, 140, 200), (205, 160, 140))
    return seen.astype(np.uint8), cloth_at > 0


def test_a_mask_ends_where_the_crop_shows_its_edge() -> None:
    seen, true = worn_mask()
    wide = cv2.dilate(true.view(np.uint8), np.ones((9, 9), np.uint8)).astype(np.float32)
    probability = cv2.GaussianBlur(wide, (0, 0), 3)
    found = clean_mask(probability, 0.5)
    exact = to_edges(found, probability, seen, 0.5)
    beside = np.s_[:, 80:]  # of the strap
    assert (exact != true)[beside].sum() < 0.5 * (found != true)[beside].sum()


@pytest.mark.parametrize("value", [0.95, 0.6])
def test_a_strap_stays_though_no_edge_shows_it(value: float) -> None:
    seen, true = worn_mask()
    body = true.copy()
    body[:, :57] = False
    seen[true & ~body] = (205, 160, 140)  # a strap in the colour of the skin
    probability = np.where(body, 1.0, np.where(true, value, 0.0)).astype(np.float32)
    exact = to_edges(clean_mask(probability, 0.5), probability, seen, 0.5)
    assert exact[true & ~body].mean() > 0.9


def test_a_mask_that_no_edge_confirms_is_kept_as_found() -> None:
    probability = np.zeros((256, 256), np.float32)
    probability[110:220, 60:200] = 0.3
    probability[110:220:4, 60:200] = 0.6  # threads; smoothed, nothing would be left of them
    probability[110:220, 120:136] = 0.6
    found = clean_mask(probability, 0.5)
    assert found.any()
    plain = np.full((256, 256, 3), 120, np.uint8)
    assert np.array_equal(to_edges(found, probability, plain, 0.5), found)


@pytest.mark.parametrize(
    ("box_side", "margin"),
    [(400, 0.012), (80, None), (20, 0.03)],
)
def test_the_margin_covers_the_ringing_of_small_faces(box_side: int, margin: float | None) -> None:
    crop = FaceCrop.from_box((0, 0, box_side, box_side), 256)
    found = margin_around(crop, 0.012)
    if margin is None:  # two and a half photo pixels, in between
        assert 0.012 < found < 0.03
        assert found * crop.size / crop.scale == pytest.approx(2.5)
    else:
        assert found == margin


@pytest.mark.parametrize(
    ("box", "nose", "part"),
    [
        ((300, 100, 400, 220), (350, 170), False),
        ((190, 100, 290, 220), (240, 170), False),  # a twentieth of it
        ((170, 100, 270, 220), (220, 170), True),
        ((205, 120, 230, 160), (150, 170), True),  # an ear: the nose found is the other's
        ((205, 120, 230, 160), None, False),
    ],
)
def test_what_touches_a_face_or_has_its_nose_is_part_of_it(
    box: tuple[float, ...], nose: tuple[float, float] | None, part: bool
) -> None:
    other = Face((100, 100, 195, 220), "with_mask", 0.9, (400, 500))
    points = None if nose is None else np.tile(np.array(nose, float), (5, 1))
    face = Face(box, "without_mask", 0.9, (400, 500), points=points)  # type: ignore[arg-type]
    assert is_part_of(face, other) == part


def test_an_ear_taken_for_a_bare_face_does_not_stop_the_paint() -> None:
    box = (60.0, 60.0, 160.0, 190.0)
    photo = draw_scene([tuple(int(v) for v in box)], (250, 250))
    crop = FaceCrop.from_box(box, SIZE)
    seen = crop.extract(photo)
    face = Face(box=(60.0, 60.0, 100.0, 190.0), label="with_mask", score=0.99, size=(250, 250))
    config = SegmenterConfig(threshold=0.5, dilation=0.0)
    found = judge(face, crop, seen, cloth(seen).astype(np.float32), config, Settings())
    assert isinstance(found, Judged)

    def painted(*spare: Face) -> np.ndarray:
        task = task_for(found, spare, config, Settings())
        assert isinstance(task, Task)
        return task.face.mask

    everything = painted()
    small = Face((120, 120, 150, 150), "without_mask", 0.8, (250, 250), reason=Reason.BARE)
    assert everything[120:150, 120:150].any()
    assert np.array_equal(painted(small), everything)
    confirmed = Face(small.box, small.label, 0.8, small.size, Reason.BARE, points=np.zeros((5, 2)))
    assert not painted(confirmed)[120:150, 120:150].any()
    large = Face((110, 60, 160, 190), "without_mask", 0.8, (250, 250), reason=Reason.BARE)
    assert not painted(large)[60:190, 110:160].any()


def test_little_is_painted_beyond_a_mask() -> None:
    large = FaceCrop.from_box((600, 600, 1400, 1600), 256)
    mask = np.zeros((256, 256), bool)
    mask[100:220, 60:200] = True
    task = task_for(
        Judged(
            Face((600, 600, 1400, 1600), "with_mask", 0.9, (2200, 2000)),
            large,
            np.zeros((256, 256, 3), np.uint8),
            mask,
        ),
        (),
        SegmenterConfig(dilation=0.012),
        Settings(),
    )
    assert isinstance(task, Task)
    reach = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 5)[task.hole].max()
    assert 0.015 < reach / 256 < 0.026  # of the crop's side; a mask is about 0.6 wide
