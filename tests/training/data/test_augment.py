"""Light and occluders."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.augment import add_occluder, vary_light
from uncover.faces.drawn import draw_face


@pytest.mark.parametrize("seed", range(8))
def test_light_keeps_shape_type_and_repeats(seed):
    image = draw_face(1, 64).image
    one = vary_light(np.random.default_rng(seed), image)
    two = vary_light(np.random.default_rng(seed), image)
    assert one.shape == image.shape
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, two)
    assert (one != image).any()


@pytest.mark.parametrize("seed", range(12))
def test_what_an_occluder_hides_is_no_longer_mask(seed):
    image = np.full((96, 96, 3), 128, np.uint8)
    mask = np.ones((96, 96), np.float32)
    skin = np.float32([20, 220, 30])
    covered, left = add_occluder(np.random.default_rng(seed), image, mask, skin)
    changed = np.abs(covered.astype(int) - 128).max(axis=2) > 12
    assert left.min() >= 0
    assert left.max() <= 1
    assert (left[changed] < 1).all()
    assert (covered[left == 1] == 128).all()
