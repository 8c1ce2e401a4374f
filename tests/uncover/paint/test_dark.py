"""Dark photos are painted as dark as they are."""

from __future__ import annotations

import numpy as np
import pytest

from uncover.paint.dark import gain_for, lit
from uncover.paint.samples import answers

RNG = np.random.default_rng(0)
LIT = RNG.integers(60, 200, (64, 64, 3)).astype(np.uint8)
HOLE = np.zeros((64, 64), bool)
HOLE[30:60, 10:50] = True


class KnowsTheLight:
    """Paints in the mean colour of what it sees, but never darker than the photos it knows."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def fill(self, crops: np.ndarray, holes: np.ndarray) -> np.ndarray:
        self.seen.extend(crops)
        means = [max(60.0, crop[~hole].mean()) for crop, hole in zip(crops, holes, strict=True)]
        return np.stack([np.full_like(crops[0], round(mean)) for mean in means])


@pytest.mark.parametrize("by", [0.05, 0.1, 0.2, 0.35])
def test_what_is_painted_is_as_dark_as_the_photo(by: float) -> None:
    dark = np.rint(LIT * by).astype(np.uint8)
    painted = answers(KnowsTheLight(), dark[None], HOLE[None])[0][0]
    assert painted[HOLE].mean() == pytest.approx(dark[~HOLE].mean(), abs=1.0)


def test_bright_photos_are_shown_as_they_are() -> None:
    generator = KnowsTheLight()
    answers(generator, LIT[None], HOLE[None])
    assert np.array_equal(generator.seen[0], LIT)
    assert lit(LIT, 1.0) is LIT


def test_a_white_mask_does_not_hide_that_the_photo_is_dark() -> None:
    dark = np.rint(LIT * 0.2).astype(np.uint8)
    dark[HOLE] = 255
    assert gain_for(dark, HOLE) > 2
    assert gain_for(dark, np.ones_like(HOLE)) == 1
