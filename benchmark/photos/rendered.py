"""One fixed mask per photo: the holes that every model fills.

The mask follows from the photo's content and the seed alone, so a photo keeps its mask in every
run, subset and order. Models see the crop with the mask drawn on it, never the face below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

import uncover
from benchmark.digests import code_digest, digest
from benchmark.photos import crops
from benchmark.photos.crops import Cut
from benchmark.photos.datasets import DataSet, Photo
from benchmark.photos.pose import estimate_yaw
from benchmark.run import Table
from uncover.errors import UncoverError
from uncover.faces import find_landmarks, pose_bin
from uncover.masking import MaskStyle, draw_mask, random_style

ALPHA = 0.02
DILATION = 0.02


@dataclass(frozen=True, eq=False)
class Rendered:
    """truth, masked: uint8 (S, S, 3), the bare face and what models see. hole: bool (S, S).
    landmarks: float32 (68, 2) of the bare face in pixels of the pictures, or None. cut: where in
    the photo the pictures lie, None where they are no plain cut."""

    truth: np.ndarray
    masked: np.ndarray
    hole: np.ndarray
    landmarks: np.ndarray | None = None
    cut: Cut | None = None

    @property
    def digest(self) -> str:
        """32 hex digits that name the pictures' pixels, whatever code drew them."""
        parts = (self.truth, self.masked, self.hole.astype(np.uint8))
        named = hashlib.sha256()
        for part in parts:
            named.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        return named.hexdigest()[:32]


class NoMaskError(UncoverError):
    """No mask can be drawn on this photo."""


@dataclass(frozen=True, eq=False)
class Case:
    """A photo with its mask. id names what they were drawn from, the code included: equal ids,
    equal crop and hole. pixels: `Rendered.digest` of its pictures.

    labels: factor -> value, with pose and mask_type. yaw: degrees, given or estimated.
    """

    id: str
    photo: Photo
    sha256: str
    labels: dict[str, str]
    yaw: float | None
    style: MaskStyle
    landmarks: np.ndarray | None = None
    pixels: str = ""


@dataclass(frozen=True, eq=False)
class Lost:
    """A photo that no model gets to fill: it counts as a failure. labels: as `Case.labels`."""

    name: str
    labels: dict[str, str]
    reason: str


@dataclass(frozen=True, eq=False)
class Cases:
    """cases in the data's order. lost: what could not be drawn. pose: where yaw comes from."""

    cases: list[Case]
    lost: list[Lost]
    pose: str
    render: Callable[[Case], Rendered]

    @property
    def left_out(self) -> dict[str, list[str]]:
        """reason -> photo names."""
        reasons: dict[str, list[str]] = {}
        for photo in self.lost:
            reasons.setdefault(photo.reason, []).append(photo.name)
        return reasons


NO_FACE, NO_POSE, NO_MASK = "no face found", "no head pose fits", "no mask can be drawn"


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


def drawing_code() -> str:
    """Fingerprint of the code that decides the pictures, so that stale values are not reused."""
    here, package = Path(__file__).parent, Path(uncover.__file__).parent
    files = [here / "rendered.py", here / "crops.py", *finder_code()]
    for room in ("crop", "images", "masking"):
        files += sorted((package / room).rglob("*.py"))
    return digest(code_digest(*files), cv2.__version__)


def finder_code() -> list[Path]:
    """The files that decide where a face's landmarks lie."""
    return sorted((Path(uncover.__file__).parent / "faces").rglob("*.py"))


def draw_cases(
    data: DataSet, *, seed: int, size: int | None, align: bool, cache: Path, quiet: bool = False
) -> Cases:
    """Find each photo's landmarks (or take the given ones) and fix its mask.

    Photos in which no face is found, or on which no mask can be drawn, are listed as lost.

    Args:
        size: side of the pictures; None is each photo's own resolution.
    """
    code = drawing_code()
    finder = digest(*(file.read_text(encoding="utf-8") for file in finder_code()))
    table = Table(cache / f"landmarks-tolerant-{finder}")
    pictures = Table(cache / f"pictures-{code}")
    cases: list[Case] = []
    lost: list[Lost] = []
    estimated = 0
    for start in tqdm(range(0, len(data.photos), 64), "landmarks", disable=quiet, leave=False):
        photos = data.photos[start : start + 64]
        hashes = [photo.sha256 for photo in photos]
        _find(table, photos, hashes)
        chunk = []
        for photo, sha256 in zip(photos, hashes, strict=True):
            points = photo.landmarks
            if points is None:
                points = table.get([sha256])[0, :136].reshape(68, 2).astype(np.float32)
            style = mask_style(sha256, seed)
            yaw, reason = photo.yaw, NO_FACE if np.isnan(points).any() else ""
            if yaw is None and not reason:
                estimated += 1
                yaw = _yaw(photo, points)
                reason = NO_POSE if yaw is None else ""
            labels = {**photo.labels, "pose": pose_bin(yaw), "mask_type": style.kind}
            if reason:
                lost.append(Lost(photo.name, labels, reason))
                continue
            case_id = digest(sha256, np.round(points, 1).tolist(), seed, size, align, code)
            chunk.append(Case(case_id, photo, sha256, labels, yaw, style, points))
        _try_masks(pictures, chunk, size, align)
        for case in chunk:
            named = pictures.get([case.id])[0]
            if named.any():
                cases.append(replace(case, pixels=named.tobytes().hex()))
            else:
                lost.append(Lost(case.photo.name, case.labels, NO_MASK))
    if not cases:
        what = "face was found in" if all(x.reason == NO_FACE for x in lost) else "mask fits"
        raise UncoverError(f"no {what} any of the {len(data.photos)} photos")

    def render(case: Case) -> Rendered:
        return draw(case, size, align)

    source = "given" if not estimated else "estimated" if estimated == len(cases) else "mixed"
    return Cases(cases, lost, source, render)


def _try_masks(table: Table, cases: list[Case], size: int | None, align: bool) -> None:
    """Add, for cases that the table lacks, the digest of their pictures in 16 bytes; all 0 where no
    mask can be drawn."""
    missing = set(table.missing([case.id for case in cases]))
    rows: dict[str, np.ndarray] = {}
    for case in cases:
        if case.id not in missing or case.id in rows:
            continue
        try:
            named = bytes.fromhex(draw(case, size, align).digest)
        except NoMaskError:
            named = bytes(16)
        rows[case.id] = np.frombuffer(named, np.uint8)
    if rows:
        table.add(list(rows), np.stack(list(rows.values())))


def draw(case: Case, size: int | None, align: bool) -> Rendered:
    """The pictures of a case at `size` pixels, or at the photo's own resolution.

    Raises:
        NoMaskError: no mask can be drawn, or it leaves nothing of the photo, or lies outside.
    """
    photo = case.photo.read()
    truth, points = crops.face_crop(photo, case.landmarks, size, align)
    if points is None:
        raise NoMaskError(f"no mask can be drawn on {case.photo.name}: it has no landmarks")
    height, width = photo.shape[:2]
    cut = None if align else crops.cut_around(width, height, case.landmarks, size)
    try:
        drawn, alpha = draw_mask(truth, points, case.style)
    except ValueError as error:
        raise NoMaskError(f"no mask can be drawn on {case.photo.name}: {error}") from error
    hole = hole_of(alpha)
    if not hole.any() or hole.all():
        raise NoMaskError(f"{case.photo.name}: its landmarks put the mask outside the photo")
    return Rendered(truth, np.where(hole[..., None], drawn, truth), hole, points, cut)


def _find(table: Table, photos: tuple[Photo, ...], hashes: list[str]) -> None:
    """Add the landmarks that the table lacks; photos without a face get a row of NaN."""
    wanted = dict(zip(hashes, photos, strict=True))
    missing = [h for h in table.missing(wanted) if wanted[h].landmarks is None]
    rows = []
    for sha256 in missing:
        points = find_landmarks(wanted[sha256].read(), tolerant=True)
        # One decimal, as manifests keep them: the same photo gets the same hole either way.
        rows.append(np.full(136, np.nan) if points is None else np.round(points, 1).ravel())
    table.add(missing, np.array(rows, np.float32))


def _yaw(photo: Photo, points: np.ndarray) -> float | None:
    """The head's yaw in degrees, None where its landmarks do not determine it."""
    image = photo.read()
    try:
        return estimate_yaw(points, image.shape[1], image.shape[0])
    except UncoverError:
        return None
