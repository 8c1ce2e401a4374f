from __future__ import annotations

import numpy as np
import pytest

from tests.uncover.cli_scene import BOX, SCENE
from tests.uncover.fake_networks import draw_scene, make
from uncover.errors import UncoverError
from uncover.scale import Together

BLANK = np.full((160, 200, 3), 99, np.uint8)


def test_faces_of_several_photos_share_passes_and_come_out_the_same() -> None:
    photos = [draw_scene([BOX], seed=seed) for seed in range(6)]
    alone, together = make([BOX]), make([BOX])
    expected = [alone(photo).pixels for photo in photos]
    for given, found in zip(expected, Together(together, at_once=6)(photos), strict=True):
        np.testing.assert_array_equal(found.pixels, given)
    assert max(together.segmenter.batches) > 1 >= max(alone.segmenter.batches)
    assert sum(together.segmenter.batches) == sum(alone.segmenter.batches)


def test_no_pass_holds_more_faces_than_are_allowed() -> None:
    uncoverer = make([BOX], batch=2)
    Together(uncoverer, at_once=6)([SCENE] * 6)
    assert max(uncoverer.segmenter.batches) == 2


def test_photos_that_ask_nothing_and_photos_that_fail_hold_up_no_one() -> None:
    uncoverer = make([BOX])
    painted = uncoverer.generator.fill

    def fill(crops: np.ndarray, masks: np.ndarray, **told: object) -> np.ndarray:
        if len(crops) > 1 or crops[0, 0, 0, 0] == 7:
            raise UncoverError("too hard")
        return painted(crops, masks, **told)

    uncoverer.generator.fill = fill
    together = Together(uncoverer, at_once=3)

    def work(one: object, photo: np.ndarray | str) -> str:
        if isinstance(photo, str):
            return photo
        try:
            return str(len(one(photo).filled))
        except UncoverError as error:
            return str(error)

    black = np.full_like(SCENE, 7)
    black[60:130, 60:140] = SCENE[60:130, 60:140]
    assert together.map(work, [SCENE, "none", black, SCENE]) == ["1", "none", "too hard", "1"]


def test_no_photos_no_answers() -> None:
    assert Together(make([BOX]))([]) == []


@pytest.mark.parametrize("at_once", [1, 2])
def test_more_photos_than_at_once(at_once: int) -> None:
    assert len(Together(make([BOX]), at_once)([SCENE] * 5)) == 5
