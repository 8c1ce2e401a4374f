"""One fixed mask per photo: the holes that every model fills.

The mask follows from the photo's content and the seed alone, so a photo keeps its mask in every
run, subset and order. Models see the crop with the mask drawn on it, never the face below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

import uncover.crop.geometry
import uncover.faces.landmarks
import uncover.masking
from benchmark.photos import crops
from benchmark.photos.datasets import DataSet, Photo
from benchmark.photos.pose import estimate_yaw
from benchmark.run import Table, digest
from uncover.errors import UncoverError
from uncover.faces import find_landmarks, pose_bin
from uncover.masking import MaskStyle, draw_mask, random_style

ALPHA = 0.02
DILATION = 0.02


@dataclass(frozen=True, eq=False)
class Rendered:
    """truth, masked: uint8 (S, S, 3), the bare face and what models see. hole: bool (S, S)."""

    truth: np.ndarray
    masked: np.ndarray
    hole: np.ndarray


@dataclass(frozen=True, eq=False)
class Case:
    """A photo with its mask. id names the pictures: equal ids, equal crop and hole.

    labels: factor -> value, with pose and mask_type. yaw: degrees, given or estimated.
    """

    id: str
    photo: Photo
    sha256: str
    labels: dict[str, str]
    yaw: float | None
    style: MaskStyle
    landmarks: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Cases:
    """cases in the data's order. left_out: reason -> photo names. pose: where yaw comes from."""

    cases: list[Case]
    left_out: dict[str, list[str]]
    pose: str
    render: Callable[[Case], Rendered]


def mask_style(sha256: str, seed: int) -> MaskStyle:
    """The mask of the photo with that content: worn over nose and mouth, all else by chance."""
    entropy = hashlib.sha256(f"{sha256}|{seed}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(entropy[:16], "little"))
    return random_style(rng, wear="worn")


def hole_of(alpha: np.ndarray) -> np.ndarray:
    """The pixels to paint, bool (S, S): all that the mask touches and 2 % of the side around."""
    radius = max(1, round(DILATION * alpha.shape[0]))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate((alpha > ALPHA).astype(np.uint8), disc).astype(bool)


def code_digest() -> str:
    """Fingerprint of the code that decides the pictures, so that stale values are not reused."""
    files = [Path(__file__), Path(crops.__file__), Path(uncover.crop.geometry.__file__)]
    files += sorted(Path(uncover.masking.__file__).parent.glob("*.py"))
    return digest(*(file.read_text(encoding="utf-8") for file in files), cv2.__version__)


def draw_cases(
    data: DataSet, *, seed: int, size: int, align: bool, cache: Path, quiet: bool = False
) -> Cases:
    """Find each photo's landmarks (or take the given ones) and fix its mask.

    Photos in which no face is found are left out and listed.
    """
    code = code_digest()
    finder = digest(Path(uncover.faces.landmarks.__file__).read_text(encoding="utf-8"))
    table = Table(cache / f"landmarks-{finder}")
    cases, lost, estimated = [], [], 0
    for start in tqdm(range(0, len(data.photos), 64), "landmarks", disable=quiet, leave=False):
        photos = data.photos[start : start + 64]
        hashes = [photo.sha256 for photo in photos]
        _find(table, photos, hashes)
        for photo, sha256 in zip(photos, hashes, strict=True):
            points = photo.landmarks
            if points is None:
                points = table.get([sha256])[0, :136].reshape(68, 2).astype(np.float32)
            if np.isnan(points).any():
                lost.append(photo.name)
                continue
            yaw = photo.yaw
            if yaw is None:
                estimated += 1
                yaw = _yaw(photo, points)
            style = mask_style(sha256, seed)
            labels = {**photo.labels, "pose": pose_bin(yaw), "mask_type": style.kind}
            case_id = digest(sha256, np.round(points, 1).tolist(), seed, size, align, code)
            cases.append(Case(case_id, photo, sha256, labels, yaw, style, points))
    if not cases:
        raise UncoverError(f"no face was found in any of the {len(data.photos)} photos")

    def render(case: Case) -> Rendered:
        return draw(case, size, align)

    source = "given" if not estimated else "estimated" if estimated == len(cases) else "mixed"
    return Cases(cases, {"no face found": lost} if lost else {}, source, render)


def draw(case: Case, size: int, align: bool) -> Rendered:
    """The pictures of a case at `size` pixels."""
    truth, points = crops.face_crop(case.photo.read(), case.landmarks, size, align)
    if points is None:
        raise ValueError("a case needs landmarks to be drawn")
    try:
        drawn, alpha = draw_mask(truth, points, case.style)
    except ValueError as error:
        raise UncoverError(f"no mask can be drawn on {case.photo.name}: {error}") from error
    hole = hole_of(alpha)
    if not hole.any() or hole.all():
        raise UncoverError(f"{case.photo.name}: its landmarks put the mask outside the photo")
    return Rendered(truth, np.where(hole[..., None], drawn, truth), hole)


def _find(table: Table, photos: tuple[Photo, ...], hashes: list[str]) -> None:
    """Add the landmarks that the table lacks; photos without a face get a row of NaN."""
    wanted = dict(zip(hashes, photos, strict=True))
    missing = [h for h in table.missing(wanted) if wanted[h].landmarks is None]
    rows = []
    for sha256 in missing:
        points = find_landmarks(wanted[sha256].read())
        # One decimal, as manifests keep them: the same photo gets the same hole either way.
        rows.append(np.full(136, np.nan) if points is None else np.round(points, 1).ravel())
    table.add(missing, np.array(rows, np.float32))


def _yaw(photo: Photo, points: np.ndarray) -> float:
    image = photo.read()
    try:
        return estimate_yaw(points, image.shape[1], image.shape[0])
    except UncoverError as error:
        raise UncoverError(f"{photo.name}: {error}") from error
