import json
from types import SimpleNamespace

import numpy as np
import pytest
from skimage import data

import uncover.weights
from benchmark.__main__ import main
from benchmark.run import seams
from uncover.crop.regions import soft_region

SIDE = 128


@pytest.fixture(scope="module")
def face():
    return np.ascontiguousarray(data.astronaut()[20 : 20 + SIDE, 160 : 160 + SIDE])


@pytest.fixture(scope="module")
def alpha():
    mask = np.zeros((SIDE, SIDE), bool)
    mask[50:100, 35:95] = True
    return soft_region(mask, 0.0, 0.06)


@pytest.mark.parametrize("way", seams.WAYS)
def test_known_pixels_are_kept_and_all_others_painted(way, face, alpha):
    result = seams.WAYS[way](face, np.full_like(face, 90), alpha)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result[alpha == 0], face[alpha == 0])
    assert np.abs(result[alpha >= 1].astype(int) - face[alpha >= 1]).mean() > 5


@pytest.mark.parametrize("way", seams.WAYS)
def test_the_true_picture_leaves_no_seam(way, face, alpha):
    ratio, step, psnr = seams.scores(seams.WAYS[way](face, face.copy(), alpha), face, alpha)
    assert ratio == pytest.approx(1, abs=0.01)
    assert step < 0.2
    assert psnr > 50


def test_a_picture_that_is_too_light_is_cut_with_a_step_of_its_size(face, alpha):
    dark = (face * 0.6).astype(np.uint8)
    light = dark + np.uint8(40)
    steps = {name: seams.scores(way(dark, light, alpha), dark, alpha)[1]
             for name, way in seams.WAYS.items()}  # fmt: skip
    assert steps["cut"] == pytest.approx(40, abs=0.5)
    assert steps["feather"] < 15  # spread over the ring
    assert steps["laplacian"] < 30
    assert steps["poisson"] < 2  # a shift is all it has to undo
    assert steps["feather, colours matched (default)"] < 2


def test_gradient_below_one_tells_of_blur(face, alpha):
    flat = np.full_like(face, face[alpha > 0].mean())
    ratio, _, _ = seams.scores(seams.feather(face, flat, alpha), face, alpha)
    assert ratio < 0.9


def test_command_writes_one_row_for_each_way(tmp_path, monkeypatch, capsys):
    asked = []

    class Grey:
        config = SimpleNamespace(resolution=96)

        def eval(self):
            return self

        def fill(self, crops, holes):
            asked.append(holes.mean())
            return np.full_like(crops, 128)

    monkeypatch.setattr(
        uncover.weights,
        "load_bundle",
        lambda *_, **__: SimpleNamespace(generator=Grey()),
    )
    line = ["seams", "--drawn", "3", "--size", "96", "--out", str(tmp_path), "--quiet"]
    assert main([*line, "--cache", str(tmp_path / "cache")]) == 0
    ways = json.loads((tmp_path / "seams.json").read_text())["ways"]
    assert [row["way"] for row in ways] == list(seams.WAYS)
    assert {row["n"] for row in ways} == {len(asked)}
    assert all(row[k]["low"] <= row[k]["value"] <= row[k]["high"] for row in ways
               for k in seams.COLUMNS)  # fmt: skip
    assert (tmp_path / "seams.md").read_text() in capsys.readouterr().out
    assert main([*line[:4], "128", *line[5:]]) == 1
    assert "paint 96 px" in capsys.readouterr().err


def test_one_source_of_faces(tmp_path, capsys):
    assert main(["seams", "--out", str(tmp_path)]) == 1
    assert "--data DIR and --drawn N" in capsys.readouterr().err
