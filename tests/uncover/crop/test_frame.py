"""One face, one frame: whatever else a photo shows, training, scores and pipeline see it alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut

from benchmark.photos.crops import face_crop
from training.data.faces import AugmentSettings, StoredFace, evaluation_set, random_crop
from uncover import Uncoverer
from uncover.crop import FaceCrop, frame_face
from uncover.faces import FaceRecord, draw_face, find_landmarks
from uncover.masking import draw_mask, random_style

SIZE = 128
# Upper left corners of two photos of one face: with shoulders, and cut at chin and brows.
WIDE, TIGHT = np.s_[0:320, 60:380], np.s_[62:180, 168:286]
STEADY = AugmentSettings(
    scale=1.0, zoom=1.0, shift=0.0, roll=0.0, light=0.0, colour=0.0, grey=0.0, beyond=0.0
)


@pytest.fixture(scope="module")
def photos() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(photo, its landmarks, its place in the large one) of both."""
    found = []
    for cut in (WIDE, TIGHT):
        photo = np.ascontiguousarray(astronaut()[cut])
        points = find_landmarks(photo, tolerant=True)
        assert points is not None
        found.append((photo, points, np.array([cut[1].start, cut[0].start], float)))
    return found


def apart(one: FaceCrop, other: FaceCrop, moved: np.ndarray) -> float:
    """How far the other's face lies from where the one has it, in crop pixels.

    moved: of the other's photo in the one's.
    """
    points = np.array([[0.3, 0.25], [0.7, 0.25], [0.5, 0.5], [0.35, 0.7], [0.65, 0.7]]) * SIZE
    there = one.to_crop(other.to_photo(points) + moved)
    return float(np.linalg.norm(there - points, axis=1).max())


def test_landmarks_frame_a_face_alike_in_a_tight_and_in_a_wide_photo(photos):
    (_, wide, at), (_, tight, at_tight) = photos
    assert apart(frame_face(wide, SIZE), frame_face(tight, SIZE), at_tight - at) < 2


@pytest.mark.parametrize(("seed", "yaw"), [(0, 0), (4, 20), (9, -25)])
def test_a_drawn_face_keeps_its_frame_in_a_cut_at_brows_and_chin(seed, yaw):
    face = draw_face(seed, 320, yaw=yaw)
    low, high = face.landmarks.min(0), face.landmarks.max(0)
    half = 0.56 * (high - low).max()
    x0, y0 = np.maximum((low + high) / 2 - half, 0).astype(int)
    x1, y1 = ((low + high) / 2 + half).astype(int)
    found = [
        find_landmarks(np.ascontiguousarray(photo), tolerant=True)
        for photo in (face.image, face.image[y0:y1, x0:x1])
    ]
    assert found[0] is not None
    assert found[1] is not None
    frames = [frame_face(points, SIZE) for points in found]
    assert apart(frames[0], frames[1], np.array([x0, y0], float)) < 2


def test_the_pipeline_does_so_with_a_mask(photos):
    uncoverer, crops = Uncoverer.from_pretrained(device="cpu"), []
    (wide, points, at), (tight, _, at_tight) = photos
    masked = draw_mask(wide, points, random_style(np.random.default_rng(1), wear="worn"))[0]
    left, top = (at_tight - at).astype(int)
    height, width = tight.shape[:2]
    for photo in (masked, np.ascontiguousarray(masked[top : top + height, left : left + width])):
        (face,) = [f for f in uncoverer.detect(photo) if f.reason is None]
        assert face.crop is not None
        crops.append(face.crop.resized(SIZE))
    assert apart(*crops, at_tight - at) < 2


def stored(photo: np.ndarray, landmarks: np.ndarray) -> StoredFace:
    height, width = photo.shape[:2]
    record = FaceRecord(
        path="a.png", file=Path("a.png"), split="val", identity="", ethnicity="white",
        gender="female", age=30, yaw=0.0, pitch=0.0, roll=0.0, sharpness=100.0, width=width,
        height=height, sha256="0" * 64, landmarks=landmarks,
    )  # fmt: skip
    return StoredFace(photo, landmarks, record)


def test_draws_evaluation_and_benchmark_show_the_same_pixels(photos):
    (wide, points, at), (tight, _, at_tight) = photos
    moved = (at_tight - at).astype(np.float32)
    faces = [stored(wide, points), stored(tight, points - moved)]
    images, holes = evaluation_set(faces, SIZE, seed=0)
    held = frame_face(faces[1].landmarks, SIZE).shows(*tight.shape[1::-1])
    assert 0.6 < held.mean() < 0.95
    crops = [face_crop(face.image, face.landmarks, SIZE, align=True)[0] for face in faces]
    draws = [_unmirrored(face) for face in faces]
    inner = held & np.roll(held, 3, 0) & np.roll(held, -3, 0) & np.roll(held, 3, 1)
    for pair in (images, crops, [draw[0] for draw in draws]):
        differ = np.abs(pair[0].astype(int) - pair[1])[inner]
        assert differ.mean() < 1.5
    assert np.abs(images[0].astype(int) - draws[0][0]).mean() < 4
    # What the tight photo does not hold is marked in draws; a hole ends alike within the photo.
    assert draws[0][2].mean() > 0.99
    assert (draws[1][2] == held).mean() > 0.97
    assert (holes[0] == holes[1])[inner].mean() > 0.98


def test_what_a_mirrored_edge_shows_of_the_mask_is_missing(photos):
    (_, _, _), (tight, points, _) = photos
    _, (hole,) = evaluation_set([stored(tight, points)], SIZE, seed=0)
    beyond = ~frame_face(points, SIZE).shows(*tight.shape[1::-1])
    assert hole[beyond].any()


def _unmirrored(face: StoredFace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A draw without jitter and not mirrored."""
    for seed in range(20):
        draw = random_crop(face, SIZE, np.random.default_rng(seed), STEADY)
        if draw[1][36, 0] < draw[1][45, 0] and np.random.default_rng(seed).random() >= 0.5:
            return draw
    raise AssertionError("no draw that is not mirrored")
