"""Several answers to one face, as the page asks for them and gets them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from page.show.guesses import FULL, guess_pictures, spread_map
from page.visit.correction import Correction, fill_again
from page.visit.editor import for_editor
from page.visit.visit import again, open_photo, start
from tests.browser import stand_ins
from tests.uncover.small_generator import small_generator
from uncover.errors import UncoverError
from uncover.pipeline import Uncoverer


@pytest.mark.parametrize("varied", [True, False])
def test_the_control_is_there_where_it_has_an_effect(tmp_path: Path, varied: bool) -> None:
    parts = stand_ins.parts(stand_ins.chosen(tmp_path, small_generator(varied)))
    assert parts["others"].visible is varied
    assert parts["others"].value == 0
    assert ("one-answer" in parts) is not varied
    if not varied:
        assert "one answer" in parts["one-answer"].value


@pytest.fixture
def uncoverer() -> Uncoverer:
    return stand_ins.uncoverer(small_generator())


def test_pictures_of_every_face(uncoverer: Uncoverer, tmp_path: Path) -> None:
    photo = stand_ins.clothed(tmp_path / "photo.png")
    visit, view = start(uncoverer, photo, tmp_path / "out", "feather", False, samples=3)
    captions = [caption for _, caption, _, _ in view.guesses]
    assert [caption.split(":")[0] for caption in captions] == [
        "Face 1, best guess",
        "Face 1, guess 2 of 3",
        "Face 1, guess 3 of 3",
        "Face 1, where the guesses differ",
    ]
    assert [(one.face, one.guess) for one in view.guesses] == [(0, 0), (0, 1), (0, 2), (0, None)]
    assert all("not an identification" in caption for caption in captions[:-1])
    best, second, third, _ = (one.pixels for one in view.guesses)
    assert best.dtype == np.uint8
    assert not np.array_equal(best, second)
    assert not np.array_equal(second, third)
    _, alone = start(uncoverer, photo, tmp_path / "out", "feather", False)
    assert alone.guesses == []
    refilled = again(
        uncoverer,
        visit,
        for_editor(visit, open_photo(photo)),
        tmp_path / "out",
        "feather",
        samples=3,
    )
    for one, other in zip(view.guesses, refilled[1].guesses, strict=True):
        assert one.caption == other.caption
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_missed_mask_has_guesses_too(uncoverer: Uncoverer, tmp_path: Path) -> None:
    photo = stand_ins.clothed(tmp_path / "photo.png")
    visit, _ = start(uncoverer, photo, tmp_path / "out", "feather", False)
    whole = np.zeros((512, 512), bool)
    whole[300:360, 200:280] = True
    changes = [Correction(True), Correction(True, whole)]
    opened = open_photo(photo)
    result = fill_again(uncoverer, opened, visit.faces, visit.regions, changes, "feather", 2)
    assert len(result.filled) == 2
    assert len(result.others) == 1
    for pixels in (result.pixels, *result.others):
        differs = (pixels != opened.rgb).any(-1)
        assert not (differs & ~whole & ~visit.faces[0].mask).any()
    assert (result.pixels != result.others[0]).any(-1)[300:360, 200:280].any()
    names = [caption.split(",")[0] for _, caption, _, _ in guess_pictures(result, 9)]
    assert names == ["Face 1"] * 3 + ["Face 2"] * 3
    assert len(guess_pictures(result, 1)) == 3


def test_one_answer_is_said(tmp_path: Path) -> None:
    uncoverer = stand_ins.uncoverer(small_generator(told=False))
    photo = stand_ins.clothed(tmp_path / "photo.png")
    visit, _ = start(uncoverer, photo, tmp_path / "out", "feather", False)
    with pytest.raises(UncoverError, match="one answer to a face"):
        start(uncoverer, photo, tmp_path / "out", "feather", False, samples=2)
    with pytest.raises(UncoverError, match="one answer to a face"):
        again(
            uncoverer,
            visit,
            for_editor(visit, open_photo(photo)),
            tmp_path / "out",
            "feather",
            samples=2,
        )


def test_the_map_is_brighter_where_guesses_differ_more() -> None:
    spread = np.array([[0, FULL / 4, FULL / 2, FULL, 3 * FULL]], np.float32)
    drawn = spread_map(np.full((1, 5, 3), 90, np.uint8), spread)[0].astype(int)
    assert drawn[0].tolist() == [45, 45, 45]
    brightness = drawn.sum(-1)
    assert brightness[1] < brightness[2] < brightness[3] == brightness[4]
