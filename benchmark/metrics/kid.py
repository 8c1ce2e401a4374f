"""Kernel distance (KID): the squared maximum mean discrepancy under a cubic kernel.

Binkowski et al., "Demystifying MMD GANs" (2018): k(x, y) = (x.y / d + 1)^3. It is unbiased at any
n. The usual recipe averages the estimate over random subsets of one size; the average over *all*
subsets of a size is the same for every size (it is the complete U-statistic), so that is what
`paired_kid` computes: KID at one common subset size, without the noise of drawing subsets.

Fill i and bare face i show the same person, so the pair (i, i) is not a pair of independent
samples; torchmetrics' formula keeps such pairs (`kid`), which shifts small sets more than large
ones. `paired_kid` leaves them out, so that slices of different n can be compared.
"""

from __future__ import annotations

import numpy as np

BLOCK = 2048  # photos whose pairs are formed at a time
DRAWS = 256  # resamples weighed at a time


def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, m) kernel matrix of rows (n, d) and (m, d)."""
    k = x.astype(np.float64) @ y.astype(np.float64).T
    k /= x.shape[1]
    k += 1.0
    k *= k * k  # a power takes ten times as long
    return k


def kid(real: np.ndarray, fake: np.ndarray) -> float:
    """The estimate for one subset as torchmetrics computes it: rows (m, d) and (m, d), m >= 2."""
    m = len(real)
    xx, yy, xy = kernel(real, real), kernel(fake, fake), kernel(real, fake)
    within = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
    return float(within / (m * (m - 1)) - 2 * xy.sum() / m**2)


def paired_kid(real: np.ndarray, fake: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """KID of fills and their bare faces under resampling.

    Args:
        real, fake: (n, d); row i of both belongs to photo i. n >= 2.
        counts: (draws, n), how often each photo occurs in a draw; ones give the estimate itself.
            A photo drawn twice is not paired with itself.

    Returns:
        float64 (draws,). Over 2,048 photos, pairs are formed within blocks of that many.
    """
    total = np.zeros(len(counts))
    pairs = np.zeros(len(counts))
    blocks = max(1, round(len(real) / BLOCK))
    for part in np.array_split(np.arange(len(real)), blocks):
        x, y = real[part], fake[part]
        h = kernel(x, x)
        h += kernel(y, y)
        xy = kernel(x, y)
        h -= xy
        h -= xy.T
        np.fill_diagonal(h, 0.0)
        for start in range(0, len(counts), DRAWS):
            draws = slice(start, start + DRAWS)
            weights = counts[draws, part[0] : part[-1] + 1].astype(np.float64)
            total[draws] += np.einsum("bi,bi->b", weights @ h, weights)
            pairs[draws] += weights.sum(1) ** 2 - (weights**2).sum(1)
    return total / pairs
