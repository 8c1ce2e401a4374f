"""Detail for large faces: what learns, what it starts from, and resuming."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.training.gan.test_stages import SMALL
from training.enlarger import loop as enlarger
from training.enlarger.draws import large_faces, photo_pixels
from training.enlarger.scores import detail_scores, shrunk
from training.run.checkpoint import load_checkpoint
from uncover.errors import UncoverError
from uncover.faces import read_manifest
from uncover.faces.drawn import write_drawn_faces
from uncover.networks import Enlarger, Generator
from uncover.weights.components import load_component, save_component

pytestmark = pytest.mark.usefixtures("random_classifier")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_faces(tmp_path_factory.mktemp("faces"), 16, seed=4, size=160)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    save_component(folder, "generator", Generator(SMALL), SMALL, training={"images": 1})
    return folder


def run(data: Path, base: Path, out: Path, *extra: str) -> int:
    words = ["--data", str(data), "--preset", "enlarger-smoke", "--init", str(base)]
    return enlarger.main([*words, "--out", str(out), *extra])


@pytest.fixture(scope="module")
def whole(data: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert run(data, base, out) == 0
    return out


def test_cut_and_resumed_is_bit_exact(data: Path, base: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "cut"
    assert run(data, base, out, "--max-minutes", "0") == 0
    assert load_checkpoint(out / "checkpoint")["seen"] == 4
    assert run(data, base, out, "--resume") == 0
    one, two = (load_file(f / "checkpoint" / "tensors.safetensors") for f in (whole, out))
    assert any("against/" in key for key in one)
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.equal(one[key], two[key])] == []


def test_it_learns_from_all_that_it_is_held_to(whole: Path) -> None:
    rows = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    train = [row for row in rows if row["kind"] == "train"]
    assert {"known", "hole", "faithful", "d", "g"} <= train[-1].keys()
    trained = load_component(whole / "weights", "enlarger")
    assert isinstance(trained, Enlarger)
    assert trained.to_rgb.weight.detach().any()
    val = [row for row in rows if row["kind"] == "val"]
    assert len(val) == 2
    assert all(np.isfinite([val[-1][k] for k in ("sharpness_fine", "psnr_fine")]))
    assert len(list((whole / "sheets").glob("*.jpg"))) == 2


def test_an_enlarger_beside_the_generator_is_gone_on_from(
    base: Path, whole: Path, tmp_path: Path
) -> None:
    trained = load_component(whole / "weights", "enlarger")
    assert isinstance(trained, Enlarger)
    for folder in (base, whole / "weights"):
        for name in ("generator", "enlarger"):
            if (folder / f"{name}.safetensors").exists():
                network = load_component(folder, name)
                save_component(tmp_path, name, network, network.config, training={"images": 1})
    begun = enlarger.start_model(tmp_path, trained.config)
    assert all(torch.equal(v, trained.state_dict()[k]) for k, v in begun.state_dict().items())
    new = enlarger.start_model(base, trained.config)
    assert not new.to_rgb.weight.detach().any()


def test_only_large_faces_count_and_some_are_held_out(data: Path) -> None:
    records = read_manifest(data)
    sizes = sorted(photo_pixels(record) for record in records)
    train, val = large_faces([data], sizes[4], held_out=0.3)
    large = {r.path for r in records if photo_pixels(r) >= sizes[4] and r.split != "test"}
    assert {r.path for r in train} & {r.path for r in val} == set()
    assert {r.path for r in (*train, *val)} == large
    with pytest.raises(UncoverError, match="set least lower"):
        large_faces([data], 10 * sizes[-1], held_out=0.3)


def test_small_crops_miss_what_any_of_their_pixels_misses() -> None:
    holes = np.zeros((1, 8, 8), bool)
    holes[0, 3, 4] = True
    images = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(1, 8, 8, 3)
    small, hole = shrunk(images, holes)
    assert np.argwhere(hole).tolist() == [[0, 1, 2]]
    assert small.shape == (1, 4, 4, 3)


def test_scores_tell_a_blur_from_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    holes = np.zeros((2, 64, 64), bool)
    holes[:, 16:48, 16:48] = True
    flat = np.where(holes[..., None], np.uint8(128), truth)
    scores = detail_scores(truth, flat, truth, holes)
    assert scores["sharpness_fine"] == pytest.approx(1)
    assert scores["sharpness_plain"] < 0.05
    assert scores["psnr_fine"] > scores["psnr_plain"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("window=50", "window"),
        ("from_truth=2.0", "from_truth"),
        ("enlarger.resolution=256", "enlarger.resolution=128"),
    ],
)
def test_bad_settings_are_one_line(data, base, tmp_path, capsys, change, message) -> None:
    assert run(data, base, tmp_path / "out", "--set", change) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error


def test_a_generator_is_needed(data, tmp_path, capsys) -> None:
    words = ["--data", str(data), "--preset", "enlarger-smoke", "--out", str(tmp_path / "out")]
    assert enlarger.main(words) == 1
    assert "--init is needed" in capsys.readouterr().err
