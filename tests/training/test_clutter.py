"""What a detector takes for faces: kept with an empty mask, and no labelled face among it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.training.drawn_scenes import write_drawn_scenes
from training import clutter
from training.clutter import POINTS, in_photos, in_textures
from training.coco import find_labelled_sets, is_held_out
from training.masked_crops import CropSettings, make_real_crop
from training.presence_examples import HELD_OUT
from training.pseudo import read_real_masks
from uncover.drawn import draw_face, write_drawn_faces
from uncover.geometry import TEMPLATE_5, FaceCrop


class Finder:
    """Finds the drawn face of a photo, two empty corners, one of them surely, and a speck."""

    def eval(self):
        return self

    def detect(self, images):
        light = np.abs(images[0].astype(int) - images[0][0, -1]).sum(-1) > 60
        rows, columns = np.flatnonzero(light.any(1)), np.flatnonzero(light.any(0))
        face = [columns[0], rows[0], columns[-1], rows[-1]]
        boxes = np.array([face, [0, 0, 30, 30], [98, 0, 127, 30], [0, 0, 5, 5]], float)
        return [SimpleNamespace(boxes=boxes, scores=np.array([0.9, 0.4, 0.8, 0.45]))]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    root = tmp_path_factory.mktemp("scenes")
    write_drawn_scenes(root, "train", 12)
    write_drawn_faces(root / "faces", 3, seed=3, size=96)
    return root


def test_labelled_faces_and_sure_finds_are_left_out(scenes):
    (labelled,) = find_labelled_sets(scenes)
    found = list(in_photos(labelled.photos, Finder()))
    apart = [p for p in labelled.photos if is_held_out(p.file.name, HELD_OUT)]
    assert 0 < len(found) <= len(labelled.photos) - len(apart)
    assert {box for _, box in found} == {(0.0, 0.0, 30.0, 30.0)}


def test_every_second_texture_has_a_mask_that_nobody_wears():
    records = [SimpleNamespace(landmarks=draw_face(i, 96).landmarks) for i in range(4)]
    nothing = SimpleNamespace(
        detect=lambda images: [SimpleNamespace(boxes=np.zeros((0, 4)), scores=np.zeros(0))]
    )
    found = list(in_textures(records, nothing, np.random.default_rng(0)))
    assert len(found) == 2
    for picture, (x0, y0, x1, y1) in found:
        assert picture.dtype == np.uint8
        assert x1 - x0 > 20
        assert y1 - y0 > 20


def test_command_writes_what_the_segmenter_trains_on(scenes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("uncover.weights.load_component", lambda folder, name: Finder())
    line = ["--data", str(scenes), "--detector", "any", "--out", str(tmp_path / "out")]
    assert clutter.main([*line, "--textures", "2"]) == 0
    assert "finds that are no face" in capsys.readouterr().out
    finds = read_real_masks(tmp_path / "out")
    assert len(finds) > 8
    for find in finds:
        assert not find.mask.any()
        assert find.known.all()
        np.testing.assert_allclose(find.points, POINTS, atol=0.01)
    settings = CropSettings(rough=0, near_shift=0, near_scale=1, near_roll=0)
    crop = make_real_crop(finds[0], 64, settings, np.random.default_rng(0))
    assert not crop.mask.any()
    np.testing.assert_allclose(crop.points, TEMPLATE_5, atol=0.02)


def test_a_find_is_framed_as_a_face_would_be(scenes, tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (300, 300, 3), dtype=np.uint8)
    box = (100.0, 80.0, 180.0, 190.0)
    assert clutter.write(iter([(picture, box)]), tmp_path) == 1
    (find,) = read_real_masks(tmp_path)
    inner = FaceCrop.from_box(box, round(clutter.MARGIN * clutter.SIDE))
    margin = (clutter.SIDE - inner.size) // 2
    middle = find.image[margin:-margin, margin:-margin]
    assert np.abs(middle.astype(int) - inner.extract(picture)).mean() < 2


def test_one_line_when_nothing_is_found(tmp_path, capsys):
    assert clutter.main(["--data", str(tmp_path / "no"), "--detector", "x", "--out", "y"]) == 1
    assert "no such folder" in capsys.readouterr().err
