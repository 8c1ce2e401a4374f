"""A monochrome photo stays monochrome; a photo in colour is left as the generator painted it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from uncover.paint.monochrome import kept_monochrome, tone_of
from uncover.paint.samples import answers

COLOUR = np.ascontiguousarray(data.astronaut()[0:256, 90:346])
GREY = np.repeat(cv2.cvtColor(COLOUR, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
SEPIA = (255 * (GREY / 255.0) ** (0.85, 1.0, 1.15)).round().astype(np.uint8)
HOLE = np.zeros((256, 256), bool)
HOLE[110:200, 70:190] = True


def masked(photo: np.ndarray) -> np.ndarray:
    """The photo with a blue mask in the hole and a bit of it left standing beside it."""
    seen = photo.copy()
    seen[HOLE] = (90, 140, 230)
    seen[105:110, 70:190] = (90, 140, 230)
    return seen


@pytest.mark.parametrize("photo", [GREY, SEPIA], ids=["grey", "sepia"])
def test_what_is_painted_keeps_to_the_photo_s_tone(photo: np.ndarray) -> None:
    painted = kept_monochrome(COLOUR, masked(photo), HOLE)
    error = np.abs(painted.astype(int) - photo)[HOLE]
    assert np.percentile(error, 95) <= 4
    assert np.abs(COLOUR.astype(int) - photo)[HOLE].mean() > 3 * error.mean()


def test_a_photo_in_colour_is_left_alone() -> None:
    assert tone_of(COLOUR, ~HOLE) is None
    other = COLOUR[:, ::-1].copy()
    assert kept_monochrome(other, masked(COLOUR), HOLE) is other


def test_jpeg_noise_does_not_hide_that_a_photo_is_grey() -> None:
    encoded = cv2.imencode(".jpg", SEPIA, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    assert tone_of(cv2.imdecode(encoded, cv2.IMREAD_COLOR), ~HOLE) is not None


def test_hardly_anything_known_says_nothing() -> None:
    known = np.zeros((256, 256), bool)
    known[:32, :32] = True
    assert tone_of(GREY, known) is None


class Coloured:
    """A generator that paints the coloured face whatever it is shown."""

    def fill(self, crops: np.ndarray, holes: np.ndarray) -> np.ndarray:
        return np.stack([COLOUR] * len(crops))


def test_each_face_of_a_batch_is_judged_by_its_own_crop() -> None:
    crops = np.stack([masked(GREY), masked(COLOUR)])
    first, second = answers(Coloured(), crops, np.stack([HOLE, HOLE]))[0]
    assert np.ptp(first.astype(int), axis=-1).max() <= 6
    assert np.array_equal(second, COLOUR)


def darkened(photo: np.ndarray, by: float) -> np.ndarray:
    return np.rint(photo * by).astype(np.uint8)


@pytest.mark.parametrize("by", [0.05, 0.1, 0.2, 0.35, 0.5])
def test_a_dark_photo_is_not_taken_for_monochrome(by: float) -> None:
    assert tone_of(darkened(COLOUR, by), ~HOLE) is None
    assert tone_of(darkened(GREY, by), ~HOLE) is not None
    assert tone_of(darkened(SEPIA, by), ~HOLE) is not None


def test_what_is_brighter_than_all_that_is_seen_turns_no_other_colour() -> None:
    painted = kept_monochrome(COLOUR, darkened(masked(SEPIA), 0.1), HOLE).astype(int)
    seen = darkened(SEPIA, 0.1).astype(int)
    assert np.abs(np.diff(painted)).max() <= np.abs(np.diff(seen)).max() + 2
