"""The mean of two passes."""

from __future__ import annotations

import pytest
import torch

from training.average import average, main
from uncover.detector import DetectorConfig, MaskDetector
from uncover.errors import UncoverError
from uncover.segmenter import MaskSegmenter, SegmenterConfig
from uncover.weights import load_component, save_component

SMALL = SegmenterConfig(resolution=32, widths=(8, 8), detail_width=2)


@pytest.fixture
def runs(tmp_path):
    folders = tmp_path / "one", tmp_path / "two"
    for seed, folder in enumerate(folders):
        torch.manual_seed(seed)
        save_component(
            folder / "weights", "segmenter", MaskSegmenter(SMALL), SMALL, dtype="float32"
        )
    return folders


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_every_weight_lies_between(runs, tmp_path, share):
    average(runs, "segmenter", tmp_path / "out", share)
    one, two, out = (
        load_component(f / "weights", "segmenter").state_dict() for f in (*runs, tmp_path / "out")
    )
    for key, value in out.items():
        expected = one[key] * (1 - share) + two[key] * share
        torch.testing.assert_close(value.float(), expected.float(), atol=2e-3, rtol=2e-3)


def test_background_bias_is_shifted(tmp_path):
    config = DetectorConfig(pyramid_channels=8, head_channels=8, pool_size=3)
    model = MaskDetector(config)
    for name in ("one", "two"):
        save_component(tmp_path / name / "weights", "detector", model, config)
    paths = [str(tmp_path / name) for name in ("one", "two")]
    assert main([*paths, "--out", str(tmp_path / "out"), "--background", "-0.25"]) == 0
    shifted = load_component(tmp_path / "out" / "weights", "detector")
    change = (
        shifted.net.roi_heads.box_predictor.cls_score.bias
        - model.net.roi_heads.box_predictor.cls_score.bias
    )
    assert change.tolist() == pytest.approx([-0.25, 0, 0, 0], abs=2e-3)


def test_mistakes_are_one_line(runs, tmp_path, capsys):
    other = SegmenterConfig(resolution=32, widths=(8, 12), detail_width=2)
    save_component(tmp_path / "x" / "weights", "segmenter", MaskSegmenter(other), other)
    with pytest.raises(UncoverError, match="different shapes"):
        average((runs[0], tmp_path / "x"), "segmenter", tmp_path / "out", 0.5)
    with pytest.raises(UncoverError, match="detectors"):
        average(runs, "segmenter", tmp_path / "out", 0.5, background=-0.1)
    common = ["--name", "segmenter", "--out", str(tmp_path / "out")]
    assert main([str(runs[0]), str(runs[1]), *common, "--share", "2"]) == 1
    assert main([str(runs[0]), str(tmp_path / "gone"), *common]) == 1
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 2
    assert all(line.startswith("error: ") for line in errors)
    assert not (tmp_path / "out").exists()
