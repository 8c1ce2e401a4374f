"""A turned head: landmarks and pixels move together, as a head's would, and no further."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.data.bend import FURTHEST, Bend, away
from training.data.faces import AugmentSettings, random_crop, store_faces
from uncover.faces.drawn import write_drawn_faces
from uncover.faces.landmarks import head_pose
from uncover.faces.manifest import read_manifest
from uncover.faces.mean_face import FACE_68, rotation_from_pose


def seen(yaw: float) -> np.ndarray:
    """Landmarks, (68, 2), of the mean face turned by `yaw` degrees in a 200 px photo."""
    return 100 + 45 * (FACE_68 @ rotation_from_pose(yaw, 0, 0).T)[:, :2]


def yaw_of(landmarks: np.ndarray) -> float:
    """As `training.prepare` measures it."""
    return head_pose(landmarks, 200, 200)[0]


@pytest.mark.parametrize(("yaw", "degrees"), [(0, 20), (0, -20), (15, 18), (-20, 12)])
def test_the_head_turns_by_so_many_degrees(yaw: float, degrees: float) -> None:
    bend = Bend(seen(yaw), degrees)
    assert bend.degrees == pytest.approx(degrees)
    assert yaw_of(bend.landmarks) == pytest.approx(yaw + degrees, abs=2)
    assert np.sign(bend.landmarks[30, 0] - seen(yaw)[30, 0]) == np.sign(degrees)
    shape = seen(yaw + degrees)
    aligned = bend.landmarks + (shape.mean(0) - bend.landmarks.mean(0))
    assert np.abs(aligned - shape).max() < 2


@pytest.mark.parametrize(("yaw", "degrees"), [(40, 20), (-40, -20), (60, 10)])
def test_no_head_is_turned_so_far_that_its_other_side_is_hidden(yaw: float, degrees: float) -> None:
    bend = Bend(seen(yaw), degrees)
    assert abs(yaw_of(bend.landmarks)) <= max(FURTHEST, abs(yaw)) + 2


@pytest.mark.parametrize(("yaw", "degrees", "turned"), [
    (20, 15, 15), (20, -15, 15), (-20, 15, -15), (-20, -15, -15), (3, -15, -15), (-3, 15, 15)
])  # fmt: skip
def test_a_turned_head_is_turned_on_and_not_back(yaw: float, degrees: float, turned: float) -> None:
    assert away(seen(yaw), degrees) == turned


def test_pixels_go_where_their_landmarks_go() -> None:
    landmarks = seen(0)
    bend = Bend(landmarks, 15)
    back = bend.sources(bend.landmarks)
    assert np.abs(back - landmarks).max() < 6  # neighbours that move otherwise pull a little
    moved = np.abs(bend.landmarks - landmarks).max()
    assert moved > 15
    assert np.abs(back - landmarks).mean() < 0.1 * moved
    corners = np.array([[-300.0, -300], [500, -300], [500, 500], [-300, 500]])
    assert np.abs(bend.sources(corners) - corners).max() < 1


def test_a_turn_by_nothing_leaves_the_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 2)
    where = Bend(seen(5), 0.0).pixels(np.array([[1.0, 0, 0], [0, 1, 0]]), 200)
    same = cv2.remap(picture, where, None, cv2.INTER_CUBIC)
    assert np.abs(same.astype(int) - picture).max() <= 1


def test_training_crops_are_turned_on_request_only(tmp_path) -> None:
    folder = write_drawn_faces(tmp_path, 3, seed=1, size=128)
    face = store_faces(read_manifest(folder), 64)[0]

    def crop(bent: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        settings = AugmentSettings(bent=bent, turn=20)
        return random_crop(face, 64, np.random.default_rng(4), settings)

    plain, turned = crop(0), crop(1)
    assert turned[0].shape == plain[0].shape
    assert turned[2].dtype == bool
    assert abs(yaw_of(turned[1].astype(float)) - yaw_of(plain[1].astype(float))) > 3
    np.testing.assert_array_equal(crop(1)[0], turned[0])
