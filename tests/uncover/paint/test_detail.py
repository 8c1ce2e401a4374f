"""Large faces get detail: which, what is shown, and that nothing else changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tests.uncover.fake_networks import SIZE, FakeGenerator, draw_scene, make
from uncover.crop import FaceCrop
from uncover.pipeline import Settings, Uncoverer

LARGE, MIDDLE = (40, 30, 240, 270), (260, 40, 300, 90)
LINES = 6  # levels by which the fake enlarger's detail goes up and down


@dataclass
class FakeEnlarger:
    """Enlarges, and draws lines of one pixel into the hole."""

    config: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(resolution=2 * SIZE))
    batches: list[int] = field(default_factory=list)
    crops: list[np.ndarray] = field(default_factory=list)
    holes: list[np.ndarray] = field(default_factory=list)

    def enlarge(self, answers: np.ndarray, crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
        self.batches.append(len(crops))
        self.crops.extend(crops)
        self.holes.extend(masks)
        side = self.config.resolution
        grown = np.stack([cv2.resize(x, (side, side)) for x in answers]).astype(int)
        grown[:, ::2] += LINES
        grown[:, 1::2] -= LINES
        out = np.where(masks[..., None], grown, crops)
        return np.clip(out, 0, 255).astype(np.uint8)


def detailed(enlarger: FakeEnlarger | None, *boxes: tuple[int, ...], **settings: object):
    plain = make(boxes, ["with_mask"] * len(boxes), [0.99] * len(boxes), **settings)
    networks = plain.detector, plain.segmenter, plain.generator
    return Uncoverer(*networks, settings=plain.settings, enlarger=enlarger)


def stripes(pixels: np.ndarray) -> float:
    """How strongly brightness goes up and down from row to row."""
    grey = pixels.astype(float).mean(-1)
    return float(np.abs(cv2.filter2D(grey, -1, np.array([[1.0], [-2.0], [1.0]]) / 4)).mean())


def test_only_large_faces_are_seen_closer() -> None:
    photo, enlarger = draw_scene([LARGE, MIDDLE], size=(300, 340)), FakeEnlarger()
    result = detailed(enlarger, LARGE, MIDDLE)(photo)
    assert [f.reason for f in result.faces] == [None, None]
    assert enlarger.batches == [1]
    without = detailed(None, LARGE, MIDDLE)(photo)
    changed = (result.pixels != without.pixels).any(-1)
    assert changed.any()
    assert not (changed & ~result.faces[0].mask).any()


def test_pixels_outside_the_mask_stay_and_the_detail_is_there() -> None:
    photo = draw_scene([LARGE], size=(300, 300))
    result = detailed(FakeEnlarger(), LARGE)(photo)
    without = detailed(None, LARGE)(photo)
    mask = result.faces[0].mask
    assert np.array_equal(mask, without.faces[0].mask)
    assert np.array_equal(result.pixels[~mask], photo[~mask])
    x0, y0, x1, y1 = result.faces[0].rect
    inner = np.s_[y0 + 20 : y1 - 20, x0 + 30 : x1 - 30]
    assert stripes(result.pixels[inner]) > 2 * stripes(without.pixels[inner])


def test_what_is_hidden_closer_is_all_that_was_hidden_or_is_painted() -> None:
    photo, enlarger = draw_scene([LARGE], size=(300, 260)), FakeEnlarger()
    uncoverer = detailed(enlarger, LARGE)
    result = uncoverer(photo)
    (near,) = uncoverer.generator.holes  # type: ignore[attr-defined]
    (hole,), (seen,) = enlarger.holes, enlarger.crops
    assert hole[::2, ::2][near].all()
    assert (hole.mean() - near.mean()) < 0.05
    # The crop is the same square: what it shows shrinks to what the generator was shown.
    (crop,) = uncoverer.generator.crops  # type: ignore[attr-defined]
    gap = np.abs(cv2.resize(seen, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(int) - crop)
    assert np.median(gap) <= 3
    assert result.faces[0].mask.any()


def test_samples_and_faces_share_passes() -> None:
    boxes = [(20, 20, 160, 200), (200, 20, 340, 200)]
    photo, enlarger = draw_scene(boxes, size=(220, 360)), FakeEnlarger()
    result = detailed(enlarger, *boxes, samples=3)(photo)
    assert enlarger.batches == [4, 2]
    assert len(result.images) == 3
    assert not np.array_equal(result.pixels, result.others[0])


def test_a_given_mask_and_a_refill_get_detail_too() -> None:
    photo = draw_scene([LARGE], size=(300, 300))
    enlarger = FakeEnlarger()
    uncoverer = Uncoverer(
        make().detector, make().segmenter, FakeGenerator(), Settings(), enlarger=enlarger
    )
    mask = np.zeros(photo.shape[:2], bool)
    mask[150:230, 90:200] = True
    result = uncoverer.fill(photo, mask)
    assert enlarger.batches == [1]
    assert np.array_equal(result.pixels[~mask], photo[~mask])
    again = uncoverer.refill(result)
    assert np.array_equal(again.pixels, result.pixels)


def test_a_dark_photo_is_lit_for_the_enlarger_as_well() -> None:
    photo = draw_scene([LARGE], size=(300, 300)) // 5
    enlarger = FakeEnlarger()
    mask = np.zeros(photo.shape[:2], bool)
    mask[150:230, 90:200] = True
    uncoverer = Uncoverer(
        make().detector, make().segmenter, FakeGenerator(), Settings(), enlarger=enlarger
    )
    result = uncoverer.fill(photo, mask)
    assert enlarger.crops[0].max() > 2 * photo.max()
    assert result.pixels[mask].mean() < 90


@pytest.mark.parametrize("factor", [2, 3])
def test_a_finer_crop_is_the_same_square(factor: int) -> None:
    crop = FaceCrop.from_box((10, 20, 90, 130), 32, roll=20)
    fine = crop.finer(factor)
    assert fine.size == 32 * factor
    np.testing.assert_allclose(fine.corners(), crop.corners(), atol=1e-9)
