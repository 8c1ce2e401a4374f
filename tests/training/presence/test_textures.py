"""Pictures without a face: of every kind, the same from the same seed, with or without a mask."""

from __future__ import annotations

import numpy as np
import pytest

from training.presence import textures
from training.presence.textures import draw_texture, lay_mask
from uncover.faces.drawn import draw_face

KINDS = ["_noise", "_pebbles", "_blades", "_tiles", "_clutter"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_structure_at_any_size(kind: str) -> None:
    draw = getattr(textures, kind)
    for seed, (width, height) in enumerate([(480, 360), (101, 77), (320, 321)]):
        picture = draw(np.random.default_rng(seed), width, height)
        assert picture.shape == (height, width, 3)
        assert np.isfinite(picture).all()
        assert np.clip(picture, 0, 255).std() > 2


def test_a_seed_gives_one_picture_and_seeds_differ() -> None:
    one, same, other = (draw_texture(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.dtype == np.uint8
    assert one.shape == (360, 480, 3)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_mask_is_laid_inside_its_box_and_nowhere_else() -> None:
    landmarks = draw_face(0, 256).landmarks
    covered = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        picture = np.full((360, 480, 3), 90, np.uint8)
        drawn, box = lay_mask(picture, landmarks, rng)
        assert drawn.shape == picture.shape
        changed = np.argwhere((drawn != picture).any(-1))
        assert len(changed) > 200
        middle = changed.mean(0)[::-1]
        assert (middle > box[:2]).all()
        assert (middle < box[2:]).all()
        covered.append(len(changed) / ((box[2] - box[0]) * (box[3] - box[1])))
    assert max(covered) < 1
