"""A probability drawn to a picture's edges: where there are some, and where there are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from uncover.crop.edges import snapped

SIDE = 128
SKIN, BLUE = (205, 160, 140), (90, 140, 200)


def scene(cloth: tuple[int, int, int] = BLUE) -> tuple[np.ndarray, np.ndarray]:
    """A crop with a mask on it, with grain, and where the mask is."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(mask, (64, 84), (40, 30), 0, 0, 360, 1, -1)
    picture = np.where(mask[..., None] > 0, cloth, SKIN).astype(float)
    picture += np.random.default_rng(0).normal(0, 3, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), mask > 0


def off(mask: np.ndarray, pixels: int) -> np.ndarray:
    """What a network says whose border lies `pixels` too far out, and is soft."""
    wide = cv2.dilate(mask.view(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8))
    return cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 2)


def wrong(probability: np.ndarray, mask: np.ndarray) -> int:
    return int(((probability >= 0.5) != mask).sum())


@pytest.mark.parametrize("pixels", [1, 2])
def test_the_border_moves_to_the_edge_of_the_cloth(pixels: int) -> None:
    seen, mask = scene()
    probability = off(mask, pixels)
    assert wrong(snapped(probability, seen), mask) < 0.5 * wrong(probability, mask)


def test_without_an_edge_the_border_stays() -> None:
    seen, mask = scene(SKIN)
    probability = off(mask, 0)
    assert wrong(snapped(probability, seen), mask) < 0.03 * mask.sum()


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_plain_probability_is_kept(value: float) -> None:
    seen, _ = scene()
    plain = np.full((SIDE, SIDE), value, np.float32)
    assert np.allclose(snapped(plain, seen), value, atol=2e-3)


@pytest.mark.parametrize("side", [8, 65, 256])
def test_any_side_and_a_black_picture_give_numbers_in_range(side: int) -> None:
    rng = np.random.default_rng(side)
    probability = rng.random((side, side), dtype=np.float32)
    for seen in (np.zeros((side, side, 3), np.uint8), rng.integers(0, 256, (side, side, 3), "u1")):
        found = snapped(probability, seen)
        assert found.shape == (side, side)
        assert found.dtype == np.float32
        assert found.min() >= 0
        assert found.max() <= 1
