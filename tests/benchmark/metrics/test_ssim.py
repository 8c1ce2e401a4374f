import numpy as np
import pytest
import torch
from skimage.data import astronaut
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from benchmark.metrics.ssim import ssim
from uncover.images import ssim_map


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = np.ascontiguousarray(astronaut()[:128, 160:288])
    rng = np.random.default_rng(0)
    fill = truth.copy()
    hole = np.zeros(truth.shape[:2], bool)
    hole[50:110, 20:100] = True
    fill[hole] = rng.integers(0, 256, (hole.sum(), 3))
    return fill, truth, hole


def as_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].double() / 255


def test_agrees_with_torchmetrics(pair):
    fill, truth, hole = pair
    value, full = structural_similarity_index_measure(
        as_tensor(fill), as_tensor(truth), data_range=1.0, return_full_image=True
    )
    expected = full[0].permute(1, 2, 0).numpy()
    whole, inside = ssim(fill, truth, hole)
    assert whole == pytest.approx(float(value), abs=1e-6)
    assert inside == pytest.approx(expected[hole].mean(), abs=1e-6)
    np.testing.assert_allclose(ssim_map(fill, truth), expected, atol=1e-6)


def test_agrees_with_scikit_image_away_from_edges(pair):
    fill, truth, _ = pair
    _, full = structural_similarity(
        fill / 255.0, truth / 255.0, data_range=1.0, channel_axis=2, gaussian_weights=True,
        sigma=1.5, use_sample_covariance=False, full=True,
    )  # fmt: skip
    inner = np.s_[8:-8, 8:-8]
    np.testing.assert_allclose(ssim_map(fill, truth)[inner], full[inner], atol=1e-6)


def test_identical_pictures_give_one(pair):
    _, truth, hole = pair
    assert ssim(truth, truth, hole) == pytest.approx((1.0, 1.0), abs=1e-12)


def test_damage_outside_the_hole_does_not_count_inside(pair):
    _, truth, hole = pair
    far = truth.copy()
    far[:20] = 0
    whole, inside = ssim(far, truth, hole)
    assert whole < 0.95
    assert inside == pytest.approx(1.0, abs=1e-9)
