"""A mask drawn on a bare face and taken off again."""

from __future__ import annotations

import numpy as np
import pytest

from page.tryon.tryon import compare, in_words, make_style, put_on, take_off
from tests.browser import stand_ins
from uncover.errors import UncoverError
from uncover.images import read_image


def test_mask_on_and_off_on_a_real_face() -> None:
    photo = read_image(stand_ins.ASTRONAUT)
    masked = put_on(photo, make_style("surgical", "rgba(40, 90, 200, 1)", 0.3))
    assert np.array_equal(masked.bare, photo.rgb)
    assert masked.covered.sum() > 2000
    guess = take_off(stand_ins.uncoverer(), masked)
    assert 0 <= guess.scores.ssim_hole < guess.scores.ssim < 1
    assert guess.scores.lpips_hole is None or guess.scores.lpips_hole > 0
    assert "SSIM" in in_words(guess)
    changed = (guess.result.pixels != masked.masked).any(-1)
    assert (changed & masked.covered).any()


def test_identical_faces_score_as_identical() -> None:
    photo = read_image(stand_ins.ASTRONAUT)
    masked = put_on(photo, make_style("cloth", "#cc3333", 0.5))
    scores = compare(photo.rgb, photo.rgb, masked.covered, masked.crop)
    assert scores.ssim_hole == pytest.approx(1, abs=1e-5)
    assert scores.lpips is None or scores.lpips == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "style", [("top hat", "#ffffff", 0.5), ("cloth", "reddish", 0.5), ("cloth", "#ffffff", 7.0)]
)
def test_impossible_masks_are_refused(style) -> None:
    with pytest.raises(UncoverError, match="cannot be drawn"):
        make_style(*style)
