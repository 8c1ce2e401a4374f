"""What `training.prepare` does with one picture: open, find the face, pose, sharpness, split."""

from __future__ import annotations

import hashlib
import io
import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from training.prepare.cleaning import (
    CLEANING,
    black_border,
    difference_hash,
    face_crop,
    focus,
    under_mask,
)
from training.prepare.readers import SourceItem, hash_split
from uncover.errors import ImageError
from uncover.faces import FaceRecord, estimated_pose, find_landmarks, sharpness
from uncover.images import is_lfs_pointer, read_image


class Unusable(Exception):
    """A picture that is left out; the message is the reason for failed.csv.

    `yaw`: of its face, degrees, where one was found.
    """

    def __init__(self, reason: str, yaw: float = math.nan) -> None:
        super().__init__(reason)
        self.yaw = yaw


@dataclass(frozen=True, eq=False)
class Usable:
    """A picture that nothing speaks against, but perhaps a mask.

    code: its `difference_hash`. crop: its `face_crop`, for `under_mask`, which is faster on many;
    None where nothing is to be cleaned.
    """

    record: FaceRecord
    code: bytes
    crop: np.ndarray | None


@dataclass(frozen=True)
class MeasureSettings:
    """How pictures are judged. `split`: the one for all pictures that have none, None = by hash.

    clean: leave out black borders, hopeless blur and faces under a mask
    (`training.prepare.cleaning`).
    """

    val_share: float = 0.05
    test_share: float = 0.05
    split: str | None = None
    min_age: int = 0
    clean: bool = True


def read_rgb(data: bytes) -> np.ndarray:
    """Upright uint8 (H, W, 3) RGB from a file's bytes. Raises Unusable with the reason."""
    if not data:
        raise Unusable("unreadable: the file is empty")
    if is_lfs_pointer(data):
        raise Unusable("unreadable: it only names a picture that Git LFS keeps")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as picture:
                return read_image(picture).rgb
    except Image.UnidentifiedImageError:
        raise Unusable("unreadable: not a picture") from None
    except (ImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unusable(f"unreadable: {' '.join(str(error).split())}") from error


def measure(root: Path, item: SourceItem, settings: MeasureSettings) -> Usable:
    """What one picture shows. Raises Unusable with the reason to leave it out."""
    if item.problem is not None:
        raise Unusable(item.problem)
    if item.path.startswith("/") or ".." in item.path.split("/"):
        raise Unusable("the path leads out of the data set's folder")
    if item.age is not None and item.age < settings.min_age:
        raise Unusable(f"younger than {settings.min_age}")
    file = root / item.path
    try:
        item.path.encode()
        data = file.read_bytes()
    except UnicodeEncodeError:
        raise Unusable("the file name is not UTF-8") from None
    except FileNotFoundError:
        raise Unusable("file not found") from None
    except OSError as error:
        raise Unusable(f"unreadable: {error.strerror}") from error
    image = read_rgb(data)
    landmarks = find_landmarks(image, tolerant=True)
    if landmarks is None:
        raise Unusable("no face found")
    height, width = image.shape[:2]
    try:
        estimated = estimated_pose(landmarks, width, height)
    except ValueError as error:
        raise Unusable(f"no pose: {error}") from error
    pose = dict(zip(("yaw", "pitch", "roll"), estimated, strict=True)) | dict(item.pose)
    crop = None
    if settings.clean:
        _check_clean(image, landmarks, pose["yaw"])
        crop = face_crop(image, landmarks)
    digest = hashlib.sha256(data).hexdigest()
    split = item.split or settings.split
    record = FaceRecord(
        path=item.path,
        file=file,
        split=split or hash_split(item.identity or digest, settings.val_share, settings.test_share),
        identity=item.identity,
        ethnicity=item.ethnicity,
        gender=item.gender,
        age=item.age,
        sharpness=sharpness(image, landmarks),
        width=width,
        height=height,
        sha256=digest,
        landmarks=landmarks,
        **pose,
    )
    return Usable(record, difference_hash(image), crop)


def _check_clean(image: np.ndarray, landmarks: np.ndarray, yaw: float) -> None:
    if black_border(image) > CLEANING.border:
        raise Unusable("black border", yaw)
    if focus(image, landmarks) < CLEANING.focus:
        raise Unusable("hopelessly blurred", yaw)


@dataclass
class Measured:
    """What came of a chunk, in order. rows: of the manifest; hashes: theirs, as hex.

    failures: (path, reason, ethnicity, yaw or "") of the others.
    """

    rows: list[list[str]] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    failures: list[list[str]] = field(default_factory=list)


def measure_chunk(root: Path, items: Iterable[SourceItem], settings: MeasureSettings) -> Measured:
    """Measure each item of a chunk; whether masks are worn is asked for all of them together."""
    looked = [(item, _outcome(root, item, settings)) for item in items]
    crops = [each.crop for _, each in looked if isinstance(each, Usable) and each.crop is not None]
    masked = iter(under_mask(np.stack(crops)) if crops else ())
    done = Measured()
    for item, outcome in looked:
        if isinstance(outcome, Usable) and outcome.crop is not None and next(masked):
            outcome = Unusable("under a mask", outcome.record.yaw)
        if isinstance(outcome, Usable):
            done.rows.append(outcome.record.to_row())
            done.hashes.append(outcome.code.hex())
        else:
            path = item.path.encode(errors="backslashreplace").decode()
            yaw = "" if math.isnan(outcome.yaw) else f"{outcome.yaw:.1f}"
            done.failures.append([path, str(outcome), item.ethnicity, yaw])
    return done


def _outcome(root: Path, item: SourceItem, settings: MeasureSettings) -> Usable | Unusable:
    try:
        return measure(root, item, settings)
    except Unusable as unusable:
        return unusable
