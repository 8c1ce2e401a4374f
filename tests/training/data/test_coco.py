"""COCO files: what is read, what is refused, and the split that never changes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.training.drawn_scenes import write_drawn_scenes
from training.data.coco import find_labelled_sets, is_held_out, read_coco, read_rgb
from uncover.errors import UncoverError


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return write_drawn_scenes(tmp_path_factory.mktemp("scenes"), "train", 6)


def test_boxes_become_corners_and_labels_start_at_one(scenes):
    found = read_coco(scenes / "train.json", scenes / "train")
    raw = json.loads((scenes / "train.json").read_text())["annotations"][1]["bbox"]
    assert found.name == "train"
    assert len(found.photos) == 6
    assert found.photos[1].boxes.tolist() == [
        pytest.approx([raw[0], raw[1], raw[0] + raw[2], raw[1] + raw[3]])
    ]
    assert [int(p.labels[0]) for p in found.photos] == [1, 2, 1, 2, 1, 2]


def test_photos_without_a_box_are_left_out(scenes, tmp_path):
    content = json.loads((scenes / "train.json").read_text())
    content["annotations"] = content["annotations"][:2]
    (tmp_path / "train.json").write_text(json.dumps(content))
    assert len(read_coco(tmp_path / "train.json", scenes / "train").photos) == 2


@pytest.mark.parametrize(
    "text", ["not json", "{}", '{"categories": [{"id": 1, "name": "cat"}], "annotations": []}']
)
def test_other_files_are_refused_in_one_line(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UncoverError) as caught:
        read_coco(tmp_path / "x.json", tmp_path)
    assert "x.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sets_are_found_here_and_one_folder_down_but_never_the_test_set(scenes, tmp_path):
    write_drawn_scenes(tmp_path, "close", 1)
    write_drawn_scenes(tmp_path / "more", "train", 2)
    write_drawn_scenes(tmp_path / "more", "test", 2)
    (tmp_path / "settings.json").write_text("{}")
    found = find_labelled_sets(tmp_path)
    assert [(s.name, len(s.photos)) for s in found] == [("close", 1), ("train", 2)]


def test_the_split_depends_on_the_name_alone(scenes):
    photos = read_coco(scenes / "train.json", scenes / "train")
    rest, held = photos.split(0.5)
    assert len(rest) + len(held) == 6
    assert {p.file.name for p in held} == {
        p.file.name for p in photos.photos if is_held_out(p.file.name, 0.5)
    }
    share = np.mean([is_held_out(f"{i}.jpg", 0.2) for i in range(2000)])
    assert 0.17 < share < 0.23
    # Written down: with another hash, photos that were learned from would be held out.
    twelve = [f"{i:04d}.jpg" for i in range(1, 13)]
    assert [name for name in twelve if is_held_out(name, 0.2)] == ["0001.jpg", "0006.jpg"]


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(UncoverError, match=r"gone\.jpg"):
        read_rgb(tmp_path / "gone.jpg")
