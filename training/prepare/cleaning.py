"""Rules by which a picture with a face in it is left out, each a number that others can look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from uncover.crop import WHOLE_FACE, frame_face
from uncover.networks import LABELS, MaskDetector, MaskSegmenter
from uncover.weights import load_bundle


@dataclass(frozen=True)
class CleaningSettings:
    """Limits, chosen on 350 val photos each of UTKFace, FairFace and All-Age-Faces.

    border: share of a side from which flat black along an edge is a border (FairFace has one on 1.7
    of 100 photos, the others have none). black: the brightest value that is flat black; dark photos
    are noisier. specks: share of a border's line that may be brighter. focus: least steepness in
    proportion to contrast, so that dark photos are not taken for blurred ones; 1 in 100 FairFace
    photos has less, of UTKFace none. suspected: the detector's probability of a mask
    from which the segmenter is asked, too: it alone took 26 bare heads out of 500, nearly all
    turned, for masked ones. mask: probability from which a pixel counts. covered: share of the
    lower face that is mask on a masked one. alike: bits of 256 by which two pictures of one photo
    differ at most.
    """

    border: float = 0.03
    black: float = 3.0
    specks: float = 0.01
    focus: float = 0.085
    mask: float = 0.5
    suspected: float = 0.35
    covered: float = 0.25
    alike: int = 22


CLEANING = CleaningSettings()
HASH_BYTES = 32
BARE = "without_mask"
_FOCUS_SIDE = 128
_BATCH = 16
CROP = 128
# The lower face in the canonical crop: rows and columns in crop sides.
_LOWER = (
    slice(round(0.5 * CROP), round(0.82 * CROP)),
    slice(round(0.3 * CROP), round(0.7 * CROP)),
)
# The whole face in it, forehead to chin, as the detector's boxes go.
_BOX = tuple(WHOLE_FACE * CROP)


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
def _networks() -> tuple[MaskDetector, MaskSegmenter]:
    bundle = load_bundle(local_files_only=True)
    return bundle.detector.eval(), bundle.segmenter.eval()


def face_crop(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """What `under_mask` looks at: the face of uint8 RGB in its canonical frame, (128, 128, 3)."""
    return frame_face(landmarks, CROP).extract(image)


def masked_odds(crops: np.ndarray) -> np.ndarray:
    """Probability, float32 (B,), that the detector gives to a mask on the face of each crop.

    It is told where the face is and does not search: 6 ms a face.
    """
    detector, _ = _networks()
    starts = range(0, len(crops), _BATCH)
    odds = [detector.odds(crops[start : start + _BATCH], _BOX) for start in starts]
    worn = [1 + LABELS.index(label) for label in LABELS if label != BARE]
    return np.concatenate([each[:, worn].sum(axis=1) for each in odds])


def mask_share(crops: np.ndarray) -> np.ndarray:
    """Share of the lower face, float (B,) in 0..1, that the segmenter takes for a mask; 35 ms each.

    A hand, a cup or a scarf is found only where it looks like a mask to it.
    """
    rows, columns = _LOWER
    _, segmenter = _networks()
    probability = segmenter.segment(crops).probability[:, rows, columns]
    return (probability >= CLEANING.mask).mean(axis=(1, 2))


def under_mask(crops: np.ndarray) -> np.ndarray:
    """Whether detector and segmenter both see a mask on each face; one alone errs on turned heads.

    The segmenter, the slower one, is asked only where the detector suspects one.

    Args:
        crops: uint8 (B, 128, 128, 3), of `face_crop`; B may be 0.

    Returns:
        bool (B,).
    """
    masked = np.zeros(len(crops), bool)
    if len(crops):
        suspected = np.flatnonzero(masked_odds(crops) >= CLEANING.suspected)
        masked[suspected] = mask_share(crops[suspected]) > CLEANING.covered
    return masked


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
