from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from training.prepare import cleaning
from training.prepare.cleaning import (
    CLEANING,
    black_border,
    difference_hash,
    face_crop,
    focus,
    mask_share,
    masked_odds,
    near_duplicates,
    under_mask,
)
from training.prepare.command import main
from training.prepare.measure import MeasureSettings, measure_chunk
from training.prepare.readers import SourceItem
from uncover.faces import MANIFEST_COLUMNS, draw_face, find_landmarks, read_manifest
from uncover.masking import draw_mask, random_style

FACE = np.ascontiguousarray(astronaut()[:300, 80:380])


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    found = find_landmarks(FACE)
    assert found is not None
    return found


@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_a_black_border_is_seen_on_each_side(edge):
    picture = FACE.copy()
    part = {
        "left": np.s_[:, :30],
        "right": np.s_[:, -30:],
        "top": np.s_[:30],
        "bottom": np.s_[-30:],
    }[edge]
    assert black_border(picture) == 0
    picture[part] = 0
    assert black_border(picture) == pytest.approx(0.1)


def test_a_dark_photo_has_no_border_and_keeps_its_focus(points):
    noise = np.random.default_rng(0).integers(0, 9, FACE.shape)
    dark = (FACE * 0.15 + noise).astype(np.uint8)
    assert black_border(dark) == 0
    assert focus(dark, points) > CLEANING.focus


def test_blur_lowers_focus_below_the_limit(points):
    assert focus(FACE, points) > CLEANING.focus
    assert focus(cv2.GaussianBlur(FACE, (0, 0), 5), points) < CLEANING.focus


def worn(seed: int, points: np.ndarray) -> np.ndarray:
    return draw_mask(FACE, points, random_style(np.random.default_rng(seed), wear="worn"))[0]


def test_masks_are_seen_among_bare_faces(points):
    crops = np.stack([face_crop(each, points) for each in (FACE, worn(1, points), FACE)])
    assert (mask_share(crops) > CLEANING.covered).tolist() == [False, True, False]
    assert (masked_odds(crops) > CLEANING.suspected).tolist() == [False, True, False]
    assert under_mask(crops).tolist() == [False, True, False]
    assert under_mask(crops[:0]).tolist() == []


@pytest.mark.parametrize("erring", ["mask_share", "masked_odds"])
def test_a_network_that_errs_on_a_bare_face_is_not_believed_alone(points, monkeypatch, erring):
    monkeypatch.setattr(cleaning, erring, lambda crops: np.full(len(crops), 0.9))
    assert not under_mask(face_crop(FACE, points)[None]).any()


def test_of_a_chunk_the_masked_one_is_left_out(points, tmp_path):
    pictures = {"a.png": FACE, "b.png": np.zeros_like(FACE), "c.png": worn(1, points)}
    for name, picture in (pictures | {"d.png": FACE}).items():
        Image.fromarray(picture).save(tmp_path / name)
    items = [SourceItem(f"{name}.png", ethnicity="white") for name in "abcd"]
    done = measure_chunk(tmp_path, items, MeasureSettings())
    assert [row[MANIFEST_COLUMNS.index("path")] for row in done.rows] == ["a.png", "d.png"]
    assert len(done.hashes) == 2
    assert [f[:3] for f in done.failures] == [
        ["b.png", "no face found", "white"],
        ["c.png", "under a mask", "white"],
    ]
    assert abs(float(done.failures[1][3])) < 90
    kept = measure_chunk(tmp_path, items[2:3], MeasureSettings(clean=False))
    assert len(kept.rows) == 1


def test_hashes_forgive_compression_and_tell_faces_apart():
    def apart(a: np.ndarray, b: np.ndarray) -> int:
        pair = [np.frombuffer(difference_hash(x), np.uint8) for x in (a, b)]
        return int(np.bitwise_count(pair[0] ^ pair[1]).sum())

    _, data = cv2.imencode(".jpg", FACE, [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert apart(FACE, cv2.imdecode(data, cv2.IMREAD_COLOR)) <= CLEANING.alike
    assert apart(draw_face(1, 200).image, draw_face(2, 200, yaw=30).image) > CLEANING.alike


def test_of_two_alike_the_lower_rank_stays_and_other_sets_come_first():
    random = np.random.default_rng(0).integers(0, 256, (4, 32), dtype=np.uint8)
    hashes = random[[0, 1, 0, 2]]
    none = np.empty((0, 32), np.uint8)
    assert near_duplicates(hashes, np.array([2, 2, 0, 2]), none).tolist() == [2, -1, -1, -1]
    assert near_duplicates(hashes, np.array([2, 2, 2, 2]), none).tolist() == [-1, -1, 0, -1]
    assert near_duplicates(hashes, np.array([2, 2, 0, 2]), random[1:2]).tolist() == [2, 4, -1, -1]


def test_what_is_left_out_is_counted_by_slice_and_across_sets(tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first / "test", second / "train"):
        folder.mkdir(parents=True)
    Image.fromarray(FACE).save(first / "test" / "36_1_0_1.png")
    Image.fromarray(FACE).save(second / "train" / "36_1_0_2.jpg", quality=80)
    Image.fromarray(cv2.GaussianBlur(FACE, (0, 0), 4)).save(second / "train" / "36_1_3_3.png")
    Image.fromarray(draw_face(1, 200).image).save(second / "train" / "40_0_2_4.png")
    for name, more in (("first", []), ("second", ["--against", str(tmp_path / "out-first")])):
        out = str(tmp_path / f"out-{name}")
        arguments = [str(tmp_path / name), "--format", "utkface", "--out", out, "--workers", "1"]
        assert main([*arguments, *more]) == 0
    with (tmp_path / "out-second" / "failed.csv").open() as stream:
        reasons = {row["path"]: row["reason"] for row in csv.DictReader(stream)}
    assert reasons == {
        "train/36_1_0_2.jpg": "near-duplicate: of out-first/test/36_1_0_1.png",
        "train/36_1_3_3.png": "hopelessly blurred",
    }
    assert [r.path for r in read_manifest(tmp_path / "out-second")] == ["train/40_0_2_4.png"]
    with (tmp_path / "out-second" / "left_out.csv").open() as stream:
        rows = [tuple(row.values()) for row in csv.DictReader(stream)]
    assert ("hopelessly blurred", "ethnicity", "indian", "1", "1") in rows
    assert ("near-duplicate", "ethnicity", "white", "1", "1") in rows
    assert "left out, %" in capsys.readouterr().out


def test_an_unprepared_folder_to_compare_with_is_told_first(tmp_path, capsys):
    Image.fromarray(FACE).save(tmp_path / "36_1_0_1.png")
    arguments = [str(tmp_path), "--format", "folder", "--out", str(tmp_path / "out")]
    assert main([*arguments, "--against", str(tmp_path / "nowhere")]) == 1
    assert "hashes.csv is not there" in capsys.readouterr().err
