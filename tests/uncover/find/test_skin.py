"""Ears beside a mask are told from it by the colour of the face's skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from uncover.find.overhang import Overhang
from uncover.find.skin import skin_like, without_ears

SIDE = 256
SKIN, CLOTH, LOOP, HAIR = (205, 155, 130), (230, 60, 120), (245, 245, 245), (60, 40, 30)
EAR = np.s_[110:150, 205:232]


def frame(cloth: tuple[int, int, int] = CLOTH) -> tuple[np.ndarray, np.ndarray]:
    """A face, a mask on it, and an ear with a loop around it that is all called mask."""
    seen = np.full((SIDE, SIDE, 3), HAIR, np.uint8)
    seen[50:200, 60:205] = SKIN
    seen[130:190, 70:190] = cloth
    seen[EAR] = SKIN
    for row in (110, 145):
        seen[row : row + 5, 190:232] = LOOP
    noise = np.random.default_rng(0).normal(0, 3, seen.shape)
    seen = (seen + noise).clip(0, 255).astype(np.uint8)
    probability = np.full((SIDE, SIDE), 0.02, np.float32)
    probability[130:190, 70:190] = 0.99
    probability[110:150, 190:232] = 0.8
    return seen, probability


def large(probability: np.ndarray) -> Overhang:
    nothing = np.zeros(probability.shape, bool)
    piece = nothing.copy()
    piece[110:150, 195:232] = True
    return Overhang(nothing, nothing, piece)


def test_an_ear_in_a_loop_stays_and_the_loop_becomes_a_strap() -> None:
    seen, probability = frame()
    skin = skin_like(seen, probability)
    assert skin is not None
    assert skin[120:140, 210:228].all()
    assert not skin[135:185, 75:185].any()
    left = without_ears(large(probability), skin)
    assert not (left.straps | left.short | left.large)[122:138, 212:226].any()
    assert left.straps[111:114, 212:226].all()
    assert left.straps[146:149, 212:226].all()
    assert not left.short.any()


def test_where_the_mask_looks_like_skin_nothing_changes() -> None:
    seen, probability = frame(cloth=SKIN)
    assert skin_like(seen, probability) is None
    overhang = large(probability)
    assert without_ears(overhang, None) is overhang


@pytest.mark.parametrize("hidden", ["skin", "mask"])
def test_without_skin_or_mask_in_sight_nothing_is_said(hidden: str) -> None:
    seen, probability = frame()
    probability[:] = 0.99 if hidden == "skin" else 0.02
    assert skin_like(seen, probability) is None


def test_an_eye_line_of_many_colours_says_nothing() -> None:
    seen, probability = frame()
    hue = np.random.default_rng(1).integers(0, 255, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
    seen[50:130] = cv2.resize(hue, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)[50:130]
    assert skin_like(seen, probability) is None


def test_overhang_that_is_no_skin_stays_as_it_is() -> None:
    seen, probability = frame()
    skin = skin_like(seen, probability)
    nothing = np.zeros((SIDE, SIDE), bool)
    piece = np.zeros((SIDE, SIDE), bool)
    piece[140:180, 20:60] = True  # on hair
    left = without_ears(Overhang(nothing, piece, nothing), skin)
    assert not left.straps.any()
    np.testing.assert_array_equal(left.short, piece)
    assert not left.large.any()
