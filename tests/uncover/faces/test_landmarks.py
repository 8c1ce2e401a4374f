from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut

from uncover.errors import ImageError, UncoverError
from uncover.faces import mesh
from uncover.faces.drawn import draw_face
from uncover.faces.landmarks import (
    estimated_pose,
    find_all_landmarks,
    find_landmarks,
    five_points,
    head_pose,
)
from uncover.faces.mean_face import FACE_68, MIRROR_68, pose_from_rotation, rotation_from_pose


def seen(yaw: float, pitch: float, roll: float, distance: float = 20.0) -> np.ndarray:
    """The mean face in a pose, as a pinhole camera in front of it sees it: (68, 2) pixels."""
    points = FACE_68 @ rotation_from_pose(yaw, pitch, roll).T
    flat = points[:, :2] * (distance / (distance + points[:, 2:]))
    return flat * 40 + [130.0, 120.0]


def test_astronaut_has_landmarks_where_her_face_is():
    image = astronaut()
    points = find_landmarks(image)
    assert points is not None
    assert points.dtype == np.float32
    assert points.shape == (68, 2)
    left, right, nose, mouth_left, mouth_right = five_points(points)
    np.testing.assert_allclose(left, [203, 101], atol=6)
    np.testing.assert_allclose(right, [247, 104], atol=6)
    np.testing.assert_allclose(nose, [225, 127], atol=6)
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert mouth_left[1] > nose[1]
    yaw, _, roll = head_pose(points, 512, 512)
    assert abs(yaw) < 12
    assert -1 < roll < 8  # her eyes sink a little to image right


def test_turning_the_photo_turns_the_roll():
    image = astronaut()[:400]
    mirrored = find_landmarks(np.ascontiguousarray(image[:, ::-1]))
    points = find_landmarks(image)
    assert points is not None
    assert mirrored is not None
    expected, found = head_pose(points, 512, 400), head_pose(mirrored, 512, 400)
    assert found[0] == pytest.approx(-expected[0], abs=4)
    assert found[1] == pytest.approx(expected[1], abs=4)
    assert found[2] == pytest.approx(-expected[2], abs=4)


def test_the_large_central_face_comes_first_and_small_ones_are_left_out():
    face = astronaut()[:256, 100:356]
    big = np.repeat(np.repeat(face, 2, axis=0), 2, axis=1)
    canvas = np.full((640, 1000, 3), 128, np.uint8)
    canvas[60:572, 300:812] = big
    canvas[380:636, 20:276] = face
    canvas[0:64, 900:964] = face[::4, ::4]
    found = find_all_landmarks(canvas)
    assert len(found) == 2
    assert 300 < found[0][:, 0].mean() < 812
    assert found[1][:, 0].mean() < 276
    np.testing.assert_array_equal(find_landmarks(canvas), found[0])


def test_big_photos_are_searched_shrunk_and_answered_in_their_own_pixels():
    image = astronaut()
    big = np.repeat(np.repeat(image, 4, axis=0), 4, axis=1)
    small, large = find_landmarks(image), find_landmarks(big)
    assert small is not None
    assert large is not None
    assert np.abs(large / 4 - small).mean() < 3


def test_noise_is_no_face_for_a_tolerant_search():
    noise = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    assert find_landmarks(noise, tolerant=True) is None


@pytest.mark.parametrize("shape", [(200, 200, 3), (39, 39, 3), (1, 1, 3)])
def test_no_face(shape):
    assert find_landmarks(np.full(shape, 127, np.uint8)) is None


@pytest.mark.parametrize(
    "image",
    [np.zeros((50, 50), np.uint8), np.zeros((50, 50, 4), np.uint8), np.zeros((50, 50, 3))],
)
def test_not_an_rgb_image(image):
    with pytest.raises(ImageError, match="uint8 RGB"):
        find_landmarks(image)


def test_threads_agree():
    image = astronaut()[:300, 100:400]
    expected = find_landmarks(image)
    found: list[np.ndarray | None] = []
    threads = [threading.Thread(target=lambda: found.append(find_landmarks(image))) for _ in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    for points in found:
        np.testing.assert_array_equal(points, expected)


@pytest.mark.parametrize("yaw", [-50, 50])
def test_a_turned_head_is_found_where_it_is_drawn(yaw):
    face = draw_face(3, 224, yaw=yaw)
    points = find_landmarks(face.image, tolerant=True)
    assert points is not None
    assert np.median(np.linalg.norm(points - face.landmarks, axis=1)) < 16
    found = estimated_pose(points, 224, 224)[0]
    assert np.sign(found) == np.sign(yaw)
    assert abs(found) > 25


def test_a_face_that_touches_every_edge_is_found():
    points = find_landmarks(astronaut())
    assert points is not None
    low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int)
    tight = np.ascontiguousarray(astronaut()[low[1] : high[1], low[0] : high[0]])
    again = find_landmarks(tight, tolerant=True)
    assert again is not None
    assert np.median(np.linalg.norm(again + low - points, axis=1)) < 4


def test_found_yaw_is_stretched_and_stays_within_a_quarter_turn():
    points = seen(30, 5, 4)
    plain, found = head_pose(points, 260, 240), estimated_pose(points, 260, 240)
    assert found[1:] == plain[1:]
    assert 1.08 * 30 - 3 < found[0] < 42
    assert abs(estimated_pose(seen(-70, 0, 0), 260, 240)[0]) <= 90


def test_a_missing_network_is_said(monkeypatch):
    monkeypatch.setattr(mesh, "MODELS", Path("/nowhere"))
    mesh._networks.cache_clear()
    with pytest.raises(UncoverError, match="install uncover anew"):
        find_landmarks(astronaut())
    monkeypatch.undo()
    mesh._networks.cache_clear()


@pytest.mark.parametrize("yaw", [-55, -30, -10, 0, 20, 45])
@pytest.mark.parametrize("pitch", [-15, 0, 20])
@pytest.mark.parametrize("distance", [10.0, 20.0, 60.0])
def test_known_pose_comes_back(yaw, pitch, distance):
    rng = np.random.default_rng(0)
    points = seen(yaw, pitch, 8, distance) + rng.normal(0, 0.5, (68, 2))
    found = head_pose(points, 260, 240)
    assert found[0] == pytest.approx(yaw, abs=5)
    assert found[1] == pytest.approx(pitch, abs=7)
    assert found[2] == pytest.approx(8, abs=5)


def test_pose_signs_are_what_a_viewer_sees():
    front = seen(0, 0, 0)
    assert seen(30, 0, 0)[30, 0] > front[30, 0]  # nose to image right
    assert seen(0, 20, 0)[30, 1] > front[30, 1]  # nose down
    tilted = five_points(seen(0, 0, 15))
    assert tilted[1, 1] > tilted[0, 1]  # the eye on image right sinks


def test_pose_of_the_mirror_image_is_mirrored():
    points = seen(25, 5, -6)
    mirrored = points[MIRROR_68] * [-1, 1] + [260, 0]
    yaw, pitch, roll = head_pose(points, 260, 240)
    assert head_pose(mirrored, 260, 240) == pytest.approx((-yaw, pitch, -roll), abs=0.2)


def test_rotation_and_pose_are_inverse():
    rotation = rotation_from_pose(40, -12, 25)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert pose_from_rotation(rotation) == pytest.approx((40, -12, 25))


def test_mean_face_is_symmetric():
    np.testing.assert_allclose(FACE_68, FACE_68[MIRROR_68] * [-1, 1, 1], atol=1e-9)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((5, 2)), "68 finite"),
        (np.full((68, 2), np.nan), "68 finite"),
        (np.full((68, 2), 50.0), "one place"),
        (seen(0, 0, 0) + 1000, "outside the 260x240"),
    ],
)
def test_bad_landmarks_for_a_pose(points, message):
    with pytest.raises(ValueError, match=message):
        head_pose(points, 260, 240)


def test_five_points_needs_68():
    with pytest.raises(ValueError, match="68 finite"):
        five_points(np.zeros((5, 2)))
