"""The layer that says whether a crop shows a face, and how it is learned."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.training.drawn_scenes import write_drawn_scenes
from training.data.coco import LabelledPhoto
from training.presence import examples as presence_examples
from training.presence import fit as presence
from training.presence.examples import Example, empty_place, from_textures, judge
from training.presence.fit import fit
from uncover.errors import UncoverError
from uncover.faces.drawn import draw_face, write_drawn_faces
from uncover.networks.detector import DetectorConfig, MaskDetector
from uncover.networks.segmenter import MaskSegmenter, SegmenterConfig
from uncover.weights.components import load_component, save_component
from uncover.weights.config import read_config

SEER = SegmenterConfig(resolution=64, widths=(8, 12), detail_width=4)


@pytest.mark.parametrize(
    ("box", "score", "expected"),
    [
        ((10, 10, 110, 130), 0.3, True),
        ((60, 10, 160, 130), 0.9, None),  # half on the face
        ((200, 10, 240, 60), 0.9, None),  # small and sure: somebody whom nobody labelled
        ((200, 10, 240, 60), 0.3, False),
        ((200, 10, 290, 130), 0.9, False),
    ],
)
def test_finds_are_judged_by_the_labels(tmp_path, box, score, expected):
    photo = LabelledPhoto(tmp_path / "a.jpg", np.float32([[8, 12, 112, 128]]), np.array([1]))
    assert judge(box, score, photo) is expected


def test_an_empty_place_shows_next_to_nothing_of_the_face():
    rng = np.random.default_rng(0)
    face = (200.0, 100.0, 300.0, 230.0)
    places = [empty_place((512, 512), face, rng) for _ in range(50)]
    assert sum(place is not None for place in places) > 40
    for x0, y0, x1, y1 in filter(None, places):
        wide = max(0.0, min(x1, face[2]) - max(x0, face[0]))
        high = max(0.0, min(y1, face[3]) - max(y0, face[1]))
        assert wide * high < 0.12 * (x1 - x0) ** 2
        assert y1 - y0 == pytest.approx(1.28 * (x1 - x0))
    assert empty_place((60, 60), (-100.0, -100.0, 300.0, 300.0), rng) is None


def examples(count, shift, rng):
    """Two clouds of features, `shift` apart; every fifth example is held out."""
    for i in range(count):
        face = bool(i % 2)
        row = rng.normal(size=12).astype(np.float32) + shift * face
        yield Example(row, face, score=0.5, held_out=i % 10 < 2)


def test_fit_tells_two_clouds_apart_and_gives_up_the_share_it_may():
    found = fit(list(examples(1000, 1.2, np.random.default_rng(1))), lost=0.05)
    assert found.faces == found.false == 100
    assert found.lost == pytest.approx(0.05, abs=0.011)
    assert found.removed > 0.9
    blind = fit(list(examples(1000, 0.0, np.random.default_rng(1))), lost=0.05)
    assert blind.removed < 0.25


def test_fit_needs_both_kinds_and_faces_to_choose_by():
    rows = list(examples(100, 1.0, np.random.default_rng(2)))
    for part in (
        [e for e in rows if e.face],
        [e for e in rows if not e.face],
        [e for e in rows if not e.held_out],
        [replace(e, score=0.4) for e in rows],  # the detector is sure of none
    ):
        with pytest.raises(UncoverError, match="there must be faces"):
            fit(part, lost=0.01)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("base")
    save_component(folder, "segmenter", MaskSegmenter(SEER), SEER, training={"images": 7})
    finder = DetectorConfig(
        pyramid_channels=16, head_channels=16, proposals=20, shorter_side=96, longer_side=128
    )
    save_component(folder, "detector", MaskDetector(finder), finder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    write_drawn_scenes(root, "train", 12)
    write_drawn_faces(root / "faces", 6, seed=3, size=96)
    return root


class Finder:
    """Finds the drawn face of a photo, and the empty upper left corner."""

    def eval(self):
        return self

    def detect(self, images):
        light = np.abs(images[0].astype(int) - images[0][0, -1]).sum(-1) > 60
        rows, columns = np.flatnonzero(light.any(1)), np.flatnonzero(light.any(0))
        face = [columns[0], rows[0], columns[-1], rows[-1]]
        boxes = np.array([face, [0, 0, 30, 30], [0, 0, 5, 5]], float)
        return [SimpleNamespace(boxes=boxes, scores=np.array([0.9, 0.4, 0.9]))]


def test_command_adds_the_layer_and_changes_nothing_else(base, data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(presence_examples, "HELD_OUT", 0.4)
    real = presence.load_component
    monkeypatch.setattr(
        presence, "load_component", lambda f, n: Finder() if n == "detector" else real(f, n)
    )
    line = ["--data", str(data), "--base", str(base), "--out", str(tmp_path / "run")]
    assert presence.main([*line, "--faces", "4", "--lost", "0.1"]) == 0
    assert "faces given up" in capsys.readouterr().out
    new = load_component(tmp_path / "run" / "weights", "segmenter").eval()
    old = load_component(base, "segmenter").eval()
    assert 0 < new.config.presence < 1
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(new.segment(crops).probability, old.segment(crops).probability)
    assert new.segment(crops).presence.shape == (2,)
    notes = read_config(tmp_path / "run" / "weights").components["segmenter"].training
    assert notes["images"] == 7
    assert notes["presence"]["examples"] > 15
    assert presence.main([*line, "--faces", "4"]) == 1
    assert "name another --out" in capsys.readouterr().err


class Everywhere:
    """Takes every patch of a picture for a face, the lower the surer."""

    def detect(self, images):
        corners = np.array([(x, y) for y in (0, 60, 120, 180) for x in (0, 60)], float)
        boxes = np.concatenate([corners, corners + 50], axis=1)
        return [SimpleNamespace(boxes=boxes, scores=np.linspace(0.1, 0.9, len(boxes)))]


def test_nothing_in_a_texture_is_a_face():
    records = [SimpleNamespace(landmarks=draw_face(i, 96).landmarks) for i in range(6)]
    network = MaskSegmenter(SEER).eval()

    def draws():
        rng = np.random.default_rng(3)
        return list(from_textures(records, Everywhere(), network, rng))

    found = draws()
    assert len(found) == 6 * presence_examples.MOST_IN_TEXTURE
    assert not any(example.face for example in found)
    assert {example.score for example in found[:4]} == {0.9, *np.linspace(0.1, 0.9, 8)[4:7]}
    assert found[4].score == 1.0  # the mask that lies there, whether it is found or not
    assert [example.held_out for example in found[::4]] == [True, *[False] * 4, True]
    assert all(np.array_equal(a.features, b.features) for a, b in zip(found, draws(), strict=True))


def test_one_line_when_something_is_missing(base, tmp_path, capsys):
    write_drawn_faces(tmp_path / "faces", 2, seed=3, size=64)
    line = ["--base", str(base), "--out", str(tmp_path / "run")]
    assert presence.main(["--data", str(tmp_path), *line]) == 1
    assert capsys.readouterr().err == "error: no labelled photos found in --data\n"
    assert presence.main(["--data", str(tmp_path), *line, "--lost", "0"]) == 1
    assert "--lost must lie" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
