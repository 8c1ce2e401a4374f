import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmark.__main__ import main
from benchmark.detect import command as detect
from uncover.networks import Segmentation, SegmenterConfig
from uncover.results import Face, Reason

LABELS = ("with_mask", "without_mask")
BOXES = [[10, 10, 40, 40], [60, 20, 100, 100]]


class Detector:
    """Finds the boxes of every photo, each a little off."""

    def __init__(self, off: float) -> None:
        self.off = off

    def detect(self, images, one_label_per_face=True, min_score=0.0):
        boxes = np.array([[x + self.off, y, x + w + self.off, y + h] for x, y, w, h in BOXES])
        scores = np.array([0.9, 0.8])
        return [SimpleNamespace(boxes=boxes, labels=list(LABELS), scores=scores)]


class Segmenter:
    """Says mask everywhere, and that every face is level."""

    config = SegmenterConfig(threshold=0.5, dilation=0.01)

    def segment(self, crops):
        level = np.float32([[[20, 40], [60, 40], [40, 50], [25, 70], [55, 70]]])
        return Segmentation(probability=np.ones(crops.shape[:3], np.float32), points=level)


@pytest.fixture
def scenes(tmp_path):
    pytest.importorskip("pycocotools")
    (tmp_path / "test").mkdir()
    images, annotations = [], []
    for i in (1, 2):
        Image.new("RGB", (200, 150), (i * 60, 80, 90)).save(tmp_path / "test" / f"{i}.png")
        images.append({"id": i, "file_name": f"{i}.png", "width": 200, "height": 150})
        for k, box in enumerate(BOXES):
            annotations.append(
                {"id": len(annotations) + 1, "image_id": i, "category_id": k + 1, "bbox": box,
                 "area": box[2] * box[3], "iscrowd": 0}
            )  # fmt: skip
    categories = [{"id": k + 1, "name": name} for k, name in enumerate(LABELS)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "test.json").write_text(json.dumps({**content, "info": {}}))
    return tmp_path


@pytest.mark.parametrize(("off", "expected"), [(0.0, 1.0), (25.0, 0.0)])
def test_average_precision_by_class_and_size(scenes, tmp_path, monkeypatch, off, expected):
    monkeypatch.setattr(detect, "_load", lambda weights, component: Detector(off))
    out = tmp_path / "out"
    assert main(["detect", "--boxes", str(scenes / "test.json"), "--out", str(out), "--quiet"]) == 0
    rows = json.loads((out / "detect.json").read_text())["detector"]
    found = {(r["class"], r["size"]): r for r in rows}
    masked = found["with_mask", "32-96 px"]
    assert (masked["n"], masked["ap50"]) == (2, pytest.approx(expected, abs=0.01))
    assert found["with_mask", "over 96 px"]["ap"] is None
    assert found["with_mask", "all"]["found"] == expected
    assert found["without_mask", "from 32 px"]["n"] == 2
    assert found["without_mask", "over 96 px"]["n"] == 2
    assert "| with_mask | all | 2 |" in (out / "detect.md").read_text()


def test_mask_overlap(tmp_path, monkeypatch):
    monkeypatch.setattr(detect, "_load", lambda weights, component: Segmenter())
    words = ["detect", "--drawn", "4", "--out", str(tmp_path), "--cache", str(tmp_path / "c")]
    assert main([*words, "--size", "96", "--quiet"]) == 0
    rows = json.loads((tmp_path / "detect.json").read_text())["segmenter"]
    assert rows[0]["slice"] == "all"
    assert rows[0]["n"] == 4
    assert 0.05 < rows[0]["iou"]["value"] < 0.6
    assert rows[0]["iou"]["p5"] <= rows[0]["iou"]["median"]
    assert rows[0]["missed"] == 0
    assert 0 < rows[0]["eye_line"]["median"] <= rows[0]["eye_line"]["p95"] < 60
    assert "Bare faces" not in (tmp_path / "detect.md").read_text()


def test_bare_faces_called_masked_are_counted(tmp_path, monkeypatch):
    loads = {"detector": Detector(0.0), "segmenter": Segmenter()}
    monkeypatch.setattr(detect, "_load", lambda weights, component: loads[component])
    words = ["detect", "--drawn", "3", "--out", str(tmp_path), "--cache", str(tmp_path / "c")]
    assert main([*words, "--size", "96", "--quiet", "--bare"]) == 0
    bare = json.loads((tmp_path / "detect.json").read_text())["bare"]
    assert (bare["n"], bare["called_masked"], len(bare["photos"])) == (3, 3, 3)
    assert "called masked: 3 of 3, 100.00 %" in (tmp_path / "detect.md").read_text()


class Labeller:
    """Calls every face with much blue in it masked, and the main face's mask one on the chin."""

    def detect(self, photo):
        height, width = photo.shape[:2]
        box = (0.2 * width, 0.1 * height, 0.8 * width, 0.95 * height)
        size = (height, width)
        doubtful = Face((0, 0, 9, 9), "with_mask", 0.3, size, Reason.LOW_SCORE)
        if not hasattr(self, "first"):
            self.first = photo
        if (photo == self.first).all():
            return [Face(box, "without_mask", 0.9, size, Reason.BARE), doubtful]
        return [Face(box, "mask_worn_incorrectly", 0.9, size, Reason.ON_CHIN), doubtful]


def test_labels_of_masks_worn_in_each_way(tmp_path, monkeypatch):
    monkeypatch.setattr(detect, "_load", lambda weights, component: Segmenter())
    monkeypatch.setattr(detect, "_load_all", lambda weights: Labeller())
    words = ["detect", "--drawn", "1", "--out", str(tmp_path), "--cache", str(tmp_path / "c")]
    assert main([*words, "--size", "96", "--quiet", "--wear"]) == 0
    rows = {r["wear"]: r for r in json.loads((tmp_path / "detect.json").read_text())["wear"]}
    assert list(rows) == ["bare", "worn", "nose_out", "chin"]
    assert (rows["bare"]["n"], rows["bare"]["without_mask"], rows["bare"]["called_masked"]) == (
        1, 1, 0,
    )  # fmt: skip
    chin = rows["chin"]
    assert (chin["mask_worn_incorrectly"], chin["on_chin"], chin["filled"]) == (1, 1, 0)
    assert chin["called_masked"] == 1
    assert "| chin | 1 | 0 | 0 | 1 | 0 | 1 | 1 |" in (tmp_path / "detect.md").read_text()


def test_absent_photo_is_named(scenes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(detect, "_load", lambda weights, component: Detector(0))
    (scenes / "test" / "2.png").unlink()
    words = ["detect", "--boxes", str(scenes / "test.json"), "--out", str(tmp_path / "o")]
    assert main([*words, "--quiet"]) == 1
    assert "test.json names 2.png, which is not in" in capsys.readouterr().err


def test_nothing_to_measure(tmp_path, capsys):
    assert main(["detect", "--out", str(tmp_path)]) == 1
    assert "give --boxes" in capsys.readouterr().err
