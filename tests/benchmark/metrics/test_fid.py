import numpy as np
import pytest
import torch
from torchmetrics.image.fid import FrechetInceptionDistance

from benchmark.metrics.fid import frechet_distance


class Rows(torch.nn.Module):
    """Takes the first pixels of a picture as its features."""

    num_features = 12

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, : self.num_features].float()


def rows(n: int, shift: float = 0.0, seed: int = 0, d: int = 12) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(d, d))
    return rng.normal(size=(n, d)) @ mixing + shift


def test_agrees_with_torchmetrics():
    pictures = [
        np.random.default_rng(s).integers(0, 256, (60, 3, 2, 2), dtype=np.uint8) // (1 + s)
        for s in (0, 1)
    ]
    metric = FrechetInceptionDistance(feature=Rows(), normalize=False)
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(pictures[0]), real=True)
    metric.update(torch.from_numpy(pictures[1]), real=False)
    a, b = (p.reshape(60, -1).astype(np.float64) for p in pictures)
    expected = float(metric.compute())
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6, abs=1e-4)


def test_known_value_of_shifted_gaussians():
    a = rows(400)
    assert frechet_distance(a, a + 3.0) == pytest.approx(12 * 9.0, rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(300, 12), (10, 40)])
def test_identical_sets_give_zero(n, d):
    a = rows(n, d=d)
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-8)


def test_fewer_rows_than_features_agrees_with_the_matrix_root():
    from scipy.linalg import sqrtm

    a, b = rows(8, d=12), rows(8, 0.5, seed=1)
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    root = sqrtm(cov_a @ cov_b).real
    shift = a.mean(0) - b.mean(0)
    expected = shift @ shift + np.trace(cov_a + cov_b - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-4)


def test_bias_falls_with_n():
    small = np.mean([frechet_distance(rows(20, seed=s), rows(20, seed=s + 100)) for s in range(10)])
    large = np.mean(
        [frechet_distance(rows(500, seed=s), rows(500, seed=s + 100)) for s in range(10)]
    )
    assert small > 4 * large
