"""The detector's loop and its scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.training.drawn_scenes import write_drawn_scenes
from training.data.coco import LabelledPhoto
from training.detector import loop as detector
from training.detector.scores import average_precision, found_as
from training.run.checkpoint import load_checkpoint
from uncover.faces.drawn import write_drawn_faces
from uncover.networks.detections import Detections
from uncover.weights.components import load_component


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    write_drawn_scenes(root, "train", 8)
    write_drawn_scenes(root, "real_masked", 5, seed=50)
    return [root, write_drawn_faces(root / "faces", 5, seed=9, size=64)]


def run(folders, out, *extra):
    data = [part for folder in folders[:1] for part in ("--data", str(folder))]
    held = ["--set", "held_out=0.3", "--set", "held_out_closeups=0.4"]
    return detector.main([*data, "--preset", "detector-smoke", "--out", str(out), *held, *extra])


@pytest.fixture(scope="module")
def whole(folders, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert run(folders, out) == 0
    return out


def test_run_folder_holds_scores_sheets_and_loadable_weights(whole):
    rows = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert [row["images"] for row in rows if row["kind"] == "val"] == [4, 8]
    assert any(key.startswith("ap50/") for row in rows for key in row)
    assert len(list((whole / "sheets").iterdir())) == 2
    state = load_checkpoint(whole / "checkpoint")
    saved = load_component(whole / "weights", "detector").state_dict()
    for key, value in state["ema"].items():
        assert torch.allclose(saved[key], value, atol=2e-3), key
    config = json.loads((whole / "weights" / "config.json").read_text())
    assert config["components"]["detector"]["training"]["images"] == 8


def test_resume_is_bit_exact(folders, whole, tmp_path):
    out = tmp_path / "stopped"
    assert run(folders, out, "--max-minutes", "0") == 0
    assert load_checkpoint(out / "checkpoint")["seen"] == 2
    assert run(folders, out, "--resume") == 0
    one, two = (load_file(f / "checkpoint" / "tensors.safetensors") for f in (whole, out))
    assert [k for k in one if not torch.equal(one[k], two[k])] == []


def test_a_run_can_start_from_another_s_weights(folders, whole, tmp_path):
    out = tmp_path / "next"
    assert run(folders, out, "--init", str(whole), "--max-minutes", "0") == 0
    assert load_checkpoint(out / "checkpoint")["seen"] == 2


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ([], "--resume"),
        (["--resume", "--set", "rate=0.5"], "other settings"),
        (["--set", "speed=1"], "speed"),
        (["--set", "precision=fp8"], "precision"),
    ],
)
def test_mistakes_are_one_line(folders, whole, capsys, extra, named):
    assert run(folders, whole, *extra) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert named in error
    assert "\n" not in error


def test_folders_without_labelled_photos_are_refused(folders, tmp_path, capsys):
    assert run([folders[1]], tmp_path / "out") == 1
    assert "no labelled photos" in capsys.readouterr().err
    assert run([tmp_path / "nowhere"], tmp_path / "out") == 1
    assert "no such folder" in capsys.readouterr().err
    assert not (tmp_path / "out" / "checkpoint").exists()


def photo(boxes, labels):
    return LabelledPhoto(None, np.float32(boxes).reshape(-1, 4), np.array(labels, np.int64))


def faces(boxes, labels, scores):
    return Detections(np.float32(boxes).reshape(-1, 4), labels, np.float32(scores))


TRUTH = [photo([[0, 0, 40, 40], [50, 0, 60, 10]], [1, 2]), photo([[5, 5, 105, 105]], [1])]


def test_perfect_detections_score_one():
    found = [
        faces([[0, 0, 40, 40], [50, 0, 60, 10]], ["with_mask", "without_mask"], [0.9, 0.8]),
        faces([[5, 5, 105, 105]], ["with_mask"], [0.7]),
    ]
    scores = average_precision(TRUTH, found)
    assert scores["ap50/with_mask/all"] == pytest.approx(1)
    assert scores["ap50/with_mask/32to96"] == pytest.approx(1)
    assert scores["ap50/with_mask/from96"] == pytest.approx(1)
    assert scores["ap50/without_mask/under32"] == pytest.approx(1)
    assert "ap50/with_mask/under32" not in scores
    assert "ap50/mask_worn_incorrectly/all" not in scores


def test_a_false_alarm_that_ranks_first_halves_the_precision():
    false_first = faces([[0, 60, 40, 99], [0, 0, 40, 40]], ["with_mask"] * 2, [0.9, 0.5])
    scores = average_precision(TRUTH[:1], [false_first])
    assert scores["ap50/with_mask/all"] == pytest.approx(0.5, abs=0.01)
    assert scores["ap50/without_mask/all"] == 0


def test_small_faces_do_not_hurt_the_large():
    found = faces([[0, 0, 40, 40], [50, 0, 60, 10]], ["with_mask"] * 2, [0.5, 0.9])
    truth = photo([[0, 0, 40, 40], [50, 0, 60, 10]], [1, 1])
    scores = average_precision([truth], [found])
    assert scores["ap50/with_mask/from32"] == pytest.approx(1)


def test_no_detections_score_zero_and_no_labels_nothing():
    none = faces([], [], [])
    assert average_precision(TRUTH, [none, none])["ap50/with_mask/all"] == 0
    assert average_precision([photo([], [])], [none]) == {}


def test_found_as_counts_label_score_and_place():
    found = [
        faces([[2, 2, 42, 42], [50, 0, 60, 10]], ["with_mask", "with_mask"], [0.6, 0.9]),
        faces([[5, 5, 105, 105]], ["with_mask"], [0.4]),
    ]
    assert found_as(TRUTH, found, "with_mask") == (1, 2)
    assert found_as(TRUTH, found, "with_mask", score=0.3) == (2, 2)
    assert found_as(TRUTH, found, "without_mask") == (0, 1)
