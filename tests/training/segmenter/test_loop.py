"""The segmenter's loop, losses and scores."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from training.run.checkpoint import load_checkpoint
from training.segmenter import loop as segmenter
from training.segmenter.loop import mask_loss, overlap_loss, points_loss, thin_parts
from training.segmenter.scores import angle_between, dilate, fixed_crops, score_segmenter
from uncover.faces.drawn import write_drawn_faces
from uncover.faces.manifest import read_manifest
from uncover.networks.segmentation import Segmentation, SegmenterConfig
from uncover.networks.segmenter import MaskSegmenter
from uncover.weights.components import load_component, save_component


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_drawn_faces(tmp_path_factory.mktemp("data"), 10, seed=2, size=64)


def run(folder, out, *extra):
    data = ["--data", str(folder), "--preset", "segmenter-smoke"]
    return segmenter.main([*data, "--out", str(out), *extra])


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert run(folder, out) == 0
    return out


def test_run_folder_holds_scores_sheets_and_loadable_weights(whole):
    rows = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    last = [row for row in rows if row["kind"] == "val"][-1]
    assert last["images"] == 8
    assert {"iou_median", "iou_p5", "missed", "eye_line_median", "eye_line_p95"} <= last.keys()
    assert len(list((whole / "sheets").iterdir())) == 2
    state = load_checkpoint(whole / "checkpoint")
    saved = load_component(whole / "weights", "segmenter").state_dict()
    for key, value in state["ema"].items():
        assert torch.allclose(saved[key].float(), value.float(), atol=2e-3), key


def test_resume_is_bit_exact(folder, whole, tmp_path):
    out = tmp_path / "stopped"
    assert run(folder, out, "--max-minutes", "0") == 0
    assert load_checkpoint(out / "checkpoint")["seen"] == 2
    assert run(folder, out, "--resume") == 0
    one, two = (load_file(f / "checkpoint" / "tensors.safetensors") for f in (whole, out))
    assert [k for k in one if not torch.equal(one[k], two[k])] == []


def test_starts_from_published_weights(folder, whole, tmp_path):
    published = load_component(whole / "weights", "segmenter")
    config = dataclasses.replace(published.config, presence=0.5)
    faced = MaskSegmenter(config)
    faced.load_state_dict(published.state_dict(), strict=False)
    save_component(tmp_path / "weights", "segmenter", faced, config)
    out = tmp_path / "on"
    assert run(folder, out, "--init", str(tmp_path / "weights"), "--set", "rate=0.0") == 0
    before, after = published.state_dict(), load_checkpoint(out / "checkpoint")["model"]
    assert after.keys() == before.keys()
    for name, _ in faced.named_parameters():
        if "presence" not in name:
            torch.testing.assert_close(after[name], before[name], atol=2e-3, rtol=0, msg=name)


def test_nothing_to_start_from_is_one_line(folder, tmp_path, capsys):
    assert run(folder, tmp_path / "out", "--init", str(tmp_path)) == 1
    assert "neither a run nor a weights folder" in capsys.readouterr().err


def test_a_folder_without_a_manifest_is_one_line(tmp_path, capsys):
    assert run(tmp_path, tmp_path / "out") == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert "\n" not in error


def test_missing_mask_costs_more_than_too_much():
    target = torch.zeros(1, 1, 8, 8)
    target[..., :4] = 1
    short, long = target.clone(), target.clone()
    short[..., 3], long[..., 4] = 0, 1
    for loss in (mask_loss, overlap_loss):
        right, under, over = (
            loss(8 * m - 4, target, torch.ones_like(m), 2.0) for m in (target, short, long)
        )
        assert right < over < under


def test_equal_errors_cost_the_same_when_not_weighted():
    target = torch.zeros(1, 1, 4, 4)
    target[..., :2] = 1
    logits = torch.zeros(1, 1, 4, 4)
    valid = torch.ones_like(target)
    assert float(mask_loss(logits, target, valid, 1.0)) == pytest.approx(np.log(2))
    # Half of everything: 2 * 4 common of 8 + 8, with 64 added above and below.
    assert float(overlap_loss(logits, target, valid, 1.0)) == pytest.approx(
        1 - (8 + 64) / (16 + 64)
    )


def test_pixels_beyond_the_photo_do_not_count():
    target, logits = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    valid = torch.ones_like(target)
    valid[..., 3] = 0
    for loss in (mask_loss, overlap_loss):
        before = loss(logits, target, valid, 1.5)
        changed = logits.clone()
        changed[..., 3] = 9.0
        assert loss(changed, target, valid, 1.5) == before


def test_points_outside_the_crop_do_not_count():
    truth = torch.tensor([[[0.5, 0.5], [1.2, 0.5]]])
    found = torch.tensor([[[0.5, 0.5], [0.9, 0.5]]])
    assert float(points_loss(found, truth)) == 0
    assert float(points_loss(found + 0.1, truth)) == pytest.approx(0.1 - 0.005, abs=1e-6)
    assert float(points_loss(found, truth + 2)) == 0


class Oracle:
    """Answers with the truth, turned and shifted by known amounts."""

    config = SegmenterConfig(dilation=0.02)

    def __init__(self, crops, turn=0.0, shift=0):
        self.crops = {crop.image.tobytes(): crop for crop in crops}
        self.turn, self.shift = np.deg2rad(turn), shift

    def segment(self, images):
        crop = self.crops[images[0].tobytes()]
        c, s = np.cos(self.turn), np.sin(self.turn)
        points = (crop.points - 0.5) @ np.array([[c, s], [-s, c]]) + 0.5
        mask = np.roll(crop.mask, self.shift, axis=1)
        side = crop.image.shape[0]
        return Segmentation(mask[None], (points[None] * side - 0.5).astype(np.float32))


def test_scores_of_a_known_answer(folder):
    records = [r for r in read_manifest(folder) if r.split == "val"]
    crops = fixed_crops(records, 64)
    assert len(crops) == 2 * len(records)
    right = score_segmenter(Oracle(crops), crops)
    assert right["iou_median"] == right["iou_p5"] == 1
    assert right["missed"] == 0
    assert right["eye_line_p95"] == pytest.approx(0, abs=1e-3)
    wrong = score_segmenter(Oracle(crops, turn=5, shift=3), crops)
    assert wrong["eye_line_median"] == pytest.approx(5, abs=1e-3)
    assert 0.5 < wrong["iou_median"] < 1
    assert wrong["missed"] > 0


@pytest.mark.parametrize(
    ("a", "b", "expected"), [((1, 0), (1, 0), 0), ((0, 1), (1, 0), 90), ((1, -1), (1, 0), -45)]
)
def test_angles_have_a_sign(a, b, expected):
    assert angle_between(np.float64(a), np.float64(b)) == pytest.approx(expected)


def test_dilation_is_a_disc():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    assert dilate(mask, 0).sum() == 1
    assert dilate(mask, 1.0).sum() == 5
    assert dilate(mask, 2.9)[4, 2]
    assert not dilate(mask, 2.5)[2, 2]  # a square would reach its corner


def test_straps_are_thin_and_the_body_is_not():
    target = torch.zeros(1, 1, 64, 64)
    target[..., 30:60, 16:48] = 1
    target[..., 10:30, 20:22] = 1
    thin = thin_parts(target)
    assert thin[..., 12:28, 20:22].min() == 1
    assert thin[..., 32:58, 18:46].max() == 0
    assert thin.sum() < 45


def test_a_missed_strap_costs_more_when_thin_parts_count_more():
    target = torch.zeros(1, 1, 64, 64)
    target[..., 10:30, 20:22] = 1
    logits, valid = torch.full_like(target, -2.0), torch.ones_like(target)
    plain, heavy = (float(mask_loss(logits, target, valid, 1.0, thin)) for thin in (1.0, 4.0))
    missed = float(torch.nn.functional.softplus(torch.tensor(2.0))) * 40 / 64**2
    assert heavy - plain == pytest.approx(3 * missed, rel=1e-4)
