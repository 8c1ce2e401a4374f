import numpy as np
import pytest
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio

from benchmark.metrics.pixels import PixelScorer
from benchmark.metrics.psnr import decibels
from uncover.images.likeness import CEILING

RNG = np.random.default_rng(1)
TRUTH = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
HOLE = np.zeros((64, 64), bool)
HOLE[30:60, 10:50] = True


def painted(spread: int) -> np.ndarray:
    noise = np.random.default_rng(2).integers(-spread, spread + 1, TRUTH.shape)
    return np.where(HOLE[..., None], (TRUTH + noise).clip(0, 255), TRUTH).astype(np.uint8)


@pytest.mark.parametrize("spread", [1, 20, 200])
def test_agrees_with_torchmetrics(spread):
    fill = painted(spread)
    a, b = (torch.from_numpy(x).double() / 255 for x in (fill, TRUTH))
    whole, inside = decibels(fill, TRUTH, HOLE)
    mask = torch.from_numpy(HOLE)
    assert whole == pytest.approx(float(peak_signal_noise_ratio(a, b, data_range=1.0)), abs=1e-4)
    expected = peak_signal_noise_ratio(a[mask], b[mask], data_range=1.0)
    assert inside == pytest.approx(float(expected), abs=1e-4)


def test_whole_crop_flatters():
    whole, inside = decibels(painted(50), TRUTH, HOLE)
    share = HOLE.mean()
    assert whole - inside == pytest.approx(-10 * np.log10(share), abs=1e-6)


def test_identical_pictures_stay_finite():
    assert decibels(TRUTH, TRUTH, HOLE) == (CEILING, CEILING)


def test_scorer_gives_one_row_a_fill():
    rows = PixelScorer().score(TRUTH, HOLE, [TRUTH, painted(30)])
    assert rows.shape == (2, 6)
    assert rows[0, :5].tolist() == pytest.approx([1, 1, CEILING, CEILING, 1])
    assert (rows[1, :4] < rows[0, :4]).all()
    assert np.isnan(rows[:, 5]).all()  # no landmarks, no jaw
