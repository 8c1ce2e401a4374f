"""`Uncoverer.refill`: masks put right by hand, faces left out, all else as it was."""

from __future__ import annotations

import numpy as np
import pytest

from tests.uncover.fake_networks import SIZE, cloth_left, draw_scene, make
from tests.uncover.small_generator import small_generator
from uncover.errors import ImageError, UncoverError
from uncover.pipeline import Uncoverer
from uncover.results import Result

BOXES = [(10, 20, 90, 125), (115, 20, 190, 120)]


@pytest.fixture
def uncoverer() -> Uncoverer:
    return make(BOXES)


@pytest.fixture
def result(uncoverer: Uncoverer) -> Result:
    return uncoverer(draw_scene(BOXES))


def square(result: Result, at: tuple[int, int], side: int = 20) -> np.ndarray:
    mask = np.zeros((result.photo.height, result.photo.width), bool)
    mask[at[1] : at[1] + side, at[0] : at[0] + side] = True
    return mask


@pytest.mark.parametrize("wear", ["worn", "nose_out", "chin"])
def test_nothing_changed_is_the_same_picture(wear: str) -> None:
    uncoverer = make([*BOXES, (20, 130, 60, 158)], ["with_mask", "with_mask", "without_mask"])
    result = uncoverer(draw_scene(BOXES, wear=wear), fill_chin=True)
    assert len(result.filled) == 2
    again = uncoverer.refill(result)
    np.testing.assert_array_equal(again.pixels, result.pixels)
    assert [face.to_dict() for face in again.faces] == [face.to_dict() for face in result.faces]


@pytest.mark.parametrize("size", [(160, 200), (SIZE, SIZE)])
def test_a_mask_given_to_fill_is_painted_exactly_again(size: tuple[int, int]) -> None:
    uncoverer = make([BOXES[0]] if size[0] > SIZE else [])
    photo = draw_scene([BOXES[0]], size)
    mask = np.zeros(size, bool)
    mask[30:55, 20:50] = True
    result = uncoverer.fill(photo, mask)
    again = uncoverer.refill(result)
    np.testing.assert_array_equal(again.pixels, result.pixels)
    np.testing.assert_array_equal(again.faces[0].mask, mask)


def test_samples_of_what_was_found_are_the_samples_of_a_call() -> None:
    uncoverer = make(BOXES)
    uncoverer.generator = small_generator()
    photo = draw_scene(BOXES)
    three, one = uncoverer(photo, samples=3), uncoverer(photo)
    again = uncoverer.refill(one, samples=3)
    for before, after in zip(three.images, again.images, strict=True):
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize("as_list", [True, False])
def test_a_new_mask_is_painted_and_the_other_face_stays_as_it_was(
    uncoverer: Uncoverer, result: Result, as_list: bool
) -> None:
    new = square(result, (40, 70))
    again = uncoverer.refill(result, masks=[new] if as_list else {0: new})
    changed = (again.pixels != result.photo.rgb).any(-1)
    second = result.faces[1].mask
    np.testing.assert_array_equal(again.pixels[second], result.pixels[second])
    assert changed[new].mean() > 0.9
    assert not (changed & ~new & ~second).any()


def test_what_was_corrected_stays_so_when_more_is_changed(
    uncoverer: Uncoverer, result: Result
) -> None:
    once = uncoverer.refill(result, masks={0: square(result, (40, 70))})
    twice = uncoverer.refill(once, skip=[1])
    first, second = once.faces[0].mask, result.faces[1].mask
    np.testing.assert_array_equal(twice.pixels[first], once.pixels[first])
    np.testing.assert_array_equal(twice.pixels[second], result.photo.rgb[second])
    assert [face.reason for face in twice.faces] == [None, "struck out"]


def test_an_empty_mask_leaves_its_face_alone(uncoverer: Uncoverer, result: Result) -> None:
    again = uncoverer.refill(result, masks={0: np.zeros((160, 200), bool)})
    assert [face.reason for face in again.faces] == [None, "no mask pixels found"]
    mask = result.faces[0].mask
    np.testing.assert_array_equal(again.pixels[mask], result.photo.rgb[mask])


@pytest.mark.parametrize("as_list", [True, False])
def test_a_mask_that_was_missed_is_painted_too(as_list: bool) -> None:
    uncoverer = make(BOXES[:1])
    result = uncoverer(draw_scene(BOXES))
    missed = np.abs(result.photo.rgb.astype(int) - (40, 90, 200)).sum(-1) < 40
    missed[:, :100] = False
    assert cloth_left(result.pixels) > 500
    again = uncoverer.refill(result, masks=[None, missed] if as_list else {None: missed})
    assert len(again.filled) == 2
    assert cloth_left(again.pixels) == 0


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"skip": [2]}, UncoverError, "there is no face 2: the photo has 2"),
        ({"skip": [-1]}, UncoverError, "there is no face -1"),
        ({"masks": {5: np.ones((160, 200), bool)}}, UncoverError, "there is no face 5"),
        ({"masks": {0: np.ones((9, 9), bool)}}, ImageError, "the mask is 9x9"),
        ({"masks": [None] * 4}, UncoverError, "4 masks for 2 faces"),
        ({"masks": np.ones((160, 200), bool)}, UncoverError, "160 masks for 2 faces"),
    ],
)
def test_what_does_not_fit_is_refused(
    uncoverer: Uncoverer, result: Result, change: dict, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        uncoverer.refill(result, **change)
