"""Masks on real photos by agreement: what agrees is kept, what does not is left out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.data.coco import is_held_out
from training.pseudo import command as pseudo
from training.pseudo.command import (
    doubtful,
    label_folder,
    label_photo,
    look_again,
    read_real_masks,
    solid,
)
from uncover.crop.geometry import TEMPLATE_5, FaceCrop
from uncover.errors import UncoverError
from uncover.networks.detections import Detections
from uncover.networks.segmentation import Segmentation, SegmenterConfig

BOX = np.float32([[60, 40, 140, 150]])
BLUE = (60, 60, 230)


class Detector:
    def detect(self, images, min_score=0.0):
        return [Detections(BOX, ["with_mask"], np.float32([0.95])) for _ in images]


class Segmenter:
    """Takes what is blue for mask, and its place for the face's; or answers at random."""

    config = SegmenterConfig(resolution=128)

    def __init__(self, sure=True):
        self.sure, self.rng = sure, np.random.default_rng(0)

    def segment(self, crops):
        planes, points = [], []
        for crop in crops:
            blue = (crop[..., 2].astype(int) - crop[..., 0]) > 80
            rows, columns = np.nonzero(blue)
            middle = np.array([columns.mean(), rows.mean()])
            unit = np.sqrt(blue.sum()) / 0.5
            points.append(middle + (TEMPLATE_5 - (0.5, 0.65)) * unit)
            noise = self.rng.random(blue.shape) < 0.5
            planes.append(blue if self.sure else noise)
        return Segmentation(np.float32(planes), np.float32(points).reshape(-1, 5, 2))


@pytest.fixture
def photo():
    image = np.full((200, 200, 3), 190, np.uint8)
    cv2.rectangle(image, (75, 95), (125, 140), BLUE, -1)
    return image


def test_looks_are_brought_back_to_one_frame(photo):
    crop = FaceCrop.from_box(BOX[0], 128)
    looks = look_again(Segmenter(), photo, crop)
    truth = crop.extract(photo)[..., 2] > 210
    mask = looks.probability >= 0.5
    assert (mask & truth).sum() / (mask | truth).sum() > 0.93
    assert looks.overlap > 0.9
    assert looks.spread < 0.05


def test_what_agrees_is_kept_and_what_does_not_is_not(photo):
    kept = list(label_photo(photo, Detector(), Segmenter(), max_spread=0.1))
    assert len(kept) == 1
    face = kept[0]
    blue = (face.image[..., 2].astype(int) - face.image[..., 0]) > 80
    assert (face.mask & blue & face.known).sum() / (blue & face.known).sum() > 0.9
    assert not (face.mask & ~face.known).any()
    assert list(label_photo(photo, Detector(), Segmenter(sure=False), max_spread=0.1)) == []


def test_a_folder_comes_back_as_it_was_written(photo, tmp_path, monkeypatch):
    source = tmp_path / "photos"
    source.mkdir()
    names = [f"{i}.png" for i in range(4)]
    for name in names:
        cv2.imwrite(str(source / name), photo[..., ::-1])
    monkeypatch.setattr(pseudo, "label_photo", lambda p, d, s: label_photo(p, d, s, max_spread=0.1))
    kept = label_folder(source, tmp_path / "out", Detector(), Segmenter(), held_out=0.4)
    assert kept == sum(not is_held_out(name, 0.4) for name in names)
    faces = read_real_masks(tmp_path / "out")
    assert len(faces) == kept
    assert faces[0].image.shape == (pseudo.SIDE, pseudo.SIDE, 3)
    assert faces[0].mask.any()
    assert faces[0].points.shape == (5, 2)


def test_nothing_usable_and_broken_folders_are_errors(tmp_path):
    assert read_real_masks(tmp_path) == []
    with pytest.raises(UncoverError, match="no face"):
        label_folder(tmp_path, tmp_path / "out", Detector(), Segmenter())
    (tmp_path / pseudo.INDEX).write_text('[{"file": "gone.png", "points": []}]')
    with pytest.raises(UncoverError, match="broken"):
        read_real_masks(tmp_path)


def test_solid_fills_holes_and_drops_specks():
    mask = np.zeros((80, 80), bool)
    mask[20:60, 20:60] = True
    mask[35:40, 35:40] = False
    mask[5:8, 5:8] = True
    clean = solid(mask)
    assert clean[37, 37]
    assert not clean[6, 6]
    assert not solid(np.zeros((80, 80), bool)).any()


def test_a_strap_that_is_half_seen_is_in_doubt_and_edge_and_collar_are_not():
    mask = np.zeros((80, 80), bool)
    mask[30:70, 20:60] = True
    probability = mask * np.float32(0.9)
    probability[30:70, 60:62] = 0.3  # the soft edge
    probability[28:32, 62:78] = 0.3  # a strap
    probability[5:9, 5:9] = 0.7  # a piece that `solid` leaves out
    probability[62:80, 0:16] = 0.3  # a collar
    doubt = doubtful(probability, mask)
    assert doubt[29, 70]
    assert doubt[7, 7]
    assert not doubt[50, 60:].any()
    assert not doubt[mask].any()
    assert not doubt[67:76, 3:11].any()


def test_an_outline_made_by_hand_is_the_truth(photo, tmp_path):
    source, outlines = tmp_path / "photos", tmp_path / "outlines"
    for folder in (source, outlines):
        folder.mkdir()
    outline = np.zeros(photo.shape[:2], np.uint8)
    outline[100:120, 80:120] = 255
    outline[125:135, 80:120] = 128
    cv2.imwrite(str(source / "a.png"), photo[..., ::-1])
    cv2.imwrite(str(outlines / "a.png"), outline)
    unsure = Segmenter(sure=False)
    assert label_folder(source, tmp_path / "out", Detector(), unsure, 0.0, outlines) == 1
    (face,) = read_real_masks(tmp_path / "out")
    blue = (face.image[..., 2].astype(int) - face.image[..., 0]) > 80
    assert not (face.mask & ~blue).any()
    assert face.mask.sum() / blue.sum() == pytest.approx(20 * 41 / (46 * 51), abs=0.03)
    assert (blue & ~face.known).sum() / blue.sum() == pytest.approx(10 * 41 / (46 * 51), abs=0.03)


def test_an_outline_of_another_size_is_refused(photo, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), photo[..., ::-1])
    (tmp_path / "outlines").mkdir()
    cv2.imwrite(str(tmp_path / "outlines" / "a.png"), np.zeros((10, 20), np.uint8))
    with pytest.raises(UncoverError, match="200 x 200 pixels"):
        label_folder(
            tmp_path, tmp_path / "out", Detector(), Segmenter(), 0.0, tmp_path / "outlines"
        )
