import cv2
import numpy as np
import pytest

from benchmark.metrics.edge import edge, jaw_profiles, steepest_step
from uncover.faces import draw_face

SIZE = 200


def drawn_jaw() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A disc of 160 on 40, landmarks on its rim, and a hole over its lower half."""
    picture = np.full((SIZE, SIZE, 3), 40, np.uint8)
    cv2.circle(picture, (100, 90), 70, (160, 160, 160), -1)
    points = np.asarray(draw_face(0, SIZE).landmarks, np.float32).copy()
    angles = np.linspace(np.pi, 0, 17)
    points[:17] = np.stack([100 + 70 * np.cos(angles), 90 + 70 * np.sin(angles)], 1)
    hole = np.zeros((SIZE, SIZE), bool)
    hole[100:] = True
    return picture, points, hole


def test_identical_pictures_give_one_and_a_soft_jaw_less():
    picture, points, hole = drawn_jaw()
    assert edge(picture, picture, hole, points) == 1.0
    soft = cv2.GaussianBlur(picture, (0, 0), 4)
    assert edge(soft, picture, hole, points) < 0.4


def test_the_step_of_a_disc_is_the_difference_of_its_colours():
    picture, points, hole = drawn_jaw()
    profiles = jaw_profiles(points, hole)
    assert len(profiles) > 100
    assert steepest_step(picture, profiles) == pytest.approx(120, abs=25)


def test_no_jaw_in_the_hole_gives_no_value():
    picture, points, _ = drawn_jaw()
    assert np.isnan(edge(picture, picture, np.zeros((SIZE, SIZE), bool), points))
    assert np.isnan(edge(picture, picture, np.ones((SIZE, SIZE), bool), None))
