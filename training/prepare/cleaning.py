"""Rules by which a picture with a face in it is left out, each a number that others can look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from uncover import Uncoverer
from uncover.crop import frame_face


@dataclass(frozen=True)
class CleaningSettings:
    """Limits, chosen on 350 val photos each of UTKFace, FairFace and All-Age-Faces.

    border: share of a side from which flat black along an edge is a border (FairFace has one on 1.7
    of 100 photos, the others have none). black: the brightest value that is flat black; dark photos
    are noisier. specks: share of a border's line that may be brighter. focus: least steepness in
    proportion to contrast, so that dark photos are not taken for blurred ones; 1 in 100 FairFace
    photos has less, of UTKFace none. mask: probability from which a pixel counts. covered: share of
    the lower face from which the detector is asked, too: the segmenter alone took 26 bare heads out
    of 500, nearly all turned, for masked ones. alike: bits of 256 by which two pictures of one
    photo differ at most.
    """

    border: float = 0.03
    black: float = 3.0
    specks: float = 0.01
    focus: float = 0.085
    mask: float = 0.5
    covered: float = 0.25
    alike: int = 22


CLEANING = CleaningSettings()
HASH_BYTES = 32
BARE = "without_mask"
_FOCUS_SIDE = 128
_CROP = 128
# The lower face in the canonical crop: columns and rows in crop sides.
_LOWER = (
    slice(round(0.3 * _CROP), round(0.7 * _CROP)),
    slice(round(0.5 * _CROP), round(0.82 * _CROP)),
)


def black_border(image: np.ndarray) -> float:
    """Share of a side, 0..1, that flat black along the widest black edge of uint8 RGB takes."""
    bright = image.max(axis=2) > CLEANING.black
    widest = 0.0
    for axis in (0, 1):
        lit = np.flatnonzero(bright.mean(axis=axis) > CLEANING.specks)
        count = bright.shape[1 - axis]
        first, last = (lit[0], lit[-1]) if len(lit) else (count, -1)
        widest = max(widest, first / count, (count - 1 - last) / count)
    return float(widest)


def focus(image: np.ndarray, landmarks: np.ndarray) -> float:
    """Standard deviation of the Laplacian over that of the brightness, in the landmarks' box.

    The box is measured at 128 px, so that neither size nor brightness decides.
    """
    height, width = image.shape[:2]
    x0, y0 = np.clip(np.floor(landmarks.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(landmarks.max(axis=0)).astype(int), (x0 + 1, y0 + 1), (width, height))
    grey = cv2.cvtColor(np.ascontiguousarray(image[y0:y1, x0:x1]), cv2.COLOR_RGB2GRAY)
    scale = _FOCUS_SIDE / max(grey.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    grey = cv2.resize(grey, size, interpolation=how)
    return float(cv2.Laplacian(grey, cv2.CV_64F).std() / max(float(grey.std()), 1.0))


@lru_cache(maxsize=1)
def _uncoverer() -> Uncoverer:
    return Uncoverer.from_pretrained(device="cpu", local_files_only=True)


def mask_share(image: np.ndarray, landmarks: np.ndarray) -> float:
    """Share of the lower face, 0..1, that the embedded segmenter takes for a mask.

    A hand, a cup or a scarf is found only where it looks like a mask to it.
    """
    crop = frame_face(landmarks, _CROP).extract(image)
    probability = _uncoverer().segmenter.segment(crop[None]).probability[0]
    columns, rows = _LOWER
    return float((probability[rows, columns] >= CLEANING.mask).mean())


def under_mask(image: np.ndarray, landmarks: np.ndarray) -> bool:
    """Whether segmenter and detector both see a mask on the face; one alone errs on turned heads.

    Takes about 20 ms, and 110 ms more where the segmenter sees one.
    """
    if mask_share(image, landmarks) <= CLEANING.covered:
        return False
    x, y = landmarks.mean(axis=0)
    around = [
        face
        for face in _uncoverer().detect(image)
        if face.box[0] <= x <= face.box[2] and face.box[1] <= y <= face.box[3]
    ]
    return bool(around) and max(around, key=lambda face: face.score).label != BARE


def difference_hash(image: np.ndarray) -> bytes:
    """256 bits: whether each of 16 x 16 parts of the picture is brighter than the one before."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()


def near_duplicates(hashes: np.ndarray, ranks: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Which pictures are near-duplicates of one that is kept.

    Args:
        hashes: uint8 (N, 32), `difference_hash`.
        ranks: int (N,): of two alike, the one of lower rank is kept; of one rank the first.
        earlier: uint8 (M, 32), of other sets, all kept.

    Returns:
        int (N,): index of the kept picture, N + index for `earlier`, -1 for pictures that stay.
    """
    count = len(hashes)
    order = np.lexsort((np.arange(count), ranks))
    words = np.ascontiguousarray(hashes[order]).view(np.uint64)
    others = np.ascontiguousarray(earlier.reshape(-1, HASH_BYTES)).view(np.uint64)
    twin = np.full(count, -1)
    for place, index in enumerate(order):
        elsewhere = _alike(others, words[place])
        here = order[_alike(words[:place], words[place])]
        here = here[twin[here] < 0]
        if len(elsewhere):
            twin[index] = count + elsewhere[0]
        elif len(here):
            twin[index] = here[0]
    return twin


def _alike(pool: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Places in uint64 (N, 4) hashes of those that differ little from one (4,)."""
    return np.flatnonzero(np.bitwise_count(pool ^ one).sum(axis=1) <= CLEANING.alike)
