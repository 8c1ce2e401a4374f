from __future__ import annotations

import csv
import hashlib

import numpy as np
import pytest
from PIL import Image

from uncover.errors import UncoverError
from uncover.faces.drawn import ETHNICITIES, draw_face, write_drawn_faces
from uncover.faces.landmarks import find_landmarks, five_points, head_pose
from uncover.faces.manifest import read_info, read_manifest


def test_a_seed_is_a_face():
    one, again, other = draw_face(3), draw_face(3), draw_face(4)
    assert one.image.shape == (256, 256, 3)
    assert one.image.dtype == np.uint8
    assert one.landmarks.dtype == np.float32
    np.testing.assert_array_equal(one.image, again.image)
    np.testing.assert_array_equal(one.landmarks, again.landmarks)
    assert np.abs(one.image.astype(int) - other.image).mean() > 5


def test_faces_vary_and_stay_in_the_picture():
    faces = [draw_face(seed, 64) for seed in range(24)]
    assert {face.ethnicity for face in faces} == set(ETHNICITIES)
    assert {face.gender for face in faces} == {"female", "male"}
    yaws = np.array([face.yaw for face in faces])
    assert yaws.min() < -20
    assert yaws.max() > 20
    assert np.abs(yaws).max() <= 45
    for face in faces:
        assert face.landmarks.shape == (68, 2)
        assert face.landmarks.min() > 0
        assert face.landmarks.max() < 63


@pytest.mark.parametrize("seed", range(6))
def test_landmarks_lie_where_dlib_sees_them(seed):
    face = draw_face(seed, yaw=10.0 * (seed - 2.5))
    found = find_landmarks(face.image)
    assert found is not None
    error = np.linalg.norm(five_points(found) - five_points(face.landmarks), axis=1)
    assert np.median(error) < 6


@pytest.mark.parametrize("yaw", [-60, -25, 0, 40])
def test_pose_of_the_landmarks_is_the_pose_drawn(yaw):
    face = draw_face(11, yaw=yaw)
    assert face.yaw == yaw
    found = head_pose(face.landmarks, 256, 256)
    assert found[0] == pytest.approx(face.yaw, abs=5)
    assert found[1] == pytest.approx(face.pitch, abs=8)
    assert found[2] == pytest.approx(face.roll, abs=5)


def test_labels_darken_the_skin():
    tones: dict[str, list[float]] = {}
    for seed in range(24):
        face = draw_face(seed, 96)
        x, y = face.landmarks[[2, 31]].mean(axis=0).astype(int)
        tones.setdefault(face.ethnicity, []).append(face.image[y - 2 : y + 3, x - 2 : x + 3].mean())
    assert np.mean(tones["black"]) < np.mean(tones["indian"]) < np.mean(tones["white"])


@pytest.mark.parametrize(("arguments", "message"), [((0, 31), "32 pixels"), ((0, 64, 61.0), "60")])
def test_out_of_range(arguments, message):
    with pytest.raises(UncoverError, match=message):
        draw_face(*arguments)


def test_written_faces_are_a_prepared_data_set(tmp_path):
    folder = write_drawn_faces(tmp_path / "drawn", 6, seed=20, size=64)
    records = read_manifest(folder)
    assert [record.split for record in records] == ["train", "val", "test", *["train"] * 3]
    assert [record.path for record in read_manifest(folder, "test")] == ["test/000022.png"]
    assert read_info(folder)["pose"] == "given"
    face = draw_face(22, 64)
    record = records[2]
    np.testing.assert_array_equal(np.asarray(Image.open(record.file)), face.image)
    np.testing.assert_allclose(record.landmarks, face.landmarks, atol=0.051)
    assert record.yaw == pytest.approx(face.yaw, abs=0.051)
    assert (record.width, record.height) == (64, 64)
    assert record.sha256 == hashlib.sha256(record.file.read_bytes()).hexdigest()
    with (folder / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["path", "split", "ethnicity", "gender", "yaw", "pitch", "roll"]
    assert rows[2]["ethnicity"] == face.ethnicity
    moved = folder.rename(tmp_path / "moved")
    assert read_manifest(moved)[0].file.is_file()


def test_writing_twice_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_drawn_faces(tmp_path / name, 3, size=32)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 7
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_cannot_write(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UncoverError, match="cannot write to"):
        write_drawn_faces(tmp_path / "file" / "x", 1)
    with pytest.raises(UncoverError, match="at least 1"):
        write_drawn_faces(tmp_path / "x", 0)
