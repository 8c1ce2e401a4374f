"""Smile, open mouth and beard, measured on drawn faces."""

from __future__ import annotations

import numpy as np
import pytest

from uncover.faces import FACE_68, look_of
from uncover.faces.look import raw_look

SIDE = 200


@pytest.fixture
def points() -> np.ndarray:
    """68 landmarks of a plain frontal face, in pixels."""
    flat = FACE_68[:, :2] - FACE_68[:, :2].mean(0)
    return flat / np.ptp(flat[:, 0]) * 110 + (SIDE / 2, SIDE / 2)


@pytest.fixture
def skin() -> np.ndarray:
    return np.full((SIDE, SIDE, 3), 180, np.uint8)


def test_lifted_corners_smile_more(skin: np.ndarray, points: np.ndarray) -> None:
    smiling = points.copy()
    smiling[[48, 54], 1] -= 6
    smiling[48, 0] -= 6
    smiling[54, 0] += 6
    assert look_of(skin, smiling)[0] > look_of(skin, points)[0]


def test_parted_lips_are_open(skin: np.ndarray, points: np.ndarray) -> None:
    closed, parted = points.copy(), points.copy()
    closed[[61, 62, 63], 1] = closed[[67, 66, 65], 1]
    parted[[67, 66, 65], 1] = parted[[61, 62, 63], 1] + 12
    assert look_of(skin, closed)[1] == 0
    assert look_of(skin, parted)[1] > 0.5


def test_a_dark_chin_and_lip_are_a_beard(skin: np.ndarray, points: np.ndarray) -> None:
    bearded = skin.copy()
    bearded[int(points[33, 1]) :] = 60
    cheeks = int(min(points[48, 1], points[54, 1]))
    bearded[: int((points[41, 1] + cheeks) / 2) + 12] = 180
    assert look_of(skin, points)[2] == 0
    assert look_of(bearded, points)[2] > look_of(skin, points)[2]


def test_measures_do_not_change_with_size_and_roll(skin: np.ndarray, points: np.ndarray) -> None:
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = points.mean(0)
    rolled = (points - centre) @ turn.T * 0.8 + centre
    assert np.allclose(raw_look(skin, points), raw_look(skin, rolled), atol=1e-6)


def test_what_lies_outside_the_photo_is_not_known(skin: np.ndarray, points: np.ndarray) -> None:
    tight = points + np.array([0, SIDE - points[8, 1] + 60])
    look = look_of(skin, tight)
    assert np.isnan(look[2])
    assert np.isfinite(look[:2]).all()
