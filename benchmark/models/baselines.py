"""What any model has to beat: OpenCV's inpainting, the mean face, and linear completion."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from benchmark.digests import code_digest, digest
from benchmark.models.models import FillModel, Shown
from benchmark.photos import DataSet, face_crop
from uncover.atomic import write_atomically
from uncover.crop import FaceCrop
from uncover.errors import UncoverError
from uncover.faces import find_landmarks, five_points

NAMES = ("telea", "mean-face", "pca", "seed")
MAX_TRAIN = 2000
SIDE = 128
COMPONENTS = 160
RADIUS = 5
NOISE = 100.0
"""By how much what the components leave is more than noise of each pixel for itself: pixels beside
each other err alike, so that thousands of them tell little. Of 1 to 10,000 the best on 24 FairFace
val photos: in the hole 15.8 dB with 1, 17.3 with 10, 19.4 with 100, 19.2 with 1,000."""


class Telea:
    """`cv2.inpaint`: Telea, "An Image Inpainting Technique Based on the Fast Marching Method"."""

    name = "telea"
    parallel = True
    weights_sha256: str | None = None

    def __init__(self) -> None:
        self.fingerprint = digest("telea", code_digest(__file__), cv2.__version__)
        self.notes: dict[str, Any] = {}

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`."""
        return cv2.inpaint(image, hole.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)


class MeanFace:
    """The mean of the training faces, the same for everyone."""

    name = "mean-face"
    parallel = True

    def __init__(self, faces: TrainFaces) -> None:
        self.mean = faces.mean
        self.weights_sha256: str | None = faces.sha256
        self.fingerprint = digest("mean-face", code_digest(__file__), faces.sha256, cv2.__version__)
        self.notes: dict[str, Any] = {"training": {"photos": faces.count}}

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`."""
        return _grow(self.mean, len(image))

    def fill_shown(self, image: np.ndarray, hole: np.ndarray, shown: Shown) -> np.ndarray:
        """See `FillModel`. The mean face is laid on the landmarks."""
        return _framed(self, image, hole, shown)


class Pca:
    """The most likely face under a Gaussian model of faces, given the pixels that are known.

    With mean m, components A of variances v and noise s, the known pixels x give the coefficients
    c = (A'A + s V^-1)^-1 A'(x - m), A and m restricted to them (Tipping and Bishop, "Probabilistic
    Principal Component Analysis", 1999): a ridge regression from the visible half of the face. s is
    what training left, times `NOISE`.
    """

    name = "pca"
    parallel = True

    def __init__(self, faces: TrainFaces) -> None:
        self.mean, self.components = faces.mean, faces.components
        self.variances, self.noise = faces.variances, faces.noise
        self.weights_sha256: str | None = faces.sha256
        self.fingerprint = digest("pca", code_digest(__file__), faces.sha256, cv2.__version__)
        self.notes: dict[str, Any] = {
            "training": {"photos": faces.count, "components": len(faces.variances)}
        }

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`."""
        small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        covered = cv2.resize(hole.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        known = np.repeat((covered == 0).ravel(), 3)
        a = self.components[:, known]
        x = small.ravel()[known] - self.mean.ravel()[known]
        gram = (a @ a.T).astype(np.float64) + np.diag(NOISE * self.noise / self.variances)
        coefficients = np.linalg.solve(gram, (a @ x).astype(np.float64)).astype(np.float32)
        face = self.mean + (coefficients @ self.components).reshape(SIDE, SIDE, 3)
        return _grow(face, len(image))

    def fill_shown(self, image: np.ndarray, hole: np.ndarray, shown: Shown) -> np.ndarray:
        """See `FillModel`. Completed in the frame of the landmarks."""
        return _framed(self, image, hole, shown)


class TrainFaces:
    """Mean and principal components of bare training faces at 128 px.

    mean: float32 (128, 128, 3). components: float32 (k, 49152), orthonormal rows. variances (k,)
    and noise: of the coefficients, and per pixel value outside the components.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.mean = arrays["mean"]
        self.components = arrays["components"]
        self.variances = arrays["variances"]
        self.noise = float(arrays["noise"])
        self.count = int(arrays["count"])
        parts = (self.mean, self.components, self.variances)
        self.sha256 = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def learn(data: DataSet, cache: Path, quiet: bool = False) -> TrainFaces:
    """Fit to at most 2,000 faces of `data`, chosen by their content and framed by their landmarks;
    kept in the cache.

    Raises:
        UncoverError: fewer than two usable faces.
    """
    hashed = sorted((photo.sha256, i) for i, photo in enumerate(data.photos))[:MAX_TRAIN]
    file = (
        cache / "baselines" / f"{digest(*(h for h, _ in hashed), 'framed', SIDE, COMPONENTS)}.npz"
    )
    if file.is_file():
        with np.load(file, allow_pickle=False) as stored:
            return TrainFaces(dict(stored))
    rows = []
    for _, index in tqdm(hashed, "training faces", disable=quiet, leave=False):
        photo = data.photos[index]
        image, points = photo.read(), photo.landmarks
        if points is None:
            points = find_landmarks(image)
        if points is None or np.isnan(points).any():
            continue
        rows.append(face_crop(image, points, SIDE, align=True)[0].ravel())
    if len(rows) < 2:
        raise UncoverError(f"mean-face and pca need training faces; {data.name} has {len(rows)}")
    arrays = _principal(np.stack(rows))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(file, buffer.getvalue())
    return TrainFaces(arrays)


def _principal(rows: np.ndarray) -> dict[str, np.ndarray]:
    """Principal components of uint8 rows (n, d), n below d, by the n x n Gram matrix."""
    n, d = rows.shape
    mean = rows.mean(0, dtype=np.float64).astype(np.float32)
    gram = np.zeros((n, n))
    blocks = [slice(start, start + 4096) for start in range(0, d, 4096)]
    for block in blocks:
        centred = rows[:, block] - mean[block]
        gram += centred @ centred.T
    values, vectors = np.linalg.eigh(gram)
    total = values.clip(0).sum() / (n - 1)
    k = max(1, min(COMPONENTS, n // 4))  # more would fit the training faces' chance
    values, vectors = values[::-1][:k], vectors[:, ::-1][:, :k]
    keep = values > 1e-6 * max(values[0], 1e-12)
    values, vectors = values[keep], vectors[:, keep]
    scaled = (vectors / np.sqrt(values)).T.astype(np.float32)
    components = np.empty((len(values), d), np.float32)
    for block in blocks:
        components[:, block] = scaled @ (rows[:, block] - mean[block])
    variances = values / (n - 1)
    noise = max((total - variances.sum()) / (d - len(values)), 1.0)
    return {
        "mean": mean.reshape(SIDE, SIDE, 3),
        "components": components,
        "variances": variances,
        "noise": np.float64(noise),
        "count": np.int64(n),
    }


def _framed(model: FillModel, image: np.ndarray, hole: np.ndarray, shown: Shown) -> np.ndarray:
    """What a model of framed faces paints, laid back into a picture that is not framed."""
    if shown.landmarks is None:
        return model.fill(image, hole)
    crop = FaceCrop.from_points(five_points(shown.landmarks), SIDE)
    size = image.shape[:2]
    covered = crop.extract(hole.astype(np.uint8) * 255) > 0
    corners = np.array([[[0, 0]], [[size[1], 0]], [[size[1], size[0]]], [[0, size[0]]]], float)
    inside = cv2.fillConvexPoly(
        np.zeros((SIDE, SIDE), np.uint8), np.rint(crop.to_crop(corners[:, 0])).astype(np.int32), 1
    )
    covered |= inside == 0  # what the photo does not hold is not known either
    face = model.fill(crop.extract(image), covered)
    return np.asarray(crop.place(face, (0, 0, size[1], size[0])))


def _grow(image: np.ndarray, size: int) -> np.ndarray:
    if len(image) != size:
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.rint(image.clip(0, 255)).astype(np.uint8)
