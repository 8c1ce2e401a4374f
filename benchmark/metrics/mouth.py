"""How far a painted mouth lies outside what photos show: torn, doubled or missing lips.

A face mesh looks at the picture three times, in slightly different frames, and gives the lips'
outline each time; along the outline the colours across it are read. Two linear models (principal
components with noise: Tipping and Bishop, 1999) are fitted on the bare faces of the run: one of the
three outlines together, in which mouths that the mesh cannot settle on fall apart, and one of the
colours, brightness and contrast taken out, as in active shape models (Cootes and Taylor, 1995).
Each tells how far a mouth lies from the average along its components and off them. `mouth` is the
root of the mean square of the four, over the median of bare faces: 1 is as in photos.

A photo is judged by models that were fitted without it. A blurred mouth lies within the models, or
nearly so; a torn or doubled one does not. On 250 bare faces of FairFace's val split and copies with
faults put in, medians: bare 1.00, blurred by 1.5, 3 and 5 px of 200 .92, .84 and .86, doubled 1.16,
torn 1.37, filled by Telea's method 1.39. Faces vary: of a torn and a blurred mouth of two people
the torn one scores worse in 88 of 100 pairs, a doubled one in 77. Read it on sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import linalg

from benchmark.digests import code_digest
from uncover.crop import FaceCrop
from uncover.faces import Square, fit_mesh, five_points


@dataclass(frozen=True)
class Tuned:
    """Chosen by how well torn, doubled and Telea's mouths part from blurred ones.

    outline and colour were chosen of 6, 12, 24 and 10, 20, 40 on 250 faces of FairFace's val split,
    the rest earlier on 327 faces of UTKFace's test split (no network's fill among them).

    zooms, rolls, shifts: of the three views, in sides of the canonical frame, degrees and sides.
    reach, steps: half the length of a profile in frame sides, and its points.
    outline, colour: components of the two models. floor: faintest contrast, in Lab units, that
    profiles are brought to full contrast from.
    """

    zooms: tuple[float, ...] = (1.2, 1.12, 1.3)
    rolls: tuple[float, ...] = (0.0, 4.0, -4.0)
    shifts: tuple[tuple[float, float], ...] = ((0.0, 0.0), (0.0, -0.03), (-0.03, 0.03))
    reach: float = 0.04
    steps: int = 9
    outline: int = 6
    colour: int = 40
    floor: float = 2.0


TUNED = Tuned()
LIPS_OUTER = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375),
    *(291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
)
LIPS_INNER = (
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324),
    *(308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
)
LIPS = np.array([*LIPS_OUTER, *LIPS_INNER])
"""The lips' two outlines among the mesh's points, once around each from image left."""
MIDDLE = (0.5, 0.44)
"""Of the face in its canonical frame, brow to chin."""
OUTLINES = len(TUNED.zooms) * len(LIPS) * 2
COLOURS = len(LIPS) * TUNED.steps * 3


class MouthScorer:
    """Rows of outlines and colours of fills and bare faces alike; `mouth_distances` judges them."""

    key = f"mouth-{code_digest(__file__)}"
    columns = ()
    of_truth = True

    def score(
        self,
        truth: np.ndarray,
        hole: np.ndarray,
        fills: list[np.ndarray],
        landmarks: np.ndarray | None = None,
    ) -> np.ndarray:
        """float64 (len(fills), OUTLINES + COLOURS); see `Scorer`. Framed as the bare face is."""
        if landmarks is None:
            return np.full((len(fills), OUTLINES + COLOURS), np.nan)
        frame = FaceCrop.from_points(five_points(landmarks), 1)
        return np.stack([self._row(fill, frame) for fill in fills])

    def _row(self, picture: np.ndarray, frame: FaceCrop) -> np.ndarray:
        outlines = []
        for zoom, roll, shift in zip(TUNED.zooms, TUNED.rolls, TUNED.shifts, strict=True):
            centre = frame.to_photo([np.add(MIDDLE, shift)])[0]
            square = Square(centre, zoom / frame.scale, float(np.radians(frame.roll + roll)))
            outlines.append(frame.to_crop(fit_mesh(picture, square).points[LIPS, :2]))
        first = frame.to_photo(outlines[0])
        colours = read_across(picture, first, TUNED.reach / frame.scale)
        return np.concatenate([np.stack(outlines).ravel(), colours.ravel()])


def read_across(picture: np.ndarray, outline: np.ndarray, reach: float) -> np.ndarray:
    """Colours across the lips' two outlines, float64 (40, 9, 3) in Lab, contrast taken out.

    Args:
        picture: uint8 (S, S, 3). outline: (40, 2) in its pixels. reach: in pixels, to each side.
    """
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    steps = np.linspace(-reach, reach, TUNED.steps)
    places = []
    for loop in np.split(outline, 2):
        along = np.roll(loop, -1, 0) - np.roll(loop, 1, 0)
        across = np.stack([-along[:, 1], along[:, 0]], 1)
        across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
        places.append(loop[:, None] + across[:, None] * steps[None, :, None])
    x, y = np.moveaxis(np.concatenate(places).astype(np.float32), 2, 0)
    read = cv2.remap(lab, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    centred = read.astype(np.float64) - read.mean((0, 1), dtype=np.float64)
    return np.asarray(centred / (np.sqrt((centred**2).mean()) + TUNED.floor))


class MouthModels:
    """What the bare faces of a run show of mouths; each photo is judged without its own fold.

    Fitted once for all models of a run: their fills are judged by the same bare faces.

    Args:
        real: (n, OUTLINES + COLOURS) of bare faces. folds: int (n,).
    """

    def __init__(self, real: np.ndarray, folds: np.ndarray) -> None:
        self.folds = folds
        parts = ((slice(0, OUTLINES), TUNED.outline), (slice(OUTLINES, None), TUNED.colour))
        self._fits = {
            int(fold): [(part, _Fit(real[folds != fold, part], count)) for part, count in parts]
            for fold in np.unique(folds)
        }
        far = self._far(real)
        self._unit = float(np.median(far))
        self.real = far / self._unit

    def distances(self, fake: np.ndarray) -> np.ndarray:
        """float64 (n,): how far fills (n, OUTLINES + COLOURS) lie outside; NaN for rows of NaN.

        The bare faces' own, in `real`, have the median 1.
        """
        return self._far(fake) / self._unit

    def _far(self, rows: np.ndarray) -> np.ndarray:
        squares = np.zeros(len(rows))
        for fold, fits in self._fits.items():
            inside = self.folds == fold
            for part, fit in fits:
                squares[inside] += fit.outside(rows[inside, part])
        return np.asarray(np.sqrt(squares / 4))


def mouth_distances(
    real: np.ndarray, fake: np.ndarray, folds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How far each mouth lies outside what the bare faces of the other folds show.

    Args:
        real, fake: (n, OUTLINES + COLOURS); row i of both belongs to photo i.
        folds: int (n,).

    Returns:
        float64 (n,) of the bare faces, whose median is 1, and of the fills.
    """
    models = MouthModels(real, folds)
    return models.real, models.distances(fake)


class _Fit:
    """Principal components of `shown` (m, d), the largest `count` of them, and the noise left."""

    def __init__(self, shown: np.ndarray, count: int) -> None:
        self.mean = shown.mean(0, dtype=np.float64)
        centred = shown - self.mean
        # Only the largest are needed: much faster than all singular values.
        covariance = centred.T @ centred / len(shown)
        count = min(count, max(1, len(shown) // 4), len(covariance))
        ends = [len(covariance) - count, len(covariance) - 1]
        sizes, axes = linalg.eigh(covariance, subset_by_index=ends)
        self.spread = np.maximum(sizes, 1e-12)
        self.axes = axes.T
        self.left = max(float(np.trace(covariance) - sizes.sum()), 1e-12)

    def outside(self, rows: np.ndarray) -> np.ndarray:
        """Mean square distance from the average along the components, plus that off them.

        Each is 1 on average for the rows it was fitted on. rows: (..., d).
        """
        off = rows - self.mean
        along = off @ self.axes.T
        left = ((off - along @ self.axes) ** 2).sum(-1)
        return np.asarray((along**2 / self.spread).mean(-1) + left / self.left)
