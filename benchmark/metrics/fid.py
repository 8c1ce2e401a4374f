"""Frechet distance between two sets of feature rows.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule" (2017). With centred rows A and B,
scaled so that A'A and B'B are the covariances, tr sqrt(cov_a cov_b) is the sum of the singular
values of A B': symmetric, free of complex roots, and exact for fewer rows than features, where
the eigenvalues of the product lose their digits. Equal to torchmetrics' within its accuracy.

The distance is biased: it grows as the sets shrink, by an amount that depends on the model
(Chong and Forsyth, "Effectively Unbiased FID and Inception Score", 2020). Compare at equal n and
read KID first.
"""

from __future__ import annotations

import numpy as np


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Distance of feature rows (n, d) and (m, d); n, m >= 2; 0 for equal sets."""
    a, b = _factor(real), _factor(fake)
    shift = real.mean(0, dtype=np.float64) - fake.mean(0, dtype=np.float64)
    overlap = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(max(0.0, shift @ shift + (a * a).sum() + (b * b).sum() - 2 * overlap))


def _factor(rows: np.ndarray) -> np.ndarray:
    """A matrix of at most d rows whose Gram matrix A'A is the covariance of the rows."""
    n, d = rows.shape
    centred = (rows - rows.mean(0, dtype=np.float64)) / np.sqrt(n - 1)
    if n <= d:
        return centred
    return np.linalg.qr(centred, mode="r")
