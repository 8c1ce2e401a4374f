"""Points of heads in profile: a mean face turned to six marks, or nothing where looks differ."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut

from uncover.faces import profile
from uncover.faces.landmarks import find_landmarks
from uncover.faces.mean_face import FACE_68, rotation_from_pose
from uncover.faces.mesh import Found, Square
from uncover.faces.profile import SIX, profile_points, turned_mean_face

PHOTO = np.full((200, 200, 3), 90, np.uint8)
BOX = Square(np.array([100.0, 100.0]), 110.0)


def posed(points: np.ndarray, yaw: float, pitch: float = 5, roll: float = 12) -> np.ndarray:
    return (points @ rotation_from_pose(yaw, pitch, roll).T)[:, :2] * 40 + [105, 95]


@pytest.mark.parametrize("yaw", [-90, -75, -50, 0, 35, 60, 85])
def test_a_known_face_comes_back_from_its_six_marks(yaw):
    found, scale, misfit, points = turned_mean_face(posed(SIX, yaw))
    assert found == pytest.approx(yaw, abs=6)
    assert scale == pytest.approx(40, rel=0.05)
    assert misfit < 0.05
    assert np.linalg.norm(points - posed(FACE_68, yaw), axis=1).max() < 6


def test_marks_that_are_off_a_little_do_not_turn_the_face_round():
    rng = np.random.default_rng(0)
    for _ in range(20):
        found, _, _, points = turned_mean_face(posed(SIX, 80) + rng.normal(0, 4, (6, 2)))
        assert 50 < found <= 90
        assert np.median(np.linalg.norm(points - posed(FACE_68, 80), axis=1)) < 12


def looks(monkeypatch: pytest.MonkeyPatch, yaws: list[float]) -> None:
    """BlazeFace marks a head turned by one of these after the other, mirrored in the last two."""
    turns = iter(yaws)

    def find(image: np.ndarray, window: Square, least: float) -> list[Found]:
        turn = next(turns)
        marks = posed(SIX, turn)
        if window.centre[0] != 100:
            marks = marks[[1, 0, 2, 3, 5, 4]] * (-1, 1) + (199, 0)
        return [Found(Square(window.centre, 110.0), 0.7, marks)]

    monkeypatch.setattr(profile, "find_faces", find)


def test_looks_that_agree_give_points_and_others_do_not(monkeypatch):
    box = Found(Square(np.array([100.0, 100.0]), 110.0), 0.7, posed(SIX, 75))
    looks(monkeypatch, [75, 75, 75, 75])
    points = profile_points(PHOTO, box)
    assert points is not None
    assert np.linalg.norm(points - posed(FACE_68, 75), axis=1).max() < 6
    looks(monkeypatch, [75, 75, -75, 75])
    assert profile_points(PHOTO, box) is None
    looks(monkeypatch, [10, 10, 10, 10])
    assert profile_points(PHOTO, box) is None  # the mesh fails there for another reason


def test_only_a_search_that_knows_of_a_face_takes_a_profile(monkeypatch):
    from uncover.faces import landmarks

    monkeypatch.setattr(landmarks, "best_points", lambda *_: (np.zeros((68, 2)), 0.1))
    monkeypatch.setattr(landmarks, "profile_points", lambda *_: posed(FACE_68, 80))
    photo = astronaut()[:256, 100:356]
    assert find_landmarks(photo) is None
    points = find_landmarks(photo, tolerant=True)
    assert points is not None
    np.testing.assert_allclose(points, posed(FACE_68, 80), atol=1e-3)
