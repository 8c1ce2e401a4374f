"""Bands, trims, glasses and filters on drawn masks: the mask's truth follows what is drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.segmenter.attachments import (
    add_filters,
    add_head_bands,
    add_trim,
    dye_straps,
    put_glasses_on,
)
from uncover.faces.drawn import draw_face
from uncover.masking import MaskStyle, draw_mask

FACE = draw_face(4, 200)


@pytest.fixture(scope="module")
def masked() -> tuple[np.ndarray, np.ndarray]:
    style = MaskStyle(kind="surgical", fastening="loops")
    return draw_mask(FACE.image, FACE.landmarks, style)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_only_the_straps_are_dyed(masked: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = masked
    dyed = dye_straps(image, mask, FACE.landmarks, rng())
    changed = np.abs(dyed.astype(int) - image).sum(-1) > 20
    assert changed.sum() > 60
    assert not changed[mask == 0].any()
    low, high = FACE.landmarks[33, 1], FACE.landmarks[8, 1]
    middle = np.s_[int(low) : int(high), int(FACE.landmarks[48, 0]) : int(FACE.landmarks[54, 0])]
    assert not changed[middle].any()  # the mask's body keeps its colour


def test_without_a_mask_there_is_nothing_to_dye(masked: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = masked
    assert dye_straps(image, np.zeros_like(mask), FACE.landmarks, rng()) is image


def test_a_frame_hides_the_mask_and_a_clear_lens_does_not(
    masked: tuple[np.ndarray, np.ndarray],
) -> None:
    image, mask = masked
    lost = []
    for seed in range(24):
        seen, left = put_glasses_on(image, mask, FACE.landmarks, rng(seed))
        assert (left <= mask).all()
        assert (seen != image).any()
        hidden = (mask > 0.5) & (left < 0.5)
        lost.append(hidden.sum() / (mask > 0.5).sum())
        assert np.abs(seen.astype(int) - image).sum(-1)[hidden].mean() > 20 or not hidden.any()
    assert max(lost) > 0.01
    assert np.median(lost) < 0.05


@pytest.mark.parametrize("attach", [add_filters, add_head_bands])
def test_what_is_attached_is_mask(attach: object, masked: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = masked
    seen, more = attach(image, mask, FACE.landmarks, rng(2))  # type: ignore[operator]
    assert (more >= mask).all()
    new = (more > 0.5) & (mask < 0.5)
    assert new.sum() > 20
    changed = (seen != image).any(-1)
    assert changed[new].mean() > 0.9
    assert not changed[more == 0].any()


def test_bands_run_from_the_mask_to_both_sides(masked: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = masked
    more = add_head_bands(image, mask, FACE.landmarks, rng(3))[1]
    new = (more > 0.5) & (mask < 0.5)
    count, _ = cv2.connectedComponents((more > 0.5).astype(np.uint8))
    assert count == 2  # nothing, and one piece: every band begins at the mask
    columns = np.flatnonzero(new.any(0))
    assert columns.min() < FACE.landmarks[0, 0] + 3
    assert columns.max() > FACE.landmarks[16, 0] - 3


def test_a_mask_on_the_chin_gets_no_bands() -> None:
    style = MaskStyle(kind="surgical", fastening="none", wear="chin")
    image, mask = draw_mask(FACE.image, FACE.landmarks, style)
    for seed in range(8):
        seen, more = add_head_bands(image, mask, FACE.landmarks, rng(seed))
        np.testing.assert_array_equal(more, mask)
        np.testing.assert_array_equal(seen, image)


def test_a_trim_lies_along_the_edge(masked: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = masked
    inside, outside = 0, 0
    for seed in range(12):
        seen, more = add_trim(image, mask, FACE.landmarks, rng(seed))
        changed = np.abs(seen.astype(int) - image).sum(-1) > 30
        assert not changed[more == 0].any()
        inside += changed[mask > 0.99].any()
        outside += ((more > 0.5) & (mask < 0.5)).any()
    assert inside
    assert outside


@pytest.mark.parametrize("attach", [put_glasses_on, add_filters, add_head_bands, add_trim])
def test_the_same_draws_give_the_same_picture(
    attach: object, masked: tuple[np.ndarray, np.ndarray]
) -> None:
    once, again = (attach(*masked, FACE.landmarks, rng(5)) for _ in range(2))  # type: ignore[operator]
    np.testing.assert_array_equal(once[0], again[0])
    np.testing.assert_array_equal(once[1], again[1])
