"""Pictures made elsewhere, and a program that fills a whole folder in one process."""

import sys

import cv2
import numpy as np
import pytest

from benchmark.models import Shown, make_adapter, paint
from benchmark.photos import cut_around
from uncover.errors import UncoverError

IMAGE = np.full((64, 64, 3), 90, np.uint8)
HOLE = np.zeros((64, 64), bool)
HOLE[30:50, 20:40] = True
FILL = """
import pathlib, sys, cv2
images, masks, out = map(pathlib.Path, sys.argv[1:4])
with open(sys.argv[4], "a") as log:
    log.write("run\\n")
for file in images.glob("*.png"):
    picture = cv2.imread(str(file))
    picture[cv2.imread(str(masks / file.name), 0) > 127] = (1, 2, 3)
    cv2.imwrite(str(out / file.name), picture)
"""


@pytest.mark.parametrize("name", ["abc.png", "abc-masked.png", "test/one.png", "one.png"])
def test_pictures_are_found_by_id_or_photo_name(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    cv2.imwrite(str(tmp_path / name), np.full((64, 64, 3), 7, np.uint8))
    model = make_adapter(f"theirs=dir:{tmp_path}")
    assert model.name == "theirs"
    filled = paint(model, IMAGE, HOLE, "one", Shown("abc", "test/one.jpg"))
    assert (filled[HOLE] == 7).all()
    assert np.array_equal(filled[~HOLE], IMAGE[~HOLE])
    with pytest.raises(UncoverError, match=r"no picture for test/two.jpg"):
        paint(model, IMAGE, HOLE, "two", Shown("xyz", "test/two.jpg"))


def test_a_picture_of_the_whole_photo_is_cut_as_the_photo_was(tmp_path):
    whole = np.random.default_rng(0).integers(0, 256, (80, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "one.png"), whole)
    model = make_adapter(f"dir:{tmp_path}")
    cut = cut_around(64, 80, None)
    filled = paint(model, IMAGE, HOLE, "one", Shown("x", "one.jpg", None, cut))
    assert np.array_equal(filled[HOLE], whole[8:72, :, ::-1][HOLE])
    wrong = Shown("x", "one.jpg", None, None)
    with pytest.raises(UncoverError, match=r"picture of 64 x 80 for one.jpg; it must be 64 x 64"):
        paint(model, IMAGE, HOLE, "one", wrong)


def test_a_program_fills_a_folder_in_one_process(tmp_path):
    script, log = tmp_path / "fill.py", tmp_path / "log"
    script.write_text(FILL)
    words = f"{sys.executable} {script} {{images}} {{masks}} {{out}} {log}"
    model = make_adapter(f"cmd:{words}")
    shown = [Shown(str(i), f"{i}.jpg") for i in range(3)]
    model.begin((one, IMAGE, HOLE) for one in shown)
    for one in shown:
        assert paint(model, IMAGE, HOLE, one.photo, one)[HOLE][0].tolist() == [3, 2, 1]
    assert log.read_text() == "run\n"


def test_a_folder_that_is_not_there():
    with pytest.raises(UncoverError, match="there is no such folder"):
        make_adapter("dir:/absent")


def test_painting_nothing_is_no_fill(tmp_path):
    cv2.imwrite(str(tmp_path / "one.png"), IMAGE)
    with pytest.raises(UncoverError, match="painted nothing on one"):
        paint(make_adapter(f"dir:{tmp_path}"), IMAGE, HOLE, "one", Shown("x", "one.jpg"))
