from __future__ import annotations

import io
import json
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tests.uncover.cli_scene import SCENE
from tests.uncover.fake_networks import CLOTH, cloth_left
from tests.uncover.scale.scenes import BROKEN, empty, masked, uncover
from uncover.errors import UncoverError
from uncover.scale import Uncover


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_rows_come_back_painted_with_what_became_of_them() -> None:
    batch = {"id": [7, 8, 9, 10], "image": [masked(), BROKEN, empty(), None]}
    found = uncover()(batch)
    assert list(found["id"]) == [7, 8, 9, 10]
    assert list(found["status"]) == ["filled", "failed", "no_face", "failed"]
    assert found["filled"].tolist() == [1, 0, 0, 0]
    assert [image is None for image in found["image"]] == [False, True, True, True]
    assert cloth_left(SCENE) > 200 > cloth_left(pixels(found["image"][0]))
    assert found["reason"][0] == ""
    assert all(found["reason"][1:])
    (face,) = json.loads(found["faces"][0])
    assert face["label"] == "with_mask"


def test_a_fault_of_ours_is_a_row_too() -> None:
    worker = uncover()
    worker.together.uncoverer.generator.network.fill = None
    found = worker({"image": [masked(), empty()]})
    assert list(found["status"]) == ["failed", "no_face"]
    assert "unexpected TypeError" in found["reason"][0]


def test_structs_as_the_hub_writes_them() -> None:
    found = uncover("photo")({"photo": [{"bytes": masked(), "path": "a.png"}]})
    assert found["photo"][0]["path"] == "a.png"
    assert pixels(found["photo"][0]["bytes"]).shape == SCENE.shape


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UncoverError, match="'image' among id, picture"):
        uncover()({"id": [1], "picture": [masked()]})


def test_one_picture_a_row() -> None:
    with pytest.raises(UncoverError, match="one sample"):
        Uncover(samples=2)


def test_frames_as_sparks_map_in_pandas_hands_them() -> None:
    pandas = pytest.importorskip("pandas")

    def painted(frames: Iterator[object]) -> Iterator[object]:
        worker = uncover()
        for frame in frames:
            yield pandas.DataFrame(worker(frame))

    frames = [pandas.DataFrame({"image": [masked(i), empty()]}) for i in range(2)]
    rows = pandas.concat(painted(iter(frames)))
    assert list(rows["status"]) == ["filled", "no_face"] * 2
    assert (pixels(rows["image"].iloc[0]) == CLOTH).all(-1).sum() == 0
