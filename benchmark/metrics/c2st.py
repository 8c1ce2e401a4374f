"""Can a classifier tell fills from photos? The classifier two-sample test.

Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests" (2017). A linear classifier (ridge
regression on standardised features, which for two classes is Fisher's discriminant with shrinkage)
learns on four fifths of the photos and judges the last fifth; fill and bare face of one photo are
always in the same fold. The number is the area under the ROC curve of these held-out judgements:
0.5 is "cannot tell", 1 "always tells". Identical pictures give 0.5 exactly, since ties count half.

`texture` and `structure` differ in the features alone: see `benchmark.features.windows`.
"""

from __future__ import annotations

import numpy as np

FOLDS = 5
SHRINKAGE = 0.3
"""Ridge, as a part of the features' mean variance. Looked at from .01 to 10 on 120 val photos each
of UTKFace and All-Age-Faces, blurred by 1.5 px of 200 in the hole or filled by Telea's method, with
features of EfficientNet-Lite2: from .1 to 3 the AUC moves by .02 (UTKFace, blurred, texture: .81 to
.83) and elsewhere by .002, so little hangs on it."""
CHUNK = 128  # resamples weighed at a time


def fold_of(ids: list[str]) -> np.ndarray:
    """int (n,): each photo's fold, dealt by the order of the names, so any order of photos does."""
    folds = np.empty(len(ids), np.int64)
    folds[np.argsort(np.array(ids, dtype=object), kind="stable")] = np.arange(len(ids)) % FOLDS
    return folds


def held_out_judgements(
    real: np.ndarray, fake: np.ndarray, folds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How much like a fill each picture looks to a classifier that has not seen its photo.

    Args:
        real, fake: (n, d) features; row i of both belongs to photo i.
        folds: int (n,).

    Returns:
        float64 (n,) of the bare faces and of the fills; larger is more like a fill.
    """
    both = np.stack([real, fake]).astype(np.float64)
    centre = both.mean((0, 1))
    spread = both.std((0, 1))
    both -= centre
    both /= np.where(spread > 1e-12, spread, 1.0)
    n, d = real.shape
    sums = np.zeros((FOLDS, 2, d))
    grams = np.zeros((FOLDS, d, d))
    for k in range(FOLDS):
        part = both[:, folds == k]
        sums[k] = part.sum(1)
        flat = part.reshape(-1, d)
        grams[k] = flat.T @ flat
    judged = np.zeros((2, n))
    for k in range(FOLDS):
        inside = folds == k
        count = n - int(inside.sum())
        if not count or not inside.any():
            continue
        left = sums.sum(0) - sums[k]
        mean = left.sum(0) / (2 * count)
        scatter = (grams.sum(0) - grams[k]) / (2 * count) - np.outer(mean, mean)
        scatter[np.diag_indices(d)] += SHRINKAGE
        direction = np.linalg.solve(scatter, (left[1] - left[0]) / count)
        judged[:, inside] = (both[:, inside] - mean) @ direction
    return judged[0], judged[1]


def auc(real: np.ndarray, fake: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Area under the ROC curve: how often a fill is judged more like a fill than a bare face is.

    Args:
        real, fake: (n,) judgements.
        counts: (draws, n), how often each photo occurs in each resample; None for once each.

    Returns:
        float64 (draws,), or (1,) without counts.
    """
    if counts is None:
        counts = np.ones((1, len(real)))
    values, place = np.unique(np.concatenate([real, fake]), return_inverse=True)
    n, bins = len(real), len(values)
    order_real = np.argsort(place[:n], kind="stable")
    edges = np.searchsorted(place[:n][order_real], np.arange(bins + 1))
    lower, upper = edges[place[n:]], edges[place[n:] + 1]
    found = np.empty(len(counts))
    for start in range(0, len(counts), CHUNK):
        weights = counts[start : start + CHUNK].astype(np.float64)
        below = np.concatenate(
            [np.zeros((len(weights), 1)), np.cumsum(weights[:, order_real], 1)], 1
        )
        ahead = (below[:, lower] + below[:, upper]) / 2
        total = weights.sum(1)
        found[start : start + CHUNK] = (weights * ahead).sum(1) / total**2
    return found
