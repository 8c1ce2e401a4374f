"""Masks as people and other programs make them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage import data

from uncover.errors import ImageError
from uncover.images import Photo, read_mask

PLAIN = Photo(rgb=np.zeros((20, 30, 3), np.uint8))
HOLE = np.zeros((20, 30), bool)
HOLE[3:9, 4:20] = True


def paint(ground: object, colour: object, mode: str = "RGBA") -> Image.Image:
    picture = Image.new(mode, (30, 20), ground)  # type: ignore[arg-type]
    picture.paste(colour, (4, 3, 20, 9))  # type: ignore[arg-type]
    return picture


def palette(colour: tuple[int, int, int]) -> Image.Image:
    picture = Image.fromarray(HOLE.astype(np.uint8)).convert("P")
    picture.putpalette([0, 0, 0, *colour])
    return picture


def erased() -> Image.Image:
    picture = Image.fromarray(data.astronaut()[:20, 200:230]).convert("RGBA")
    picture.putalpha(Image.fromarray(np.where(HOLE, 0, 255).astype(np.uint8)))
    return picture


@pytest.mark.parametrize(
    "mask",
    [
        HOLE.astype(np.uint8),
        Image.fromarray(HOLE.astype(np.uint8)),
        Image.fromarray(HOLE.astype(np.uint8) * 100),
        Image.fromarray(HOLE.astype(np.uint16)),
        palette((128, 0, 0)),
        palette((1, 1, 1)),
        paint((0, 0, 0), (255, 0, 0), "RGB"),
        paint((0, 0, 0, 0), (255, 0, 0, 255)),
        paint((0, 0, 0, 0), (0, 0, 0, 255)),
        paint((0, 0, 0, 0), (255, 0, 0, 128)),
        paint((0, 0, 0, 255), (0, 0, 0, 0)),
        paint((255, 255, 255, 255), (255, 255, 255, 0)),
        paint((0, 0, 0, 255), (255, 255, 255, 255)),
        erased(),
    ],
    ids=[
        "0/1 array", "0/1 grey", "0/100 grey", "0/1 deep", "red palette", "dark palette",
        "red on black", "red on transparent", "black on transparent", "half opaque brush",
        "hole in black", "hole in white", "opaque RGBA", "erased photo",
    ],
)  # fmt: skip
def test_marks_of_every_kind_are_understood(mask: object) -> None:
    np.testing.assert_array_equal(read_mask(mask, PLAIN), HOLE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (np.arange(600, dtype=np.uint8).reshape(20, 30) % 19, "19 levels.*choose one label"),
        (Image.new("RGBA", (30, 20)), "transparent everywhere"),
        (HOLE.astype(np.int64), "astype"),
    ],
)
def test_what_is_not_clear_is_refused(mask: object, says: str) -> None:
    with pytest.raises(ImageError, match=says):
        read_mask(mask, PLAIN)  # type: ignore[arg-type]


def test_a_photo_in_place_of_a_mask_is_refused() -> None:
    photo = data.astronaut()
    with pytest.raises(ImageError, match="looks like a photo: give a picture that is white"):
        read_mask(Image.fromarray(photo), Photo(rgb=photo))


def test_a_soft_mask_is_one() -> None:
    hole = np.zeros((512, 512), np.uint8)
    hole[200:400, 150:350] = 255
    soft = Image.fromarray(hole).filter(ImageFilter.GaussianBlur(30))
    painted = read_mask(soft, Photo(rgb=np.zeros((512, 512, 3), np.uint8)))
    assert painted.sum() == pytest.approx(200 * 200, rel=0.1)
